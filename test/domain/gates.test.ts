/** The table of protocol.md gate by gate, and its table of what an emergency does to a running rotation, row by row. */
import { describe, expect, test } from "vitest";
import { decide } from "../../domain/decide.js";
import { gates } from "../../domain/gates.js";
import { fold } from "../../domain/rotation/fold.js";
import type { RotationState } from "../../domain/rotation/state.js";
import { begin, originIn, planFor, policy, tick, versionIn } from "./begin.js";
import { gateOf } from "./gate.js";
import { asking, failure, leak, look, on, told, upTo, walk } from "./walk.js";

const ask = (name: string, state: RotationState, now: number) => gateOf(name).check(state, now);
const finding = { code: "x", severity: "refuse" as const, sentence: "Not now." };

test("the gates are those of protocol.md, in its order", () => {
  expect(gates.map(({ name }) => name)).toEqual([
    "mapped",
    "assessed",
    "approved",
    "issued",
    "proved",
    "contained",
    "delivered and adopted",
    "drained",
    "disabled",
    "destroyed",
    "closed",
  ]);
});

describe("assessed", () => {
  const seen = look(begin(), 0);

  test("refuses before issue, and after it holds for a while and then turns round", () => {
    expect(ask("assessed", { ...seen, findings: [finding] }, 0)).toEqual({
      is: "refuse",
      reason: "Not now.",
    });
    const { state, now } = upTo("deliver");
    const blocked = look(state, now, { findings: [finding] });
    const until = now + policy.stallTimeoutMs;
    expect(ask("assessed", blocked, now)).toMatchObject({
      is: "wait",
      until,
      who: "whoever can mend it, or cancel",
    });
    expect(ask("assessed", blocked, until)).toEqual({ is: "stuck", reason: "Not now." });
    expect(ask("assessed", { ...blocked, blockedSince: null }, now + 10 * tick).is).toBe("stuck");
    expect(ask("assessed", { ...blocked, target: "old" }, until)).toEqual({ is: "pass" });
    const alarmed = fold(blocked, leak(now, ["old"]));
    expect(ask("assessed", alarmed, until)).toEqual({ is: "hold", reason: "Not now." });
  });

  test("I2: on the way back only what takes the ground away holds: another server, a foreign tag, somebody else's document", () => {
    const { state, now } = upTo("deliver");
    const back = { ...look(state, now), target: "old", blockedSince: now };
    const asked = (code: string, subject: string) =>
      ask("assessed", { ...back, findings: [{ ...finding, code, subject }] }, now).is;
    expect(asked("x", "main")).toBe("pass");
    expect(asked("changed-outside", "a")).toBe("pass");
    expect(asked("changed-outside", "main")).toBe("wait");
    expect(asked("wrong-server", "main")).toBe("wait");
    expect(asked("foreign-tag", "b")).toBe("wait");
  });

  test("waits for the window, an emergency and what has begun do not", () => {
    const closed = { ...seen, notBefore: 9 };
    expect(ask("assessed", closed, 0)).toMatchObject({ is: "wait", until: 9, who: "time, or an emergency" });
    expect(ask("assessed", closed, 9)).toEqual({ is: "pass" });
    expect(ask("assessed", fold(closed, leak(0, ["old"])), 0)).toEqual({ is: "pass" });
    expect(ask("assessed", { ...upTo("deliver").state, notBefore: 1e9 }, 0)).toEqual({ is: "pass" });
  });
});

describe("issued", () => {
  const withNew = (more: Partial<RotationState["versions"][string]>) =>
    begin({ versions: { old: originIn("a"), new: versionIn("b", "new", more) } });

  test("issues, enables again, or says that it cannot", () => {
    expect(ask("issued", begin(), 0)).toMatchObject({ step: { do: "issue", version: "new", slot: "b" } });
    expect(ask("issued", withNew({ issuer: "enabled" }), 0)).toEqual({ is: "pass" });
    expect(ask("issued", withNew({ issuer: "disabled" }), 0)).toMatchObject({ step: { do: "enable" } });
    expect(ask("issued", withNew({ issuer: "destroyed" }), 0)).toMatchObject({ is: "stuck" });
    expect(ask("issued", withNew({ leaked: true }), 0)).toMatchObject({ is: "hold" });
    const full = begin({ versions: { old: originIn("b"), new: versionIn("b", "new") } });
    expect(ask("issued", full, 0)).toMatchObject({ is: "stuck", reason: "No slot is free for new." });
  });

  test("H25: a leaked version makes room when nobody holds it, or when the emergency no longer waits", () => {
    const { state, now } = upTo("deliver");
    const undelivered = look(fold(state, leak(now, ["old", "new"])), now);
    expect(undelivered.target).toBe("third");
    expect(ask("issued", undelivered, now)).toMatchObject({ step: { do: "disable", version: "new" } });
    const given = { ...versionIn("b", "new"), ...undelivered.versions.new, delivered: true };
    const both = { ...undelivered, versions: { ...undelivered.versions, new: given } };
    expect(ask("issued", both, now)).toMatchObject({ step: { do: "disable", version: "new" } });
    const held = look(both, now, { observations: { app: on("new", "1") } });
    expect(ask("issued", held, now)).toMatchObject({
      is: "wait",
      who: "time, or a responder who revokes at once",
    });
    expect(ask("issued", held, now + policy.containmentDeadlineMs)).toMatchObject({
      step: { do: "disable" },
    });
    const off = {
      ...originIn("b"),
      id: "new",
      leaked: true,
      issuer: "disabled",
      life: "disabled",
      refused: true,
    } as const;
    expect(ask("issued", { ...held, versions: { ...held.versions, new: off } }, now)).toMatchObject({
      step: { do: "destroy", version: "new" },
    });
  });
});

describe("delivered", () => {
  const two = planFor({ own: ["app"], main: ["job"] });
  const start = (): RotationState => {
    const state = begin({ plan: two });
    const main = state.places.main;
    if (main === undefined) throw new Error("no main place");
    return { ...state, places: { main, own: main } };
  };
  const { state, now } = upTo("deliver", start());

  test("H1: wave after wave, the pinned canary first", () => {
    const { events } = walk(state, now);
    expect(told(events).filter((name) => name.startsWith("delivered"))).toHaveLength(2);
    expect(decide(state, now)).toMatchObject({ step: { do: "deliver", place: "own", consumers: ["app"] } });
  });

  test("H39: no wave starts from red; it waits, and then it turns round", () => {
    const sick = [{ instance: "1", version: "old", working: false }];
    const red = look(state, now, { observations: { app: sick, job: on("old", "1") } });
    const reason = "Consumer app was not working before its wave began.";
    expect(ask("delivered and adopted", red, now)).toMatchObject({
      is: "wait",
      for: `this to be mended: ${reason}`,
    });
    expect(ask("delivered and adopted", red, now + 10 * tick)).toEqual({ is: "stuck", reason });
  });

  test("a consumer that an amendment adds to a place that was told is told too", () => {
    const { state: later, now: at } = upTo("disable");
    const more = planFor({ main: ["app", "job", "late"] }, "more");
    const amended = look(later, at, {
      plan: more,
      observations: { app: on("new", "1"), job: on("new", "1"), late: on("old", "1") },
    });
    expect(ask("delivered and adopted", amended, at)).toMatchObject({
      step: { do: "deliver", place: "main", consumers: ["app", "job", "late"] },
    });
  });

  test("H29: delivery to a consumer that cannot be moved back leaves only the way forward", () => {
    const fixed = {
      ...two,
      consumers: two.consumers.map((one) => ({ ...one, reversible: one.id !== "job" })),
    };
    const { state: first, now: at } = upTo("deliver", { ...start(), plan: fixed });
    const deliver = (place: string, id: string, version = "new") =>
      fold(first, { type: "delivered", at, version, place, consumers: [id], change: 9, tag: "t" })
        .irreversible;
    expect([deliver("own", "app"), deliver("main", "job"), deliver("main", "job", "old")]).toEqual([
      false,
      true,
      false,
    ]);
  });
});

describe("disabled and destroyed", () => {
  const { state, now } = upTo("destroy");

  test("every other version soaks after its disable, and the copies go last", () => {
    expect(ask("disabled", state, now)).toEqual({ is: "pass" });
    const fresh = { ...state.versions.old, disabledAt: now } as NonNullable<typeof state.versions.old>;
    const soaking = { ...state, versions: { ...state.versions, old: fresh } };
    expect(ask("disabled", soaking, now)).toMatchObject({
      is: "wait",
      until: now + policy.disableSoakMs,
      who: "time",
    });
    const unproved = { ...soaking, versions: { ...soaking.versions, old: { ...fresh, refused: false } } };
    expect(ask("disabled", unproved, now)).toMatchObject({ step: { do: "disable", version: "old" } });
    const absent = { ...soaking, versions: { ...state.versions, old: versionIn("a", "old") } };
    expect(ask("disabled", absent, now)).toEqual({ is: "pass" });
    const half = {
      ...soaking,
      versions: { ...state.versions, old: { ...fresh, issuer: "destroyed" as const } },
    };
    expect(ask("destroyed", half, now)).toMatchObject({ step: { do: "destroy", version: "old" } });
  });

  test("H21: whoever reads the old version after it was switched off gets it back, while it is not destroyed", () => {
    const off = state.versions.old?.disabledAt ?? Number.NaN;
    const read = (at: number, more: Partial<RotationState> = {}) =>
      look({ ...state, ...more }, now + 1, { reads: { old: { at, by: "orders" } } });
    expect(decide(read(off + 1), now + 1)).toMatchObject({ kind: "do", step: { do: "turn", target: "old" } });
    expect(ask("disabled", read(off + 1), now + 1)).toMatchObject({
      is: "stuck",
      reason: expect.stringContaining("orders read version old after it was switched off"),
    });
    expect(ask("disabled", read(off), now + 1)).toEqual({ is: "pass" });
    const old = state.versions.old;
    if (old === undefined) throw new Error("there is no old version");
    for (const spared of [{ leaked: true }, { delivered: false }]) {
      const versions = { ...state.versions, old: { ...old, ...spared } };
      expect(ask("disabled", read(off + 1, { versions }), now + 1)).toEqual({ is: "pass" });
    }
  });
});

describe("H24: an emergency meets a rotation that is", () => {
  const alarm = (at: { state: RotationState; now: number }, more = {}) =>
    fold(at.state, leak(at.now, ["old"], more));

  test("waiting for approval: it goes on without", () => {
    const waiting = upTo("ask", begin({ policy: asking(1) }));
    expect(decide(alarm(waiting), waiting.now)).toMatchObject({ step: { do: "issue", version: "new" } });
  });

  test("issuing: the step is finished", () => {
    const issuing = upTo("issue");
    expect(decide(alarm(issuing), issuing.now)).toMatchObject({ step: { do: "issue", version: "new" } });
  });

  test("delivering: the rest is told in parallel, before anybody is waited for", () => {
    const main = begin().places.main;
    if (main === undefined) throw new Error("no main place");
    const start = begin({ plan: planFor({ own: ["app"], main: ["job"] }), places: { main, own: main } });
    const delivering = upTo("deliver", start);
    const names = told(walk(alarm(delivering), delivering.now).events);
    expect(names.slice(0, 3)).toEqual(["delivered new", "delivered new", "disabled old"]);
  });

  test("draining: the drain is capped at the deadline", () => {
    const { state, now } = upTo("disable");
    const used = look(state, now, { sessions: { old: 3 } });
    const capped = fold(used, leak(now, ["old"]));
    expect(ask("drained", capped, now).is).toBe("wait");
    expect(ask("drained", capped, now + policy.containmentDeadlineMs)).toEqual({ is: "pass" });
  });

  test("soaking after the disable: the soak is skipped", () => {
    const disabling = upTo("disable");
    const change = { change: 9, tag: "t", at: disabling.now };
    const soaking = fold(disabling.state, { type: "disabled", version: "old", ...change });
    expect(ask("disabled", soaking, disabling.now).is).toBe("wait");
    expect(ask("disabled", fold(soaking, leak(disabling.now, ["old"])), disabling.now)).toEqual({
      is: "pass",
    });
  });

  test("going back to the leaked version: it turns round", () => {
    const { state, now } = upTo("disable");
    const back = fold(state, { type: "cancelled", at: now, by: "ann", reason: "no" });
    expect(back.target).toBe("old");
    expect(alarm({ state: back, now })).toMatchObject({ target: "new", turned: null });
  });

  test("held or stuck: the hold is lifted, and a takeover looks at everything anew", () => {
    const { state, now } = upTo("prove");
    const held = fold(state, { type: "held", at: now, reason: "so" });
    expect(decide(alarm({ state: held, now }), now).kind).toBe("do");
    const taken = fold(held, { type: "adopted", at: now, epoch: 2, nonce: "n", openChange: null });
    expect(decide(alarm({ state: taken, now }), now)).toMatchObject({ step: { do: "seize" } });
  });

  test("closing: what it ended is gone, so the report changes nothing here", () => {
    const closing = upTo("close");
    expect(alarm(closing)).toBe(closing.state);
  });

  test("that revokes at once: right after the proof, or at once where the new one cannot be had", () => {
    const proving = upTo("prove");
    const { events } = walk(alarm(proving, { containment: "revoke-now" }), proving.now);
    expect(told(events).slice(0, 3)).toEqual(["proved new", "disabled old", "delivered new"]);
    const failed = fold(
      alarm(proving, { containment: "revoke-now" }),
      failure({ do: "prove", version: "new", slot: "b" }, 0),
    );
    expect(decide(failed, proving.now)).toMatchObject({ step: { do: "disable", version: "old" } });
  });
});

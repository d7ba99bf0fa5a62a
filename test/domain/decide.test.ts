/** What holds for every gate: doubt first, patience with failures, one turn and never two, and nobody left waiting for nobody. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { currentGate, decide, isContainment, mayAct, shown } from "../../domain/decide.js";
import type { RotationEvent } from "../../domain/rotation/events.js";
import { fold, foldAll } from "../../domain/rotation/fold.js";
import { legalExits } from "../../domain/rotation/moves.js";
import type { RotationState } from "../../domain/rotation/state.js";
import type { Step } from "../../domain/rotation/steps.js";
import { begin, policy, tick } from "./begin.js";
import { asking, type EventOf, failure, leak, look, success, told, upTo, walk } from "./walk.js";

const done = (step: Partial<Step>) => ({ kind: "do", step });
const proving = upTo("prove");
const prove: Step = { do: "prove", version: "new", slot: "b" };

describe("the walk", () => {
  test("goes through every gate in its order, and closes", () => {
    const { state, now, events } = walk(begin(), 0);
    expect(told(events)).toEqual([
      "issued new",
      "proved new",
      "delivered new",
      "disabled old",
      "destroyed old",
      "closed",
    ]);
    expect(decide(state, now)).toEqual({ kind: "done", outcome: "rotated" });
    expect([state.versions.old?.life, state.versions.new?.life]).toEqual(["destroyed", "active"]);
  });

  test("H2: goes back by the same gates", () => {
    const { state, now } = upTo("disable", begin(), "old");
    const cancelled = fold(state, { type: "cancelled", at: now, by: "ann", reason: "no" });
    const { state: end, events } = walk(cancelled, now);
    expect(told(events)).toEqual(["proved old", "delivered old", "disabled new", "destroyed new", "closed"]);
    expect(end.closed).toBe("went-back");
  });

  test("says for people at which gate it stands, and ends where no gate asks for more", () => {
    expect(currentGate(begin(), 0)).toBe("mapped");
    expect(currentGate(proving.state, proving.now)).toBe("proved");
    expect(decide(proving.state, proving.now, [])).toEqual({ kind: "done", outcome: "rotated" });
  });
});

describe("H3: what is not known is settled first", () => {
  test("all tags after a takeover, and only what is in doubt after a lost answer", () => {
    expect(decide({ ...begin(), seized: false }, 0)).toEqual(
      done({ do: "seize", slots: ["a", "b"], places: ["main"] }),
    );
    const { state, now } = upTo("issue");
    const issue: Step = { do: "issue", version: "new", slot: "b" };
    const lost = fold(state, failure(issue, now, { outcome: "unknown", change: 1, code: "unknown-outcome" }));
    expect(decide(lost, now)).toEqual(done({ do: "seize", slots: ["b"], places: [] }));
    const { state: other, now: later } = upTo("deliver");
    const deliver: Step = { do: "deliver", version: "new", place: "main", consumers: [] };
    const gone = fold(other, failure(deliver, later, { outcome: "unknown" }));
    expect(decide(gone, later)).toEqual(done({ do: "seize", slots: [], places: ["main"] }));
    const held = fold(lost, { type: "held", at: now, reason: "so" });
    expect(decide(held, now).kind).toBe("needs-operator");
  });

  test("fences that cannot be had hold the walk once something was made, and end it before", () => {
    const seize: Step = { do: "seize", slots: ["a", "b"], places: ["main"] };
    const never = failure(seize, proving.now, { again: false });
    expect(decide(fold({ ...proving.state, seized: false }, never), proving.now)).toMatchObject(
      done({ do: "hold" }),
    );
    expect(decide(fold({ ...begin(), seized: false }, never), proving.now)).toMatchObject(
      done({ do: "close", outcome: "refused" }),
    );
  });
});

describe("H17: a closed window or a freeze after issue", () => {
  const { state, now } = upTo("deliver");
  const frozen = { ...state, notBefore: now + 5 * tick };

  test("keeps back what leads on, with both valid, until it opens", () => {
    expect(decide(frozen, now)).toMatchObject({
      kind: "wait",
      until: now + 5 * tick,
      for: "the rotation window to open, to deliver",
      watch: true,
    });
    const step: Step = { do: "deliver", version: "new", place: "main", consumers: ["app"] };
    expect(mayAct(frozen, step, now)).toBe(false);
    expect(decide(look(frozen, now + 5 * tick), now + 5 * tick)).toMatchObject({ kind: "do" });
  });

  test("keeps nobody from going back, and no leak open", () => {
    const back = fold(frozen, { type: "cancelled", at: now, by: "ann", reason: "no" });
    expect(told(walk(back, now).events)).toContain("disabled new");
    const leaked = fold(frozen, leak(now, ["old"]));
    expect(decide(look(leaked, now), now)).toMatchObject(done({ do: "deliver" }));
  });
});

describe("a step that fails", () => {
  test("is paced also where it only records: a turn, a hold, an end", () => {
    const refused = { ...begin(), refused: "out of time" };
    const close = decide(refused, 0);
    if (close.kind !== "do") throw new Error("it does not close");
    const failed = fold(refused, failure(close.step, 0, { change: null }));
    expect(decide(failed, 0)).toMatchObject({ kind: "wait", until: policy.retryDelayMs });
    expect(decide(failed, policy.retryDelayMs)).toEqual(close);
  });

  test("is tried again after a pause that doubles, and the wait names who can end it", () => {
    let { state } = proving;
    const pauses = Array.from({ length: 9 }, () => {
      state = fold(state, failure(prove, proving.now));
      return (state.trouble?.retryAt ?? 0) - proving.now;
    });
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 64, 64].map((times) => times * policy.retryDelayMs));
    const once = fold(proving.state, failure(prove, proving.now));
    expect(decide(once, proving.now)).toEqual({
      kind: "wait",
      until: proving.now + tick,
      for: "The issuer does not answer.",
      who: "the system named there",
      watch: false,
    });
    expect(decide(once, proving.now + tick)).toEqual(done(prove));
  });

  test("turns the walk round once it has failed for long enough, or for good; never twice", () => {
    const late = proving.now + policy.stallTimeoutMs;
    const once = fold(proving.state, failure(prove, proving.now));
    expect(decide(once, late)).toMatchObject(done({ do: "turn", target: "old", slot: null }));
    const forGood = fold(proving.state, failure(prove, proving.now, { again: false }));
    const turn = decide(forGood, proving.now);
    if (turn.kind !== "do") throw new Error("no turn");
    const back = fold(forGood, success(forGood, turn.step, proving.now));
    expect(back).toMatchObject({ target: "old", trouble: null });
    const again = fold(back, failure({ ...prove, version: "old", slot: "a" }, proving.now, { again: false }));
    expect(decide(again, proving.now)).toMatchObject(done({ do: "hold" }));
  });

  test("H39: waiting for another rotation of the same consumers never exhausts", () => {
    const busy = fold(proving.state, failure(prove, 0, { code: "busy", again: false }));
    expect(decide(busy, proving.now + 1000 * policy.stallTimeoutMs)).toEqual(done(prove));
  });

  test.each(["audit-down", "audit-broken"])("H31: waiting for the audit log never exhausts (%s)", (code) => {
    const waits = fold(proving.state, failure(prove, 0, { code, again: false }));
    expect(decide(waits, proving.now + 1000 * policy.stallTimeoutMs)).toEqual(done(prove));
  });

  test("a copy that cannot be removed holds, and sends nobody to a third version", () => {
    const state = fold(begin({ freeSlots: ["c"] }), leak(0, ["old"]));
    const last = upTo("destroy", state);
    const destroy: Step = { do: "destroy", version: "old", slot: "a" };
    expect(decide(last.state, last.now)).toEqual(done(destroy));
    const refused = fold(last.state, failure(destroy, last.now, { code: "not-permitted", again: false }));
    const later = last.now + policy.retryDelayMs;
    expect(decide(refused, later)).toMatchObject(done({ do: "hold", reason: "The issuer does not answer." }));
    // Where the old one can be had again, it is gone back to.
    const clean = upTo("destroy");
    const back = fold(clean.state, failure(destroy, clean.now, { code: "not-permitted", again: false }));
    expect(decide(back, clean.now + policy.retryDelayMs)).toMatchObject(done({ do: "turn", target: "old" }));
  });

  test("H38: a decision that was refused holds, and does not turn", () => {
    const refused = fold(
      proving.state,
      failure(prove, proving.now, { code: "decision-refused", again: false }),
    );
    expect(decide(refused, proving.now)).toMatchObject(done({ do: "hold" }));
    const { state, now } = upTo("issue");
    const before = fold(
      state,
      failure({ ...prove, do: "issue" }, now, { code: "decision-refused", again: false }),
    );
    expect(decide(before, now)).toMatchObject(done({ do: "close", outcome: "refused" }));
  });
});

describe("H30: an operator", () => {
  const held = fold(proving.state, { type: "held", at: proving.now, reason: "so" });

  test("has a reason, exits that are legal now, and is called again when nobody answers", () => {
    const until = proving.now + policy.approval.reminderMs;
    expect(decide(held, proving.now)).toEqual({
      kind: "needs-operator",
      reason: "so",
      exits: ["retry", "back"],
      until,
    });
    expect(decide(held, until - 1).kind).toBe("needs-operator");
    expect(decide(held, until)).toEqual(done({ do: "hold", reason: "so" }));
    const again = fold(held, { type: "held", at: until, reason: "so" });
    expect(decide(again, until)).toMatchObject({
      kind: "needs-operator",
      until: until + policy.approval.reminderMs,
    });
  });

  test("is not waited for beyond the moment at which a leak is revoked", () => {
    const alarmed = fold(proving.state, leak(proving.now, ["old"], { containBy: proving.now + 5 }));
    const waiting = fold(alarmed, { type: "held", at: proving.now, reason: "so" });
    expect(decide(waiting, proving.now)).toMatchObject({ kind: "needs-operator", until: proving.now + 5 });
    expect(decide(waiting, proving.now + 5)).toEqual(done({ do: "disable", version: "old", slot: "a" }));
    const cut: Step = { do: "disable", version: "old", slot: "a" };
    const failed = fold(waiting, failure(cut, proving.now, { again: false }));
    expect(decide({ ...failed, operator: waiting.operator }, proving.now + 5).kind).toBe("needs-operator");
  });
});

test("H30: for people a held rotation is held, also while an operator is called again", () => {
  const waiting = fold(proving.state, { type: "held", at: proving.now, reason: "so" });
  const late = proving.now + waiting.policy.approval.reminderMs;
  expect(decide(waiting, late)).toEqual(done({ do: "hold", reason: "so" }));
  expect(shown(waiting, late)).toMatchObject({ kind: "needs-operator", reason: "so" });
  expect(shown(proving.state, proving.now)).toEqual(decide(proving.state, proving.now));
});

describe("I5, H24: a leak while the store is away", () => {
  const cut: Step = { do: "disable", version: "old", slot: "a" };
  const own: Step = { do: "seize", slots: ["a"], places: [] };
  const everything: Step = { do: "seize", slots: ["a", "b"], places: ["main"] };
  const { state: delivering, now } = upTo("deliver");
  const deliver: Step = { do: "deliver", version: "new", place: "main", consumers: ["app", "job"] };
  const later = now + 5;
  const unsure = fold(
    fold(delivering, leak(now, ["old"], { containBy: later })),
    failure(deliver, now, { outcome: "unknown", change: delivering.change + 1 }),
  );
  const unfenced = fold(fold(delivering, leak(now, ["old"], { containBy: later })), {
    type: "adopted",
    at: now,
    epoch: 2,
    nonce: "n",
    openChange: null,
  });

  test.each([
    ["an answer of the store was lost", unsure, { do: "seize", slots: [], places: ["main"] } as Step],
    ["it was taken over", unfenced, everything],
  ])("%s: the store is asked first, and the leak is revoked in time all the same", (_why, state, doubt) => {
    expect(decide(state, later)).toEqual(done(doubt));
    const failed = fold(state, failure(doubt, now, { outcome: "unknown", change: state.change + 1 }));
    expect(decide(failed, now)).toMatchObject({ kind: "wait", until: later });
    expect(decide(failed, later)).toEqual(done(cut));
    expect(mayAct(failed, cut, later)).toBe(true);
    const held = fold(failed, { type: "held", at: now, reason: "so" });
    expect(decide(held, now)).toMatchObject({ kind: "needs-operator", until: later });
    expect(decide(held, later)).toEqual(done(cut));
    const closed = fold(failed, success(failed, cut, later));
    expect(closed.seized).toBe(false);
    expect(decide(closed, later)).toEqual(done(everything));
  });

  test("what is lost about its own slot, or held off there, is settled there alone, and for a while only", () => {
    const failed = fold(unfenced, failure(everything, now, { outcome: "unknown" }));
    const lost = fold(failed, failure(cut, later, { outcome: "unknown", change: failed.change + 1 }));
    expect(decide(lost, later + tick)).toEqual(done(own));
    const fenced = fold(failed, failure(cut, later, { code: "fenced", again: false }));
    expect(decide(fenced, later)).toEqual(done(own));
    const event = success(fenced, own, later) as EventOf<"seized">;
    const settled = fold(fenced, { ...event, places: [] });
    expect(settled).toMatchObject({ seized: false, trouble: { step: "disable:old", again: true } });
    expect(decide(settled, later)).toEqual(done(cut));
    const stuck = later + policy.stallTimeoutMs;
    const again = fold(settled, failure(cut, stuck, { code: "unreachable" }));
    expect(decide(again, stuck)).toMatchObject(done({ do: "hold" }));
  });
});

describe("H24, H5: containment", () => {
  const revoke = { containment: "revoke-now" as const };
  const cut: Step = { do: "disable", version: "old", slot: "a" };

  test("skips the demand for fresh facts, which ordinary steps keep (H10)", () => {
    const proved = fold(proving.state, { type: "proved", at: proving.now, version: "new" });
    const state: RotationState = { ...fold(proved, leak(proving.now, ["old"], revoke)), stale: true };
    expect(decide(state, proving.now)).toEqual(done(cut));
    expect(isContainment(state, cut, proving.now)).toBe(true);
    expect(mayAct(state, cut, proving.now)).toBe(true);
    const { state: plain, now } = upTo("deliver");
    const decision = decide(plain, now);
    if (decision.kind !== "do") throw new Error("nothing to do");
    expect(mayAct(plain, decision.step, now)).toBe(false);
    expect(mayAct(look(plain, now), decision.step, now)).toBe(true);
    expect(mayAct(plain, cut, now)).toBe(false);
  });

  test("goes first where nothing brings a clean version nearer, and holds when it cannot be done", () => {
    const state = fold(proving.state, leak(proving.now, ["old"], revoke));
    expect(decide(state, proving.now)).toEqual(done(prove));
    const failing = fold(state, failure(prove, proving.now));
    expect(decide(failing, proving.now)).toEqual(done(cut));
    const stuck = fold(state, failure(cut, proving.now, { again: false }));
    expect(decide(stuck, proving.now)).toMatchObject(done({ do: "hold" }));
  });
});

test("a cancellation before issue ends it, and a refusal where a leak is open does not", () => {
  const { state, now } = upTo("issue");
  const refused = fold(state, { type: "cancelled", at: now, by: "ann", reason: "no" });
  expect(decide(refused, now)).toEqual(done({ do: "close", outcome: "refused", reason: "cancelled: no" }));
});

describe("every sequence of events", () => {
  /** Numbers choose what happens next: mostly what was decided, and else a failure, a message, a blind look or a leak. */
  function run(choices: readonly number[]) {
    const start = begin({ policy: asking(0), freeSlots: ["c"] });
    let state = start;
    let now = 0;
    const events: RotationEvent[] = [];
    const check: (readonly [RotationState, number])[] = [];
    for (const choice of choices) {
      check.push([state, now]);
      const decision = decide(state, now);
      const step: Step = decision.kind === "do" ? decision.step : { do: "survey" };
      if (decision.kind === "done") break;
      if (decision.kind !== "do") now += tick / 2;
      const { type, ...rest } = leak(now, [["old"], ["new"], ["old", "new"]][choice % 3] ?? []);
      const messages: readonly RotationEvent[] = [
        failure(step, now),
        failure(step, now, { again: false, outcome: "unknown", change: state.change + 1 }),
        { type: "cancelled", at: now, by: "ann", reason: "no" },
        { type, ...rest },
        { type: "resumed", at: now, exit: legalExits(state).at(-1) ?? "retry", by: "ann" },
        { type: "held", at: now, reason: "so" },
        {
          type: "adopted",
          at: now,
          epoch: state.epoch + 1,
          nonce: "n",
          openChange: step,
          lastChange: state.change,
        },
      ];
      const event = messages[choice] ?? success(state, step, now);
      events.push(event);
      state = fold(state, event);
    }
    return { start, state, events, check };
  }
  const choices = fc.array(fc.nat({ max: 30 }), { maxLength: 60 });

  test("decide never throws, gives the same answer twice, and leaves nobody waiting for nobody", () => {
    fc.assert(
      fc.property(choices, (list) => {
        for (const [state, now] of run(list).check) {
          const decision = decide(state, now);
          expect(decide(JSON.parse(JSON.stringify(state)), now)).toEqual(decision);
          if (decision.kind === "wait") {
            expect(decision.who).not.toBe("");
            expect(decision.until ?? 0).toBeGreaterThan(now);
          }
          if (decision.kind === "needs-operator") expect(decision.exits).toEqual(legalExits(state));
        }
      }),
    );
  });

  test("the fold of the records is what the loop has", () => {
    fc.assert(
      fc.property(choices, (list) => {
        const { start, state, events } = run(list);
        expect(foldAll(start, JSON.parse(JSON.stringify(events)))).toEqual(state);
      }),
    );
  });

  test("a version that has ended never comes back, and changes only count up", () => {
    fc.assert(
      fc.property(choices, (list) => {
        const { check } = run(list);
        check.slice(1).forEach(([state], index) => {
          const before = check[index]?.[0] ?? state;
          expect(state.change).toBeGreaterThanOrEqual(before.change);
          for (const { id, life } of Object.values(before.versions)) {
            if (life === "destroyed" || life === "abandoned") expect(state.versions[id]?.life).toBe(life);
          }
        });
      }),
    );
  });
});

test("what stands in the way ends it before issue, and turns it round when it stays so after", () => {
  const findings = [{ code: "x", severity: "refuse" as const, sentence: "Not now." }];
  const reason = "Not now.";
  expect(decide(look(begin(), 0, { findings }), 0)).toEqual(
    done({ do: "close", outcome: "refused", reason }),
  );
  const late = proving.now + policy.stallTimeoutMs;
  const blocked = look(look(proving.state, proving.now, { findings }), late, { findings });
  expect(decide(blocked, late)).toEqual(done({ do: "turn", target: "old", slot: null, reason }));
});

test("H21: a look that is blind does not end a walk", () => {
  const { state, now } = upTo("disable");
  expect(decide(look(state, now, { watermarkSeen: false, sessions: {} }), now).kind).not.toBe("done");
});

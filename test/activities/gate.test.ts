/**
 * The gate asks the map: a source whose word is too old, or not whole, refuses a rotation by its name where the policy says so, and
 * passes only while somebody answers for that. By the real records, the real dry run and the real look, with a clock of the test's.
 */
import { expect, test } from "vitest";
import { foldLook } from "../../activities/plans.js";
import { preview } from "../../activities/preview.js";
import { survey } from "../../activities/survey.js";
import { surveyorFor } from "../../activities/surveyor.js";
import type { Claim, ScanPart } from "../../domain/discovery/said.js";
import type { CredentialException, Policy } from "../../domain/estate/types.js";
import { gates } from "../../domain/gates.js";
import type { RotationState } from "../../domain/rotation/state.js";
import { applyEstate, entryNamed } from "../../inventory/estate.js";
import { settingsDigest } from "../../inventory/source-settings.js";
import { rulesOf } from "../../worker/systems.js";
import { day, look, shapes } from "../inventory/readings.js";
import { newId, policy, sampleEstate, t0 } from "../inventory/world.js";
import { calling } from "../support/engine.js";
import { openDesk } from "./desk.js";

const sessions = { kind: "fake", owner: "payments", issuer: "main-db" };
const week = 7 * day;

/** What the map says at the gate. The desk has no servers, and what it lacks of those is not in question here. */
const ofTheMap = ["stale-evidence", "incomplete-evidence", "unmapped-reader", "potential-reader"];

/** A desk whose estate has a source of the credential's sessions that was read to its end at `t0`. */
async function gated(
  rules: Partial<Policy>,
  said: { claims?: readonly Claim[]; more?: Partial<ScanPart> } = {},
) {
  const desk = await openDesk();
  const { db } = desk.fresh;
  const ours: Policy = { ...policy, evidenceMaxAgeMs: week, exceptionMaxMs: 4 * week, ...rules };
  const before = sampleEstate();
  const { owners } = (await desk.deps.systems(desk.credential)).estate;
  const estateWith = (exceptions: readonly CredentialException[]) =>
    ({
      ...{ ...before, owners, policies: { standard: ours }, sources: { sessions } },
      credentials: {
        ...before.credentials,
        "orders-db": { ...before.credentials["orders-db"], consumers: [], exceptions },
      },
    }) as ReturnType<typeof sampleEstate>;
  let estate = estateWith([]);
  const apply = async (...exceptions: readonly CredentialException[]) => {
    estate = estateWith(exceptions);
    await applyEstate(db, {
      ...{ estate, digest: newId("d"), by: "platform", now: t0 - 2 * policy.cooldownMs, newId, shapes },
    });
  };
  await apply();
  const { id: source, body } = await entryNamed(db, "sources", "sessions");
  const read = (at: number) =>
    look(db, said.claims ?? [], {
      at,
      source,
      settings: settingsDigest(body),
      ...(said.more ? { more: said.more } : {}),
    });
  await read(t0);
  const systems: typeof desk.deps.systems = async (id) => {
    const known = await desk.deps.systems(id);
    const main = { ...known.stores.main, staged: async () => null };
    return { ...known, estate, policy: ours, rules: rulesOf(ours), stores: { main } };
  };
  const deps = { ...desk.deps, shapes, systems };
  return {
    ...desk,
    apply,
    read,
    /** What the dry run finds of that code. */
    dry: (code: string) =>
      desk.run(async () =>
        (await preview(deps, { credential: desk.credential })).findings.filter((one) => one.code === code),
      ),
    /** What the gate *assessed* says of a rotation in that state, after one more look. */
    gate: (state: RotationState) =>
      desk.run(async () => {
        const surveyor = await surveyorFor(deps, await systems(desk.credential), state, {
          requestedBy: "eve",
        } as never);
        const { state: seen } = await foldLook(deps, state, await survey(surveyor, state, calling()));
        const findings = seen.findings.filter(({ code }) => ofTheMap.includes(code));
        return gates.find(({ name }) => name === "assessed")?.check({ ...seen, findings }, desk.clock.now);
      }),
  };
}

const until = (ms: number) => new Date(ms).toISOString();
const answered = (finding: CredentialException["finding"], end: number): CredentialException => ({
  ...{
    finding,
    about: "sessions",
    owner: "payments",
    reason: "Its server moves this week.",
    until: until(end),
  },
});

/** The same rotation, with its new version made: nothing can end unchanged any more. */
function issued(state: RotationState): RotationState {
  const { [state.target]: target } = state.versions;
  if (target === undefined) throw new Error("no such version");
  return { ...state, versions: { ...state.versions, [state.target]: { ...target, issuer: "enabled" } } };
}

const tooOld =
  "The source sessions was read to its end on 2026-03-01 09:00 UTC; the policy asks for every 7d.";
const answers = "payments answers for it until 2026-03-15: Its server moves this week.";

test("a source that was not read for too long refuses by its name, until it is read again or somebody answers for it", async () => {
  const { clock, dry, gate, read, apply, state } = await gated({ unmappedReaders: "refuse" });
  clock.now = t0 + week;
  expect([await dry("stale-evidence"), await gate(state)]).toEqual([[], { is: "pass" }]);

  clock.now += 1;
  expect(await dry("stale-evidence")).toMatchObject([
    { severity: "refuse", subject: "sessions", sentence: tooOld, hint: "Run `rekey discover sessions`." },
  ]);
  expect(await gate(state)).toEqual({ is: "refuse", reason: tooOld });

  await apply(answered("stale-evidence", t0 + 2 * week));
  const excepted = [{ severity: "warn", subject: "sessions", sentence: `${tooOld} ${answers}` }];
  expect(await dry("stale-evidence")).toMatchObject(excepted);
  expect(await gate(state)).toEqual({ is: "pass" });

  await apply();
  await read(clock.now);
  expect([await dry("stale-evidence"), await gate(state)]).toEqual([[], { is: "pass" }]);
});

test("only a policy that refuses whom it does not know refuses for it, and a looser one is none for what was begun", async () => {
  const { clock, dry, gate, state } = await gated({ unmappedReaders: "warn" });
  clock.now = t0 + week + 1;
  expect(await dry("stale-evidence")).toMatchObject([{ severity: "warn", sentence: tooOld }]);
  const loose = { ...state, policy: { ...state.policy, unmappedReaders: "warn" as const } };
  expect(await gate(loose)).toEqual({ is: "pass" });
  expect(await gate(state)).toEqual({ is: "refuse", reason: tooOld });
});

test("what was missing in a reading refuses where blind spots do, and an exception to something else is none to it", async () => {
  const gap = "The standby was away.";
  const blind = await gated({ blindSpots: "refuse" }, { more: { gaps: [gap] } });
  blind.clock.now = t0 + 1;
  const missing = `The source sessions did not see all: ${gap}`;
  expect(await blind.dry("incomplete-evidence")).toMatchObject([
    { severity: "refuse", subject: "sessions", sentence: missing },
  ]);
  expect(await blind.gate(blind.state)).toEqual({ is: "refuse", reason: missing });
  await blind.apply(answered("stale-evidence", t0 + 2 * week));
  expect(await blind.gate(blind.state)).toEqual({ is: "refuse", reason: missing });
  await blind.apply(answered("incomplete-evidence", t0 + 2 * week));
  expect(await blind.gate(blind.state)).toEqual({ is: "pass" });
});

test("an exception whose day passes during a rotation holds it from then on, with both versions as they are, until it is read", async () => {
  const { clock, gate, read, apply, state } = await gated({ unmappedReaders: "refuse" });
  const under = issued(state);
  clock.now = t0 + week + 1;
  await apply(answered("stale-evidence", t0 + 2 * week));
  expect(await gate(under)).toEqual({ is: "pass" });
  clock.now = t0 + 2 * week - 1;
  expect(await gate(under)).toEqual({ is: "pass" });

  clock.now = t0 + 2 * week;
  const reason = `${tooOld} The exception that payments answered for ended on 2026-03-15.`;
  expect(await gate(under)).toEqual({
    ...{ is: "wait", until: clock.now + policy.stallTimeoutMs, for: `this to be mended: ${reason}` },
    ...{ who: "whoever can mend it, or cancel", watch: true },
  });
  await read(clock.now);
  expect(await gate(under)).toEqual({ is: "pass" });
});

test("who could read it and is no declared consumer is named and stands in nobody's way; who did read it does", async () => {
  const reader = (name: string): Claim["from"] => ({ is: "reader", name, traits: { applicationName: name } });
  const seen = { first: t0, last: t0, count: 1 };
  const to = { is: "named", type: "credential", name: "orders-db" } as const;
  const could: Claim = {
    ...{ record: "rights", from: reader("night-shift"), type: "can-read", to, known: "potential", seen },
    sentence: "A role lets it.",
  };
  const weak = await gated({ unmappedReaders: "refuse", blindSpots: "refuse" }, { claims: [could] });
  weak.clock.now = t0 + 1;
  expect(await weak.dry("potential-reader")).toMatchObject([
    {
      severity: "warn",
      subject: "night-shift",
      sentence: expect.stringContaining("night-shift could read it"),
    },
  ]);
  expect(await weak.dry("unmapped-reader")).toEqual([]);
  expect(await weak.gate(weak.state)).toEqual({ is: "pass" });

  const used: Claim = { ...could, type: "uses", known: "session", sentence: "It is connected." };
  const strong = await gated({ unmappedReaders: "refuse" }, { claims: [used] });
  expect(await strong.gate(strong.state)).toMatchObject({
    ...{ is: "refuse", reason: expect.stringContaining("night-shift uses it and is no declared consumer") },
  });
});

test("C7: whoever has a name of any length, or one that cannot be kept, is a reader, by a name that an exception can be about", async () => {
  const seen = { first: t0, last: t0, count: 1 };
  const to = { is: "named", type: "credential", name: "orders-db" } as const;
  const called = (name: string): Claim => ({
    ...{
      record: "log",
      from: { is: "reader", name, traits: { applicationName: name } },
      type: "uses",
      to,
      seen,
    },
    ...{ known: "read", sentence: `${name} read it.` },
  });
  const long = ["token of night-shift ".padEnd(2_100, "x"), "token of night-shift ".padEnd(2_101, "x")];
  const { clock, dry, gate, state, apply } = await gated(
    { unmappedReaders: "refuse" },
    { claims: [...long, "a\0b\ud800"].map(called) },
  );
  clock.now = t0 + 1;
  expect(await dry("incomplete-evidence")).toEqual([]);
  const readers = await dry("unmapped-reader");
  expect(readers.map(({ severity, subject = "" }) => [severity, subject.slice(0, 20)]).sort()).toEqual([
    ["refuse", "a\ufffdb\ufffd"],
    ["refuse", "token of night-shift"],
    ["refuse", "token of night-shift"],
  ]);
  for (const { subject = "", sentence } of readers) {
    expect(subject.length).toBeLessThanOrEqual(400);
    expect(sentence.length).toBeLessThan(1_000);
  }
  expect(await gate(state)).toMatchObject({ is: "refuse" });
  const about = readers.map(({ subject = "" }) => ({
    ...answered("unmapped-reader", t0 + week),
    about: subject,
  }));
  await apply(...about.slice(1));
  expect(await gate(state)).toMatchObject({ is: "refuse" });
  await apply(...about);
  expect(await gate(state)).toEqual({ is: "pass" });
});

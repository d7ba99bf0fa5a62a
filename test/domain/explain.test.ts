/** What is explained is what the rule would do: asked of states of every sort, and compared with `decide` where that can be. */
import { expect, test } from "vitest";
import { decide, shown } from "../../domain/decide.js";
import { type Case, type Explained, explain } from "../../domain/explain.js";
import { ago } from "../../domain/explain-facts.js";
import type { RotationState } from "../../domain/rotation/state.js";
import { begin, originIn, planFor, policy, tick, versionIn } from "./begin.js";

const plan = planFor({ main: ["web", "batch"] });
const now = 10 * tick;
const patient = { ...policy, adoptionTimeoutMs: 60 * tick, observationMaxAgeMs: 5 * tick };

function told(state: RotationState, more: Partial<Case> = {}): Record<string, string> {
  const one: Case = {
    recorded: state,
    told: state,
    workflow: { id: "rotate/cred", standing: "live" },
    openChange: null,
    last: null,
    ways: {},
    credential: "orders-db",
    now,
    ...more,
  };
  const sides: readonly Explained[] = explain(one);
  return Object.fromEntries(sides.map(({ about, sentences }) => [about, sentences.join("\n")]));
}

const seen = (instance: string, version: string | null, more: object = {}) => ({
  at: now - 2 * tick,
  instances: [{ instance, version, working: true, ...more }],
  stable: 2,
  since: version === "new" ? now - 3 * tick : null,
  lostAt: null,
});

/** Delivered to both; one of them lags behind. */
function moving(more: Partial<RotationState> = {}): RotationState {
  return begin({
    policy: patient,
    plan,
    surveyedAt: now - 2 * tick,
    changedAt: now - 4 * tick,
    versions: {
      old: originIn("a"),
      new: versionIn("b", "new", { life: "delivered", issuer: "enabled", proved: true, delivered: true }),
    },
    places: {
      main: {
        tag: "",
        liveVersion: "new",
        told: "new",
        toldTo: ["web", "batch"],
        toldAt: now - 4 * tick,
        unknown: false,
      },
    },
    consumers: { web: seen("web-1", "new"), batch: seen("batch-1", "old") },
    uses: { old: { quietSince: null, watermarkAt: now - 2 * tick, sessions: 3 } },
    ...more,
  });
}

test("a wait is told with its gate, its facts and their ages, and with what comes of it", () => {
  const state = moving();
  const sides = told(state, { ways: { batch: ["http-attest", "postgres-sessions"] } });
  expect(sides["where it is"]).toContain("gate 7 of 11, delivered and adopted, which asks: Wave after wave");
  expect(sides["where it is"]).toContain("It leads from version old to version new.");
  expect(sides["where it is"]).toContain("Consumer batch: instance batch-1 is on version old.");
  expect(sides["what is known"]).toContain("looked at issuer, store and consumers 2 s ago, under epoch 1.");
  expect(sides["what is known"]).toContain("batch was given version new 4 s ago.");
  expect(sides["what is known"]).toContain(
    "batch, seen 2 s ago by http-attest and postgres-sessions: batch-1 is on version old.",
  );
  expect(sides["what is known"]).toContain("web, seen 2 s ago: web-1 is on version new.");
  expect(sides["what is known"]).toContain("All of it works on the target since 3 s.");
  expect(sides["what is known"]).toContain(
    "Version old was in use at the last look at the issuer, 2 s ago: 3 sessions.",
  );
  expect(sides["what happens next"]).toContain("Who can bring it about: the owner of batch.");
  // The very answer of the rule at that time, with a world in which nothing has changed.
  const until = now - 4 * tick + patient.adoptionTimeoutMs;
  expect(decide(state, now)).toMatchObject({ kind: "wait", until });
  expect(sides["what happens next"]).toContain("If nothing changes, in 56 s: it turns to version old.");
  expect(sides["who can do what"]).toContain("`rekey cancel orders-db`");
  expect(sides.records).toBe(
    "The records have epoch 1 and 0 changes. The workflow rotate/cred says the same.",
  );
});

test.each([
  [{ surveyedAt: null }, "have not been looked at yet"],
  [{ surveyedAt: now - 2 * tick, stale: true }, "that was before the last change"],
  [{ surveyedAt: now - 9 * tick }, "a step relies on nothing older than 5 s"],
  [{ surveyedAt: now }, "just now, under epoch 1."],
])("how far a look may be relied on: %o", (more, sentence) => {
  expect(told(moving(more))["what is known"]).toContain(sentence);
});

test("findings, signatures, uses, leaks, switches and failures are told with who and when", () => {
  const leaky = versionIn("c", "third", {
    life: "disabled",
    issuer: "disabled",
    disabledAt: now - tick,
    leaked: true,
  });
  const known = told(
    moving({
      findings: [
        { code: "unmapped-reader", severity: "refuse", sentence: "psql reads it." },
        { code: "memory-unknown", severity: "warn", sentence: "Not in the way." },
      ],
      amendments: [{ ...plan, digest: "more", madeAt: now - tick }],
      askedAt: now - 6 * tick,
      decisions: [
        { person: "ann", verdict: "approve", issuedAt: now - 5 * tick, expiresAt: now + tick },
        { person: "ben", verdict: "approve", issuedAt: now - 5 * tick, expiresAt: now - tick },
        { person: "cy", verdict: "reject", issuedAt: now - 3 * tick, expiresAt: now + tick },
        { person: "dan", verdict: "approve", issuedAt: now, expiresAt: now + tick, digest: "another" },
      ].map((one) => ({ id: one.person, digest: plan.digest, owners: ["owner"], ...one })) as never,
      versions: {
        ...moving().versions,
        third: leaky,
        fourth: { ...leaky, id: "fourth", refused: true, leaked: false },
      },
      uses: {
        old: {
          ...{ quietSince: now - 3 * tick, watermarkAt: now - tick, sessions: 0 },
          read: { at: now - 3 * tick, by: "orders" },
        },
        third: { quietSince: null, watermarkAt: null, sessions: 0 },
      },
      consumers: {
        web: { ...seen("web-1", null), instances: [] },
        batch: seen("batch-1", null, { accepts: ["old", "new"], working: false }),
      },
      trouble: {
        step: "disable:old",
        code: "proof-failed",
        sentence: "Node 2 let it in.",
        since: now - 4 * tick,
        attempts: 3,
        retryAt: now + tick,
        again: true,
      },
    }),
  )["what is known"];
  for (const sentence of [
    "In the way (unmapped-reader): psql reads it.",
    "It was added to 1 s ago.",
    "The owners were asked 6 s ago.",
    "ann signed that they agree 5 s ago; that holds for another 1 s.",
    "ben signed that they agree 5 s ago; that expired 1 s ago.",
    "cy signed that they refuse 3 s ago.",
    "No instance of web has been seen 2 s ago.",
    "batch-1 accepts old and new and was not seen to work.",
    "orders read version old 3 s ago, after another one was live in its place.",
    "Nobody was seen to use version old since 3 s; the engine saw its own mark in that listing 1 s ago.",
    "Whether version third is in use is not known",
    "Version third counts as leaked.",
    "Version third was switched off 1 s ago; not every node was seen to refuse it.",
    "Version fourth was switched off 1 s ago; every node refused it then.",
    "The step disable of version old has failed 3 times since 4 s (proof-failed): Node 2 let it in.",
  ]) {
    expect(known).toContain(sentence);
  }
  expect(known).not.toContain("Not in the way.");
  expect(known).not.toContain("dan");
});

test("who holds or accepts nothing that is known, and who was never looked at, is told as that", () => {
  const known = told(moving({ consumers: { batch: seen("batch-1", null, { accepts: [] }) } }))[
    "what is known"
  ];
  expect(known).toContain("No instance of web has been seen.");
  expect(known).toContain("batch-1 accepts none of the versions.");
  const silent = told(moving({ consumers: { batch: seen("batch-1", null) } }))["what is known"];
  expect(silent).toContain("batch-1 does not say which version it holds.");
});

test("H30: of an operator exactly the exits are offered that the rule says are legal", () => {
  const state = moving({ operator: { since: now - tick, reason: "Nobody moves" } });
  const decision = shown(state, now);
  const sides = told(state);
  expect(sides["where it is"]).toContain("It waits for an operator: Nobody moves.");
  expect(decision.kind === "needs-operator" && decision.exits).toEqual(["retry", "back"]);
  expect(sides["who can do what"]).toBe(
    "An operator: `rekey resume orders-db --exit retry` tries the same way again.\n" +
      "An operator: `rekey resume orders-db --exit back` goes back to the version before.",
  );
});

test("directions: back, turned, emergency, past the point of no return", () => {
  expect(told(moving({ target: "old" }))["where it is"]).toContain("It is going back to version old.");
  const turned = moving({ target: "old", turned: { at: now - tick, reason: "Batch did not move." } });
  expect(told(turned)["where it is"]).toContain(
    "It was turned towards version old 1 s ago: Batch did not move.",
  );
  expect(told(turned)["who can do what"]).not.toContain("rekey cancel");
  const emergency = {
    reason: "In a public log.",
    containment: "after-adoption" as const,
    startedAt: now - tick,
    containBy: now + 60 * tick,
    signOffBy: now + 90 * tick,
    responders: ["rae", "rob"],
  };
  const urgent = told(moving({ emergency }));
  expect(urgent["where it is"]).toContain(
    "It is an emergency since 1 s, reported by rae and rob: In a public log. It leads to version new.",
  );
  expect(urgent["who can do what"]).toContain("`rekey sign-off orders-db`");
  expect(told(moving({ irreversible: true }))["where it is"]).toContain(
    "The point of no return is behind it",
  );
});

test("what is waited for without an end, and what is not waited for at all", () => {
  const asked = told(
    begin({
      plan,
      policy: { ...patient, approval: { quorum: 1, deadlineMs: 60 * tick, reminderMs: 30 * tick } },
      surveyedAt: now,
      asked: [plan.digest],
      askedAt: now - tick,
    }),
  );
  expect(asked["what happens next"]).toContain("in 29 s: the owners are reminded.");
  expect(asked["who can do what"]).toContain("Whoever speaks for owner: `rekey approve orders-db`");
  const next = told(begin({ plan, surveyedAt: now }));
  expect(next["where it is"]).toContain("Its next step is to issue.");
  expect(next["what happens next"]).toBe("It goes on by itself; nobody is waited for.");
  const unseen = told(begin());
  expect(unseen["what is known"]).toBe("Issuer, store and consumers have not been looked at yet.");
});

test.each([
  [{ approval: { quorum: 1, deadlineMs: 2 * tick, reminderMs: 60 * tick } }, "it ends as refused."],
  [{ approval: { quorum: 1, deadlineMs: 60 * tick, reminderMs: 60 * tick } }, "it ends as refused."],
])("a deadline before anything was issued ends it: %o", (more, sentence) => {
  const state = begin({
    plan,
    policy: { ...patient, ...more },
    surveyedAt: now,
    asked: [plan.digest],
    askedAt: now - tick,
    remindedAt: now - tick,
  });
  expect(told(state)["what happens next"]).toContain(sentence);
});

test("a wait that ends well says what it goes on with", () => {
  const done = (more: Partial<RotationState>) =>
    told(moving({ consumers: { web: seen("web-1", "new"), batch: seen("batch-1", "new") }, ...more }));
  const soaking = done({ policy: { ...patient, adoptionSoakMs: 5 * tick, drainTimeoutMs: 90 * tick } });
  expect(soaking["what happens next"]).toMatch(
    /in 2 s: it goes on and waits for nobody to have used version old/,
  );
  const quiet = done({
    policy: { ...patient, quietPeriodMs: 8 * tick },
    uses: { old: { quietSince: now - 4 * tick, watermarkAt: now - 2 * tick, sessions: 0 } },
  });
  expect(quiet["what happens next"]).toContain("in 4 s: the next step is to disable.");
  const called = moving({
    target: "old",
    turned: { at: now - 3 * tick, reason: "so" },
    versions: { ...moving().versions, old: { ...originIn("a"), proved: true } },
    places: {
      main: {
        tag: "",
        liveVersion: "old",
        told: "old",
        toldTo: ["web", "batch"],
        toldAt: now,
        unknown: false,
      },
    },
  });
  expect(told(called)["what happens next"]).toContain("an operator is called. Consumer web");
});

test.each([
  ["rotated", "the old version is destroyed"],
  ["went-back", "It has ended where it began"],
  ["refused", "before anything was changed"],
] as const)("an end is told as %s", (closed, sentence) => {
  const sides = told(moving({ closed }), { last: { at: now - 2 * tick, sentence: "Closed." } });
  expect(sides["where it is"]).toContain(sentence);
  expect(sides.last).toBe("2 s ago: Closed.");
  expect(Object.keys(sides)).toEqual(["where it is", "last", "records"]);
});

test("what the records say against what Temporal says", () => {
  const state = moving();
  const openChange = {
    change: 4,
    step: { do: "disable", version: "old", slot: "a" } as const,
    at: now - tick,
  };
  const gone = told(state, { told: null, workflow: { id: "rotate/cred", standing: "gone" }, openChange });
  expect(gone["what happens next"]).toContain("Nothing happens by itself now");
  expect(gone.records).toContain("Temporal has no running workflow rotate/cred.");
  expect(gone.records).toContain("Change 4 (disable) was begun 1 s ago and its end is not recorded");
  const lost = told(begin({ plan, surveyedAt: now }), {
    told: null,
    workflow: { id: "w", standing: "gone" },
  });
  expect(lost["what happens next"]).toBe(
    "Nothing happens by itself now: its workflow has ended. `rekey adopt-rotation orders-db` takes it up where it is.",
  );
  const silent = told(state, { told: null, workflow: { id: "rotate/cred", standing: "silent" } });
  expect(silent.records).toContain("did not answer, so the above is what the records say");
  const other = told(state, { told: { ...state, epoch: 7, change: 2, surveyedAt: null } });
  expect(other.records).toContain("says otherwise: rotation rot, epoch 7, 2 changes");
  // The facts of another epoch are not taken for this one's.
  expect(other["what is known"]).toContain("2 s ago, under epoch 1.");
});

test("an age is never negative, and never more exact than anybody reads", () => {
  expect([ago(now + tick, now), ago(now - 999, now), ago(now - 61_500, now)]).toEqual([
    "just now",
    "just now",
    "1 min 1 s ago",
  ]);
});

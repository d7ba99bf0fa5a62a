/** What a signature on an adoption stands for, how signatures are counted, and where an adoption stands for it (H7, H37, H38). */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AdoptionPlan,
  type AdoptionRecord,
  adoptionDigest,
  adoptionPlanOf,
  adoptionStanding,
  asksAlike,
  covers,
  isSameWork,
  type SignedAdoption,
  stepsInOrder,
} from "../../domain/adopt-plan.js";
import type { DecisionRecord } from "../../domain/rotation/state.js";

const sha256Hex = (text: string) => createHash("sha256").update(text).digest("hex");
const now = 1_000_000;

const step = (id: string, by: "administrator" | "engine" = "administrator") => ({
  id,
  by,
  sentence: `Do ${id}.`,
  run: by === "engine" ? "" : `run ${id}`,
  undoSentence: `Undo ${id}.`,
  undo: by === "engine" ? "" : `undo ${id}`,
});

const input: Omit<AdoptionPlan, "form" | "doesNot"> = {
  installation: "here",
  adoption: "adp_1",
  nonce: "run_1",
  credential: "crd_1",
  identity: "kind/1/marker/db",
  account: { group: "orders", logins: ["orders_a", "orders_b"] },
  direction: "adopt",
  steps: [step("logins"), step("move", "engine"), step("former-off")],
  approval: { quorum: 1, approvers: ["team", "ann", "team"], deadlineMs: 1_000 },
};

const plan = adoptionPlanOf(input);
const digest = adoptionDigest(plan, sha256Hex);

let ids = 0;
function said(person: string, more: Partial<DecisionRecord> = {}): DecisionRecord {
  ids += 1;
  const times = { issuedAt: now + ids, expiresAt: now + 5_000 };
  return { id: `doc_${ids}`, person, digest, verdict: "approve", owners: ["team"], ...times, ...more };
}

const signed = (...decisions: DecisionRecord[]): SignedAdoption => ({
  plan,
  digest,
  askedAt: now,
  decisions,
});

function record(more: Partial<AdoptionRecord> = {}): AdoptionRecord {
  return {
    ...signed(),
    id: "adp_1",
    credential: "crd_1",
    requestedBy: "bob",
    reason: "first",
    openedAt: now,
    begunAt: null,
    workingSince: null,
    closedAt: null,
    outcome: null,
    closingReason: null,
    done: [],
    cover: null,
    ...more,
  };
}

describe("the plan", () => {
  it("says what it leaves alone in either direction, and asks each owner once", () => {
    expect(plan.approval.approvers).toEqual(["ann", "team"]);
    const back = adoptionPlanOf({ ...input, direction: "undo" });
    expect(plan.doesNot.length).toBeGreaterThan(0);
    expect(back.doesNot).not.toEqual(plan.doesNot);
  });

  it("H7: its digest is bound to everything in it, down to a statement of the way back", () => {
    const [first] = input.steps;
    const others: Partial<typeof input>[] = [
      { installation: "there" },
      { adoption: "adp_2" },
      { nonce: "run_2" },
      { credential: "crd_2" },
      { identity: "kind/1/clone/db" },
      { account: { group: "orders", logins: ["orders_a", "orders_c"] } },
      { direction: "undo" },
      { steps: [] },
      { steps: [...input.steps].reverse() },
      { approval: { ...input.approval, quorum: 2 } },
      { approval: { ...input.approval, approvers: ["team"] } },
      { approval: { ...input.approval, deadlineMs: 2_000 } },
      ...(["id", "sentence", "run", "undo", "undoSentence"] as const).map((field) => ({
        steps: input.steps.map((one) => (one.id === first?.id ? { ...one, [field]: "other" } : one)),
      })),
    ];
    const digests = others.map((other) => adoptionDigest(adoptionPlanOf({ ...input, ...other }), sha256Hex));
    expect(new Set([digest, ...digests]).size).toBe(others.length + 1);
    expect(adoptionDigest(adoptionPlanOf({ ...input }), sha256Hex)).toBe(digest);
    expect(adoptionDigest({ ...plan, doesNot: [] }, sha256Hex)).not.toBe(digest);
  });

  it("is the same work for another request, nonce or direction, and not for other statements or another place", () => {
    const again = { ...input, adoption: "adp_9", nonce: "run_9", direction: "undo" as const };
    expect(isSameWork(plan, adoptionPlanOf(again))).toBe(true);
    expect(isSameWork(plan, adoptionPlanOf({ ...again, identity: "kind/1/clone/db" }))).toBe(false);
    expect(isSameWork(plan, adoptionPlanOf({ ...again, steps: [step("logins")] }))).toBe(false);
    expect(asksAlike(plan, adoptionPlanOf(again))).toBe(true);
    expect(asksAlike(plan, adoptionPlanOf({ ...input, approval: { ...input.approval, quorum: 2 } }))).toBe(
      false,
    );
  });

  it("takes the steps in order, and the undos in the opposite one", () => {
    expect(stepsInOrder(plan).map(({ run }) => run)).toEqual(["run logins", "", "run former-off"]);
    const back = stepsInOrder({ ...plan, direction: "undo" });
    expect(back.map(({ id, run, sentence }) => [id, run, sentence])).toEqual([
      ["former-off", "undo former-off", "Undo former-off."],
      ["move", "", "Undo move."],
      ["logins", "undo logins", "Undo logins."],
    ]);
  });
});

describe("where it stands", () => {
  it("waits until enough persons have agreed in time, and is overdue after the deadline", () => {
    const at = (time: number, ...decisions: DecisionRecord[]) =>
      adoptionStanding(record({ decisions }), time);
    expect(at(now)).toEqual({ is: "waiting", missing: 1, until: now + 1_000, overdue: false });
    expect(at(now + 1_000)).toMatchObject({ is: "waiting", overdue: true });
    expect(at(now, said("ann"))).toEqual({ is: "approved", covered: false, agreed: ["ann"] });
    expect(at(now + 5_000, said("ann"))).toMatchObject({ is: "waiting", missing: 1, overdue: true });
    expect(at(now, said("ann", { issuedAt: now + 1_000 }))).toMatchObject({ is: "waiting" });
    expect(at(now, said("ann", { digest: "another" }))).toMatchObject({ is: "waiting" });
    expect(at(now, said("ann", { owners: ["others"] }))).toMatchObject({ is: "waiting" });
    expect(at(now, said("ann"), said("cleo", { verdict: "reject" }))).toEqual({ is: "vetoed", by: "cleo" });
  });

  it("asks nobody where the policy is the consent", () => {
    const none = adoptionPlanOf({ ...input, approval: { ...input.approval, quorum: 0 } });
    expect(adoptionStanding(record({ plan: none }), now)).toEqual({
      is: "approved",
      covered: false,
      agreed: [],
    });
  });

  it("has ended as it ended, whatever was signed", () => {
    const ended = record({ outcome: "withdrawn", decisions: [said("ann")] });
    expect(adoptionStanding(ended, now)).toEqual({ is: "closed", outcome: "withdrawn" });
  });

  it("a way back is covered by the adoption's signatures while they hold, also after somebody has rejected it", () => {
    const back = (cover: SignedAdoption, time = now) => adoptionStanding(record({ cover }), time);
    const approved = { is: "approved", covered: true, agreed: ["ann"] };
    expect(back(signed(said("ann")))).toEqual(approved);
    expect(back(signed(said("ann"), said("cleo", { verdict: "reject" })))).toEqual(approved);
    expect(back(signed(said("ann")), now + 5_000)).toMatchObject({ is: "waiting" });
    expect(back(signed())).toMatchObject({ is: "waiting" });
    const decisions = [said("cleo", { verdict: "reject" })];
    expect(adoptionStanding(record({ cover: signed(said("ann")), decisions }), now)).toEqual(approved);
  });

  it("H37: counts persons: no number of documents makes a quorum of two", () => {
    const two = adoptionPlanOf({ ...input, approval: { ...input.approval, quorum: 2 } });
    fc.assert(
      fc.property(fc.array(fc.constantFrom("ann", "cleo", "dora"), { maxLength: 8 }), (persons) => {
        const decisions = persons.map((person) => said(person, { issuedAt: now }));
        const enough = new Set(persons).size >= 2;
        expect(covers({ ...signed(...decisions), plan: two }, now)).toBe(enough);
        expect(adoptionStanding(record({ plan: two, decisions }), now).is).toBe(
          enough ? "approved" : "waiting",
        );
      }),
    );
  });
});

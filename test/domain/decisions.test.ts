/** Counting decisions: a person too many, or a paper too late, and a rotation begins that nobody agreed to. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tally } from "../../domain/decisions.js";
import type { DecisionRecord } from "../../domain/rotation/state.js";
import { tick } from "./begin.js";
import { asking, decisionOf, plan } from "./walk.js";

const deadline = 10 * tick;
const count = (decisions: readonly DecisionRecord[], quorum = 2, now = 5 * tick, signedBy = deadline) =>
  tally(plan, decisions, asking(quorum), signedBy, now);

describe("H37: who counts", () => {
  test("persons and not documents: one who signs twice is one", () => {
    const twice = [decisionOf("ann"), decisionOf("ann", { id: "ann-2", issuedAt: tick })];
    expect(count(twice)).toMatchObject({ satisfied: false, agreed: ["ann"], missing: 1 });
    expect(count([...twice, decisionOf("bob")])).toMatchObject({ satisfied: true, missing: 0 });
  });

  test("persons and not owners: one who speaks for two owners is one", () => {
    const both = { ...plan, approvers: ["owner", "other"] };
    const decisions = [decisionOf("ann"), decisionOf("ann", { owners: ["other"] })];
    expect(tally(both, decisions, asking(2), deadline, 0).satisfied).toBe(false);
  });

  test("only who may speak for an owner that the plan names", () => {
    expect(
      count([decisionOf("ann", { owners: ["stranger"] }), decisionOf("bob", { owners: [] })]).agreed,
    ).toEqual([]);
    expect(count([decisionOf("ann", { owners: ["stranger", "owner"] })], 1).satisfied).toBe(true);
  });

  test("only what was signed for this very digest", () => {
    expect(count([decisionOf("ann", { digest: "another" })], 1)).toMatchObject({
      satisfied: false,
      agreed: [],
    });
    expect(count([decisionOf("ann", { digest: "another", verdict: "reject" })], 1).vetoedBy).toBeNull();
  });
});

describe("H38: which word counts, and when", () => {
  const yes = decisionOf("ann", { issuedAt: tick });
  const no = decisionOf("ann", { issuedAt: 2 * tick, verdict: "reject" });

  test("a person's last word, by the time inside the document and not by arrival", () => {
    for (const order of [
      [yes, no],
      [no, yes],
    ]) {
      expect(count(order, 1)).toMatchObject({ satisfied: false, vetoedBy: "ann", missing: 1 });
    }
    const mind = decisionOf("ann", { issuedAt: 3 * tick });
    expect(count([mind, no], 1)).toMatchObject({ satisfied: true, vetoedBy: null });
  });

  test("of two words of one moment the rejection is the last", () => {
    const same = { ...no, issuedAt: yes.issuedAt };
    expect(count([yes, same], 1).vetoedBy).toBe("ann");
    expect(count([same, yes], 1).vetoedBy).toBe("ann");
  });

  test("of two agreements of one moment the one that ends first, in whatever order they arrive", () => {
    const short = decisionOf("ann", { id: "short", expiresAt: tick });
    const long = decisionOf("ann", { id: "long", expiresAt: 100 * tick });
    expect(count([short, long], 1, 5 * tick).satisfied).toBe(false);
    expect(count([long, short], 1, 5 * tick).satisfied).toBe(false);
  });

  test("a signature of the very deadline is too late, one of a millisecond before is not", () => {
    expect(count([decisionOf("ann", { issuedAt: deadline })], 1).satisfied).toBe(false);
    expect(count([decisionOf("ann", { issuedAt: deadline - 1 })], 1).satisfied).toBe(true);
  });

  test("it counts until it expires, and not at that moment", () => {
    const short = decisionOf("ann", { expiresAt: 5 * tick });
    expect(count([short], 1, 5 * tick - 1).satisfied).toBe(true);
    expect(count([short], 1, 5 * tick)).toMatchObject({ satisfied: false, missing: 1 });
  });

  test("a veto outweighs any quorum, also after it has expired", () => {
    const veto = decisionOf("cid", { verdict: "reject", expiresAt: 0 });
    expect(count([decisionOf("ann"), decisionOf("bob"), veto])).toMatchObject({
      satisfied: false,
      vetoedBy: "cid",
      agreed: ["ann", "bob"],
      holdsUntil: null,
    });
  });

  test("it says until when the quorum holds: one more than needed makes it longer", () => {
    const until = (person: string, ticks: number) => decisionOf(person, { expiresAt: ticks * tick });
    expect(count([until("ann", 6), until("bob", 8)]).holdsUntil).toBe(6 * tick);
    expect(count([until("ann", 6), until("bob", 8), until("cid", 9)]).holdsUntil).toBe(8 * tick);
    expect(count([until("ann", 6)]).holdsUntil).toBeNull();
    expect(count([], 0)).toMatchObject({ satisfied: true, holdsUntil: null });
  });
});

describe("every set of decisions", () => {
  // A person signs one document a moment; which of two vetoes is named is of no matter.
  const decisions = fc.uniqueArray(
    fc.record({
      id: fc.uuid(),
      person: fc.constantFrom("ann", "bob", "cid"),
      digest: fc.constantFrom(plan.digest, "another"),
      verdict: fc.constantFrom<("approve" | "reject")[]>("approve", "approve", "reject"),
      owners: fc.constantFrom(["owner"], ["stranger"], []),
      issuedAt: fc.nat({ max: 12 }).map((ticks) => ticks * tick),
      expiresAt: fc.nat({ max: 12 }).map((ticks) => ticks * tick),
    }),
    { maxLength: 10, selector: ({ person, issuedAt }) => `${person} ${issuedAt}` },
  );
  const shuffled = decisions.chain((list) =>
    fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
  );

  test("H38: counts the same in whatever order it arrives", () => {
    fc.assert(
      fc.property(shuffled, fc.nat({ max: 3 }), ([list, other], quorum) => {
        const [one, two] = [count(list, quorum), count(other, quorum)];
        expect(two).toEqual({ ...one, vetoedBy: two.vetoedBy });
        expect(two.vetoedBy === null).toBe(one.vetoedBy === null);
      }),
    );
  });

  test("H37: satisfies a quorum only with so many persons, and nobody is counted for what they said before", () => {
    fc.assert(
      fc.property(decisions, fc.integer({ min: 1, max: 3 }), (list, quorum) => {
        const { satisfied, agreed, missing, holdsUntil } = count(list, quorum);
        expect(new Set(agreed).size).toBe(agreed.length);
        expect(missing).toBe(Math.max(0, quorum - agreed.length));
        if (satisfied) expect(agreed.length).toBeGreaterThanOrEqual(quorum);
        if (holdsUntil !== null) {
          expect(count(list, quorum, holdsUntil - 1).satisfied).toBe(true);
          expect(count(list, quorum, holdsUntil).satisfied).toBe(false);
        }
      }),
    );
  });
});

/** Gate 3: nothing begins without leave, and a paper that ends never sends anybody back by itself. */
import { describe, expect, test } from "vitest";
import { approval } from "../../domain/approval.js";
import { decide } from "../../domain/decide.js";
import { fold, foldAll } from "../../domain/rotation/fold.js";
import type { RotationState } from "../../domain/rotation/state.js";
import { begin, planFor, tick, versionIn } from "./begin.js";
import { asking, decisionOf, leak, look, plan, upTo } from "./walk.js";

const asked = begin({ policy: asking(1), plan, asked: [plan.digest], askedAt: 0 });
const issued = { new: versionIn("b", "new", { life: "issued", issuer: "enabled" }) };
const made = (state: RotationState): RotationState => ({
  ...state,
  versions: { ...state.versions, ...issued },
});
const ask = (digest: string, reminder = false) => ({
  is: "do",
  step: { do: "ask", digests: [digest], reminder },
});

describe("H7: leave for a plan", () => {
  test("is asked first, then waited for, and the wait names who can give it", () => {
    expect(approval({ ...asked, asked: [], askedAt: null }, 0)).toEqual(ask("plan"));
    expect(approval(asked, 0)).toEqual({
      is: "wait",
      until: tick,
      for: "1 sign-off",
      who: "the owners that the policy names",
      watch: false,
    });
  });

  test("is there with the quorum, and where the policy asks nobody", () => {
    expect(approval({ ...asked, decisions: [decisionOf("ann")] }, 0)).toEqual({ is: "pass" });
    expect(approval(begin({ plan }), 0)).toEqual({ is: "pass" });
    expect(approval(begin({ policy: asking(1) }), 0)).toEqual({ is: "pass" });
  });

  test("is asked again for another plan, and what was signed for the first one does not count", () => {
    const signed = { ...asked, decisions: [decisionOf("ann")] };
    const other = planFor({ main: ["app", "job", "third"] }, "other");
    const state = look(signed, 0, { plan: other });
    expect(approval(state, 0)).toEqual(ask("other"));
  });

  test("one reminder comes after its time, and after it only the deadline", () => {
    expect(approval(asked, tick)).toEqual(ask("plan", true));
    const reminded = fold(asked, { type: "asked", at: tick, digests: [plan.digest], reminder: true });
    expect(approval(reminded, tick)).toMatchObject({ is: "wait", until: 2 * tick });
  });

  test("is not asked for going back, in an emergency, or once the origin is gone", () => {
    expect(approval({ ...asked, target: "old" }, 0)).toEqual({ is: "pass" });
    const gone = versionIn("a", "old", { life: "destroyed", issuer: "destroyed" });
    expect(approval({ ...asked, versions: { ...asked.versions, old: gone } }, 0)).toEqual({ is: "pass" });
    expect(approval(fold(asked, leak(0, ["old"])), 0)).toEqual({ is: "pass" });
  });
});

describe("H38: an answer that is missing, late or contrary", () => {
  const reason = "1 sign-off was still missing at the deadline.";

  test("before issue ends the rotation, after it holds with both valid", () => {
    expect(approval(asked, 2 * tick - 1).is).not.toBe("refuse");
    expect(approval(asked, 2 * tick)).toEqual({ is: "refuse", reason });
    expect(approval(made(asked), 2 * tick)).toEqual({ is: "hold", reason });
    const fresh: RotationState = { ...made(asked), surveyedAt: 2 * tick };
    expect(decide(fresh, 2 * tick)).toEqual({ kind: "do", step: { do: "hold", reason } });
  });

  test("a signature of the deadline is refused although it arrived, one of before counts although it came late", () => {
    const at = 2 * tick;
    const late = { ...asked, decisions: [decisionOf("ann", { issuedAt: at })] };
    expect(approval(late, at)).toEqual({ is: "refuse", reason });
    const early = { ...asked, decisions: [decisionOf("ann", { issuedAt: at - 1 })] };
    expect(approval(early, at)).toEqual({ is: "pass" });
  });

  test("a veto ends it before issue, and turns it round after", () => {
    const veto = { ...asked, decisions: [decisionOf("ann", { verdict: "reject" })] };
    const said = "ann rejected the plan.";
    expect(approval(veto, 0)).toEqual({ is: "refuse", reason: said });
    expect(approval(made(veto), 0)).toEqual({ is: "stuck", reason: said });
  });

  test("a sign-off that expires after issue is asked for again and sends nobody back", () => {
    const short = decisionOf("ann", { expiresAt: 3 * tick });
    const state = made({ ...asked, decisions: [short] });
    expect(approval(state, 3 * tick - 1)).toEqual({ is: "pass" });
    expect(approval(state, 3 * tick)).toEqual(ask("plan"));
    const again = fold(state, { type: "asked", at: 3 * tick, digests: [plan.digest], reminder: false });
    expect(approval(again, 3 * tick)).toMatchObject({ is: "wait", until: 4 * tick });
    const signed = { ...again, decisions: [short, decisionOf("ann", { issuedAt: 4 * tick })] };
    expect(approval(signed, 4 * tick)).toEqual({ is: "pass" });
  });

  test("a rejection past the point of no return is recorded as an objection", () => {
    const decision = decisionOf("ann", { verdict: "reject" });
    const late = fold({ ...asked, irreversible: true }, { type: "decided", at: 0, decision });
    expect(late).toMatchObject({ decisions: [decision], objections: ["ann rejected the plan."] });
    const signed = { ...late, decisions: [decisionOf("bob"), decision] };
    expect(approval(signed, 0)).toEqual({ is: "pass" });
    expect(approval({ ...signed, irreversible: false }, 0).is).toBe("refuse");
    expect(fold(asked, { type: "decided", at: 0, decision }).objections).toEqual([]);
  });
});

describe("H30: a round that ended", () => {
  test("is opened again when an operator resumes", () => {
    const held = foldAll(made(asked), [
      { type: "held", at: 2 * tick, reason: "late" },
      { type: "resumed", at: 3 * tick, exit: "retry", by: "operator" },
    ]);
    expect(approval(held, 3 * tick)).toEqual(ask("plan"));
  });
});

describe("H17: an amendment", () => {
  const other = { ...planFor({ main: ["app", "job", "late"] }, "other"), approvers: ["owner-of-late"] };
  const signed = { ...asked, decisions: [decisionOf("ann")] };

  test("asks only the owners of the difference, and the plan's own leave stands", () => {
    const state = look(made(signed), 0, { plan: other });
    expect(state.amendments).toEqual([other]);
    expect(state.plan).toEqual(plan);
    expect(approval(state, 0)).toEqual(ask("other"));
    const round = fold(state, { type: "asked", at: 0, digests: ["other"], reminder: false });
    expect(approval({ ...round, asked: [plan.digest, "other"] }, 0)).toMatchObject({ is: "wait" });
    const wrong = decisionOf("ann", { digest: "other" });
    const right = decisionOf("lee", { digest: "other", owners: ["owner-of-late"] });
    expect(approval({ ...round, decisions: [...round.decisions, wrong] }, 0).is).not.toBe("pass");
    expect(approval({ ...round, decisions: [...round.decisions, right] }, 0)).toEqual({ is: "pass" });
  });

  test("is held for at its deadline: both versions stay valid", () => {
    const round = fold(look(made(signed), 0, { plan: other }), {
      type: "asked",
      at: 0,
      digests: ["other"],
      reminder: false,
    });
    expect(approval(round, 2 * tick)).toMatchObject({ is: "hold" });
  });

  test("before issue a change makes a new plan, and asks for it anew", () => {
    const state = look(signed, 0, { plan: other });
    expect(state).toMatchObject({ plan: other, amendments: [], asked: [], askedAt: null, remindedAt: null });
  });

  test("that the world takes back asks nobody any more", () => {
    const amended = look(made(signed), 0, { plan: other });
    const back = look(amended, tick, { plan });
    expect(back.amendments).toEqual([]);
    expect(approval(back, tick)).toEqual({ is: "pass" });
  });

  test("of equal digest changes nothing", () => {
    const { state, now } = upTo("disable", begin({ policy: asking(0) }));
    expect(look(state, now).amendments).toEqual([]);
    expect(look(state, now).plan).toBe(state.plan);
  });
});

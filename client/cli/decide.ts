/**
 * Deciding on a plan: which plans of a rotation wait for this person, what they say, and the signed answers.
 * A person signs what was shown to them, plan and amendments each by its own digest (H7, H17).
 */

import { createHash } from "node:crypto";
import { decide } from "../../domain/decide.js";
import { tally } from "../../domain/decisions.js";
import { RekeyError } from "../../domain/errors.js";
import { signedText } from "../../domain/plan.js";
import type { Plan, RotationState } from "../../domain/rotation/state.js";
import type { SigningKey } from "../documents.js";
import type { Cli } from "./cli.js";
import type { Services } from "./deps.js";
import { section } from "./format/layout.js";
import { findingsText, planSections } from "./format/plan.js";
import { standingText, withVersions } from "./format/rotation.js";
import { type Look, lookAt } from "./look.js";
import { boundTo, sign } from "./signing.js";
import type { OpenSubject, Subject } from "./subject.js";

/** A plan that is to be decided on, and what it is called. */
export interface OpenPlan {
  readonly title: string;
  readonly plan: Plan;
}

/** What is decided on. */
export interface Case {
  readonly subject: Pick<Subject, "name" | "purpose" | "names">;
  readonly look: Look;
  /** How long the policy lets a decision be good for; undefined where it is not known. */
  readonly validForMs: number | undefined;
}

/** The rotation as it is recorded. Throws `unreachable` while it has no plan yet. */
export async function lookToDecide(cli: Cli, services: Services, subject: OpenSubject): Promise<Look> {
  const look = await lookAt(services, subject.id, cli.now());
  if (look !== null && look.state.plan !== null) return look;
  throw new RekeyError(
    "unreachable",
    `The rotation of ${subject.name} has no plan yet.`,
    "Try again in a moment.",
  );
}

/** Every plan and amendment of the rotation, oldest first. */
export function plansOf({ plan, amendments }: RotationState): OpenPlan[] {
  const first = plan === null ? [] : [{ title: "The plan", plan }];
  return [
    ...first,
    ...amendments.map((amendment, index) => ({ title: `Amendment ${index + 1}`, plan: amendment })),
  ];
}

/** The plans that `person` has not agreed to and that lack agreement. */
export function waitingFor(state: RotationState, person: string, now: number): OpenPlan[] {
  return plansOf(state).filter(({ plan }) => {
    const count = tally(plan, state.decisions, state.policy, Number.POSITIVE_INFINITY, now);
    return !count.satisfied && !count.agreed.includes(person);
  });
}

/** What is shown before somebody signs. */
export function decisionText(cli: Cli, { subject, look }: Case, open: readonly OpenPlan[]): string {
  const { paint } = cli;
  const { state, row, now } = look;
  const names = withVersions(subject.names, state);
  const head = [
    paint("strong", `${subject.name}: ${subject.purpose}`),
    `  asked for by ${row.requestedBy}: ${row.reason}`,
    `  now ${standingText(decide(state, now), names, paint)}`,
  ].join("\n");
  const each = open.flatMap(({ title, plan }) => [
    `${paint("strong", title)}${paint("quiet", `  ${plan.digest}`)}`,
    ...planSections(plan, names, paint),
  ]);
  return [
    head,
    ...each,
    ...section("What could break", findingsText(state.findings, names, paint), paint),
  ].join("\n\n");
}

/**
 * Computes the digest anew from the plan that is shown, and asks that it is this rotation's. Throws `decision-refused`
 * when it is another one (H7). Where `terms` is `where-kept`, a plan of an earlier version of Rekey passes unseen.
 */
export function checkPlan(plan: Plan, state: RotationState, terms: "required" | "where-kept"): void {
  const { terms: kept } = plan;
  if (kept === undefined) {
    if (terms === "where-kept") return;
    throw new RekeyError(
      "decision-refused",
      "The plan was made by an earlier version of Rekey and cannot be checked from here.",
      "Decide at the installation itself, or start the rotation anew.",
    );
  }
  const digest = createHash("sha256")
    .update(signedText({ ...plan, terms: kept }))
    .digest("hex");
  const same =
    digest === plan.digest &&
    kept.rotation === state.id &&
    kept.nonce === state.nonce &&
    kept.installation === state.installation &&
    kept.credential === state.credential;
  if (!same) {
    throw new RekeyError(
      "decision-refused",
      "The plan that is shown is not the one that its digest names; nothing was signed.",
      "Somebody between you and the installation may have changed it. Ask whoever runs the server.",
    );
  }
}

/** A signed decision on each plan. They expire as the credential's policy says. */
export async function signDecisions(
  cli: Cli,
  { subject, look: { state }, validForMs }: Case,
  open: readonly OpenPlan[],
  key: SigningKey,
  says: "approve" | "reject",
): Promise<string[]> {
  for (const { plan } of open) checkPlan(plan, state, "where-kept");
  const bound = boundTo(state, subject.name);
  return Promise.all(
    open.map(({ plan }) => sign(cli, key, bound, { says, digest: plan.digest }, validForMs)),
  );
}

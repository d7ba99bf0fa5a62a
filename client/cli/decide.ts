/**
 * Deciding on a plan: which plans of a rotation wait for this person, what they say, and the signed answers.
 * A person signs what was shown to them, plan and amendments each by its own digest (H7, H17).
 */

import { decide } from "../../domain/decide.js";
import { tally } from "../../domain/decisions.js";
import { RekeyError } from "../../domain/errors.js";
import type { Policy } from "../../domain/estate/types.js";
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

/** The rotation as it is recorded. Throws `unreachable` while it has no plan yet. */
export async function lookToDecide(cli: Cli, services: Services, subject: OpenSubject): Promise<Look> {
  const look = await lookAt(services, subject.id, cli.io.now());
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
export function decisionText(cli: Cli, subject: Subject, look: Look, open: readonly OpenPlan[]): string {
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

/** A signed decision on each plan. They expire as the credential's policy says. */
export async function signDecisions(
  cli: Cli,
  services: Services,
  subject: Subject,
  state: RotationState,
  open: readonly OpenPlan[],
  key: SigningKey,
  says: "approve" | "reject",
): Promise<string[]> {
  const validForMs = await validFor(services, subject);
  const bound = boundTo(state, subject.name);
  return Promise.all(
    open.map(({ plan }) => sign(cli, key, bound, { says, digest: plan.digest }, validForMs)),
  );
}

async function validFor({ inventory }: Services, { policy }: Subject): Promise<number | undefined> {
  const entry = (await inventory.entries("policies")).find(({ name }) => name === policy);
  return (entry?.body as unknown as Policy | undefined)?.approval.validForMs;
}

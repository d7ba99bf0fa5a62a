/** An adoption in words: its steps, its statements, whom it waits for, and where it stands. */

import {
  type AdoptionPlan,
  type AdoptionRecord,
  adoptionStanding,
  type StandingStep,
  stepsInOrder,
} from "../../../domain/adopt-plan.js";
import { count } from "../../../domain/count.js";
import type { Finding } from "../../../domain/finding.js";
import { indented, section } from "./layout.js";
import { findingsText } from "./plan.js";
import type { Paint } from "./style.js";
import { moment } from "./time.js";

const names = { of: (id: string) => id, in: (text: string) => text };

/** The steps as they stand. With `script`, the statements of those that are left. */
export function stepsText(steps: readonly StandingStep[], script: boolean, paint: Paint): string {
  const lines = steps.map(({ sentence, run, left }, index) => {
    const mark = left ? `${index + 1}.` : paint("good", "✓");
    return `  ${mark} ${sentence}${script && left ? statements(run, paint) : ""}`;
  });
  return section("Steps", lines.join("\n"), paint).join("\n\n");
}

function statements(text: string, paint: Paint): string {
  return text === "" ? "" : `\n${paint("quiet", `     ${indented(text, 5)}`)}`;
}

/** What stands in the way or is worth knowing; nothing where there is nothing. */
export function hindrances(findings: readonly Finding[], paint: Paint): string[] {
  return section("What stands in the way, or is worth knowing", findingsText(findings, names, paint), paint);
}

/** Everything that a signature stands for. */
export function adoptionText(record: AdoptionRecord, credential: string, paint: Paint): string {
  const { plan, digest, requestedBy, reason } = record;
  const what = plan.direction === "adopt" ? "Adoption" : "Way back from the adoption";
  const steps = stepsInOrder(plan).map((step) => ({ ...step, left: true }));
  const back = stepsInOrder({ ...plan, direction: plan.direction === "adopt" ? "undo" : "adopt" });
  return [
    `${paint("strong", `${what} of ${credential}`)}${paint("quiet", `  ${digest}`)}`,
    `  asked for by ${requestedBy}: ${reason}\n  at          ${plan.identity}\n  account     ${accountText(plan)}`,
    stepsText(steps, true, paint),
    ...section("What it does not do", plan.doesNot.map((sentence) => `  ${sentence}`).join("\n"), paint),
    ...(plan.direction === "adopt"
      ? section(
          "The way back, which is part of it",
          back.map(({ sentence, run }) => `  - ${sentence}${statements(run, paint)}`).join("\n"),
          paint,
        )
      : []),
  ].join("\n\n");
}

function accountText({ account }: AdoptionPlan): string {
  return Object.entries(account)
    .map(([field, value]) => `${field} ${Array.isArray(value) ? value.join(", ") : String(value)}`)
    .join("; ");
}

/** Whom it waits for, or who agreed. */
export function signaturesText(record: AdoptionRecord, credential: string, now: number): string {
  const standing = adoptionStanding(record, now);
  switch (standing.is) {
    case "closed":
      return `It has ended: ${record.closingReason ?? standing.outcome}`;
    case "vetoed":
      return `${standing.by} rejected it. It goes no further; take it back with \`rekey adopt ${credential} --undo\`.`;
    case "waiting": {
      const { approvers } = record.plan.approval;
      const until = standing.overdue ? "since" : "until";
      return `Waits for ${count(standing.missing, "sign-off")} of ${approvers.join(", ")}, ${until} ${moment(standing.until)}: \`rekey approve ${credential}\`.`;
    }
    case "approved":
      if (standing.agreed.length === 0) return "Nobody is asked: the policy itself is the consent.";
      return standing.covered
        ? `Covered by what ${standing.agreed.join(", ")} signed for the adoption.`
        : `Signed by ${standing.agreed.join(", ")}.`;
  }
}

/** Where it stands, in two or three words for a table. */
export function adoptionState(record: AdoptionRecord, now: number): string {
  const what = record.plan.direction === "adopt" ? "adoption" : "adoption back";
  const standing = adoptionStanding(record, now);
  if (standing.is === "vetoed") return `${what}, rejected`;
  if (record.workingSince !== null) return `${what}, under way`;
  if (standing.is === "waiting") return `${what}, waiting`;
  return record.begunAt === null ? `${what}, signed` : `${what}, resting`;
}

/** The adoption in a credential's own picture. */
export function adoptionPicture(
  record: AdoptionRecord,
  credential: string,
  now: number,
  paint: Paint,
): string {
  const { done, plan } = record;
  const lines = stepsInOrder(plan).map(
    ({ id, sentence }) => `  ${done.includes(id) ? paint("good", "✓") : "·"} ${sentence}`,
  );
  return [
    `${paint("strong", adoptionState(record, now))}${paint("quiet", `  ${record.id}, asked for by ${record.requestedBy}`)}`,
    `  ${signaturesText(record, credential, now)}`,
    ...lines,
  ].join("\n");
}

/** A plan for the people who have to live with it: what happens to whom, what could break, and when there is no way back. */

import { span } from "../../../domain/duration.js";
import { answersFor } from "../../../domain/exceptions.js";
import type { Finding } from "../../../domain/finding.js";
import { refusals } from "../../../domain/finding.js";
import type { Plan } from "../../../domain/rotation/state.js";
import type { Preview } from "../../../domain/rotation/work.js";
import { count, fields, section } from "./layout.js";
import type { Names } from "./names.js";
import type { Paint } from "./style.js";
import { moment, relative } from "./time.js";

/** A dry run as text, with its verdict first. */
export function previewText(
  preview: Preview,
  names: Names,
  credential: { readonly name: string; readonly policy: string },
  now: number,
  paint: Paint,
): string {
  const { plan, findings, notBefore, sentences, forecast } = preview;
  const stops = refusals(findings);
  const steps = sentences.map((sentence, index) => `  ${index + 1}. ${names.in(sentence)}`).join("\n");
  return [
    `${paint("strong", `Plan for ${credential.name}`)}${plan === null ? "" : paint("quiet", `  ${plan.digest}`)}\nBy policy ${credential.policy}.`,
    verdict(stops.length, notBefore, now, paint),
    ...section("What will happen", steps, paint),
    ...(plan === null ? [] : planSections(plan, names, paint)),
    ...section("Why it may not start", findingsText(stops, names, paint), paint),
    ...section(
      "What could break",
      couldBreak(forecast.breaks, without(findings, stops), names, paint),
      paint,
    ),
    ...section("What is not waited for", linesText(forecast.skipped, names), paint),
    paint("quiet", "Nothing was changed."),
  ].join("\n\n");
}

/** Who may fail by the plan itself, and then what the look at the world has found. */
function couldBreak(
  breaks: readonly string[],
  findings: readonly Finding[],
  names: Names,
  paint: Paint,
): string {
  const parts = [linesText(breaks, names), findingsText(findings, names, paint)];
  return parts.filter((part) => part !== "").join("\n");
}

function linesText(lines: readonly string[], names: Names): string {
  return lines.map((line) => `  ${names.in(line)}`).join("\n");
}

function without(findings: readonly Finding[], some: readonly Finding[]): Finding[] {
  return findings.filter((finding) => !some.includes(finding));
}

function verdict(refused: number, notBefore: number | null, now: number, paint: Paint): string {
  if (refused > 0) return paint("bad", `It may not start: ${count(refused, "reason")}.`);
  if (notBefore !== null && notBefore > now) {
    const when =
      notBefore > maxDate
        ? "no time that can be foreseen"
        : `${moment(notBefore)} (${relative(notBefore, now)})`;
    return paint("warn", `It may start, not before ${when}.`);
  }
  return paint("good", "It may start now.");
}

/** The last moment that a date can be; what lies behind it means "never". */
const maxDate = 8_640_000_000_000_000;

/** Who moves when and is known by what, what is let pass, who is asked, and the point of no return. */
export function planSections(plan: Plan, names: Names, paint: Paint): string[] {
  const { exceptions, claims } = plan.terms?.allows ?? { exceptions: [], claims: {} };
  const known = Object.entries(claims).map(([id, claimed]) => [names.of(id), claimed.join(", ")] as const);
  const excepted = exceptions.map((one) => {
    const what = one.about === undefined ? `\`${one.finding}\`` : `\`${one.finding}\` about ${one.about}`;
    return `  ${answersFor(one, what)}`;
  });
  return [
    ...section("Who moves when", wavesText(plan, names, paint), paint),
    ...section("Known by", known.length === 0 ? "" : fields(byName(known), paint), paint),
    ...section("Let pass", excepted.join("\n"), paint),
    ...section(
      "Who is asked",
      plan.approvers.length === 0
        ? "  nobody; the reviewed policy is the consent"
        : `  ${plan.approvers.map(names.of).join(", ")}`,
      paint,
    ),
    ...section("Point of no return", `  ${pointText(plan.pointOfNoReturn, names)}`, paint),
  ];
}

function byName(rows: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  return [...rows].sort(([a], [b]) => a.localeCompare(b));
}

function wavesText(plan: Plan, names: Names, paint: Paint): string {
  const known = new Map(plan.consumers.map((consumer) => [consumer.id, consumer]));
  const rows = plan.waves.map((wave, index) => {
    // By name: the plan's own order is by ids, which say nothing to a reader and differ from estate to estate.
    const byName = [...wave.consumers].sort((a, b) => names.of(a).localeCompare(names.of(b)));
    const members = byName.map((id) => {
      const consumer = known.get(id);
      const marks = [
        consumer?.reversible === false ? "cannot be moved back" : "",
        consumer && consumer.memoryMs > 0 ? `may hold the old one for ${span(consumer.memoryMs)}` : "",
      ].filter((mark) => mark !== "");
      return `${names.of(id)}${marks.length === 0 ? "" : paint("quiet", ` (${marks.join("; ")})`)}`;
    });
    const together = members.length > 1 ? paint("quiet", ", together") : "";
    return [
      `wave ${index + 1}`,
      `${members.length === 0 ? "nobody" : members.join(", ")}${together}`,
    ] as const;
  });
  return fields(rows, paint);
}

/** The first step that cannot be undone, as a sentence. */
function pointText(point: string, names: Names): string {
  switch (point) {
    case "issue":
      return "Issuing the new value: old and new cannot be valid together.";
    case "disable":
      return "Disabling the old value: it cannot be enabled again.";
    case "destroy":
      return "Destroying the old value. Until then everything can go back.";
    default:
      return `${names.in(point.charAt(0).toUpperCase() + point.slice(1))}: there it cannot be taken back.`;
  }
}

/** Findings, a line each, with their codes. */
export function findingsText(findings: readonly Finding[], names: Names, paint: Paint): string {
  const tones = { refuse: "bad", warn: "warn", info: "quiet" } as const;
  const width = Math.max(0, ...findings.map(({ code }) => code.length));
  return findings
    .map(
      ({ code, severity, sentence, hint }) =>
        `  ${paint(tones[severity], code.padEnd(width))}  ${names.in(sentence)}${
          hint === undefined ? "" : `\n  ${" ".repeat(width)}  ${paint("name", "hint:")} ${names.in(hint)}`
        }`,
    )
    .join("\n");
}

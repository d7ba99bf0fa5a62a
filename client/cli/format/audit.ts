/** Entries of the audit log in words, and what was found when it was verified. */
import type { LoggedEntry } from "../../../audit/log.js";
import { mismatchText } from "../../../audit/mismatch.js";
import type { PackVerified } from "../../../audit/pack.js";
import type { Verified } from "../../../audit/verify.js";
import { type AuditBody, bodyOf } from "../../../domain/audit.js";
import type { AuditState } from "../audit-desk.js";
import { count, table } from "./layout.js";
import type { Paint } from "./style.js";
import { moment } from "./time.js";

/** A table of entries. What was forgotten of one is said to be. */
export function entriesText(entries: readonly LoggedEntry[], paint: Paint): string {
  const rows = entries.map((entry) => {
    const body = bodyOf(entry.body);
    return [String(entry.index), moment(body.at), body.kind, sentenceOf(body, personalOf(entry, body))];
  });
  return table(["entry", "at", "what", ""], rows, paint);
}

function personalOf({ openings }: LoggedEntry, { personal }: AuditBody): (field: string) => string {
  return (field) => openings[field]?.value ?? (personal?.[field] === undefined ? "nobody" : "(forgotten)");
}

function sentenceOf(body: AuditBody, personal: (field: string) => string): string {
  const text = (field: string) => plain(body[field]);
  switch (body.kind) {
    case "opened":
    case "adopted":
      return `${text("mode")}, epoch ${text("epoch")}, asked for by ${personal("requestedBy")}: ${personal("reason")}`;
    case "intent":
      return `change ${text("change")}: ${stepText(body.step)}`;
    case "outcome":
      return `change ${text("change")}: ${[text("outcome"), text("code")].filter(Boolean).join(", ")}`;
    case "decision":
      return `${personal("person")}: ${text("says")} (${text("decision")})`;
    case "burned":
      return `${text("decisions")} used${body.change === null ? "" : ` by change ${text("change")}`}`;
    case "incident":
      return `reported by ${personal("reportedBy")}: ${personal("reason")}; leaked: ${text("matched") || "unknown"}`;
    case "held":
      return `waits for an operator: ${personal("reason")}`;
    case "resumed":
      return `${[text("exit"), text("version")].filter(Boolean).join(" ")}, ordered by ${personal("by")}`;
    case "cancelled":
      return `by ${personal("by")}: ${personal("reason")}`;
    case "turned":
      return `to version ${text("target")}: ${personal("reason")}`;
    case "signed-off":
      return `${text("incident")} with ${text("decision")}`;
    case "closed":
      return text("outcome");
    case "restored":
      return `generation ${text("generation")}, accepted by ${personal("by")}; lost: ${text("lost") || "nothing"}`;
    case "forgotten":
      return `${text("fields")} personal fields from before ${moment(Number(body.before))}, by ${personal("by")}`;
    case "estate":
      return `revision ${text("revision")} by ${personal("by")}`;
    case "gap":
      return `${text("entries")} entries came from a spool`;
    case "mismatch":
      return mismatchText(body.entry, body.place);
  }
}

function stepText(step: unknown): string {
  const {
    do: does = "",
    version,
    slot,
    place,
  } = (step ?? {}) as Readonly<Record<string, string | undefined>>;
  return [does, version, slot ?? place].filter((part) => part !== undefined).join(" ");
}

function plain(value: unknown): string {
  if (Array.isArray(value)) return value.map(plain).join(", ");
  return value === undefined || value === null ? "" : String(value);
}

/** What was found in the log: that it is whole, or a line for each thing that is not. */
export function verifiedText(state: Verified & Partial<AuditState>, paint: Paint): string {
  const { size, checkpoints, unsigned, findings, told, waiting = 0, spooled = 0 } = state;
  const verdict =
    findings.length === 0
      ? [
          paint(
            "good",
            `The log is whole: ${entryCount(size)}, ${count(checkpoints, "checkpoint")} compared.`,
          ),
        ]
      : findings.map((sentence) => paint("bad", sentence));
  return [
    ...verdict,
    ...told.map((sentence) => paint("warn", sentence)),
    ...(unsigned > 0
      ? [`${entryCount(unsigned)} behind the last checkpoint: nobody has signed those yet.`]
      : []),
    ...(waiting > 0 ? [`${entryCount(waiting)} wait to be taken in; a worker does that.`] : []),
    ...(spooled > 0
      ? [paint("warn", `${entryCount(spooled)} in this machine's spool: the log was down.`)]
      : []),
    `root ${state.root}`,
  ].join("\n");
}

/** What was found in a pack. */
export function packText(verified: PackVerified, paint: Paint): string {
  const { rotation, origin, size, entries, findings } = verified;
  if (findings.length > 0) return findings.map((sentence) => paint("bad", sentence)).join("\n");
  const sentence = `The pack is whole: ${entryCount(entries)} of rotation ${rotation}.`;
  return `${paint("good", sentence)}\nThey are in the log ${origin} of ${entryCount(size)}, as its key signed it.`;
}

function entryCount(number: number): string {
  return count(number, "entry", "entries");
}

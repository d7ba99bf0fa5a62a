/** Adds up the lines of an audit log: one claim for each reader and place, and what is wrong with a line that is none. */
import type { Claim } from "../../domain/discovery/said.js";
import { type PartBuilder, shown, textIn } from "../shared/source-log-part.js";
import { textOf } from "../shared/source-log-records.js";
import { clearFields, type Read, readIn, type Watched } from "./vault-audit-record.js";
import type { VaultAuditConfig } from "./vault-audit-schema.js";
import { unwrapped } from "./vault-audit-wrapped.js";

/** Takes one line, which lies in `bytes[from, to)`; `where` names it. False where it is no record. */
export type TakeLine = (bytes: Buffer, from: number, to: number, where: () => string) => boolean;

/** Whose reads count, out of the settings. */
function watchedBy(config: VaultAuditConfig): Watched {
  return {
    dataPath: `${config.mount}/data/`,
    namespace: config.namespace === undefined ? "" : `${config.namespace}/`,
    engine: config.engine,
    addresses: config.addresses,
  };
}

/**
 * Every line is parsed, also those about other paths: a line that was torn may be a read, and only parsing tells that it is
 * none. Blank lines are no records, nor is what a server says beside its audit device.
 */
export function auditTally(
  config: VaultAuditConfig,
  part: PartBuilder,
  mark: (value: string) => string,
): TakeLine {
  const watched = watchedBy(config);
  return (bytes, from, to, where) => {
    const text = textOf(bytes, from, to);
    if (text !== null && text.trim() === "") return true;
    const line = text === null ? { why: "is not UTF-8" } : unwrapped(text);
    if (line === null) return true;
    part.count();
    const refused = (why: string): false => {
      part.malformed(where(), why);
      return false;
    };
    if ("why" in line) return refused(line.why);
    const { record } = line;
    const own = Date.parse(textIn(record, "time") ?? "");
    if (Number.isNaN(own)) return refused("is no record of an audit log: it has no time");
    const at = part.timeOf(own, where);
    const read = readIn(record, watched);
    if (read === null) return true;
    if ("own" in read) {
      if (read.own !== null) part.own(read.own);
      return true;
    }
    note(config, part, read, at);
    for (const [field, value] of clearFields(read.fields)) {
      part.copy(
        at,
        {
          at: { is: "location", scope: `audit log of ${config.store}`, path: `${read.path}#${field}` },
          mark: mark(value),
          literal: true,
          past: true,
        },
        `The audit log shows the field ${shown(field)} of ${shown(read.path)} in clear: the device is set to log_raw.`,
      );
    }
    return true;
  };
}

function note(config: VaultAuditConfig, part: PartBuilder, read: Read, at: number): void {
  const { path, traits, name, class: kind, version, asked } = read;
  const given = version === null ? undefined : String(version);
  const key = JSON.stringify([path, traits, kind ?? "", Object.keys(traits).length === 0 ? name : ""]);
  const make = () => ({
    told: {
      known: "read",
      from: { is: "reader", name, traits, ...(kind === undefined ? {} : { class: kind }) },
      type: "uses",
      to: { is: "place", store: config.store, place: { path } },
    } satisfies Omit<Claim, "seen" | "sentence" | "record">,
    say: (remarks: readonly string[]) => `${name} read ${versionsText(remarks)} of ${shown(path)}.`,
  });
  part.claim(key, at, read.wrapped ? "wrapped" : (given ?? "unknown"), make, given ?? asked);
}

/** `version 3`, `versions 3 and 4`, `an unknown version`. */
function versionsText(remarks: readonly string[]): string {
  const versions = remarks.filter((one) => one !== "wrapped" && one !== "unknown").sort((a, b) => +a - +b);
  const parts = [
    ...(versions.length === 0 ? [] : [`version${versions.length === 1 ? "" : "s"} ${versions.join(", ")}`]),
    ...(remarks.includes("unknown") ? ["a version that the log does not name"] : []),
    ...(remarks.includes("wrapped")
      ? ["a version in a wrapping token, which somebody else may have opened,"]
      : []),
  ];
  return parts.join(" and ");
}

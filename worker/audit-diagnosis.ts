/** What `rekey doctor` says of the audit log: whether it takes in what is told to it, and what stands beside it meanwhile. */

import type { AuditKeeper } from "../audit/keeper.js";
import { mismatchesIn } from "../audit/mismatch.js";
import type { Spool } from "../audit/spool.js";
import { count } from "../domain/count.js";
import { RekeyError } from "../domain/errors.js";
import { type Finding, refusalOf } from "../domain/finding.js";
import type { Diagnosis } from "../domain/rotation/work.js";
import type { Database } from "../inventory/database.js";

/** The parts of an open log that are asked. */
export interface OpenLog {
  readonly keeper: Pick<AuditKeeper, "flush">;
  readonly spool: Pick<Spool, "pending">;
  readonly log: Database;
  readonly now: () => number;
}

/** What was found is said for so long; the log tells of it for ever. */
const mismatchMsMax = 30 * 86_400_000;

/** Takes in what waits, as a worker does every few seconds, and says what of it could not be. Comparing the whole log is `rekey audit verify`. */
export async function diagnoseAudit({ keeper, spool, log, now }: OpenLog): Promise<Diagnosis> {
  const findings: Finding[] = [];
  try {
    await keeper.flush();
    for (const sentence of await mismatchesIn(log, now() - mismatchMsMax)) {
      const hint =
        "Find out who can write there; `rekey audit show` and `--json` have the text, docs/audit.md what it means.";
      findings.push({ code: "audit-mismatch", severity: "warn", sentence, hint });
    }
  } catch (failure) {
    // The keeper speaks in our words; anything else is a fault of ours, and not the log's.
    if (!(failure instanceof RekeyError)) throw failure;
    const sentence = `${failure.message} Ordinary rotations change nothing meanwhile; going back and emergencies go on.`;
    findings.push({ ...refusalOf(failure), sentence });
  }
  const files = await spool.pending();
  const waiting = files.reduce((sum, { entries }) => sum + entries.length, 0);
  if (waiting > 0) {
    const sentence = `${count(waiting, "entry stands", "entries stand")} in this worker's spool and not in the log; keep its disk until all is merged.`;
    findings.push({ code: "audit-spooled", severity: "warn", sentence });
  }
  for (const { name } of files.filter(({ intact }) => !intact)) {
    const sentence = `The spool's file ${name} was changed: its lines are not bound to one another.`;
    const hint =
      "Keep the file, and find out who can write to the worker's disk; docs/audit.md says what is merged of it.";
    findings.push({ code: "audit-spool-changed", severity: "warn", sentence, hint });
  }
  return { subject: "audit log", findings };
}

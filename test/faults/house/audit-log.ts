/**
 * The audit log of a lane, as an auditor sees it: verified as `rekey audit verify` does it, also against a checkpoint
 * that was kept elsewhere when the lane was young (I9); and put back to an earlier time, after which the house does what
 * docs/audit.md says (H32).
 */
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { OutsideNote } from "../../../audit/anchor.js";
import { openCheckpoint } from "../../../audit/checkpoint.js";
import { headOf } from "../../../audit/log.js";
import { type AuditDesk, auditDeskOf } from "../../../client/cli/audit-desk.js";
import { RekeyError } from "../../../domain/errors.js";
import { read, transact } from "../../../inventory/database.js";
import { sql } from "../../../inventory/orm.js";
import { type OpenAudit, openAudit } from "../../../worker/audit.js";
import type { Lane } from "./lane.js";

/** A restore takes the store away for a while; a worker asks it every two seconds. */
const awayMs = 5_000;
const noticedMs = 3_000;
const triesMax = 4;
const awayCodes: ReadonlySet<string> = new Set(["unreachable", "audit-down"]);

/** A checkpoint of each lane's log, as somebody has kept it who does not trust its database. */
const kept = new WeakMap<Lane, string>();

/** Keeps a checkpoint of the log as it is now, unless one was kept already. */
export async function keepCheckpoint(lane: Lane): Promise<void> {
  if (!kept.has(lane)) kept.set(lane, await withDesk(lane, (desk) => desk.checkpoint()));
}

/** What an auditor finds wrong with the log, each in a sentence. One in which nothing was ever written is wrong, too. */
export async function logFindings(lane: Lane): Promise<readonly string[]> {
  const { size, findings } = await verified(lane, kept.get(lane));
  return size === 0 ? [...findings, "The log has no entries."] : findings;
}

/**
 * Puts the log back to how it was when the case began, lets the call under way go on, and after a while goes on with it
 * as after a restore. Answers with what an auditor was not told of it. `before`: asked right before that, as long as
 * nothing ordinary may be changed.
 */
export async function restoreLog(
  lane: Lane,
  goOn: () => void,
  before: () => Promise<void>,
): Promise<string[]> {
  const door = lane.doors.audit;
  if (door === undefined) throw new Error(`lane ${lane.index} has no audit log of its own`);
  // A worker signs once a minute: what has not been signed yet, nobody could miss.
  const signed = await withDesk(lane, (desk) => desk.checkpoint());
  door.become("stopped");
  await lane.log.putBack();
  goOn();
  await pause(awayMs);
  door.become("open");
  const [was, is] = await withDesk(lane, async (_, { log, signer }) => [
    openCheckpoint(signed, signer).size,
    (await read(log, (tx) => headOf(tx, "look"))).size,
  ]);
  if (was === is) return [];
  await pause(noticedMs);
  await before();
  const { findings } = await verified(lane, signed);
  await goOnWith(lane);
  kept.delete(lane);
  const isShown = findings.some((finding) => /^The log was (cut|forked)/.test(finding));
  return isShown ? [] : [`the log was put back from ${was} entries to ${is}, and verifies`];
}

/** As docs/audit.md says it: workers are stopped, both anchors are given up, and what is missing stays missing. */
async function goOnWith({ worker, db, settings }: Lane): Promise<void> {
  await worker.stop();
  const anchor = join(settings.REKEY_HOME, "audit", "checkpoint");
  await rename(anchor, `${anchor}-before-restore`);
  await transact(db, (tx) =>
    tx.execute(sql`update rekey_inventory.installation set audit_size = null, audit_checkpoint = null`),
  );
  await worker.start();
}

async function verified(lane: Lane, note: string | undefined) {
  const outside: OutsideNote[] = note === undefined ? [] : [{ source: "the checkpoint that was kept", note }];
  return withDesk(lane, (desk) => desk.verify(outside));
}

type Ask<T> = (desk: AuditDesk, opened: OpenAudit) => Promise<T>;

/** The log, opened for one question, in a process that is no worker; a machine that is too slow is asked again. */
async function withDesk<T>(lane: Lane, ask: Ask<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await askedOnce(lane, ask);
    } catch (error) {
      const isAway = error instanceof RekeyError && awayCodes.has(error.code);
      if (!isAway || attempt === triesMax) throw error;
      await pause(awayMs);
    }
  }
}

async function askedOnce<T>({ settings, db, installation }: Lane, ask: Ask<T>): Promise<T> {
  const opened = await openAudit(settings, { db, installation, now: Date.now, warn: () => undefined });
  try {
    const desk = auditDeskOf({ ...opened, db, now: async () => Date.now(), forgetAfterMs: 0 });
    return await ask(desk, opened);
  } finally {
    await opened.close();
  }
}

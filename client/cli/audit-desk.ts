/** The audit log as commands use it: reads, a signature on what is there, and the one thing that may be forgotten. */
import { type Anchor, notesIn, type OutsideNote } from "../../audit/anchor.js";
import { checkOldEnough, forgetOpenings, forgettable } from "../../audit/forgetting.js";
import type { AuditKeeper } from "../../audit/keeper.js";
import { entriesOf, type LoggedEntry } from "../../audit/log.js";
import { type Signer, type Verifier, verifierText } from "../../audit/note.js";
import { type EvidencePack, makePack } from "../../audit/pack.js";
import type { Spool } from "../../audit/spool.js";
import { type Verified, verifyLog } from "../../audit/verify.js";
import { tellAudit, waitingCount } from "../../inventory/audit-outbox.js";
import { type Database, read, transact } from "../../inventory/database.js";

/** What `rekey audit verify` found, and what the log does not have yet. */
export interface AuditState extends Verified {
  /** Entries that were told and wait for the log. */
  readonly waiting: number;
  /** Entries in this machine's spool. */
  readonly spooled: number;
}

/**
 * Verifies the whole log with the public half of its key, as an auditor does: against its own checkpoints and those
 * that are given. A log of which the key has signed nothing is not whole, however well it agrees with itself.
 */
export async function verifyWith(
  log: Database,
  verifier: Verifier,
  outside: readonly OutsideNote[],
): Promise<Verified> {
  const verified = await verifyLog(log, verifier, outside);
  if (verified.size === 0 || verified.checkpoints > 0) return verified;
  const sentence = `Nothing of the log was signed by the key of ${verifier.name}.`;
  return { ...verified, findings: [...verified.findings, sentence] };
}

/** What commands ask of the log. */
export interface AuditDesk {
  /** The log's key as one line, for other programs. */
  key(): string;
  /** The newest checkpoint as a signed note; signed now where something was added. */
  checkpoint(): Promise<string>;
  /** Verifies all of it, against its own checkpoints, those of the anchors, and those that are given. */
  verify(outside: readonly OutsideNote[]): Promise<AuditState>;
  /** A rotation's entries in their order. */
  entries(rotation: string): Promise<readonly LoggedEntry[]>;
  /** The evidence pack of a rotation; signs what was added since the last checkpoint. */
  pack(rotation: string): Promise<EvidencePack>;
  /**
   * Forgets the personal fields of entries that are older than `before`, and answers with how many. The log has an
   * entry of it first, with \`by\` as a commitment; where it takes none in, nothing is forgotten. Throws \`bad-input\`
   * and \`refused-by-policy\` for what is not old enough.
   */
  forget(before: number, by: string): Promise<number>;
}

/** What a desk is made of. */
export interface DeskParts {
  /** The inventory, where entries wait. */
  readonly db: Database;
  readonly log: Database;
  readonly keeper: AuditKeeper;
  readonly signer: Signer;
  readonly anchors: readonly Anchor[];
  readonly spool: Spool;
  /** Milliseconds since the epoch, by the inventory's clock. */
  readonly now: () => Promise<number>;
  /** How long names and reasons are kept at least, in milliseconds. */
  readonly forgetAfterMs: number;
}

/** The desk of a log. */
export function auditDeskOf(parts: DeskParts): AuditDesk {
  const { db, log, keeper, signer, anchors, spool } = parts;
  return {
    key: () => verifierText(signer),
    checkpoint: () => keeper.checkpoint(),
    verify: async (outside) => {
      const verified = await verifyLog(log, signer, [...(await notesIn(anchors)), ...outside]);
      const files = await spool.pending();
      return {
        ...verified,
        waiting: await waitingCount(db),
        spooled: files.reduce((sum, { entries }) => sum + entries.length, 0),
      };
    },
    entries: (rotation) => read(log, (tx) => entriesOf(tx, rotation)),
    pack: async (rotation) => {
      const checkpoint = await keeper.checkpoint();
      return makePack(log, signer, checkpoint, rotation);
    },
    forget: (before, by) => forgotten(parts, before, by),
  };
}

async function forgotten(
  { db, log, keeper, now, forgetAfterMs }: DeskParts,
  before: number,
  by: string,
): Promise<number> {
  const at = await now();
  checkOldEnough(before, at, forgetAfterMs);
  // What waits comes in first, and a log that is not what was signed stops here.
  await keeper.flush();
  const { fields, below } = await forgettable(log, before);
  if (fields === 0) return 0;
  const told = {
    kind: "forgotten",
    at,
    rotation: null,
    facts: { before, fields, below },
    personal: { by },
  } as const;
  await transact(db, (tx) => tellAudit(tx, told));
  await keeper.flush();
  return forgetOpenings(log, before, below);
}

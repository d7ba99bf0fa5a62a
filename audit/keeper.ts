/**
 * The log as the engine uses it: before a change its intent is in the log, or in the spool where the change may
 * not wait for a log; everything else is taken in behind the engine's back. Nothing here ever undoes a change (H31).
 */

import { setTimeout as pause } from "node:timers/promises";
import type { AuditEntry } from "../domain/audit.js";
import { count } from "../domain/count.js";
import { RekeyError } from "../domain/errors.js";
import { type Database, read } from "../inventory/database.js";
import { type Anchor, notesIn } from "./anchor.js";
import { checkAgainstKnown, signLog } from "./checkpoints.js";
import { bodiesIn } from "./log.js";
import { mergeSpool } from "./merge.js";
import { type Place, placeText } from "./mismatch.js";
import type { Signer } from "./note.js";
import { SeenHead } from "./seen-head.js";
import { batchMax, type Source, sequence, type Taking } from "./sequencer.js";
import type { Spool } from "./spool.js";

/** What the keeper is made of. */
export interface KeeperParts {
  /** Makes the log where there is none. Called before its first use and until it succeeded once. */
  readonly prepare: () => Promise<void>;
  readonly log: Database;
  readonly source: Source;
  readonly spool: Spool;
  readonly signer: Signer;
  readonly anchors: readonly Anchor[];
  readonly now: () => number;
  /** Tells whoever watches the process. */
  readonly warn: (sentence: string) => void;
}

/** The log, kept by this process. */
export interface AuditKeeper {
  /** Why the log takes nothing in now, or null. Asks the log only where its last answer was no. */
  objection(): Promise<RekeyError | null>;
  /**
   * Answers null once the entry, which waits already, is durably told: in the log, or, where the log is down and
   * `unlogged` allows it, in the spool. Otherwise with the reason why the change must not be made.
   */
  secure(entry: AuditEntry, unlogged: boolean): Promise<RekeyError | null>;
  /** Takes in everything that waits. Throws `audit-down` or `audit-broken`. */
  flush(): Promise<void>;
  /** The log's newest checkpoint, signed now where something was added. Throws `audit-down` or `audit-broken`. */
  checkpoint(): Promise<string>;
}

/** A change waits no longer than this for the log; it is far below its own deadline. */
const flushMsMax = 8_000;

/** Makes the keeper; nothing is asked yet. */
export function auditKeeper(parts: KeeperParts): AuditKeeper {
  const { prepare, log, source, spool, signer, anchors, now, warn } = parts;
  const seen = new SeenHead();
  const taking: Taking = { seen, now };
  /** Entries that went into the spool and are not known to be in the log. */
  const inHand = new Map<string, AuditEntry>();
  let running: Promise<void> | null = null;
  let queued: Promise<void> | null = null;
  let checked = false;
  /** The last answer of the log; what was never asked is not known to work. */
  let last: RekeyError | null = new RekeyError("audit-down", "The audit log was not asked yet.");

  const takeIn = async (): Promise<void> => {
    const until = now() + flushMsMax;
    if (!checked) {
      await prepare();
      const known = { seen: seen.head, outside: await notesIn(anchors) };
      seen.saw(await read(log, (tx) => checkAgainstKnown(tx, signer, known)));
      checked = true;
    }
    // Read before the outbox, as an entry is told before it is spooled, and merged behind it, with what we have in hand
    // between them: what was told is not for the spool to say, a file that whoever has the disk can write anew.
    const files = await spool.pending();
    for (;;) {
      const { seen: waited, odd } = await sequence(log, source, taking);
      warnOdd(odd, source.place, warn);
      if (waited < batchMax) break;
      if (now() > until) throw new RekeyError("audit-down", "The audit log lags behind what is told to it.");
    }
    const mine = [...inHand.values()];
    if (mine.length > 0) await fromHand(log, mine, taking, warn);
    for (const { id } of mine) inHand.delete(id);
    const { merged, alone, odd } = await mergeSpool(log, spool, files, now(), seen);
    warnOdd(odd, "spool", warn);
    if (alone > 0)
      warn(
        `${count(alone, "entry", "entries")} stood in the spool alone: taken out of the outbox, or written by somebody else.`,
      );
    if (merged > 0)
      warn(
        `The audit log is back: ${count(merged, "entry was", "entries were")} merged from the spool, with a gap marked.`,
      );
  };

  const noted = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
      last = null;
    } catch (error) {
      last = asAuditError(error);
      // What comes back may be a backup: it is asked again whether it goes on from the anchor (H32).
      checked = false;
      throw last;
    }
  };

  /** One at a time; who comes meanwhile shares the next one, which begins after they came. */
  const flush = (): Promise<void> => {
    if (running === null) {
      running = noted(takeIn).finally(() => {
        running = null;
      });
      return running;
    }
    queued ??= running
      .catch(() => undefined)
      .then(() => {
        queued = null;
        return flush();
      });
    return queued;
  };

  return {
    flush,
    objection: async () => {
      if (last === null) return null;
      await flush().catch(() => undefined);
      return last;
    },
    secure: async (entry, unlogged) => {
      try {
        await flush();
        await ensureTold(log, entry, taking, warn);
        return null;
      } catch (error) {
        const refusal = asAuditError(error);
        if (!unlogged) return refusal;
        const spoolRefusal = await spooled(spool, entry, refusal, now(), warn);
        if (spoolRefusal === null) inHand.set(entry.id, entry);
        return spoolRefusal;
      }
    },
    checkpoint: async () => {
      await flush();
      let note = "";
      await noted(async () => {
        note = await signLog(log, signer, anchors, now(), seen);
      });
      return note;
    },
  };
}

/**
 * That nothing waits any more says only that the outbox is empty, and whoever owns the inventory can empty it. So the
 * log is asked for this very entry: where it is missing it is taken in from our own hand, because the log is to have
 * it, and refusing would give whoever empties the outbox a way to stop every change. Another text under its id cannot
 * be mended. Throws `audit-broken` for that, and the errors of `transact`.
 */
async function ensureTold(
  log: Database,
  entry: AuditEntry,
  taking: Taking,
  warn: (sentence: string) => void,
): Promise<void> {
  const told = (await read(log, (tx) => bodiesIn(tx, [entry.id]))).get(entry.id);
  if (told === entry.body) return;
  if (told === undefined) return fromHand(log, [entry], taking, warn);
  const sentence = `The audit log has another text under the id of intent ${entry.id} than was written.`;
  throw new RekeyError(
    "audit-broken",
    sentence,
    "Find out who changed the inventory's outbox: a trigger, or its owner.",
  );
}

/** Takes in entries that this process told itself, where the log does not have them from the outbox. */
async function fromHand(
  log: Database,
  entries: readonly AuditEntry[],
  taking: Taking,
  warn: (sentence: string) => void,
): Promise<void> {
  const known = await read(log, (tx) =>
    bodiesIn(
      tx,
      entries.map(({ id }) => id),
    ),
  );
  const source = { place: "hand", waiting: async () => entries, taken: async () => undefined } as const;
  const { odd } = await sequence(log, source, taking);
  warnOdd(odd, source.place, warn);
  for (const { id } of entries.filter(({ id }) => !known.has(id)))
    warn(`Somebody took intent ${id} out of the inventory's outbox; the audit log has it all the same.`);
}

function warnOdd(odd: number, place: Place, warn: (sentence: string) => void): void {
  if (odd > 0)
    warn(
      `${count(odd, "text")} in ${placeText(place)} ${odd === 1 ? "is" : "are"} not what was told; the audit log tells of them.`,
    );
}

async function spooled(
  spool: Spool,
  entry: AuditEntry,
  refusal: RekeyError,
  now: number,
  warn: (sentence: string) => void,
): Promise<RekeyError | null> {
  try {
    await spool.add(entry, now);
    warn(
      `${refusal.message} A change that may not wait goes on; its intent ${entry.id} is in the audit spool.`,
    );
    return null;
  } catch (error) {
    return asAuditError(error);
  }
}

/**
 * Whatever went wrong, as one of the two things that matter here. What is none of ours is a log that is down too: a
 * mistake in it must not keep a leak open.
 */
function asAuditError(error: unknown): RekeyError {
  if (!(error instanceof RekeyError)) {
    const name = error instanceof Error ? error.constructor.name : typeof error;
    return new RekeyError("audit-down", `The audit log failed in an unexpected way (${name}).`);
  }
  if (error.code === "audit-broken" || error.code === "audit-down") return error;
  return new RekeyError("audit-down", error.message, error.hint);
}

/** Keeps the log until it is told to stop: takes in what waits, and signs now and then. Resolves when it has stopped. */
export function keepLog(
  keeper: AuditKeeper,
  {
    flushEveryMs,
    signEveryMs,
    now,
    warn,
  }: {
    readonly flushEveryMs: number;
    readonly signEveryMs: number;
    readonly now: () => number;
    readonly warn: (sentence: string) => void;
  },
): () => Promise<void> {
  const stop = new AbortController();
  let signedAt = now();
  let said = "";
  const once = async (): Promise<void> => {
    try {
      if (now() - signedAt >= signEveryMs) {
        await keeper.checkpoint();
        signedAt = now();
      } else {
        await keeper.flush();
      }
      said = "";
    } catch (error) {
      const { message } = asAuditError(error);
      if (message !== said) warn(`The audit log is not kept: ${message}`);
      said = message;
    }
  };
  const done = (async () => {
    while (!stop.signal.aborted) {
      await once();
      await pause(flushEveryMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
    // What was told last is signed before the process ends, if the log can be had.
    await keeper.checkpoint().catch(() => undefined);
  })();
  return async () => {
    stop.abort();
    await done;
  };
}

/**
 * Listens for the socket device of Vault or OpenBao, which connects out to whoever listens. A scan ends, so it listens for a
 * stated time, and says that whatever was told outside of it was not seen.
 */
import { createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { RekeyError } from "../../domain/errors.js";
import type { Call } from "../ports.js";
import { causeOf } from "../shared/file-errors.js";
import { unreadableCursor } from "../shared/source-cursor.js";
import { recordsInto } from "../shared/source-log-files.js";
import type { PartBuilder } from "../shared/source-log-part.js";
import { LineSplitter, RecordReader, StreamBytes } from "../shared/source-log-records.js";
import type { VaultAuditConfig } from "./vault-audit-schema.js";
import type { TakeLine } from "./vault-audit-tally.js";

type Listening = Extract<VaultAuditConfig["from"], { method: "socket" }>;

const cursorSchema = z.strictObject({ v: z.literal(1), listenedUntil: z.number() });
/** How often a scan that listens looks whether its part is full, in milliseconds. */
const lookMs = 200;
/** A device needs one connection; a cluster and a restart need a few. */
const connectionsMax = 16;
/** A connection on which nothing came for so long has nothing on its way. */
const quietMs = 100;
/** How long a connection that never falls silent is heard to the end of a line, in milliseconds. */
const graceMs = 5_000;

/** The cursor: until when somebody listened, in milliseconds since the epoch. */
export function socketCursor(listenedUntil: number): string {
  return JSON.stringify({ v: 1, listenedUntil });
}

function untilIn(cursor: string | null): number | null {
  if (cursor === null) return null;
  try {
    return cursorSchema.parse(JSON.parse(cursor)).listenedUntil;
  } catch {
    throw unreadableCursor();
  }
}

/** What is done with lines, and the clock. */
export interface Hearing {
  readonly part: PartBuilder;
  readonly record: TakeLine;
  readonly now: () => number;
}

/**
 * Listens, and gives something from time to time so that a full part can be kept; `until` is there at the end. Throws
 * `unreachable` and `not-permitted` where the port cannot be had.
 */
export async function* listening(
  { host, port, listen }: Listening,
  cursor: string | null,
  { part, record, now }: Hearing,
  call: Call,
): AsyncGenerator<{ readonly until?: number }> {
  const before = untilIn(cursor);
  const server = createServer();
  server.maxConnections = connectionsMax;
  const sockets = new Set<Socket>();
  const readings: Promise<void>[] = [];
  const end = new AbortController();
  server.on("connection", (socket) => {
    sockets.add(socket);
    readings.push(hear(socket, `connection ${readings.length + 1}`, { part, record }, end.signal));
  });
  await opened(server, host, port);
  const begun = now();
  try {
    for (let left = listen; left > 0; left -= lookMs) {
      await pause(Math.min(left, lookMs), call);
      yield {};
    }
    server.close();
    end.abort();
    await Promise.all(readings);
  } finally {
    server.close();
    for (const socket of sockets) socket.destroy();
  }
  const until = now();
  part.gap(windowText(before, begun, until, readings.length));
  yield { until };
}

function windowText(before: number | null, begun: number, until: number, connections: number): string {
  const at = (time: number) => new Date(time).toISOString();
  const heard = connections === 0 ? ", and no device connected" : "";
  const missed = before === null ? "before that" : `between ${at(before)} and that`;
  return `The socket was listened to from ${at(begun)} until ${at(until)}${heard}; what was told ${missed} was not heard.`;
}

/**
 * Reads one connection: to its end, or from the end of the scan to where a line ends. A line without an end is reported:
 * nobody will send the rest.
 */
async function hear(
  socket: Socket,
  name: string,
  { part, record }: Pick<Hearing, "part" | "record">,
  end: AbortSignal,
): Promise<void> {
  const where = (offset: number) => `${name}, byte ${offset}`;
  const take = (bytes: Buffer, from: number, to: number, offset: number) =>
    record(bytes, from, to, () => where(offset));
  const malformed = (offset: number, why: string) => {
    part.count();
    part.malformed(where(offset), why);
  };
  const gap = (sentence: string) => part.gap(sentence);
  // Whoever writes there waits for it, a whole store if need be: nothing is left lying because a part is full.
  const full = () => false;
  const sink = recordsInto({ begin: () => undefined, take, malformed, gap, full });
  const reader = new RecordReader(new StreamBytes(socket), new LineSplitter(), sink, 0);
  let pending: Promise<boolean> | undefined;
  let endedAt = Number.POSITIVE_INFINITY;
  try {
    for (;;) {
      pending ??= reader.more();
      const got = await Promise.race([pending, sleep(quietMs, "quiet" as const, { ref: false })]);
      if (got === false) break;
      if (end.aborted) {
        endedAt = Math.min(endedAt, performance.now());
        const late = performance.now() - endedAt > graceMs;
        if (got === "quiet" || late || reader.rest().length === 0) break;
      }
      if (got === true) pending = undefined;
    }
  } catch {
    part.gap(`${name} broke off; what was on its way was not heard.`);
  }
  pending?.catch(() => undefined);
  if (reader.rest().length === 0 && !reader.passing) return;
  part.count();
  part.malformed(
    where(reader.offset),
    "is a record without an end: the connection ended in the middle of it",
  );
}

function opened(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(refusal(error, host, port)));
    server.listen(port, host, resolve);
  });
}

function refusal(error: unknown, host: string, port: number): RekeyError {
  const code = causeOf(error);
  if (code === "EACCES" || code === "EPERM")
    return new RekeyError("not-permitted", `The engine's user may not listen at ${host}:${port}.`);
  const why = code === "EADDRINUSE" ? "somebody else listens there" : "the address is none of this machine";
  return new RekeyError("unreachable", `Nobody can connect to ${host}:${port}: ${why}.`);
}

async function pause(ms: number, { signal }: Call): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    throw new RekeyError("unreachable", "The scan is over before it has listened to its end.");
  }
}

/**
 * Reads files by records, from where the last scan stopped, whatever became of the files in between: written on, renamed,
 * compressed, copied and emptied, replaced. What is missing is said, and what did not change is not opened.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { RekeyError } from "../../domain/errors.js";
import type { Call } from "../ports.js";
import { foreignTo, type OpenBytes, openFile } from "./source-log-bytes.js";
import {
  beginsAs,
  cursorText,
  earlierOf,
  type FileRead,
  type FilesRead,
  filesIn,
  headBytesMax,
  headHash,
  unchanged,
} from "./source-log-cursor.js";
import { type FileSeen, listFiles, liveAmong, writtenSince } from "./source-log-list.js";
import {
  RecordReader,
  type RecordSink,
  recordBytesMax,
  type Splitter,
  textOf,
  windowBytes,
} from "./source-log-records.js";

/** What becomes of what was read. `offset` is the byte of the file, after decompression. */
export interface FileSink {
  /** What comes now is of this file, which `named` of the setting name. */
  begin(path: string, named: readonly string[]): void;
  /** One record; the bytes are only good during the call. False where it is none, which is kept as malformed. */
  take(bytes: Buffer, from: number, to: number, offset: number): boolean;
  malformed(offset: number, why: string): void;
  /** `again`: a reading from the beginning would name it again where it is so still. */
  gap(sentence: string, how?: { readonly again: boolean }): void;
  /** No more is taken in before a piece has been given. */
  full(): boolean;
}

/** How files are read. */
export interface FileReading {
  readonly paths: readonly string[];
  /** Those of them whose logs always have something to write, where each is another log. */
  readonly logs?: readonly string[];
  readonly splitter: (mode: string) => Splitter;
  /** Each file is a whole document: one that ends in the middle is reported, however new it is. */
  readonly documents: boolean;
  /** Whether text without an end of its own, the last of a file, is a whole record. */
  readonly isWhole: (text: string) => boolean;
  /** When it is read, in milliseconds since the epoch. */
  readonly now: number;
  readonly recordBytesMax?: number;
}

/** One that was written to so lately, in milliseconds, may be only half copied or compressed when it is read. */
const freshMs = 60_000;
/** How long nobody writes to a file that is at rest, in milliseconds, and how often it is looked at until it is. */
const [restMs, looksMax] = [2_000, 60] as const;

/**
 * Reads everything that is new. Gives a function after each piece: the cursor at that moment, asked for before going on.
 * Throws `unreachable`, also where no file is there at all: that is a disk that is away, and no log in which nobody stands
 * (H21). Throws `not-permitted` where no file may be read.
 */
export async function* readFiles(
  reading: FileReading,
  cursor: string | null,
  sink: FileSink,
  call: Call,
): AsyncGenerator<() => string> {
  const read = filesIn(cursor);
  const { files, missing } = await listFiles(reading.paths);
  if (files.length === 0)
    throw new RekeyError("unreachable", `No file is there by the name ${missing[0]}; is it mounted?`);
  for (const path of missing) sink.gap(`No file is there by the name ${path}.`, { again: true });
  await loseReplaced(files, read);
  const listed = new Set(files.map(({ id }) => id));
  const lost = new Set([...read.keys()].filter((id) => !listed.has(id)));
  const live = liveAmong(files, reading.logs);
  const state = () => cursorText(read.values());
  // One window for all files: thousands of them would be thrown away faster than memory is given back.
  const window = Buffer.allocUnsafe(Math.min(windowBytes, reading.recordBytesMax ?? recordBytesMax));
  let refused: unknown;
  let opened = 0;
  for (const file of files) {
    const known = read.get(file.id);
    const isLive = live.has(file.id);
    if (known !== undefined && unchanged(known, file) && (!known.open || known.told || isLive)) {
      read.set(file.id, { ...known, path: file.path, live: isLive });
      opened++;
      continue;
    }
    try {
      for await (const _ of readFile(reading, file, isLive, { read, lost, window }, sink, call)) yield state;
      opened++;
    } catch (error) {
      if (!(error instanceof RekeyError) || error.code !== "not-permitted") throw error;
      sink.gap(`${file.path} may not be read by the engine's user; nothing in it was seen.`, {
        again: true,
      });
      refused = error;
    }
  }
  if (refused !== undefined && opened === 0) throw refused;
  for (const id of lost) {
    const gone = read.get(id);
    read.delete(id);
    if (gone === undefined || !(gone.open || gone.live || gone.within)) continue;
    sink.gap(
      `${gone.path} is gone, was emptied or was replaced. It had been read to byte ${gone.offset}; what was written to it behind that was not seen.`,
    );
  }
  yield state;
}

/**
 * What a file had that begins otherwise now belongs to no file any more. It is kept under a name that no file has until the
 * scan ends: a copy may turn up that goes on with it.
 */
async function loseReplaced(files: readonly FileSeen[], read: FilesRead): Promise<void> {
  for (const file of files) {
    const known = read.get(file.id);
    if (known === undefined || unchanged(known, file)) continue;
    const head = await headOf(file);
    if (head === undefined || beginsAs(head, known)) continue;
    read.delete(file.id);
    read.set(`-${file.id}`, { ...known, id: `-${file.id}` });
  }
}

/** The beginning of a file; undefined where it may not be read, which is said when it is its turn. */
async function headOf({ path, size }: FileSeen): Promise<Buffer | undefined> {
  let bytes: OpenBytes | undefined;
  try {
    bytes = await openFile(path, size);
    return await bytes.head(headBytesMax);
  } catch (error) {
    if (error instanceof RekeyError && error.code === "not-permitted") return undefined;
    throw error;
  } finally {
    await bytes?.close();
  }
}

interface Known {
  readonly read: FilesRead;
  /** Ids of what was read of files that are no more. */
  readonly lost: Set<string>;
  readonly window: Buffer;
}

async function* readFile(
  reading: FileReading,
  file: FileSeen,
  live: boolean,
  { read, lost, window }: Known,
  sink: FileSink,
  call: Call,
  looks = 0,
): AsyncGenerator<void> {
  const bytes = await openFile(file.path, file.size);
  let grown: FileSeen | undefined;
  try {
    sink.begin(file.path, file.named);
    const head = await bytes.head(headBytesMax);
    const earlier = earlierOf(head, file, read, lost);
    if (earlier !== undefined && earlier.id !== file.id) {
      read.delete(earlier.id);
      lost.delete(earlier.id);
    }
    const from = earlier?.offset ?? 0;
    const offset = await bytes.skipTo(from);
    if (offset < from && bytes.damage === undefined) {
      sink.gap(`${file.path} has shrunk: it had been read to byte ${from}, and ends at byte ${offset} now.`);
    }
    const splitter = reading.splitter(earlier?.mode ?? "");
    const records = new RecordReader(
      bytes,
      splitter,
      recordsInto(sink),
      offset,
      reading.recordBytesMax ?? recordBytesMax,
      window,
    );
    const about = {
      path: file.path,
      id: file.id,
      head: headHash(head, head.length),
      headBytes: head.length,
      size: file.size,
      mtimeMs: file.mtimeMs,
      live,
    };
    const keep = (more: Pick<FileRead, "offset" | "open" | "told" | "within">) =>
      read.set(file.id, { ...about, mode: splitter.mode, ...more });
    const strange = foreignTo(head);
    if (strange !== undefined) {
      sink.malformed(0, strange);
      keep({ offset: 0, open: true, told: true, within: false });
      return;
    }
    while (await records.more()) {
      if (call.signal.aborted) throw new RekeyError("unreachable", `${file.path} was not read in time.`);
      keep({ offset: records.offset, open: splitter.open, told: false, within: true });
      yield;
    }
    const isCut =
      bytes.damage !== undefined || ((records.passing || splitter.open) && !isAwaited(reading, bytes, live));
    if (isCut && Math.abs(reading.now - file.mtimeMs) < freshMs && looks < looksMax) {
      await sleep(restMs);
      grown = await writtenSince(file);
    }
    if (grown === undefined)
      keep({ ...ending(reading, records, splitter, bytes, live, sink), within: false });
    else keep({ offset: records.offset, open: splitter.open, told: false, within: true });
  } finally {
    await bytes.close();
  }
  // Somebody was about to write it: what they have written since is read on.
  if (grown !== undefined)
    yield* readFile(reading, grown, live, { read, lost, window }, sink, call, looks + 1);
}

/** An end that is missing is waited for: nobody writes on in a document, in what is compressed, and in a file that was rotated. */
function isAwaited({ documents }: FileReading, { compressed }: OpenBytes, live: boolean): boolean {
  return live && !documents && !compressed;
}

/** What a reader of records tells, for a sink of files. */
export function recordsInto(sink: FileSink): RecordSink {
  return {
    take: (bytes, from, to, at) => sink.take(bytes, from, to, at),
    broken: (at) => sink.malformed(at, "is a record without an end: the next one begins in the middle of it"),
    tooLong: (at, length) => sink.malformed(at, `is a record of ${length} bytes, which is too long`),
    full: () => sink.full(),
  };
}

/** What is left at the end: of a file that nobody writes to any more it is taken or reported, of another it is waited for. */
function ending(
  reading: FileReading,
  records: RecordReader,
  splitter: Splitter,
  bytes: OpenBytes,
  live: boolean,
  sink: FileSink,
): Pick<FileRead, "offset" | "open" | "told"> {
  const { offset } = records;
  const open = splitter.open || records.passing;
  if (bytes.damage !== undefined) {
    sink.malformed(offset, bytes.damage);
    return { offset, open: true, told: true };
  }
  if (!open) return { offset, open, told: false };
  if (isAwaited(reading, bytes, live)) return { offset, open, told: false };
  const rest = records.rest();
  const text = records.passing ? null : textOf(rest, 0, rest.length);
  if (text !== null && !reading.documents && (text.trim() === "" || reading.isWhole(text))) {
    sink.take(rest, 0, rest.length, offset);
    return { offset: offset + rest.length, open: false, told: false };
  }
  sink.malformed(offset, "is a record without an end; the file ends in the middle of it");
  return { offset, open: true, told: true };
}

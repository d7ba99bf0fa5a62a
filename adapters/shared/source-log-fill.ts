/** How the records of a log's files come into the parts of a scan, the same for every log. */
import type { ScanPart } from "../../domain/discovery/said.js";
import { RekeyError } from "../../domain/errors.js";
import type { FileSink } from "./source-log-files.js";
import type { PartBuilder } from "./source-log-part.js";

/** Takes one record in; false where it is none. `where` says its place, for people. */
type TakeRecord = (bytes: Buffer, begin: number, end: number, where: () => string) => boolean;

/** A sink that has records taken in, and tells the part what else was met, each by its file and byte. */
export function sinkInto(part: PartBuilder, record: TakeRecord): FileSink {
  let path = "";
  const where = (offset: number) => `${path}, byte ${offset}`;
  return {
    begin: (next) => {
      path = next;
    },
    take: (bytes, begin, end, offset) => record(bytes, begin, end, () => where(offset)),
    malformed: (offset, why) => {
      part.count();
      part.malformed(where(offset), why);
    },
    gap: (sentence, how) => part.gap(sentence, how),
    full: () => part.full,
  };
}

/** A part whenever it is full, and what is left at the end. `pieces` yields how to ask for the cursor behind what was read. */
export async function* partsOf(
  part: PartBuilder,
  pieces: AsyncIterable<() => string> | Iterable<() => string>,
): AsyncGenerator<ScanPart> {
  let state: (() => string) | undefined;
  for await (const now of pieces) {
    state = now;
    if (part.full) yield part.take(now());
  }
  if (state === undefined) throw new RekeyError("internal", "A scan ended without a cursor.");
  yield part.take(state());
}

/**
 * Records out of a stream of bytes, because a log of any size has to fit into a window of fixed size. A splitter finds where
 * each record ends; the reader fills the window, hands each record on where it lies, and knows at which byte to go on.
 */
import { isUtf8 } from "node:buffer";

/** Where bytes come from. */
export interface ByteSource {
  /** Writes the next bytes into `into` from `at` on; how many, 0 at the end. Throws at the edge of whatever is read. */
  fill(into: Buffer, at: number): Promise<number>;
}

/**
 * Finds the next record. Everything that it keeps is relative to where the last record ended, so that the window may move
 * under it.
 */
export interface Splitter {
  /** The found record lies in `bytes[from, to)`; the one behind it begins at `next`. */
  readonly from: number;
  readonly to: number;
  readonly next: number;
  /** What has to be known to go on at `next`, besides the byte; part of cursors. */
  readonly mode: string;
  /** True when a record ends in `bytes[at, end)`. `at` is where the last one ended; the search goes on where it stopped. */
  find(bytes: Buffer, at: number, end: number): boolean;
  /** What was searched of an unfinished record is thrown away; it begins no more in the window. */
  dropped(): void;
  /** Where the unfinished record begins in a window in which `at` is where the last one ended. */
  begun(at: number): number;
  /** The bytes so far end in the middle of something, which may still come. */
  readonly open: boolean;
  /**
   * What lies in `bytes[from, to)` is no record: where within it the next one may begin all the same, -1 where nothing says
   * so. The search begins anew there.
   */
  resync(bytes: Buffer, from: number, to: number): number;
}

/** Lines; CR LF and LF both end one. */
export class LineSplitter implements Splitter {
  readonly mode = "";
  from = 0;
  to = 0;
  next = 0;
  #seen = 0;

  get open(): boolean {
    return this.#seen > 0;
  }

  find(bytes: Buffer, at: number, end: number): boolean {
    const feed = bytes.indexOf(10, at + this.#seen);
    if (feed === -1 || feed >= end) {
      this.#seen = end - at;
      return false;
    }
    this.#seen = 0;
    this.from = at;
    this.to = feed > at && bytes[feed - 1] === 13 ? feed - 1 : feed;
    this.next = feed + 1;
    return true;
  }

  dropped(): void {
    this.#seen = 0;
  }

  begun(at: number): number {
    return at;
  }

  /** A line is over where it ends. */
  resync(): number {
    return -1;
  }
}

/** What becomes of records. `offset` is where the record begins in the stream. */
export interface RecordSink {
  /** One record, valid only during the call: the window is used again. False where it is none, which the sink keeps. */
  take(bytes: Buffer, from: number, to: number, offset: number): boolean;
  /** One that has no end where the next one begins. */
  broken(offset: number): void;
  /** One that is longer than the window may become; it was passed over. */
  tooLong(offset: number, bytes: number): void;
  /** Asked after each record: no more of them are taken until the reader is told to go on. */
  full(): boolean;
}

/** The window at the beginning, and how far it grows for a long record, in bytes. */
export const windowBytes = 1 << 20;
/** The longest record that is read. */
export const recordBytesMax = 64 << 20;

/** Reads a stream record by record, in a window. */
export class RecordReader {
  readonly #source: ByteSource;
  readonly #splitter: Splitter;
  readonly #sink: RecordSink;
  readonly #bytesMax: number;
  #window: Buffer;
  /** In the window: where the last record ended, and where the bytes end. */
  #at = 0;
  #end = 0;
  /** Where the window begins in the stream. */
  #base: number;
  /** Where a record began that is passed over, in the stream; -1 while none is. */
  #passing = -1;
  /** The sink was full in the middle of the window. */
  #stopped = false;

  /** `offset` is the byte of the stream that the source gives first. */
  constructor(
    source: ByteSource,
    splitter: Splitter,
    sink: RecordSink,
    offset: number,
    bytesMax: number = recordBytesMax,
    window: Buffer = Buffer.allocUnsafe(Math.min(windowBytes, bytesMax)),
  ) {
    this.#source = source;
    this.#splitter = splitter;
    this.#sink = sink;
    this.#base = offset;
    this.#bytesMax = bytesMax;
    this.#window = window;
  }

  /** The byte at which the first record begins that was not taken yet. */
  get offset(): number {
    return this.#passing === -1 ? this.#base + this.#at : this.#passing;
  }

  /** Goes on to the end of the next bytes, or until the sink is full; false where there are none. */
  async more(): Promise<boolean> {
    if (this.#stopped) {
      this.#search();
      return true;
    }
    this.#makeRoom();
    const got = await this.#source.fill(this.#window, this.#end);
    if (got === 0) return this.#recovered();
    this.#end += got;
    this.#search();
    return true;
  }

  #search(): void {
    this.#stopped = false;
    while (!this.#stopped && this.#splitter.find(this.#window, this.#at, this.#end)) {
      this.#found();
      this.#stopped = this.#sink.full();
    }
  }

  /** Where a record without an end hides others, they are read. */
  #recovered(): boolean {
    if (this.#passing !== -1) return false;
    const begun = this.#splitter.begun(this.#at);
    const again = begun < this.#end ? this.#splitter.resync(this.#window, begun, this.#end) : -1;
    if (again === -1) return false;
    this.#sink.broken(this.#base + begun);
    this.#at = again;
    this.#search();
    return true;
  }

  /** What came behind the last record without an end of its own; valid until `more`. */
  rest(): Buffer {
    const from = this.#splitter.begun(this.#at);
    return this.#window.subarray(Math.min(from, this.#end), this.#end);
  }

  /** The unfinished record is passed over, because it is too long. */
  get passing(): boolean {
    return this.#passing !== -1;
  }

  #found(): void {
    const { from, to, next } = this.#splitter;
    if (this.#passing !== -1) {
      this.#sink.tooLong(this.#passing, this.#base + to - this.#passing);
      this.#passing = -1;
    } else if (!this.#sink.take(this.#window, from, to, this.#base + from)) {
      const again = this.#splitter.resync(this.#window, from, to);
      if (again !== -1) {
        this.#at = again;
        return;
      }
    }
    this.#at = next;
  }

  /** What was taken leaves the window; where that is not enough it grows, and where it may not, the record is passed over. */
  #makeRoom(): void {
    if (this.#at > 0) {
      this.#window.copyWithin(0, this.#at, this.#end);
      this.#base += this.#at;
      this.#end -= this.#at;
      this.#at = 0;
    }
    if (this.#end < this.#window.length) return;
    if (this.#window.length < this.#bytesMax) {
      const larger = Buffer.allocUnsafe(Math.min(this.#window.length * 2, this.#bytesMax));
      this.#window.copy(larger, 0, 0, this.#end);
      this.#window = larger;
      return;
    }
    if (this.#recovered()) {
      this.#makeRoom();
      return;
    }
    const begun = this.#splitter.begun(0);
    if (this.#passing === -1 && begun < this.#end) this.#passing = this.#base + begun;
    this.#splitter.dropped();
    this.#base += this.#end;
    this.#end = 0;
  }
}

const marks = [0xef, 0xbb, 0xbf] as const;

/**
 * The record as text, without the mark that may stand at the beginning of a file (BOM); null where it is not UTF-8. Bytes
 * are only looked at twice where a replacement character came out.
 */
export function textOf(bytes: Buffer, from: number, to: number): string | null {
  const marked = marks.every((byte, index) => bytes[from + index] === byte && from + index < to);
  const text = bytes.toString("utf8", marked ? from + marks.length : from, to);
  if (text.includes("\uFFFD") && !isUtf8(bytes.subarray(from, to))) return null;
  return text;
}

/** Bytes of a stream that gives them in pieces of its own size: a decompressor, an answer over the wire. */
export class StreamBytes implements ByteSource {
  readonly #pieces: AsyncIterator<Buffer>;
  #piece: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Buffer>) {
    this.#pieces = stream[Symbol.asyncIterator]();
  }

  async fill(into: Buffer, at: number): Promise<number> {
    while (this.#piece.length === 0) {
      const { done, value } = await this.#pieces.next();
      if (done === true) return 0;
      this.#piece = value;
    }
    const copied = this.#piece.copy(into, at);
    this.#piece = this.#piece.subarray(copied);
    return copied;
  }

  /** Reads past bytes that were taken already; false where the stream is shorter. */
  async skip(bytes: number): Promise<boolean> {
    const bin = Buffer.allocUnsafe(Math.min(windowBytes, Math.max(1, bytes)));
    for (let left = bytes; left > 0; ) {
      const got = await this.fill(left < bin.length ? bin.subarray(0, left) : bin, 0);
      if (got === 0) return false;
      left -= got;
    }
    return true;
  }
}

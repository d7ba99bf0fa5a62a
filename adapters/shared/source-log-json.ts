/**
 * Splits documents of JSON into the records in them while they stream by, because one document may be larger than memory
 * and because parsers that stream build every value in JavaScript: far slower than finding where an object ends and giving
 * the whole of it to `JSON.parse`. What is found is not yet known to be JSON.
 *
 * Known are `{"Records": [{...}, ...]}`, `[{...}, ...]`, and objects one behind the other (one a line).
 */
import type { Splitter } from "./source-log-records.js";

/** Where in a document: outside of one, in the array of `Records`, in an array, behind the array up to the end of the document. */
type Mode = "" | "records" | "array" | "tail";

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const opensArray = 0x5b;
const closesArray = 0x5d;
const opens = 0x7b;
const closes = 0x7d;
const feed = 0x0a;

/** White space, and the bytes of the mark (BOM) that may stand at the beginning. */
function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === feed || byte === 0x0d || byte === 0x09;
}

function isMark(byte: number | undefined): boolean {
  return byte === 0xef || byte === 0xbb || byte === 0xbf;
}

/**
 * Objects in documents. `key` is what the array is called in a document that is an object; it has to stand first. `first` is
 * the name with which every record begins: where one is damaged, the next one is found by it.
 */
export class ObjectSplitter implements Splitter {
  mode: Mode;
  from = 0;
  to = 0;
  next = 0;
  readonly #beginning: readonly string[];
  #now: Mode;
  /** Bytes behind the last record that were looked at. */
  #seen = 0;
  /** Where the record began, counted from the last one's end; -1 between records. */
  #start = -1;
  #depth = 0;
  #inText = false;
  #escaped = false;
  /** Something that is no object stands where one should. */
  #stray = false;
  #undecided = false;
  readonly #mark: string;

  constructor(key: string, first: string, mode: string) {
    this.#mark = `{"${first}"`;
    this.#beginning = ["{", `"${key}"`, ":", "["];
    this.mode = mode === "records" || mode === "array" ? mode : "";
    this.#now = this.mode;
  }

  get open(): boolean {
    return this.#now !== "" || this.#start !== -1 || this.#undecided;
  }

  begun(at: number): number {
    return at + (this.#start === -1 ? this.#seen : this.#start);
  }

  dropped(): void {
    this.#seen = 0;
    if (this.#start !== -1) this.#start = 0;
  }

  resync(bytes: Buffer, from: number, to: number): number {
    const again = bytes.indexOf(this.#mark, from + 1, "latin1");
    if (again === -1 || again >= to) return -1;
    this.#seen = 0;
    this.#start = -1;
    return again;
  }

  find(bytes: Buffer, at: number, end: number): boolean {
    let index = at + this.#seen;
    this.#undecided = false;
    while (index < end) {
      if (this.#now === "tail") index = this.#pastTail(bytes, index, end);
      else if (this.#start === -1) {
        const begun = this.#between(bytes, at, index, end);
        if (begun === -1) {
          this.#undecided = true;
          this.#seen = index - at;
          return false;
        }
        index = begun;
      } else {
        const ended = this.#stray
          ? strayEnd(bytes, index, end, this.#now)
          : this.#objectEnd(bytes, index, end);
        if (ended !== -1) return this.#found(at, ended);
        index = end;
      }
    }
    this.#seen = end - at;
    return false;
  }

  #found(at: number, ended: number): true {
    this.from = at + this.#start;
    this.to = ended;
    this.next = ended;
    this.mode = this.#now === "tail" ? "" : this.#now;
    this.#seen = 0;
    this.#start = -1;
    this.#stray = false;
    return true;
  }

  /** One step between records: the place to go on at, or -1 where the bytes do not tell yet what begins here. */
  #between(bytes: Buffer, at: number, index: number, end: number): number {
    const byte = bytes[index];
    if (isSpace(byte)) return index + 1;
    if (this.#now === "") {
      if (isMark(byte)) return index + 1;
      if (byte === opensArray) {
        this.#now = "array";
        return index + 1;
      }
      const list = byte === opens ? begins(bytes, index, end, this.#beginning) : 0;
      if (list === -1) return -1;
      if (list > 0) {
        this.#now = "records";
        return list;
      }
    } else {
      if (byte === comma) return index + 1;
      if (byte === closesArray) {
        if (this.#now === "records") {
          this.#now = "tail";
          this.#begin(1);
        } else this.#now = "";
        return index + 1;
      }
    }
    this.#start = index - at;
    this.#begin(0);
    this.#stray = byte !== opens;
    return this.#stray ? index + 1 : index;
  }

  #begin(depth: number): void {
    this.#depth = depth;
    this.#inText = false;
    this.#escaped = false;
  }

  /** Behind the end of the object, or -1. The state of the search stays for the next bytes. */
  #objectEnd(bytes: Buffer, from: number, end: number): number {
    let [depth, inText, escaped] = [this.#depth, this.#inText, this.#escaped];
    for (let index = from; index < end; index++) {
      const byte = bytes[index];
      if (inText) {
        if (escaped) escaped = false;
        else if (byte === backslash) escaped = true;
        else if (byte === quote) inText = false;
      } else if (byte === quote) inText = true;
      else if (byte === opens || byte === opensArray) depth++;
      else if (byte === closes || byte === closesArray) {
        depth--;
        if (depth <= 0) return index + 1;
      }
    }
    this.#depth = depth;
    this.#inText = inText;
    this.#escaped = escaped;
    return -1;
  }

  /** Passes over what stands behind the array in its document. */
  #pastTail(bytes: Buffer, from: number, end: number): number {
    const ended = this.#objectEnd(bytes, from, end);
    if (ended === -1) return end;
    this.#now = "";
    return ended;
  }
}

/** What is no object ends where the next thing begins. */
function strayEnd(bytes: Buffer, from: number, end: number, mode: Mode): number {
  for (let index = from; index < end; index++) {
    const byte = bytes[index];
    if (byte === feed || byte === opens) return index;
    if (mode !== "" && (byte === comma || byte === closesArray)) return index;
  }
  return -1;
}

/** Behind the pieces, with white space between them; 0 where something else stands there, -1 where the bytes end before that is known. */
function begins(bytes: Buffer, from: number, end: number, pieces: readonly string[]): number {
  let index = from;
  for (const piece of pieces) {
    while (index < end && isSpace(bytes[index])) index++;
    for (let at = 0; at < piece.length; at++, index++) {
      if (index >= end) return -1;
      if (bytes[index] !== piece.charCodeAt(at)) return 0;
    }
  }
  return index;
}

/**
 * Runtimes of containers cut long lines: Docker's driver `json-file` and those of Kubernetes (CRI) write a line of more than 16 KiB
 * as several, between which the other stream may stand. The parts of one line are one record here, so that a reading which stops
 * within it begins again at its first part. No audit device writes to standard error, so of that nothing is joined.
 */
import { type PartBuilder, textIn } from "../shared/source-log-part.js";
import type { Splitter } from "../shared/source-log-records.js";
import type { TakeLine } from "./vault-audit-tally.js";
import { cri, parsed } from "./vault-audit-wrapped.js";

/** What a line of a container's log is. `content`: where it begins, in the text of Docker still escaped. */
interface Wrapped {
  readonly by: "docker" | "cri";
  readonly stdout: boolean;
  readonly ends: boolean;
  readonly content: number;
}

const docker = '{"log":"';
/** Docker writes this behind the text of every line, in which each quotation mark has a backslash before it: it is not in there. */
const behindText = Buffer.from('","stream":"');
/** Longer is no prefix of CRI. */
const prefixBytesMax = 160;
const feed = 0x0a;
const carriage = 0x0d;
const backslash = 0x5c;
const letterL = 0x6c;
const letterN = 0x6e;
const zero = 0x30;
const nine = 0x39;

/** How a line is wrapped; undefined for one that is not, which three bytes tell of a file device's. */
function wrapped(bytes: Buffer, from: number, to: number): Wrapped | undefined {
  const first = bytes[from] ?? 0;
  if (first >= zero && first <= nine) return wrappedByCri(bytes, from, to);
  return bytes[from + 2] === letterL ? wrappedByDocker(bytes, from, to) : undefined;
}

function wrappedByCri(bytes: Buffer, from: number, to: number): Wrapped | undefined {
  const found = cri.exec(bytes.toString("latin1", from, Math.min(to, from + prefixBytesMax)));
  if (found === null) return undefined;
  const [prefix, stream, tag] = found;
  return { by: "cri", stdout: stream === "stdout", ends: tag === "F", content: from + prefix.length };
}

function wrappedByDocker(bytes: Buffer, from: number, to: number): Wrapped | undefined {
  const line = bytes.subarray(from, to);
  if (line.toString("latin1", 0, docker.length) !== docker) return undefined;
  const end = line.indexOf(behindText);
  if (end === -1) return undefined;
  const stream = end + behindText.length;
  let slashes = end - 1;
  while (line[slashes - 1] === backslash) slashes--;
  return {
    by: "docker",
    stdout: line.toString("latin1", stream, stream + 7) === 'stdout"',
    ends: line[end - 1] === letterN && (end - 1 - slashes) % 2 === 1,
    content: from + docker.length,
  };
}

/** Lines, and where a runtime has cut one, all its parts at once with whatever stands between them. */
export class PartedLineSplitter implements Splitter {
  readonly mode = "";
  from = 0;
  to = 0;
  next = 0;
  /** What was found is several lines: with the end of the one that they are parts of, or without. */
  found: "line" | "parts" | "torn" = "line";
  #seen = 0;
  /** Where the line begins that is searched for its end. */
  #line = 0;
  /** Who has cut the line whose parts are being found. */
  #cutBy: Wrapped["by"] | undefined;
  /** The beginning of the line has left the window. */
  #headless = false;

  get open(): boolean {
    return this.#seen > 0;
  }

  find(bytes: Buffer, at: number, end: number): boolean {
    for (;;) {
      const stop = bytes.indexOf(feed, at + this.#seen);
      if (stop === -1 || stop >= end) {
        this.#seen = end - at;
        this.found = "line";
        return false;
      }
      const line = at + this.#line;
      const to = stop > line && bytes[stop - 1] === carriage ? stop - 1 : stop;
      const one = this.#headless ? undefined : wrapped(bytes, line, to);
      if (this.#cutBy === undefined) {
        if (one === undefined || one.ends || !one.stdout) return this.#give(at, to, stop + 1, "line");
        this.#cutBy = one.by;
      } else if (one?.by !== this.#cutBy) {
        // Whatever this line is: it does not go on with what stands before it.
        return this.#give(at, line - 1, line, "torn");
      } else if (one.stdout && one.ends) return this.#give(at, to, stop + 1, "parts");
      this.#line = stop + 1 - at;
      this.#seen = this.#line;
    }
  }

  #give(from: number, to: number, next: number, found: "line" | "parts" | "torn"): true {
    this.dropped();
    this.#headless = false;
    this.from = from;
    this.to = to;
    this.next = next;
    this.found = found;
    return true;
  }

  dropped(): void {
    this.#seen = 0;
    this.#line = 0;
    this.#cutBy = undefined;
    this.#headless = true;
  }

  begun(at: number): number {
    return at;
  }

  /**
   * Parts that make no record together: the container was killed while it wrote the first of them, and a later one begins the
   * line of the next. What has no end yet is waited for.
   */
  resync(bytes: Buffer, from: number, to: number): number {
    if (this.found !== "parts") return -1;
    for (let at = bytes.indexOf(feed, from) + 1; at > 0 && at < to; at = bytes.indexOf(feed, at) + 1) {
      const one = wrapped(bytes, at, lineEnd(bytes, at, to));
      if (one?.stdout && begins(bytes, one)) return at;
    }
    return -1;
  }
}

/** As an audit record does. */
function begins(bytes: Buffer, { by, content }: Wrapped): boolean {
  const head = bytes.toString("latin1", content, content + 3);
  return by === "docker" ? head === '{\\"' : head.startsWith('{"');
}

function lineEnd(bytes: Buffer, from: number, to: number): number {
  const stop = bytes.indexOf(feed, from);
  return stop === -1 || stop > to ? to : stop;
}

/** Joins the parts that `lines` has found to the line that they were, for `record`; says of those that make none that they do not. */
export function joiningParts(lines: () => PartedLineSplitter, part: PartBuilder, record: TakeLine): TakeLine {
  return (bytes, from, to, where) => {
    const { found } = lines();
    if (found === "line") return record(bytes, from, to, where);
    const line = found === "torn" ? undefined : joined(bytes, from, to);
    if (line !== undefined) return record(line, 0, line.length, where);
    part.count();
    part.malformed(
      where(),
      "is a part of a line that its container's runtime has cut, and the rest is missing",
    );
    return false;
  };
}

/** The line, by its bytes: CRI cuts within characters. Undefined where the parts make no JSON. */
function joined(bytes: Buffer, from: number, to: number): Buffer | undefined {
  const parts: Buffer[] = [];
  for (let at = from; at < to; ) {
    const end = lineEnd(bytes, at, to);
    const one = wrapped(bytes, at, end);
    if (one?.stdout) {
      const text = one.by === "cri" ? undefined : textIn(parsed(bytes.toString("utf8", at, end)), "log");
      parts.push(one.by === "cri" ? bytes.subarray(one.content, end) : Buffer.from(text ?? ""));
    }
    at = end + 1;
  }
  const line = Buffer.concat(parts);
  return parsed(line.toString("utf8")) === undefined ? undefined : line;
}

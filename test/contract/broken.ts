/**
 * What every source has to do that reads files, whatever happened to them: cut in the middle, compressed, marked, written by
 * another system, with a line as long as a film, in another encoding, from the future, larger than it may be. It is said, what
 * stands beside it is read all the same, nothing dates from the future, and no file is held whole that is over its limit.
 */
import { mkdir, mkdtemp, open, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AdapterDeps, Source } from "../../adapters/ports.js";
import type { ScanPart } from "../../domain/discovery/said.js";
import { scanned } from "./source.js";
import { depsOf } from "./stores/world.js";

/** A kind with a file that can be broken, and one that stays as it is. */
export interface BrokenCase {
  /** Paths below a folder; the second comes behind the first. */
  readonly file: string;
  readonly beside: string;
  open(directory: string, deps: AdapterDeps): Source;
  /** A file that says something of each of these names, in their order, and holds an `ü` and `value` where values can stand. */
  text(names: readonly string[], value: string): string;
  /** The same with a line or an entry of that length between the names. */
  long(names: readonly [string, string], value: string, bytes: number): string;
  /** Where it is cut: in the middle of something that is seen to be unfinished. */
  cutAt(text: string, value: string): number;
  /** An end that is missing may still be written: the record is waited for and not reported. */
  readonly waits?: true;
  /** Record by record: one that is too long is passed over, and what stands before and behind it is read. */
  readonly streams: boolean;
  /** What the file says, said of a day in the future; absent where files of this kind tell no time. */
  future?(name: string, value: string, at: Date): string;
  /** What it says is dated by when the file was written. */
  readonly datedByFile?: true;
}

/** The moment of the scans. */
const nowMs = Date.parse("2026-03-01T00:00:00Z");
const dayMs = 86_400_000;
/** How far a clock may be ahead. */
const aheadMsMax = 300_000;
const value = "Canary-q8Zr3Vt6Yk1Ws9Xb2Nm";
const [first, second, other] = ["alphaone", "betatwo", "omegaend"];
const longBytes = 50_000_000;
/** Larger than any limit of a file, a line or a record, and how much memory reading it may take. */
const hugeBytes = 1 << 29;
const memoryBytesMax = 288 << 20;

/** The suite for a kind. */
export function brokenContract(name: string, of: BrokenCase): void {
  describe(`broken files of ${name}`, () => {
    let directory: string;
    let opened: Source[] = [];
    const path = (file = of.file) => join(directory, file);
    const put = async (content: string | Uint8Array, file = of.file) => {
      await mkdir(dirname(path(file)), { recursive: true });
      await writeFile(path(file), content);
      const at = new Date(nowMs - dayMs);
      await utimes(path(file), at, at);
    };
    const scan = (cursor: string | null = null) => {
      const source = of.open(directory, depsOf({}, { now: () => nowMs }));
      opened.push(source);
      return scanned(source, cursor);
    };
    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), "rekey-broken-"));
      await put(of.text([other], value), of.beside);
    });
    afterEach(async () => {
      for (const source of opened) await source.close();
      opened = [];
      await rm(directory, { recursive: true, force: true });
    });

    const shows = (parts: readonly ScanPart[], what: string) =>
      parts.some(({ claims, copies }) => JSON.stringify([claims, copies]).includes(what));
    const told = (parts: readonly ScanPart[]) =>
      parts.some(
        ({ malformed, gaps }) =>
          malformed.some(({ where, why }) => where.includes(of.file) && why !== "") ||
          gaps.some((gap) => gap.includes(of.file)),
      );
    /** What stands beside it is read, and no value comes out; the broken file is read or reported. */
    const holds = (parts: readonly ScanPart[], names: readonly string[] = [first]) => {
      expect(shows(parts, other)).toBe(true);
      expect(told(parts) || names.every((one) => shows(parts, one))).toBe(true);
      expect(JSON.stringify(parts)).not.toContain(value.slice(0, 12));
      const latest = nowMs + aheadMsMax;
      for (const { claims, copies, listed, covered } of parts) {
        for (const { seen } of [...claims, ...copies, ...listed])
          expect(seen.last).toBeLessThanOrEqual(latest);
        expect(covered?.until ?? 0).toBeLessThanOrEqual(latest);
      }
    };
    const whole = async () => of.text([first], value);

    it("reads it where nothing is wrong", async () => {
      await put(await whole());
      const parts = await scan();
      holds(parts);
      expect(shows(parts, first)).toBe(true);
      expect(told(parts)).toBe(false);
    });

    it("says that it is cut in the middle, and has the rest of it when it comes", async () => {
      const text = await whole();
      await put(text.slice(0, of.cutAt(text, value)));
      const parts = await scan();
      if (of.waits) expect(shows(parts, other)).toBe(true);
      else holds(parts);
      expect(told(parts)).toBe(of.waits !== true);
      await put(text);
      const rest = await scan(of.waits ? (parts.at(-1)?.cursor ?? null) : null);
      expect(shows(rest, first)).toBe(true);
    });

    it.each([
      ["gzip", (text: string) => gzipSync(text)],
      ["gzip that is cut", (text: string) => gzipSync(text).subarray(0, -12)],
      ["UTF-16 with a mark", (text: string) => Buffer.from(`\uFEFF${text}`, "utf16le")],
      ["UTF-16 without a mark", (text: string) => Buffer.from(text, "utf16le")],
      ["Latin-1", (text: string) => Buffer.from(text, "latin1")],
      ["a NUL where text should be", (text: string) => text.replace("ü", "ü\0")],
      ["NUL bytes at its end, as after a crash", (text: string) => `${text}${"\0".repeat(4096)}\n`],
    ])("reads or reports %s", async (_, broken) => {
      await put(broken(await whole()));
      holds(await scan());
    });

    it.each([
      ["a mark at its beginning (BOM)", (text: string) => `\uFEFF${text}`],
      ["CR LF", (text: string) => text.replaceAll("\n", "\r\n")],
    ])("reads all of it in spite of %s", async (_, broken) => {
      await put(broken(await whole()));
      const parts = await scan();
      holds(parts);
      expect(shows(parts, first)).toBe(true);
      expect(told(parts)).toBe(false);
    });

    it("reads or reports a line of 50 MB, and what stands around it", async () => {
      await put(of.long([first, second], value, longBytes));
      const parts = await scan();
      holds(parts, [first, second]);
      if (!of.streams) return;
      expect(shows(parts, first)).toBe(true);
      expect(shows(parts, second)).toBe(true);
    });

    it("reports a file that is larger than anything it holds, and holds no more than that", async () => {
      await put(await whole());
      const file = await open(path(), "r+");
      await file.truncate(hugeBytes);
      await file.write("\n", hugeBytes);
      await file.close();
      await utimes(path(), new Date(nowMs - dayMs), new Date(nowMs - dayMs));
      const before = process.memoryUsage.rss();
      let peak = before;
      const watch = setInterval(() => {
        peak = Math.max(peak, process.memoryUsage.rss());
      }, 5);
      const parts = await scan().finally(() => clearInterval(watch));
      expect(told(parts)).toBe(true);
      holds(parts);
      expect(peak - before).toBeLessThan(memoryBytesMax);
    });

    it("believes no clock of the future", async () => {
      const later = new Date(nowMs + dayMs);
      await put(of.future?.(first, value, later) ?? (await whole()));
      await utimes(path(), later, later);
      const parts = await scan();
      holds(parts);
      expect(shows(parts, first)).toBe(true);
      if (of.future === undefined && of.datedByFile !== true) return;
      expect(parts.flatMap(({ gaps }) => gaps).join(" ")).toContain("future");
    });
  });
}

/** What can become of a log's files: every way of being damaged, cut, renamed, compressed and replaced is reported, and nothing is lost or counted twice. */

import { randomBytes } from "node:crypto";
import { appendFile, copyFile, mkdir, rename, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { constants, gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ScanPart } from "../../../domain/discovery/said.js";
import { scanned, together } from "../source.js";
import { auditLine, auditSource, logFolder, nowMs } from "./audit-lines.js";
import { scannedWhileGrowing } from "./growing.js";

let folder: string;
let log: string;
beforeEach(async () => {
  folder = await logFolder();
  log = join(folder, "audit.log");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const scan = (cursor: string | null = null) => scanned(auditSource([join(folder, "audit*")]), cursor);
const cursorOf = (parts: readonly ScanPart[]) => parts.at(-1)?.cursor ?? "";
const gaps = (parts: readonly ScanPart[]) => parts.flatMap((part) => part.gaps);
const again = (parts: readonly ScanPart[]) => parts.flatMap(({ gapsAgain = [] }) => gapsAgain);
const malformed = (parts: readonly ScanPart[]) => parts.flatMap((part) => part.malformed);

/** Reads by reader: `{ a: 2 }`. */
function reads(parts: readonly ScanPart[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { from, seen } of parts.flatMap(({ claims }) => claims)) {
    const entity = from.is === "reader" ? (from.traits.entity ?? "") : "";
    counts[entity.slice(2)] = (counts[entity.slice(2)] ?? 0) + seen.count;
  }
  return counts;
}

/** Makes it a file that nobody has written to for long, beside one that somebody does. */
async function old(path: string): Promise<void> {
  await utimes(path, 1_000, 1_000);
}

describe("a log that is damaged", () => {
  it("reads CR LF, a mark at the beginning, and blank lines", async () => {
    await writeFile(log, `\uFEFF${auditLine("a")}\r\n\r\n${auditLine("b")}\r\n  \n${auditLine("a")}\n`);
    const parts = await scan();
    expect(reads(parts)).toEqual({ a: 2, b: 1 });
    expect(malformed(parts)).toEqual([]);
    expect(together(parts).records).toBe(3);
  });

  it("reads a line of 50 MB, and passes over one that is longer than the window may become", async () => {
    const padded = (mb: number) => auditLine("large", "apps/db", 1, { pad: "x".repeat(mb << 20) });
    const before = auditLine("a");
    await writeFile(log, `${before}\n${padded(50)}\n${auditLine("b")}\n${padded(65)}\n${auditLine("c")}\n`);
    const parts = await scan();
    expect(reads(parts)).toEqual({ a: 1, b: 1, c: 1, large: 1 });
    expect(malformed(parts)).toEqual([
      { where: expect.stringMatching(/audit\.log, byte \d+$/), why: expect.stringContaining("too long") },
    ]);
    const at = Number(malformed(parts)[0]?.where.split(" ").at(-1));
    expect(at).toBe(Buffer.byteLength(`${before}\n${padded(50)}\n${auditLine("b")}\n`));
  });

  it("names what is no UTF-8, no JSON and no record, with its byte, and none of its characters", async () => {
    const first = `${auditLine("a")}\n`;
    const bad = Buffer.concat([
      Buffer.from(first),
      Buffer.from('{"time":"2026-01-01T00:00:00Z","x":"canary-\xff"}\n', "latin1"),
      Buffer.from('{"time":"2026-01-01T00:00:00Z","x":"canary-torn{"time"\n'),
      Buffer.from('["canary-list"]\n'),
      Buffer.from(`\0\0\0\0\n${auditLine("b")}\n`),
    ]);
    await writeFile(log, bad);
    const parts = await scan();
    expect(reads(parts)).toEqual({ a: 1, b: 1 });
    expect(malformed(parts).map(({ why }) => why)).toEqual([
      "is not UTF-8",
      "is not JSON",
      "is no record of an audit log: no request or response",
      "is not JSON",
    ]);
    expect(malformed(parts)[0]?.where).toBe(`${log}, byte ${first.length}`);
    expect(JSON.stringify(parts)).not.toContain("canary");
    expect(together(parts).records).toBe(6);
  });

  it("keeps what is UTF-8, also the character that stands for what is none", async () => {
    await writeFile(log, `${auditLine("a", "apps/ü-\uFFFD-日本")}\n`);
    const [part] = await scan();
    expect(part?.malformed).toEqual([]);
    expect(part?.claims[0]?.to).toEqual({
      is: "place",
      store: "main",
      place: { path: "apps/ü-\uFFFD-日本" },
    });
  });

  it.each([
    ["UTF-16", Buffer.from(`\uFEFF${"x\n".repeat(50)}`, "utf16le")],
    ["zstd", Buffer.from("28b52ffd00000a0a0a", "hex")],
  ])("reports a file in %s once, and not for each line", async (what, bytes) => {
    await writeFile(log, bytes);
    const parts = await scan();
    expect(malformed(parts)).toEqual([{ where: `${log}, byte 0`, why: expect.stringContaining(what) }]);
    expect(malformed(await scan(cursorOf(parts)))).toEqual([]);
  });

  it("waits for the end of a live file's last line", async () => {
    const line = `${auditLine("b")}\n`;
    await writeFile(log, `${auditLine("a")}\n${line.slice(0, 40)}`);
    const first = await scan();
    expect([reads(first), malformed(first)]).toEqual([{ a: 1 }, []]);
    await appendFile(log, line.slice(40));
    const second = await scan(cursorOf(first));
    expect([reads(second), malformed(second)]).toEqual([{ b: 1 }, []]);
  });

  it("reports the last line that has no end, once, where nobody writes to the file any more", async () => {
    await writeFile(log, `${auditLine("a")}\n${auditLine("b").slice(0, 40)}`);
    await old(log);
    const first = await scan();
    expect(malformed(first)).toEqual([]);
    await rename(log, join(folder, "audit.log.1"));
    await writeFile(log, `${auditLine("c")}\n`);
    const second = await scan(cursorOf(first));
    expect(reads(second)).toEqual({ c: 1 });
    expect(malformed(second)).toEqual([
      {
        where: `${join(folder, "audit.log.1")}, byte ${auditLine("a").length + 1}`,
        why: expect.stringContaining("without an end"),
      },
    ]);
    expect(malformed(await scan(cursorOf(second)))).toEqual([]);
  });

  it("takes a last line that lacks its end and nothing else", async () => {
    await writeFile(log, auditLine("a"));
    await old(log);
    await writeFile(join(folder, "audit.new"), `${auditLine("b")}\n`);
    const parts = await scan();
    expect([reads(parts), malformed(parts)]).toEqual([{ a: 1, b: 1 }, []]);
  });

  it("does not believe a clock that is ahead, and counts the read as of now", async () => {
    await writeFile(
      log,
      `${auditLine("a")}\n${auditLine("b", "apps/db", 1, { time: "2031-01-01T00:00:00Z" })}\n`,
    );
    const parts = await scan();
    const late = parts[0]?.claims.find(({ from }) => from.is === "reader" && from.traits.entity === "e-b");
    expect(late?.seen).toMatchObject({ first: nowMs, last: nowMs, count: 1 });
    expect(parts[0]?.covered?.until).toBe(Date.parse("2026-02-03T04:05:06.123Z"));
    expect(gaps(parts)).toEqual([
      expect.stringMatching(/^1 of the records say that they are from the future/),
    ]);
    // Whoever reads it from its beginning, with a clock that is right by then, needs to be told no more.
    expect(again(parts)).toEqual(gaps(parts));
  });

  it("does not believe a clock that was set back to its beginning: nobody has watched since then", async () => {
    const lost = ["1970-01-01T00:00:07Z", "2000-01-01T00:00:00Z"].map((time) =>
      auditLine("b", "apps/db", 1, { time }),
    );
    await writeFile(log, `${lost.join("\n")}\n${auditLine("a")}\n`);
    const parts = await scan();
    const reader = parts[0]?.claims.find(({ from }) => from.is === "reader" && from.traits.entity === "e-b");
    expect(reader?.seen).toMatchObject({ first: nowMs, last: nowMs, count: 2 });
    expect(parts[0]?.covered?.from).toBe(Date.parse("2026-02-03T04:05:06.123Z"));
    expect(gaps(parts)).toEqual([
      `2 of the records say that they are more than ten years old, the first at ${log}, byte 0. Their times are not believed: they count as of now.`,
    ]);
  });
});

describe("compressed files", () => {
  it("reads gzip, also several behind each other", async () => {
    const bytes = [gzipSync(`${auditLine("a")}\n`), gzipSync(`${auditLine("b")}\n${auditLine("c")}`)];
    await writeFile(join(folder, "audit.log.2.gz"), Buffer.concat(bytes));
    expect(reads(await scan())).toEqual({ a: 1, b: 1, c: 1 });
  });

  it("reads up to where a compressed file is cut, says so, and goes on when the rest is there", async () => {
    // Of what does not compress, so that it is read in many pieces.
    const pad = () => randomBytes(600).toString("base64");
    const lines = Array.from({ length: 3_000 }, (_, index) =>
      auditLine(`r${index % 50}`, `p${Math.floor(index / 50)}`, 1, { pad: pad() }),
    );
    const bytes = gzipSync(`${lines.join("\n")}\n`, { level: 1 });
    // The last piece of it is small: what comes out is not read yet when the decompressor meets the end.
    const cut = bytes.subarray(0, (Math.floor(bytes.length / 262_144) - 1) * 262_144 + 3_000);
    const there = gunzipSync(cut, { finishFlush: constants.Z_SYNC_FLUSH }).toString().split("\n").length - 1;
    const file = join(folder, "audit.log.2.gz");
    await writeFile(file, cut);
    // Whoever keeps the parts takes time, in which the decompressor comes to the end.
    const first: ScanPart[] = [];
    const slow = auditSource([join(folder, "audit*")], {}, { entries: 10_000, records: 100 });
    for await (const part of slow.scan(null, { signal: AbortSignal.timeout(60_000) })) {
      first.push(part);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(malformed(first)).toEqual([
      { where: expect.stringContaining(file), why: expect.stringContaining("ends here in the middle") },
    ]);
    const counted = (parts: readonly ScanPart[]) =>
      Object.values(reads(parts)).reduce((sum, count) => sum + count, 0);
    expect(there).toBeGreaterThan(1_000);
    expect(counted(first)).toBe(there);
    expect(malformed(await scan(cursorOf(first)))).toEqual([]);
    await writeFile(file, bytes);
    const second = await scan(cursorOf(first));
    expect(malformed(second)).toEqual([]);
    expect(counted(second)).toBe(3_000 - there);
    expect(together([...first, ...second]).edges).toHaveLength(3_000);
  });

  it("says that a compressed file is damaged", async () => {
    const bytes = gzipSync(`${Array.from({ length: 300 }, (_, i) => auditLine(`r${i}`)).join("\n")}\n`);
    bytes.fill(0xff, bytes.length - 400, bytes.length - 300);
    await writeFile(join(folder, "audit.log.2.gz"), bytes);
    expect(malformed(await scan())).toEqual([
      expect.objectContaining({ why: expect.stringContaining("damaged") }),
    ]);
  });
});

describe("files that are rotated", () => {
  it("knows a renamed file, and one that was compressed, and counts nothing twice", async () => {
    await writeFile(log, `${auditLine("a")}\n`);
    const first = await scan();
    await rename(log, join(folder, "audit.log.1"));
    await appendFile(join(folder, "audit.log.1"), `${auditLine("b")}\n`);
    await writeFile(log, `${auditLine("c")}\n`);
    const second = await scan(cursorOf(first));
    expect([reads(second), gaps(second)]).toEqual([{ b: 1, c: 1 }, []]);
    await writeFile(
      join(folder, "audit.log.1.gz"),
      gzipSync(`${auditLine("a")}\n${auditLine("b")}\n${auditLine("d")}\n`),
    );
    await rm(join(folder, "audit.log.1"));
    const third = await scan(cursorOf(second));
    expect([reads(third), gaps(third)]).toEqual([{ d: 1 }, []]);
  });

  it("knows a copy whose original was emptied", async () => {
    await writeFile(log, `${auditLine("a")}\n`);
    const first = await scan();
    await appendFile(log, `${auditLine("b")}\n`);
    await copyFile(log, join(folder, "audit.log.1"));
    await truncate(log, 0);
    await appendFile(log, `${auditLine("c", "apps/other")}\n`);
    const second = await scan(cursorOf(first));
    expect([reads(second), gaps(second)]).toEqual([{ b: 1, c: 1 }, []]);
  });

  it("says that a file is gone or was replaced, and reads what stands there now", async () => {
    await writeFile(log, `${auditLine("a")}\n${auditLine("a")}\n`);
    const first = await scan();
    await truncate(log, 0);
    await appendFile(log, `${auditLine("b")}\n`);
    const second = await scan(cursorOf(first));
    expect(reads(second)).toEqual({ b: 1 });
    expect(gaps(second)).toEqual([expect.stringContaining("is gone, was emptied or was replaced")]);
    // A reading from the beginning could not tell any more.
    expect(again(second)).toEqual([]);
    await rm(log);
    // Of another length: it may get the number of the one that is gone, and be written in the same tick of the disk's clock.
    await writeFile(join(folder, "audit.log.1"), `${auditLine("c")}\n${auditLine("c")}\n`);
    const third = await scan(cursorOf(second));
    expect(gaps(third).join("\n")).toContain("is gone, was emptied or was replaced");
    expect(gaps(await scan(cursorOf(third)))).toEqual([]);
  });

  it("H21: is not read where no file is there at all: a disk that is away is no log in which nobody stands", async () => {
    await writeFile(log, `${auditLine("a")}\n`);
    const first = await scan();
    await appendFile(log, `${auditLine("b")}\n`);
    const away = join(folder, "..", `${basename(folder)}-away`);
    await rename(log, away);
    for (const cursor of [null, cursorOf(first)])
      await expect(scan(cursor)).rejects.toMatchObject({
        code: "unreachable",
        message: expect.stringMatching(/^No file is there by the name .*; is it mounted\?$/),
      });
    // Nothing of it is lost, or counts twice, when it is there again.
    await rename(away, log);
    const second = await scan(cursorOf(first));
    expect([reads(second), gaps(second)]).toEqual([{ b: 1 }, []]);
    const both = await scanned(auditSource(["audit*", "other*"].map((name) => join(folder, name))), null);
    expect(again(both)).toEqual([expect.stringMatching(/^No file is there by the name .*other\*/)]);
  });

  it("says how to go on where a cursor is none of this release", async () => {
    await writeFile(log, `${auditLine("a")}\n`);
    for (const cursor of ["", "{}", '{"v":99}', "7"])
      await expect(scan(cursor)).rejects.toMatchObject({
        code: "bad-input",
        message: expect.stringContaining("`rekey discover` with its name and `--anew`"),
      });
  });

  it("says that a file has shrunk, and goes on behind what is left", async () => {
    const most = `${auditLine("a")}\n`.repeat(20);
    await writeFile(log, `${most}${auditLine("b")}\n`);
    const first = await scan();
    await truncate(log, most.length);
    const second = await scan(cursorOf(first));
    expect([reads(second), gaps(second).length]).toEqual([{}, 1]);
    await appendFile(log, `${auditLine("c")}\n`);
    expect(reads(await scan(cursorOf(second)))).toEqual({ c: 1 });
  });

  it("does not open what did not change", async () => {
    await writeFile(log, `${auditLine("a")}\n`);
    await old(log);
    const first = await scan();
    await writeFile(log, `${auditLine("b")}\n`);
    await old(log);
    expect(reads(await scan(cursorOf(first)))).toEqual({});
  });
});

describe("what is read", () => {
  it("is everything below a folder, each file once", async () => {
    await mkdir(join(folder, "2026", "02"), { recursive: true });
    await writeFile(join(folder, "2026", "02", "one"), `${auditLine("a")}\n`);
    await writeFile(log, `${auditLine("b")}\n`);
    const parts = await scanned(auditSource([folder, log, join(folder, "*")]));
    expect(reads(parts)).toEqual({ a: 1, b: 1 });
  });

  it("is refused with another kind's cursor", async () => {
    await writeFile(log, "");
    await expect(scan("{}")).rejects.toMatchObject({ code: "bad-input" });
    await expect(scan("nonsense")).rejects.toMatchObject({ code: "bad-input" });
  });

  it("is cut into parts, from each of which it goes on", async () => {
    const lines = Array.from({ length: 2_000 }, (_, index) => `${auditLine(`r${index % 700}`)}\n`);
    await writeFile(log, lines.join(""));
    await writeFile(join(folder, "audit.log.1"), `${lines.join("")}${"x\n".repeat(900)}`);
    const source = () => auditSource([join(folder, "audit*")], {}, { entries: 500, records: 1_000 });
    const parts = await scanned(source());
    expect(parts.length).toBeGreaterThan(3);
    // In one piece of the file there are more of either than a part may have.
    for (const part of parts)
      expect(Math.max(part.claims.length, part.malformed.length)).toBeLessThanOrEqual(500);
    for (const [index, { cursor }] of parts.entries()) {
      const rest = await scanned(source(), cursor);
      expect(together([...parts.slice(0, index + 1), ...rest])).toEqual(together(parts));
    }
  });

  it("is the same however the file was cut when it was read before", async () => {
    const bytes = Buffer.from(
      `\uFEFF${auditLine("a")}\r\n${auditLine("ü")}\nnot a record\n\n${auditLine("日本", "apps/ü")}\n${auditLine("a", "b", 7)}\n`,
    );
    const whole = join(folder, "whole");
    await writeFile(whole, bytes);
    const expected = together(await scanned(auditSource([whole])));
    const plain = (found: ReturnType<typeof together>) => ({
      ...found,
      malformed: found.malformed.map((where) => where.split(", ").at(-1)),
    });
    let files = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 4 }), async (cuts) => {
        const file = join(folder, `cut-${++files}`);
        const parts = await scannedWhileGrowing(file, bytes, cuts, (path) => auditSource([path]));
        expect(plain(together(parts))).toEqual(plain(expected));
        await rm(file);
      }),
      { numRuns: 100 },
    );
  });

  it("C7: tells when there were records, and not only the first and the last: one of a slow clock is no watch of a month", async () => {
    const times = ["2026-01-01T00:00:00Z", "2026-02-28T20:30:00Z", "2026-02-28T20:00:00Z"];
    await writeFile(log, times.map((time) => `${auditLine("a", "apps/db", 1, { time })}\n`).join(""));
    const parts = await scan();
    const [slow = 0, until = 0, from = 0] = times.map((time) => Date.parse(time));
    expect(parts[0]?.covered).toEqual({ from: slow, until });
    expect(parts[0]?.stretches).toEqual([
      [slow, slow],
      [from, until],
    ]);
  });
});

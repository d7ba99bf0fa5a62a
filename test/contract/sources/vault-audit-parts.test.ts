/** Lines that a container's runtime has cut: joined wherever a reading stopped, and what has lost a part is named and hides nothing behind it. */
import { appendFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ScanPart } from "../../../domain/discovery/said.js";
import { scanned, together } from "../source.js";
import { auditLine, auditSource, logFolder } from "./audit-lines.js";
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
const claims = (parts: readonly ScanPart[]) =>
  parts.flatMap((part) => part.claims).map(({ sentence, seen }) => `${seen.count} × ${sentence}`);
const malformed = (parts: readonly ScanPart[]) =>
  parts.flatMap((part) => part.malformed).map(({ where, why }) => `${where.split(" ").at(-1)} ${why}`);
const missing = "is a part of a line that its container's runtime has cut, and the rest is missing";

const time = "2026-02-03T04:05:06.2Z";
type Wrap = (content: Buffer, ends: boolean, stream?: string) => Buffer;
/** As Docker does: what is no UTF-8 would be replaced, so it is given whole characters. */
const byDocker: Wrap = (content, ends, stream = "stdout") =>
  Buffer.from(`${JSON.stringify({ log: `${content}${ends ? "\n" : ""}`, stream, time })}\n`);
const byCri: Wrap = (content, ends, stream = "stdout") =>
  Buffer.concat([Buffer.from(`${time} ${stream} ${ends ? "F" : "P"} `), content, Buffer.from("\n")]);
const wraps = [
  ["Docker", byDocker],
  ["CRI", byCri],
] as const;

/** The line in parts of so many bytes, as a runtime writes it. */
function inParts(wrap: Wrap, line: string, bytes: number): Buffer[] {
  const whole = Buffer.from(line);
  const count = Math.max(1, Math.ceil(whole.length / bytes));
  return Array.from({ length: count }, (_, index) =>
    wrap(whole.subarray(index * bytes, (index + 1) * bytes), index === count - 1),
  );
}
const text = (content: string) => Buffer.from(content);
/** A read of `secret/x`, as long as those of large documents are. */
const long = (reader: string, more: object = {}) =>
  auditLine(reader, "x", 1, { pad: 'p\\n"{\\\\'.repeat(8_000), ...more });

describe.each(wraps)("a line that %s has cut", (_name, wrap) => {
  it("is joined, over what the server says meanwhile, in parts too", async () => {
    const [first = text(""), ...rest] = inParts(wrap, long("a"), 16_384);
    expect(rest.length).toBeGreaterThan(2);
    const says = [wrap(text("[WARN] core: slow"), false, "stderr"), wrap(text(" disk"), true, "stderr")];
    await writeFile(
      log,
      Buffer.concat([
        wrap(text(auditLine("b")), true),
        first,
        ...says,
        ...rest,
        wrap(text(auditLine("c")), true),
      ]),
    );
    const parts = await scan();
    expect(claims(parts)).toEqual([
      "1 × approle-b read version 1 of apps/db.",
      "1 × approle-a read version 1 of x.",
      "1 × approle-c read version 1 of apps/db.",
    ]);
    expect([malformed(parts), together(parts).records]).toEqual([[], 3]);
  });

  it("is waited for at the end of a live file, and counts once", async () => {
    const [first = text(""), second = text(""), ...rest] = inParts(wrap, long("a"), 16_384);
    await writeFile(log, Buffer.concat([wrap(text(auditLine("b")), true), first]));
    const one = await scan();
    expect([claims(one), malformed(one)]).toEqual([["1 × approle-b read version 1 of apps/db."], []]);
    await appendFile(log, Buffer.concat([second, wrap(text("[INFO] core"), true, "stderr")]));
    const two = await scan(cursorOf(one));
    expect([claims(two), malformed(two), two[0]?.records]).toEqual([[], [], 0]);
    await appendFile(log, Buffer.concat(rest));
    const three = await scan(cursorOf(two));
    expect([claims(three), malformed(three)]).toEqual([["1 × approle-a read version 1 of x."], []]);
    expect(claims(await scan(cursorOf(three)))).toEqual([]);
  });

  it("is reported once where its end never came, and what another run of the container wrote is read", async () => {
    const killed = inParts(wrap, long("killed"), 16_384).slice(0, 2);
    const again = inParts(wrap, long("again"), 16_384).slice(0, 1);
    const whole = inParts(wrap, long("a"), 16_384);
    const before = wrap(text(auditLine("b")), true);
    await writeFile(
      log,
      Buffer.concat([before, ...killed, ...again, ...whole, wrap(text(auditLine("c")), true)]),
    );
    const parts = await scan();
    expect(claims(parts)).toEqual([
      "1 × approle-b read version 1 of apps/db.",
      "1 × approle-a read version 1 of x.",
      "1 × approle-c read version 1 of apps/db.",
    ]);
    const second = before.length + Buffer.concat(killed).length;
    expect(malformed(parts)).toEqual([`${before.length} ${missing}`, `${second} ${missing}`]);
  });

  it("is reported where it begins with no part that was read, or ends in a line that is none", async () => {
    const [first = text(""), second = text(""), ...rest] = inParts(wrap, long("a"), 16_384);
    const next = `${auditLine("b")}\n`;
    await writeFile(log, Buffer.concat([...rest, first, second, text(next), first, text("\n"), text(next)]));
    const parts = await scan();
    expect(claims(parts)).toEqual(["2 × approle-b read version 1 of apps/db."]);
    expect(malformed(parts).map((one) => one.replace(/^\d+ /, ""))).toEqual([missing, missing, missing]);
  });

  it("does not make parts of a last line behind it that lacks its end and nothing else", async () => {
    await writeFile(log, Buffer.concat([...inParts(wrap, long("a"), 16_384), text(auditLine("b"))]));
    await utimes(log, 1_000, 1_000);
    await writeFile(join(folder, "audit.new"), wrap(text(auditLine("c")), true));
    const parts = await scan();
    expect([claims(parts).length, malformed(parts)]).toEqual([3, []]);
  });

  it("is reported once where it was cut off by a rotation, in both files", async () => {
    const cut = inParts(wrap, long("a"), 16_384);
    await writeFile(log, Buffer.concat(cut.slice(0, 2)));
    const first = await scan();
    await rename(log, join(folder, "audit.log.1"));
    await utimes(join(folder, "audit.log.1"), 1_000, 1_000);
    await writeFile(log, Buffer.concat([...cut.slice(2), wrap(text(auditLine("b")), true)]));
    const second = await scan(cursorOf(first));
    expect(claims(second)).toEqual(["1 × approle-b read version 1 of apps/db."]);
    expect(malformed(second)).toEqual([
      "0 is a record without an end; the file ends in the middle of it",
      `0 ${missing}`,
    ]);
    expect(malformed(await scan(cursorOf(second)))).toEqual([]);
  });

  it("is passed over and named where its parts are longer than any line may be, and what comes behind is read", async () => {
    const parts = inParts(wrap, long("large", { pad: "x".repeat(66 << 20) }), 16_384);
    await writeFile(log, Buffer.concat([...parts, wrap(text(auditLine("b")), true)]));
    const found = await scan();
    expect(claims(found)).toEqual(["1 × approle-b read version 1 of apps/db."]);
    expect(malformed(found)).toEqual([
      expect.stringMatching(/^0 is a record of \d+ bytes, which is too long$/),
      expect.stringContaining(missing),
    ]);
  });

  it("is the same however the file was cut when it was read before", async () => {
    const ascii = (line: string, bytes: number) => Buffer.concat(inParts(wrap, line, bytes));
    const bytes = Buffer.concat([
      ascii(auditLine("a"), 100),
      ascii(auditLine("b", "x\\n\\\\"), 7),
      inParts(wrap, auditLine("killed"), 200)[0] ?? text(""),
      ascii(auditLine("c"), 150),
      wrap(text("==> Vault server"), false, "stderr"),
      ascii(auditLine("a"), 1_000),
      text("torn\n"),
      ascii(auditLine("d"), 90),
    ]);
    await writeFile(log, bytes);
    const plain = (found: ReturnType<typeof together>) => ({
      ...found,
      malformed: found.malformed.map((where) => where.split(", ").at(-1)),
    });
    const expected = plain(together(await scanned(auditSource([log]))));
    expect(expected.edges).toHaveLength(4);
    expect(expected.malformed).toHaveLength(2);
    let files = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 4 }), async (cuts) => {
        const file = join(folder, `cut-${++files}`);
        const found = await scannedWhileGrowing(file, bytes, cuts, (path) => auditSource([path]));
        expect(plain(together(found))).toEqual(expected);
        await rm(file);
      }),
      { numRuns: 100 },
    );
  });
});

it("CRI cuts within a character, which is whole again", async () => {
  const line = auditLine("a", "apps/日本-ü");
  for (let bytes = 1; bytes < 9; bytes++) {
    await writeFile(log, Buffer.concat(inParts(byCri, line, bytes)));
    expect(claims(await scanned(auditSource([log])))).toEqual([
      "1 × approle-a read version 1 of apps/日本-ü.",
    ]);
  }
});

it("Docker's attributes of a container are none of what it says of the stream", async () => {
  const attrs = { stream: "stderr", more: '","stream":"stderr' };
  const whole = auditLine("a");
  const record = (content: string) => `${JSON.stringify({ log: content, stream: "stdout", attrs, time })}\n`;
  // The text of a first part that ends in what looks like the end of a line.
  const at = whole.indexOf("}") + 1;
  await writeFile(log, record(whole.slice(0, at)) + record(`${whole.slice(at)}\n`));
  expect(claims(await scan())).toEqual(["1 × approle-a read version 1 of apps/db."]);
  const path = auditLine("a", "a\\n");
  const cut = path.indexOf("a\\\\n") + 4;
  await writeFile(join(folder, "other"), record(path.slice(0, cut)) + record(`${path.slice(cut)}\n`));
  expect(claims(await scanned(auditSource([join(folder, "other")])))).toEqual([
    "1 × approle-a read version 1 of a\\n.",
  ]);
});

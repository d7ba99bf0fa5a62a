/** The contract of the sources with a report of TruffleHog. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { trufflehog } from "../../../adapters/sources/trufflehog.js";
import { testMark } from "../../support/mark.js";
import { largeCount, leakedAddress, oddName, scanned, sourceContract } from "../source.js";
import { depsOf } from "../stores/world.js";
import { overwritten } from "./growing.js";

const value = "Canary-q8Zr3Vt6Yk1Ws9Xb2Nm";
const other = "Another-c4Kd7Pf0Lg5Hj8Qa1";
const commit = "4f2c9a7b1d3e5f60718293a4b5c6d7e8f9012345";

function finding(where: object, more: object = {}) {
  return {
    SourceMetadata: { Data: where },
    SourceID: 1,
    SourceType: 15,
    SourceName: "trufflehog - here",
    DetectorType: 17,
    DetectorName: "URI",
    DetectorDescription: "An address with a login in it",
    DecoderName: "PLAIN",
    Verified: false,
    VerificationFromCache: false,
    Raw: value,
    RawV2: "",
    Redacted: value.slice(0, 3),
    ExtraData: { note: value },
    StructuredData: null,
    ...more,
  };
}

const inFile = (file: string, more: object = {}) => finding({ Filesystem: { file, line: 4 } }, more);
const inGit = (file: string, more: object = {}) =>
  finding(
    {
      Git: {
        commit,
        file,
        email: "somebody@example.com",
        repository: `https://somebody:${value}@git.example.com/shop/api.git`,
        timestamp: "2024-05-01 10:00:00 +0000",
        line: 7,
      },
    },
    more,
  );

const at = (place: string, of = value) => `location(${place}) has ${testMark(of)} literally`;

function sourceOf(file: string, repository?: string) {
  return trufflehog.create(
    { reports: [{ file, ...(repository === undefined ? {} : { repository }) }] },
    depsOf(),
  );
}

sourceContract("trufflehog", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rekey-trufflehog-"));
  const file = join(folder, "report.jsonl");
  const known = [inFile("app.env"), inGit("old.py")];
  const write = (...more: unknown[]) =>
    writeFile(
      file,
      `\uFEFF${[...known, ...more].map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\r\n")}\r\n`,
    );
  await write();
  return {
    shows: "now",
    copies: true,
    open: () => sourceOf(file),
    openUnreachable: () => sourceOf(join(folder, "none.jsonl")),
    shown: [at("filesystem app.env:URI"), at(`repository git.example.com/shop/api ${commit}:old.py:URI:7`)],
    whole: true,
    plant: async () => {
      await write(inFile("new.env", { Raw: other }));
      return at("filesystem new.env:URI", other);
    },
    unplant: () => write(),
    spoil: async () => {
      await write(`{"Raw":"${value}"`, { Raw: value }, finding({ Filesystem: {} }), inFile("behind.env"));
      return at("filesystem behind.env:URI");
    },
    leak: () => write(inFile(`${leakedAddress}/x.env`)),
    odd: async () => {
      await write(inFile(oddName, { DetectorName: oddName }), inFile("behind.env"));
      return at("filesystem behind.env:URI");
    },
    large: async () => {
      const padded = (name: string) =>
        inFile(name, { ExtraData: { note: "about this and that ".repeat(20) } });
      await write(
        ...Array.from({ length: largeCount }, (_, number) => padded(`${number}.env`)),
        padded("last.env"),
      );
      return {
        edges: largeCount,
        late: async () => {
          await overwritten(file, "last.env", "late.env");
          return at("filesystem late.env:URI");
        },
      };
    },
    values: [value, other],
    close: () => rm(folder, { recursive: true, force: true }),
  };
});

describe("a report of TruffleHog", () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "rekey-trufflehog-"));
    file = join(folder, "report.jsonl");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const scan = async (content: string | Buffer, repository?: string) => {
    await writeFile(file, content);
    return await scanned(sourceOf(file, repository));
  };
  const bad = (parts: Awaited<ReturnType<typeof scanned>>) =>
    parts.flatMap(({ malformed }) =>
      malformed.map(({ where, why }) => `${where.slice(folder.length + 1)}: ${why}`),
    );
  const sentences = (parts: Awaited<ReturnType<typeof scanned>>) =>
    parts.flatMap(({ copies }) => copies.map(({ sentence }) => sentence));

  it("says which values work", async () => {
    const lines = [{ Verified: true }, {}, { VerificationError: value }].map((more) =>
      JSON.stringify(inGit("a.py", more)),
    );
    const found = "A value that the rule URI found in a.py line 7 of commit 4f2c9a7b1d3e";
    const parts = await scan(lines.join("\n"));
    expect(sentences(parts)).toEqual([
      `${found}; TruffleHog verified that it works.`,
      `${found}; whether it works is not known.`,
      `${found}; that it works could not be verified.`,
    ]);
    expect(parts.flatMap(({ copies }) => copies.map(({ verified }) => verified))).toEqual([
      true,
      false,
      false,
    ]);
  });

  it("marks both halves of a credential and the whole, each once", async () => {
    const id = "AKIAIOSFODNN7EXAMPLE";
    const parts = await scan(JSON.stringify(inFile("a.ini", { Raw: id, RawV2: `${id}:${value}` })));
    const marks = parts.flatMap(({ copies }) => copies.map(({ mark }) => mark));
    expect(marks).toEqual([id, `${id}:${value}`, value].map(testMark));
    const same = await scan(JSON.stringify(inFile("a.ini", { RawV2: value })));
    expect(same.flatMap(({ copies }) => copies)).toHaveLength(1);
  });

  it("takes the repository that the settings name, and places of other kinds", async () => {
    const lines = [
      inGit("a.py"),
      finding({ S3: { bucket: "backups", file: "db.sql", link: "https://example.com" } }),
    ];
    const parts = await scan(lines.map((line) => JSON.stringify(line)).join("\n"), "shop");
    expect(parts.flatMap(({ copies }) => copies.map(({ at: where }) => where))).toEqual([
      { is: "location", scope: "repository shop", path: `${commit}:a.py:URI:7` },
      { is: "location", scope: "repository shop", path: "backups/db.sql:URI" },
    ]);
  });

  it("names each line that is no finding, passes over one of 50 MB, and reads on", async () => {
    const long = `{"Raw":"${"x".repeat(50 * 1024 * 1024)}"}`;
    const lines = [
      `{"level":"info-0","msg":"${value}"}`,
      "",
      long,
      "no JSON",
      JSON.stringify(inFile("a.env")),
    ];
    const parts = await scan(lines.join("\n"));
    expect(bad(parts)).toEqual([
      "report.jsonl line 1: it is no finding of TruffleHog, by DetectorName, Raw, SourceMetadata",
      "report.jsonl line 3: it is longer than 16777216 characters",
      "report.jsonl line 4: it is not JSON",
    ]);
    expect(sentences(parts)).toHaveLength(1);
    expect(JSON.stringify(parts)).not.toContain(value);
  });

  it("that was cut off says so", async () => {
    const whole = `${JSON.stringify(inFile("a.env"))}\n${JSON.stringify(inFile("b.env"))}\n`;
    expect(bad(await scan(whole.slice(0, -9)))).toEqual(["report.jsonl line 2: it is not JSON"]);
    expect(bad(await scan(gzipSync(whole.repeat(50)).subarray(0, -12))).at(-1)).toBe(
      "report.jsonl: the compressed file breaks off",
    );
  });
});

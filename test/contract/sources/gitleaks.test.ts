/** The contract of the sources with reports of gitleaks, in both of its formats. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { gitleaks } from "../../../adapters/sources/gitleaks.js";
import { testMark } from "../../support/mark.js";
import { largeCount, leakedAddress, oddName, scanned, sourceContract, together } from "../source.js";
import { call, depsOf } from "../stores/world.js";
import { overwritten } from "./growing.js";

const value = "Canary-q8Zr3Vt6Yk1Ws9Xb2Nm";
const other = "Another-c4Kd7Pf0Lg5Hj8Qa1";
const commit = "4f2c9a7b1d3e5f60718293a4b5c6d7e8f9012345";

interface Found {
  readonly rule?: string;
  readonly file?: string;
  readonly line?: number;
  readonly value?: string;
  readonly commit?: string;
  readonly date?: string;
}

function json({
  rule = "generic-api-key",
  file = "config/app.env",
  line = 3,
  value: Secret = value,
  commit: Commit = "",
  date = "",
}: Found) {
  return {
    RuleID: rule,
    Description: "Something that looks like a key",
    StartLine: line,
    EndLine: line,
    StartColumn: 1,
    EndColumn: 40,
    Match: `KEY=${Secret}`,
    Secret,
    File: file,
    SymlinkFile: "",
    Commit,
    Entropy: 4.1,
    Author: "Somebody",
    Email: "somebody@example.com",
    Date: date,
    Message: `adds ${Secret}`,
    Tags: [],
    Fingerprint: `${Commit === "" ? "" : `${Commit}:`}${file}:${rule}:${line}`,
  };
}

function sarif({
  rule = "generic-api-key",
  file = "config/app.env",
  line = 3,
  value: text = value,
  commit: commitSha = "",
  date = "",
}: Found) {
  return {
    message: { text: `${rule} has detected secret for file ${file}.` },
    ruleId: rule,
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: file },
          region: { startLine: line, startColumn: 1, endLine: line, endColumn: 40, snippet: { text } },
        },
      },
    ],
    partialFingerprints: {
      commitSha,
      email: "somebody@example.com",
      author: "Somebody",
      date,
      commitMessage: `adds ${text}`,
    },
    properties: { tags: [] },
  };
}

const formats = {
  json: { of: json, document: (entries: readonly unknown[]) => entries as unknown },
  sarif: {
    of: sarif,
    document: (results: readonly unknown[]) => ({
      $schema: "https://json.schemastore.org/sarif-2.1.0.json",
      version: "2.1.0",
      runs: [{ tool: { driver: { name: "gitleaks", rules: [{ id: "generic-api-key" }] } }, results }],
    }),
  },
} as const;

const at = (path: string, of = value) => `location(repository shop ${path}) has ${testMark(of)} literally`;

function sourceOf(...files: string[]) {
  const reports = files.map((file) => ({ file, repository: "shop" }));
  return gitleaks.create({ reports }, depsOf());
}

for (const [format, { of, document }] of Object.entries(formats)) {
  sourceContract(`gitleaks (${format})`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "rekey-gitleaks-"));
    const file = join(folder, "report.json");
    const known = [of({}), of({ file: "old.py", commit, line: 7, date: "2024-05-01T10:00:00Z" })];
    const write = (...more: unknown[]) =>
      writeFile(
        file,
        `\uFEFF${JSON.stringify(document([...known, ...more]), null, 1).replaceAll("\n", "\r\n")}`,
      );
    await write();
    return {
      shows: "now",
      copies: true,
      open: () => sourceOf(file),
      openUnreachable: () => sourceOf(join(folder, "none.json")),
      shown: [at("config/app.env:generic-api-key"), at(`${commit}:old.py:generic-api-key:7`)],
      whole: true,
      plant: async () => {
        await write(of({ file: "new.env", value: other }));
        return at("new.env:generic-api-key", other);
      },
      unplant: () => write(),
      spoil: async () => {
        await write({ RuleID: value, Secret: value }, value, of({ file: "behind.env" }));
        return at("behind.env:generic-api-key");
      },
      leak: () => write(of({ file: `${leakedAddress}/x.env` })),
      odd: async () => {
        await write(of({ file: oddName, rule: oddName, commit: oddName }), of({ file: "behind.env" }));
        return at("behind.env:generic-api-key");
      },
      large: async () => {
        const padded = (name: string) => ({ ...of({ file: name }), note: "about this and that ".repeat(20) });
        await write(
          ...Array.from({ length: largeCount }, (_, number) => padded(`${number}.env`)),
          padded("last.env"),
        );
        return {
          edges: largeCount,
          late: async () => {
            await overwritten(file, '"last.env"', '"late.env"');
            return at("late.env:generic-api-key");
          },
        };
      },
      values: [value, other],
      close: () => rm(folder, { recursive: true, force: true }),
    };
  });
}

describe("a report of gitleaks", () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "rekey-gitleaks-"));
    file = join(folder, "report.json");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const scan = async (content: string | Buffer) => {
    await writeFile(file, content);
    return await scanned(sourceOf(file));
  };
  const bad = (parts: Awaited<ReturnType<typeof scanned>>) =>
    parts.flatMap(({ malformed }) =>
      malformed.map(({ where, why }) => `${where.slice(folder.length + 1)}: ${why}`),
    );

  it("shows one value in three places as one hash", async () => {
    const entries = ["a.env", "b.env", "c.env"].map((name) => json({ file: name }));
    const copies = (await scan(JSON.stringify(entries))).flatMap((part) => part.copies);
    expect(copies.map(({ mark }) => mark)).toEqual([testMark(value), testMark(value), testMark(value)]);
    expect(copies.map(({ sentence }) => sentence)).toContain(
      "A value that the rule generic-api-key found in a.env line 3.",
    );
  });

  it("keeps a place where lines move, and dates a commit by itself", async () => {
    const [before] = await scan(JSON.stringify([json({ line: 3 })]));
    const [after] = await scan(JSON.stringify([json({ line: 30 })]));
    expect(after?.copies[0]?.at).toEqual(before?.copies[0]?.at);
    const [dated] = await scan(JSON.stringify([json({ commit, date: "2024-05-01T10:00:00Z" })]));
    expect(dated?.copies[0]?.seen.first).toBe(Date.parse("2024-05-01T10:00:00Z"));
    const [future] = await scan(JSON.stringify([json({ commit, date: "2999-05-01T10:00:00Z" })]));
    expect(future?.copies[0]?.seen.first).toBe(future?.copies[0]?.seen.last);
  });

  it.each(["REDACTED", "Canary-q8Z...", "short", "abcd********wxyz", "Password123", "changeme-please"])(
    "shows where %s stands, and marks no such value",
    async (masked) => {
      const parts = await scan(JSON.stringify([json({ value: masked }), json({ file: "b.env" })]));
      const copies = parts.flatMap((part) => part.copies);
      expect(copies.map(({ mark }) => mark).sort()).toEqual(["", testMark(value)]);
      expect(copies.every(({ literal }) => literal)).toBe(true);
      expect(parts.flatMap(({ listed }) => listed)).toHaveLength(2);
      expect(parts.flatMap(({ gaps }) => gaps)).toEqual([
        expect.stringContaining("The values of 1 findings"),
      ]);
      const records = new Set(copies.map(({ record }) => record));
      expect(parts.flatMap(({ hidden }) => hidden?.map(({ record }) => record))).toEqual([...records]);
    },
  );

  it("does not repeat a value that stands in a name", async () => {
    const parts = await scan(JSON.stringify([json({ file: `keys/${value}.txt` })]));
    expect(JSON.stringify(parts)).not.toContain(value);
    expect(parts.flatMap(({ copies }) => copies)[0]?.at).toMatchObject({
      path: "keys/[value].txt:generic-api-key",
    });
  });

  it("that breaks off says so, with what stood before", async () => {
    const whole = JSON.stringify([json({}), json({ file: "b.env" })]);
    const cut = await scan(whole.slice(0, -30));
    expect(cut.flatMap(({ copies }) => copies)).toHaveLength(1);
    expect(bad(cut)).toEqual([expect.stringMatching(/breaks off at about character \d+, after 1 entry$/)]);
    expect(bad(await scan(gzipSync(whole).subarray(0, -20)))).toEqual([expect.stringMatching(/breaks off/)]);
    expect(bad(await scan(`${whole.slice(0, -1)},nonsense]`))).toEqual([
      expect.stringMatching(/it is not JSON from/),
    ]);
    expect(bad(await scan(`${whole}${whole}`))).toEqual([expect.stringMatching(/JSON|behind the end/)]);
    expect(bad(await scan(""))).toEqual(["report.json: it is empty"]);
    expect(bad(await scan('"text"'))).toEqual(["report.json: it is no such document"]);
  });

  it("may be compressed, in UTF-16, and empty", async () => {
    const whole = JSON.stringify([json({})]);
    expect((await scan(gzipSync(whole))).flatMap(({ copies }) => copies)).toHaveLength(1);
    expect(
      (await scan(Buffer.from(`\uFEFF${whole}`, "utf16le"))).flatMap(({ copies }) => copies),
    ).toHaveLength(1);
    const none = await scan("[]\n");
    expect([none.length, together(none).records, bad(none)]).toEqual([1, 0, []]);
  });

  it("of many findings comes in parts", async () => {
    const entries = Array.from({ length: 2_500 }, (_, index) => json({ file: `f${index}.env` }));
    const parts = await scan(JSON.stringify(entries));
    expect(parts.map(({ records }) => records)).toEqual([1_000, 1_000, 500]);
    const rest = await scanned(sourceOf(file), parts[0]?.cursor);
    expect(rest.map(({ records }) => records)).toEqual([1_000, 500]);
  });

  it("is looked for before the first scan", async () => {
    expect(await sourceOf(file).preflight(call())).toEqual([
      expect.objectContaining({ code: "not-found", severity: "refuse", subject: file }),
    ]);
    expect(bad(await scan("[]"))).toEqual([]);
    expect(await sourceOf(file).preflight(call())).toEqual([]);
    await expect(scanned(sourceOf(folder))).rejects.toMatchObject({ code: "unsupported" });
  });
});

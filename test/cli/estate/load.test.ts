/** Reading an estate that is hostile, half written, or not an estate at all: always an answer, with a place, without a secret. */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { formatProblems, problemsToJson } from "../../../client/estate/format.js";
import { loadEstate, readEstate } from "../../../client/estate/load.js";
import type { EstateProblem } from "../../../client/estate/problem.js";
import { kinds, sound } from "../../domain/estate/fixtures.js";

const mebibyte = 1024 * 1024;
const soundText = stringify(sound());

function read(text: string | Uint8Array) {
  return readEstate(typeof text === "string" ? Buffer.from(text) : text, "estate.yaml", kinds);
}

function problemsIn(text: string | Uint8Array): readonly EstateProblem[] {
  const result = read(text);
  return result.ok ? [] : result.problems;
}

function first(text: string | Uint8Array): string {
  const [problem] = problemsIn(text);
  return problem === undefined
    ? "sound"
    : `${problem.line}:${problem.column} ${problem.code}: ${problem.message}`;
}

describe("a sound file", () => {
  it("gives the estate and a digest of what it says", () => {
    const result = read(soundText);
    expect(result).toMatchObject({ ok: true, estate: { installation: "test" } });
    const digest = (text: string) => {
      const found = read(text);
      return found.ok ? found.digest : formatProblems(found.problems);
    };
    expect(digest(soundText)).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(digest(`# a comment\n${stringify(sound(), { sortMapEntries: true })}`)).toBe(digest(soundText));
    expect(digest(JSON.stringify(sound()))).toBe(digest(soundText));
    expect(digest(`\ufeff${soundText.replaceAll("\n", "\r\n")}`)).toBe(digest(soundText));
    expect(digest(soundText.replace("installation: test", "installation: west"))).not.toBe(digest(soundText));
  });

  it("may repeat itself by aliases", () => {
    const text = soundText.replace("calm: {}", "calm: &rules\n    quietPeriod: 2h\n  strict: *rules");
    expect(read(text)).toMatchObject({
      ok: true,
      estate: { policies: { strict: { quietPeriodMs: 7_200_000 } } },
    });
  });
});

describe("a file on disk", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "rekey-estate-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const load = async (name: string) => {
    const result = await loadEstate(join(folder, name), kinds);
    return result.ok
      ? "sound"
      : result.problems.map(({ line, column, code }) => `${line}:${column} ${code}`).join();
  };

  it("is read, or the reason is a problem like any other", async () => {
    await writeFile(join(folder, "estate.yaml"), soundText);
    expect(await load("estate.yaml")).toBe("sound");
    expect(await load("missing.yaml")).toBe("1:1 not-found");
    expect(await load(".")).toBe("1:1 not-a-file");
    expect(await load("estate.yaml/inside")).toBe("1:1 unreadable");
    const result = await loadEstate(join(folder, "missing.yaml"), kinds);
    expect(result.ok ? "" : formatProblems(result.problems)).toContain(
      "hint:     make one with `rekey init`",
    );
  });

  it("is not waited for when it is a pipe", async () => {
    execFileSync("sh", ["-c", 'mkfifo "$0"', join(folder, "pipe")]);
    expect(await load("pipe")).toBe("1:1 not-a-file");
  });

  it("is refused from 2 MiB on, without being read, however large", async () => {
    await writeFile(join(folder, "large.yaml"), "");
    await truncate(join(folder, "large.yaml"), 8 * 1024 * mebibyte);
    expect(await load("large.yaml")).toBe("1:1 too-large");
    expect(first(Buffer.alloc(10 * mebibyte, "a"))).toBe("1:1 too-large: the file is too large");
    expect(first(`${soundText}#${"x".repeat(2 * mebibyte - soundText.length - 1)}`)).toBe("sound");
  });
});

describe("bytes that are no text", () => {
  it.each([
    ["UTF-16", Buffer.from(`\ufeff${soundText}`, "utf16le"), "1:1 not-utf-8: the file is UTF-16"],
    [
      "Latin-1",
      Buffer.from("version: 1\ninstallation: t\xe9st\n", "latin1"),
      "2:16 not-utf-8: from here on the file is not UTF-8",
    ],
    [
      "a zero byte",
      Buffer.from("version: 1\n\0\n"),
      "2:1 control-character: a control character stands here",
    ],
    [
      "an escape",
      Buffer.from("version: 1 # \x1b[31m\n"),
      "1:14 control-character: a control character stands here",
    ],
    ["nothing", Buffer.alloc(0), "1:1 empty: there is nothing in this file"],
    ["spaces", Buffer.from("  \n \n"), "1:1 empty: there is nothing in this file"],
  ])("are refused at their place: %s", (_, bytes, expected) => {
    expect(first(bytes)).toBe(expected);
  });
});

describe("YAML that is wrong, at its place", () => {
  it.each([
    ["version: 1\ninstallation: 'test\n", "2:15 syntax: a quote is opened here and never closed"],
    ["version: 1\npolicies:\n\tcalm: {}\n", "3:1 syntax: a tab is used for indentation"],
    ["version: 1\npolicies: { calm: {}\n", "3:1 syntax: the indentation does not fit the lines above"],
    ["version: 1\n  installation: test\n", "1:10 syntax: two names with a colon stand in one line"],
    ["version: 1\n]\n", "2:1 syntax: this does not belong here"],
    ["version: 1\n? [a]\n: b\n", "2:3 syntax: a name has to be text"],
    ["version: @1\n", "1:10 syntax: a value cannot begin with this character"],
    [
      'version: 1\ninstallation: "\\q"\n',
      "2:16 syntax: a backslash in double quotes begins something that does not exist",
    ],
    ["--- {version: 1}\n--- {version: 1}\n", "2:1 syntax: a second document begins here"],
    ["version: 1\nversion: 1\n", '1:1 missing: "installation" is missing'],
    ["version: 1\n: x\n", '1:1 missing: "installation" is missing'],
    ["just text\n", "1:1 wrong-type: the estate is of the wrong type"],
    ["version: !!str 1\ninstallation: test\n", "1:10 tag: types are not written out in an estate"],
    ["version: 1\ninstallation: test\nx: !!binary aGk=\n", '3:1 unknown-field: "x" is not a field here'],
  ])("%j", (text, expected) => {
    expect(
      problemsIn(text).map(({ line, column, code, message }) => `${line}:${column} ${code}: ${message}`),
    ).toContain(expected);
  });
});

describe("bombs", () => {
  const lines = (part: string, end = "\n") => {
    const line = part.repeat(Math.floor(4096 / part.length)) + end;
    return line.repeat(Math.floor((2 * mebibyte - 64) / line.length));
  };

  it("of aliases do not go off", () => {
    const level = (name: string, of: string) => `${name}: &${name} [${Array(9).fill(of).join(", ")}]\n`;
    const names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    const bomb = names.map((name, i) => level(name, i === 0 ? "lol" : `*${names[i - 1]}`)).join("");
    expect(problemsIn(bomb)).toContainEqual(
      expect.objectContaining({ code: "too-complex", message: "aliases repeat more than 10000 values" }),
    );
    expect(first(`x: &x 1\ny: [${Array(101).fill("*x").join(", ")}]`)).toBe(
      "2:405 too-complex: there are more than 100 aliases",
    );
  });

  it.each([
    ["brackets", lines("["), "nested too deeply"],
    ["brackets over lines", "[\n".repeat(mebibyte), "nested too deeply"],
    ["dashes in one line", lines("- "), "nested too deeply"],
    ["maps in one line", lines("{a: "), "nested too deeply"],
    ["question marks", lines("? "), "nested too deeply"],
    [
      "indentation",
      Array.from({ length: 1800 }, (_, i) => `${" ".repeat(i)}a:\n`).join(""),
      "nested too deeply",
    ],
    ["commas", `[${lines(",")}`, "too much in this file"],
    ["closing brackets", lines("}"), "too much in this file"],
    ["quotes", lines('"'), "too much in this file"],
    ["anchors", lines("&a "), "too much in this file"],
    ["empty names", ":\n".repeat(mebibyte), "too much in this file"],
    ["entries", "- a\n".repeat(mebibyte / 2), "too much in this file"],
    ["empty lines", "\n".repeat(2 * mebibyte), "too much in this file"],
    ["comments", "#\n".repeat(mebibyte), "too much in this file"],
  ])("of %s are refused before they are parsed", (_, text, expected) => {
    expect(problemsIn(text).map(({ message }) => message)).toEqual([expect.stringContaining(expected)]);
  });

  it("of one long line, one long text, or many names are read in time", () => {
    const places = (text: string) =>
      problemsIn(text).map(({ line, column, code }) => `${line}:${column} ${code}`);
    expect(places(`version: ${"x".repeat(2 * mebibyte - 64)}`)).toContain("1:10 wrong-value");
    expect(places(`version: |\n${" x\n".repeat(200_000)}`)).toContain("1:10 wrong-value");
    const names = Array.from({ length: 20_000 }, (_, i) => `k${i}: v\n`).join("");
    expect(problemsIn(names).length).toBeGreaterThan(20_000);
    expect(formatProblems(problemsIn(names)).length).toBeLessThan(50_000);
  });
});

describe("I6: secrets in the file", () => {
  const canary = ["q8Zk3vQ9xT1m", "B7yR4wL8cN2pF6"].join("");
  const shown = (text: string) => {
    const problems = problemsIn(text);
    return formatProblems(problems) + problemsToJson(problems) + JSON.stringify(problems);
  };

  it("are refused wherever they stand, in words, with the place", () => {
    const key = ["AKIA", "IOSFODNN7EXAMPLE"].join("");
    const text = `${soundText}# old: ${key}\n`;
    expect(problemsIn(text)).toMatchObject([
      {
        code: "secret-literal",
        message: "this comment contains a cloud access key",
        line: text.split("\n").length - 1,
      },
    ]);
    expect(shown(text)).not.toContain(key);
    const inValue = soundText.replace("Orders are written with it.", canary);
    expect(problemsIn(inValue)).toMatchObject([
      {
        code: "secret-literal",
        where: "credentials › orders › purpose",
        message: "this looks like a random value",
      },
    ]);
    const pem = `-----BEGIN ${"PRIVATE"} KEY-----`;
    expect(
      first(soundText.replace("Orders are written with it.", `|\n      ${pem}\n      MIIB\n`)),
    ).toContain("secret-literal: this looks like a private key");
  });

  it("are not taken for public keys, nor public keys for them", () => {
    expect(first(soundText)).toBe("sound");
    const moved = soundText.replace(
      "Orders are written with it.",
      "ed25519:nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    );
    expect(first(moved)).toContain("secret-literal");
    const token = ["ghp_", "abcdefghijklmnopqrstuvwxyz0123456789"].join("");
    expect(first(soundText.replace(/ed25519:a+A/, token))).toContain("secret-literal");
  });

  it("are not what a comment says is none, unless the shape is unmistakable", () => {
    const withPurpose = (text: string) => soundText.replace("Orders are written with it.", text);
    expect(first(withPurpose("'1234-k3j9x8q2m5w7r4t6y1u8i2o5p9a3'"))).toContain("secret-literal");
    expect(first(withPurpose("'1234-k3j9x8q2m5w7r4t6y1u8i2o5p9a3' # not a secret"))).toBe("sound");
    const key = ["AKIA", "IOSFODNN7EXAMPLE"].join("");
    expect(first(withPurpose(`${key} # not a secret`))).toContain("secret-literal");
  });

  it("are never repeated, whatever the estate and wherever they are put", () => {
    const places = [...soundText.matchAll(/[a-z0-9]+/gi)].map(
      ({ index, 0: word }) => [index, word.length] as const,
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...places),
        fc.constantFrom("", '"', "'", " # "),
        ([start, length], quote) => {
          const end = quote === " # " ? "" : quote;
          const text = soundText.slice(0, start) + quote + canary + end + soundText.slice(start + length);
          expect(shown(text)).not.toContain(canary);
          expect(shown(text)).not.toContain(canary.slice(0, 13));
        },
      ),
      { numRuns: 150 },
    );
  });

  it("are not shown when the file is damaged around a weak one", () => {
    const weak = "correct-horse";
    const books = `books:\n    kind: ledger\n    password: ${weak}\n    host: books.example.com`;
    const text = soundText.replace(/books:\n {4}kind: ledger\n {4}host: books.example.com/, books);
    expect(text).toContain(weak);
    const around = text.indexOf("  books:");
    for (let i = around; i < around + books.length; i++) {
      if (text.slice(i - weak.length, i + weak.length).includes(weak)) continue;
      for (const insert of ["", "\t", '"', "{", ":", "\n", "#"]) {
        expect(shown(text.slice(0, i) + insert + text.slice(i + 1))).not.toContain(weak);
      }
    }
  });
});

describe("anything at all", () => {
  const check = (text: string) => {
    const lines = text.replace(/^\ufeff/, "").split("\n");
    for (const { line, column, message, code, excerpt } of problemsIn(text)) {
      expect(line).toBeGreaterThanOrEqual(1);
      expect(line).toBeLessThanOrEqual(Math.max(1, lines.length));
      expect(column).toBeGreaterThanOrEqual(1);
      expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
      expect(message).not.toBe("");
      expect(code).toMatch(/^[a-z0-9-]+$/);
      if (excerpt) expect(excerpt.start + excerpt.length).toBeLessThanOrEqual(excerpt.text.length);
    }
  };

  it("gets an answer with a place in the file: text of YAML's own characters", () => {
    const piece = fc.constantFrom(
      ..."abk1:-,[]{}#&*!|>'\"%@`?~ \t\n\r",
      "\n  ",
      ": ",
      "- ",
      "<<: ",
      "---\n",
      "&a ",
      "*a",
      "owners:\n",
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 60 }).map((parts) => parts.join("")),
        check,
      ),
      { numRuns: 250 },
    );
  });

  it("gets an answer with a place in the file: damaged estates", () => {
    const damage = fc.tuple(
      fc.nat(),
      fc.nat({ max: 12 }),
      fc.constantFrom("", "\n", "  ", ":", "{", '"', "\t", "null", "é"),
    );
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (changes) => {
        let text = soundText;
        for (const [where, length, insert] of changes) {
          const i = where % text.length;
          text = text.slice(0, i) + insert + text.slice(i + length);
        }
        check(text);
      }),
      { numRuns: 250 },
    );
  });

  it("gets an answer with a place in the file: bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) =>
        problemsIn(bytes).every(({ line, column }) => line > 0 && column > 0),
      ),
    );
  });
});

/** The pages say what is there: links lead somewhere, commands and settings exist, hazards name real tests. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { CommanderError } from "commander";
import { describe, expect, test } from "vitest";
import { programFor } from "../../client/cli/program.js";
import { pictureOf } from "../../scripts/picture.js";
import { brokenLinks, hazardComplaints, hazardRows, type Parse, wrongCommands } from "./docs.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const skipped = ["node_modules", "coverage"];

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isFile()) return [relative(root, path)];
    const isOurs =
      entry.isDirectory() && !skipped.includes(entry.name) && !/^(\.(?!ci)|dist)/.test(entry.name);
    return isOurs ? filesIn(path) : [];
  });
}

const files = filesIn(root);
const pages = new Map(files.filter((path) => path.endsWith(".md")).map((path) => [path, read(path)]));

const lacking = new Set(
  ["missingArgument", "optionMissingArgument", "missingMandatoryOptionValue"].map(
    (what) => `commander.${what}`,
  ),
);

/** Asks the program itself, with commands that do nothing. */
const parse: Parse = async (words) => {
  const program = programFor(async () => undefined, "0.0.0");
  try {
    await program.parseAsync([...words], { from: "user" });
    return null;
  } catch (failure) {
    if (!(failure instanceof CommanderError)) throw failure;
    const { code, message } = failure;
    // `<exit>` stands for what has to follow, and is none of the choices itself.
    const isBlank = code === "commander.invalidArgument" && words.some((word) => /^<.+>$/.test(word));
    return { lacks: isBlank || lacking.has(code), message };
  }
};

describe("links", () => {
  test("one that leads nowhere, or to no heading, is noticed", () => {
    const page =
      "# A `b` (c)\n[x](gone.md) [y](#a-b-c) [z](#b) [w](docs/) [v](https://a/b.md) `[u](gone.md)`\n```\n[t](gone.md)\n```\n";
    const broken = brokenLinks(new Map([["a.md", page]]), (path) => ["a.md", "docs"].includes(path));
    expect(broken).toEqual(["a.md: gone.md leads nowhere", "a.md: #b names no heading"]);
  });

  test("all of ours lead somewhere", () => {
    expect(pages.size).toBeGreaterThan(20);
    expect(brokenLinks(pages, (path) => existsSync(join(root, path)))).toEqual([]);
  });
});

describe("commands", () => {
  const complaints = (page: string) => wrongCommands(new Map([["a.md", page]]), parse);

  test("one that does not exist is noticed, in every kind of code", async () => {
    const page =
      "rekey prose\n\n    rekey indented\n\n`rekey inline` and `rekey/1 inst` and `rekey up`\n\n```\nx; rekey fenced --x\n```\n";
    const found = await complaints(page);
    expect(found.map((text) => text.split(":")[1])).toEqual([
      " rekey inline",
      " rekey fenced",
      " rekey indented",
    ]);
  });

  test("an argument or an option that the program does not take is noticed, and one that is missing in a whole line", async () => {
    const page =
      "    rekey validate estate.yaml    every error\n    rekey plan\n    rekey plan orders-db --emergancy\n" +
      "    rekey keygen --as alice > 'a file'\n    rekey rotate orders-db --reason \"first one\"\n\n`rekey plan`, `rekey blast --limit`\n";
    expect(await complaints(page)).toEqual([
      expect.stringContaining("rekey plan: error: missing required argument"),
      expect.stringContaining("rekey validate estate.yaml    every error: error: too many arguments"),
      expect.stringContaining("rekey plan orders-db --emergancy: error: unknown option"),
    ]);
  });

  test("all that the pages mention are taken by the program", async () => {
    expect(pages.get("docs/estate.md")).toContain("rekey validate");
    expect(await wrongCommands(pages, parse)).toEqual([]);
  });
});

describe("settings", () => {
  const page = read("docs/installation.md");
  const named = (text: string): string[] => [...new Set(text.match(/\bREKEY_[A-Z_]*[A-Z]\b/g) ?? [])];

  test("every variable of worker/config.ts is on docs/installation.md", () => {
    const settings = named(read("worker/config.ts"));
    expect(settings.length).toBeGreaterThan(15);
    expect(settings.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  test("every variable on that page is read somewhere", () => {
    const sources = files.filter((path) => /^(worker|client|scripts)\/.*\.(ts|sh)$/.test(path));
    const known = new Set(sources.flatMap((path) => named(read(path))));
    expect(named(page).filter((name) => !known.has(name))).toEqual([]);
  });
});

describe("hazards", () => {
  test("a hazard left out, a wrong state, a test that is not there are noticed", () => {
    const rows = hazardRows(
      [
        '| H1 | a | held | b | `test/a.ts`: "H1: there", "H1: gone"; the exploration |',
        "| H2 | a | held | b | |",
        "| H3 | a | fine | b | the exploration |",
        "| H3 | a | open | b | |",
      ].join("\n"),
    );
    const textOf = (file: string) => (file === "test/a.ts" ? 'test("H1: there")' : undefined);
    expect(hazardComplaints(rows, 3, textOf)).toEqual([
      "H3 is not listed once",
      'H1: test/a.ts has no test "H1: gone"',
      "H2 is held by no test",
      "H3 is neither held, partly nor open",
    ]);
  });

  test("docs/hazards.md lists H1 to H40, and every test that it names exists", () => {
    const textOf = (file: string) => (existsSync(join(root, file)) ? read(file) : undefined);
    expect(hazardComplaints(hazardRows(read("docs/hazards.md")), 40, textOf)).toEqual([]);
  });
});

describe("the picture", () => {
  const esc = String.fromCharCode(27);

  test("keeps colours and columns, and escapes what XML would take for itself", () => {
    const svg = pictureOf(`${esc}[2m 1s${esc}[22m ${esc}[32mok${esc}[39m a<b & "c"\n\n`, "t<t");
    expect(svg).toContain('fill="#56d364">ok</text>');
    expect(svg).toContain("a&lt;b &amp; &quot;c&quot;</text>");
    expect(svg).toContain(">t&lt;t</text>");
    expect(svg).not.toContain(esc);
  });

  test("that the README shows was drawn by it, and tells of no failed request", () => {
    const svg = read("docs/demo.svg");
    const [head = ""] = pictureOf("", "x").split(' width="');
    expect(svg.startsWith(head)).toBe(true);
    expect(svg).toMatch(/\d+ requests, 0 failed/);
    expect(read("README.md")).toContain("(docs/demo.svg)");
  });
});

/** What every source over a folder has in common, tried with compose files: bad files, links, parts and cursors. */
import { execFileSync } from "node:child_process";
import { mkdir, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { compose } from "../../../adapters/sources/compose.js";
import { edgeText, scanned, together } from "../source.js";
import { type Files, type Folder, folderWith, sourceOver } from "./folder-world.js";

const file = (secret: string) => `services: { api: { secrets: [${secret}] } }\n`;
const edge = (project: string, secret: string) =>
  `reader(workload=compose ${project}/api) uses location(compose ${project} secrets.${secret}) declared`;

let folder: Folder;
afterEach(() => folder.dispose());

const scan = async (files: Files, settings: object = {}, change: () => Promise<void> = async () => {}) => {
  folder = await folderWith(files);
  await change();
  const parts = await scanned(await sourceOver(compose, folder.directory, settings));
  return {
    edges: parts.flatMap(({ claims }) => claims.map(edgeText)),
    malformed: parts.flatMap(({ malformed }) => malformed),
    gaps: parts.flatMap(({ gaps }) => gaps),
    hidden: parts.flatMap(({ hidden }) => hidden?.map(({ record }) => record) ?? ["anything"]),
    records: together(parts).records,
  };
};

it("reads a byte order mark, CRLF and UTF-16, and reports other encodings", async () => {
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(file("wide"), "utf16le")]);
  const found = await scan({
    "a/compose.yaml": `\ufeff${file("bom")}`,
    "b/compose.yaml": file("crlf").replaceAll(" ", "\r\n "),
    "c/compose.yaml": utf16,
    "d/compose.yaml": Buffer.from([...Buffer.from("services: { ap"), 0xe9, ...Buffer.from(": {} }")]),
    "e/compose.yaml": file("last"),
  });
  expect(found.edges).toEqual([edge("a", "bom"), edge("b", "crlf"), edge("c", "wide"), edge("e", "last")]);
  expect(found.malformed).toEqual([{ where: "d/compose.yaml", why: "not text in UTF-8 or UTF-16" }]);
  expect(found.gaps).toHaveLength(1);
  expect(found.hidden).toEqual(["d/compose.yaml"]);
  expect(found.records).toBe(5);
});

it("reports a file that is cut in the middle, one that is too large and one that is none, and reads on", async () => {
  const found = await scan(
    { "a/compose.yaml": `${file("cut")}x: "`, "b/compose.yaml": file("big"), "d/compose.yaml": file("last") },
    {},
    async () => {
      await truncate(join(folder.directory, "b/compose.yaml"), 9_000_000);
      await mkdir(join(folder.directory, "c/compose.yaml"), { recursive: true });
      // Opening a pipe would wait for a writer for ever.
      execFileSync("sh", ["-c", 'mkfifo "$0"', join(folder.directory, "c/compose.yml")]);
    },
  );
  expect(found.edges).toEqual([edge("d", "last")]);
  expect(found.malformed.map(({ where }) => where)).toEqual([
    "a/compose.yaml:2",
    "b/compose.yaml",
    "c/compose.yml",
  ]);
});

it("follows no link out of the folder, and says so", async () => {
  const found = await scan({ "a/compose.yaml": file("one") }, {}, async () => {
    await writeFile(join(folder.directory, "../compose.yaml"), file("outside"));
    await symlink("../compose.yaml", join(folder.directory, "compose.yaml"));
    await symlink("..", join(folder.directory, "up"));
    await symlink("a", join(folder.directory, "docker-compose.yaml"));
    await mkdir(join(folder.directory, "z"));
    await symlink("../a/compose.yaml", join(folder.directory, "z/compose.yaml"));
    await symlink("nothing.yaml", join(folder.directory, "z/docker-compose.yml"));
  });
  expect(found.edges).toEqual([edge("a", "one"), edge("z", "one")]);
  expect(found.malformed.map(({ where }) => where)).toEqual(["compose.yaml", "up", "z/docker-compose.yml"]);
});

it("leaves out the folders that it is told to, and says when nothing is there", async () => {
  const found = await scan({ "node_modules/x/compose.yaml": file("one") });
  expect(found.edges).toEqual([]);
  expect(found.gaps).toEqual([expect.stringContaining("No compose files are in")]);
  expect(found.hidden).toEqual(["anything"]);
});

it("cuts what is long into parts, inside of a file too, and goes on from each", async () => {
  const many = Array.from({ length: 3_000 }, (_, index) => `s${index}`);
  folder = await folderWith({
    "a/compose.yaml": file(many.join(", ")),
    "b/compose.yaml": file("one"),
    "c/compose.yaml": file(many.slice(0, 2_500).join(", ")),
  });
  const parts = await scanned(await sourceOver(compose, folder.directory));
  expect(parts.map(({ claims }) => claims.length)).toEqual([2_000, 2_000, 1_501]);
  expect(together(parts).records).toBe(3);
  for (const [index, { cursor }] of parts.entries()) {
    const rest = await scanned(await sourceOver(compose, folder.directory), cursor);
    const all = [...parts.slice(0, index + 1), ...rest];
    expect(all.flatMap(({ claims }) => claims.map(edgeText))).toEqual(
      parts.flatMap(({ claims }) => claims.map(edgeText)),
    );
    expect(together(all).records).toBe(3);
  }
});

it("reads a file anew that was changed since the cursor", async () => {
  folder = await folderWith({ "a/compose.yaml": file("one"), "b/compose.yaml": file("two") });
  const parts = await scanned(await sourceOver(compose, folder.directory));
  const cursor = parts.at(-1)?.cursor ?? null;
  expect(await scanned(await sourceOver(compose, folder.directory), cursor)).toEqual([]);
  await folder.write({ "a/compose.yaml": file("passed"), "b/compose.yaml": file("three") });
  const rest = await scanned(await sourceOver(compose, folder.directory), cursor);
  expect(rest.flatMap(({ claims }) => claims.map(edgeText))).toEqual([edge("b", "three")]);
});

it("refuses a cursor that is none of its own", async () => {
  folder = await folderWith({ "compose.yaml": file("one") });
  await expect(scanned(await sourceOver(compose, folder.directory), "42")).rejects.toMatchObject({
    code: "bad-input",
  });
});

it("says which folder is not there", async () => {
  folder = await folderWith({});
  await folder.remove(".");
  await expect(scanned(await sourceOver(compose, folder.directory))).rejects.toMatchObject({
    code: "unreachable",
    message: `The folder ${folder.directory} is not there; is it mounted?`,
  });
});

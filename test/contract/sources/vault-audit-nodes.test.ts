/** A source that reads the logs of several nodes: each path is a log of its own, and says how far that one reaches. */
import { appendFile, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import { vaultAuditConfig } from "../../../adapters/sources/vault-audit-schema.js";
import { mergedReaches } from "../../../domain/discovery/reaches.js";
import type { LogReach, ScanPart } from "../../../domain/discovery/said.js";
import { scanned } from "../source.js";
import { auditLine, auditSource, logFolder } from "./audit-lines.js";

let folder: string;
let paths: readonly [string, string];
beforeEach(async () => {
  folder = await logFolder();
  for (const node of ["a", "b"]) await mkdir(join(folder, node));
  paths = [join(folder, "a", "audit*"), join(folder, "b", "audit*")];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const file = (name: string) => join(folder, name);
const [first, second, third] = ["2026-02-01", "2026-02-02", "2026-02-03"].map(
  (day) => `${day}T00:00:00Z`,
) as [string, string, string];
const line = (time: string) => `${auditLine("a", "apps/db", 1, { time })}\n`;
const reach = (log: string, time: string | null) => ({ log, until: time === null ? null : Date.parse(time) });
const cursorOf = (parts: readonly ScanPart[]) => parts.at(-1)?.cursor ?? "";
const reaches = (parts: readonly ScanPart[]) =>
  parts.reduce<LogReach[]>((before, part) => mergedReaches(before, part.reaches ?? []), []);

it("H21: each path reaches to its own newest record, over its rotated files, and no further in what is read on", async () => {
  await writeFile(file("a/audit.log"), line(third));
  await writeFile(file("a/audit.log.2.gz"), gzipSync(line(first)));
  await writeFile(file("b/audit.log"), line(second) + line(first));
  const parts = await scanned(auditSource(paths));
  expect(reaches(parts)).toEqual([reach(paths[0], third), reach(paths[1], second)]);
  await rename(file("b/audit.log"), file("b/audit.log.1"));
  await writeFile(file("b/audit.log"), line(third));
  expect(reaches(await scanned(auditSource(paths), cursorOf(parts)))).toEqual([
    reach(paths[0], null),
    reach(paths[1], third),
  ]);
});

it("H21: each part has the logs, with what it has read of them since the one before", async () => {
  await writeFile(file("a/audit.log"), `${line(third)}${line(first).repeat(3)}`);
  await writeFile(file("b/audit.log"), line(second));
  const parts = await scanned(auditSource(paths, {}, { entries: 100, records: 2 }));
  expect(parts.length).toBeGreaterThan(2);
  for (const part of parts) expect(part.reaches?.map(({ log }) => log)).toEqual(paths);
  expect(parts.flatMap((part) => part.reaches?.[0]?.until ?? [])).toEqual([third, first].map(Date.parse));
  expect(reaches(parts)).toEqual([reach(paths[0], third), reach(paths[1], second)]);
});

it("a file that several paths name is of all of them; one path is one log, and what may be silent is asked for nothing", async () => {
  await writeFile(file("a/audit.log"), line(second));
  const both = [file("a/audit.log"), paths[0]];
  expect(reaches(await scanned(auditSource(both)))).toEqual(both.map((path) => reach(path, second)));
  for (const one of [[paths[0]], [paths[0], paths[0]]])
    expect((await scanned(auditSource(one))).map((part) => part.reaches)).toEqual([undefined]);
  await writeFile(file("b/audit.log"), line(third));
  const silent = (...mayBeSilent: string[]) =>
    scanned(auditSource([], { from: { method: "files", paths, mayBeSilent } }));
  expect(reaches(await silent(paths[1]))).toEqual([reach(paths[0], second)]);
  expect((await silent(...paths)).map((part) => part.reaches)).toEqual([undefined]);
});

it("refuses that a path may be silent which is none of the source's", () => {
  const from = { method: "files", paths, mayBeSilent: [file("b/audit.log")] };
  const { error } = vaultAuditConfig.safeParse({ store: "main", from });
  expect(error?.issues).toMatchObject([
    {
      path: ["from", "mayBeSilent"],
      message: "expected paths of this source, each as it is written in `paths`",
    },
  ]);
});

it("H21: waits for the end of the last line in the log of each node, also where another one in the folder is newer", async () => {
  const logs = ["a.log", "b.log"].map(file);
  const malformed = (parts: readonly ScanPart[]) => parts.flatMap((part) => part.malformed);
  const half = line(third).slice(0, 40);
  await writeFile(file("b.log"), line(first) + half);
  // A later tick of the disk's clock.
  await new Promise((resolve) => setTimeout(resolve, 20));
  await writeFile(file("a.log"), line(second));
  const parts = await scanned(auditSource(logs));
  expect(malformed(parts)).toEqual([]);
  // One that may be silent shows nothing later, behind which the line is: there it is said at once.
  const silent = { from: { method: "files", paths: logs, mayBeSilent: [file("b.log")] } };
  expect(malformed(await scanned(auditSource([], silent)))).toHaveLength(1);
  await appendFile(file("b.log"), line(third).slice(40));
  const rest = await scanned(auditSource(logs), cursorOf(parts));
  expect([malformed(rest), reaches(rest)[1]]).toEqual([[], reach(file("b.log"), third)]);
});

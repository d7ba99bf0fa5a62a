/** That an entry is shown with the durations that somebody wrote: tried with every example, against what stands there. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { kinds } from "../../../adapters/registry.js";
import { entrySchema } from "../../../client/estate/json-schema.js";
import { readEstate } from "../../../client/estate/load.js";
import { asWritten } from "../../../client/estate/written.js";
import { durationPattern, parseDuration } from "../../../domain/duration.js";
import { type Section, sections } from "../../../domain/estate/schema.js";

const folder = fileURLToPath(new URL("../../../examples/estates/", import.meta.url));
const schemas = new Map(sections.map((section) => [section, entrySchema(kinds, section)]));
const entryOf = (section: Section) => schemas.get(section) ?? {};

/** Each duration in it, in milliseconds, by its path. */
function durationsIn(value: unknown, path = ""): [string, number | undefined][] {
  if (typeof value === "string") return durationPattern.test(value) ? [[path, parseDuration(value)]] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => durationsIn(one, `${path}/${key}`));
}

function keysIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => [key, ...keysIn(one)]);
}

test.each(readdirSync(folder))("%s: every duration is shown as it was written", (name) => {
  const bytes = readFileSync(join(folder, name));
  const raw = parse(bytes.toString()) as Record<string, unknown>;
  const read = readEstate(bytes, name, kinds);
  if (!read.ok) throw new Error(`${name} is no estate`);
  for (const section of sections) {
    const shown = Object.fromEntries(
      Object.entries(read.estate[section]).map(([key, body]) => [key, asWritten(body, entryOf(section))]),
    );
    const there = new Map(durationsIn(shown));
    for (const [path, ms] of durationsIn(raw[section]))
      expect([section + path, there.get(path)]).toEqual([section + path, ms]);
    expect(keysIn(shown).filter((key) => /[a-z]Ms$/.test(key))).toEqual([]);
  }
});

test("a number that is none stays one", () => {
  expect(
    asWritten({ approval: { quorum: 2, deadlineMs: 86_400_000 }, quietPeriodMs: 0 }, entryOf("policies")),
  ).toEqual({
    approval: { quorum: 2, deadline: "1d" },
    quietPeriod: "0s",
  });
  const source = { kind: "postgres-activity", every: 600_000, port: 5432 };
  expect(asWritten(source, entryOf("sources"))).toEqual({ ...source, every: "10m" });
  expect(asWritten({ kind: "gone", every: 5, timeout: 5 }, entryOf("sources"))).toEqual({
    kind: "gone",
    every: 5,
    timeout: 5,
  });
});

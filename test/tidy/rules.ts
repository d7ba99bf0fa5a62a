/**
 * The house rules, each a function from facts about files to complaints, so that every rule is shown to fail
 * on a file that breaks it before it is believed about files that do not.
 */

import { isBuiltin } from "node:module";
import { rooms, temporalRooms } from "./rooms.js";
import type { Source } from "./sources.js";

/** A rule: complaints in words, each naming file and, where it helps, line. Empty means tidy. */
export type Rule = (sources: readonly Source[]) => string[];

const linesMax = 400;
const openingMin = 40;
const providerNames =
  /postgres|\bvault\b|openbao|hashicorp|redis|mysql|mariadb|rabbit|kubernetes|\bk8s\b|pgbouncer|mongo|kafka|dynamodb|\baws\b|amazon|\bgcp\b|azure|\bgithub\b|\bslack\b|\bstripe\b/i;

const telemetryPackages =
  /opentelemetry|^prom-client$|^@sentry\/|^dd-trace$|^newrelic$|^applicationinsights$|^hot-shots$|^node:(?:diagnostics_channel|trace_events)$/;

/** The room of a file; files at the top level (configuration) are in none. */
function roomOf(path: string): string | undefined {
  const [first, second] = path.split("/");
  if (first === path) return undefined;
  return rooms[`${first}/${second}`] === undefined ? first : `${first}/${second}`;
}

/** An import against the table of rooms. */
export const arrows: Rule = (sources) =>
  sources.flatMap((source) => {
    const name = roomOf(source.path);
    if (name === undefined) return [];
    const room = rooms[name];
    if (room === undefined) return [`${source.path}: ${name}/ is no room of the house`];
    const wrong = source.imports.filter((target) => {
      const other = roomOf(target);
      if (other === name || room.rooms === "all") return false;
      return !(other !== undefined && room.rooms.includes(other)) && room.files?.includes(target) !== true;
    });
    return wrong.map((target) => `${source.path}: ${name}/ may not import ${target}`);
  });

/** A package that the room may not know. */
export const packages: Rule = (sources) =>
  sources.flatMap((source) => {
    const name = roomOf(source.path);
    if (name === undefined) return [];
    const allowed = rooms[name]?.packages;
    const wrong = source.packages.filter((used) => {
      if (used.startsWith("@temporalio/") && !temporalRooms.includes(name)) return true;
      if (allowed === undefined) return false;
      if (isBuiltin(used)) return name !== "kit";
      return !allowed.includes(used);
    });
    return wrong.map((used) => `${source.path}: ${name}/ may not use ${used}`);
  });

/** Adapters know their port and what adapters share, never another kind; activities never another activity. */
export const kindsApart: Rule = (sources) => {
  const files = new Set(sources.map((source) => source.path));
  return sources.flatMap((source) => {
    const own = kindOf(source.path, files);
    if (own === undefined) return [];
    return source.imports
      .filter((target) => {
        const other = kindOf(target, files);
        return other !== undefined && other !== own;
      })
      .map((target) => `${source.path}: a kind may not import another (${target})`);
  });
};

/**
 * `adapters/stores/vault` for `adapters/stores/vault.ts` and everything in `adapters/stores/vault/`, also for
 * `adapters/stores/vault-wire.ts` where `vault.ts` exists; undefined for what kinds share.
 */
function kindOf(path: string, files: ReadonlySet<string>): string | undefined {
  const match = /^(adapters\/[^/]+)\/([^/]+?)(\.ts|\/.*)$/.exec(path);
  if (match === null || match[1] === "adapters/shared") return undefined;
  const [, port, name = "", rest] = match;
  if (rest !== ".ts") return `${port}/${name}`;
  for (let at = name.lastIndexOf("-"); at > 0; at = name.lastIndexOf("-", at - 1)) {
    const shorter = `${port}/${name.slice(0, at)}`;
    if (files.has(`${shorter}.ts`)) return shorter;
  }
  return `${port}/${name}`;
}

/** Files that import each other in a ring, types included: they can only be understood together. */
export const cycles: Rule = (sources) => {
  const graph = new Map(sources.map((source) => [source.path, source.imports]));
  const done = new Set<string>();
  const found = new Set<string>();
  const walk = (path: string, trail: string[]): void => {
    const at = trail.indexOf(path);
    if (at !== -1) {
      const ring = trail.slice(at);
      const least = ring.indexOf([...ring].sort()[0] ?? "");
      found.add([...ring.slice(least), ...ring.slice(0, least)].join(" -> "));
      return;
    }
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) walk(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) walk(path, []);
  return [...found].map((ring) => `a cycle: ${ring}`);
};

/** A file too long to be about one thing. */
export const length: Rule = (sources) =>
  sources
    .filter((source) => source.lines > linesMax)
    .map((source) => `${source.path}: ${source.lines} lines, more than ${linesMax}`);

/** A provider's name in the rooms that know rules only. `vault:path#key` is a form of reference, not a name. */
export const providers: Rule = (sources) =>
  sources
    .filter((source) => ["domain", "workflows"].includes(roomOf(source.path) ?? ""))
    .flatMap((source) =>
      source.text.split("\n").flatMap((line, index) => {
        const name = providerNames.exec(line.replaceAll(/\bvault:/g, ""))?.[0];
        return name === undefined ? [] : [`${source.path}:${index + 1}: the provider's name ${name}`];
      }),
    );

/** An export that says nothing about its promise. */
export const docstrings: Rule = (sources) =>
  sources
    .filter((source) => !source.path.endsWith(".test.ts") && roomOf(source.path) !== undefined)
    .flatMap((source) =>
      source.exported
        .filter((item) => !item.documented)
        .map((item) => `${source.path}:${item.line}: the export ${item.name} has no docstring`),
    );

/** Output that bypasses the command line's own. */
export const consoles: Rule = (sources) =>
  sources
    .filter((source) => !source.path.startsWith("client/cli/"))
    .flatMap((source) =>
      source.consoleLines.map((line) => `${source.path}:${line}: console outside client/cli`),
    );

/**
 * Spans, metrics and reports of errors leave by ways of their own, which nobody searches for values. Who adds one has
 * test/e2e/canaries search what it sends, and then names it here (I6).
 */
export const telemetry: Rule = (sources) =>
  sources
    .filter(({ path }) => !path.startsWith("test/"))
    .flatMap((source) => {
      const used = source.packages.filter((name) => telemetryPackages.test(name));
      if (/\btelemetryOptions\b/.test(source.text)) used.push("telemetryOptions of Temporal's SDK");
      return used.map((what) => `${source.path}: ${what}: the canary suite does not search what it sends`);
    });

/** A default export: it has no name to search for. The test runner's configuration must have one. */
export const defaultExports: Rule = (sources) =>
  sources
    .filter((source) => source.defaultExport && source.path !== "vitest.config.ts")
    .map((source) => `${source.path}: a default export`);

/** Something left to do that nobody can look up. */
export const todos: Rule = (sources) =>
  sources.flatMap((source) =>
    source.comments
      .filter(({ text }) => /\b(TODO|FIXME|XXX|HACK)\b(?!\s*\(?#\d)/.test(text))
      .map(({ line }) => `${source.path}:${line}: a TODO without an issue's number`),
  );

/** A file that does not say why it is there. */
export const openings: Rule = (sources) =>
  sources
    .filter((source) => (source.opening ?? "").replaceAll(/[*\s]+/g, " ").trim().length < openingMin)
    .map((source) => `${source.path}: no opening comment that says why the file is there`);

/** A sentence that leaves the choice between one and several to whoever reads it; `count` of domain/count.ts makes it. */
export const counted: Rule = (sources) =>
  sources
    .filter(({ path }) => !path.startsWith("test/"))
    .flatMap(({ path, text }) =>
      text.split("\n").flatMap((line, index) => {
        const [, word] = /\$\{[^}]*\} (?:[\w-]+ )*?([\w-]+\(s\))/.exec(line) ?? [];
        return word === undefined ? [] : [`${path}:${index + 1}: "${word}" after a number`];
      }),
    );

/** A wait that gives up after a second, in which a busy machine may do nothing for us. `expect.poll` waits as vitest.config.ts says. */
export const waits: Rule = (sources) =>
  sources
    .filter(({ path }) => path.startsWith("test/") && !path.startsWith("test/tidy/"))
    .flatMap(({ path, text }) =>
      text.split("\n").flatMap((line, index) => {
        const used = /\bvi\.wait(?:For|Until)\b/.exec(line)?.[0];
        return used === undefined ? [] : [`${path}:${index + 1}: ${used} instead of expect.poll`];
      }),
    );

/**
 * `docs/measurements.md`: the figures of the last runs, each part with the commit, the day and the machine that it was
 * measured on, so that a figure never stands without them. A run replaces the parts that it measured.
 */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../worker/dev/places.js";
import { figureText, goalText, type Row, type Table } from "./tables.js";

const beginning = `# Measurements

Written by \`make bench\`, and by nobody's hand. Goals that were missed are marked; where a figure is said to be of one machine it is of that one only.
`;

/** Of what and where a run was. */
interface Circumstances {
  readonly commit: string;
  /** \`2026-01-31\`. */
  readonly day: string;
  readonly processors: number;
  readonly node: string;
}

/** This run's. A tree with changes outside of docs/ says so, and one without git has no commit. */
export async function circumstances(now: number): Promise<Circumstances> {
  const git = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)("git", args, { cwd: projectRoot() });
    return stdout.trim();
  };
  const commit = await Promise.all([
    git("rev-parse", "--short=12", "HEAD"),
    git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs"),
  ]).then(
    ([head, changed]) => (changed === "" ? head : `${head} with changes`),
    () => "unknown",
  );
  const day = new Date(now).toISOString().slice(0, 10);
  return { commit, day, processors: availableParallelism(), node: process.versions.node };
}

/** Puts the parts that were measured in their place on the page, by name; the others stay as they are. */
export async function writeMeasurements(
  measured: ReadonlyMap<string, readonly Table[]>,
  order: readonly string[],
  run: Circumstances,
): Promise<void> {
  const file = join(projectRoot(), "docs", "measurements.md");
  const before = await readFile(file, "utf8").catch(() => "");
  const parts = order.flatMap((name) => {
    const tables = measured.get(name);
    const text = tables === undefined ? partIn(before, name) : partOf(name, tables, run);
    return text === undefined ? [] : [text];
  });
  await writeFile(file, `${beginning}\n${parts.join("\n\n")}\n`);
}

function partIn(page: string, name: string): string | undefined {
  const begin = page.indexOf(`<!-- part ${name} -->`);
  if (begin === -1) return undefined;
  const end = page.indexOf("<!-- part ", begin + 1);
  return page.slice(begin, end === -1 ? undefined : end).trimEnd();
}

function partOf(name: string, tables: readonly Table[], run: Circumstances): string {
  const { commit, day, processors, node } = run;
  const of = `Part \`${name}\`: commit ${commit}, ${day}, ${processors} processors, Node ${node}.`;
  const each = tables.map(
    ({ title, rows }) =>
      `## ${title}\n\n${of}\n\n| | Measured | Goal | |\n|---|---|---|---|\n${rows.map(line).join("\n")}`,
  );
  return `<!-- part ${name} -->\n\n${each.join("\n\n")}`;
}

function line(row: Row): string {
  const { goal, met } = goalText(row);
  const mark = met === "missed" ? "**missed**" : met;
  const last = [mark, row.note ?? ""].filter((text) => text !== "").join("; ");
  return `| ${row.what.trim()} | ${figureText(row)} | ${goal} | ${last} |`;
}

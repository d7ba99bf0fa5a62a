/**
 * What has to be known of all workflows of a repository before one of them can be read: who calls which with what, and the environments
 * that they name. Only that much of each is kept.
 */
import { posix } from "node:path";
import { listOf, mapOf, named, textOf, yamlDocuments } from "../shared/source-config.js";
import type { FoundFile, ReadBeside } from "../shared/source-files.js";
import { anything, type Lookup, possibleOf, possibleTexts } from "./github-actions-possible.js";

type Body = Readonly<Record<string, unknown>>;

/** As much of a workflow as says in which environments its jobs run. */
interface Shape {
  readonly path: string;
  readonly on: unknown;
  readonly jobs: ReadonlyMap<string, Body>;
}

/** The repository's workflows, in short. */
export interface Repository {
  readonly name: string;
  readonly beside: ReadBeside;
  readonly shapes: ReadonlyMap<string, Shape>;
  /** Environments that the settings or the workflows name. */
  readonly environments: ReadonlySet<string>;
  /** The settings name them, so that there are no others. */
  readonly areAllNamed: boolean;
}

/** In which environments a job may run; `unknown` is what was not resolved, if anything. */
export interface Environments {
  readonly names: readonly string[];
  readonly unknown: string | null;
}

/** Callers of callers that are asked what they hand over. */
const ways = 5;

/** Whether a file is a workflow, by its path below the repository. */
export const isWorkflow = (path: string) => /^\.github\/workflows\/[^/]+\.ya?ml$/.test(path);

/** Collects it from the files of a folder. `environments`: those that the settings name; none, where they do not say. */
export async function repositoryIn(
  files: AsyncIterable<FoundFile>,
  {
    name,
    beside,
    environments,
  }: { readonly name: string; readonly beside: ReadBeside; readonly environments: readonly string[] },
): Promise<Repository> {
  const shapes = new Map<string, Shape>();
  for await (const file of files) {
    if (!("text" in file) || !isWorkflow(file.path)) continue;
    const [parsed] = yamlDocuments(file.text);
    if (parsed !== undefined && "value" in parsed) shapes.set(file.path, shapeOf(file.path, parsed.value));
  }
  const known = new Set(environments);
  const repository = { name, beside, shapes, environments: known, areAllNamed: environments.length > 0 };
  for (const shape of shapes.values())
    for (const job of shape.jobs.values())
      for (const value of valuesOf(shape, job, repository))
        if (value !== "" && !value.includes(anything)) known.add(value);
  return repository;
}

function shapeOf(path: string, top: unknown): Shape {
  const jobs = Object.entries(mapOf(mapOf(top).jobs)).map(([name, job]): [string, Body] => {
    const { uses, with: given, environment, strategy } = mapOf(job);
    return [name, { uses, with: given, environment, strategy }];
  });
  return { path, on: mapOf(top).on, jobs: new Map(jobs) };
}

/** The environments of a job of a workflow, whatever of them can be known. */
export function environmentsOf(top: Body, path: string, job: Body, repository: Repository): Environments {
  const values = valuesOf(shapeOf(path, top), job, repository);
  const unknown = values.some((value) => value.includes(anything)) && !repository.areAllNamed;
  const names = values.flatMap((value) => (value.includes(anything) ? matching(value, repository) : [value]));
  return {
    names: [...new Set(names)].filter((name) => name !== ""),
    unknown: unknown ? environmentIn(job) : null,
  };
}

/** What a text of a job can come to, by its matrix and by what its workflow is given. */
export function lookupOf(top: Body, path: string, job: Body, repository: Repository): Lookup {
  return lookup(shapeOf(path, top), job, repository, []);
}

function valuesOf(shape: Shape, job: Body, repository: Pick<Repository, "shapes" | "name">): string[] {
  const text = environmentIn(job);
  return text === null ? [] : possibleTexts(text, lookup(shape, job, repository, []));
}

function environmentIn(job: Body): string | null {
  return named(job.environment) ?? named(mapOf(job.environment).name);
}

function matching(pattern: string, { environments }: Repository): string[] {
  const parts = pattern.split(anything).map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  const fits = new RegExp(`^${parts.join(".*")}$`, "is");
  return [...environments].filter((name) => fits.test(name));
}

function lookup(
  shape: Shape,
  job: Body,
  repository: Pick<Repository, "shapes" | "name">,
  through: readonly string[],
): Lookup {
  return (path) => {
    const [context = "", ...rest] = path.map((step) => step.toLowerCase());
    const isEvent = context === "github" && rest[0] === "event" && rest[1] === "inputs";
    if (context === "inputs" || isEvent) {
      const [name, ...below] = isEvent ? rest.slice(2) : rest;
      if (name === undefined || below.length > 0 || through.length >= ways) return [anything];
      return inputOf(name, shape, repository, through);
    }
    return context === "matrix"
      ? matrixOf(rest, mapOf(job.strategy).matrix, lookup(shape, {}, repository, through))
      : [anything];
  };
}

/** What an input can be: whatever its triggers let people choose, and what callers in this repository hand over. */
function inputOf(
  name: string,
  shape: Shape,
  repository: Pick<Repository, "shapes" | "name">,
  through: readonly string[],
): unknown[] {
  const events = triggersOf(shape.on);
  const values: unknown[] = events.some((event) => event !== "workflow_call" && event !== "workflow_dispatch")
    ? [""]
    : [];
  if (events.includes("workflow_dispatch")) {
    const input = entryOf(mapOf(mapOf(shape.on).workflow_dispatch).inputs, name);
    values.push(...(input === undefined ? [""] : choicesOf(mapOf(input))));
  }
  if (events.includes("workflow_call")) {
    const input = entryOf(mapOf(mapOf(shape.on).workflow_call).inputs, name);
    const otherwise = textOf(mapOf(input).default) ?? "";
    values.push(
      ...callersOf(shape.path, repository, through).flatMap(({ caller, job }) => {
        const given = textOf(entryOf(job.with, name));
        return given === null
          ? [otherwise]
          : possibleOf(given, lookup(caller, job, repository, [...through, shape.path]));
      }),
    );
  }
  return values;
}

function choicesOf(input: Body): unknown[] {
  const type = textOf(input.type);
  if (type === "boolean") return ["true", "false"];
  return type === "choice" ? [...listOf(input.options)] : [anything];
}

function callersOf(
  path: string,
  { shapes, name }: Pick<Repository, "shapes" | "name">,
  through: readonly string[],
) {
  if (through.includes(path)) return [];
  return [...shapes.values()].flatMap((caller) =>
    [...caller.jobs.values()].flatMap((job) => (calledBy(job.uses, name) === path ? [{ caller, job }] : [])),
  );
}

/** The workflow of this repository that a job calls, by its path; null for one of another repository, and for none. */
export function calledBy(uses: unknown, repository: string): string | null {
  const text = named(uses);
  if (text === null) return null;
  if (text.startsWith("./")) return posix.normalize(text);
  const [, owner = "", name = "", path = ""] =
    /^([^/@]+)\/([^/@]+)\/(\.github\/workflows\/[^@]+)@/s.exec(text) ?? [];
  // The settings may leave the owner out.
  const own = repository.includes("/") ? `${owner}/${name}` : name;
  return path !== "" && own.toLowerCase() === repository.toLowerCase() ? path : null;
}

/** A matrix' values under a name: those of its list, and of what is included. */
function matrixOf(path: readonly string[], matrix: unknown, inside: Lookup): unknown[] {
  const [name, ...below] = path;
  if (name === undefined) return [anything];
  const listed = expanded(matrix, inside).flatMap((map) => {
    if (map === anything) return [anything];
    const lists = expanded(entryOf(map, name), inside).flatMap((list) =>
      Array.isArray(list) ? list : [list],
    );
    const included = expanded(entryOf(map, "include"), inside)
      .flatMap((list) => (Array.isArray(list) ? list : [list]))
      .map((entry) => (entry === anything ? anything : entryOf(entry, name)));
    return [...lists, ...included].flatMap((value) => expanded(value, inside));
  });
  const values = listed.filter((value) => value !== undefined);
  const found = values.flatMap((value) =>
    below.reduce<unknown[]>(
      (at, step) => at.map((one) => (one === anything ? anything : (entryOf(one, step) ?? ""))),
      [value],
    ),
  );
  return found.length === 0 ? [""] : found;
}

function expanded(value: unknown, inside: Lookup): unknown[] {
  return typeof value === "string" ? possibleOf(value, inside) : [value];
}

/** An entry of a map by its name, without regard to case. */
function entryOf(map: unknown, name: string): unknown {
  return Object.entries(mapOf(map)).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
}

/** What starts a workflow, by the names of events. */
export function triggersOf(on: unknown): string[] {
  if (Array.isArray(on)) return on.flatMap((event) => named(event) ?? []);
  const one = named(on);
  return one === null ? Object.keys(mapOf(on)) : [one];
}

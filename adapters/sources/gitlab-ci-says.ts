/** What a pipeline of GitLab says: its jobs, with what they extend and include and start, and the variables and secrets that they name. */
import type { ReaderThing } from "../../domain/discovery/said.js";
import { fetchedIn } from "../shared/source-ci-scripts.js";
import { type Fetched, saysFetch } from "../shared/source-ci-stores.js";
import { isMap, mapOf, named, settingsIn } from "../shared/source-config.js";
import { location, type Says, told } from "../shared/source-says.js";
import { valuesIn } from "../shared/source-values.js";
import {
  type Body,
  type Gathered,
  gathered,
  gatheredChild,
  type Part,
  type Project,
} from "./gitlab-ci-gather.js";
import {
  heldBy,
  putIn,
  secretVariables,
  type Variables,
  variableAt,
  variablesOf,
} from "./gitlab-ci-secrets.js";

/** Pipelines of pipelines of pipelines; GitLab has two levels below the first. */
const levelsMax = 4;

/** Every job of the pipeline, those of the files that it includes too, with what each has from elsewhere. */
export async function saysPipeline(top: Body, path: string, project: Project, says: Says): Promise<void> {
  await saysJobs(await gathered(top, path, project, says), { project, level: 1, started: new Set() }, says);
}

/** How deep a pipeline stands below others, and which were started, each with what it was handed. */
interface Level {
  readonly project: Project;
  readonly level: number;
  readonly started: Set<string>;
}

async function saysJobs(
  { named: known, globals: written }: Gathered,
  { project, level, started }: Level,
  says: Says,
): Promise<void> {
  const globals = partsOf(written, known, says);
  for (const [name, own] of known) {
    if (name.startsWith(".")) continue;
    const parts = partsOf(own, known, says);
    const reader: ReaderThing = {
      is: "reader",
      name: `job ${name} of ${project.project}`,
      traits: { workload: `gitlab-ci ${project.project}/${name}` },
      // The platform gives each job an identity of its own.
      class: "workload-identity",
    };
    const job: Job = { reader, project, variables: variablesOf([...parts, ...globals]) };
    for (const part of globals) saysPart(job, part, "", says);
    for (const part of parts) saysPart(job, part, `${part.name}.`, says);
    for (const { path, body } of parts) await saysStarted(body, `${name} of ${path}`, path);
  }

  /** The pipeline that a job starts in this project, with the variables that it hands on. */
  async function saysStarted(body: Body, who: string, path: string): Promise<void> {
    const trigger = mapOf(body.trigger);
    if (trigger.include === undefined) return;
    const isForwarded = mapOf(trigger.forward).yaml_variables !== "false";
    const handedOn = [{ name: "variables", path, body: { variables: body.variables } }, ...globals].filter(
      (part) => isForwarded && part.name === "variables" && part.body.variables !== undefined,
    );
    // One that starts itself again says the same again.
    const key = JSON.stringify([trigger.include, trigger.inputs, handedOn]);
    if (started.has(key)) return;
    started.add(key);
    if (level >= levelsMax) {
      says.gap(`${who} starts a pipeline below ${levelsMax} others, which is not read.`);
      return;
    }
    const child = await gatheredChild(trigger, path, `${who} starts a pipeline of`, project, says);
    const globalsOfChild = [...child.globals, ...handedOn];
    await saysJobs({ ...child, globals: globalsOfChild }, { project, level: level + 1, started }, says);
  }
}

/** The parts and everything that they extend or refer to. */
function partsOf(written: readonly Part[], known: Gathered["named"], says: Says): Part[] {
  const parts = [...written];
  const met = new Set(written.map(({ name }) => name));
  for (const part of parts) {
    const names = Array.isArray(part.body.extends) ? part.body.extends : [part.body.extends];
    for (const name of names.flatMap((item) => named(item) ?? [])) {
      if (met.has(name)) continue;
      met.add(name);
      const found = known.get(name);
      if (found === undefined)
        says.gap(`${part.name} of ${part.path} extends ${told(name)}, which is not in the folder.`);
      else parts.push(...found);
    }
    for (const [name = "", ...keys] of referencesIn(part.body)) {
      const key = `${name} ${keys.join(" ")}`;
      if (met.has(key)) continue;
      met.add(key);
      for (const { path, body } of known.get(name) ?? []) {
        const value = keys.reduce((at: unknown, step) => mapOf(at)[step], body);
        // As much of it as is referred to, under the names that it has there.
        const taken = keys.reduceRight((inner: unknown, step) => ({ [step]: inner }), value);
        if (value !== undefined) parts.push({ name, path, body: mapOf(taken) });
      }
    }
  }
  return parts;
}

/**
 * What a `!reference [.setup, script]` names. The parser keeps a tag that it does not know as what it stands on, so it is a list
 * of names: one that is none of a job's leads nowhere.
 */
function* referencesIn(value: unknown): Generator<string[]> {
  if (Array.isArray(value)) {
    const names = value.flatMap((item) => named(item) ?? []);
    if (names.length === value.length && names.length > 1) yield names;
    for (const item of value) yield* referencesIn(item);
  } else if (isMap(value)) for (const item of Object.values(value)) yield* referencesIn(item);
}

/** Who reads, and what the variables of that job may hold. */
interface Job {
  readonly reader: ReaderThing;
  readonly project: Project;
  readonly variables: Variables;
}

function saysPart(job: Job, { path, body }: Part, head: string, says: Says): void {
  const { reader, project } = job;
  for (const [name, secret] of Object.entries(mapOf(body.secrets))) {
    // A reference has been followed.
    if (Array.isArray(secret)) continue;
    const where = `${head}secrets.${name} of ${path}`;
    const at = heldBy(mapOf(secret), project, says);
    if (at === null) says.gap(`${where} names a kind of store that is not known.`);
    else if ("is" in at) says.declared(reader, "uses", at, `${where} fetches it`);
    else saysFetched(job, at, where, says);
  }
  const { secrets: _, extends: __, ...rest } = body;
  for (const setting of settingsIn(rest)) {
    const where = `${head}${setting.path} of ${path}`;
    // `variables: {NAME: {value: text, description: text}}` is the setting NAME.
    const [, long] = /(?:^|\.)variables\.([^.]+)\.value$/.exec(setting.path) ?? [];
    const name = long ?? setting.name;
    const isScript = /^(?:script|before_script|after_script|pre_get_sources_script)$/.test(name);
    const met = isScript || name === "description" ? [] : valuesIn(name, setting.text);
    if (met.length > 0) {
      const at = location(project.files, `${path}#${head}${setting.path}`);
      says.copy(at, met, true, where);
      says.declared(reader, "uses", at, `${where} holds ${met[0]?.as}`);
    }
    for (const variable of secretVariables(setting.text, project)) {
      const sentence = job.variables.has(variable)
        ? `${where} names it, and one of the project goes before what the pipeline says it is`
        : `${where} names it`;
      says.declared(reader, "uses", variableAt(project, variable, says), sentence);
    }
    if (isScript) for (const fetched of fetchedIn(setting.text)) saysFetched(job, fetched, where, says);
  }
}

/** By each name that the job's variables can make of it. */
function saysFetched(
  { reader, project, variables }: Job,
  { store, key, field }: Omit<Fetched, "key"> & { readonly key: string | null },
  where: string,
  says: Says,
): void {
  const keys = key === null ? null : putIn(key, variables);
  if (keys === null)
    says.gap(`${where} fetches from ${store} by a name that is made when it runs, and is not read.`);
  const fetching = { reader, scope: `gitlab ${project.project}`, places: project.places };
  for (const one of keys ?? []) saysFetch(fetching, { store, key: one, field }, where, says);
}

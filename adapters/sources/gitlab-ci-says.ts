/** What a pipeline of GitLab says: its jobs, with what they extend and include, and the variables and secrets that they name. */
import { posix } from "node:path";
import type { LocationThing, PlaceThing, ReaderThing } from "../../domain/discovery/said.js";
import { isMap, mapOf, named, settingsIn, textOf, yamlDocuments } from "../shared/source-config.js";
import type { ReadBeside } from "../shared/source-files.js";
import { location, type Says, told } from "../shared/source-says.js";
import type { StoreMap } from "../shared/source-stores.js";
import { secretName, valuesIn } from "../shared/source-values.js";
import { interpolated } from "../shared/source-variables.js";

/** A pipeline and where it stands. */
interface PipelineFrame {
  readonly path: string;
  readonly project: string;
  readonly files: string;
  readonly places: StoreMap;
  readonly beside: ReadBeside;
}

type Body = Readonly<Record<string, unknown>>;

/** A job or a part of one, with the file it stands in. */
interface Part {
  readonly name: string;
  readonly path: string;
  readonly body: Body;
}

/** Words at the top of a pipeline that are no jobs. */
const noJobs = new Set(
  "default include stages variables workflow spec image services cache before_script after_script".split(" "),
);

const includesMax = 50;

/** What counts for every job of a pipeline. */
const globalWords = ["variables", "before_script", "after_script", "default", "image", "services"];

/** A pipeline with the local files that it includes: jobs and parts of them by their names, and what counts for every job. */
interface Gathered {
  /** Several of a name are one job, which has all that they say. */
  readonly named: Map<string, Part[]>;
  readonly globals: Part[];
}

/** Every job of the pipeline, those of the files that it includes too, with what each has from elsewhere. */
export async function saysPipeline(top: Body, frame: PipelineFrame, says: Says): Promise<void> {
  const gathered: Gathered = { named: new Map(), globals: [] };
  await collect(top, frame.path, frame, gathered, new Set([frame.path]), says);
  const { named: known, globals } = gathered;
  const own = new Set(globals.flatMap(({ body }) => Object.keys(mapOf(body.variables))));
  for (const [name, written] of known) {
    if (name.startsWith(".")) continue;
    const parts = partsOf(written, known, says);
    const defined = new Set([...own, ...parts.flatMap((part) => Object.keys(mapOf(part.body.variables)))]);
    const workload = `gitlab-ci ${frame.project}/${name}`;
    const reader: ReaderThing = {
      is: "reader",
      name: `job ${name} of ${frame.project}`,
      traits: { workload },
      // The platform gives each job an identity of its own.
      class: "workload-identity",
    };
    for (const part of globals) saysPart(reader, part, "", defined, frame, says);
    for (const part of parts) saysPart(reader, part, `${part.name}.`, defined, frame, says);
  }
}

/** What stands in this file and in local files that it includes. */
async function collect(
  top: Body,
  path: string,
  frame: PipelineFrame,
  gathered: Gathered,
  met: Set<string>,
  says: Says,
): Promise<void> {
  const includes = Array.isArray(top.include) ? top.include : top.include === undefined ? [] : [top.include];
  for (const entry of includes) {
    const local = named(entry) ?? named(mapOf(entry).local);
    if (local === null || /^https?:/.test(local) || local.includes("*") || local.includes("$")) {
      const what = local !== null ? told(local) : Object.keys(mapOf(entry)).join(", ");
      says.gaps.push(`${path} includes what is not in the folder by that name (${what}), and is not read.`);
      continue;
    }
    const at = posix.normalize(local.replace(/^\/+/, ""));
    if (met.has(at) || met.size > includesMax) continue;
    met.add(at);
    const found = await frame.beside(at);
    const [parsed] = found !== null && "text" in found ? yamlDocuments(found.text) : [];
    if (parsed === undefined || "why" in parsed)
      says.gaps.push(`${path} includes ${told(at)}, which cannot be read.`);
    else await collect(mapOf(parsed.value), at, frame, gathered, met, says);
  }
  for (const name of globalWords)
    if (top[name] !== undefined) gathered.globals.push({ name, path, body: { [name]: top[name] } });
  for (const [name, body] of Object.entries(top)) {
    if (noJobs.has(name) || !isMap(body)) continue;
    gathered.named.set(name, [...(gathered.named.get(name) ?? []), { name, path, body }]);
  }
}

/** The job and everything that it extends or refers to. */
function partsOf(job: readonly Part[], known: Gathered["named"], says: Says): Part[] {
  const parts = [...job];
  const met = new Set(job.map(({ name }) => name));
  for (const part of parts) {
    const names = Array.isArray(part.body.extends) ? part.body.extends : [part.body.extends];
    for (const name of names.flatMap((item) => named(item) ?? [])) {
      if (met.has(name)) continue;
      met.add(name);
      const found = known.get(name);
      if (found === undefined)
        says.gaps.push(`${part.name} of ${part.path} extends ${told(name)}, which is not in the folder.`);
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

function saysPart(
  reader: ReaderThing,
  { path, body }: Part,
  head: string,
  defined: ReadonlySet<string>,
  frame: PipelineFrame,
  says: Says,
): void {
  for (const [name, secret] of Object.entries(mapOf(body.secrets))) {
    const at = heldBy(mapOf(secret), frame);
    for (const one of at ?? [])
      says.declared(reader, "uses", one, `${head}secrets.${name} of ${path} fetches it`);
    if (at === null)
      says.gaps.push(`${head}secrets.${name} of ${path} names a kind of store that is not known.`);
  }
  const { secrets: _, extends: __, ...rest } = body;
  for (const setting of settingsIn(rest)) {
    const where = `${head}${setting.path} of ${path}`;
    // `variables: {NAME: {value: text, description: text}}` is the setting NAME.
    const [, long] = /(?:^|\.)variables\.([^.]+)\.value$/.exec(setting.path) ?? [];
    const name = long ?? setting.name;
    const met = /^(?:script|before_script|after_script|description)$/.test(name)
      ? []
      : valuesIn(name, setting.text);
    if (met.length > 0) {
      const at = location(frame.files, `${path}#${head}${setting.path}`);
      says.copy(at, met, true, where);
      says.declared(reader, "uses", at, `${where} holds ${met[0]?.as}`);
    }
    for (const variable of interpolated(setting.text)) {
      // Of the platform itself, made for each job; and what the pipeline says itself is no secret of the project.
      if (/^(?:CI|GITLAB)_/.test(variable) || defined.has(variable) || secretName(variable) === null)
        continue;
      says.declared(reader, "uses", variableAt(frame, variable, says), `${where} names it`);
    }
  }
}

function variableAt({ project }: PipelineFrame, name: string, says: Says): LocationThing {
  const at = location(`gitlab ${project}`, `variables/${name}`);
  says.declared(
    at,
    "stored-in",
    location(`gitlab ${project}`, "variables/*"),
    `${name} is one of the variables of ${project}`,
  );
  return at;
}

/** Where a secret of `secrets:` is fetched from; null for a store of no kind that is known. */
function heldBy(
  secret: Body,
  { project, places }: PipelineFrame,
): readonly (LocationThing | PlaceThing)[] | null {
  const at = (store: string, key: string, field: string) => {
    const found = places(store, key) ?? [];
    const path = field === "" ? key : `${key}#${field}`;
    return found.length > 0 ? found : [location(`gitlab ${project} ${store}`, path)];
  };
  const vault = secret.vault;
  const short = named(vault);
  if (short !== null) {
    // `path/field@mount`; without a mount it is `kv-v2`.
    const [whole = "", mount = "kv-v2"] = told(short).split("@");
    const slash = whole.lastIndexOf("/");
    return at("vault", `${mount}/${whole.slice(0, Math.max(0, slash))}`, whole.slice(slash + 1));
  }
  if (isMap(vault)) {
    const mount = named(mapOf(vault.engine).path) ?? "kv-v2";
    return at("vault", `${mount}/${textOf(vault.path) ?? ""}`, textOf(vault.field) ?? "");
  }
  const azure = named(mapOf(secret.azure_key_vault).name);
  if (azure !== null) return at("azure_key_vault", azure, "");
  const google = named(mapOf(secret.gcp_secret_manager).name);
  if (google !== null) return at("gcp_secret_manager", google, "");
  const aws = named(secret.aws_secrets_manager) ?? named(mapOf(secret.aws_secrets_manager).secret_id);
  return aws === null
    ? null
    : at("aws_secrets_manager", aws, textOf(mapOf(secret.aws_secrets_manager).field) ?? "");
}

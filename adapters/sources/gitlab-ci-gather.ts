/** What belongs to a pipeline of GitLab: its own file, and what that includes, with the inputs that each is given. */
import { posix } from "node:path";
import { isMap, listOf, mapOf, named, textOf, yamlDocuments } from "../shared/source-config.js";
import type { ReadBeside } from "../shared/source-files.js";
import type { FilesOf } from "../shared/source-folder.js";
import { type Says, told } from "../shared/source-says.js";
import type { StoreMap } from "../shared/source-stores.js";

/** A part of a pipeline, as it was parsed. */
export type Body = Readonly<Record<string, unknown>>;

/** A project, and what can be read of it. */
export interface Project {
  readonly project: string;
  readonly files: string;
  readonly places: StoreMap;
  /** Variables of the project that are secrets, whatever their names say. */
  readonly variables: ReadonlySet<string>;
  readonly beside: ReadBeside;
  /** Every file whose path fits. */
  readonly matching: FilesOf;
}

/** A job or a part of one, with the file it stands in. */
export interface Part {
  readonly name: string;
  readonly path: string;
  readonly body: Body;
}

/** A pipeline with the local files that it includes: jobs and parts of them by their names, and what counts for every job. */
export interface Gathered {
  /** Several of a name are one job, which has all that they say. */
  readonly named: Map<string, Part[]>;
  readonly globals: Part[];
}

/** Words at the top of a pipeline that are no jobs. */
const noJobs = new Set(
  "default include stages variables workflow spec image services cache before_script after_script".split(" "),
);

/** What counts for every job of a pipeline. */
const globalWords = "variables workflow before_script after_script default image services cache".split(" ");

/** As many as GitLab takes unless it is told otherwise. */
const includesMax = 150;

const depthMax = 40;

/** Pipelines of a text, each with what stands in for inputs that nobody gives; and where it could not be read. */
export function pipelinesIn(text: string, inputs: Body = {}) {
  const documents = yamlDocuments(text);
  const values = documents.flatMap((parsed) =>
    "value" in parsed && parsed.value !== null ? [parsed.value] : [],
  );
  const [first] = values;
  // A pipeline may have a header of its own, as a document before it.
  const header = values.length > 1 && isMap(first) && isMap(first.spec) ? first : null;
  const defaults = Object.entries(mapOf(mapOf(header?.spec).inputs)).flatMap(([name, input]) => {
    const { default: standIn } = mapOf(input);
    return standIn === undefined ? [] : [[name, standIn] as const];
  });
  const given = { ...Object.fromEntries(defaults), ...inputs };
  return {
    pipelines: values.filter((value) => value !== header).map((value) => filled(value, given, 0)),
    broken: documents.flatMap((parsed) => ("why" in parsed ? [parsed] : [])),
  };
}

/** Everything that a pipeline has, from its own file and from those that it includes. */
export async function gathered(top: Body, path: string, project: Project, says: Says): Promise<Gathered> {
  const found: Gathered = { named: new Map(), globals: [] };
  await collect(top, path, `${path} includes`, { project, found, met: new Set([metAs(path, {})]), says });
  return found;
}

/** The pipeline that a job starts in this project, out of what `include` of its `trigger` names. `who` says so: `a of x.yml starts`. */
export async function gatheredChild(
  { include, inputs }: Body,
  path: string,
  who: string,
  project: Project,
  says: Says,
): Promise<Gathered> {
  const found: Gathered = { named: new Map(), globals: [] };
  const entries = (Array.isArray(include) ? include : [include]).map((entry) => {
    const text = named(entry);
    const one = text === null ? mapOf(entry) : /^https?:/.test(text) ? { remote: text } : { local: text };
    return inputs === undefined ? one : { inputs, ...one };
  });
  await collect({ include: entries }, path, who, { project, found, met: new Set(), says });
  return found;
}

interface Collecting {
  readonly project: Project;
  readonly found: Gathered;
  /** Files that were taken in, each with the inputs that it was given. */
  readonly met: Set<string>;
  readonly says: Says;
}

const metAs = (path: string, inputs: Body) => `${path} ${JSON.stringify(inputs)}`;

/** What stands in this file and in local files that it includes. */
async function collect(top: Body, path: string, who: string, collecting: Collecting): Promise<void> {
  const { project, found, met, says } = collecting;
  const includes = Array.isArray(top.include) ? top.include : top.include === undefined ? [] : [top.include];
  for (const entry of includes) {
    const inputs = mapOf(mapOf(entry).inputs);
    for await (const file of filesOf(entry, who, project, says)) {
      const key = metAs(file.path, inputs);
      if (met.has(key)) continue;
      if (met.size >= includesMax) {
        says.gap(`${who} more than ${includesMax} files, and the others are not read.`);
        return;
      }
      met.add(key);
      const { pipelines, broken } =
        "text" in file ? pipelinesIn(file.text, inputs) : { pipelines: [], broken: [file] };
      if (broken.length > 0) says.gap(`${who} ${told(file.path)}, which cannot be read.`);
      for (const pipeline of pipelines)
        await collect(mapOf(pipeline), file.path, `${file.path} includes`, collecting);
    }
  }
  for (const name of globalWords)
    if (top[name] !== undefined) found.globals.push({ name, path, body: { [name]: top[name] } });
  for (const [name, body] of Object.entries(top)) {
    if (noJobs.has(name) || !isMap(body)) continue;
    found.named.set(name, [...(found.named.get(name) ?? []), { name, path, body }]);
  }
}

/** The files of an entry of `include`; what is elsewhere, or has a name that is not written out, is a gap. */
async function* filesOf(entry: unknown, who: string, { project, beside, matching }: Project, says: Says) {
  const of = mapOf(entry);
  const isOwn = named(of.project)?.toLowerCase() === project.toLowerCase();
  const files = isOwn ? [of.file ?? []].flat() : [named(entry) ?? named(of.local)];
  for (const file of files) {
    const local = named(file);
    if (local === null || /^https?:/.test(local) || local.includes("$")) {
      const what = local !== null ? told(local) : Object.keys(of).join(", ");
      says.gap(`${who} what is not in the folder by that name (${what}), and is not read.`);
      continue;
    }
    const at = posix.normalize(local.replace(/^\/+/, ""));
    if (!at.includes("*")) {
      yield (await beside(at)) ?? { path: at, why: "no file" };
      continue;
    }
    let isAny = false;
    const fits = fitting(at);
    for await (const one of matching((path) => fits.test(path))) {
      isAny = true;
      yield one;
    }
    if (!isAny) says.gap(`${who} ${told(at)}, which no file of the folder is called.`);
  }
}

/** `*` stands for a part of a name, `**` for folders too. */
function fitting(pattern: string): RegExp {
  const parts = pattern
    .replace(/(?:\*\*\/){2,}/g, "**/")
    .split(/(\*\*\/|\*+)/)
    .map((part) => {
      if (part === "**/") return "(?:.*/)?";
      if (part === "*") return "[^/]*";
      return part.startsWith("*") ? ".*" : part.replaceAll(/[\\^$.+?()[\]{}|]/g, "\\$&");
    });
  return new RegExp(`^${parts.join("")}$`, "s");
}

/** With what is given in the place of each `$[[ inputs.name ]]`; what nobody gives stays. */
function filled(value: unknown, inputs: Body, depth: number): unknown {
  if (depth > depthMax) return value;
  if (typeof value === "string") {
    const [, whole] = /^\$\[\[\s*inputs\.([A-Za-z0-9_-]+)[^\]]{0,300}\]\]$/.exec(value) ?? [];
    if (whole !== undefined) return inputs[whole] ?? value;
    return value.replace(
      /\$\[\[\s*inputs\.([A-Za-z0-9_-]+)[^\]]{0,300}\]\]/g,
      (as, name) => textOf(inputs[name]) ?? as,
    );
  }
  if (Array.isArray(value)) return listOf(value).map((item) => filled(item, inputs, depth + 1));
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      String(filled(name, inputs, depth + 1)),
      filled(item, inputs, depth + 1),
    ]),
  );
}

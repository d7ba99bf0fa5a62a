/** What one compose file says: services and the secrets, files and texts that they are given. By the Compose Specification. */
import { posix } from "node:path";
import type { LocationThing, ReaderThing } from "../../domain/discovery/said.js";
import { knownShape } from "../../domain/estate/literals.js";
import { argumentsIn } from "../shared/source-arguments.js";
import { isMap, listOf, mapOf, named, settingsIn, textOf, yamlDocuments } from "../shared/source-config.js";
import { envLines } from "../shared/source-dotenv.js";
import type { ReadBeside } from "../shared/source-files.js";
import { location, type Says, told } from "../shared/source-says.js";
import { secretName, valuesIn } from "../shared/source-values.js";
import { defaultsIn, interpolated } from "../shared/source-variables.js";

/** A compose file and where it stands. */
export interface ComposeFile {
  readonly path: string;
  /** Folder of the file, `.` for the top one. */
  readonly folder: string;
  readonly project: string;
  /** In what its files are, on the map. */
  readonly repository: string;
  readonly top: Readonly<Record<string, unknown>>;
  readonly beside: ReadBeside;
}

/** A service, merged from what it extends: each piece with the file it stands in. */
interface Piece {
  readonly file: ComposeFile;
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
}

const extendsMax = 20;

/** The top level: where each secret is filled from, texts of configs, and files that are taken in. */
export async function saysTop(file: ComposeFile, says: Says): Promise<void> {
  for (const [name, body] of Object.entries(mapOf(file.top.secrets))) {
    const { file: from, environment, external, name: outside } = mapOf(body);
    const at = secretAt(file, name);
    const where = `secrets.${name} of ${file.path}`;
    if (named(from) !== null)
      says.declared(at, "depends-on", fileAt(file, String(from)), `${where} is filled from a file`);
    if (named(environment) !== null) {
      says.declared(
        at,
        "depends-on",
        environmentAt(file, String(environment)),
        `${where} is filled from a variable`,
      );
    }
    if (isMap(external) || textOf(external) === "true") {
      const given = named(mapOf(external).name) ?? named(outside) ?? name;
      says.declared(
        at,
        "depends-on",
        location("docker secrets", given),
        `${where} is a secret of the platform`,
      );
    }
  }
  for (const [name, body] of Object.entries(mapOf(file.top.configs))) {
    const content = textOf(mapOf(body).content);
    if (content === null) continue;
    const at = location(file.repository, `${file.path}#configs.${name}.content`);
    for (const line of content.split("\n"))
      says.copy(at, valuesIn("content", line), true, `configs.${name}.content of ${file.path}`);
  }
  for (const entry of [...listOf(file.top.include)]) {
    const paths = isMap(entry) ? (Array.isArray(entry.path) ? entry.path : [entry.path]) : [entry];
    for (const path of paths) {
      const other = named(path);
      if (other === null) continue;
      says.gaps.push(
        `${file.path} includes ${told(other)}, which counts only where it is a compose file of this folder, and as a project of its own.`,
      );
    }
  }
}

/** One service with everything that it extends. */
export async function saysService(file: ComposeFile, name: string, body: unknown, says: Says): Promise<void> {
  const workload = `compose ${file.project}/${name}`;
  const reader: ReaderThing = {
    is: "reader",
    name: `service ${name} of ${file.project}`,
    traits: { workload },
  };
  // What was met as a variable's value is known again in the middle of a command.
  const values = new Set<string>();
  for (const piece of await pieces({ file, name, body: mapOf(body) }, says)) {
    const where = `services.${piece.name}`;
    saysSecrets(reader, piece, piece.body.secrets, `${where}.secrets`, says);
    const build = mapOf(piece.body.build);
    saysSecrets(reader, piece, build.secrets, `${where}.build.secrets`, says);
    const met = [
      ...saysVariables(reader, piece, piece.body.environment, `${where}.environment`, says),
      ...saysVariables(reader, piece, build.args, `${where}.build.args`, says),
    ];
    for (const value of met) values.add(value);
    await saysEnvFiles(reader, piece, says);
    for (const key of ["command", "entrypoint", "labels", "healthcheck", "logging", "driver_opts"]) {
      saysTexts(reader, piece, piece.body[key], `${where}.${key}`, { key, values }, says);
    }
  }
}

/** The service itself and what it extends, as far as that is in the folder. */
async function pieces(first: Piece, says: Says): Promise<Piece[]> {
  const all = [first];
  const met = new Set([`${first.file.path} ${first.name}`]);
  for (let piece: Piece | null = first; piece !== null && all.length < extendsMax; ) {
    const { file, body }: Piece = piece;
    const extended: unknown = body.extends;
    const name: string | null = named(extended) ?? named(mapOf(extended).service);
    if (name === null) break;
    const path = named(mapOf(extended).file);
    const other: ComposeFile | string = path === null ? file : await otherFile(file, path);
    const found = typeof other === "string" ? undefined : mapOf(other.top.services)[name];
    if (typeof other === "string" || !isMap(found)) {
      const why = typeof other === "string" ? other : "there is no such service";
      says.gaps.push(
        `What services.${piece.name} of ${file.path} extends (${told(name)}${path === null ? "" : ` of ${told(path)}`}) is not known: ${why}.`,
      );
      break;
    }
    // In a circle, which compose refuses.
    if (met.has(`${other.path} ${name}`)) break;
    met.add(`${other.path} ${name}`);
    piece = { file: other, name, body: found };
    all.push(piece);
  }
  return all;
}

async function otherFile(file: ComposeFile, path: string): Promise<ComposeFile | string> {
  const at = posix.normalize(posix.join(file.folder, path));
  const found = path.includes("$") ? { path, why: "its name is put in at the start" } : await file.beside(at);
  if (found === null) return "there is no such file";
  if ("why" in found) return found.why;
  const [parsed] = yamlDocuments(found.text);
  if (parsed === undefined || "why" in parsed) return "it is no valid YAML";
  return { ...file, path: at, folder: posix.dirname(at), top: mapOf(parsed.value) };
}

function saysSecrets(
  reader: ReaderThing,
  { file }: Piece,
  secrets: unknown,
  where: string,
  says: Says,
): void {
  for (const entry of listOf(secrets)) {
    const name = named(entry) ?? named(mapOf(entry).source);
    if (name !== null)
      says.declared(reader, "uses", secretAt(file, name), `${where} of ${file.path} names it`);
  }
}

/** A list's entry names a variable, and whoever meant another thing may have written a value there. */
const variableName = /^[A-Za-z_][A-Za-z0-9_.-]{0,199}$/;

/** `environment` and `args`: a map, or a list of `NAME=value`. Gives the values that can be told from others. */
function saysVariables(
  reader: ReaderThing,
  { file }: Piece,
  variables: unknown,
  where: string,
  says: Says,
): string[] {
  const values: string[] = [];
  const entries: [string, string | null][] = Array.isArray(variables)
    ? variables.flatMap((entry, index): [string, string | null][] => {
        const text = textOf(entry) ?? "";
        const at = text.indexOf("=");
        const name = at < 0 ? text : text.slice(0, at);
        if (!variableName.test(name) || (at < 0 && knownShape(name) !== undefined)) {
          says.cannotRead(`${file.path} ${where}`, `entry ${index + 1} of the list names no variable`);
          return [];
        }
        return [[name, at < 0 ? null : text.slice(at + 1)]];
      })
    : Object.entries(mapOf(variables)).map(([name, value]) => [name, textOf(value)]);
  for (const [name, value] of entries) {
    const sentence = `${where}.${name} of ${file.path}`;
    const met =
      value === null
        ? []
        : [...valuesIn(name, value), ...defaultsIn(value).flatMap((text) => valuesIn(name, text))];
    const at = location(file.repository, `${file.path}#${where}.${name}`);
    if (met.length > 0) {
      says.copy(at, met, true, sentence);
      says.declared(reader, "uses", at, `${sentence} holds ${met[0]?.as}`);
      values.push(...met.flatMap(({ value }) => value ?? []));
    }
    for (const variable of value === null ? [name] : interpolated(value)) {
      if (secretName(variable) === null && secretName(name) === null) continue;
      says.declared(
        reader,
        "uses",
        environmentAt(file, variable),
        `${sentence} is filled from the variable ${variable}`,
      );
    }
  }
  return values;
}

/** Files of variables: each secret in them where the file is in the folder, otherwise the file. */
async function saysEnvFiles(reader: ReaderThing, { file, name, body }: Piece, says: Says): Promise<void> {
  const list = Array.isArray(body.env_file) ? body.env_file : [body.env_file];
  for (const entry of list) {
    const path = named(entry) ?? named(mapOf(entry).path);
    if (path === null) continue;
    const sentence = `services.${name}.env_file of ${file.path} names ${told(path)}`;
    const at = pathOf(file, path);
    const found = at === null ? null : await file.beside(at);
    // What is there by a name is called by it, however odd that is.
    const whole = at === null || found === null ? fileAt(file, path) : location(file.repository, at);
    says.declared(reader, "uses", whole, sentence);
    if (found === null || "why" in found) {
      says.gaps.push(
        `${sentence}, whose content is not known: ${found === null ? "it is not in the folder" : found.why}.`,
      );
      continue;
    }
    for (const setting of envLines(found.text).settings) {
      if (secretName(setting.name) === null && valuesIn(setting.name, setting.text).length === 0) continue;
      says.declared(reader, "uses", location(whole.scope, `${whole.path}#${setting.path}`), sentence);
    }
  }
}

/** Texts in which somebody may have written a value. */
function saysTexts(
  reader: ReaderThing,
  { file }: Piece,
  value: unknown,
  where: string,
  { key, values }: { readonly key: string; readonly values: ReadonlySet<string> },
  says: Says,
): void {
  const settings = [...settingsIn(value, "", key)];
  const args = argumentsIn(settings.map(({ text }) => text));
  for (const [index, setting] of settings.entries()) {
    // `--password=...` is an argument with a name; in a list of labels it is the same without dashes.
    const own = args
      .filter((one) => one.index === index)
      .flatMap(({ name, text }) => valuesIn(name ?? setting.name, text));
    const known = own.some(({ value }) => value !== null) ? own.filter(({ value }) => value !== null) : own;
    const again = [...values].filter(
      (one) => setting.text.includes(one) && !known.some(({ value }) => value === one),
    );
    const met = [...known, ...again.map((one) => ({ as: "a value of this service", value: one }))];
    if (met.length === 0) continue;
    const path = setting.path === "" ? where : `${where}.${setting.path}`;
    const at = location(file.repository, `${file.path}#${path}`);
    says.copy(at, met, true, `${path} of ${file.path}`);
    says.declared(reader, "uses", at, `${path} of ${file.path} holds ${met[0]?.as}`);
  }
}

function secretAt(file: ComposeFile, name: string): LocationThing {
  return location(`compose ${file.project}`, `secrets.${name}`);
}

function environmentAt(file: ComposeFile, name: string): LocationThing {
  return location(`compose ${file.project}`, `environment.${name}`);
}

/** A file that a compose file names: of the folder where it is below it, otherwise of whatever host it runs on. */
function fileAt(file: ComposeFile, path: string): LocationThing {
  const at = pathOf(file, path);
  return at === null
    ? location(`host of compose ${file.project}`, told(path))
    : location(file.repository, told(at));
}

/** Where in the folder a path leads; null where it leads out of it. */
function pathOf(file: ComposeFile, path: string): string | null {
  const at = posix.normalize(posix.join(file.folder, path));
  const isOutside =
    /^(?:\/|~|[a-z][a-z0-9+.-]*:\/\/)/i.test(path) || path.includes("$") || at.startsWith("..");
  return isOutside ? null : at;
}

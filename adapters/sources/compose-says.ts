/** What one compose file says: services and the secrets, files and texts that they are given. By the Compose Specification. */
import { posix } from "node:path";
import type { ReaderThing } from "../../domain/discovery/said.js";
import { knownShape } from "../../domain/estate/literals.js";
import { argumentsIn } from "../shared/source-arguments.js";
import { isMap, listOf, mapOf, named, settingsIn, textOf, yamlDocuments } from "../shared/source-config.js";
import { location, type Says, told } from "../shared/source-says.js";
import { valuesIn } from "../shared/source-values.js";
import { defaultsIn } from "../shared/source-variables.js";
import { saysEnvFiles } from "./compose-env-files.js";
import {
  type ComposeFile,
  configAt,
  mayHoldSecret,
  pathWith,
  saysInterpolated,
  saysVariable,
  secretAt,
  serviceOf,
} from "./compose-file.js";
import { saysMounted, saysMounts } from "./compose-mounts.js";

/** A service, merged from what it extends: each piece with the file it stands in. */
interface Piece {
  readonly file: ComposeFile;
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
}

const extendsMax = 20;

/** Parts of a service in which somebody may have written a value, or has one put in. */
const textKeys = "command entrypoint labels annotations healthcheck logging provider deploy".split(" ");

/** One service with everything that it extends. */
export async function saysService(file: ComposeFile, name: string, body: unknown, says: Says): Promise<void> {
  const reader = serviceOf(file, name);
  // What was met as a variable's value is known again in the middle of a command.
  const values = new Set<string>();
  for (const piece of await pieces({ file, name, body: mapOf(body) }, says)) {
    const where = `services.${piece.name}`;
    const build = mapOf(piece.body.build);
    saysSecrets(reader, piece, piece.body.secrets, `${where}.secrets`, says);
    saysSecrets(reader, piece, build.secrets, `${where}.build.secrets`, says);
    saysConfigs(reader, piece, file, says);
    const hooks = ["post_start", "pre_stop"].flatMap((key) =>
      listOf(piece.body[key]).map((hook, index) => ({ hook: mapOf(hook), at: `${where}.${key}.${index}` })),
    );
    const met = [
      ...saysVariables(reader, piece, piece.body.environment, `${where}.environment`, says),
      ...saysVariables(reader, piece, build.args, `${where}.build.args`, says),
      ...hooks.flatMap(({ hook, at }) =>
        saysVariables(reader, piece, hook.environment, `${at}.environment`, says),
      ),
    ];
    for (const value of met) values.add(value);
    await saysEnvFiles(reader, piece.file, piece.name, piece.body.env_file, says);
    for (const key of textKeys) {
      saysTexts(reader, piece, piece.body[key], `${where}.${key}`, { key, values }, says);
    }
    for (const key of ["dockerfile_inline", "labels"]) {
      saysTexts(reader, piece, build[key], `${where}.build.${key}`, { key, values }, says);
    }
    for (const { hook, at } of hooks) {
      saysTexts(reader, piece, hook.command, `${at}.command`, { key: "command", values }, says);
    }
    await saysFiles(reader, piece, { build, values }, says);
  }
}

/** Everything that a service is given as a file: mounts, those of another service, keys for a build, files of labels. */
async function saysFiles(
  reader: ReaderThing,
  { file, name, body }: Piece,
  { build, values }: { readonly build: Piece["body"]; readonly values: ReadonlySet<string> },
  says: Says,
): Promise<void> {
  const where = `services.${name}`;
  const services = mapOf(file.top.services);
  const others = listOf(body.volumes_from).flatMap((entry) => (named(entry) ?? "").split(":")[0] ?? []);
  const mounting = [
    { name, body },
    ...others.map((other) => ({ name: other, body: mapOf(services[other]) })),
  ];
  for (const other of mounting) {
    await saysMounts(reader, file, other.body.volumes, `services.${other.name}.volumes`, says);
    for (const entry of listOf(other.body.volumes)) {
      const volume = named(mapOf(entry).source) ?? (named(entry) ?? "").split(":")[0] ?? "";
      const options = mapOf(mapOf(mapOf(file.top.volumes)[volume]).driver_opts);
      // Options of a mount are one text with commas, `addr=...,username=...,password=...`.
      const texts = { ...options, ...(named(options.o) === null ? {} : { o: String(options.o).split(",") }) };
      const at = `volumes.${volume}.driver_opts`;
      saysTexts(reader, { file, name, body }, texts, at, { key: "driver_opts", values }, says);
    }
  }
  const ssh: readonly (readonly [string, unknown])[] = Array.isArray(build.ssh)
    ? build.ssh.map((entry) => {
        const [id = "", ...path] = String(entry).split("=");
        return [id, path.join("=")] as const;
      })
    : Object.entries(mapOf(build.ssh));
  const files = [
    ...ssh.map(([, path]) => ({ key: "build.ssh", path })),
    ...[body.label_file].flat().map((path) => ({ key: "label_file", path })),
  ];
  for (const { key, path } of files) {
    const source = named(path);
    if (source === null) continue;
    const mount = { source: pathWith(file, source), target: null };
    await saysMounted(reader, file, mount, `${where}.${key} of ${file.path} names`, says);
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
  const found = path.includes("$")
    ? { path, why: "its name is put in at the start" }
    : await file.all.beside(at);
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

/** Configs of the service, where a secret may stand in them; of one that another file declares nobody knows. */
function saysConfigs(reader: ReaderThing, { file, name, body }: Piece, first: ComposeFile, says: Says): void {
  for (const entry of listOf(body.configs)) {
    const config = named(entry) ?? named(mapOf(entry).source);
    if (config === null || first.configs.get(config) === false) continue;
    says.declared(
      reader,
      "uses",
      configAt(first, config),
      `services.${name}.configs of ${file.path} names it`,
    );
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
    const at = location(file.all.repository, `${file.path}#${where}.${name}`);
    if (met.length > 0) {
      says.copy(at, met, true, sentence);
      says.declared(reader, "uses", at, `${sentence} holds ${met[0]?.as}`);
      values.push(...met.flatMap(({ value }) => value ?? []));
    }
    if (value !== null) saysInterpolated(reader, file, { text: value, name, sentence }, says);
    else if (mayHoldSecret(file, name))
      saysVariable(reader, file, name, `${sentence} is filled from the variable ${name}`, says);
  }
  return values;
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
      .flatMap(({ name, text }) =>
        [text, ...defaultsIn(text)].flatMap((one) => valuesIn(name ?? setting.name, one)),
      );
    const known = own.some(({ value }) => value !== null) ? own.filter(({ value }) => value !== null) : own;
    const again = [...values].filter(
      (one) => setting.text.includes(one) && !known.some(({ value }) => value === one),
    );
    const met = [...known, ...again.map((one) => ({ as: "a value of this service", value: one }))];
    const path = setting.path === "" ? where : `${where}.${setting.path}`;
    saysInterpolated(
      reader,
      file,
      { text: setting.text, name: "", sentence: `${path} of ${file.path}` },
      says,
    );
    if (met.length === 0) continue;
    const at = location(file.all.repository, `${file.path}#${path}`);
    says.copy(at, met, true, `${path} of ${file.path}`);
    says.declared(reader, "uses", at, `${path} of ${file.path} holds ${met[0]?.as}`);
  }
}

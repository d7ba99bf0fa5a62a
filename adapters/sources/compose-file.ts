/** A compose file, with what its names mean: which place on the map a secret, a variable or a file is. By the Compose Specification. */
import { posix } from "node:path";
import type { LocationThing, ReaderThing, Thing } from "../../domain/discovery/said.js";
import { envLines } from "../shared/source-dotenv.js";
import type { FoundFile, ListBelow, ReadBeside } from "../shared/source-files.js";
import { type Held, heldOf, saysHeld } from "../shared/source-held.js";
import { location, type Says, told } from "../shared/source-says.js";
import { type Met, secretName, valuesIn } from "../shared/source-values.js";
import { interpolated } from "../shared/source-variables.js";

/** The folder in which compose files are, and what was read of it so far in one scan. */
export interface ComposeFolder {
  readonly beside: ReadBeside;
  readonly below: ListBelow;
  /** In what its files are, on the map. */
  readonly repository: string;
  /** What files hold that were looked into for a mount, by their paths. */
  readonly held: Map<string, HeldFile>;
}

/** What a file holds, or why that is not known. */
export type HeldFile = { readonly held: readonly Held[] } | { readonly why: string };

/** A compose file and where it stands. */
export interface ComposeFile {
  readonly path: string;
  /** Folder of the file, `.` for the top one. */
  readonly folder: string;
  readonly project: string;
  readonly top: Readonly<Record<string, unknown>>;
  readonly all: ComposeFolder;
  /** What fills the file's variables where no shell does: `.env` beside the project's first file. */
  readonly variables: ReadonlyMap<string, Variable>;
  /** Configs of the project, and whether a secret may stand in them. */
  readonly configs: Map<string, boolean>;
}

/** A variable of a file of variables. */
export interface Variable {
  readonly path: string;
  readonly text: string;
  readonly met: readonly Met[];
}

/** What fills the variables of a project, of these files below the folder; none where they are not there. A later one counts. */
export async function variablesIn(
  paths: readonly string[],
  all: ComposeFolder,
): Promise<Map<string, Variable>> {
  const variables = new Map<string, Variable>();
  for (const path of paths) {
    const found = await all.beside(path);
    if (found === null || "why" in found) continue;
    for (const { name, text } of envLines(found.text).settings)
      variables.set(name, { path, text, met: valuesIn(name, text) });
  }
  return variables;
}

/** Names of addresses, in which a password stands as often as not. */
const addressName =
  /(?:^|_)(?:(?:database|db|pg|postgres(?:ql)?|mysql|mariadb|mongo(?:db)?|redis|amqp|rabbitmq|broker|cache|ldap|smtp|jdbc)_?(?:url|uri|addr(?:ess)?)|dsn|conn(?:ection)?_?str(?:ing)?)$/i;

/** Whether a variable of this name holds a secret: by what it is called, or by what stands in the files that fill it. */
export function mayHoldSecret(file: ComposeFile, variable: string): boolean {
  const filled = file.variables.get(variable);
  if (filled !== undefined && filled.met.length > 0) return true;
  return secretName(variable) !== null || (filled === undefined && addressName.test(variable));
}

/** Whoever it is uses, or depends on, the variables that a text takes in and in which a secret may stand. */
export function saysInterpolated(
  from: Thing,
  file: ComposeFile,
  { text, name, sentence }: { readonly text: string; readonly name: string; readonly sentence: string },
  says: Says,
): void {
  for (const variable of new Set(interpolated(text))) {
    if (!mayHoldSecret(file, variable) && secretName(name) === null) continue;
    saysVariable(from, file, variable, `${sentence} is filled from the variable ${variable}`, says);
  }
}

/** The same of one variable. */
export function saysVariable(
  from: Thing,
  file: ComposeFile,
  variable: string,
  sentence: string,
  says: Says,
): void {
  const at = environmentAt(file, variable);
  says.declared(from, from.is === "reader" ? "uses" : "depends-on", at, sentence);
  const filled = file.variables.get(variable);
  if (filled === undefined) return;
  const set = location(file.all.repository, `${filled.path}#${variable}`);
  says.declared(at, "depends-on", set, `${variable} of ${filled.path} fills it where no shell does`);
  says.copy(set, filled.met, true, `${variable} of ${filled.path}`);
}

/** What stands in a file of the folder, looked into once in a scan. */
export async function heldAt(path: string, all: ComposeFolder, isSecret: boolean): Promise<HeldFile | null> {
  const key = `${isSecret ? "secret" : "file"} ${path}`;
  const known = all.held.get(key);
  if (known !== undefined) return known;
  const found = await all.beside(path);
  if (found === null) return null;
  const held = heldOf(found, isSecret);
  const file = "why" in found || held === null ? { why: "why" in found ? found.why : "" } : { held };
  all.held.set(key, file);
  return file;
}

/** Says what stands in the file of a secret, and tells where that is not known. */
export async function saysSecretFile(
  file: ComposeFile,
  path: string,
  sentence: string,
  says: Says,
): Promise<void> {
  const at = pathOf(file, path);
  const found = at === null ? null : await heldAt(at, file.all, true);
  if (at === null || found === null || "why" in found) {
    says.gaps.push(notKnown(sentence, found));
    return;
  }
  saysHeld(file.all.repository, at, found.held, says);
}

/** The sentence for a file whose content is not known. */
export function notKnown(sentence: string, found: HeldFile | FoundFile | null): string {
  const why = found !== null && "why" in found ? found.why : "it is not in the folder";
  return `${sentence}, whose content is not known: ${why}.`;
}

/** A service as a reader. */
export function serviceOf({ project }: ComposeFile, name: string): ReaderThing {
  const workload = `compose ${project}/${name}`;
  return { is: "reader", name: `service ${name} of ${project}`, traits: { workload } };
}

/** A secret of the project. */
export function secretAt(file: ComposeFile, name: string): LocationThing {
  return location(`compose ${file.project}`, `secrets.${name}`);
}

/** A config of the project. */
export function configAt(file: ComposeFile, name: string): LocationThing {
  return location(`compose ${file.project}`, `configs.${name}`);
}

/** A variable with which the project is started. */
function environmentAt(file: ComposeFile, name: string): LocationThing {
  return location(`compose ${file.project}`, `environment.${name}`);
}

/** A file that a compose file names: of the folder where it is below it, otherwise of whatever host it runs on. */
export function fileAt(file: ComposeFile, path: string): LocationThing {
  const at = pathOf(file, path);
  return at === null
    ? location(`host of compose ${file.project}`, told(path))
    : location(file.all.repository, told(at));
}

/** A path with what is known of its variables put in: where they are set, their defaults, and the folder itself. */
export function pathWith(file: ComposeFile, path: string): string {
  return path
    .replace(/\$\{PWD(?::?[-?][^{}]*)?\}|\$PWD\b/g, ".")
    .replace(/\$\{([A-Za-z_]\w*)(?::?([-?])([^{}]*))?\}/g, (_, name: string, mark = "", rest = "") => {
      const set = file.variables.get(name);
      // A value of a secret has no place in a name.
      if (set !== undefined && set.met.length === 0 && set.text !== "" && !/[${}]/.test(set.text))
        return set.text;
      return mark === "-" ? rest : `$${name}`;
    });
}

/** Where in the folder a path leads; null where it leads out of it. */
export function pathOf(file: ComposeFile, path: string): string | null {
  const at = posix.normalize(posix.join(file.folder, path)).replace(/\/$/, "");
  const isOutside =
    /^(?:\/|~|[a-z][a-z0-9+.-]*:\/\/)/i.test(path) || path.includes("$") || at.startsWith("..");
  return isOutside ? null : at;
}

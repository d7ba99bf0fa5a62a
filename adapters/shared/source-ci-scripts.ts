/**
 * What a script fetches from a store with the store's own program (`vault kv get`, `aws secretsmanager get-secret-value`): pipelines do
 * so where the platform has no words for it. Only what is written there is read; nothing is run.
 */
import type { CiStore, Fetched } from "./source-ci-stores.js";

/** A program that fetches, and how its words say what. `valued`: options that take the next word, so that it names nothing. */
interface Program {
  readonly store: CiStore;
  readonly head: RegExp;
  readonly valued: readonly string[];
  key(words: Words): string | undefined;
  readonly field?: string;
}

const programs: readonly Program[] = [
  {
    store: "vault",
    head: /\b(?:vault|bao) kv get\b/g,
    valued: ["field", "format", "mount", "namespace", "address", "version", "ca-cert"],
    key: ({ option, first }) => {
      const [mount, path] = [option("mount"), first()];
      return mount === undefined || path === undefined ? path : `${mount.replace(/\/+$/, "")}/${path}`;
    },
    field: "field",
  },
  {
    store: "vault",
    head: /\b(?:vault|bao) read\b/g,
    valued: ["field", "format", "namespace", "address", "ca-cert"],
    key: ({ first }) => first(),
    field: "field",
  },
  {
    store: "aws_secrets_manager",
    head: /\baws (?:[^\n|;&]{0,300} )?secretsmanager (?:batch-)?get-secret-value\b/g,
    valued: [],
    key: ({ option }) => option("secret-id"),
  },
  {
    store: "gcp_secret_manager",
    head: /\bgcloud (?:(?:beta|alpha) )?secrets versions access\b/g,
    valued: [],
    key: ({ option }) => option("secret"),
  },
  {
    store: "azure_key_vault",
    head: /\baz keyvault secret (?:show|download)\b/g,
    valued: [],
    key: ({ option }) => option("name") ?? option("n"),
  },
];

/** The words behind a program's name. */
interface Words {
  /** What an option is given: `-name=x`, `--name x`. */
  option(name: string): string | undefined;
  /** The first word that is neither an option nor given to one. */
  first(): string | undefined;
}

/** Characters of a command behind the program's name; longer ones nobody writes, and a script may be a megabyte. */
const lineMax = 1_000;

/** A word of a shell, with what is quoted or put in from elsewhere as a part of it. */
const word = /[ \t]*((?:"[^"]*"|'[^']*'|\$\{\{.*?\}\}|\$\{[^}]*\}|[^\s"'|;&()<>`])+)/y;

/** Each fetch of a script; `key` is null where no word says what. Variables stand in keys as they are written. */
export function fetchedIn(script: string): (Omit<Fetched, "key"> & { readonly key: string | null })[] {
  const text = script
    .replace(/\\\n\s*/g, " ")
    .replace(/^[ \t]*#.*$/gm, "")
    .replace(/[ \t]+/g, " ");
  return programs.flatMap((program) =>
    [...text.matchAll(program.head)].map(({ 0: head, index }) => {
      const words = wordsAt(text, index + head.length, program.valued);
      const key = program.key(words) ?? null;
      const field = program.field === undefined ? "" : (words.option(program.field) ?? "");
      return { store: program.store, key, field };
    }),
  );
}

/** A path of Vault's API as its programs and people write it: of the second version of KV without `data`. */
export function logicalPaths(path: string): string[] {
  const plain = path.replace(/^\/?(?:v1\/)?/, "");
  const [, mount, rest] = /^([^/]+)\/data\/(.+)$/s.exec(plain) ?? [];
  if (mount !== undefined) return [`${mount}/${rest}`];
  // A mount may have slashes, and a path may have a folder of that name: either.
  return plain.includes("/data/") ? [plain.replace("/data/", "/"), plain] : [plain];
}

function wordsAt(text: string, from: number, valued: readonly string[]): Words {
  const words: string[] = [];
  const line = text.slice(from, from + lineMax);
  word.lastIndex = 0;
  for (let met = word.exec(line); met !== null; met = word.exec(line))
    // What is cut off there is no word.
    if (met.index + met[0].length < lineMax) words.push((met[1] ?? "").replace(/["']/g, ""));
  const optionOf = (one: string) => /^--?([a-z][a-z-]*)(?:=(.*))?$/s.exec(one);
  return {
    option(name) {
      const index = words.findIndex((one) => optionOf(one)?.[1] === name);
      return index < 0 ? undefined : (optionOf(words[index] ?? "")?.[2] ?? words[index + 1]);
    },
    first() {
      return words.find((one, index) => {
        const before = optionOf(words[index - 1] ?? "");
        const isGiven = before?.[2] === undefined && valued.includes(before?.[1] ?? "");
        return optionOf(one) === null && !isGiven;
      });
    },
  };
}

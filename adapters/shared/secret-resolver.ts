/**
 * Turns a reference (`env:NAME`, `file:/path`, `file:/path#key`, `vault:path#key`) into the value, anew at
 * each call, because the engine's own credentials rotate too (H26). An error names the reference and never
 * what was found there.
 */
import { open } from "node:fs/promises";
import { RekeyError } from "../../domain/errors.js";
import { Secret } from "../../domain/secret.js";
import type { AdapterDeps, Call } from "../ports.js";
import { orWhenOver } from "./retry.js";

/** Reads the document at a path of the installation's Vault; `null` when there is none. */
export type VaultReader = (path: string, call: Call) => Promise<Readonly<Record<string, Secret>> | null>;

/** What the resolver reads from. */
export interface ResolverSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
  /** Absent where the installation names no Vault. */
  readonly vault?: VaultReader | undefined;
  /** How long a value may be used again without looking; at most `cacheMsMax`. 0 looks every time. */
  readonly cacheMs?: number;
}

/** A value used longer than this after its replacement would look like a refused login. */
const cacheMsMax = 5_000;

/** Secrets are short; a larger file is not one. */
const fileBytesMax = 1024 * 1024;

type Reference =
  | { readonly from: "env"; readonly name: string }
  | { readonly from: "file"; readonly path: string; readonly key: string | null }
  | { readonly from: "vault"; readonly path: string; readonly key: string };

/**
 * A resolver over these sources. It rejects with `bad-input` for text that is no reference (which is not
 * repeated: it may be a secret), `missing-setup` where nothing is there, `unreachable` when it takes too long.
 */
export function secretResolver(sources: ResolverSources): AdapterDeps["resolve"] {
  const cacheMs = Math.min(sources.cacheMs ?? 0, cacheMsMax);
  const kept = new Map<string, { secret: Secret; until: number }>();
  return async (text, call) => {
    const reference = parse(text);
    const known = kept.get(text);
    // A copy: the caller may clear his.
    if (known !== undefined && sources.now() < known.until) return known.secret.copy();
    kept.delete(text);
    const late = () => new RekeyError("unreachable", `${text} could not be read in time.`);
    const secret = await orWhenOver(look(reference, text, sources, call), call.signal, late);
    if (cacheMs > 0) kept.set(text, { secret: secret.copy(), until: sources.now() + cacheMs });
    return secret;
  };
}

function parse(text: string): Reference {
  const [, env] = /^env:([A-Za-z_][A-Za-z0-9_]*)$/.exec(text) ?? [];
  if (env !== undefined) return { from: "env", name: env };
  const [, path, key] = /^file:(\/[^\s#]+)(?:#([^\s#]+))?$/.exec(text) ?? [];
  if (path !== undefined) return { from: "file", path, key: key ?? null };
  const [, document, field] = /^vault:([^\s#]+)#([^\s#]+)$/.exec(text) ?? [];
  if (document !== undefined && field !== undefined) return { from: "vault", path: document, key: field };
  throw new RekeyError(
    "bad-input",
    "A reference to a secret has none of the known forms.",
    "Write env:NAME, file:/path, file:/path#key or vault:path#key.",
  );
}

function look(reference: Reference, text: string, sources: ResolverSources, call: Call): Promise<Secret> {
  switch (reference.from) {
    case "env":
      return fromEnv(reference.name, sources.env);
    case "file":
      return fromFile(reference.path, reference.key, text);
    case "vault":
      return fromVault(reference.path, reference.key, text, sources.vault, call);
  }
}

async function fromEnv(name: string, env: ResolverSources["env"]): Promise<Secret> {
  const value = env[name];
  if (value === undefined || value === "") {
    throw new RekeyError("missing-setup", `The environment variable ${name} is not set.`);
  }
  return new Secret(value);
}

/** A whole file without its last line break, which editors add, or one field of a JSON document. */
async function fromFile(path: string, key: string | null, text: string): Promise<Secret> {
  const content = await readSmall(path, text);
  if (key === null) return present(content.replace(/\r?\n$/, ""), text);
  let document: unknown;
  try {
    document = JSON.parse(content);
  } catch {
    // The parser's message quotes the text.
    throw new RekeyError("missing-setup", `${path} is not a JSON document, which ${text} needs.`);
  }
  return present(fieldOf(document, key), text);
}

async function fromVault(
  path: string,
  key: string,
  text: string,
  vault: VaultReader | undefined,
  call: Call,
): Promise<Secret> {
  if (vault === undefined) {
    throw new RekeyError("missing-setup", `${text} needs a Vault, and this installation names none.`);
  }
  const document = await vault(path, call);
  const secret = document !== null && Object.hasOwn(document, key) ? document[key] : undefined;
  return secret ?? present(undefined, text);
}

async function readSmall(path: string, text: string): Promise<string> {
  try {
    const file = await open(path, "r");
    try {
      if ((await file.stat()).size > fileBytesMax)
        throw new RekeyError("missing-setup", `${path} is too large for a secret.`);
      return await file.readFile("utf8");
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof RekeyError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    const why =
      code === "ENOENT"
        ? "is not there"
        : code === "EACCES"
          ? "may not be read by this user"
          : "cannot be read";
    throw new RekeyError("missing-setup", `The file of ${text} ${why}.`);
  }
}

function fieldOf(document: unknown, key: string): unknown {
  return typeof document === "object" && document !== null && Object.hasOwn(document, key)
    ? (document as Record<string, unknown>)[key]
    : undefined;
}

function present(value: unknown, text: string): Secret {
  if (typeof value === "string" && value !== "") return new Secret(value);
  throw new RekeyError("missing-setup", `There is no text at ${text}.`);
}

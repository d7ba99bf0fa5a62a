/**
 * The installation: where this process runs and how it logs in there, from `REKEY_*` variables. None of them
 * holds a secret value; they name one as `env:NAME`, `file:/path` or `vault:path#key`.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { RekeyError } from "../domain/errors.js";
import { duration } from "../domain/estate/duration.js";
import { secretRef } from "../domain/estate/secret-ref.js";
import { projectRoot } from "./dev/places.js";

const reference = secretRef();
/** References with commas between them. */
const references = z
  .string()
  .transform((list) => list.split(",").map((entry) => entry.trim()))
  .pipe(z.array(reference).min(1));

const variables = z.object({
  REKEY_HOME: z.string().default(".rekey"),
  REKEY_INSTALLATION: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{2,40}$/, "expected 3 to 41 of a-z, 0-9 and -")
    .optional(),
  REKEY_DATABASE_URL: reference,
  REKEY_TEMPORAL_ADDRESS: z
    .string()
    .regex(/^[^\s/]+:\d+$/, "expected host:port")
    .default("127.0.0.1:7233"),
  REKEY_TEMPORAL_NAMESPACE: z.string().min(1).default("rekey"),
  REKEY_TEMPORAL_API_KEY: reference.optional(),
  REKEY_TEMPORAL_TLS: z.enum(["on", "off"]).default("off"),
  REKEY_TEMPORAL_TLS_CA: z.string().optional(),
  REKEY_TEMPORAL_TLS_CERT: z.string().optional(),
  REKEY_TEMPORAL_TLS_KEY: z.string().optional(),
  REKEY_CODEC_KEYS: references,
  REKEY_ENGINE_KEY: reference,
  REKEY_FINGERPRINT_KEY: reference,
  REKEY_FINGERPRINT_KEY_REPLACES: z.string().min(1).optional(),
  REKEY_AUDIT_KEY: reference,
  REKEY_AUDIT_DATABASE_URL: reference.optional(),
  REKEY_AUDIT_FOLDER: z.string().min(1).optional(),
  REKEY_AUDIT_FORGET_AFTER: duration({ positive: true }).prefault("365d"),
  REKEY_VAULT_ADDR: z.url().optional(),
  REKEY_VAULT_TOKEN: reference.optional(),
  REKEY_VAULT_MOUNT: z.string().min(1).default("secret"),
  REKEY_DBA_USER: z.string().min(1).optional(),
  REKEY_DBA_PASSWORD: reference.optional(),
  REKEY_API_LISTEN: z
    .string()
    .regex(/^(\[[0-9a-f:]+\]|[^\s/:]+):\d{1,5}$/i, "expected host:port")
    .default("127.0.0.1:8630"),
  REKEY_API_TOKENS: references.optional(),
  REKEY_API_TLS_CERT: z.string().min(1).optional(),
  REKEY_API_TLS_KEY: reference.optional(),
  REKEY_API_CODEC_TOKENS: references.optional(),
  REKEY_API_CODEC_ORIGIN: z
    .url({ protocol: /^https?$/ })
    .refine(
      (url) => URL.canParse(url) && new URL(url).origin === url,
      "expected an origin: https://host[:port]",
    )
    .optional(),
  REKEY_API_PLAIN: z.enum(["loopback", "anywhere"]).default("loopback"),
  REKEY_API_DECISIONS_PER_MINUTE: z.coerce.number().int().min(1).max(10_000).default(60),
  REKEY_WORKER_VERSIONS: z.enum(["off", "on"]).default("off"),
  REKEY_WORKER_BUILD: z
    .string()
    .regex(/^[\w.+-]{1,100}$/, "expected up to 100 letters, digits, dots, dashes, + and _")
    .optional(),
  REKEY_ACTIVITY_SLOTS: z.coerce.number().int().min(1).max(10_000).default(50),
});

/** The installation's settings, checked. */
export type Installation = z.infer<typeof variables>;

/** Name of the file in which `rekey up` leaves the settings of what it started. */
export const upFileName = "installation.env";

/**
 * Reads the settings: from the environment, and for what is not set there, from what `rekey up` left in
 * `REKEY_HOME`. Throws `missing-setup` with every variable that is missing or wrong, at once.
 */
export function readInstallation(env: NodeJS.ProcessEnv): Installation {
  const home = resolve(env.REKEY_HOME ?? ".rekey");
  const given: Record<string, string> = {
    ...leftByUp(join(home, upFileName)),
    ...definedOf(env),
    REKEY_HOME: home,
  };
  const parsed = variables.safeParse(given);
  if (parsed.success) return parsed.data;
  const named = parsed.error.issues.map(({ path, message }) => ({ name: path.join("."), message }));
  const missing = named.filter(({ name }) => given[name] === undefined).map(({ name }) => name);
  const problems = [
    ...(missing.length === 0 ? [] : [`${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not set`]),
    ...named
      .filter(({ name }) => given[name] !== undefined)
      .map(({ name, message }) => `${name}: ${message}`),
  ];
  throw new RekeyError(
    "missing-setup",
    `The installation's settings are incomplete: ${problems.join("; ")}.`,
    "Start everything for development with `rekey up`, or set the variables; docs/installation.md lists them.",
  );
}

function definedOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      name.startsWith("REKEY_") && value ? [[name, value]] : [],
    ),
  );
}

function leftByUp(path: string): Record<string, string> {
  if (!existsSync(path)) return {};
  const lines = readFileSync(path, "utf8").split("\n");
  return Object.fromEntries(
    lines.flatMap((line) => {
      const cut = line.indexOf("=");
      return cut > 0 && !line.startsWith("#") ? [[line.slice(0, cut), line.slice(cut + 1)]] : [];
    }),
  );
}

/** The workflow bundle that the build made. Throws `missing-setup` when there is none. */
export function bundlePath(): string {
  const path = join(projectRoot(), "dist", "workflow-bundle.js");
  if (existsSync(path)) return path;
  throw new RekeyError("missing-setup", "The workflow bundle has not been built.", "Run `make build`.");
}

/** The failure converter's compiled file; Temporal's SDK loads it by path. */
export function failureConverterPath(): string {
  return join(projectRoot(), "dist", "worker", "failure-converter.js");
}

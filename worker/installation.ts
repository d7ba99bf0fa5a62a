/** Opens what an installation's settings name: its database, its keys, its way to Temporal. Nothing else reads a secret of ours. */
import { createHmac, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { DataConverter } from "@temporalio/common";
import { CompactSign, importJWK, type JWK } from "jose";
import type { AdapterDeps, OwnCodec } from "../adapters/ports.js";
import { secretResolver } from "../adapters/shared/secret-resolver.js";
import { vaultReader } from "../adapters/stores/vault/reader.js";
import { vaultConfig } from "../adapters/stores/vault/schema.js";
import { RekeyError } from "../domain/errors.js";
import { Secret } from "../domain/secret.js";
import { type Database, openDatabase } from "../inventory/database.js";
import { fingerprintKeyText } from "../inventory/fingerprint-key.js";
import { sealingCodec, type Unsealed, viewingCodec } from "./codec.js";
import { type CodecRing, followedRing } from "./codec-ring.js";
import { failureConverterPath, type Installation } from "./config.js";

const resolveTimeoutMs = 10_000;

export { newId } from "./ids.js";

/** Resolves a reference of the settings once. */
export async function resolved(settings: Installation, reference: string): Promise<Secret> {
  return resolverOf(settings)(reference, { signal: AbortSignal.timeout(resolveTimeoutMs) });
}

/** The resolver for every reference in settings and estate; `vault:` ones are read where the settings name a Vault. */
export function resolverOf(settings: Installation): AdapterDeps["resolve"] {
  const sources = { env: process.env, now: Date.now };
  const { REKEY_VAULT_ADDR: address, REKEY_VAULT_TOKEN: token, REKEY_VAULT_MOUNT: mount } = settings;
  if (address === undefined || token === undefined) return secretResolver(sources);
  const config = vaultConfig.parse({ address, mount, auth: { method: "token", token } });
  // The login's own token must not be a `vault:` reference: nobody could read it.
  const deps = {
    resolve: secretResolver(sources),
    now: Date.now,
    random: randomBytes,
    installation: "",
    signChallenge: unsigned,
    mark: unmarked,
    codec: noCodec,
  };
  return secretResolver({ ...sources, vault: vaultReader(config, deps) });
}

/** For adapters that are made where nobody rotates Rekey's own keys. */
export const noCodec: OwnCodec = { processes: async () => [], needing: async () => 0 };

function unsigned(): Promise<string> {
  return Promise.reject(new RekeyError("internal", "Reading a reference needs no signature."));
}

function unmarked(): never {
  throw new RekeyError("internal", "Reading a reference meets no value that would be marked.");
}

/** The inventory database, not yet connected. */
export async function databaseOf(settings: Installation): Promise<Database> {
  return openDatabase({ url: await resolved(settings, settings.REKEY_DATABASE_URL) });
}

/** The codec's keys, looked for anew while the process runs. Throws `missing-setup` and `bad-input` where they are none. */
export async function codecRingOf(
  settings: Installation,
  warn?: (sentence: string) => void,
): Promise<CodecRing> {
  const read = () => Promise.all(settings.REKEY_CODEC_KEYS.map((reference) => resolved(settings, reference)));
  return followedRing({ read, now: Date.now, ...(warn === undefined ? {} : { warn }) });
}

/** How payloads are sealed for Temporal, the same in workers and clients but for what was never sealed. */
export async function dataConverterOf(
  settings: Installation,
  unsealed: Unsealed = "refuse",
  warn?: (sentence: string) => void,
): Promise<DataConverter> {
  return converterWith(await codecRingOf(settings, warn), unsealed);
}

/** The same with a ring that somebody else looks at, too. */
export function converterWith(ring: CodecRing, unsealed: Unsealed = "refuse"): DataConverter {
  return { payloadCodecs: [sealingCodec(ring, unsealed)], failureConverterPath: failureConverterPath() };
}

/** Where Temporal is and how we log in there, in the form that clients and workers take alike. */
export interface TemporalLogin {
  readonly address: string;
  readonly apiKey?: string;
  readonly tls?: {
    readonly serverRootCACertificate?: Buffer;
    readonly clientCertPair?: { readonly crt: Buffer; readonly key: Buffer };
  };
}

/** How this process reaches Temporal. Throws `missing-setup` where a key that is named is not there. */
export async function temporalLoginOf(settings: Installation): Promise<TemporalLogin> {
  const { REKEY_TEMPORAL_ADDRESS: address, REKEY_TEMPORAL_API_KEY: apiKey } = settings;
  const tls = await tlsOf(settings);
  return {
    address,
    ...(tls === undefined ? {} : { tls }),
    ...(apiKey === undefined ? {} : { apiKey: (await resolved(settings, apiKey)).reveal() }),
  };
}

async function tlsOf(settings: Installation): Promise<NonNullable<TemporalLogin["tls"]> | undefined> {
  if (settings.REKEY_TEMPORAL_TLS === "off") return undefined;
  const { REKEY_TEMPORAL_TLS_CA: ca, REKEY_TEMPORAL_TLS_CERT: crt, REKEY_TEMPORAL_TLS_KEY: key } = settings;
  return {
    ...(ca === undefined ? {} : { serverRootCACertificate: await readFile(ca) }),
    ...(crt === undefined || key === undefined
      ? {}
      : { clientCertPair: { crt: await readFile(crt), key: await readFile(key) } }),
  };
}

/** What the API is started with, besides its services. Throws `missing-setup` for a file or a token that is not there. */
export async function apiSettingsOf(settings: Installation) {
  const { REKEY_API_LISTEN: listen, REKEY_API_TLS_CERT: cert, REKEY_API_TLS_KEY: key } = settings;
  if ((cert === undefined) !== (key === undefined)) {
    throw new RekeyError(
      "missing-setup",
      "REKEY_API_TLS_CERT and REKEY_API_TLS_KEY are set together or not at all.",
    );
  }
  const cut = listen.lastIndexOf(":");
  const tokens = (settings.REKEY_API_TOKENS ?? []).map((reference) => resolved(settings, reference));
  const codec = await codecDoorOf(settings);
  return {
    tokens: await Promise.all(tokens),
    ...(codec === undefined ? {} : { codec }),
    decisionsPerMinute: settings.REKEY_API_DECISIONS_PER_MINUTE,
    listen: {
      host: listen.slice(0, cut).replace(/^\[|\]$/g, ""),
      port: Number(listen.slice(cut + 1)),
      plainAnywhere: settings.REKEY_API_PLAIN === "anywhere",
      ...(cert === undefined || key === undefined
        ? {}
        : { tls: { certificate: await certificateIn(cert), key: await resolved(settings, key) } }),
    },
  };
}

/** Temporal's remote codec; only where a token for it is named. */
async function codecDoorOf(settings: Installation) {
  const { REKEY_API_CODEC_TOKENS: named, REKEY_API_CODEC_ORIGIN: origin } = settings;
  if (named === undefined) return undefined;
  const tokens = await Promise.all(named.map((reference) => resolved(settings, reference)));
  const codec = viewingCodec(await codecRingOf(settings));
  return { codec, tokens, ...(origin === undefined ? {} : { origin }) };
}

async function certificateIn(file: string): Promise<string> {
  return readFile(file, "utf8").catch((failure: NodeJS.ErrnoException) => {
    const why = failure.code ?? "no reason given";
    throw new RekeyError("missing-setup", `The certificate ${file} cannot be read (${why}).`);
  });
}

/** What adapters are made with. The engine's key signs challenges and never leaves this closure. */
export async function adapterDepsOf(
  settings: Installation,
  installation: string,
  now: () => number,
  codec: OwnCodec,
): Promise<AdapterDeps> {
  const jwk = parsedKey(await resolved(settings, settings.REKEY_ENGINE_KEY));
  const key = await importJWK(jwk, "EdDSA");
  const markKey = await resolved(settings, settings.REKEY_FINGERPRINT_KEY);
  return {
    installation,
    resolve: resolverOf(settings),
    now,
    codec,
    random: (bytes) => randomBytes(bytes),
    // As fingerprints are made, so that a copy of a version that was rotated is known for one.
    mark: (value) => keyedHash(markKey, value),
    signChallenge: (payload) =>
      new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
        .setProtectedHeader({ alg: "EdDSA" })
        .sign(key),
  };
}

function parsedKey(secret: Secret): JWK {
  try {
    return JSON.parse(secret.reveal()) as JWK;
  } catch {
    throw new RekeyError(
      "bad-input",
      "The engine's key is not a JSON Web Key.",
      "Make one with `rekey keygen`.",
    );
  }
}

/** Keyed HMAC of a value, by which a leaked one is recognised (H40: the key is not in the database). */
export async function fingerprinterOf(settings: Installation): Promise<(value: Secret) => Promise<string>> {
  const key = await resolved(settings, settings.REKEY_FINGERPRINT_KEY);
  return async (value) => keyedHash(key, value.reveal());
}

/** What the key of the hashes is known again by. */
export async function fingerprintKeyDigest(settings: Installation): Promise<string> {
  return keyedHash(await resolved(settings, settings.REKEY_FINGERPRINT_KEY), fingerprintKeyText);
}

function keyedHash(key: Secret, value: string): string {
  return createHmac("sha256", key.reveal()).update(value).digest("hex");
}

/** A fresh random value, for attestation keys. */
export function randomSecret(): Secret {
  return new Secret(randomBytes(32).toString("base64url"));
}

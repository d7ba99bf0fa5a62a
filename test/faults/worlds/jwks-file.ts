/**
 * Signing keys in a published key set, their document in a file. An account here is a key in the set; to log in is to
 * have a token of it accepted by each verifier, whose caches are those of the `jose` package; a session is a token.
 */
import { generateKeyPairSync } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWK, jwtVerify } from "jose";
import { jwks } from "../../../adapters/issuers/jwks.js";
import { type Service, startService } from "../../../examples/demo/services.js";
import { signerOf, verifiedAt } from "../services/jwks-token.js";
import { filePlace, letOnlyRead } from "./file-place.js";
import type { Account, Checker, LoginAnswer, RawDocument, World, WorldKind } from "./world.js";

const host = "127.0.0.1";
const pathOf = (name: string) =>
  fileURLToPath(new URL(`../services/${name}.js`, import.meta.url)) as `/${string}`;

/**
 * What is declared, and what the programs do: verifiers renew a second early, so that a slow fetch breaks no promise. A
 * cache lives for longer than a walk from publishing to signing needs, or nobody would notice that it was not waited for.
 */
const lives = { declaredCacheMs: 4_000, cacheMs: 3_000, tokenMs: 2_000, skewMs: 200 };
const verifierNames = ["gateway", "portal"];
/** Of what the oracle holds: longer than any case. */
const heldMs = 3_600_000;

/** The key set as it is published. */
interface Published extends JSONWebKeySet {
  readonly rekey: {
    readonly slots: Readonly<Record<string, { readonly tag: string; readonly kid?: string }>>;
  };
}

/** The world `jwks-file`. */
export const jwksFile: WorldKind = {
  servers: ["issuer"],
  isShared: true,
  restored: ["store"],
  readOnly: ["issuer", "store"],
  async open({ folder }, index): Promise<World> {
    const published = join(folder, `published-${index}`);
    const file = join(published, "jwks.json");
    const lockFolder = join(folder, `locks-${index}`);
    await mkdir(published, { mode: 0o755 });
    await mkdir(lockFolder, { mode: 0o700 });
    const first = firstKey(`first-${index}`);
    const begin = JSON.parse(jwks.grants?.({ issuer: `faults-${index}` }) ?? "") as Published;
    await writeFile(file, JSON.stringify({ ...begin, keys: [first.publicKey] }), { mode: 0o644 });
    const { file: storeFile, readOnly, backup, ...place } = await filePlace(folder, index, first.document);
    const web = await webServer(file);
    const { port } = web.address() as AddressInfo;
    const address = (at: number) => `http://${host}:${at}/jwks.json`;
    const verifiers = await Promise.all(verifierNames.map((name) => startVerifier(name, address(port))));
    const urls = verifiers.map(({ attestUrl }) => attestUrl);
    const issuer = { kind: "jwks", file, lockFolder, urls: [address(port)] };
    return {
      ...place,
      issuer,
      account: {
        algorithm: "ES256",
        slots: ["a", "b", "c"],
        verifierCacheLife: `${lives.declaredCacheMs}ms`,
        tokenLife: `${lives.tokenMs}ms`,
        clockSkew: `${lives.skewMs}ms`,
        existing: { slot: "a", kid: first.document.username },
      },
      servers: { issuer: { host, port } },
      through: (ports) => ({
        issuer: { ...issuer, urls: [address(ports.issuer ?? port)] },
        store: place.store,
      }),
      backups: { store: backup },
      readOnly: {
        issuer: async (on) => {
          await letOnlyRead(published, on);
          await letOnlyRead(lockFolder, on);
        },
        store: readOnly,
      },
      program: pathOf("jwks-signer"),
      serviceEnv: { STORE_FILE: storeFile, VERIFIERS: urls.join(","), TOKEN_MS: `${lives.tokenMs}` },
      checkers: Object.fromEntries(verifiers.map((verifier) => [verifier.name, checkerOf(verifier)])),
      endsSessionsUnasked: true,
      login: async (document) => {
        const token = await (await signerOf(document)).sign(heldMs);
        return Promise.all([
          servedAnswer(address(port), token),
          ...urls.map(async (url): Promise<LoginAnswer> => {
            const said = await verifiedAt(url, "/try", token);
            return { node: url, answer: said === "in" ? "in" : "refused" };
          }),
        ]);
      },
      accounts: () => accountsIn(file),
      hold: async (document) => {
        const token = await (await signerOf(document)).sign(heldMs);
        return {
          alive: async () => {
            const said = await Promise.all(urls.map((url) => verifiedAt(url, "/try", token)));
            return said.includes("in");
          },
          end: async () => undefined,
        };
      },
      accountOf: (document) => document.username ?? "",
      refusedEarly: async (since) => (await Promise.all(urls.map((url) => earlyAt(url, since)))).flat(),
      secretsOf: (document) => [(JSON.parse(document.password ?? "{}") as JWK).d ?? ""],
      stop: async () => {
        await Promise.all(verifiers.map((verifier) => verifier.stop()));
        web.closeAllConnections();
        await new Promise((resolve) => web.close(resolve));
      },
    };
  },
};

/** A key that was there before Rekey. */
function firstKey(kid: string): { document: RawDocument; publicKey: JWK } {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const names = { kid, alg: "ES256", use: "sig" };
  const password = JSON.stringify({ ...pair.privateKey.export({ format: "jwk" }), ...names });
  return {
    document: { username: kid, password, note: "kept by the shop's own people" },
    publicKey: { ...pair.publicKey.export({ format: "jwk" }), ...names },
  };
}

/** The user's web server: it gives out the file as it is. */
async function webServer(file: string): Promise<Server> {
  const server = createServer((_request, response) => {
    readFile(file).then(
      (bytes) => response.setHeader("content-type", "application/jwk-set+json").end(bytes),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  return server;
}

function startVerifier(name: string, jwksUrl: string): Promise<Service> {
  const env = { JWKS_URL: jwksUrl, CACHE_MS: `${lives.cacheMs}` };
  return startService({ name, program: pathOf("jwks-verifier"), env });
}

function checkerOf({ instance, attestUrl }: Service): Checker {
  return {
    role: "verifier",
    section: {
      observe: [{ kind: "jwks-verifier", instances: [{ instance, url: new URL(attestUrl).origin }] }],
      maxPoolLife: "0s",
      maxCacheLife: `${lives.declaredCacheMs}ms`,
      cadence: "0s",
    },
  };
}

/** Whether a token passes with what is given out at this moment. */
async function servedAnswer(address: string, token: string): Promise<LoginAnswer> {
  const set = (await (await fetch(address)).json()) as JSONWebKeySet;
  return jwtVerify(token, createLocalJWKSet(set)).then(
    () => ({ node: address, answer: "in" }) as const,
    (error: unknown) => {
      if (error instanceof errors.JWKSNoMatchingKey) return { node: address, answer: "refused" } as const;
      throw error;
    },
  );
}

/** Every key of the set, and every slot without one. */
async function accountsIn(file: string): Promise<Account[]> {
  const { keys, rekey } = JSON.parse(await readFile(file, "utf8")) as Published;
  const records = Object.entries(rekey.slots);
  const tagOf = (kid: string | undefined) => records.find(([, slot]) => slot.kid === kid)?.[1].tag ?? "";
  return [
    ...keys.map(({ kid }) => ({ name: kid ?? "", enabled: true, tag: tagOf(kid), sessions: 0 })),
    ...records
      .filter(([, slot]) => !keys.some(({ kid }) => kid !== undefined && kid === slot.kid))
      .map(([slot, { tag }]) => ({ name: `slot ${slot}`, enabled: false, tag, sessions: 0 })),
  ];
}

/** Tokens that the verifier accepted since then, and refused before they had run out. */
async function earlyAt(verifier: string, since: number): Promise<string[]> {
  const found = (await (await fetch(new URL(`/early?since=${since}`, verifier))).json()) as { kid: string }[];
  const kids = new Set(found.map(({ kid }) => kid));
  return [...kids].map((kid) => `${verifier} refused a token of ${kid} that had not run out`);
}

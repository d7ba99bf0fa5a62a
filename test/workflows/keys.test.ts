/**
 * Signing keys end to end: a signer and verifiers of the `jose` package as processes of their own, and a probe that
 * takes tokens all the time and shows each of them to each verifier until it ends (H27, H28).
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { decodeJwt, decodeProtectedHeader, importJWK, SignJWT } from "jose";
import { expect, onTestFinished, test } from "vitest";
import { withFileLock } from "../../adapters/shared/file-lock.js";
import { reportText } from "../../domain/documents.js";
import { issuerIn, type JwksWorld, jwksWorld } from "../contract/issuers/jwks-world.js";
import { call, changeOf, passwordOf, tag, usernameOf } from "../contract/issuers/world.js";
import { calling, testEngine } from "../support/engine.js";
import { digestOf } from "./house.js";
import { signed } from "./people.js";
import { openRealHouse, quickPolicy, type RealHouse } from "./real-house.js";
import { cancel, ended, eventually, stateOf } from "./watch.js";

/** What is declared is a promise to be kept: there is room in it for a process that a busy machine lets wait for a second or two. */
const [cacheMs, tokenMs] = [1_000, 1_500];

interface Scene {
  readonly world: JwksWorld;
  readonly house: RealHouse;
  readonly verifiers: readonly string[];
  /** The private key that is in use at the start, as text, and its name. */
  readonly old: { readonly kid: string; readonly text: string };
  readonly live: () => Promise<Record<string, string>>;
  readonly published: () => Promise<string[]>;
  readonly copies: () => Promise<string>;
  readonly probe: Probe;
}

/** Takes a token every few milliseconds, and shows it to every verifier at once and again and again until it ends. */
class Probe {
  readonly refused: string[] = [];
  readonly kids = new Set<string>();
  shown = 0;
  #stopped = false;
  readonly #done: Promise<void>;

  constructor(signer: string, verifiers: readonly string[]) {
    this.#done = this.#run(signer, verifiers);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #run(signer: string, verifiers: readonly string[]): Promise<void> {
    let alive: string[] = [];
    while (!this.#stopped) {
      const token = await (await fetch(`${signer}/sign`)).text();
      this.kids.add(decodeProtectedHeader(token).kid ?? "");
      alive = [token, ...alive.filter((each) => (decodeJwt(each).exp ?? 0) * 1_000 > Date.now())];
      // The newest, the oldest and some between them: each is shown many times in its life.
      const some = alive.filter(
        (_, index) => index % Math.ceil(alive.length / 5) === 0 || index === alive.length - 1,
      );
      await Promise.all(some.flatMap((each) => verifiers.map((url) => this.#show(each, url))));
      await pause(40);
    }
  }

  async #show(token: string, verifier: string): Promise<void> {
    const said = await verify(verifier, token);
    this.shown += 1;
    // Its own end is no refusal of its key.
    if (said !== "ok" && said !== "ERR_JWT_EXPIRED")
      this.refused.push(`${decodeProtectedHeader(token).kid}: ${said}`);
  }
}

async function verify(verifier: string, token: string): Promise<string> {
  return (await fetch(`${verifier}/verify`, { method: "POST", body: token })).text();
}

async function openScene(): Promise<Scene> {
  const world = await jwksWorld();
  onTestFinished(() => world.close());
  const [secrets, staging] = [join(world.folder, "secrets"), join(world.folder, "staging")];
  await Promise.all([secrets, staging].map((folder) => mkdir(folder, { mode: 0o700 })));
  const engine = await testEngine("here");
  // What there is before Rekey: a key that is published, and a document with it.
  const issuer = issuerIn(world);
  const document = issuer.generate("a");
  await issuer.enable(changeOf("a", null, tag("ver_before", 0)), document, call());
  const old = { kid: usernameOf(document), text: passwordOf(document) };
  const set = JSON.parse(await readFile(world.file, "utf8"));
  await writeFile(world.file, JSON.stringify({ ...set, rekey: { ...set.rekey, slots: {} } }));
  const file = join(secrets, "tokens.json");
  await writeFile(file, JSON.stringify({ username: old.kid, password: old.text }));
  const signer = await world.start({
    ROLE: "signer",
    STORE_FILE: file,
    ENGINE_JWK: JSON.stringify(engine.publicKey),
    CREDENTIAL: "tokens",
    CONSUMER: "login",
    TOKEN_MS: String(tokenMs),
  });
  const url = `${world.web.ready.url}/jwks.json`;
  const verifiers = await Promise.all(
    [1, 2].map(() => world.start({ ROLE: "verifier", JWKS_URL: url, CACHE_MS: String(cacheMs) })),
  );
  const instances = verifiers.map(({ ready }) => ready.url);
  const attest = { kind: "http-attest", instances: [signer.ready.url] };
  const house = await openRealHouse(
    {
      stores: { files: { kind: "file", directory: secrets, stagingDirectory: staging } },
      issuers: { keys: { kind: "jwks", file: world.file, lockFolder: world.folder, urls: [url] } },
      policies: { quick: quickPolicy },
      consumers: {
        login: { owner: "payments", observe: [attest], deliver: attest },
        gateway: {
          owner: "payments",
          observe: [{ kind: "jwks-verifier", instances }],
          maxCacheLife: "3s",
        },
      },
      credentials: {
        tokens: {
          issuer: "keys",
          account: {
            algorithm: "ES256",
            verifierCacheLife: "3s",
            tokenLife: "1500ms",
            clockSkew: "2s",
            existing: { slot: "a", kid: old.kid },
          },
          store: "files",
          place: { path: "tokens.json" },
          owner: "payments",
          policy: "quick",
          class: "signing-key",
          purpose: "Tokens of the shop are signed with it.",
          consumers: [
            { consumer: "login", role: "signer" },
            { consumer: "gateway", role: "verifier" },
          ],
        },
      },
    },
    engine.deps,
  );
  const probe = new Probe(signer.ready.url, instances);
  onTestFinished(() => probe.stop());
  return {
    world,
    house,
    verifiers: instances,
    old,
    probe,
    live: async () => JSON.parse(await readFile(file, "utf8")),
    published: async () =>
      JSON.parse(await readFile(world.file, "utf8")).keys.map((key: { kid: string }) => key.kid),
    copies: async () => {
      const files = await readdir(staging, { recursive: true, withFileTypes: true });
      const texts = files
        .filter((entry) => entry.isFile())
        .map((entry) => readFile(join(entry.parentPath, entry.name), "utf8"));
      return (await Promise.all(texts)).join("\n");
    },
  };
}

/** A token that is good for an hour, signed with a key that somebody kept. */
async function tokenWith({ kid, text }: Scene["old"]): Promise<string> {
  const jwk = JSON.parse(text);
  return new SignJWT({})
    .setProtectedHeader({ alg: "ES256", kid })
    .setExpirationTime("1h")
    .sign(await importJWK(jwk, "ES256"));
}

const limitMs = 180_000;

test("H28: every token verifies at every verifier all the time, and at the end none of the withdrawn key does", {
  timeout: limitMs,
}, async () => {
  const scene = await openScene();
  const { probe, house, old } = scene;
  const handle = await house.start();
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  const { versions, target, places } = await stateOf(handle);
  await probe.stop();
  expect(probe.refused).toEqual([]);
  const fresh = await scene.live();
  expect([...probe.kids].sort()).toEqual([old.kid, fresh.username].sort());
  expect(probe.shown).toBeGreaterThan(100);
  // The order and the waits, by the records: published, heard of, delivered; used up, withdrawn.
  const enabledAt = versions[target]?.enabledAt ?? 0;
  expect((places.main?.toldAt ?? 0) - enabledAt).toBeGreaterThanOrEqual(3_000);
  const gone = Object.values(versions).find(({ id }) => id !== target);
  expect((gone?.disabledAt ?? 0) - (places.main?.toldAt ?? 0)).toBeGreaterThanOrEqual(3_500);
  // The end: one key, and whoever kept the old one is refused everywhere.
  expect(await scene.published()).toEqual([fresh.username]);
  const kept = await tokenWith(old);
  for (const verifier of scene.verifiers)
    expect(await verify(verifier, kept)).toBe("ERR_JWKS_NO_MATCHING_KEY");
  const left = `${await scene.copies()} ${JSON.stringify(fresh)}`;
  expect(left).not.toContain(JSON.parse(old.text).d);
});

test("H28: going back after it was signed with keeps both published until nothing needs the new one", {
  timeout: limitMs,
}, async () => {
  const scene = await openScene();
  const { probe, house, old } = scene;
  const handle = await house.start();
  await eventually("the new key signs", () => probe.kids.size === 2);
  await cancel(handle);
  expect(await scene.published()).toHaveLength(2);
  expect(await ended(handle)).toMatchObject({ outcome: "went-back" });
  await probe.stop();
  expect(probe.refused).toEqual([]);
  expect((await scene.live()).username).toBe(old.kid);
  expect(await scene.published()).toEqual([old.kid]);
});

test("H28: after a leak every copy of the private key is gone before the key is withdrawn", {
  timeout: limitMs,
}, async () => {
  const scene = await openScene();
  const { house, world, old } = scene;
  const ordered = { reason: "seen in a public repository", leaked: "unknown" as const };
  const { installation } = house;
  const says = {
    installation,
    says: "emergency" as const,
    digest: digestOf(reportText(ordered)),
    credential: "tokens",
  };
  const documents = await Promise.all([signed("rashid", says), signed("runa", says)]);
  const { d } = JSON.parse(old.text);
  const handle = await house.start({ emergency: { ...ordered, documents, evidence: null } });
  await eventually("the new key is in the store", async () => (await scene.live()).username !== old.kid);
  // While somebody else holds the document, the key cannot be withdrawn; its copies are destroyed all the same.
  const lock = join(world.folder, `${encodeURIComponent(world.file)}.lock`);
  await withFileLock(lock, 60_000, calling(limitMs), async () => {
    await eventually("its copies are gone", async () => !(await scene.copies()).includes(d));
    expect(await scene.published()).toContain(old.kid);
  });
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expect(await scene.published()).toEqual([(await scene.live()).username]);
  const kept = await tokenWith(old);
  for (const verifier of scene.verifiers)
    expect(await verify(verifier, kept)).toBe("ERR_JWKS_NO_MATCHING_KEY");
});

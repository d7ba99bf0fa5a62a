/** Key sets on disk, served by a web server of its own, for the tests of the kind that publishes them. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLocalJWKSet, importJWK, type JSONWebKeySet, jwtVerify, SignJWT } from "jose";
import type { JwksAccount } from "../../../adapters/issuers/jwks/config.js";
import { jwks } from "../../../adapters/issuers/jwks.js";
import type { Issuer } from "../../../adapters/ports.js";
import { type Compiled, compile, type Started } from "../../support/programs.js";
import { depsOf } from "../stores/world.js";
import type { Ready } from "./jwks-server.js";
import type { IssuerWorld, OpenSession } from "./world.js";

const program = "test/contract/issuers/jwks-server";

/** A folder with a key set, and what was started around it. */
export interface JwksWorld {
  readonly folder: string;
  readonly file: string;
  readonly web: Started<Ready>;
  readonly programs: Compiled;
  start(env: NodeJS.ProcessEnv): Promise<Started<Ready>>;
  close(): Promise<void>;
}

/** The document to begin with, as `rekey grants jwks` prints it. */
export const firstDocument = (issuer = "tokens") => jwks.grants?.({ issuer }) ?? "";

/** Compiles the programs and starts the web server. */
export async function jwksWorld(): Promise<JwksWorld> {
  const folder = await mkdtemp(join(tmpdir(), "rekey-jwks-"));
  const file = join(folder, "jwks.json");
  await writeFile(file, firstDocument());
  await writeFile(join(folder, "other.json"), firstDocument("elsewhere"));
  const programs = await compile([program]);
  const start = (env: NodeJS.ProcessEnv) => programs.start<Ready>(program, env);
  const web = await start({ ROLE: "web", FILE: file, OTHER_FILE: join(folder, "other.json") });
  return {
    folder,
    file,
    web,
    programs,
    start,
    close: async () => {
      await programs.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** An issuer of this world. */
export function issuerIn(
  world: JwksWorld,
  more: { file?: string; path?: string; account?: Partial<JwksAccount>; installation?: string } = {},
): Issuer {
  const { file = world.file, path = "/jwks.json", account = {} } = more;
  const config = jwks.config.parse({
    file,
    lockFolder: world.folder,
    urls: [`${world.web.ready.url}${path}`],
  });
  const parsed = jwks.account.parse({
    algorithm: "ES256",
    verifierCacheLife: "1s",
    tokenLife: "1s",
    clockSkew: "0s",
  });
  return jwks.create(config, { ...parsed, ...account }, depsOf());
}

/** The contract suite's world. A "session" here is a token: it is alive while the served document verifies it. */
export async function contractWorld(
  world: JwksWorld,
  algorithm: JwksAccount["algorithm"],
): Promise<IssuerWorld> {
  await writeFile(world.file, firstDocument());
  await writeFile(join(world.folder, "other.json"), firstDocument("elsewhere"));
  const account = { algorithm };
  return {
    slots: ["a", "b"],
    open: () => issuerIn(world, { account }),
    openClone: async () =>
      issuerIn(world, { account, file: join(world.folder, "other.json"), path: "/other.json" }),
    openUnreachable: () => issuerIn(world, { account, file: join(world.folder, "nowhere", "jwks.json") }),
    connect: (kid, text) => tokenOf(world, kid, text, algorithm),
    overwriteTag: async (slot, tag) => {
      const set = JSON.parse(await readFile(world.file, "utf8"));
      set.rekey.slots[slot].tag = tag;
      await writeFile(world.file, JSON.stringify(set));
    },
    // Nothing that the document names is ever taken out of it but keys of our own.
    exists: async (slot) => slot in JSON.parse(await readFile(world.file, "utf8")).rekey.slots,
    dispose: async () => {},
  };
}

async function tokenOf(
  world: JwksWorld,
  kid: string,
  text: string,
  alg: string,
): Promise<OpenSession | null> {
  const jwk = await Promise.resolve(text)
    .then(JSON.parse)
    .catch(() => null);
  if (jwk === null) return null;
  const token = await new SignJWT({}).setProtectedHeader({ alg, kid }).sign(await importJWK(jwk, alg));
  const alive = async () => {
    const answer = await fetch(`${world.web.ready.url}/jwks.json`);
    const set = createLocalJWKSet((await answer.json()) as JSONWebKeySet);
    return jwtVerify(token, set).then(
      () => true,
      () => false,
    );
  };
  return (await alive()) ? { alive, setOwnValue: async () => {}, close: async () => {} } : null;
}

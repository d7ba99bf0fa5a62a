/** The canary suite's credentials of the other kinds, on real servers: all that is secret of them is planted or collected. */
import { generateKeyPairSync } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { jwks } from "../../../adapters/issuers/jwks.js";
import { httpWorld } from "../../contract/issuers/http-world.js";
import { startAwsAccount } from "../../faults/house/aws.js";
import { startRedisPair } from "../../faults/house/redis-pair.js";
import { folderPlace } from "../../faults/worlds/folder-place.js";
import { httpFile } from "../../faults/worlds/http-file.js";
import { iamSecretsManager } from "../../faults/worlds/iam-secrets-manager.js";
import { redisFile } from "../../faults/worlds/redis-file.js";
import type { RawDocument, Shared, World } from "../../faults/worlds/world.js";
import type { Planted } from "./planted.js";

/** Sections of an estate. */
type Sections = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** A credential and where it is, and its live document. */
type Kind = Pick<World, "issuer" | "account" | "store" | "place"> & { live(): Promise<RawDocument | null> };

/** The credentials, each named as its issuer and its store. */
export interface Kinds {
  readonly names: readonly string[];
  readonly issuers: Sections;
  readonly stores: Sections;
  readonly credentials: Sections;
  /** Takes every live value into the search. */
  collect(): Promise<void>;
  /** The provider's next new value is lost on its way: whoever asked for it has an error instead. */
  loseNextValue(): Promise<void>;
  /** What the servers have written down so far, each under its name. */
  written(): Promise<readonly (readonly [name: string, text: string])[]>;
  stop(): Promise<void>;
}

/** Starts the servers, with a credential on each. */
export async function openKinds(parent: string, planted: Planted): Promise<Kinds> {
  const folder = join(parent, "kinds");
  await mkdir(folder, { mode: 0o700 });
  const awsLog = join(folder, "aws.log");
  const talkative = ["loglevel debug", "slowlog-log-slower-than 0"];
  const [pair, provided, aws, web] = await Promise.all([
    startRedisPair(folder, talkative),
    httpWorld(),
    startAwsAccount(() => undefined, awsLog),
    keySet(folder),
  ]);
  const put = async (token: string, account: object) => {
    const url = new URL("/control/account", provided.url);
    await fetch(url, { method: "PUT", headers: { "x-token": token }, body: JSON.stringify(account) });
  };
  const { url, account } = provided;
  const missing = () => Promise.reject(new Error("there is no such server here"));
  const shared: Shared = {
    folder,
    shop: {} as Shared["shop"],
    replicated: missing,
    vault: missing,
    redis: async () => pair,
    provider: async () => ({ url, put, account, refuse: missing }),
    aws: async () => aws,
  };
  const worlds = await Promise.all(
    [redisFile, httpFile, iamSecretsManager].map((kind, i) => kind.open(shared, i)),
  );
  const [redis, http, iam] = worlds as [World, World, World];
  const kinds: Readonly<Record<string, Kind>> = {
    "redis-sound": redis,
    "http-sound": http,
    "aws-sound": iam,
    "jwks-sound": web.kind,
  };
  for (const name of ["redis-engine-password", "provider-token-1", "aws-engine-secret-2", "aws-reader-2"]) {
    const text = await readFile(join(folder, name), "utf8");
    planted.know(`the text of ${name}`, text.split("\n").at(-1) ?? "");
  }
  const stop = async (): Promise<void> => {
    await Promise.all([...worlds.map((world) => world.stop()), web.stop()]);
    await Promise.all([pair.stop(), provided.close(), aws.stop()]);
  };
  let stopping: Promise<void> | undefined;
  return {
    names: Object.keys(kinds),
    issuers: Object.fromEntries(Object.entries(kinds).map(([name, { issuer }]) => [name, issuer])),
    stores: Object.fromEntries(Object.entries(kinds).map(([name, { store }]) => [name, store])),
    credentials: Object.fromEntries(
      Object.entries(kinds).map(([name, kind]) => [name, { account: kind.account, place: kind.place }]),
    ),
    collect: async () => {
      for (const [name, { live }] of Object.entries(kinds)) {
        const document = (await live()) ?? {};
        const { password = "", rekey_version: version = "the first", rekey_attest_key: attest } = document;
        const secret = name === "jwks-sound" ? (JSON.parse(password) as { d: string }).d : password;
        planted.know(`${name}: the value of ${version}`, secret);
        if (attest !== undefined) planted.know(`${name}: the attestation key of ${version}`, attest);
      }
    },
    loseNextValue: () => provided.faults({ at: "/roll", lose: "after" }),
    written: async () => {
      const files = await Promise.all(
        [...pair.traces, awsLog].map(async (path) => [path, await readFile(path, "latin1")] as const),
      );
      const slow = await Promise.all(pair.nodes.map((node) => node.ask("SLOWLOG", "GET", "-1")));
      // Which addresses it was asked at stands in the logs of real ones.
      const provider = `${provided.output()}\n${(await provided.seen()).requests.join("\n")}`;
      return [...files, ["slow log", JSON.stringify(slow)], ["the provider", provider]] as const;
    },
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

/** A published key set with a key that was there before, as the user's own web server gives it out. */
async function keySet(folder: string): Promise<{ kind: Kind; stop: () => Promise<void> }> {
  const [file, lockFolder] = [join(folder, "jwks.json"), join(folder, "locks")];
  await mkdir(lockFolder, { mode: 0o700 });
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const names = { kid: "before", alg: "ES256", use: "sig" };
  const begin = JSON.parse(jwks.grants?.({ issuer: "canaries" }) ?? "");
  const published = { ...begin, keys: [{ ...pair.publicKey.export({ format: "jwk" }), ...names }] };
  await writeFile(file, JSON.stringify(published), { mode: 0o644 });
  const password = JSON.stringify({ ...pair.privateKey.export({ format: "jwk" }), ...names });
  const { store, place, live } = await folderPlace(folder, 3, { username: names.kid, password });
  const web = createServer((_request, response) => {
    readFile(file).then(
      (bytes) => response.setHeader("content-type", "application/jwk-set+json").end(bytes),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
  const urls = [`http://127.0.0.1:${(web.address() as AddressInfo).port}/jwks.json`];
  return {
    kind: {
      issuer: { kind: "jwks", file, lockFolder, urls },
      account: {
        algorithm: "ES256",
        verifierCacheLife: "100ms",
        tokenLife: "100ms",
        clockSkew: "0s",
        existing: { slot: "a", kid: names.kid },
      },
      ...{ store, place, live },
    },
    stop: async () => {
      web.closeAllConnections();
      await new Promise((resolve) => web.close(resolve));
    },
  };
}

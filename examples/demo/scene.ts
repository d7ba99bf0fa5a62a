/** Sets the demo's stage: a database, a store, the engine and three services, all in one folder and all ended together. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kinds } from "../../adapters/registry.js";
import { newKey, readKey, type SigningKey } from "../../client/documents.js";
import { readEstate } from "../../client/estate/load.js";
import { type RotationClient, rotationClient } from "../../client/temporal.js";
import { RekeyError } from "../../domain/errors.js";
import { shapesOf } from "../../domain/estate/shapes.js";
import type { Database } from "../../inventory/database.js";
import { applyEstate, entryNamed } from "../../inventory/estate.js";
import { readInstallation } from "../../inventory/installation.js";
import { findVaultOrBao } from "../../worker/dev/openbao.js";
import type { Progress } from "../../worker/dev/progress.js";
import { startVault, type VaultServer } from "../../worker/dev/vault-server.js";
import { databaseOf, dataConverterOf, newId, temporalLoginOf } from "../../worker/installation.js";
import { type RunningHouse, startHouse } from "../../worker/up.js";
import { estateText } from "./estate.js";
import type { PolicyText, StoreScene } from "./parts.js";
import { type Service, startService } from "./services.js";
import { openShop, type Shop } from "./shop.js";

/** The stage, ready for a rotation. */
export interface Scene {
  readonly folder: string;
  readonly shop: Shop;
  readonly house: RunningHouse;
  readonly services: readonly Service[];
  readonly db: Database;
  readonly rotations: RotationClient;
  readonly installation: string;
  /** Id of the credential `orders-db`. */
  readonly credential: string;
  readonly keys: Readonly<Record<string, SigningKey>>;
  /** The document in the store, as a consumer reads it. */
  liveDocument(): Promise<Record<string, string>>;
  /** Applies the estate with another policy. */
  applyPolicy(policy: PolicyText): Promise<void>;
  stop(): Promise<void>;
}

/** How the stage is set. */
export interface SceneOptions {
  readonly store: "file" | "vault";
  readonly policy: PolicyText;
  readonly progress: Progress;
  /** Leaves the folder behind. */
  readonly keep?: boolean;
  /** How often the polling service looks at its store. */
  readonly pollMs?: number;
}

/** Names of the demo's people: the owner signs, two responders report leaks, and the platform team asks. */
export const people = ["olivia", "rashid", "runa"] as const;

/** Sets the stage. Whatever was started is ended again when something fails. */
export async function openScene(options: SceneOptions): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), "rekey-demo-"));
  const ends: (() => Promise<unknown>)[] = [];
  if (!options.keep) ends.push(() => rm(folder, { recursive: true, force: true }));
  const stop = async () => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    options.progress("starting the shop's PostgreSQL");
    const shop = await openShop(folder);
    ends.push(() => shop.stop());
    const store =
      options.store === "vault"
        ? await vaultStore(folder, shop, options.progress)
        : await fileStore(folder, shop);
    ends.push(() => store.stop());
    const house = await startHouse({
      folder: join(folder, "house"),
      lasting: false,
      progress: options.progress,
    });
    ends.push(() => house.stop());
    options.progress("starting three services");
    const services = await startServices(folder, house, shop, store, options.pollMs ?? 100);
    for (const service of services) ends.push(() => service.stop());
    const newKeys = Object.fromEntries(
      await Promise.all(people.map(async (person) => [person, await newKey(person)] as const)),
    );
    const db = await databaseOf(house.settings);
    ends.push(() => db.close());
    const rotations = rotationClient({
      connection: await temporalLoginOf(house.settings),
      namespace: house.settings.REKEY_TEMPORAL_NAMESPACE,
      dataConverter: await dataConverterOf(house.settings),
      identity: "rekey-demo",
      randomId: newId,
    });
    ends.push(() => rotations.close());
    const applyPolicy = (policy: PolicyText) =>
      apply(db, estateText({ shop, store, services, keys: newKeys, policy }));
    await applyPolicy(options.policy);
    return {
      folder,
      shop,
      house,
      services,
      db,
      rotations,
      installation: (await readInstallation(db)).id,
      credential: (await entryNamed(db, "credentials", "orders-db")).id,
      keys: Object.fromEntries(Object.entries(newKeys).map(([name, { jwk }]) => [name, readKey(jwk)])),
      liveDocument: store.read,
      applyPolicy,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function fileStore(folder: string, shop: Shop): Promise<StoreScene> {
  const [directory, stagingDirectory] = [join(folder, "live"), join(folder, "staging")];
  await mkdir(directory, { mode: 0o755 });
  await mkdir(stagingDirectory, { mode: 0o700 });
  const path = join(directory, "orders-db.json");
  await writeFile(path, JSON.stringify(firstDocument(shop)), { mode: 0o400 });
  return {
    kind: "file",
    serviceEnv: { STORE_FILE: path },
    config: { directory, stagingDirectory },
    place: { path: "orders-db.json" },
    read: async () => JSON.parse(await readFile(path, "utf8")),
    stop: async () => undefined,
  };
}

async function vaultStore(folder: string, shop: Shop, progress: Progress): Promise<StoreScene> {
  progress("starting Vault");
  const vault: VaultServer = await startVault(await findVaultOrBao({ progress }));
  const url = `${vault.address}/v1/secret/data/services/orders-db`;
  const headers = { "x-vault-token": vault.token.reveal(), "content-type": "application/json" };
  const ask = async (init: RequestInit) => {
    const answer = await fetch(url, { ...init, headers, signal: AbortSignal.timeout(5_000) });
    if (!answer.ok) throw new RekeyError("unreachable", `The demo's Vault answered with ${answer.status}.`);
    return (await answer.json()) as { data: { data: Record<string, string> } };
  };
  await ask({ method: "POST", body: JSON.stringify({ data: firstDocument(shop) }) });
  const tokenFile = join(folder, "vault-token");
  await writeFile(tokenFile, vault.token.reveal(), { mode: 0o600 });
  return {
    kind: "vault",
    serviceEnv: { VAULT_ADDR: vault.address, VAULT_PATH: "services/orders-db", VAULT_TOKEN_FILE: tokenFile },
    config: { address: vault.address, auth: { method: "token", token: `file:${tokenFile}` } },
    place: { path: "services/orders-db" },
    read: async () => (await ask({ method: "GET" })).data.data,
    stop: () => vault.stop(),
  };
}

function firstDocument(shop: Shop): Record<string, string> {
  return { username: shop.login, password: shop.password.reveal(), note: "kept by the shop's own people" };
}

async function startServices(
  folder: string,
  house: RunningHouse,
  shop: Shop,
  store: StoreScene,
  pollMs: number,
): Promise<Service[]> {
  const env = {
    ...store.serviceEnv,
    CREDENTIAL: "orders-db",
    PGPORT: String(shop.server.port),
    PGDATABASE: shop.database,
    WORK_SQL: "insert into orders (by) values (session_user) returning session_user as login",
    ENGINE_JWK: await enginePublicKey(house),
    POLL_MS: String(pollMs),
  };
  return Promise.all([
    startService({ name: "checkout", program: "poll-service", env }),
    startService({ name: "invoices", program: "sighup-service", env, pidFile: join(folder, "invoices.pid") }),
    startService({ name: "reports", program: "pool-service", env }),
  ]);
}

async function enginePublicKey(house: RunningHouse): Promise<string> {
  const path = house.settings.REKEY_ENGINE_KEY.replace(/^file:/, "");
  const { kty, crv, x } = JSON.parse(await readFile(path, "utf8"));
  return JSON.stringify({ kty, crv, x });
}

async function apply(db: Database, text: string): Promise<void> {
  const read = readEstate(Buffer.from(text), "estate.yaml", kinds);
  if (!read.ok) throw new RekeyError("bad-input", read.problems.map((problem) => problem.message).join("; "));
  await applyEstate(db, {
    estate: read.estate,
    digest: read.digest,
    by: "platform-team",
    now: Date.now(),
    newId,
    shapes: shapesOf(kinds),
  });
}

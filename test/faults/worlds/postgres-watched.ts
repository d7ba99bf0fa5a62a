/**
 * The world `postgres-vault` with sources that watch it: the sessions of its server and the audit log of its Vault. Only the
 * log shows who fetches a value and has no session, so both are read before a version is taken away; and somebody comes.
 */
import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { scramVerifier } from "../../../adapters/issuers/postgres/scram.js";
import { postgresActivity } from "../../../adapters/sources/postgres-activity.js";
import { postgresAccount } from "./postgres-account.js";
import { askVault, vaultPlace } from "./vault-place.js";
import type { Known, ShopServer, World, WorldKind } from "./world.js";

const services = ["checkout", "invoices", "reports"];
/** Of this one there is a copy that nobody listed. */
const copied = "invoices";
const host = "127.0.0.1";

/** The world `postgres-watched`. */
export const postgresWatched: WorldKind = {
  servers: ["issuer", "store"],
  unmounts: true,
  directions: ["forward", "stranger", "latecomer", "pinned"],
  disturbed: /^(scan_\w+|findings|look|disable|destroy)$/,
  // A reading that breaks off leaves a note, and is gone on with.
  primers: ["scan_log.source.scan.1/before-error", "scan_sessions.source.scan.1/before-error"],
  async open({ folder, shop, vault }, index): Promise<World> {
    const { first, drop, throughDoors, ...issuerHalf } = await postgresAccount(shop, folder, index);
    const own = await vault(index);
    const log = await own.audited();
    const { path, store, place, live, copies, port, throughDoor, serviceEnv, tokenFile, number } =
      await vaultPlace(folder, own, index, first);
    const watcher = await watcherOf(shop, folder, index);
    const sources = (at: number) => ({
      log: {
        kind: "vault-audit",
        store: "store",
        from: { method: "files", paths: [`${dirname(log)}/audit*.log`] },
        // The oracle looks in as the administrator, and is no reader either.
        engine: ["token-engine", "root"].map((displayName) => ({ displayName, address: host })),
      },
      sessions: {
        ...{ kind: "postgres-activity", issuer: "issuer", host: shop.host, port: at },
        ...{ database: shop.database, login: watcher },
      },
    });
    /** The version that is live now, and what fetches it by its number with a new token of that name. */
    const pinnedBy = async (name: string) => {
      const [file, version] = await Promise.all([tokenFile(name), number()]);
      const there = { address: own.address, token: await readFile(file, "utf8") };
      const fetch = async () =>
        (await askVault(there, "GET", `secret/data/${path}?version=${version}`)) !== null;
      return { version: String(version), fetch };
    };
    let strangers = 0;
    return {
      ...issuerHalf,
      ...{ store, place, live, copies },
      sources: sources(shop.port),
      // A reading that fails is asked for again after a minute, and is waited for.
      policy: { stallTimeout: "3m" },
      known: Object.fromEntries(services.map((name) => [name, knownAs(nameInLog(name))])),
      serviceEnv: { ...issuerHalf.serviceEnv, ...serviceEnv },
      envOf: async (service) => ({ VAULT_TOKEN_FILE: await tokenFile(service) }),
      servers: { ...issuerHalf.servers, store: { host, port } },
      through: (doors) => ({
        issuer: throughDoors(doors),
        store: throughDoor(doors.store),
        sources: sources(doors.issuer ?? shop.port),
      }),
      // The Vault goes on writing to it, as to a disk that only we do not see.
      unmount: (on) => (on ? rename(log, `${log}.away`) : rename(`${log}.away`, log)),
      stranger: async () => {
        strangers += 1;
        const name = `export-${strangers}`;
        const { version, fetch } = await pinnedBy(name);
        return {
          name: `${nameInLog(name)} (address ${host})`,
          fetch: async () => {
            if (!(await fetch())) throw new Error(`version ${version} of the lane's document is gone`);
          },
        };
      },
      pinned: async () => ({ name: copied, ...(await pinnedBy(copied)) }),
      stop: drop,
    };
  },
};

/** What Vault makes of the name of a token. */
function nameInLog(name: string): string {
  return `token-${name}`;
}

function knownAs(name: string): Known {
  return { observe: [], address: [], names: [name] };
}

/** A login of the lane's own for who only looks, with the rights that its page asks for. */
async function watcherOf(shop: ShopServer, folder: string, index: number) {
  const username = `discovery_${index}`;
  const password = randomBytes(24).toString("base64url");
  const passwordFile = join(folder, `discovery-password-${index}`);
  await writeFile(passwordFile, password, { mode: 0o600 });
  await shop.query(postgresActivity.grants?.({ login: username }) ?? "");
  await shop.query(`ALTER ROLE ${username} PASSWORD '${await scramVerifier(password, randomBytes(16))}'`);
  return { username, password: `file:${passwordFile}` };
}

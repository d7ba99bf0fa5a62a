/**
 * Two accounts at PostgreSQL behind PgBouncer, their document in a file. Whoever works with the credential has only the
 * pooler's address, and the server sees the pooler's connections, which stay a while after their clients are gone.
 */
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { scramVerifier } from "../../../adapters/issuers/postgres/scram.js";
import { type PgBouncer, startPgBouncer } from "../../../worker/dev/pgbouncer.js";
import { filePlace } from "./file-place.js";
import { heldAt, loginAt, postgresAccount } from "./postgres-account.js";
import type { ShopServer, World, WorldKind } from "./world.js";

/** The world `postgres-pooler`. */
export const postgresPooler: WorldKind = {
  servers: ["issuer", "pooler"],
  blinds: true,
  readOnly: ["issuer", "store"],
  restored: ["issuer", "store"],
  isShared: true,
  async open({ folder, shop }, index): Promise<World> {
    const { first, drop, throughDoors, ...issuerHalf } = await postgresAccount(shop, folder, index);
    const { file, readOnly, backup, ...place } = await filePlace(folder, index, first);
    const pooler = await poolerOf(shop, index);
    const { host, port } = pooler;
    const passwordFile = join(folder, `console-password-${index}`);
    await writeFile(passwordFile, pooler.admin.password.reveal(), { mode: 0o600 });
    const issuer = (section: Readonly<Record<string, unknown>>, at: number) => ({
      ...section,
      through: [{ host, port: at }],
    });
    // The one that keeps its connections is seen in the pooler's list of clients; the others come for one request.
    const known = (at: number) => ({
      reports: {
        observe: [
          {
            kind: "pgbouncer",
            poolers: [{ host, port: at }],
            database: shop.database,
            login: { username: pooler.admin.username, password: `file:${passwordFile}` },
            applicationName: "reports",
          },
        ],
        // What nobody uses at the moment has lost its name with the client, in session mode.
        address: [host],
      },
    });
    return {
      ...issuerHalf,
      ...place,
      issuer: issuer(issuerHalf.issuer, port),
      known: known(port),
      readOnly: { ...issuerHalf.readOnly, store: readOnly },
      backups: { ...issuerHalf.backups, store: backup },
      servers: { ...issuerHalf.servers, pooler: { host, port } },
      serviceEnv: { ...issuerHalf.serviceEnv, PGPORT: String(port), STORE_FILE: file },
      through: (ports) => ({
        issuer: issuer(throughDoors(ports), ports.pooler ?? port),
        store: place.store,
        known: known(ports.pooler ?? port),
      }),
      login: async (document) => [
        ...(await issuerHalf.login(document)),
        await loginAt(shop, pooler, document, "pooler"),
      ],
      hold: (document) => heldAt(shop, pooler, document),
      stop: async () => {
        await pooler.stop();
        await drop();
      },
    };
  },
};

/** A pooler of the lane's own, which asks the server for the verifiers of logins that are on, as PgBouncer's manual advises. */
async function poolerOf(shop: ShopServer, index: number): Promise<PgBouncer> {
  const asker = `asker_${index}`;
  const password = randomBytes(24).toString("base64url");
  const verifier = await scramVerifier(password, randomBytes(16));
  await shop.query(`
    CREATE ROLE ${asker} LOGIN PASSWORD '${verifier}';
    CREATE FUNCTION public.login_for_${asker}(name text) RETURNS TABLE (uname name, secret text)
      LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog
      AS $$ SELECT rolname, rolpassword FROM pg_authid WHERE rolname = name AND rolcanlogin AND NOT rolsuper $$;
    REVOKE ALL ON FUNCTION public.login_for_${asker}(text) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION public.login_for_${asker}(text) TO ${asker}`);
  return startPgBouncer({
    databases: [`${shop.database} = host=${shop.host} port=${shop.port} dbname=${shop.database}`],
    users: { [asker]: password },
    settings: [
      // Whoever is connected has a connection of the server, so that sessions there show who is slow to leave.
      "pool_mode = session",
      `auth_user = ${asker}`,
      `auth_query = SELECT uname, secret FROM public.login_for_${asker}($1)`,
      // What the old login leaves in the pool counts as its use until it is closed.
      "server_idle_timeout = 1",
    ],
  });
}

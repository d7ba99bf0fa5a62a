/** TLS towards a real server: the value is given only to a server that proves who it is. */
import { chmod, chown, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectPg, type PgTls } from "../../../adapters/shared/pg.js";
import { selfSigned } from "./certificate.js";
import { type PostgresWorld, postgresWorld } from "./postgres-world.js";
import { call, changeOf, codeOf, tag } from "./world.js";

let world: PostgresWorld;
let folder: string;
const certificate = selfSigned("db.internal");

const inFolder = (name: string) => join(folder, name);

/** Puts the certificate where the server takes it from, and has it read again. */
async function serve({ certificate, key }: { certificate: string; key: string }): Promise<void> {
  const { dataDir } = world.server;
  const { uid, gid } = await stat(dataDir);
  for (const [name, text] of [
    ["server.crt", certificate],
    ["server.key", key],
  ] as const) {
    await writeFile(join(dataDir, name), text);
    await chown(join(dataDir, name), uid, gid);
    await chmod(join(dataDir, name), 0o600);
  }
  await world.superuser.query("ALTER SYSTEM SET ssl = on");
  await world.superuser.query("SELECT pg_reload_conf()");
  while ((await world.superuser.query("SHOW ssl")).rows[0]?.ssl !== "on") await sleep(20);
}

beforeAll(async () => {
  world = await postgresWorld();
  folder = await mkdtemp(join(tmpdir(), "rekey-tls-"));
  await writeFile(inFolder("ca.pem"), certificate.certificate);
  await writeFile(inFolder("other.pem"), selfSigned("db.internal").certificate);
  await serve(certificate);
});
afterAll(async () => {
  await world.stop();
  await rm(folder, { recursive: true, force: true });
});

async function encrypted(tls: PgTls, host = "127.0.0.1"): Promise<boolean> {
  const { port, user, password } = world.server;
  const session = await connectPg(
    { host, port, database: "postgres", tls },
    { username: user, password, applicationName: "rekey/probe/tls" },
    call(),
  );
  const [row] = await session.query<{ ssl: boolean }>(
    "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    [],
    call(),
  );
  await session.end();
  return row?.ssl ?? false;
}

describe("TLS", () => {
  it("H9: accepts the certificate of the configured CA with the right name, and nothing else", async () => {
    const ca = inFolder("ca.pem");
    expect(await encrypted({ mode: "verify-full", ca })).toBe(true);
    expect(await encrypted({ mode: "verify-full", ca, serverName: "db.internal" })).toBe(true);
    expect(await codeOf(encrypted({ mode: "verify-full", ca, serverName: "db.elsewhere" }))).toBe(
      "wrong-server",
    );
    expect(await encrypted({ mode: "verify-ca", ca, serverName: "db.elsewhere" })).toBe(true);
    expect(await codeOf(encrypted({ mode: "verify-full", ca: inFolder("other.pem") }))).toBe("wrong-server");
    expect(await codeOf(encrypted({ mode: "verify-ca", ca: inFolder("other.pem") }))).toBe("wrong-server");
    expect(await codeOf(encrypted({ mode: "verify-full" }))).toBe("wrong-server");
    expect(await encrypted({ mode: "require" })).toBe(true);
    expect(await codeOf(encrypted({ mode: "verify-full", ca: inFolder("missing.pem") }))).toBe(
      "missing-setup",
    );
  });

  it("H9: a certificate for another name is refused where the name is checked", async () => {
    const other = selfSigned("db.internal", { address: false });
    await writeFile(inFolder("named.pem"), other.certificate);
    await serve(other);
    const ca = inFolder("named.pem");
    await expect.poll(() => encrypted({ mode: "verify-ca", ca }).catch(() => false)).toBe(true);
    expect(await codeOf(encrypted({ mode: "verify-full", ca }))).toBe("wrong-server");
    expect(await encrypted({ mode: "verify-full", ca, serverName: "db.internal" })).toBe(true);
    await serve(certificate);
    await expect
      .poll(() => encrypted({ mode: "verify-full", ca: inFolder("ca.pem") }).catch(() => false))
      .toBe(true);
  });

  it("is used for every connection of a rotation, the proofs included", async () => {
    const account = await world.account();
    const [a = ""] = account.logins;
    // Without TLS the server lets nobody in from here, so whatever connects is encrypted.
    const { rows } = await world.superuser.query("SHOW hba_file");
    await writeFile(rows[0]?.hba_file, "hostssl all all 127.0.0.1/32 scram-sha-256\n");
    await world.superuser.query("SELECT pg_reload_conf()");
    const tls = { mode: "verify-full", ca: inFolder("ca.pem") } as const;
    const issuer = world.issuer(account, { tls });
    const document = issuer.generate(a);
    await expect.poll(() => codeOf(world.issuer(account).survey(call()))).toBe("not-permitted");
    await issuer.enable(changeOf(a, null, tag("v1", 1)), document, call());
    expect((await issuer.prove(a, document, call())).map(({ ok }) => ok)).toEqual([true]);
    await issuer.disable(changeOf(a, tag("v1", 1), tag("v1", 2, { state: "disabled" })), call());
    expect((await issuer.proveRefused(a, document, call())).map(({ ok }) => ok)).toEqual([true]);
    await issuer.close();
  });
});

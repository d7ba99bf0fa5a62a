/** The source `vault-audit` on logs that a live Vault and a live OpenBao wrote. */
import { randomBytes } from "node:crypto";
import { appendFile, mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { vaultAudit } from "../../../adapters/sources/vault-audit.js";
import { olderVersion, type ScanPart } from "../../../domain/discovery/said.js";
import { type VaultMaker, vaultMakers } from "../../setup/servers.js";
import {
  largeCount,
  leakedAddress,
  oddName,
  type SourceWorld,
  scanned,
  sourceContract,
  together,
} from "../source.js";
import { depsOf } from "../stores/world.js";
import { type AuditServer, startAuditServer } from "./audit-server.js";
import { overwritten } from "./growing.js";

const servers = new Map<VaultMaker, AuditServer>();

beforeAll(async () => {
  for (const maker of vaultMakers) servers.set(maker, await startAuditServer(maker));
}, 120_000);
afterAll(async () => {
  for (const server of servers.values()) await server.stop();
});

function serverOf(maker: VaultMaker): AuditServer {
  const server = servers.get(maker);
  if (server === undefined) throw new Error(`${maker} does not run`);
  return server;
}

/** What the device wrote from a byte on. */
async function logFrom(file: string, from: number): Promise<Buffer> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    const { buffer } = await handle.read(Buffer.alloc(size - from), 0, size - from, from);
    return buffer;
  } finally {
    await handle.close();
  }
}

interface AuditWorld extends SourceWorld {
  readonly path: string;
  readonly file: string;
  readonly entity: string;
  /** Puts into the world's file what the device wrote since. */
  collect(): Promise<void>;
  open(more?: object): ReturnType<typeof vaultAudit.create>;
}

/** A path of its own in the server, and a copy of what the device wrote about it: others may not be spoilt. */
async function auditWorld(maker: VaultMaker): Promise<AuditWorld> {
  const server = serverOf(maker);
  const folder = await mkdtemp(join(tmpdir(), "rekey-audit-world-"));
  const file = join(folder, "audit.log");
  const id = randomBytes(6).toString("hex");
  const path = `apps/${id}/db`;
  const password = `canary-${randomBytes(6).toString("hex")}-p&ss/w"rd+ü`;
  let from = (await stat(server.logFile)).size;
  const collect = async () => {
    const bytes = await logFrom(server.logFile, from);
    from += bytes.length;
    await appendFile(file, bytes);
  };
  const { entity, as } = await server.login(`orders-${id}`);
  const token = await server.token(`billing-${id}`);
  await server.admin("POST", `secret/data/${path}`, { data: { username: `user-${id}`, password } });
  await as("GET", `secret/data/${path}`);
  await token("GET", `secret/data/${path}`);
  // None of these gives the document out.
  await as("GET", `secret/data/apps/${id}/absent`);
  await as("GET", `secret/metadata/${path}`);
  await as("GET", `sys/policies/acl/reader`);
  await collect();
  const made = (paths: string[], more: object = {}) =>
    vaultAudit.create(
      vaultAudit.config.parse({ store: "main", from: { method: "files", paths }, ...more }) as never,
      depsOf(),
    );
  let readers = 0;
  const another = async () => {
    const { entity: other, as: reader } = await server.login(`other-${id}-${++readers}`);
    await reader("GET", `secret/data/${path}`);
    await collect();
    return `reader(entity=${other}) uses place(main ${path}) read`;
  };
  const read = (name: string) =>
    JSON.stringify({
      ...{ time: new Date().toISOString(), type: "response" },
      auth: { display_name: name, note: "about this and that ".repeat(20) },
      request: { operation: "read", path: `secret/data/${path}`, remote_address: "127.0.0.1" },
      response: { data: { data: { username: "leaks" }, metadata: { version: 1 } } },
    });
  return {
    shows: "log",
    path,
    file,
    entity,
    collect,
    open: (more = { engine: [{ displayName: "root", address: "127.0.0.1" }] }) =>
      made([join(folder, "audit*")], more),
    openUnreachable: () => made([join(folder, "none", "audit*")]),
    shown: [
      `reader(entity=${entity}) uses place(main ${path}) read`,
      `reader(address=127.0.0.1 applicationName=token-billing-${id}) uses place(main ${path}) read`,
    ],
    whole: true,
    plant: another,
    spoil: async () => {
      await appendFile(file, `{"time":"2026-01-01T00:00:00Z","type":"respo${password}\n`);
      return another();
    },
    // Its names are made of those of logins and metadata, which hold what somebody wrote into them.
    leak: () => appendFile(file, `${read(leakedAddress)}\n`),
    odd: async () => {
      await appendFile(file, `${read(oddName)}\n`);
      return another();
    },
    large: async () => {
      const names = Array.from({ length: largeCount }, (_, number) => `many${number}`);
      await appendFile(file, [...names, "reader-last"].map((name) => `${read(name)}\n`).join(""));
      return {
        edges: largeCount,
        late: async () => {
          await overwritten(file, "reader-last", "reader-late");
          return `reader(address=127.0.0.1 applicationName=reader-late) uses place(main ${path}) read`;
        },
      };
    },
    values: [password],
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

for (const maker of vaultMakers) sourceContract(`vault-audit at ${maker}`, () => auditWorld(maker));

describe.each(vaultMakers)("the log of a live %s", (maker) => {
  it("says which versions were read, and how often", async () => {
    const world = await auditWorld(maker);
    const { admin, login } = serverOf(maker);
    const { entity, as } = await login(`versions-${maker}`);
    await as("GET", `secret/data/${world.path}`);
    await admin("POST", `secret/data/${world.path}`, { data: { password: "another-value" } });
    await as("GET", `secret/data/${world.path}`);
    await world.collect();
    const before = await scanned(world.open());
    const pinnedAfter = Date.now();
    await as("GET", `secret/data/${world.path}?version=1`);
    await world.collect();
    const ofReader = (parts: readonly ScanPart[]) =>
      parts
        .flatMap((part) => part.claims)
        .filter(({ from }) => from.is === "reader" && from.traits.entity === entity);
    const whole = await scanned(world.open());
    const [claim] = ofReader(whole);
    expect(claim?.seen.count).toBe(3);
    expect(claim?.sentence).toBe(`userpass-versions-${maker} read versions 1, 2 of ${world.path}.`);
    // The pinned read is of the old version, after the new one was read.
    const [old, live] = claim?.versions ?? [];
    expect([old?.version, live?.version, claim?.versions?.length]).toEqual(["1", "2", 2]);
    expect([old?.first, old?.last]).toEqual([claim?.seen.first, claim?.seen.last]);
    expect(old?.last).toBeGreaterThanOrEqual(pinnedAfter);
    expect(live?.last).toBeLessThan(pinnedAfter);
    // Read on by the cursor: the pinned read and nothing else, and together what one scan says.
    const after = await scanned(world.open(), before.at(-1)?.cursor);
    expect(ofReader(after).flatMap(({ versions = [] }) => versions)).toEqual([
      { version: "1", first: old?.last, last: old?.last },
    ]);
    expect(together([...before, ...after])).toEqual(together(whole));
    await world.close();
  });

  it("does not take a read for one that gave nothing out: a deleted version, a refusal", async () => {
    const world = await auditWorld(maker);
    const { admin, login } = serverOf(maker);
    const { entity, as } = await login(`nothing-${maker}`);
    await admin("DELETE", `secret/data/${world.path}`);
    expect((await as("GET", `secret/data/${world.path}`)).status).toBe(404);
    await admin("POST", `auth/userpass/users/refused-${maker}`, {
      password: "12345678",
      token_policies: "none",
    });
    await world.collect();
    const text = JSON.stringify(await scanned(world.open()));
    expect(text).not.toContain(entity);
    await world.close();
  });

  it("does not count Rekey's own reads, by entity", async () => {
    const world = await auditWorld(maker);
    const parts = await scanned(world.open({ engine: [{ entity: world.entity }] }));
    const claims = JSON.stringify(parts.flatMap((part) => part.claims));
    expect(claims).not.toContain(world.entity);
    expect(claims).toContain("token-billing");
    expect(parts.flatMap((part) => part.own ?? [])).toMatchObject([{ traits: { entity: world.entity } }]);
    await world.close();
  });

  it("shows the address of those with an entity where it is asked to", async () => {
    const world = await auditWorld(maker);
    const claims = (await scanned(world.open({ addresses: true }))).flatMap((part) => part.claims);
    expect(claims.map(({ from }) => from)).toContainEqual(
      expect.objectContaining({ traits: { entity: world.entity, address: "127.0.0.1" } }),
    );
    await world.close();
  });

  it("says what a reader is by how it has logged in, and nothing of persons", async () => {
    const world = await auditWorld(maker);
    const { login, program, token } = serverOf(maker);
    const person = await login(`person-${maker}`);
    for (const as of [person.as, await program(`job-${maker}`), await token(`by-hand-${maker}`)])
      expect((await as("GET", `secret/data/${world.path}`)).status).toBe(200);
    await world.collect();
    const claims = (await scanned(world.open())).flatMap((part) => part.claims);
    const kinds = claims.flatMap(({ from }) =>
      from.is === "reader" ? [[from.name, from.class] as const] : [],
    );
    expect(Object.fromEntries(kinds)).toMatchObject({
      [`userpass-person-${maker}`]: undefined,
      approle: "service-account",
      [`token-by-hand-${maker}`]: "token",
    });
    await world.close();
  });

  it("counts a wrapped answer, and says that somebody else may have opened it", async () => {
    const world = await auditWorld(maker);
    const { login } = serverOf(maker);
    const { entity, wrapped } = await login(`wrapped-${maker}`);
    await wrapped(`secret/data/${world.path}`);
    await world.collect();
    const claimed = async () =>
      (await scanned(world.open()))
        .flatMap((part) => part.claims)
        .find(({ from }) => from.is === "reader" && from.traits.entity === entity);
    const claim = await claimed();
    expect(claim?.sentence).toContain("in a wrapping token");
    expect(claim).not.toHaveProperty("versions");
    // Whoever pins a version gets it in a token, too. Vault writes the address of the request in clear, OpenBao an HMAC alone.
    await wrapped(`secret/data/${world.path}?version=1`);
    await world.collect();
    const at = (await claimed())?.seen.last;
    const version = maker === "openbao" ? olderVersion : "1";
    expect((await claimed())?.versions).toEqual([{ version, first: at, last: at }]);
    await world.close();
  });
});

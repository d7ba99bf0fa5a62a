/** The socket device: a live Vault and a live OpenBao connect to a scan that listens, and what was told outside of it is said to be missing. */
import { randomBytes } from "node:crypto";
import { connect as connectTo, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { vaultAudit } from "../../../adapters/sources/vault-audit.js";
import { freePort } from "../../../worker/dev/ports.js";
import { vaultMakers } from "../../setup/servers.js";
import { cameOutOf, textsWith } from "../canary.js";
import { edgeText, leaked, leakedAddress, scanned } from "../source.js";
import { depsOf } from "../stores/world.js";
import { auditLine } from "./audit-lines.js";
import { type AuditServer, startAuditServer } from "./audit-server.js";

function sourceAt(port: number, more: object = {}) {
  return vaultAudit.create(
    vaultAudit.config.parse({
      store: "main",
      from: { method: "socket", port, listen: "2s", ...more },
      engine: [{ displayName: "root", address: "127.0.0.1" }],
    }) as never,
    depsOf(),
  );
}

/** A connection as soon as somebody listens. */
async function connected(port: number): Promise<Socket> {
  for (;;) {
    const socket = connectTo(port, "127.0.0.1");
    const ready = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    if (ready) return socket;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe.each(vaultMakers)("the socket device of a live %s", (maker) => {
  let server: AuditServer;
  beforeAll(async () => {
    server = await startAuditServer(maker);
  }, 120_000);
  afterAll(() => server.stop());

  it("is heard while a scan listens", async () => {
    const port = await freePort();
    const { entity, as } = await server.login("heard");
    for (const password of ["canary-of-the-socket", "canary-of-the-next"])
      await server.admin("POST", "secret/data/apps/heard", { data: { password } });
    const listening = scanned(sourceAt(port, { listen: "10s" }));
    (await connected(port)).end();
    const options = { address: `127.0.0.1:${port}`, socket_type: "tcp" };
    expect(await server.admin("POST", "sys/audit/socket", { type: "socket", options })).toMatchObject({
      status: 204,
    });
    await as("GET", "secret/data/apps/heard");
    await as("GET", "secret/data/apps/heard?version=1");
    const parts = await listening;
    expect(parts.flatMap(({ claims }) => claims).map(edgeText)).toEqual([
      `reader(entity=${entity}) uses place(main apps/heard) read`,
    ]);
    const versions = parts.flatMap(({ claims }) => claims.flatMap(({ versions = [] }) => versions));
    expect(versions.map(({ version }) => version)).toEqual(["1", "2"]);
    expect(parts.flatMap(({ malformed }) => malformed)).toEqual([]);
    expect(JSON.stringify(parts)).not.toContain("canary");
    await server.admin("DELETE", "sys/audit/socket");
  });
});

describe("a socket", () => {
  it("says from when until when it was listened to, and what lies between two scans", async () => {
    const port = await freePort();
    const first = await scanned(sourceAt(port, { listen: "1s" }));
    expect(first.at(-1)?.gaps).toEqual([
      expect.stringMatching(/no device connected; what was told before that/),
    ]);
    const second = await scanned(sourceAt(port, { listen: "1s" }), first.at(-1)?.cursor);
    expect(second.at(-1)?.gaps).toEqual([expect.stringMatching(/what was told between \S+Z and that/)]);
  });

  it("is read to the end of what was sent, and reports a line without an end", async () => {
    const port = await freePort();
    const listening = scanned(sourceAt(port));
    const [one, other] = [await connected(port), await connected(port)];
    one.write(`${auditLine("a")}\n${auditLine("b").slice(0, 50)}`);
    other.write(`${auditLine("c")}\nnot a record\n${auditLine("d").slice(0, 60)}`);
    other.write(`${auditLine("d").slice(60)}\n`);
    const parts = await listening;
    const readers = parts
      .flatMap(({ claims }) => claims)
      .map(({ from }) => from.is === "reader" && from.traits.entity);
    expect(readers.sort()).toEqual(["e-a", "e-c", "e-d"]);
    expect(parts.flatMap(({ malformed }) => malformed.map(({ why }) => why)).sort()).toEqual([
      "is a record without an end: the connection ended in the middle of it",
      "is not JSON",
    ]);
    one.destroy();
    other.destroy();
  });

  it("lets no value out of what it hears, nor of how it fails (I6)", async () => {
    const [port, taken] = [await freePort(), await freePort()];
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(taken, "127.0.0.1", resolve));
    const value = `heard-${randomBytes(12).toString("hex")}`;
    const line = (name: string) =>
      JSON.stringify({
        ...{ time: new Date().toISOString(), type: "response", auth: { display_name: name } },
        request: { operation: "read", path: "secret/data/a", remote_address: "127.0.0.1" },
        response: { data: { data: { password: value }, metadata: { version: 1 } } },
      });
    const out = cameOutOf(
      () => sourceAt(port, { listen: "1s" }),
      () => sourceAt(taken),
      [async () => undefined],
    );
    const device = await connected(port);
    device.end([line(leakedAddress), `not a record ${value}`, line("cut").slice(0, -9)].join("\n"));
    const came = await out;
    other.close();
    for (const text of [came.said, came.kept]) expect(text).toContain("https://***@x.example");
    expect(came.failed).toContain("Error");
    expect(textsWith([value, leaked], came)).toEqual([]);
  });

  it("that somebody else listens at is an error, and so is a cursor of something else", async () => {
    const port = await freePort();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, "127.0.0.1", resolve));
    await expect(scanned(sourceAt(port))).rejects.toMatchObject({ code: "unreachable" });
    await expect(scanned(sourceAt(port), "{}")).rejects.toMatchObject({ code: "bad-input" });
    other.close();
  });
});

/** What is at the other end of the address when it is not a Vault that can work: each is told apart, and none is "absent". */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Store } from "../../../adapters/ports.js";
import { vault } from "../../../adapters/stores/vault.js";
import { startChild } from "../../../worker/dev/child.js";
import { freePort } from "../../../worker/dev/ports.js";
import { startVault } from "../../../worker/dev/vault-server.js";
import { vaultMakers, vaultServer } from "../../setup/servers.js";
import { adminOf, programOf, vaultWorld } from "./vault-world.js";
import { call, change, codeOf, contents, depsOf, kept, plain, tag } from "./world.js";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function open(address: string, token: string, more: object = {}): Store {
  const auth = { method: "token", token: "env:VAULT" };
  return vault.create(
    vault.config.parse({ address, auth, ...more }) as never,
    vault.place.parse({ path: "orders/db" }) as never,
    depsOf({ "env:VAULT": token }),
  );
}

async function listening(answer: RequestListener): Promise<string> {
  const server: Server = createServer(answer);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  cleanups.push(() => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe.each(vaultMakers)("edge of %s", (maker) => {
  it("a Vault that is stopped or sealed is `unreachable`; a promote is then not made, and is not in doubt", async () => {
    const server = await startVault(await programOf(maker));
    cleanups.push(() => server.stop());
    const store = open(server.address, server.token.reveal());
    await store.stage("v1", contents("v1"), call());
    await adminOf(server.address, server.token.reveal())("POST", "sys/seal");
    expect(await codeOf(store.live(call(3_000)))).toBe("unreachable");
    expect(await codeOf(store.stage("v2", contents("v2"), call(3_000)))).toBe("unreachable");
    await server.stop();
    expect(await codeOf(store.staged("v1", call(3_000)))).toBe("unreachable");
    expect(await codeOf(store.promote(change(null, tag("v1", 1)), call(3_000)))).toBe("unreachable");
  });

  it("a mount that is not there, or is no KV version 2, is not an empty place", async () => {
    const world = await vaultWorld(maker);
    cleanups.push(() => world.dispose());
    const { address, token } = await vaultServer(maker);
    const nowhere = open(address, token.reveal(), { mount: "nowhere" });
    expect(await codeOf(nowhere.live(call()))).toBe("unsupported");
    expect(await codeOf(nowhere.view(call()))).toBe("unsupported");
    expect(await nowhere.preflight(call())).toMatchObject([
      { code: "vault-mount-unseen", severity: "refuse" },
    ]);
    const first = `${world.prefix.split("/")[0]}-kv1`;
    await world.admin("POST", `sys/mounts/${first}`, { type: "kv", options: { version: "1" } });
    const old = await open(address, token.reveal(), { mount: first }).preflight(call());
    expect(old).toMatchObject([{ code: "vault-not-kv2", severity: "refuse" }]);
  });

  it("what does not speak Vault's language is `wrong-server`, whatever its status", async () => {
    for (const status of [200, 404, 503]) {
      const address = await listening((_, response) =>
        response.writeHead(status).end("<html>canary-page</html>"),
      );
      expect(await codeOf(open(address, "t").live(call()))).toBe("wrong-server");
    }
  });

  it("a failure inside Vault leaves a change in doubt and a read only late", async () => {
    const address = await listening((message, response) => {
      const reads = message.method === "GET";
      response
        .writeHead(reads && message.url?.includes("lookup") ? 200 : 500)
        .end('{"errors":["canary-inside"]}');
    });
    const store = open(address, "t");
    expect(await codeOf(store.stage("v1", contents("v1"), call()))).toBe("unknown-outcome");
    expect(await codeOf(store.live(call(3_000)))).toBe("unreachable");
  });

  it("a redirect is not followed: the token would go along", async () => {
    let visited = 0;
    const elsewhere = await listening((_, response) => {
      visited++;
      response.writeHead(200).end("{}");
    });
    const standby = await listening((message, response) => {
      response.writeHead(307, { location: `${elsewhere}${message.url}` }).end("{}");
    });
    expect(await codeOf(open(standby, "canary-token").live(call(2_000)))).toBe("unreachable");
    expect(visited).toBe(0);
  });

  it("TLS: only a server that the settings' CA vouches for, under the expected name", async () => {
    const folder = await mkdtemp(join(tmpdir(), "rekey-vault-tls-"));
    cleanups.push(() => rm(folder, { recursive: true, force: true }));
    const port = await freePort();
    const address = `https://127.0.0.1:${port}`;
    const caFile = join(folder, "vault-ca.pem");
    const args = ["-dev-tls", `-dev-tls-cert-dir=${folder}`, "-dev-no-store-token", "-log-level=error"];
    const server = await startChild({
      name: "the development Vault with TLS",
      command: await programOf(maker),
      args: ["server", "-dev", `-dev-listen-address=127.0.0.1:${port}`, ...args],
      env: { ...process.env, VAULT_DEV_ROOT_TOKEN_ID: "tls-root", HOME: folder },
      ready: () => answers(address, caFile),
      readyMsMax: 30_000,
      stopSignal: "SIGINT",
    });
    cleanups.push(() => server.stop());

    const trusted = open(address, "tls-root", { tls: { caFile } });
    expect(plain(await trusted.stage("v1", contents("v1"), call()))).toEqual(kept("v1"));
    const named = open(address, "tls-root", { tls: { caFile, serverName: "localhost" } });
    expect(plain(await named.staged("v1", call()))).toEqual(kept("v1"));

    const skip = process.env.VAULT_SKIP_VERIFY;
    process.env.VAULT_SKIP_VERIFY = "1";
    cleanups.push(() => {
      if (skip === undefined) delete process.env.VAULT_SKIP_VERIFY;
      else process.env.VAULT_SKIP_VERIFY = skip;
    });
    expect(await codeOf(open(address, "tls-root").live(call()))).toBe("wrong-server");
    const misnamed = open(address, "tls-root", { tls: { caFile, serverName: "vault.example.com" } });
    expect(await codeOf(misnamed.live(call()))).toBe("wrong-server");
    expect(await codeOf(misnamed.stage("v2", contents("v2"), call()))).toBe("wrong-server");
    const noFile = open(address, "tls-root", { tls: { caFile: join(folder, "none.pem") } });
    expect(await codeOf(noFile.live(call()))).toBe("missing-setup");
    expect(await codeOf(open(address.replace("https", "http"), "tls-root").live(call()))).toBe(
      "wrong-server",
    );
  });
});

/** True once the server answers over TLS with the certificate that it made for itself. */
async function answers(address: string, caFile: string): Promise<boolean> {
  const ca = await readFile(caFile).catch(() => null);
  if (ca === null) return false;
  return new Promise((resolve) => {
    const probe = request(`${address}/v1/sys/health`, { ca, timeout: 1_000, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    probe.on("error", () => resolve(false));
    probe.on("timeout", () => probe.destroy());
    probe.end();
  });
}

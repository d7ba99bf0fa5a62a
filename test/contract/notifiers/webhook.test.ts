/** Signed notices over HTTP, received by a real server that checks the signature as the documentation says. */
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { webhook } from "../../../adapters/notifiers/webhook.js";
import { calling, testEngine } from "../../support/engine.js";
import { notifierContract, type Reception } from "../notifier.js";

const secret = "canary-hook-71b0f6e2a4";

async function made(settings: object = {}) {
  const engine = await testEngine();
  engine.secrets.set("env:HOOK_SECRET", secret);
  let how: Reception = "well";
  let tries = 0;
  const received: { key: string; notice: Record<string, unknown> }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString("utf8");
    tries++;
    if (how === "hangs") return;
    if (how === "refuses") return void response.writeHead(403).end(secret);
    if (how === "fails" || (how === "fails-once" && tries === 1)) {
      return void response.writeHead(503).end(secret);
    }
    if (!signed(String(request.headers["rekey-signature"]), body)) return void response.writeHead(401).end();
    received.push({ key: String(request.headers["idempotency-key"]), notice: JSON.parse(body) });
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  engine.secrets.set("env:HOOK_URL", url);
  const config = webhook.config.parse({ url, secret: "env:HOOK_SECRET", timeout: "500ms", ...settings });
  return {
    engine,
    notifier: webhook.create(config, engine.deps),
    receive: async (next: Reception) => {
      how = next;
    },
    received: async () => received,
    tries: () => tries,
    canary: secret,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The receiver's check, as docs/kinds/webhook.md gives it. */
function signed(header: string, body: string): boolean {
  const [, at = "", mac = ""] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header) ?? [];
  const fresh = Math.abs(Date.now() / 1000 - Number(at)) < 300;
  return fresh && createHmac("sha256", secret).update(`${at}.${body}`).digest("hex") === mac;
}

notifierContract("webhook", made);

test("it tries as often as it may and no more, and a refusal once", async () => {
  for (const [how, tries] of [
    ["fails", 2],
    ["refuses", 1],
  ] as const) {
    const from = await made({ attempts: 2 });
    await from.receive(how);
    const notice = {
      id: "n",
      kind: "closed",
      recipients: [],
      subject: "s",
      text: "t",
      rotation: "r",
    } as const;
    await expect(from.notifier.notify(notice, calling())).rejects.toThrow();
    expect(from.tries()).toBe(tries);
    await from.close();
  }
});

test("an address that opens the door by itself is a reference, read anew and never shown", async () => {
  const from = await made({ url: "env:HOOK_URL" });
  const notice = { id: "n", kind: "closed", recipients: [], subject: "s", text: "t", rotation: "r" } as const;
  await from.notifier.notify(notice, calling());
  expect(await from.received()).toHaveLength(1);
  from.engine.secrets.set("env:HOOK_URL", "canary-address-5511");
  const error = await from.notifier.notify(notice, calling()).catch((thrown: Error) => thrown);
  expect(error).toMatchObject({ code: "missing-setup" });
  expect(String(error)).not.toContain("canary");
  await from.close();
});

test("notices without TLS over a network are warned of; a literal key is refused", async () => {
  const { deps, secrets } = await testEngine();
  secrets.set("env:K", "k");
  const url = "http://hooks.example.com/";
  const open = webhook.create(webhook.config.parse({ url, secret: "env:K" }), deps);
  expect(await open.preflight(calling())).toMatchObject([{ code: "plain-http", severity: "warn" }]);
  expect(webhook.config.safeParse({ url, secret: "literal" }).success).toBe(false);
});

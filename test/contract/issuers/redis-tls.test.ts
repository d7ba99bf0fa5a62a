/** TLS towards a real Redis: the value is given only to a server that proves who it is (H9). */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { freePort } from "../../../worker/dev/ports.js";
import { selfSigned } from "./certificate.js";
import { type RedisSet, type RedisWorld, redisSet, redisWorld } from "./redis-world.js";
import { call, changeOf, codeOf, tag } from "./world.js";

let world: RedisWorld;
let set: RedisSet;
let folder: string;
let port: number;

const inFolder = (name: string) => join(folder, name);

beforeAll(async () => {
  world = await redisWorld();
  set = redisSet(world);
  folder = await mkdtemp(join(tmpdir(), "rekey-redis-tls-"));
  const { certificate, key } = selfSigned("cache.internal");
  await writeFile(inFolder("ca.pem"), certificate);
  await writeFile(inFolder("key.pem"), key, { mode: 0o600 });
  await writeFile(inFolder("other.pem"), selfSigned("cache.internal").certificate);
  port = await freePort();
  const settings = {
    "tls-cert-file": inFolder("ca.pem"),
    "tls-key-file": inFolder("key.pem"),
    "tls-auth-clients": "no",
  };
  await world.admin.sendCommand([
    "CONFIG",
    "SET",
    ...Object.entries(settings).flat(),
    "tls-port",
    String(port),
  ]);
});
afterAll(async () => {
  await set.stop();
  await rm(folder, { recursive: true, force: true });
});

it("H9: a value is set and proved where the certificate is the right one", async () => {
  const account = await set.account();
  const nodes = [{ host: "127.0.0.1", port, announced: [] }];
  const open = (tls: { caFile: string; serverName?: string }) => set.issuer(account, { nodes, tls });
  const slot = `${account.user}/1`;

  const issuer = open({ caFile: inFolder("ca.pem"), serverName: "cache.internal" });
  const document = issuer.generate(slot);
  expect(await issuer.enable(changeOf(slot, null, tag("v1", 1)), document, call())).toBe("applied");
  expect((await issuer.prove(slot, document, call())).map(({ ok }) => ok)).toEqual([true]);
  const codes = (await issuer.preflight(call())).map(({ code }) => code);
  expect(codes).not.toContain("redis-no-tls");

  // By its address, which the certificate names too.
  const byAddress = open({ caFile: inFolder("ca.pem") });
  expect((await byAddress.prove(slot, document, call())).map(({ ok }) => ok)).toEqual([true]);
  const strangers = open({ caFile: inFolder("other.pem"), serverName: "cache.internal" });
  expect(await codeOf(strangers.prove(slot, document, call()))).toBe("wrong-server");
  const misnamed = open({ caFile: inFolder("ca.pem"), serverName: "other.internal" });
  expect(await codeOf(misnamed.survey(call()))).toBe("wrong-server");
  const plain = set.issuer(account, { nodes });
  expect(await codeOf(plain.survey(call()))).toBe("unreachable");
  await Promise.all([issuer, byAddress, strangers, misnamed, plain].map((one) => one.close()));
});

/** Where and how the API listens, what it says of itself, how it ends, and the program that starts it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exportJWK, generateKeyPair } from "jose";
import { expect, onTestFinished, test } from "vitest";
import { inventoryIn } from "../../client/cli/inventory.js";
import { rotationClient } from "../../client/temporal.js";
import { Secret } from "../../domain/secret.js";
import { openDatabase } from "../../inventory/database.js";
import { ensureInstallation } from "../../inventory/installation.js";
import { freePort } from "../../worker/dev/ports.js";
import { newId } from "../../worker/installation.js";
import { selfSigned } from "../contract/issuers/certificate.js";
import { migratedDatabase } from "../inventory/database.js";
import { temporalServer } from "../setup/servers.js";
import { registeredShapes } from "../support/shapes.js";
import { openHouse } from "../workflows/house.js";
import { openDoor, servicesOf } from "./door.js";

test("listens without TLS on loopback only, unless it is told otherwise", async () => {
  const services = await servicesOf(await openHouse());
  for (const host of ["0.0.0.0", "::", "192.0.2.1"]) {
    await expect(openDoor(services, { listen: { host, port: 0 } })).rejects.toMatchObject({
      code: "missing-setup",
      message: expect.stringContaining("without TLS"),
    });
  }
  const door = await openDoor(services, { listen: { host: "0.0.0.0", port: 0, plainAnywhere: true } });
  expect((await door.get("/healthz")).body).toEqual({ status: "ok" });
  const port = Number(new URL(door.url).port);
  await expect(
    openDoor(services, { listen: { host: "0.0.0.0", port, plainAnywhere: true } }),
  ).rejects.toMatchObject({
    code: "missing-setup",
    message: expect.stringContaining("EADDRINUSE"),
  });
});

test("with a certificate it speaks TLS and nothing else, also beyond loopback", async () => {
  const { certificate, key } = selfSigned("rekey.example.com");
  const services = await servicesOf(await openHouse());
  const tls = { certificate, key: new Secret(key) };
  const door = await openDoor(services, { listen: { host: "0.0.0.0", port: 0, tls } });
  expect(door.url).toMatch(/^https:/);
  const { port } = new URL(door.url);
  const status = await new Promise((resolve, reject) => {
    get(`https://127.0.0.1:${port}/healthz`, { ca: certificate, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).on("error", reject);
  });
  expect(status).toBe(200);
  await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
});

test("is ready while inventory and Temporal answer, and names which one does not, in its time", async () => {
  const services = await servicesOf(await openHouse());
  const readyTimes = { deadlineMs: 15_000, goodForMs: 0 };
  const well = await openDoor(services, { readyTimes });
  expect(await well.get("/readyz", {})).toMatchObject({
    status: 200,
    body: { ready: true, inventory: "ok", temporal: "ok" },
  });

  const dead = `127.0.0.1:${await freePort()}`;
  const rotations = rotationClient({
    connection: { address: dead },
    namespace: "rekey",
    dataConverter: {},
    identity: "api-test",
    randomId: newId,
  });
  onTestFinished(() => rotations.close());
  const noTemporal = await openDoor({ ...services, rotations }, { readyTimes });
  expect(await noTemporal.get("/readyz", {})).toMatchObject({
    status: 503,
    body: { ready: false, inventory: "ok", temporal: "unreachable" },
  });

  const db = openDatabase({ url: new Secret(`postgres://nobody@${dead}/none`) });
  onTestFinished(() => db.close());
  const inventory = inventoryIn(db, { randomId: newId, shapes: registeredShapes });
  const noInventory = await openDoor({ ...services, inventory }, { readyTimes });
  expect(await noInventory.get("/readyz", {})).toMatchObject({
    status: 503,
    body: { ready: false, inventory: "unreachable", temporal: "ok" },
  });

  const silent = { ...services.inventory, revision: () => new Promise<never>(() => {}) };
  const hanging = await openDoor(
    { ...services, inventory: silent },
    { readyTimes: { deadlineMs: 200, goodForMs: 0 } },
  );
  expect((await hanging.get("/readyz", {})).status).toBe(503);
  // What it needs may be away; the process is there all the same.
  expect((await hanging.get("/healthz", {})).status).toBe(200);
});

test("the answer about readiness is shared for its time, so that nobody can make the server ask all the time", async () => {
  const services = await servicesOf(await openHouse());
  let asked = 0;
  const revision = async () => {
    asked += 1;
    return services.inventory.revision();
  };
  const door = await openDoor(
    { ...services, inventory: { ...services.inventory, revision } },
    { readyTimes: { deadlineMs: 15_000, goodForMs: 600_000 } },
  );
  await Promise.all(Array.from({ length: 20 }, () => door.get("/readyz", {})));
  expect(asked).toBe(1);
});

test("at its end a request that has begun is answered, and no new one is taken", async () => {
  const services = await servicesOf(await openHouse());
  let goOn = (): void => undefined;
  const begun = new Promise<void>((started) => {
    const credentials = () => {
      started();
      return new Promise<never[]>((resolve) => {
        goOn = () => resolve([]);
      });
    };
    void openDoor({ ...services, inventory: { ...services.inventory, credentials } }).then((door) => {
      doors.push(door);
      answers.push(door.get("/v1/credentials"));
    });
  });
  const doors: Awaited<ReturnType<typeof openDoor>>[] = [];
  const answers: Promise<{ status: number }>[] = [];
  await begun;
  const [door] = doors;
  const stopping = door?.stop();
  await expect(door?.get("/healthz")).rejects.toThrow();
  goOn();
  expect((await answers[0])?.status).toBe(200);
  await stopping;
});

test("the program takes its settings from the environment, answers, and ends at SIGTERM with 0", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rekey-server-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [fresh, { address, namespace }] = [await migratedDatabase(), await temporalServer()];
  await ensureInstallation(fresh.db, { id: "inst-api", createdAt: 0, restoreGeneration: "one" });
  const { privateKey } = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  const token = "t".repeat(40);
  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return `file:${join(folder, name)}`;
  };
  const port = await freePort();
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL("../../dist/bin/rekey.js", import.meta.url)), "server"],
    {
      env: {
        PATH: process.env.PATH,
        REKEY_HOME: folder,
        REKEY_DATABASE_URL: await write("url", fresh.url.reveal()),
        REKEY_TEMPORAL_ADDRESS: address,
        REKEY_TEMPORAL_NAMESPACE: namespace,
        REKEY_CODEC_KEYS: await write("codec", Buffer.alloc(32, 7).toString("base64")),
        REKEY_ENGINE_KEY: await write("engine", JSON.stringify(await exportJWK(privateKey))),
        // Not there, and not missed: only who reports a leak, and only who writes the log, needs them.
        REKEY_FINGERPRINT_KEY: `file:${join(folder, "none")}`,
        REKEY_AUDIT_KEY: `file:${join(folder, "none")}`,
        REKEY_API_LISTEN: `127.0.0.1:${port}`,
        REKEY_API_TOKENS: await write("token", `${token}\n`),
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  const ended = once(child, "exit");
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk.toString()));
  for (let left = 400; !said.includes("listens at") && left > 0 && child.exitCode === null; left--) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const url = `http://127.0.0.1:${port}`;
  expect(said).toContain(`The API listens at ${url}.`);
  expect(await (await fetch(`${url}/readyz`)).json()).toEqual({
    ready: true,
    inventory: "ok",
    temporal: "ok",
  });
  const read = await fetch(`${url}/v1/credentials`, { headers: { Authorization: `Bearer ${token}` } });
  expect([read.status, await read.json()]).toEqual([200, expect.objectContaining({ credentials: [] })]);
  child.kill("SIGTERM");
  expect((await ended)[0]).toBe(0);
  expect(said).not.toContain(token);
});

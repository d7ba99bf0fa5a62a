/**
 * A copy of a declared consumer that pins a version of the store: it is no stranger and has no session, and the old value is all that it
 * has. On a real PostgreSQL, a real Vault and its audit log.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { WorkflowHandle } from "@temporalio/client";
import { expect, onTestFinished, test } from "vitest";
import type { ScanReport } from "../../domain/discovery/report.js";
import { type Reasons, reasonsQuery } from "../../workflows/messages.js";
import { clientOf, database, postgresWorld } from "../contract/issuers/postgres-world.js";
import { startAuditServer } from "../contract/sources/audit-server.js";
import type { Admin } from "../contract/stores/vault-world.js";
import { depsOf } from "../contract/stores/world.js";
import { ordersApi } from "./orders-api.js";
import { openRealHouse, quickPolicy, type RealEstate } from "./real-house.js";
import { ended, eventually, stateOf } from "./watch.js";

const host = "127.0.0.1";
const document = "secret/data/orders";
const quietMs = 3_000;

/** A document as Vault gives it out. */
interface Given {
  readonly data: Readonly<Record<string, string>>;
  readonly metadata: { readonly version: number };
}

/** Null where nothing is given out. */
async function given(as: Admin, at: string): Promise<Given | null> {
  const { data } = (await as("GET", at)) as { data?: Given };
  return data?.data == null ? null : data;
}

async function shop(policy: object = {}) {
  const [world, vault] = await Promise.all([postgresWorld(), startAuditServer("vault")]);
  onTestFinished(async () => void (await Promise.all([world.stop(), vault.stop()])));
  const account = await world.account();
  const [first = ""] = account.logins;
  const { port } = world.server;
  const password = "a-password-of-before";
  await world.superuser.query(
    `ALTER ROLE ${account.group} NOLOGIN; ALTER ROLE ${first} LOGIN PASSWORD '${password}'`,
  );
  await vault.admin("POST", document, { data: { username: first, password } });
  const made = await vault.admin("POST", "auth/token/create", { display_name: "engine", policies: ["root"] });
  const { client_token: token = "" } = made.auth as Record<string, string>;

  const server = { host, port, database, login: { username: "rekey_a", password: "env:ENGINE" } };
  const estate = (more: object = {}): RealEstate => ({
    stores: {
      main: {
        ...{ kind: "vault", address: vault.address },
        auth: { method: "token", token: "env:VAULT" },
      },
    },
    issuers: { orders: { kind: "postgres", ...server } },
    sources: {
      reads: {
        ...{ kind: "vault-audit", store: "main", owner: "payments" },
        from: { method: "files", paths: [vault.logFile] },
        engine: ["token-engine", "root"].map((displayName) => ({ displayName, address: host })),
      },
    },
    policies: { quick: { ...quickPolicy, quietPeriod: `${quietMs}ms`, stallTimeout: "10m", ...policy } },
    consumers: {
      "orders-api": {
        owner: "payments",
        match: { applicationName: ["orders-api", "token-orders"] },
        observe: [{ kind: "postgres-sessions", ...server, applicationName: "orders-api" }],
      },
    },
    credentials: {
      "orders-db": {
        ...{ issuer: "orders", account, store: "main", place: { path: "orders" }, owner: "payments" },
        ...{ policy: "quick", class: "service-account", purpose: "The orders service logs in with it." },
        consumers: [{ consumer: "orders-api" }],
        ...more,
      },
    },
  });
  const house = await openRealHouse(
    estate(),
    depsOf({ "env:ENGINE": world.engine.password, "env:VAULT": token }),
  );
  const copy = await vault.token("orders");
  const pinned = `${document}?version=${(await given(copy, document))?.metadata.version}`;
  const orders = await vault.token("orders");
  const live = async () => ({ username: "", password: "", ...(await given(orders, document))?.data });
  ordersApi(live, { host, port });
  expect(await house.ask<ScanReport>("discover", ["reads"])).toMatchObject({ failure: null });
  return {
    house,
    pinned: () => given(copy, pinned),
    change: (more: object) => house.apply(estate(more)),
    login: () => clientOf({ host, port, database, user: first, password }),
  };
}

/** Reads the pinned version over and over, until it is told to stop or finds it gone: its value is destroyed in the end. */
function reading(pinned: () => Promise<Given | null>) {
  let on = true;
  const work = (async () => {
    while (on && (await pinned()) !== null) await pause(quietMs / 6);
  })();
  const stop = () => {
    on = false;
    return work;
  };
  onTestFinished(stop);
  return { stop };
}

/** Before its first event a rotation has no state to tell. */
const delivered = (handle: WorkflowHandle) =>
  eventually("it is delivered", async () => {
    const places = (await stateOf(handle).catch(() => null))?.places ?? {};
    return Object.values(places).some(({ toldAt }) => toldAt !== null);
  });

const isSaid = ({ findings }: Reasons) =>
  findings.find(({ code, subject }) => code === "old-version-read" && subject === "orders-api");

test("H21: a declared consumer that goes on reading the old version is named and keeps it, until an owner answers for that", async () => {
  const { house, pinned, change, login } = await shop();
  const handle = await house.start();
  await delivered(handle);
  const copy = reading(pinned);
  const found = await eventually("it is said", async () => isSaid(await handle.query<Reasons>(reasonsQuery)));
  expect(found?.sentence).toMatch(
    /orders-api read version 1 of the store on .*, after the new value was told/,
  );
  // Twice as long as it would have had to be quiet, and everybody who is listed has long moved.
  await pause(2 * quietMs);
  await (await login()).end();
  const { versions, origin } = await stateOf(handle);
  expect(versions[origin]).toMatchObject({ issuer: "enabled" });
  const until = new Date(Date.now() + 30 * 86_400_000).toISOString();
  const why = { owner: "payments", until, reason: "It is a backup, and logs in nowhere." };
  await change({ exceptions: [{ finding: "old-version-read", about: "orders-api", ...why }] });
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  await copy.stop();
  await expect(login()).rejects.toMatchObject({ code: expect.stringMatching(/^28/) });
}, 150_000);

test("H21: a copy that reads the old version when it is off is found before it is destroyed, and can have it back", async () => {
  const { house, pinned, login } = await shop({ disableSoak: "4s" });
  const handle = await house.start();
  await delivered(handle);
  await eventually("the old one is off", async () => {
    const { versions, origin } = await stateOf(handle);
    return versions[origin]?.issuer === "disabled";
  });
  // Once: nobody is asked to read the log for the rotation, which has to do so by itself.
  expect(await pinned()).toMatchObject({ metadata: { version: 1 } });
  expect(await ended(handle)).toMatchObject({
    outcome: "went-back",
    reason: expect.stringMatching(/orders-api read version .* after it was switched off/),
  });
  await (await login()).end();
}, 150_000);

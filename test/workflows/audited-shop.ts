/**
 * A login of a real PostgreSQL that a real Vault keeps, with a service that fetches it there, and Vault's audit log as the source that
 * watches over it.
 */
import type { WorkflowHandle } from "@temporalio/client";
import { expect, onTestFinished } from "vitest";
import type { ScanReport } from "../../domain/discovery/report.js";
import { clientOf, database, postgresWorld } from "../contract/issuers/postgres-world.js";
import { startAuditServer } from "../contract/sources/audit-server.js";
import type { Admin } from "../contract/stores/vault-world.js";
import { depsOf } from "../contract/stores/world.js";
import { ordersApi } from "./orders-api.js";
import { openRealHouse, quickPolicy, type RealEstate } from "./real-house.js";
import { eventually, stateOf } from "./watch.js";

const host = "127.0.0.1";
const document = "secret/data/orders";
/** How long nobody may have used the old version, in milliseconds. */
export const quietMs = 3_000;

/** A document as Vault gives it out. */
export interface Given {
  readonly data: Readonly<Record<string, string>>;
  readonly metadata: { readonly version: number };
}

/** Null where nothing is given out. */
async function given(as: Admin, at: string): Promise<Given | null> {
  const { data } = (await as("GET", at)) as { data?: Given };
  return data?.data == null ? null : data;
}

/** The house around that login. `logs`: paths of the source besides Vault's own log; `policy`: what is asked for besides the quick one. */
export async function auditedShop({
  policy = {},
  logs = [],
}: {
  policy?: object;
  logs?: readonly string[];
} = {}) {
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
        from: { method: "files", paths: [vault.logFile, ...logs] },
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
    logFile: vault.logFile,
    read: (anew = false) => house.ask<ScanReport>("discover", ["reads", anew]),
    pinned: () => given(copy, pinned),
    change: (more: object) => house.apply(estate(more)),
    login: () => clientOf({ host, port, database, user: first, password }),
  };
}

/** Before its first event a rotation has no state to tell. */
export const delivered = (handle: WorkflowHandle) =>
  eventually("it is delivered", async () => {
    const places = (await stateOf(handle).catch(() => null))?.places ?? {};
    return Object.values(places).some(({ toldAt }) => toldAt !== null);
  });

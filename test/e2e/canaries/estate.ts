/** The canary suite's estate: one credential that rotates, and one for each way in which a login with a value in hand fails. */

/** Where the sound servers are, and what the engine logs in there with. */
export interface Places {
  readonly ownerKey: string;
  readonly responderKey: string;
  readonly postgres: { readonly port: number; readonly password: string };
  readonly redisPort: number;
  readonly vault: { readonly address: string; readonly token: string };
  readonly service: { readonly instance: string; readonly url: string };
  /** References to values that are right nowhere, by the name of the credential that meets them. */
  readonly wrong: Readonly<Record<string, string>>;
}

const host = "127.0.0.1";
/** Nobody listens there. */
const closedPort = 1;

/** Credentials of which the worker cannot get hold, each with a value in hand when it fails. */
export const failing = [
  "pg-host",
  "pg-port",
  "pg-login",
  "pg-tls",
  "pg-database",
  "redis-port",
  "redis-login",
  "redis-tls",
  "vault-port",
  "vault-login",
  "vault-tls",
] as const;

/** The text of the estate; JSON is YAML. */
export function estateText({ postgres, redisPort, vault, service, ...places }: Places): string {
  const pg = (more: object = {}, password = postgres.password) => ({
    kind: "postgres",
    host,
    port: postgres.port,
    database: "orders",
    login: { username: "rekey_a", password },
    ...more,
  });
  const redis = (name: string, more: object, port = redisPort) => ({
    kind: "redis",
    nodes: [{ host, port }],
    login: { username: "rekey", password: places.wrong[name] },
    ...more,
  });
  const kv = (token: string | undefined, address = vault.address, more: object = {}) => ({
    kind: "vault",
    address,
    auth: { method: "token", token },
    ...more,
  });
  const issuers = {
    sound: pg(),
    "pg-host": pg({ host: "nowhere.invalid" }, places.wrong["pg-host"]),
    "pg-port": pg({ port: closedPort }, places.wrong["pg-port"]),
    "pg-login": pg({}, places.wrong["pg-login"]),
    "pg-tls": pg({ tls: { mode: "verify-full" } }, places.wrong["pg-tls"]),
    // The right login: the server takes it, and then has no such database.
    "pg-database": pg({ database: "nowhere" }),
    "redis-port": redis("redis-port", {}, closedPort),
    "redis-login": redis("redis-login", {}),
    "redis-tls": redis("redis-tls", { tls: {} }),
  };
  const stores = {
    sound: kv(vault.token),
    "vault-port": kv(places.wrong["vault-port"], `http://${host}:${closedPort}`),
    "vault-login": kv(places.wrong["vault-login"]),
    "vault-tls": kv(places.wrong["vault-tls"], vault.address.replace("http:", "https:")),
  };
  const common = { owner: "alice", policy: "quick", class: "service-account", purpose: "It is looked for." };
  const broken = failing.map((name) => {
    const account = name.startsWith("redis")
      ? { user: name }
      : {
          group: name.replace("-", "_"),
          logins: ["a", "b"].map((end) => `${name.replace("-", "_")}_${end}`),
        };
    return [
      name,
      {
        ...common,
        issuer: name in issuers ? name : "sound",
        account,
        store: name in stores ? name : "sound",
        place: { path: `services/${name}` },
        consumers: ["watcher"],
      },
    ];
  });
  return JSON.stringify(
    {
      version: 1,
      installation: "canaries",
      owners: {
        alice: { kind: "person", email: "alice@shop.example", keys: [places.ownerKey] },
        rashid: { kind: "person", email: "rashid@shop.example", keys: [places.responderKey] },
      },
      issuers,
      stores,
      policies: {
        quick: {
          approval: { quorum: 1 },
          responders: ["rashid"],
          quietPeriod: "0s",
          adoptionSoak: "0s",
          disableSoak: "0s",
          adoptionTimeout: "5m",
          drainTimeout: "5m",
          stallTimeout: "5m",
          retryDelay: "200ms",
          cooldown: "0s",
        },
      },
      consumers: {
        "orders-api": {
          owner: "alice",
          observe: [{ kind: "http-attest", instances: [service] }],
          match: { applicationName: ["orders-api"] },
          maxPoolLife: "0s",
          maxCacheLife: "0s",
          cadence: "0s",
        },
        watcher: {
          owner: "alice",
          observe: [{ kind: "confirmation", who: "nobody" }],
          match: { applicationName: ["watcher"] },
          maxPoolLife: "0s",
          maxCacheLife: "0s",
          cadence: "0s",
        },
      },
      credentials: {
        "orders-db": {
          ...common,
          issuer: "sound",
          account: { group: "orders", logins: ["orders_a", "orders_b", "orders_c"] },
          store: "sound",
          place: { path: "services/orders-db" },
          consumers: ["orders-api"],
        },
        ...Object.fromEntries(broken),
      },
    },
    null,
    2,
  );
}

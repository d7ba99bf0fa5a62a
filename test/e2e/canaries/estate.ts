/** The canary suite's estate: credentials that rotate, one of each kind, and one for each way in which a login with a value in hand fails. */
import type { Kinds } from "./kinds.js";

/** Where the sound servers are, and what the engine logs in there with. */
export interface Places {
  readonly ownerKey: string;
  readonly responderKey: string;
  readonly postgres: { readonly port: number; readonly password: string };
  readonly redisPort: number;
  readonly vault: { readonly address: string; readonly token: string };
  readonly service: { readonly instance: string; readonly url: string };
  readonly kinds: Pick<Kinds, "names" | "issuers" | "stores" | "credentials">;
  /** Ports of servers that repeat what they are told, and that go away. */
  readonly hostile: { readonly echo: number; readonly gone: number };
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
  "pg-echo",
  "pg-gone",
  "redis-port",
  "redis-login",
  "redis-tls",
  "redis-echo",
  "redis-gone",
  "vault-port",
  "vault-login",
  "vault-tls",
  "vault-echo",
  "vault-gone",
  "http-port",
  "http-login",
  "http-tls",
  "http-echo",
  "http-gone",
  "aws-port",
  "aws-login",
  "aws-echo",
  "aws-gone",
  "sm-login",
  "sm-echo",
  "sm-gone",
] as const;

const policy = {
  responders: ["rashid"],
  quietPeriod: "0s",
  adoptionSoak: "0s",
  disableSoak: "0s",
  adoptionTimeout: "5m",
  drainTimeout: "5m",
  stallTimeout: "5m",
  retryDelay: "200ms",
  cooldown: "0s",
};

/** The text of the estate; JSON is YAML. */
export function estateText({
  postgres,
  redisPort,
  vault,
  service,
  kinds,
  hostile,
  ...places
}: Places): string {
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
  const at = (port: number) => `http://${host}:${port}`;
  const http = (name: string, address?: string) => {
    const { auth, ...sound } = kinds.issuers["http-sound"] ?? {};
    const token = places.wrong[name];
    return { ...sound, ...(address === undefined ? {} : { address }), auth: { ...(auth as object), token } };
  };
  /** An issuer or a store at AWS, with a secret key that is not the one of its access key. */
  const aws = (sound: Readonly<Record<string, unknown>> = {}, name: string, endpoint = sound.endpoint) => ({
    ...sound,
    endpoint,
    ...(sound.sts === undefined ? {} : { sts: [{ region: sound.region, endpoint }] }),
    auth: { ...(sound.auth as object), secretAccessKey: places.wrong[name] },
  });
  const iam = (name: string, endpoint?: string) => aws(kinds.issuers["aws-sound"], name, endpoint);
  const manager = (name: string, endpoint?: string) => aws(kinds.stores["aws-sound"], name, endpoint);
  const issuers = {
    ...kinds.issuers,
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
    "pg-echo": pg({ port: hostile.echo }, places.wrong["pg-echo"]),
    "pg-gone": pg({ port: hostile.gone }, places.wrong["pg-gone"]),
    "redis-echo": redis("redis-echo", {}, hostile.echo),
    "redis-gone": redis("redis-gone", {}, hostile.gone),
    "http-port": http("http-port", at(closedPort)),
    "http-login": http("http-login"),
    "http-tls": http("http-tls", `https://${host}:${hostile.echo}`),
    "http-echo": http("http-echo", at(hostile.echo)),
    "http-gone": http("http-gone", at(hostile.gone)),
    "aws-port": iam("aws-port", at(closedPort)),
    "aws-login": iam("aws-login"),
    "aws-echo": iam("aws-echo", at(hostile.echo)),
    "aws-gone": iam("aws-gone", at(hostile.gone)),
  };
  const stores = {
    ...kinds.stores,
    sound: kv(vault.token),
    "vault-port": kv(places.wrong["vault-port"], `http://${host}:${closedPort}`),
    "vault-login": kv(places.wrong["vault-login"]),
    "vault-tls": kv(places.wrong["vault-tls"], vault.address.replace("http:", "https:")),
    "vault-echo": kv(places.wrong["vault-echo"], at(hostile.echo)),
    "vault-gone": kv(places.wrong["vault-gone"], at(hostile.gone)),
    "sm-login": manager("sm-login"),
    "sm-echo": manager("sm-echo", at(hostile.echo)),
    "sm-gone": manager("sm-gone", at(hostile.gone)),
  };
  const common = { owner: "alice", policy: "quick", class: "service-account", purpose: "It is looked for." };
  const broken = failing.map((name) => {
    const [kind = ""] = name.split("-");
    const logins = ["a", "b"].map((end) => `${name.replace("-", "_")}_${end}`);
    const account =
      kind === "redis"
        ? { user: name }
        : kind === "aws"
          ? { user: name, first: "a", derivedLife: "0s" }
          : kind === "http"
            ? { keys: [name] }
            : { group: name.replace("-", "_"), logins };
    return [
      name,
      {
        ...common,
        issuer: name in issuers ? name : "sound",
        account,
        store: name in stores ? name : "sound",
        place: kind === "sm" ? { name: `canaries/${name}` } : { path: `services/${name}` },
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
        quick: { ...policy, approval: { quorum: 1 } },
        unasked: { ...policy, approval: { quorum: 0 } },
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
        // Nobody uses them: what is looked for is what Rekey itself does with their values.
        ...Object.fromEntries(
          kinds.names.map((name) => [
            name,
            { ...common, policy: "unasked", issuer: name, store: name, ...kinds.credentials[name] },
          ]),
        ),
        ...Object.fromEntries(broken),
      },
    },
    null,
    2,
  );
}

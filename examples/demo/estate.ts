/** The demo's estate: the same words that a user writes into `estate.yaml`, with this run's ports and keys filled in. */
import { join } from "node:path";
import type { NewKey } from "../../client/documents.js";
import { projectRoot } from "../../worker/dev/places.js";
import type { PolicyText, StoreScene } from "./parts.js";
import type { Service } from "./services.js";
import { type Shop, shopAccount, shopEngineLogin } from "./shop.js";

/** What the estate is made from. */
export interface EstateParts {
  readonly shop: Shop;
  readonly store: StoreScene;
  readonly services: readonly Service[];
  readonly keys: Readonly<Record<string, NewKey>>;
  readonly policy: PolicyText;
}

/** The text of the estate. JSON is YAML, and needs no quoting of our own. */
export function estateText({ shop, store, services, keys, policy }: EstateParts): string {
  const person = (name: string) => ({
    kind: "person",
    email: `${name}@shop.example`,
    keys: [keys[name]?.publicLine],
  });
  return JSON.stringify(
    {
      version: 1,
      installation: "demo",
      owners: {
        ...Object.fromEntries(Object.keys(keys).map((name) => [name, person(name)])),
        responders: { kind: "team", members: ["rashid", "runa"] },
      },
      issuers: {
        shop: {
          kind: "postgres",
          host: shop.server.host,
          port: shop.server.port,
          database: shop.database,
          login: { username: shopEngineLogin, password: `file:${shop.enginePasswordFile}` },
        },
      },
      stores: { files: { kind: store.kind, ...store.config } },
      policies: { demo: { responders: ["responders"], ...policy } },
      consumers: Object.fromEntries(services.map((service) => [service.name, consumerOf(service)])),
      credentials: {
        "orders-db": {
          issuer: "shop",
          account: shopAccount,
          store: "files",
          place: store.place,
          owner: "olivia",
          policy: "demo",
          class: "service-account",
          purpose: "Lets the shop's services read and write orders.",
          consumers: services.map((service) => service.name),
        },
      },
    },
    null,
    2,
  );
}

function consumerOf(service: Service): Record<string, unknown> {
  const attest = {
    kind: "http-attest",
    instances: [{ instance: service.instance, url: new URL(service.attestUrl).origin }],
  };
  const signal = {
    kind: "command",
    command: [join(projectRoot(), "examples", "commands", "sighup.sh"), service.pidFile],
  };
  return {
    owner: "olivia",
    observe: [attest],
    ...(service.pidFile === null ? {} : { deliver: signal }),
    ...(service.name === "reports" ? { deliver: attest } : {}),
    match: { applicationName: [service.name] },
    maxPoolLife: "0s",
    maxCacheLife: "0s",
    cadence: "0s",
  };
}

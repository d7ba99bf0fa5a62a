/** An estate whose kinds exist and whose systems do not, for what never gets as far as to connect to one. */
import type { Estate } from "../../domain/estate/types.js";
import { sampleEstate } from "../inventory/world.js";

/** The sample on kinds that exist; nothing here connects to anything. */
export const estate: Estate = {
  ...sampleEstate(),
  issuers: {
    "main-db": {
      kind: "postgres",
      host: "127.0.0.1",
      port: 1,
      database: "orders",
      standbys: [],
      tls: { mode: "off" },
      login: { username: "rekey", password: "env:REKEY_NOWHERE" },
    },
  },
  stores: {
    secrets: {
      kind: "file",
      directory: "/nowhere/live",
      stagingDirectory: "/nowhere/staged",
      lockTimeout: 1,
    },
  },
  credentials: Object.fromEntries(
    Object.entries(sampleEstate().credentials).map(([name, credential]) => [
      name,
      {
        ...credential,
        account: { group: name, logins: [`${name}_a`, `${name}_b`] },
        place: { path: name, protection: "plain", fields: { username: "username", password: "password" } },
      },
    ]),
  ),
  consumers: Object.fromEntries(
    Object.entries(sampleEstate().consumers).map(([name, consumer]) => [
      name,
      { ...consumer, observe: [{ kind: "confirmation" }] },
    ]),
  ),
};

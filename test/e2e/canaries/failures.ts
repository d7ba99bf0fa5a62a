/** Ways in which a start fails with a value in hand: URLs that lead nowhere and keys that are none. */
import type { Planted } from "./planted.js";

/** One run of the program that has to fail. */
export interface Failing {
  readonly name: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const host = "127.0.0.1";

/** The inventory's URL in every wrong way; met by a command and a worker in turn. `right` is the URL that works. */
export function wrongUrls(right: string, planted: Planted): Failing[] {
  const { port, username, password } = new URL(right);
  const draw = (name: string) => encodeURIComponent(planted.draw(`the inventory's URL: ${name}`));
  const urls: Readonly<Record<string, string>> = {
    "wrong host": `postgres://${username}:${draw("wrong host")}@nowhere.invalid:${port}/postgres`,
    "wrong port": `postgres://${username}:${draw("wrong port")}@${host}:1/postgres`,
    "refused login": `postgres://${username}:${draw("refused login")}@${host}:${port}/postgres`,
    // Right but for what stands last, so the password gets as far as it can.
    "TLS failure": `postgres://${username}:${password}@${host}:${port}/postgres?sslmode=verify-full`,
    "wrong database": `postgres://${username}:${password}@${host}:${port}/nowhere`,
    "wrong setting": `postgres://${username}:${draw("wrong setting")}@${host}:${port}/postgres?sslrootcert=/nowhere`,
    "no URL": `postgres://${username}:${draw("no URL")}@${host}:port/postgres`,
    "another scheme": `mysql://${username}:${draw("another scheme")}@${host}:${port}/postgres`,
  };
  const commands = [["status", "--json"], ["worker"]];
  return Object.entries(urls).map(([name, url], index) => {
    const argv = commands[index % commands.length] ?? [];
    return {
      name: `${name}: ${argv[0]}`,
      argv,
      env: { REKEY_DATABASE_URL: "env:CANARY_URL", CANARY_URL: url },
    };
  });
}

/** A login to which a DBA's name belongs, and nobody's password. */
const nobody = "nobody_here";

/**
 * Texts in the place of keys: whatever parses them must not quote them. With those of `wrongUrls` every setting that
 * leads to a secret is met (`test/e2e/canary-search.test.ts` sees to that). `right` is the inventory's URL, `vault` the
 * address of the store.
 */
export async function wrongKeys(planted: Planted, right: string, vault: string): Promise<Failing[]> {
  const at = (name: string) => planted.file(`a wrong ${name}`);
  const pathOf = (reference: string) => reference.replace(/^file:/, "");
  const { port } = new URL(right);
  const auditUrl = async (name: string, where: string) =>
    planted.write(name, `postgres://rekey:${encodeURIComponent(planted.draw(name))}@${where}/postgres`);
  // Nobody listens there: what fails is the connection, with everything in hand that was read before.
  const nowhere = { REKEY_TEMPORAL_ADDRESS: `${host}:1` };
  return [
    { name: "codec key", argv: ["worker"], env: { REKEY_CODEC_KEYS: await at("codec key") } },
    { name: "engine key", argv: ["worker"], env: { REKEY_ENGINE_KEY: await at("engine key") } },
    { name: "audit key", argv: ["worker"], env: { REKEY_AUDIT_KEY: await at("audit key") } },
    {
      // Any text is one; the worker fails with it in hand.
      name: "fingerprint key",
      argv: ["worker"],
      env: { REKEY_FINGERPRINT_KEY: await at("fingerprint key"), ...nowhere },
    },
    {
      name: "audit database",
      argv: ["audit", "verify", "--json"],
      env: { REKEY_AUDIT_DATABASE_URL: await at("audit database") },
    },
    {
      name: "audit URL that leads nowhere",
      argv: ["audit", "verify", "--json"],
      env: { REKEY_AUDIT_DATABASE_URL: await auditUrl("the audit URL: wrong port", `${host}:1`) },
    },
    {
      name: "audit URL whose login is refused",
      argv: ["audit", "verify", "--json"],
      env: { REKEY_AUDIT_DATABASE_URL: await auditUrl("the audit URL: refused login", `${host}:${port}`) },
    },
    { name: "API token", argv: ["server"], env: { REKEY_API_TOKENS: await at("API token") } },
    { name: "codec token", argv: ["server"], env: { REKEY_API_CODEC_TOKENS: await at("codec token") } },
    {
      name: "API's TLS key",
      argv: ["server"],
      env: {
        REKEY_API_TLS_CERT: pathOf(await at("API TLS certificate")),
        REKEY_API_TLS_KEY: await at("API TLS key"),
      },
    },
    {
      name: "Temporal API key",
      argv: ["doctor", "--json"],
      env: { REKEY_TEMPORAL_API_KEY: await at("Temporal API key"), ...nowhere },
    },
    {
      name: "Temporal TLS key",
      argv: ["doctor", "--json"],
      env: {
        REKEY_TEMPORAL_TLS: "on",
        REKEY_TEMPORAL_TLS_CERT: pathOf(await at("Temporal TLS certificate")),
        REKEY_TEMPORAL_TLS_KEY: pathOf(await at("Temporal TLS key")),
      },
    },
    {
      name: "store token of the installation",
      argv: ["status", "--json"],
      env: {
        REKEY_VAULT_ADDR: vault,
        REKEY_VAULT_TOKEN: await at("store token of the installation"),
        REKEY_DATABASE_URL: "vault:services/orders-db#password",
      },
    },
    {
      name: "DBA's password",
      argv: ["adopt", "orders-db", "--as", "bob", "--json"],
      env: { REKEY_DBA_USER: nobody, REKEY_DBA_PASSWORD: await at("DBA's password") },
    },
    {
      name: "person's key",
      argv: ["approve", "orders-db", "--as", "alice", "--yes", "--json"],
      env: { REKEY_KEY: pathOf(await at("person's key")) },
    },
  ];
}

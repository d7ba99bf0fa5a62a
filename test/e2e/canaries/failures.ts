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

/** Texts in the place of keys: whatever parses them must not quote them. */
export async function wrongKeys(planted: Planted): Promise<Failing[]> {
  const at = (name: string) => planted.file(`a wrong ${name}`);
  return [
    { name: "codec key", argv: ["worker"], env: { REKEY_CODEC_KEYS: await at("codec key") } },
    { name: "engine key", argv: ["worker"], env: { REKEY_ENGINE_KEY: await at("engine key") } },
    { name: "audit key", argv: ["worker"], env: { REKEY_AUDIT_KEY: await at("audit key") } },
    {
      name: "audit database",
      argv: ["audit", "verify", "--json"],
      env: { REKEY_AUDIT_DATABASE_URL: await at("audit database") },
    },
    { name: "API token", argv: ["server"], env: { REKEY_API_TOKENS: await at("API token") } },
    {
      name: "Temporal API key",
      argv: ["doctor", "--json"],
      // Nobody listens there: what fails is the connection, with the key on it.
      env: { REKEY_TEMPORAL_API_KEY: await at("Temporal API key"), REKEY_TEMPORAL_ADDRESS: `${host}:1` },
    },
    {
      name: "person's key",
      argv: ["approve", "orders-db", "--as", "alice", "--yes", "--json"],
      env: { REKEY_KEY: (await at("person's key")).replace(/^file:/, "") },
    },
  ];
}

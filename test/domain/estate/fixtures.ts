/** A small estate and made-up kinds: the rules of the estate have to hold for kinds that nobody has written yet. */
import { z } from "zod";
import { duration } from "../../../domain/estate/duration.js";
import type { EstateKinds } from "../../../domain/estate/kinds.js";
import { parseEstate } from "../../../domain/estate/parse.js";
import { secretRef } from "../../../domain/estate/secret-ref.js";

/** Kinds with every sort of field that real ones have. */
export const kinds: EstateKinds = {
  issuers: {
    ledger: {
      traits: { overlap: "two-accounts" },
      config: z.strictObject({
        host: z.string().describe("Host."),
        port: z.int().min(1).max(65_535).prefault(7000).describe("Port."),
        password: secretRef().optional().describe("Password of the engine's login."),
        tls: z
          .strictObject({ ca: z.string().describe("CA file.") })
          .optional()
          .describe("TLS."),
      }),
      account: z.strictObject({ login: z.string().describe("Login name.") }),
      lockKeys: (config, account) => [`${config.host}:${config.port}/${account.login}`],
      shownAs: (account) => [`shown as ${account.login}`],
    },
    kiosk: {
      traits: { overlap: "none", roles: [{ role: "checker", takes: "issuer", memoryMs: 0 }] },
      config: z.strictObject({}),
      account: z.strictObject({ slot: z.int().describe("Slot.") }),
      lockKeys: (_, account) => [String(account.slot)],
    },
  },
  stores: {
    drawer: {
      config: z.strictObject({
        address: z.url().describe("Address."),
        auth: z
          .discriminatedUnion("method", [
            z.strictObject({
              method: z.literal("token").describe("Token."),
              token: secretRef().describe("Token."),
            }),
            z.strictObject({
              method: z.literal("badge").describe("Badge."),
              badge: z.string().describe("Badge."),
            }),
          ])
          .optional()
          .describe("Login."),
      }),
      place: z.strictObject({
        path: z.string().min(2).describe("Path."),
        field: z.string().default("password").describe("Field."),
      }),
      lockKeys: (config, place) => [`${config.address}/${place.path}`],
    },
  },
  consumers: {
    probe: {
      config: z.strictObject({
        url: z
          .union([z.url(), secretRef()], { error: "expected an address, or a reference to one" })
          .describe("Where."),
        timeout: duration({ positive: true }).prefault("2s").describe("How long."),
      }),
    },
    watch: {
      config: z.strictObject({
        at: z
          .union([
            z.strictObject({ port: z.int().min(1).describe("Port.") }),
            z.strictObject({
              file: z.string().describe("File."),
              mode: z.int().optional().describe("Mode."),
            }),
            z.array(z.string()),
          ])
          .describe("What is watched."),
      }),
    },
    person: { config: z.object({ ask: z.string().optional().describe("Whom.") }) },
  },
  sources: {
    log: {
      sees: "use",
      config: z.strictObject({
        file: z.string().describe("File."),
        issuer: z.string().optional().describe("Issuer."),
      }),
    },
  },
  notifiers: { bell: { config: z.strictObject({ key: secretRef().describe("Key.") }) } },
};

const keyOf = (letter: string) => `ed25519:${letter.repeat(42)}A`;

/** An estate as it is read from YAML; sound unless a test changes it. */
export function sound() {
  return {
    version: 1 as unknown,
    installation: "test" as unknown,
    owners: {
      ada: { kind: "person", email: "ada@example.com", keys: [keyOf("a")] },
      bob: { kind: "person", email: "bob@example.com", keys: [keyOf("b")] },
      shop: { kind: "team", members: ["ada", "bob"] },
    } as Record<string, unknown>,
    stores: { desk: { kind: "drawer", address: "https://desk.example.com" } } as Record<string, unknown>,
    issuers: { books: { kind: "ledger", host: "books.example.com" } } as Record<string, unknown>,
    notifiers: {} as Record<string, unknown>,
    sources: {} as Record<string, unknown>,
    policies: { calm: {} } as Record<string, unknown>,
    consumers: {
      web: { owner: "shop", observe: [{ kind: "probe", url: "https://web.example.com" }] },
      jobs: { owner: "ada", observe: [{ kind: "person" }] },
    } as Record<string, unknown>,
    credentials: { orders: credential({}) } as Record<string, unknown>,
  };
}

/** A sound credential with some fields replaced. */
export function credential(changes: Record<string, unknown>): Record<string, unknown> {
  return {
    issuer: "books",
    account: { login: "orders" },
    store: "desk",
    place: { path: "orders" },
    owner: "shop",
    policy: "calm",
    class: "service-account",
    purpose: "Orders are written with it.",
    consumers: ["web", { consumer: "jobs", wave: 2 }],
    ...changes,
  };
}

/** The issues of an estate, each as `code path: message`; empty when it is sound. */
export function issuesOf(raw: unknown): string[] {
  const parsed = parseEstate(raw, kinds);
  if (parsed.ok) return [];
  return parsed.issues.map(({ code, path, message }) => `${code} ${path.join(".")}: ${message}`);
}

/** The codes and paths of the issues of an estate. */
export function codesOf(raw: unknown): string[] {
  return issuesOf(raw).map((line) => line.slice(0, line.indexOf(":")));
}

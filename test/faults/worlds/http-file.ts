/**
 * A key at a provider that bears one at a time, its document in a file: the new value is made in the place of the old
 * one, so whoever holds the old one fails until the new one reaches it, and there is no way back from the issue.
 */
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { letsIn } from "../services/http-key.js";
import { hashOfPassword, nameOfHash, nameOfPassword } from "../services/redis-client.js";
import { filePlace } from "./file-place.js";
import type { RawDocument, World, WorldKind } from "./world.js";

const program = fileURLToPath(new URL("../services/http-service.js", import.meta.url)) as `/${string}`;
const key = "key-1";
/** What a provider answers to changes while it looks after its servers. */
const unavailable = 503;
/** As long as a tag may be. */
const nameMax = 500;

/** The world `http-file`. */
export const httpFile: WorldKind = {
  servers: ["issuer"],
  isShared: true,
  readOnly: ["issuer", "store"],
  directions: ["forward", "signed", "emergency"],
  // The provider makes the value, and what is replaced is not switched off.
  primers: ["issue.issuer.mint.1/after-timeout", "deliver.store.promote.1/after-timeout"],
  async open({ folder, provider }, index): Promise<World> {
    const { url, put, account, refuse } = await provider();
    const { hostname: host, port } = new URL(url);
    const token = randomBytes(24).toString("base64url");
    const tokenFile = join(folder, `provider-token-${index}`);
    await writeFile(tokenFile, token, { mode: 0o600 });
    const password = `val_${randomBytes(24).toString("base64url")}`;
    const first = {
      id: key,
      name: "",
      status: "active",
      hash: hashOfPassword(password),
      stale: [],
      rolls: 0,
    } as const;
    const paging = { keysMax: 3, pageSize: 2, paging: "cursor", named: true, nameMax } as const;
    await put(token, { id: `account-${index}`, ...paging, keys: [{ ...first, stale: [] }] });
    const document = { username: key, password, note: "kept by the shop's own people" };
    const { file, readOnly, backup: _, ...place } = await filePlace(folder, index, document);
    const shown = ({ username = "", password: value = "" }: RawDocument) =>
      letsIn(url, { username, password: value });
    return {
      ...place,
      issuer: description(url, tokenFile),
      account: { keys: [key] },
      servers: { issuer: { host, port: Number(port) } },
      through: ({ issuer }) => ({
        issuer: description(`http://${host}:${issuer}`, tokenFile),
        store: place.store,
      }),
      readOnly: { issuer: (on) => refuse(token, on ? unavailable : null), store: readOnly },
      program,
      serviceEnv: { STORE_FILE: file, PROVIDER: url },
      endsSessionsUnasked: true,
      breaksFrom: /^issue\.issuer\.mint\./,
      login: async (document) => [{ node: host, answer: (await shown(document)) ? "in" : "refused" }],
      accounts: async () => {
        const { keys } = await account(token);
        return keys.map(({ hash, name, status }) => ({
          name: nameOfHash(hash),
          enabled: status === "active",
          tag: name,
          sessions: 0,
        }));
      },
      hold: async (document) => ({ alive: () => shown(document), end: async () => undefined }),
      accountOf: (document) => nameOfPassword(document.password ?? ""),
      stop: async () => undefined,
    };
  },
};

/** The provider, as an estate describes it. */
function description(address: string, tokenFile: string): Readonly<Record<string, unknown>> {
  const change = (body: Record<string, string>) => ({ method: "PATCH", path: "/v1/keys/{key}", body });
  return {
    kind: "http",
    address,
    network: "loopback",
    auth: { type: "bearer", token: `file:${tokenFile}` },
    identity: { path: "/v1/account", pointer: "/id" },
    keys: {
      path: "/v1/keys",
      items: "/data",
      id: "/id",
      label: "/name",
      enabled: { pointer: "/status", is: "active" },
      paging: { by: "cursor", next: "/next_cursor", parameter: "cursor" },
    },
    mint: {
      method: "POST",
      path: "/v1/keys/{key}/roll",
      replaces: "value",
      value: "/secret",
      headers: { "idempotency-key": "{nonce}" },
    },
    disable: change({ status: "disabled" }),
    enable: change({ status: "active" }),
    test: { path: "/v1/me", who: "/key_id", present: { header: "x-api-key" } },
    fence: { in: "label", set: change({ name: "{tag}" }) },
  };
}

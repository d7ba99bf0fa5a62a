/** Accounts at the provider of the tests, and descriptions of it as an estate would hold them. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { http } from "../../../adapters/issuers/http.js";
import type { AdapterDeps, Issuer } from "../../../adapters/ports.js";
import { freePort } from "../../../worker/dev/ports.js";
import { type Compiled, compile, type Started } from "../../support/programs.js";
import { depsOf } from "../stores/world.js";
import type { ProviderAccount, ProviderFaults, ProviderKey, Ready } from "./http-provider.js";
import type { IssuerWorld } from "./world.js";

const program = "test/contract/issuers/http-provider";

/**
 * The descriptions that are tried: a permanent key with a label, another key for each value, and two permanent keys
 * of a provider that can do nothing but give them other values.
 */
export type Shape = "label" | "register" | "pair";

/** The provider, and a folder for registers. */
export interface HttpWorld {
  readonly folder: string;
  readonly url: string;
  /** Puts an account there, and names the token of its administrator. */
  put(account: ProviderAccount): Promise<string>;
  account(token: string): Promise<ProviderAccount>;
  change(token: string, how: (account: ProviderAccount) => void): Promise<void>;
  faults(faults: ProviderFaults): Promise<void>;
  release(): Promise<void>;
  seen(): Promise<{
    readonly requests: readonly string[];
    readonly nonces: readonly string[];
    readonly held: number;
  }>;
  /** Ends the provider and starts it again, at the same address. */
  restart(): Promise<void>;
  /** Everything that it has printed. */
  output(): string;
  close(): Promise<void>;
}

let tokens = 0;

/** Compiles and starts the provider. */
export async function httpWorld(elsewhere = ""): Promise<HttpWorld> {
  const folder = await mkdtemp(join(tmpdir(), "rekey-http-"));
  const programs: Compiled = await compile([program]);
  const start = (port: string): Promise<Started<Ready>> =>
    programs.start<Ready>(program, {
      STATE_FILE: join(folder, "provider.state"),
      PORT: port,
      ELSEWHERE: elsewhere,
    });
  // Of those that no connection takes while it is away.
  let running = await start(String(await freePort()));
  const { url } = running.ready;
  const tell = async (method: string, what: string, token = "", body?: unknown) => {
    const answer = await fetch(`${url}/control/${what}`, {
      method,
      headers: { "x-token": token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return text === "" ? null : JSON.parse(text);
  };
  const world: HttpWorld = {
    folder,
    url,
    put: async (account) => {
      tokens += 1;
      const token = `canary-admin-${tokens}`;
      await tell("PUT", "account", token, account);
      return token;
    },
    account: (token) => tell("GET", "account", token),
    change: async (token, how) => {
      const account = await world.account(token);
      how(account);
      await tell("PUT", "account", token, account);
    },
    faults: (faults) => tell("PUT", "faults", "", faults),
    release: () => tell("PUT", "release"),
    seen: () => tell("GET", "requests"),
    restart: async () => {
      await running.stop();
      running = await start(new URL(url).port);
    },
    output: () => running.output.join("\n"),
    close: async () => {
      await programs.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return world;
}

/** A key that nobody was ever given. */
export function unused(id: string, more: Partial<ProviderKey> = {}): ProviderKey {
  return { id, name: "", status: "disabled", hash: "", stale: [], rolls: 0, ...more };
}

/** An account with strangers' keys on its first page. */
export function accountWith(keys: ProviderKey[], more: Partial<ProviderAccount> = {}): ProviderAccount {
  const strangers = [unused("theirs-1", { name: "of a team" }), unused("theirs-2", { name: "of another" })];
  return {
    id: "acct-1",
    keysMax: 3,
    pageSize: 2,
    paging: "cursor",
    named: true,
    nameMax: 500,
    keys: [...strangers, ...keys],
    ...more,
  };
}

/** A description of the provider, as it is written in an estate. */
export function described(url: string, shape: Shape, folder: string): Record<string, unknown> {
  const patch = (body: Record<string, string>) => ({ method: "PATCH", path: "/v1/keys/{key}", body });
  const roll = { method: "POST", path: "/v1/keys/{key}/roll", replaces: "value", value: "/secret" };
  const common = {
    address: url,
    network: "loopback",
    auth: { type: "bearer", token: "env:ADMIN" },
    identity: { path: "/v1/account", pointer: "/id" },
    test: { path: "/v1/me", who: "/key_id" },
  };
  const listing = { path: "/v1/keys", items: "/data", id: "/id" };
  const enabled = { pointer: "/status", is: "active" };
  switch (shape) {
    case "label":
      return {
        ...common,
        keys: {
          ...listing,
          label: "/name",
          enabled,
          paging: { by: "cursor", next: "/next_cursor", parameter: "cursor" },
        },
        mint: { ...roll, headers: { "idempotency-key": "{nonce}" } },
        disable: patch({ status: "disabled" }),
        enable: patch({ status: "active" }),
        fence: { in: "label", set: patch({ name: "{tag}" }) },
      };
    case "register":
      return {
        ...common,
        keys: { ...listing, label: "/name", enabled, paging: { by: "link" } },
        mint: {
          method: "POST",
          path: "/v1/keys",
          body: { name: "{tag}" },
          replaces: "key",
          value: "/secret",
          id: "/id",
        },
        delete: { method: "DELETE", path: "/v1/keys/{key}" },
        fence: { in: "register", folder },
      };
    case "pair":
      return {
        ...common,
        keys: { ...listing, mark: "/rolled_at", paging: { by: "page", parameter: "page" } },
        mint: roll,
        test: { path: "/v1/me", who: "/key_id", present: { header: "x-api-key" } },
        fence: { in: "register", folder },
      };
  }
}

/** How an issuer of a world differs from the usual one. */
export interface IssuerOptions {
  /** What is written over the description; two levels deep. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly account?: Readonly<Record<string, unknown>>;
  readonly deps?: Partial<AdapterDeps>;
}

/** An issuer for an account that is there. */
export function issuerAt(
  world: Pick<HttpWorld, "url">,
  shape: Shape,
  token: string,
  folder: string,
  keys: readonly string[],
  { config = {}, account = {}, deps = {} }: IssuerOptions = {},
): Issuer {
  const raw = described(world.url, shape, folder);
  const parsed = http.config.parse({ ...raw, ...config });
  const spare = shape === "pair" ? keys : [];
  return http.create(
    parsed,
    http.account.parse({ keys, spare, ...account }),
    depsOf({ "env:ADMIN": token }, deps),
  );
}

/** A fresh account, and what the contract suites need of it. */
export async function contractWorld(
  world: HttpWorld,
  shape: Shape,
): Promise<
  IssuerWorld & { readonly token: string; readonly folder: string; open(more?: IssuerOptions): Issuer }
> {
  const folder = await mkdtemp(join(world.folder, "register-"));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const slots: [string, string?] =
    shape === "label" ? ["key-1"] : shape === "register" ? ["main"] : ["key-1", "key-2"];
  const names = slots.filter((slot) => slot !== undefined);
  const status = shape === "pair" ? "active" : "disabled";
  const keys = shape === "register" ? [] : names.map((id) => unused(id, { status }));
  const paging = shape === "label" ? "cursor" : shape === "register" ? "link" : "page";
  await world.faults({});
  const fresh = accountWith(keys, { paging, named: shape !== "pair" });
  const token = await world.put(fresh);
  const open = (more?: IssuerOptions) => issuerAt(world, shape, token, folder, names, more);
  return {
    slots,
    token,
    folder,
    open,
    openClone: async () => {
      const copy = { ...(await world.account(token)), id: "acct-clone" };
      return issuerAt(world, shape, await world.put(copy), folder, names);
    },
    openUnreachable: () => issuerAt({ url: "http://127.0.0.1:1" }, shape, token, folder, names),
    connect: async (_key, value) => {
      // The copy of the account has the same keys, and lets them in for itself.
      const alive = async () => {
        const answer = await fetch(`${world.url}/v1/me`, { headers: { "x-api-key": value } });
        return answer.ok && ((await answer.json()) as { account: string }).account === fresh.id;
      };
      return (await alive())
        ? { alive, setOwnValue: async () => undefined, close: async () => undefined }
        : null;
    },
    overwriteTag: async (slot, text) => {
      if (shape === "label")
        return world.change(token, (account) => {
          for (const key of account.keys) if (key.id === slot) key.name = text;
        });
      for (const { path, content } of await registerIn(folder))
        if (content.slot === slot) await writeFile(path, JSON.stringify({ ...content, tag: text }));
    },
    // Where another key comes for each value, it is the account that stays.
    exists: async (slot) => {
      const account = await world.account(token);
      return shape === "register" ? account !== null : account.keys.some(({ id }) => id === slot);
    },
    dispose: async () => undefined,
  };
}

/** The files of a register, parsed. */
export async function registerIn(folder: string) {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".json"));
  return Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      return { path, content: JSON.parse(await readFile(path, "utf8")) };
    }),
  );
}

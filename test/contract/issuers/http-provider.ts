/**
 * A provider of API keys in a process of its own, for the tests of the kind that describes one: it keeps its accounts
 * on the disk, checks keys for whoever shows them, and can be as slow, forgetful or odd as real ones are.
 */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Its first line of output. */
export interface Ready {
  readonly url: string;
}

/** A key as it is kept; values are kept as hashes. */
export interface ProviderKey {
  readonly id: string;
  name: string;
  status: "active" | "disabled";
  hash: string;
  /** Values that were replaced and are still let in, where revocation takes its time. */
  stale: string[];
  rolls: number;
}

/** An account, known by the token of its administrator. */
export interface ProviderAccount {
  id: string;
  /** How many keys it may have. */
  keysMax: number;
  pageSize: number;
  paging: "cursor" | "link" | "page";
  /** Whether keys have a name. */
  named: boolean;
  /** A longer name is cut, without a word. */
  nameMax: number;
  /** Its changes are answered with this status, and not made. */
  refuse?: number | null;
  keys: ProviderKey[];
}

/** What goes wrong; all off at first. */
export interface ProviderFaults {
  /** Which requests the next ones mean: a part of method and path; absent for every change. */
  at?: string;
  /** The next one is answered with a broken connection, before or after it was made. */
  lose?: "before" | "after" | undefined;
  /** The next one waits until it is let go, whoever has given it up meanwhile. */
  hold?: boolean;
  /** So many of them, or of all requests, are answered with 429 and this header. */
  tooMany?: number;
  retryAfter?: string;
  /** They are answered with this status, and with words that quote the request. */
  refuse?: number;
  /** Listings are answered like this. */
  listing?: "redirect" | "endless" | "huge" | "words" | "elsewhere";
  /** Replaced values are let in until this is off again. */
  slow?: boolean;
}

type Answered = { status: number; body?: unknown; headers?: Record<string, string> };

const { STATE_FILE = "", PORT = "0", ELSEWHERE = "" } = process.env;
const accounts: Record<string, ProviderAccount> = existsSync(STATE_FILE)
  ? JSON.parse(readFileSync(STATE_FILE, "utf8"))
  : {};
let faults: ProviderFaults = {};
let letGo: (() => void)[] = [];
/** Method and address of every request, and nothing else. */
const requests: string[] = [];
/** What changes were marked with, so that one which arrives twice is known. */
const nonces: string[] = [];

const hashOf = (value: string) => createHash("sha256").update(value).digest("hex");

function save(): void {
  writeFileSync(`${STATE_FILE}.new`, JSON.stringify(accounts));
  renameSync(`${STATE_FILE}.new`, STATE_FILE);
}

/** What its tests tell it. */
function control(method: string, what: string, token: string, body: string): Answered {
  switch (what) {
    case "account":
      if (method === "PUT") {
        accounts[token] = JSON.parse(body);
        save();
      }
      if (method === "PATCH") Object.assign(accounts[token] ?? {}, JSON.parse(body));
      return { status: 200, body: accounts[token] ?? null };
    case "faults":
      faults = JSON.parse(body);
      if (!faults.slow)
        for (const { keys } of Object.values(accounts)) for (const key of keys) key.stale = [];
      return { status: 200 };
    case "release":
      for (const go of letGo) go();
      letGo = [];
      return { status: 200, body: {} };
    default:
      return { status: 200, body: { requests, nonces, held: letGo.length } };
  }
}

function listed(account: ProviderAccount, key: ProviderKey): Record<string, unknown> {
  const { id, name, status, rolls } = key;
  return { id, ...(account.named ? { name } : {}), status, rolled_at: rolls };
}

function listing(account: ProviderAccount, url: URL): Answered {
  switch (faults.listing) {
    case "redirect":
      return { status: 302, headers: { location: `${ELSEWHERE}/taken` } };
    case "endless":
      return { status: 200, body: { data: [], next_cursor: String(requests.length) } };
    case "huge":
      return { status: 200, body: { data: [], filler: "x".repeat(3_000_000) } };
    case "words":
      return { status: 200, body: "canary-words of the provider" };
    case "elsewhere":
      return { status: 200, body: { data: [] }, headers: { link: `<${ELSEWHERE}/taken>; rel="next"` } };
    default:
  }
  const { keys, pageSize, paging } = account;
  const wanted = url.searchParams.get(paging === "page" ? "page" : "cursor");
  const page = paging === "page" ? Number(wanted ?? 1) - 1 : Number(wanted ?? 0);
  const data = keys.slice(page * pageSize, (page + 1) * pageSize).map((key) => listed(account, key));
  const more = (page + 1) * pageSize < keys.length;
  if (paging === "link" && more)
    return {
      status: 200,
      body: { data },
      headers: { link: `</v1/keys?cursor=${page + 1}>; rel="next", </v1/keys>; rel="first"` },
    };
  return { status: 200, body: { data, next_cursor: paging === "cursor" && more ? page + 1 : null } };
}

function newValue(key: ProviderKey): string {
  const value = `val_${randomBytes(24).toString("base64url")}`;
  if (faults.slow && key.hash !== "") key.stale.push(key.hash);
  key.hash = hashOf(value);
  key.rolls += 1;
  return value;
}

/** The change itself: what it is answered with, after it was made. */
function changed(account: ProviderAccount, method: string, path: string, body: string): Answered {
  const [, id = "", roll = ""] = /^\/v1\/keys\/([^/]+)(\/roll)?$/.exec(path) ?? [];
  const given: { name?: string; status?: "active" | "disabled" } =
    body === ""
      ? {}
      : body.startsWith("{")
        ? JSON.parse(body)
        : Object.fromEntries(new URLSearchParams(body));
  if (method === "POST" && path === "/v1/keys") {
    if (account.keys.length >= account.keysMax) return { status: 409, body: { error: "limit" } };
    const fresh: ProviderKey = {
      id: `key_${randomBytes(6).toString("hex")}`,
      name: (given.name ?? "").slice(0, account.nameMax),
      status: "active",
      hash: "",
      stale: [],
      rolls: 0,
    };
    account.keys.push(fresh);
    const secret = newValue(fresh);
    return { status: 201, body: { ...listed(account, fresh), secret } };
  }
  const key = account.keys.find((each) => each.id === decodeURIComponent(id));
  if (key === undefined) return { status: 404, body: { error: "none" } };
  if (method === "POST" && roll !== "") return { status: 200, body: { id: key.id, secret: newValue(key) } };
  if (method === "DELETE") {
    account.keys.splice(account.keys.indexOf(key), 1);
    return { status: 204 };
  }
  if (given.name !== undefined && account.named) key.name = given.name.slice(0, account.nameMax);
  if (given.status !== undefined) key.status = given.status;
  return { status: 200, body: listed(account, key) };
}

/** What opens the door, as a bearer token, as a password, or in a header of the provider's own. */
function shownIn({ authorization = "", "x-admin": own }: IncomingMessage["headers"]): string {
  if (own !== undefined) return String(own);
  if (!authorization.startsWith("Basic ")) return authorization.slice("Bearer ".length);
  return Buffer.from(authorization.slice(6), "base64").toString("utf8").split(":")[1] ?? "";
}

/** Whose value is shown, by whichever way it is shown. */
function me({ headers }: IncomingMessage, body: string): Answered {
  const given = body === "" ? (headers["x-api-key"] ?? shownIn(headers)) : JSON.parse(body).key;
  const hash = hashOf(String(given));
  const all = Object.values(accounts).flatMap(({ id, keys }) => keys.map((key) => ({ account: id, key })));
  const found = all.find(
    ({ key }) => key.status === "active" && (key.hash === hash || key.stale.includes(hash)),
  );
  if (found === undefined) return { status: 401, body: { error: `canary-refused ${given}` } };
  return { status: 200, body: { account: found.account, key_id: found.key.id } };
}

async function answer(request: IncomingMessage, url: URL, body: string): Promise<Answered | "broken"> {
  const { method = "GET", headers } = request;
  if (url.pathname.startsWith("/control/"))
    return control(method, url.pathname.slice("/control/".length), String(headers["x-token"] ?? ""), body);
  requests.push(`${method} ${request.url}`);
  nonces.push(String(headers["idempotency-key"] ?? ""));
  if ((faults.tooMany ?? 0) > 0 && `${method} ${url.pathname}`.includes(faults.at ?? "")) {
    faults.tooMany = (faults.tooMany ?? 0) - 1;
    return {
      status: 429,
      headers: faults.retryAfter === undefined ? {} : { "retry-after": faults.retryAfter },
    };
  }
  if (url.pathname === "/v1/me") return me(request, body);
  const account = accounts[shownIn(headers)];
  if (account === undefined)
    return { status: 403, body: { error: `canary-refused ${headers.authorization}` } };
  if (url.pathname === "/v1/account") return { status: 200, body: { id: account.id } };
  if (method === "GET") return listing(account, url);
  if (typeof account.refuse === "number") return { status: account.refuse, body: { error: "not now" } };
  const isMeant = `${method} ${url.pathname}`.includes(faults.at ?? "");
  const { lose, hold, refuse }: ProviderFaults = isMeant ? faults : {};
  if (refuse !== undefined) return { status: refuse, body: { error: `canary-refused ${body} ${url}` } };
  if (isMeant) faults = { ...faults, lose: undefined, hold: false };
  if (lose === "before") return "broken";
  if (hold) await new Promise<void>((resolve) => letGo.push(resolve));
  const made = changed(account, method, url.pathname, body);
  save();
  return lose === "after" ? "broken" : made;
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const url = new URL(request.url ?? "/", "http://provider");
  const answered = await answer(request, url, Buffer.concat(chunks).toString("utf8"));
  if (answered === "broken") return void request.socket.destroy();
  response.writeHead(answered.status, { "content-type": "application/json", ...answered.headers });
  response.end(answered.body === undefined ? undefined : JSON.stringify(answered.body));
}

const server = createServer((request, response) => {
  serve(request, response).catch(() => request.socket.destroy());
});
await new Promise<void>((resolve) => server.listen(Number(PORT), "127.0.0.1", resolve));
const ready: Ready = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
process.stdout.write(`${JSON.stringify(ready)}\n`);

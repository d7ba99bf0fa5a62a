/** Reads a credential from KV version 2 of Vault or OpenBao over its HTTP interface, with nothing but `fetch`. */
import { readFile } from "node:fs/promises";
import { type Credential, type FieldNames, parseCredential } from "./credential.js";
import type { Load } from "./load.js";
import { Trouble } from "./trouble.js";

/** A text, or a function that gets it anew, so that the way in can itself be rotated. */
export type Text = string | (() => string | Promise<string>);

/** How this process logs in to the store. */
export type VaultLogin =
  | { readonly token: Text }
  | { readonly roleId: string; readonly secretId: Text; readonly mount?: string }
  | { readonly kubernetesRole: string; readonly jwtFile?: string; readonly mount?: string };

/** Where the document is. A private certificate authority is given to Node with `NODE_EXTRA_CA_CERTS`. */
export interface VaultPlace {
  readonly address: string;
  /** The secrets engine's mount, `secret` unless said otherwise. */
  readonly mount?: string;
  readonly path: string;
  readonly namespace?: string;
  readonly login: VaultLogin;
  readonly fields?: FieldNames;
}

interface Session {
  readonly token: string;
  readonly until: number;
}

const serviceAccountToken = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/** A source that reads the newest version of the document; it logs in when it must and again once its token is refused. */
export function fromVault(place: VaultPlace): Load {
  let session: Session | null = null;
  return async (signal) => {
    if (session !== null && Date.now() < session.until) {
      const found = await read(place, session.token, signal);
      if (found !== "refused") return found;
    }
    session = await logIn(place, signal);
    const found = await read(place, session.token, signal);
    if (found === "refused") throw new Trouble("refused", `The store does not let us read ${place.path}.`);
    return found;
  };
}

async function read(place: VaultPlace, token: string, signal: AbortSignal): Promise<Credential | "refused"> {
  const answer = await call(place, `${place.mount ?? "secret"}/data/${place.path}`, { token }, signal);
  if (answer.status === 403) return "refused";
  if (answer.status === 404) throw new Trouble("unreachable", `The store has no document at ${place.path}.`);
  if (answer.status !== 200) {
    throw new Trouble("unreachable", `The store answered with status ${answer.status}.`);
  }
  return parseCredential(at(answer.body, "data", "data"), place.fields);
}

async function logIn(place: VaultPlace, signal: AbortSignal): Promise<Session> {
  const login = place.login;
  // A token given from outside is asked for anew each time: whoever gave it may have renewed or replaced it.
  if ("token" in login) return { token: await textOf(login.token), until: 0 };
  const [mount, body] =
    "roleId" in login
      ? [login.mount ?? "approle", { role_id: login.roleId, secret_id: await textOf(login.secretId) }]
      : [
          login.mount ?? "kubernetes",
          { role: login.kubernetesRole, jwt: await fileText(login.jwtFile ?? serviceAccountToken) },
        ];
  const answer = await call(place, `auth/${mount}/login`, { body }, signal);
  const token = at(answer.body, "auth", "client_token");
  const leaseSeconds = at(answer.body, "auth", "lease_duration");
  if (answer.status !== 200 || typeof token !== "string") {
    const refused = answer.status >= 400 && answer.status < 500 && answer.status !== 429;
    throw new Trouble(
      refused ? "refused" : "unreachable",
      `The log-in to the store failed with status ${answer.status}.`,
    );
  }
  // Two thirds of the lease: a token is given up before the store does it in the middle of a read.
  const usableMs = typeof leaseSeconds === "number" ? leaseSeconds * 667 : 0;
  return { token, until: Date.now() + usableMs };
}

async function call(
  place: VaultPlace,
  path: string,
  request: { readonly token?: string; readonly body?: object },
  signal: AbortSignal,
): Promise<{ status: number; body: unknown }> {
  const headers: Record<string, string> = { "x-vault-request": "true" };
  if (request.token !== undefined) headers["x-vault-token"] = request.token;
  if (place.namespace !== undefined) headers["x-vault-namespace"] = place.namespace;
  try {
    const response = await fetch(new URL(`/v1/${path}`, place.address), {
      method: request.body ? "POST" : "GET",
      headers,
      redirect: "error",
      signal,
      ...(request.body ? { body: JSON.stringify(request.body) } : {}),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? null : JSON.parse(text) };
  } catch {
    throw new Trouble("unreachable", "The store could not be reached, or its answer is not JSON.");
  }
}

function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) =>
      typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>)[name] : undefined,
    value,
  );
}

async function textOf(text: Text): Promise<string> {
  return (typeof text === "string" ? text : await text()).trim();
}

async function fileText(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch {
    throw new Trouble("refused", `The token file ${path} could not be read.`);
  }
}

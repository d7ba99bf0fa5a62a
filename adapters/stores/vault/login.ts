/** The three ways to a token and its renewal, each one request; what Vault says about a refusal stays here. */
import { readFile } from "node:fs/promises";
import { RekeyError } from "../../../domain/errors.js";
import { Secret } from "../../../domain/secret.js";
import type { AdapterDeps, Call } from "../../ports.js";
import type { VaultConfig } from "./schema.js";
import type { Answer, Wire } from "./wire.js";

/** A token and what is known of its life. Times in milliseconds since the epoch. */
export interface HeldToken {
  readonly token: Secret;
  /** When it should be renewed or replaced; never, for a token without an end. */
  readonly renewAt: number;
  readonly endsAt: number;
  readonly renewable: boolean;
  /** The life it was first given; a renewal that gives much less has reached the longest life. */
  readonly lifeMs: number;
}

/** Part of a token's life after which it is renewed, so that one failed renewal is no loss. */
const renewAfter = 2 / 3;

/** Logs in as the settings say, or takes up the token that they refer to. Throws `not-permitted` when refused. */
export async function login(
  wire: Wire,
  config: VaultConfig,
  deps: AdapterDeps,
  call: Call,
): Promise<HeldToken> {
  const { auth } = config;
  // A copy: the session outlives the activity that happens to log in.
  if (auth.method === "token") return lookUp(wire, (await deps.resolve(auth.token, call)).copy(), deps, call);
  const body =
    auth.method === "approle"
      ? { role_id: auth.roleId, secret_id: (await deps.resolve(auth.secretId, call)).reveal() }
      : { role: auth.role, jwt: await readJwt(auth.jwtFile) };
  const answer = await wire.send(
    { method: "POST", path: `/auth/${auth.mount}/login`, body, kind: "read" },
    null,
    call,
  );
  if (answer.status === 400 || answer.status === 403) {
    throw new RekeyError("not-permitted", `Vault refused the login by ${auth.method} at auth/${auth.mount}.`);
  }
  return tokenOf(answer, deps.now()) ?? unexpected(auth.method);
}

/** The same token with a longer life, or `null` when Vault does not give it one. */
export async function renew(
  wire: Wire,
  held: HeldToken,
  deps: AdapterDeps,
  call: Call,
): Promise<HeldToken | null> {
  const answer = await wire.send(
    { method: "POST", path: "/auth/token/renew-self", body: {}, kind: "read" },
    held.token,
    call,
  );
  const renewed = tokenOf(answer, deps.now());
  // No life left is written as 0, which elsewhere means a token without an end.
  if (renewed === null || (!Number.isFinite(renewed.lifeMs) && Number.isFinite(held.lifeMs))) return null;
  const atLongestLife = renewed.lifeMs < held.lifeMs / 2;
  return { ...renewed, lifeMs: held.lifeMs, renewable: renewed.renewable && !atLongestLife };
}

/** True when Vault knows the token: tells a token that has ended from a right that is missing, both of which are 403. */
export async function isKnown(wire: Wire, token: Secret, call: Call): Promise<boolean> {
  const answer = await wire.send(
    { method: "GET", path: "/auth/token/lookup-self", kind: "read" },
    token,
    call,
  );
  return answer.status === 200;
}

async function lookUp(wire: Wire, token: Secret, deps: AdapterDeps, call: Call): Promise<HeldToken> {
  const answer = await wire.send(
    { method: "GET", path: "/auth/token/lookup-self", kind: "read" },
    token,
    call,
  );
  // Without the right to look itself up a token may still be good for all else.
  const data = answer.status === 200 ? (answer.body.data as Record<string, unknown> | undefined) : undefined;
  return held(token, Number(data?.ttl ?? 0), data?.renewable === true, deps.now());
}

function tokenOf(answer: Answer, now: number): HeldToken | null {
  const auth =
    answer.status === 200 ? (answer.body.auth as Record<string, unknown> | null | undefined) : undefined;
  if (!auth || typeof auth.client_token !== "string" || auth.client_token === "") return null;
  return held(new Secret(auth.client_token), Number(auth.lease_duration ?? 0), auth.renewable === true, now);
}

function held(token: Secret, lifeSeconds: number, renewable: boolean, now: number): HeldToken {
  const lifeMs = lifeSeconds > 0 ? lifeSeconds * 1_000 : Number.POSITIVE_INFINITY;
  return { token, renewAt: now + lifeMs * renewAfter, endsAt: now + lifeMs, renewable, lifeMs };
}

async function readJwt(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch {
    throw new RekeyError("missing-setup", `The service account's token file ${path} cannot be read.`);
  }
}

function unexpected(method: string): never {
  throw new RekeyError("unsupported", `Vault answered the login by ${method} without a token.`);
}

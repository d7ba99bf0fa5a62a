/**
 * A logged-in conversation with Vault: it keeps one token alive for all places of a store, because a login
 * for each step would cost a round trip and fill Vault with leases. There are no timers: a token is renewed
 * or replaced by the first request that finds it due.
 */
import { RekeyError } from "../../../domain/errors.js";
import type { Secret } from "../../../domain/secret.js";
import type { AdapterDeps, Call } from "../../ports.js";
import { orWhenOver, readRetry, retryRead } from "../../shared/retry.js";
import { type HeldToken, isKnown, login, renew } from "./login.js";
import type { VaultConfig } from "./schema.js";
import { type Answer, createWire, type VaultRequest, type Wire } from "./wire.js";

/** Requests with a token that is good. */
export class VaultSession {
  readonly #config: VaultConfig;
  readonly #deps: AdapterDeps;
  readonly #wire: Wire;
  #held: HeldToken | null = null;
  #pending: Promise<HeldToken> | null = null;

  constructor(config: VaultConfig, deps: AdapterDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#wire = createWire(config);
  }

  /** Names the server in sentences. */
  get server(): string {
    return `Vault at ${this.#config.address}`;
  }

  /** A read, tried again while Vault cannot be reached. Statuses 200, 204, 400, 404 and 405 come back; `what` names the right in `not-permitted`. */
  read(path: string, what: string, call: Call, body?: unknown): Promise<Answer> {
    const request: VaultRequest = {
      method: body === undefined ? "GET" : "POST",
      path,
      kind: "read",
      ...(body === undefined ? {} : { body }),
    };
    const policy = { ...readRetry, attemptTimeoutMs: this.#config.timeout * 2 };
    return retryRead(call, this.server, (frame) => this.#permitted(request, what, frame), policy);
  }

  /** A change, sent once; sent again only after a refusal of the token, when nothing can have happened. */
  change(
    method: VaultRequest["method"],
    path: string,
    body: unknown,
    what: string,
    call: Call,
  ): Promise<Answer> {
    return this.#permitted(
      { method, path, kind: "change", ...(body === undefined ? {} : { body }) },
      what,
      call,
    );
  }

  /** When the token ends (milliseconds since the epoch, possibly infinity) and whether that can be put off. */
  async tokenLife(call: Call): Promise<{ endsAt: number; renewable: boolean }> {
    await this.#token(call);
    return this.#held ?? { endsAt: 0, renewable: false };
  }

  async #permitted(request: VaultRequest, what: string, call: Call): Promise<Answer> {
    const token = await this.#token(call);
    let answer = await this.#wire.send(request, token, call);
    if (answer.status === 403 && !(await isKnown(this.#wire, token, call))) {
      // Ended, revoked or replaced at its source: one more time with what is there now.
      this.#forget(token);
      answer = await this.#wire.send(request, await this.#token(call), call);
    }
    if (answer.status === 403)
      throw new RekeyError("not-permitted", `The engine's Vault policy does not allow: ${what}.`);
    return answer;
  }

  async #token(call: Call): Promise<Secret> {
    const held = this.#held;
    if (held !== null && this.#deps.now() < held.renewAt && (await this.#isCurrent(held, call)))
      return held.token;
    // One login for all callers, under a deadline of its own: a caller that gives up must not take the others with it.
    this.#pending ??= this.#refresh().finally(() => {
      this.#pending = null;
    });
    const refreshed = await orWhenOver(
      this.#pending,
      call.signal,
      () => new RekeyError("unreachable", `The login to ${this.server} did not end in time.`),
    );
    return refreshed.token;
  }

  /** A token given by reference may be replaced there at any time. */
  async #isCurrent(held: HeldToken, call: Call): Promise<boolean> {
    const { auth } = this.#config;
    return auth.method !== "token" || (await this.#deps.resolve(auth.token, call)).equals(held.token);
  }

  async #refresh(): Promise<HeldToken> {
    const call = { signal: AbortSignal.timeout(this.#config.timeout * 2) };
    const held = this.#held;
    this.#held =
      (await this.#renewed(held, call)) ?? (await login(this.#wire, this.#config, this.#deps, call));
    return this.#held;
  }

  async #renewed(held: HeldToken | null, call: Call): Promise<HeldToken | null> {
    if (held === null || !held.renewable || this.#deps.now() >= held.endsAt) return null;
    try {
      return (await this.#isCurrent(held, call)) ? await renew(this.#wire, held, this.#deps, call) : null;
    } catch (error) {
      // Vault fails inside over a token that ends this very moment; the login tells whether it is really away.
      if (error instanceof RekeyError && error.code === "unreachable") return null;
      throw error;
    }
  }

  #forget(token: Secret): void {
    if (this.#held?.token.equals(token)) this.#held = null;
  }
}

const sessions = new WeakMap<AdapterDeps, Map<string, VaultSession>>();

/** The session of these settings in this process: every place of a store shares one token and its connections. */
export function sessionFor(config: VaultConfig, deps: AdapterDeps): VaultSession {
  const known = sessions.get(deps) ?? new Map<string, VaultSession>();
  sessions.set(deps, known);
  const key = JSON.stringify(config);
  const session = known.get(key) ?? new VaultSession(config, deps);
  known.set(key, session);
  return session;
}

/**
 * One request to Vault through node-vault, with its answer as data. This is the edge: node-vault's errors
 * carry what Vault said, which may quote a value, so they end here (H33, I6).
 */
import { RekeyError } from "../../../domain/errors.js";
import type { Secret } from "../../../domain/secret.js";
import type { Call } from "../../ports.js";
import { lazily } from "../../shared/lazily.js";
import { within } from "../../shared/retry.js";
import type { VaultConfig } from "./schema.js";
import { createTransport, TransportError } from "./transport.js";

const vaultPackage = lazily<typeof import("node-vault")>("node-vault");

/** One request. `kind` decides what a lost answer means: nothing for a read, an unknown outcome for a change. */
export interface VaultRequest {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Below `/v1`, with each segment encoded. */
  readonly path: string;
  readonly body?: unknown;
  readonly kind: "read" | "change";
}

/** What Vault answered; the body only as far as code looks into it, never for people. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Sends requests to one Vault. */
export interface Wire {
  /** The answer, whatever its status, unless the status says that Vault could not work. Throws `unreachable`, `unknown-outcome`, `wrong-server`. */
  send(request: VaultRequest, token: Secret | null, call: Call): Promise<Answer>;
}

/** A path for Vault from plain segments: each one is encoded, so that no name can climb or ask. */
export function pathOf(...parts: readonly string[]): string {
  const segments = parts.flatMap((part) => part.split("/")).filter((segment) => segment !== "");
  return `/${segments.map(encodeURIComponent).join("/")}`;
}

/** The messages of a refusal, for comparing only. */
export function messagesOf(answer: Answer): string {
  return Array.isArray(answer.body.errors) ? answer.body.errors.join("\n") : "";
}

/** A wire to the Vault of these settings. Nothing of the process's environment takes part. */
export function createWire(config: VaultConfig): Wire {
  const transport = createTransport(config.tls ?? {});
  const client = vaultPackage()({
    endpoint: config.address,
    // With DEBUG set, the default prints every request body, values included.
    debug: () => undefined,
    "request-promise": transport,
  });
  // node-vault falls back to VAULT_TOKEN, VAULT_NAMESPACE and VAULT_PREFIX for whatever is empty.
  Object.assign(client, { token: "", namespace: config.namespace ?? "", pathPrefix: "" });
  const server = `Vault at ${config.address}`;

  const send = async (request: VaultRequest, token: Secret | null, call: Call): Promise<Answer> => {
    const frame = within(call, config.timeout);
    try {
      const body = await client.request({
        method: request.method,
        path: request.path,
        headers: headersOf(request, token),
        signal: frame.signal,
        ...(request.body === undefined ? {} : { json: request.body }),
      });
      return { status: 200, body: objectOf(body) };
    } catch (error) {
      return usable(answerOf(error, request, server), request, server);
    }
  };
  return { send };
}

function headersOf(request: VaultRequest, token: Secret | null): Record<string, string> {
  return {
    ...(token === null ? {} : { "X-Vault-Token": token.reveal() }),
    ...(request.method === "PATCH" ? { "Content-Type": "application/merge-patch+json" } : {}),
  };
}

function answerOf(error: unknown, request: VaultRequest, server: string): Answer {
  if (error instanceof TransportError) throw translated(error, request, server);
  if (error instanceof RekeyError) throw error;
  const response = (error as { response?: { statusCode?: unknown; body?: unknown } }).response;
  if (typeof response?.statusCode === "number")
    return { status: response.statusCode, body: objectOf(response.body) };
  throw new RekeyError("internal", `The request to ${server} could not be made.`);
}

function translated(error: TransportError, request: VaultRequest, server: string): RekeyError {
  switch (error.failure) {
    case "untrusted":
      return new RekeyError(
        "wrong-server",
        `The certificate of ${server} is not one that the settings trust.`,
      );
    case "garbled":
      return new RekeyError("wrong-server", `What answers at the address of ${server} is not Vault.`);
    case "unreached":
      return new RekeyError("unreachable", `${server} could not be reached.`);
    case "lost":
      return noAnswer(request, `${server} did not answer in time.`);
  }
}

/** Statuses that are no answer to the question: sealed, standby, overloaded, redirected, broken. */
function usable(answer: Answer, request: VaultRequest, server: string): Answer {
  const { status } = answer;
  if (status >= 300 && status < 400) {
    throw new RekeyError(
      "unreachable",
      `${server} is a standby that sends callers elsewhere.`,
      "Give the address of the active node or of the cluster; redirects are not followed with a token.",
    );
  }
  // 412: a replica that has not caught up; 429: a quota; 472, 473: a standby; 503: sealed. Nothing was done.
  if ([412, 429, 472, 473, 503].includes(status)) {
    throw new RekeyError("unreachable", `${server} is sealed, on standby or overloaded (status ${status}).`);
  }
  if (status >= 500) throw noAnswer(request, `${server} failed inside (status ${status}).`);
  return answer;
}

function noAnswer(request: VaultRequest, sentence: string): RekeyError {
  return new RekeyError(request.kind === "change" ? "unknown-outcome" : "unreachable", sentence);
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

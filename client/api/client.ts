/**
 * The API as a program of ours uses it: typed, with deadlines, and trusting nothing about the answers but their
 * shape. A token never goes over a wire that others can read.
 */

import type { z } from "zod";
import { isErrorCode, RekeyError } from "../../domain/errors.js";
import type { Secret } from "../../domain/secret.js";
import { isLoopback } from "./address.js";
import { credentialDetail, decisionAnswer, failure, type RotationDetail, rotationDetail } from "./shapes.js";

/** Where the server is, and what it is asked with. */
export interface ApiAddress {
  /** E.g. `https://rekey.example.com`; a path in front of the API's is kept. */
  readonly url: string;
  /** Asked for when something is read; a decision needs none. */
  readonly token: () => Promise<Secret>;
  readonly timeoutMs?: number;
}

/** What a person's program asks. */
export interface ApiClient {
  /** Id of the credential's latest rotation, where it is open. Throws `not-found` for an unknown name. */
  openRotation(name: string): Promise<string | null>;
  rotation(id: string): Promise<RotationDetail>;
  decide(document: string): Promise<z.infer<typeof decisionAnswer>>;
}

const timeoutMsUsual = 40_000;
const answerCharactersMax = 8 * 1024 * 1024;

/** Makes the client. Throws `bad-input` for an address that is none, or that would carry the token in the clear. */
export function apiClient({ url, token, timeoutMs = timeoutMsUsual }: ApiAddress): ApiClient {
  const base = baseOf(url);

  async function ask<T>(path: string, shape: z.ZodType<T>, body?: object): Promise<T> {
    const headers: Record<string, string> = { Accept: "application/json" };
    // A decision is signed; a token would only be given away.
    if (body === undefined) headers.Authorization = `Bearer ${(await token()).reveal()}`;
    else headers["Content-Type"] = "application/json";
    const answer = await fetch(`${base}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    })
      .then(async (response) => ({ ok: response.ok, content: asJson(await response.text()) }))
      .catch(() => {
        throw new RekeyError(
          "unreachable",
          `The server ${base} did not answer.`,
          "Check the address, the network and the server's certificate; then try again: the same decision twice is once.",
        );
      });
    if (!answer.ok) throw refusal(answer.content);
    const read = shape.safeParse(answer.content);
    if (!read.success) throw stranger(base);
    return read.data;
  }

  return {
    async openRotation(name) {
      const { rotation } = await ask(`/v1/credentials/${encodeURIComponent(name)}`, credentialDetail);
      return rotation === null || rotation.closedAt !== null ? null : rotation.id;
    },
    rotation: (id) => ask(`/v1/rotations/${encodeURIComponent(id)}`, rotationDetail),
    decide: (document) => ask("/v1/decisions", decisionAnswer, { document }),
  };
}

function baseOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !["http:", "https:"].includes(parsed.protocol) || parsed.username !== "") {
    throw new RekeyError(
      "bad-input",
      "The server's address is not an http or https URL without a login in it.",
    );
  }
  const plain = parsed.protocol === "http:" && !isLoopback(parsed.hostname.replace(/^\[|\]$/g, ""));
  if (plain) {
    throw new RekeyError(
      "bad-input",
      "The server's address is not one of https, so others could read the token and change the plan on its way.",
      "Use its https address.",
    );
  }
  return `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, "");
}

function asJson(text: string): unknown {
  if (text.length > answerCharactersMax) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The server's own words where they are in our form; a proxy's page is not repeated. */
function refusal(content: unknown): RekeyError {
  const read = failure.safeParse(content);
  if (!read.success || !isErrorCode(read.data.code)) {
    return new RekeyError("unreachable", "The server, or something before it, answered with a failure.");
  }
  return new RekeyError(read.data.code, read.data.error, read.data.hint);
}

function stranger(base: string): RekeyError {
  const hint = "Check the address; the server may also be of another version than this program.";
  return new RekeyError("wrong-server", `What answers at ${base} is not a Rekey server.`, hint);
}

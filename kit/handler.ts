/** The attestation as a handler for `node:http` and `node:https`, and for frameworks that take such handlers. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type AttestOptions, attestor } from "./attest.js";

/** `authorize` is asked before anything is read: a bearer token, or a client certificate that the server asked for. */
export interface HandlerOptions extends AttestOptions {
  readonly authorize?: (request: IncomingMessage) => boolean | Promise<boolean>;
}

const bodyBytesMax = 4096;
const bodyTimeoutMs = 5000;

/** A handler for `POST`, with the challenge as the body. Mount it on a path of its own; it answers every request it is given. */
export function attestHandler(
  options: HandlerOptions,
): (request: IncomingMessage, response: ServerResponse) => void {
  const attest = attestor(options);
  const answer = async (request: IncomingMessage): Promise<{ status: number; body: object }> => {
    if (request.method !== "POST") return { status: 405, body: { error: "method" } };
    if (options.authorize && !(await options.authorize(request))) {
      return { status: 401, body: { error: "caller" } };
    }
    const token = await bodyOf(request);
    if (token === null) return { status: 413, body: { error: "malformed" } };
    return await attest(token, request.socket.remoteAddress);
  };
  return (request, response) => {
    answer(request)
      .catch(() => ({ status: 500, body: { error: "internal" } }))
      .then(({ status, body }) => {
        response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
        response.end(JSON.stringify(body));
        // What was not read would otherwise be taken for the next request on this connection.
        if (!request.complete) request.destroy();
      });
  };
}

/** An `authorize` that wants `Authorization: Bearer <token>`; `token` is asked for each time, so that it can be rotated. */
export function bearer(token: () => string): (request: IncomingMessage) => boolean {
  return (request) => {
    const given = request.headers.authorization ?? "";
    return timingSafeEqual(digest(given), digest(`Bearer ${token()}`));
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const timer = setTimeout(() => request.destroy(), bodyTimeoutMs);
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > bodyBytesMax) return null;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
  } finally {
    clearTimeout(timer);
  }
}

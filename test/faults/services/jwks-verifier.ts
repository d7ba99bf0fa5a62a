/**
 * A verifier with the cache of the `jose` package, as a gateway has it. It says which keys it would accept, and keeps
 * asking itself whether the tokens that it has accepted are good for as long as they were made to last.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import { unknownKey } from "./jwks-token.js";

const againMs = 250;
const endCheckMs = 250;
const refusalsMax = 1_000;

const cacheMs = Number(process.env.CACHE_MS);
// The cool-down is as long as the cache: an unknown key is not fetched early, which is the worst that is allowed.
const set = createRemoteJWKSet(new URL(process.env.JWKS_URL ?? ""), {
  cacheMaxAge: cacheMs,
  cooldownDuration: cacheMs,
});

/** A token that was accepted, and for how long it is to be. */
interface Accepted {
  readonly token: string;
  readonly kid: string;
  readonly acceptedAt: number;
  readonly expiresAt: number;
}

/** A token that was refused although its time was not over. */
interface Early {
  readonly kid: string;
  readonly acceptedAt: number;
}

let accepted: Accepted[] = [];
let early: Early[] = [];

/** Null where the token passes, else the code of what is wrong with it. */
async function trouble(token: string): Promise<string | null> {
  return jwtVerify(token, set).then(
    () => null,
    (error: { code?: string }) => error.code ?? "error",
  );
}

async function askAgain(): Promise<void> {
  const all = accepted;
  accepted = [];
  for (const one of all) {
    const why = await trouble(one.token);
    const living = Date.now() < one.expiresAt;
    if (why === null && living) accepted.push(one);
    if (why === unknownKey && living)
      early = [...early, { kid: one.kid, acceptedAt: one.acceptedAt }].slice(-refusalsMax);
  }
  setTimeout(() => void askAgain(), againMs).unref();
}

async function answer(request: IncomingMessage, response: ServerResponse, instance: string): Promise<void> {
  const url = new URL(request.url ?? "/", `http://${instance}`);
  const json = (body: object) => void response.end(JSON.stringify(body));
  if (url.pathname === "/early")
    return json(early.filter(({ acceptedAt }) => acceptedAt >= Number(url.searchParams.get("since"))));
  if (url.pathname === "/rekey/keys") {
    if (!set.fresh) await set.reload();
    const kids = (set.jwks()?.keys ?? []).map(({ kid }) => kid);
    return json({ instance, nonce: url.searchParams.get("nonce"), kids });
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const token = Buffer.concat(chunks).toString();
  const acceptedAt = Date.now();
  const why = await trouble(token);
  if (why === null && url.pathname === "/verify") {
    const { kid = "" } = decodeProtectedHeader(token);
    const { exp = 0 } = decodeJwt(token);
    accepted.push({ token, kid, acceptedAt, expiresAt: exp * 1_000 });
  }
  response.statusCode = why === null ? 200 : 401;
  response.end(why ?? "ok");
}

const server = createServer();
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address() as AddressInfo;
const instance = `127.0.0.1:${port}`;
server.on("request", (request, response) => {
  answer(request, response, instance).catch((error: { code?: string }) => {
    response.statusCode = 500;
    response.end(error.code ?? "error");
  });
});
void askAgain();
const parent = process.ppid;
process.on("SIGTERM", () => process.exit(0));
setInterval(() => process.ppid !== parent && process.exit(0), endCheckMs).unref();
process.stdout.write(`${JSON.stringify({ port, attestUrl: `http://${instance}/`, instance })}\n`);

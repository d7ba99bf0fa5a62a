/**
 * What stands around a published key set in the tests, each a process of its own: the user's web server, verifiers
 * of the `jose` package with their caches, and a signer that takes its key from a file with the kit.
 */
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createRemoteJWKSet, importJWK, jwtVerify, SignJWT } from "jose";
import { attestHandler, fromFile, watch } from "../../../kit/index.js";

/** Its first line of output. */
export interface Ready {
  readonly instance: string;
  readonly url: string;
}

const env = process.env as Record<string, string>;
type Answer = (request: IncomingMessage, response: ServerResponse, url: URL) => unknown;

/** Serves the document as it is on the disk; told so, it goes on with what it last served. */
function webServer(): Answer {
  let frozen: string | null = null;
  return async (request, response, url) => {
    const file = url.pathname === "/other.json" ? env.OTHER_FILE : env.FILE;
    if (url.pathname === "/freeze")
      frozen = request.method === "PUT" ? await readFile(env.FILE ?? "", "utf8") : null;
    response.setHeader("content-type", "application/jwk-set+json");
    response.end(frozen ?? (await readFile(file ?? "", "utf8")));
  };
}

/** Verifies what is posted to it, and says which keys it would verify with now. */
function verifier(instance: string): Answer {
  const cacheMs = Number(env.CACHE_MS);
  // The cool-down is as long as the cache: an unknown key is not fetched early, which is the worst that is allowed.
  const set = createRemoteJWKSet(new URL(env.JWKS_URL ?? ""), {
    cacheMaxAge: cacheMs,
    cooldownDuration: cacheMs,
  });
  return async (request, response, url) => {
    if (url.pathname === "/rekey/keys") {
      if (!set.fresh) await set.reload();
      const kids = (set.jwks()?.keys ?? []).map(({ kid }) => kid);
      return response.end(
        JSON.stringify({ instance: env.INSTANCE ?? instance, nonce: url.searchParams.get("nonce"), kids }),
      );
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    try {
      await jwtVerify(Buffer.concat(chunks).toString(), set);
      response.end("ok");
    } catch (error) {
      response.statusCode = 401;
      response.end(String((error as { code?: string }).code));
    }
  };
}

/** Signs a token whenever it is asked to, with the key that it holds, and attests to that. */
async function signer(instance: string): Promise<Answer> {
  const credential = await watch({ load: fromFile(env.STORE_FILE ?? ""), intervalMs: 0 });
  const attest = attestHandler({
    watch: credential,
    keys: JSON.parse(env.ENGINE_JWK ?? ""),
    credential: env.CREDENTIAL ?? "",
    consumer: env.CONSUMER ?? "",
    instance,
  });
  return async (request, response, url) => {
    if (url.pathname === "/rekey/attest") return attest(request, response);
    const { current } = credential;
    const jwk = JSON.parse(current.password);
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: jwk.alg, kid: current.username ?? "" })
      .setIssuedAt()
      .setExpirationTime(new Date(Date.now() + Number(env.TOKEN_MS)))
      .sign(await importJWK(jwk, jwk.alg));
    credential.reportWorking(current);
    response.end(token);
  };
}

const server = createServer();
await new Promise<void>((resolve) => server.listen(Number(env.PORT ?? 0), "127.0.0.1", resolve));
const own = `127.0.0.1:${(server.address() as AddressInfo).port}`;
const answer = env.ROLE === "web" ? webServer() : env.ROLE === "verifier" ? verifier(own) : await signer(own);
server.on("request", (request, response) => {
  Promise.resolve(answer(request, response, new URL(request.url ?? "/", `http://${own}`))).catch(() => {
    response.statusCode = 500;
    response.end();
  });
});
const ready: Ready = { instance: own, url: `http://${own}` };
process.stdout.write(`${JSON.stringify(ready)}\n`);

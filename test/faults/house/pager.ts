/** Whoever is told by the engine: takes signed notices, and keeps what stands in them for the search for values (I6). */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { appendFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

/** A receiver of one lane. */
export interface Pager {
  /** Its section of the estate. */
  readonly section: Readonly<Record<string, unknown>>;
  /** Where notices stand as they came, one a line. */
  readonly file: string;
  stop(): Promise<void>;
}

/** Opens one; what is not signed with its key is refused. */
export async function openPager(folder: string): Promise<Pager> {
  const key = randomBytes(24).toString("base64url");
  const [keyFile, file] = [join(folder, "pager-key"), join(folder, "pages")];
  await Promise.all([writeFile(keyFile, key, { mode: 0o600 }), writeFile(file, "", { mode: 0o600 })]);
  const taken = async (request: IncomingMessage): Promise<number> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString("utf8");
    if (!isSigned(String(request.headers["rekey-signature"] ?? ""), body, key)) return 401;
    await appendFile(file, `${body}\n`);
    return 204;
  };
  const server = createServer((request, response) => {
    taken(request).then(
      (status) => response.writeHead(status).end(),
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    section: { kind: "webhook", url: `http://127.0.0.1:${port}/`, secret: `file:${keyFile}` },
    file,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** `t=SECONDS,v1=HMAC` over the seconds and the body. */
function isSigned(signature: string, body: string, key: string): boolean {
  const [, at = "", mac = ""] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(signature) ?? [];
  const wanted = createHmac("sha256", key).update(`${at}.${body}`).digest();
  return mac !== "" && timingSafeEqual(wanted, Buffer.from(mac, "hex"));
}

/**
 * Makes release archives and serves them over loopback HTTP, so that the download of development programs is
 * tried for real without the vendors' servers.
 */

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { deflateRawSync, gzipSync } from "node:zlib";
import type { ProgramPin } from "../../worker/dev/pins.js";

/** A tar.gz with these files, in POSIX format. */
export function tarGz(files: Readonly<Record<string, string>>): Buffer {
  const parts: Buffer[] = [];
  for (const [name, content] of Object.entries(files)) {
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write("0000755\0", 100);
    header.write(`${content.length.toString(8).padStart(11, "0")} `, 124);
    header.write("0", 156);
    header.write("ustar\x0000", 257);
    parts.push(header, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512));
  }
  return gzipSync(Buffer.concat([...parts, Buffer.alloc(1024)]));
}

/** A zip with these files, deflated. */
export function zip(files: Readonly<Record<string, string>>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, content] of Object.entries(files)) {
    const packed = deflateRawSync(Buffer.from(content));
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(8, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(content.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(at, 42);
    parts.push(local, Buffer.from(name), packed);
    directory.push(entry, Buffer.from(name));
    at += 30 + name.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

/** A program's pin as a test wants it: one platform, the given archive's true sum. */
export function pinOf(name: string, archive: Buffer, format: "tar.gz" | "zip"): ProgramPin {
  return {
    name,
    version: "1.0.0",
    envName: "REKEY_TOOL_BIN",
    onPath: [name, "other-name"],
    baseUrl: { envName: "REKEY_TOOL_DOWNLOADS", default: "http://127.0.0.1:9" },
    releasePath: (platform) => `v1/${name}_${platform}`,
    archive: format,
    member: name,
    sha256: { any_arch: createHash("sha256").update(archive).digest("hex") },
    go: { folder: "none", package: "none" },
  };
}

/** How the release server behaves. */
export interface ReleaseServer {
  readonly url: string;
  /** Paths that were asked for, in order. */
  readonly asked: string[];
  stop(): Promise<void>;
}

/** Serves `body` at every path after `delayMs`; `body` undefined accepts requests and never answers. */
export async function serveRelease(body: Buffer | undefined, delayMs = 0): Promise<ReleaseServer> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    if (body !== undefined) setTimeout(() => response.end(body), delayMs);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, stop };
}

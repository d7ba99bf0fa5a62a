/** The bytes of a file that is read by records: plain or gzip, from where an earlier scan stopped, and what is wrong with them. */
import { type FileHandle, open } from "node:fs/promises";
import type { Readable } from "node:stream";
import { constants, createGunzip } from "node:zlib";
import { translated } from "./file-errors.js";
import { type ByteSource, StreamBytes } from "./source-log-records.js";

/** Bytes that can be looked at before they are read, and that have an end. */
export interface OpenBytes extends ByteSource {
  readonly compressed: boolean;
  /** The first bytes, at most so many; reading begins with them all the same. */
  head(bytes: number): Promise<Buffer>;
  /** Goes to that byte, before anything was read; where it came to, which is less where they end before. */
  skipTo(offset: number): Promise<number>;
  /** Why they end, where that is no proper end. */
  readonly damage: string | undefined;
  close(): Promise<void>;
}

/** Beginnings of what cannot be read as text, with what it is. */
const foreign: readonly (readonly [number[], string])[] = [
  [[0xff, 0xfe], "is UTF-16; only UTF-8 is read"],
  [[0xfe, 0xff], "is UTF-16; only UTF-8 is read"],
  [[0x28, 0xb5, 0x2f, 0xfd], "is compressed by zstd; only gzip is read"],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], "is compressed by xz; only gzip is read"],
  [[0x42, 0x5a, 0x68], "is compressed by bzip2; only gzip is read"],
];

/** Why nothing that begins like this is read; undefined for everything else. */
export function foreignTo(head: Buffer): string | undefined {
  return foreign.find(
    ([mark]) => head.length >= mark.length && mark.every((byte, at) => head[at] === byte),
  )?.[1];
}

const pieceBytes = 256 << 10;

/** Opens a file, of which no byte behind `size` is read. Throws as files do, in our words. */
export async function openFile(path: string, size: number): Promise<OpenBytes> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, "r");
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    if (bytesRead === 2 && isGzip(buffer)) {
      await handle.close();
      const raw = async () => (await open(path, "r")).createReadStream({ highWaterMark: pieceBytes });
      return new GzipBytes(raw, (error) => translated(error, path));
    }
    return new PlainBytes(path, handle, size);
  } catch (error) {
    await handle?.close().catch(() => undefined);
    throw translated(error, path);
  }
}

/** The first two bytes of gzip. */
export function isGzip(head: Buffer): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

class PlainBytes implements OpenBytes {
  readonly compressed = false;
  readonly damage = undefined;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #size: number;
  #at = 0;

  constructor(path: string, handle: FileHandle, size: number) {
    this.#path = path;
    this.#handle = handle;
    this.#size = size;
  }

  async head(bytes: number): Promise<Buffer> {
    const buffer = Buffer.alloc(Math.min(bytes, this.#size));
    let got = 0;
    while (got < buffer.length) {
      const read = await this.#read(buffer, got, got);
      if (read === 0) break;
      got += read;
    }
    return buffer.subarray(0, got);
  }

  async skipTo(offset: number): Promise<number> {
    this.#at = Math.min(offset, this.#size);
    return this.#at;
  }

  async fill(into: Buffer, at: number): Promise<number> {
    const got = await this.#read(into, at, this.#at);
    this.#at += got;
    return got;
  }

  async #read(into: Buffer, at: number, position: number): Promise<number> {
    const length = Math.min(into.length - at, this.#size - position);
    if (length <= 0) return 0;
    try {
      return (await this.#handle.read(into, at, length, position)).bytesRead;
    } catch (error) {
      throw translated(error, this.#path);
    }
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

/** Decompressed bytes. `raw` gives the compressed ones from the beginning, as often as it is asked. */
export class GzipBytes implements OpenBytes {
  readonly compressed = true;
  damage: string | undefined = undefined;
  readonly #raw: () => Promise<Readable>;
  readonly #translate: (error: unknown) => Error;
  #bytes: StreamBytes | undefined;
  #end: () => void = () => undefined;
  /** Bytes that were handed out. */
  #at = 0;
  /** What `head` read ahead. */
  #ahead: Buffer = Buffer.alloc(0);

  constructor(raw: () => Promise<Readable>, translate: (error: unknown) => Error) {
    this.#raw = raw;
    this.#translate = translate;
  }

  async head(bytes: number): Promise<Buffer> {
    const buffer = Buffer.alloc(bytes);
    let got = 0;
    while (got < bytes) {
      const read = await this.fill(buffer, got);
      if (read === 0) break;
      got += read;
    }
    this.#ahead = buffer.subarray(0, got);
    this.#at -= got;
    return this.#ahead;
  }

  async skipTo(offset: number): Promise<number> {
    const bin = Buffer.allocUnsafe(pieceBytes);
    while (this.#at < offset) {
      const left = offset - this.#at;
      if ((await this.fill(left < bin.length ? bin.subarray(0, left) : bin, 0)) === 0) break;
    }
    return this.#at;
  }

  async fill(into: Buffer, at: number): Promise<number> {
    if (this.#ahead.length > 0) {
      const copied = this.#ahead.copy(into, at);
      this.#ahead = this.#ahead.subarray(copied);
      this.#at += copied;
      return copied;
    }
    try {
      this.#bytes ??= await this.#decompressed(false);
      const got = await this.#bytes.fill(into, at);
      this.#at += got;
      return got;
    } catch (error) {
      return this.#broken(error, into, at);
    }
  }

  /**
   * A decompressor that fails throws away what it still held. Where the input only ends too early it is begun again, and told
   * to give everything that there is.
   */
  async #broken(error: unknown, into: Buffer, at: number): Promise<number> {
    const { code } = error as { code?: unknown };
    if (typeof code !== "string" || !code.startsWith("Z_")) throw this.#translate(error);
    if (this.damage !== undefined) return 0;
    if (code !== "Z_BUF_ERROR") {
      this.damage = "is damaged from about here: what is compressed does not decompress";
      return 0;
    }
    this.damage = "ends here in the middle of what is compressed";
    this.#end();
    this.#bytes = await this.#decompressed(true);
    await this.#bytes.skip(this.#at);
    return this.fill(into, at);
  }

  async #decompressed(cut: boolean): Promise<StreamBytes> {
    const raw = await this.#raw();
    const out = createGunzip({
      chunkSize: pieceBytes,
      ...(cut ? { finishFlush: constants.Z_SYNC_FLUSH } : {}),
    });
    raw.on("error", (error) => out.destroy(error));
    raw.pipe(out);
    this.#end = () => {
      raw.destroy();
      out.destroy();
    };
    return new StreamBytes(out);
  }

  async close(): Promise<void> {
    this.#end();
  }
}

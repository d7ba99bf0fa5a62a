/** The bytes of one object of a bucket while they come over the wire: plain or gzip, each piece with a deadline. */
import { Readable } from "node:stream";
import { RekeyError } from "../../domain/errors.js";
import type { Call } from "../ports.js";
import { orWhenOver, within } from "../shared/retry.js";
import { GzipBytes, isGzip } from "../shared/source-log-bytes.js";
import { type ByteSource, StreamBytes } from "../shared/source-log-records.js";

/** What an object holds. A connection that breaks off is an error, and never the end of the object. */
export class ObjectBytes implements ByteSource {
  readonly #body: Readable;
  readonly #again: () => Promise<Readable>;
  readonly #server: string;
  readonly #call: Call;
  readonly #timeoutMs: number;
  #bytes: StreamBytes | GzipBytes | undefined;

  constructor(body: Readable, again: () => Promise<Readable>, server: string, call: Call, timeoutMs: number) {
    this.#body = body;
    this.#again = again;
    this.#server = server;
    this.#call = call;
    this.#timeoutMs = timeoutMs;
  }

  get damage(): string | undefined {
    return this.#bytes instanceof GzipBytes ? this.#bytes.damage : undefined;
  }

  async fill(into: Buffer, at: number): Promise<number> {
    const { signal } = within(this.#call, this.#timeoutMs);
    const lost = () => new RekeyError("unreachable", `${this.#server} broke off in the middle of an object.`);
    try {
      return await orWhenOver(this.#fill(into, at), signal, lost);
    } catch (error) {
      throw error instanceof RekeyError ? error : lost();
    }
  }

  async #fill(into: Buffer, at: number): Promise<number> {
    this.#bytes ??= await this.#begin();
    return this.#bytes.fill(into, at);
  }

  /** The first bytes tell whether it is compressed. */
  async #begin(): Promise<StreamBytes | GzipBytes> {
    const pieces = this.#body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const parts: Buffer[] = [];
    while (parts.reduce((sum, { length }) => sum + length, 0) < 2) {
      const { done, value } = await pieces.next();
      if (done === true) break;
      parts.push(value);
    }
    const head = Buffer.concat(parts);
    const whole = async function* () {
      if (head.length > 0) yield head;
      for (;;) {
        const { done, value } = await pieces.next();
        if (done === true) return;
        yield value;
      }
    };
    if (!isGzip(head)) return new StreamBytes(whole());
    let first: Readable | undefined = Readable.from(whole());
    const raw = async () => {
      const stream = first ?? (await this.#again());
      first = undefined;
      return stream;
    };
    return new GzipBytes(raw, (error) => (error instanceof Error ? error : new Error("unknown")));
  }

  async skipTo(offset: number): Promise<number> {
    const bin = Buffer.allocUnsafe(1 << 16);
    let at = 0;
    while (at < offset) {
      const left = offset - at;
      const got = await this.fill(left < bin.length ? bin.subarray(0, left) : bin, 0);
      if (got === 0) break;
      at += got;
    }
    return at;
  }

  async close(): Promise<void> {
    if (this.#bytes instanceof GzipBytes) await this.#bytes.close();
    this.#body.destroy();
  }
}

/**
 * A trail's bucket: its objects region by region in the order of their names, which is the order of days. An object never
 * changes, so the cursor keeps the names of the last days' objects only, and listing begins there.
 */
import { Readable } from "node:stream";
import type { S3Client } from "@aws-sdk/client-s3";
import { z } from "zod";
import { RekeyError } from "../../domain/errors.js";
import type { AdapterDeps, Call } from "../ports.js";
import { AwsCalls, clientOptions, publicEndpoint, Refused } from "../shared/aws.js";
import { lazily } from "../shared/lazily.js";
import { unreadableCursor } from "../shared/source-cursor.js";
import { type FileSink, recordsInto } from "../shared/source-log-files.js";
import { unlessOver } from "../shared/source-log-part.js";
import { RecordReader, recordBytesMax, type Splitter, windowBytes } from "../shared/source-log-records.js";
import { ObjectBytes } from "./cloudtrail-object.js";
import { type CloudtrailConfig, regionsRead } from "./cloudtrail-schema.js";

const s3 = lazily<typeof import("@aws-sdk/client-s3")>("@aws-sdk/client-s3");

type S3Config = Extract<CloudtrailConfig["from"], { method: "s3" }>;

/** Days before the newest one of which objects are still looked for: AWS delivers within minutes, and seldom late. */
const lateDays = 3;

const regionState = z.strictObject({
  /** Everything up to here was read, or is not looked for any more. */
  after: z.string(),
  /** Names behind that which were read, without the region's prefix. */
  read: z.array(z.string()),
  /** The object in which the scan stopped. */
  within: z.strictObject({ name: z.string(), offset: z.int().nonnegative(), mode: z.string() }).nullable(),
});
const cursorSchema = z.strictObject({ v: z.literal(1), regions: z.record(z.string(), regionState) });

interface RegionState {
  after: string;
  read: Set<string>;
  within: { name: string; offset: number; mode: string } | null;
}

/** Lists and reads the objects. */
export class TrailBucket {
  readonly #from: S3Config;
  readonly #prefix: string;
  readonly #regions: readonly string[];
  readonly #owner: string;
  readonly #server: string;
  readonly #client: S3Client;
  readonly #calls: AwsCalls;

  constructor(config: CloudtrailConfig, from: S3Config, deps: AdapterDeps) {
    const { account, region } = config;
    const at = from.bucketRegion ?? region;
    this.#from = from;
    this.#prefix = from.prefix ?? `AWSLogs/${account}/CloudTrail/`;
    this.#regions = regionsRead(config);
    this.#owner = from.bucketAccount ?? account;
    this.#server = `the bucket ${from.bucket}`;
    const settings = {
      account: this.#owner,
      region: at,
      auth: from.auth,
      timeout: from.timeout,
      endpoint: from.endpoint,
    };
    this.#client = new (s3().S3Client)({
      ...clientOptions(settings, from.endpoint ?? publicEndpoint("s3", at), deps),
      forcePathStyle: from.endpoint !== undefined,
    });
    this.#calls = new AwsCalls("s3", this.#server, from.timeout);
  }

  /** Whether any object of the trail is there. */
  async any(call: Call): Promise<boolean> {
    for (const region of this.#regions) {
      const { names } = await this.#list(region, this.#first(), undefined, call);
      if (names.length > 0) return true;
    }
    return false;
  }

  /** Reads what is new, as `readFiles` does. */
  async *read(
    splitter: (mode: string) => Splitter,
    cursor: string | null,
    sink: FileSink,
    call: Call,
  ): AsyncGenerator<() => string> {
    const states = statesIn(cursor);
    const now = () => stateText(states);
    // One for all objects of the scan.
    const window = Buffer.allocUnsafe(windowBytes);
    for (const region of this.#regions) {
      const state = states.get(region) ?? { after: this.#first(), read: new Set(), within: null };
      states.set(region, state);
      const { after } = state;
      let [page, objects]: [string | undefined, number] = [undefined, 0];
      let today = "";
      do {
        const { names, next } = await this.#list(region, after, page, call);
        objects += names.length;
        for (const name of names) {
          if (state.read.has(name)) continue;
          for await (const _ of this.#object(region, name, state, splitter, { sink, window }, call))
            yield now;
          state.read.add(name);
          state.within = null;
          if (name.slice(0, dayChars) !== today) forget(state);
          today = name.slice(0, dayChars);
          yield now;
        }
        page = next;
      } while (page !== undefined);
      if (objects === 0)
        sink.gap(`${this.#server} has no object of the trail for ${region}.`, { again: true });
      forget(state);
    }
    yield now;
  }

  close(): void {
    this.#client.destroy();
  }

  /** Names are relative to the region's prefix. */
  #first(): string {
    const { since } = this.#from;
    return since === undefined ? "" : since.replaceAll("-", "/");
  }

  async #list(
    region: string,
    after: string,
    page: string | undefined,
    call: Call,
  ): Promise<{ names: string[]; next: string | undefined }> {
    const Prefix = `${this.#prefix}${region}/`;
    const answer = await this.#calls.ask("ListBucket", ["NoSuchBucket"], call, (options) =>
      this.#client.send(
        new (s3().ListObjectsV2Command)({
          Bucket: this.#from.bucket,
          Prefix,
          ExpectedBucketOwner: this.#owner,
          ...(after === "" ? {} : { StartAfter: `${Prefix}${after}` }),
          ...(page === undefined ? {} : { ContinuationToken: page }),
        }),
        options,
      ),
    );
    if (answer instanceof Refused)
      throw new RekeyError("not-found", `There is no bucket ${this.#from.bucket}.`);
    const names = (answer.Contents ?? []).flatMap(({ Key }) =>
      Key === undefined || Key.endsWith("/") ? [] : [Key.slice(Prefix.length)],
    );
    return { names, next: answer.IsTruncated === true ? answer.NextContinuationToken : undefined };
  }

  async *#object(
    region: string,
    name: string,
    state: RegionState,
    makeSplitter: (mode: string) => Splitter,
    { sink, window }: { sink: FileSink; window: Buffer },
    call: Call,
  ): AsyncGenerator<void> {
    const Key = `${this.#prefix}${region}/${name}`;
    sink.begin(`${this.#from.bucket}/${Key}`, []);
    const begun = state.within?.name === name ? state.within : { offset: 0, mode: "" };
    const opened = await this.#open(Key, call);
    if (opened === undefined) {
      sink.gap(`${this.#server} had the object ${Key} and has it no more; nothing in it was seen.`);
      return;
    }
    try {
      const offset = await opened.skipTo(begun.offset);
      const splitter = makeSplitter(begun.mode);
      const records = new RecordReader(opened, splitter, recordsInto(sink), offset, recordBytesMax, window);
      while (await records.more()) {
        unlessOver(call.signal, this.#server);
        state.within = { name, offset: records.offset, mode: splitter.mode };
        yield;
      }
      const { damage } = opened;
      if (damage !== undefined) sink.malformed(records.offset, damage);
      else if (splitter.open || records.passing)
        sink.malformed(records.offset, "is a record without an end; the object ends in the middle of it");
    } finally {
      await opened.close();
    }
  }

  /** The object's bytes, decompressed where they are compressed; undefined where it is gone. */
  async #open(Key: string, call: Call): Promise<ObjectBytes | undefined> {
    const body = await this.#body(Key, call);
    if (body === undefined) return undefined;
    return new ObjectBytes(body, () => this.#again(Key, call), this.#server, call, this.#from.timeout);
  }

  async #again(Key: string, call: Call): Promise<Readable> {
    const body = await this.#body(Key, call);
    if (body === undefined)
      throw new RekeyError("unreachable", `${this.#server} lost an object while it was read.`);
    return body;
  }

  async #body(Key: string, call: Call): Promise<Readable | undefined> {
    const answer = await this.#calls.ask("GetObject", ["NoSuchKey"], call, (options) =>
      this.#client.send(
        new (s3().GetObjectCommand)({ Bucket: this.#from.bucket, Key, ExpectedBucketOwner: this.#owner }),
        options,
      ),
    );
    if (answer instanceof Refused) return undefined;
    if (!(answer.Body instanceof Readable))
      throw new RekeyError("unreachable", `${this.#server} gave no answer that can be used.`);
    return answer.Body;
  }
}

function statesIn(cursor: string | null): Map<string, RegionState> {
  if (cursor === null) return new Map();
  let content: unknown;
  try {
    content = JSON.parse(cursor);
  } catch {
    content = null;
  }
  const { success, data } = cursorSchema.safeParse(content);
  if (!success) throw unreadableCursor();
  return new Map(
    Object.entries(data.regions).map(([region, state]) => [region, { ...state, read: new Set(state.read) }]),
  );
}

function stateText(states: ReadonlyMap<string, RegionState>): string {
  const regions = Object.fromEntries(
    [...states].map(([region, { after, read, within: inside }]) => [
      region,
      { after, read: [...read], within: inside },
    ]),
  );
  return JSON.stringify({ v: 1, regions });
}

/** `2026/01/31`. */
const dayChars = 10;
const day = /^(\d{4})\/(\d{2})\/(\d{2})\//;

/** Lets go of the names of days that are so far back that nothing is delivered there any more. */
function forget(state: RegionState): void {
  const days = [...state.read].flatMap((name) => (day.test(name) ? [name.slice(0, dayChars)] : []));
  const newest = days.sort().at(-1);
  if (newest === undefined) return;
  const from = new Date(Date.parse(newest.replaceAll("/", "-")) - lateDays * 86_400_000)
    .toISOString()
    .slice(0, dayChars)
    .replaceAll("-", "/");
  if (from > state.after) state.after = from;
  state.read = new Set([...state.read].filter((name) => name > state.after));
}

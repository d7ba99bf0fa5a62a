/** The source `cloudtrail` on a folder, and on a bucket that moto keeps. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { motoServer } from "../../setup/servers.js";
import {
  largeCount,
  leakedAddress,
  oddName,
  type SourceWorld,
  scanned,
  sourceContract,
  together,
} from "../source.js";
import {
  accessSecret,
  account,
  region,
  roleArn,
  secretArn,
  secretRead,
  session,
  trailEvent,
  trailFile,
  trailSource,
  user,
} from "./trail-events.js";

const password = `canary-${"p&ss/w"}rd+ü-of-a-trail`;
const readBy = (role: string, secret: string) =>
  `reader(role=${roleArn(role)}) uses place(secrets ${secret}) read`;

/** What every world begins with. */
const beginning = trailFile(
  secretRead("orders", "apps/orders/db"),
  secretRead("billing", secretArn("apps/billing/db")),
  // None of them says anything; the last asks for something by a value.
  secretRead("refused", "apps/orders/db", { errorCode: "AccessDenied" }),
  trailEvent(session("lists"), { eventName: "ListSecrets" }),
  trailEvent(session("writes"), {
    eventName: "PutSecretValue",
    requestParameters: { secretId: "apps/orders/db", secretString: password },
  }),
);
const shown = [readBy("orders", "apps/orders/db"), readBy("billing", "apps/billing/db")];

/** A world over something that takes files by name. */
function worldOf(
  put: (name: string, bytes: Buffer) => Promise<void>,
  from: object,
  nowhere: object,
  close: () => Promise<void>,
): SourceWorld {
  let files = 0;
  const add = async (text: string) => put(`${account}_${++files}.json.gz`, gzipSync(text));
  return {
    shows: "log",
    open: () => trailSource(from),
    openUnreachable: () => trailSource(nowhere),
    shown,
    whole: true,
    plant: async () => {
      await add(trailFile(secretRead("planted", "apps/orders/db")));
      return readBy("planted", "apps/orders/db");
    },
    spoil: async () => {
      const [before, after] = [secretRead("before", "a/b"), secretRead("behind", "a/b")].map((one) =>
        JSON.stringify(one),
      );
      await add(`{"Records":[${before},{"eventTime": ${password}},${after}]}`);
      return readBy("behind", "a/b");
    },
    leak: () =>
      add(
        trailFile(
          secretRead("leaks", leakedAddress),
          trailEvent(user("leaks"), { eventName: "ListBuckets", userAgent: `shop (+${leakedAddress})` }),
        ),
      ),
    odd: async () => {
      await add(
        trailFile(
          trailEvent(user(oddName), { eventName: "ListBuckets", userAgent: oddName }),
          secretRead(oddName, "a/b"),
          secretRead("odd", oddName),
          secretRead("behind", "a/b"),
        ),
      );
      return readBy("behind", "a/b");
    },
    large: async () => {
      await add(
        trailFile(...Array.from({ length: largeCount }, (_, number) => secretRead(`many${number}`, "a/b"))),
      );
      const last = `${account}_last.json.gz`;
      await put(last, gzipSync(trailFile(secretRead("last", "a/b"))));
      return {
        edges: largeCount,
        late: async () => {
          await put(last, gzipSync(trailFile(secretRead("late", "a/b"))));
          return readBy("late", "a/b");
        },
      };
    },
    values: [password, accessSecret],
    close,
  };
}

sourceContract("cloudtrail in a folder", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rekey-trail-"));
  await writeFile(join(folder, "first.json"), beginning);
  return worldOf(
    (name, bytes) => writeFile(join(folder, name), bytes),
    { method: "files", paths: [folder] },
    { method: "files", paths: [join(folder, "none")] },
    () => rm(folder, { recursive: true, force: true }),
  );
});

interface Bucket {
  readonly from: object;
  put(name: string, bytes: Buffer | string): Promise<void>;
  remove(name: string): Promise<void>;
  close(): Promise<void>;
}

async function bucketOf(more: object = {}): Promise<Bucket> {
  const { address } = await motoServer();
  const credentials = { accessKeyId: "key", secretAccessKey: accessSecret };
  const client = new S3Client({ region, endpoint: address, credentials, forcePathStyle: true });
  const bucket = `trail-${randomBytes(6).toString("hex")}`;
  await client.send(
    new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: region } }),
  );
  const keyOf = (name: string) =>
    `AWSLogs/${account}/CloudTrail/${name.includes("/") ? name : `${region}/2026/02/03/${name}`}`;
  return {
    from: {
      method: "s3",
      bucket,
      endpoint: address,
      auth: { method: "keys", accessKeyId: "env:KEY", secretAccessKey: "env:SECRET" },
      ...more,
    },
    put: async (name, bytes) => {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: keyOf(name), Body: bytes }));
    },
    remove: async (name) => {
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: keyOf(name) }));
    },
    close: async () => client.destroy(),
  };
}

sourceContract("cloudtrail in a bucket", async () => {
  const bucket = await bucketOf();
  await bucket.put(`${account}_0.json`, Buffer.from(beginning));
  return worldOf(bucket.put, bucket.from, { ...bucket.from, endpoint: "http://127.0.0.1:1" }, bucket.close);
});

describe("a trail's bucket", () => {
  let bucket: Bucket;
  beforeEach(async () => {
    bucket = await bucketOf();
  });
  afterEach(() => bucket.close());
  const day = (number: number, name: string) =>
    `${region}/2026/02/${String(number).padStart(2, "0")}/${name}.json.gz`;
  const file = (role: string) => gzipSync(trailFile(secretRead(role, "a/b")));

  it("forgets the names of days long past, and reads none of them again", async () => {
    for (let number = 1; number <= 20; number++) await bucket.put(day(number, "one"), file(`r${number}`));
    const first = await scanned(trailSource(bucket.from));
    expect(together(first).records).toBe(20);
    const cursor = first.at(-1)?.cursor ?? "";
    expect(cursor).not.toContain("2026/02/16");
    expect(cursor).toContain("2026/02/18");
    await bucket.put(day(18, "late"), file("late"));
    await bucket.put(day(21, "next"), file("next"));
    const second = await scanned(trailSource(bucket.from), cursor);
    expect(together(second).edges.map(([key]) => key)).toEqual([
      expect.stringContaining(roleArn("late")),
      expect.stringContaining(roleArn("next")),
    ]);
  });

  it("begins with the day that it is told to, and reads the regions that it is told to", async () => {
    await bucket.put(day(1, "old"), file("old"));
    await bucket.put(day(9, "new"), file("new"));
    await bucket.put(
      "us-east-1/2026/02/09/iam.json.gz",
      gzipSync(
        trailFile(trailEvent(user("maker"), { eventSource: "sts.amazonaws.com", awsRegion: "us-east-1" })),
      ),
    );
    const source = trailSource({ ...bucket.from, since: "2026-02-05", regions: [region, "us-east-1"] });
    expect(together(await scanned(source)).edges.map(([key]) => key)).toEqual([
      expect.stringContaining("account(aws maker)"),
      expect.stringContaining(roleArn("new")),
    ]);
  });

  it("goes on inside an object that is larger than a part", async () => {
    const events = Array.from({ length: 3_000 }, (_, index) => secretRead(`r${index % 40}`, "a/b"));
    await bucket.put(day(1, "large"), gzipSync(trailFile(...events)));
    const source = () => trailSource(bucket.from, {}, { entries: 1_000, records: 500 });
    const parts = await scanned(source());
    expect(parts.length).toBeGreaterThan(2);
    for (const [index, { cursor }] of parts.entries()) {
      const rest = await scanned(source(), cursor);
      expect(together([...parts.slice(0, index + 1), ...rest])).toEqual(together(parts));
    }
  });

  it("says that it holds nothing, that an object is cut, and that there is no such bucket", async () => {
    const [empty] = await scanned(trailSource(bucket.from));
    expect(empty?.gaps).toEqual([expect.stringContaining("no object of the trail")]);
    const bytes = file("cut");
    await bucket.put(day(1, "cut"), bytes.subarray(0, bytes.length - 30));
    const [cut] = await scanned(trailSource(bucket.from));
    expect(cut?.malformed).toEqual([
      { where: expect.stringContaining("2026/02/01/cut"), why: expect.stringContaining("in the middle") },
    ]);
    const none = trailSource({ ...bucket.from, bucket: "of-nobody-at-all" });
    await expect(scanned(none)).rejects.toMatchObject({ code: "not-found" });
    await bucket.remove(day(1, "cut"));
  });
});

/** What events of CloudTrail say, and the shapes of documents in which they lie. */
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ScanPart } from "../../../domain/discovery/said.js";
import { edgeText, scanned, together } from "../source.js";
import { scannedWhileGrowing } from "./growing.js";
import {
  account,
  roleArn,
  secretArn,
  secretRead,
  session,
  trailEvent,
  trailFile,
  trailNowMs,
  trailSource,
  user,
} from "./trail-events.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rekey-trail-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const scan = (more: object = {}, cursor: string | null = null) =>
  scanned(trailSource({ method: "files", paths: [folder] }, more), cursor);
const claimsOf = (parts: readonly ScanPart[]) => parts.flatMap((part) => part.claims);
const malformed = (parts: readonly ScanPart[]) => parts.flatMap((part) => part.malformed);

async function says(more: object, ...events: object[]): Promise<string[]> {
  await writeFile(join(folder, "one.json"), trailFile(...events));
  return claimsOf(await scan(more)).map(edgeText);
}

describe("secrets", () => {
  const read = `reader(role=${roleArn("orders")}) uses place(secrets apps/db) read`;

  it("are named by their names and by ARNs, with and without the six characters", async () => {
    const partial = secretArn("apps/db").slice(0, -7);
    const edges = await says(
      {},
      ...["apps/db", secretArn("apps/db"), partial].map((id) => secretRead("orders", id)),
    );
    expect(edges).toEqual([read]);
  });

  it("are two where an ARN may be either's: with six characters, or without, of a name that ends like them", async () => {
    const place = (name: string) => `reader(role=${roleArn("orders")}) uses place(secrets ${name}) read`;
    const arn = secretArn("x").slice(0, -8);
    expect(await says({}, secretRead("orders", `${arn}prod-orders`))).toEqual([
      place("prod"),
      place("prod-orders"),
    ]);
    expect(await says({}, secretRead("orders", `${arn}prod-orders-aB3xYz`))).toEqual([place("prod-orders")]);
  });

  it("are read in the regions of their replicas too, and one that goes elsewhere is a gap", async () => {
    const replica = trailEvent(session("admin"), {
      eventName: "ReplicateSecretToRegions",
      requestParameters: { secretId: "apps/db", addReplicaRegions: [{ region: "us-east-1" }] },
    });
    const events = [
      secretRead("orders", "apps/db", { awsRegion: "us-east-1" }),
      secretRead("billing", secretArn("apps/db", "us-east-1"), { awsRegion: "us-east-1" }),
      replica,
      replica,
    ];
    expect(await says({}, ...events)).toEqual([]);
    expect((await scan({})).flatMap(({ gaps }) => gaps)).toEqual([
      "apps/db was replicated to us-east-1, whose reads are not counted: name the region in `replicaRegions`.",
    ]);
    expect(await says({ replicaRegions: ["us-east-1"] }, ...events)).toEqual([
      read,
      `reader(role=${roleArn("billing")}) uses place(secrets apps/db) read`,
    ]);
    expect((await scan({ replicaRegions: ["us-east-1"] })).flatMap(({ gaps }) => gaps)).toEqual([]);
  });

  it("are those of the account and region alone", async () => {
    expect(
      await says(
        {},
        secretRead("orders", secretArn("apps/db", "us-east-1")),
        secretRead("orders", secretArn("apps/db", "eu-central-1", "999999999999")),
        secretRead("orders", "apps/db", { awsRegion: "us-east-1" }),
        secretRead("orders", "apps/db", { recipientAccountId: "999999999999" }),
      ),
    ).toEqual([]);
  });

  it("are each one of a batch", async () => {
    const batch = {
      eventName: "BatchGetSecretValue",
      requestParameters: { secretIdList: ["a/b", secretArn("c/d")] },
    };
    expect(await says({}, trailEvent(session("orders"), batch))).toEqual([
      `reader(role=${roleArn("orders")}) uses place(secrets a/b) read`,
      `reader(role=${roleArn("orders")}) uses place(secrets c/d) read`,
    ]);
  });

  it("are read by sessions, users, services, and people from elsewhere, by what tells them", async () => {
    const readOf = { requestParameters: { secretId: "apps/db" } };
    expect(
      await says(
        { issuer: undefined },
        trailEvent(user("reader"), readOf),
        trailEvent(
          { type: "AWSService", invokedBy: "batch.amazonaws.com" },
          { ...readOf, sourceIPAddress: "batch.amazonaws.com" },
        ),
        trailEvent({ type: "AWSAccount", principalId: "AIDAELSEWHERE", accountId: "999999999999" }, readOf),
      ),
    ).toEqual([
      `reader(role=arn:aws:iam::${account}:user/reader) uses place(secrets apps/db) read`,
      "reader(applicationName=batch.amazonaws.com) uses place(secrets apps/db) read",
      "reader(role=AIDAELSEWHERE) uses place(secrets apps/db) read",
    ]);
  });

  it("say what their readers are, and nothing where that may be a person", async () => {
    const readOf = { requestParameters: { secretId: "apps/db" } };
    const withFactor = { ...session("ops"), sessionContext: { attributes: { mfaAuthenticated: "true" } } };
    const signedOn = session("aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Ops");
    const onBehalfOf = {
      userId: "d4a8f4c8-0000",
      identityStoreArn: "arn:aws:identitystore::1:identitystore/d-1",
    };
    const behalf = { ...session("trusted"), onBehalfOf };
    // Whoever assumes a role chooses what its session is called, and a source identity may be a program's.
    const called = {
      ...session("called"),
      arn: `arn:aws:sts::${account}:assumed-role/called/ada@shop.example`,
      sessionContext: {
        sessionIssuer: { type: "Role", arn: roleArn("called") },
        sourceIdentity: "ada@shop.example",
      },
    };
    const callers = [
      session("orders"),
      user("deploy"),
      user("ada", "ASIACONSOLE"),
      withFactor,
      signedOn,
      behalf,
    ];
    const events = [...callers, called].map((caller) => trailEvent(caller, readOf));
    const atConsole = (value: unknown, role: string) =>
      trailEvent(session(role), { ...readOf, sessionCredentialFromConsole: value });
    events.push(atConsole("true", "seen"), atConsole(true, "seen-too"), atConsole("false", "not-seen"));
    await writeFile(join(folder, "one.json"), trailFile(...events));
    const claims = claimsOf(await scan({ issuer: undefined }));
    expect(claims.map(({ from }) => from.is === "reader" && from.class)).toEqual([
      ...["workload-identity", "service-account", undefined, undefined, undefined, undefined],
      ...["workload-identity", undefined, undefined, "workload-identity"],
    ]);
  });

  it("are not read by Rekey, and show the address where it is asked for", async () => {
    const one = secretRead("orders", "apps/db");
    expect(await says({ engine: [{ role: roleArn("orders") }] }, one)).toEqual([]);
    const own = (await scan({ engine: [{ role: roleArn("orders") }] })).flatMap((part) => part.own ?? []);
    expect(own.map(({ traits }) => traits)).toEqual([{ role: roleArn("orders") }]);
    expect(await says({ addresses: true }, one)).toEqual([
      `reader(address=198.51.100.7 role=${roleArn("orders")}) uses place(secrets apps/db) read`,
    ]);
  });
});

describe("access keys", () => {
  it("are minted by whoever made them, for the user that AWS says", async () => {
    const made = {
      eventSource: "iam.amazonaws.com",
      eventName: "CreateAccessKey",
      awsRegion: "us-east-1",
      responseElements: { accessKey: { userName: "deploy", accessKeyId: "AKIANEW", status: "Active" } },
    };
    expect(
      await says(
        {},
        trailEvent(session("admin"), made),
        trailEvent(session("no"), { ...made, errorCode: "LimitExceeded" }),
      ),
    ).toEqual([`reader(role=${roleArn("admin")}) mints account(aws deploy) read`]);
  });

  it("are used from where a call came, also one that was refused; temporary ones are none", async () => {
    const call = { eventSource: "s3.amazonaws.com", eventName: "ListBuckets" };
    const parts = [
      trailEvent(user("deploy"), call),
      trailEvent(user("deploy"), { ...call, sourceIPAddress: "198.51.100.8", errorCode: "AccessDenied" }),
      trailEvent(user("deploy"), { ...call, sourceIPAddress: "cloudformation.amazonaws.com" }),
      trailEvent(user("deploy", "ASIATEMPORARY"), { ...call, sourceIPAddress: "198.51.100.9" }),
    ];
    await writeFile(join(folder, "one.json"), trailFile(...parts));
    const claims = claimsOf(await scan());
    expect(claims.every(({ to }) => to.is === "account" && to.class === "api-key")).toBe(true);
    expect(claims.map(edgeText)).toEqual([
      "reader(address=198.51.100.7) uses account(aws deploy) read",
      "reader(address=198.51.100.8) uses account(aws deploy) read",
      "reader(applicationName=cloudformation.amazonaws.com) uses account(aws deploy) read",
    ]);
  });

  it("are not used by Rekey where it tries one, and by whoever else comes from its address", async () => {
    const tried = { eventSource: "sts.amazonaws.com", eventName: "GetCallerIdentity" };
    const engine = [{ address: "198.51.100.7" }];
    expect(await says({ engine }, trailEvent(user("deploy"), tried))).toEqual([]);
    expect(
      await says(
        { engine },
        trailEvent(user("deploy"), { eventSource: "s3.amazonaws.com", eventName: "ListBuckets" }),
        trailEvent(user("billing"), { ...tried, sourceIPAddress: "198.51.100.8" }),
        secretRead("orders", "apps/db"),
      ),
    ).toEqual([
      "reader(address=198.51.100.7) uses account(aws deploy) read",
      "reader(address=198.51.100.8) uses account(aws billing) read",
      `reader(role=${roleArn("orders")}) uses place(secrets apps/db) read`,
    ]);
  });

  it("are nothing where no issuer is named", async () => {
    expect(await says({ issuer: undefined }, trailEvent(user("deploy"), {}))).toEqual([]);
  });
});

describe("documents", () => {
  const events = [
    secretRead("a", "x"),
    secretRead("b", 'qu"o\\te/日本'),
    secretRead("c", "x", { nested: { deep: [[{ text: '}]{["\\"' }]] } }),
  ];
  const text = trailFile(...events);

  it.each([
    ["a file of CloudTrail", text],
    [
      "one with a mark and white space",
      `\uFEFF\n ${JSON.stringify({ Records: events }, null, 2).replaceAll("\n", "\r\n")}\n`,
    ],
    ["one with more behind the records", `{"Records":${JSON.stringify(events)},"more":{"x":["]}"]}}`],
    ["a list", JSON.stringify(events, null, 1)],
    ["objects line by line", events.map((event) => `${JSON.stringify(event)}\n`).join("")],
    [
      "several documents behind each other",
      `${trailFile(...events.slice(0, 1))}\n${trailFile(...events.slice(1))}`,
    ],
    ["one with the list of files beside it", `${text}\n{"digestS3Bucket":"b","logFiles":[{"s3Object":"x"}]}`],
  ])("are read: %s", async (_what, content) => {
    await writeFile(join(folder, "one.json"), content);
    const parts = await scan();
    expect(malformed(parts)).toEqual([]);
    expect(claimsOf(parts).map(({ from }) => from.is === "reader" && from.traits.role)).toEqual(
      ["a", "b", "c"].map(roleArn),
    );
  });

  it("that are empty say nothing", async () => {
    await writeFile(join(folder, "one.json"), '{"Records":[]}');
    await writeFile(join(folder, "two.json"), "");
    const parts = await scan();
    expect([claimsOf(parts), malformed(parts)]).toEqual([[], []]);
  });

  it.each([
    ["in a record", text.slice(0, text.length - 40)],
    ["between records", text.slice(0, text.indexOf('},{"eventVersion"') + 2)],
    ["behind the last record", text.slice(0, -2)],
  ])("that are cut %s are reported, and what stands before is read", async (_what, cut) => {
    const file = join(folder, "one.json");
    await writeFile(file, cut);
    const first = await scan();
    expect(malformed(first)).toEqual([
      { where: expect.stringContaining(file), why: expect.stringContaining("ends in the middle") },
    ]);
    expect(claimsOf(first).length).toBeGreaterThan(0);
    // The rest of the copy arrives.
    await appendFile(file, text.slice(cut.length));
    const second = await scan({}, first.at(-1)?.cursor);
    expect(malformed(second)).toEqual([]);
    expect(together([...first, ...second]).edges).toHaveLength(3);
  });

  it("with something else between the records name it, and are read behind it", async () => {
    const [a, b, c] = events.map((event) => JSON.stringify(event));
    await writeFile(
      join(folder, "one.json"),
      `{"Records":[${a},5,"text",${b},{"eventTime":nothing},{},null,${c}]}`,
    );
    await writeFile(join(folder, "two.json"), "no document at all\n");
    const parts = await scan();
    expect(claimsOf(parts)).toHaveLength(3);
    expect(malformed(parts)).toHaveLength(6);
  });

  it("with a record that was torn name it, and are read from the next one on", async () => {
    const [a, b, c] = events.map((event) => JSON.stringify(event));
    const file = join(folder, "one.json");
    await writeFile(file, `{"Records":[${a},${b?.slice(0, 100)}"${c}]}`);
    const parts = await scan();
    expect(claimsOf(parts).map(({ from }) => from.is === "reader" && from.traits.role)).toEqual(
      ["a", "c"].map(roleArn),
    );
    expect(malformed(parts)).toEqual([
      { where: `${file}, byte ${`{"Records":[${a},`.length}`, why: expect.stringMatching(/\S/) },
    ]);
  });

  it("with a record from the future say so", async () => {
    await writeFile(
      join(folder, "one.json"),
      trailFile(secretRead("a", "x", { eventTime: "2030-01-01T00:00:00Z" })),
    );
    const [part] = await scan();
    expect(part?.claims[0]?.seen.last).toBe(trailNowMs);
    expect(part?.gaps).toEqual([expect.stringContaining("from the future")]);
  });

  it("are the same however they are compressed and cut into parts", async () => {
    const many = Array.from({ length: 4_000 }, (_, index) =>
      secretRead(`r${index % 50}`, "x", {
        requestParameters: { secretId: "x", versionId: `v${index % 3}` },
        eventTime: new Date(trailNowMs - index * 1_000).toISOString(),
      }),
    );
    await writeFile(join(folder, "one.json.gz"), gzipSync(JSON.stringify({ Records: many }, null, 1)));
    await writeFile(join(folder, "two.json"), JSON.stringify(many));
    const source = () =>
      trailSource({ method: "files", paths: [folder] }, {}, { entries: 1_000, records: 700 });
    const parts = await scanned(source());
    expect(together(parts).records).toBe(8_000);
    expect(parts.length).toBeGreaterThan(4);
    for (const [index, { cursor }] of parts.entries()) {
      const rest = await scanned(source(), cursor);
      expect(together([...parts.slice(0, index + 1), ...rest])).toEqual(together(parts));
    }
  });

  it("are the same wherever the copy of a file had come to when it was read before", async () => {
    const bytes = Buffer.from(`${JSON.stringify({ Records: events }, null, 1)}\n${JSON.stringify(events)}`);
    const source = (file: string) => trailSource({ method: "files", paths: [file] });
    await writeFile(join(folder, "whole"), bytes);
    const expected = together(await scanned(source(join(folder, "whole"))));
    let files = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 4 }), async (cuts) => {
        const file = join(folder, `cut-${++files}`);
        const parts = await scannedWhileGrowing(file, bytes, cuts, source);
        // An unfinished document is reported each time that it grows; nothing else differs.
        expect(together(parts).edges).toEqual(expected.edges);
        expect(malformed(parts.slice(-1))).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

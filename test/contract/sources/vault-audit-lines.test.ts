/** What one line of an audit log says, and what it does not say. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { timesAt, timesText } from "../../../domain/discovery/times.js";
import { scanned, together } from "../source.js";
import { auditLine, auditSource, logFolder } from "./audit-lines.js";

let folder: string;
let log: string;
beforeEach(async () => {
  folder = await logFolder();
  log = join(folder, "audit.log");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const scan = () => scanned(auditSource([log]));

describe("what a line says", () => {
  const says = async (...lines: string[]) => {
    await writeFile(log, lines.map((line) => `${line}\n`).join(""));
    return (await scan()).flatMap((part) => part.claims);
  };

  it("is nothing for a request, a failure, another mount, another namespace, another operation", async () => {
    const request = { id: "1", operation: "read", path: "secret/data/apps/db", remote_address: "10.0.0.1" };
    expect(
      await says(
        auditLine("a", "x", 1, { type: "request" }),
        auditLine("a", "x", 1, { error: "1 error occurred" }),
        auditLine("a", "x", 1, { request: { ...request, path: "other/data/apps/db" } }),
        auditLine("a", "x", 1, { request: { ...request, namespace: { id: "n", path: "team/" } } }),
        auditLine("a", "x", 1, { request: { ...request, operation: "update" } }),
        auditLine("a", "x", 1, { response: { data: { data: null, metadata: { version: 1 } } } }),
        auditLine("a", "x", 1, { response: {} }),
      ),
    ).toEqual([]);
  });

  it("is one claim for all reads of one reader, from the first to the last", async () => {
    const times = [
      "2026-02-01T00:00:00Z",
      "2026-01-01T00:00:00Z",
      "2026-02-20T00:00:00Z",
      "2026-01-05T00:00:00Z",
    ];
    const claims = await says(...times.map((time, index) => auditLine("a", "x", 3 - (index % 3), { time })));
    expect(claims).toHaveLength(1);
    expect(claims[0]?.seen).toEqual({
      first: Date.parse("2026-01-01T00:00:00Z"),
      last: Date.parse("2026-02-20T00:00:00Z"),
      count: 4,
      times: times.reduce((all, time) => all | timesAt(Date.parse(time)), 0),
    });
    expect(timesText(claims[0]?.seen.times ?? 0)).toBe("00:00-00:59 on sun-mon, thu-fri");
    expect(claims[0]?.sentence).toBe("approle-a read versions 1, 2, 3 of x.");
  });

  it("is from when until when each version was read, which an answer in a wrapping token does not show", async () => {
    const at = (day: number) => `2026-02-${String(day).padStart(2, "0")}T00:00:00Z`;
    const wrapped = (reader: string, request: object = {}) =>
      auditLine(reader, "x", 1, {
        time: at(9),
        request: { operation: "read", path: "secret/data/x", remote_address: "10.0.0.1", ...request },
        response: { wrap_info: { token: "hmac-sha256:44", ttl: 60 } },
      });
    const hidden = { version: "hmac-sha256:55" };
    const claims = await says(
      ...[auditLine("a", "x", 10, { time: at(4) }), auditLine("a", "x", 9, { time: at(3) })],
      ...[auditLine("a", "x", 10, { time: at(2) }), auditLine("a", "x", 10, { time: at(5) }), wrapped("a")],
      auditLine("c", "x", 1, { response: { data: { data: { password: "hmac-sha256:11" } } } }),
      wrapped("d", { data: hidden }),
      wrapped("e", { data: hidden, request_uri: "/v1/secret/data/x?a=1&version=7" }),
      wrapped("f", { data: { version: "07" } }),
      wrapped("g", { data: hidden, request_uri: "/v1/secret/data/x?version=0" }),
      wrapped("h", { data: hidden, request_uri: "/v1/secret/data/x?version=%C3%A9" }),
      wrapped("i", { data: {} }),
    );
    const span = (first: number, last = first) => ({
      first: Date.parse(at(first)),
      last: Date.parse(at(last)),
    });
    expect(
      claims.map(({ from, versions }) => [from.is === "reader" && from.name.slice(-1), versions]),
    ).toEqual([
      [
        "a",
        [
          { version: "10", ...span(2, 5) },
          { version: "9", ...span(3) },
        ],
      ],
      ["c", undefined],
      ["d", [{ version: "older", ...span(9) }]],
      ["e", [{ version: "7", ...span(9) }]],
      ["f", [{ version: "7", ...span(9) }]],
      ["g", undefined],
      ["h", [{ version: "older", ...span(9) }]],
      ["i", undefined],
    ]);
  });

  it("is every version that was read, however many there are: a part that has enough of them is full", async () => {
    const versions = Array.from({ length: 8_000 }, (_, index) => index + 1);
    const same = Array<number>(6_000).fill(1);
    await writeFile(log, [...versions, ...same].map((one) => `${auditLine("a", "x", one)}\n`).join(""));
    const source = () => auditSource([log], {}, { entries: 500, records: 1_000_000 });
    const parts = await scanned(source());
    expect(parts.length).toBeGreaterThan(2);
    // What is in one part does not fill the next.
    expect(parts.at(-1)?.records).toBeGreaterThan(3_000);
    const [[, edge] = []] = together(parts).edges;
    const at = Date.parse("2026-02-03T04:05:06.123Z");
    const read = (version: string) => ({ version, first: at, last: at });
    expect(edge?.versions).toEqual(versions.map(String).sort().map(read));
    const rest = await scanned(source(), parts[0]?.cursor);
    expect(together([...parts.slice(0, 1), ...rest])).toEqual(together(parts));
  });

  it("is who a pod or a role of AWS is, as the login said", async () => {
    const claims = await says(
      auditLine("k", "x", 1, {
        auth: {
          entity_id: "e-k",
          metadata: { service_account_name: "orders", service_account_namespace: "shop" },
        },
      }),
      auditLine("r", "x", 1, {
        auth: { entity_id: "e-r", metadata: { canonical_arn: "arn:aws:iam::123456789012:role/orders" } },
      }),
    );
    expect(claims.map(({ from }) => from.is === "reader" && from.traits)).toEqual([
      { entity: "e-k", serviceAccount: "shop/orders" },
      { entity: "e-r", role: "arn:aws:iam::123456789012:role/orders" },
    ]);
  });

  it("is what the login says that the reader is, each where they differ", async () => {
    const arn = "arn:aws:iam::123456789012";
    const logins = [
      { entity_id: "e-k", metadata: { service_account_name: "orders", service_account_namespace: "shop" } },
      { entity_id: "e-r", metadata: { canonical_arn: `${arn}:role/orders` } },
      { entity_id: "e-u", metadata: { canonical_arn: `${arn}:user/deploy` } },
      { entity_id: "e-c", metadata: { cert_name: "web" } },
      { entity_id: "e-a", metadata: { role_name: "job" } },
      { entity_id: "e-p", metadata: { username: "ada" } },
      { display_name: "token" },
      { display_name: "root" },
      { display_name: "tokenizer" },
      { entity_id: "e-c", metadata: { role_name: "job" } },
    ];
    const claims = await says(...logins.map((auth) => auditLine("x", "x", 1, { auth })));
    expect(claims.map(({ from }) => from.is === "reader" && from.class)).toEqual([
      ...["workload-identity", "workload-identity", "service-account", "certificate", "service-account"],
      ...[undefined, "token", "token", undefined, "service-account"],
    ]);
  });

  it("is none of Rekey's own, and of everybody else who has a name or an address of it", async () => {
    const line = (auth: object, address: string) =>
      auditLine("a", "x", 1, {
        auth,
        request: { operation: "read", path: "secret/data/x", remote_address: address },
      });
    const lines = [
      line({ display_name: "token-rekey" }, "10.0.0.1"),
      line({ display_name: "token-rekey" }, "10.0.0.2"),
      line({ display_name: "token-other" }, "10.0.0.1"),
      line({ entity_id: "e-other", display_name: "token-rekey" }, "10.0.0.1"),
      line({ entity_id: "e-rekey", display_name: "approle" }, "10.0.0.1"),
      line({ entity_id: "e-rekey", display_name: "approle" }, "10.0.0.9"),
    ];
    await writeFile(log, lines.map((one) => `${one}\n`).join(""));
    const readers = async (engine: object[]) =>
      (await scanned(auditSource([log], { engine })))
        .flatMap((part) => part.claims)
        .map(({ from, seen }) => [from.is === "reader" && Object.values(from.traits).join(" "), seen.count]);
    const others = [
      ["token-rekey 10.0.0.2", 1],
      ["token-other 10.0.0.1", 1],
      ["e-other", 1],
    ];
    const token = { displayName: "token-rekey", address: "10.0.0.1" };
    expect(await readers([token, { entity: "e-rekey" }])).toEqual(others);
    expect(await readers([token, { entity: "e-rekey", address: "10.0.0.1" }])).toEqual([
      ...others,
      ["e-rekey", 1],
    ]);
    // Whom its traits alone tell to be the engine is told as that; the entity from another address is somebody else.
    const own = async (engine: object[]) =>
      (await scanned(auditSource([log], { engine }))).flatMap((part) =>
        (part.own ?? []).map(({ traits }) => Object.values(traits).join(" ")),
      );
    expect(await own([token, { entity: "e-rekey" }])).toEqual(["token-rekey 10.0.0.1", "e-rekey"]);
    expect(await own([{ entity: "e-rekey", address: "10.0.0.1" }])).toEqual([]);
    expect(await own([])).toEqual([]);
    for (const vague of [{ displayName: "token-rekey" }, { address: "10.0.0.1" }, {}])
      await expect(readers([vague])).rejects.toThrow("a displayName with an address");
  });

  it("is a copy in clear where the device writes values, by its mark", async () => {
    const value = "canary-in-the-log";
    await writeFile(
      log,
      `${auditLine("a", "apps/db", 1, { response: { data: { data: { password: value, port: "5432", token: "hmac-sha256:33" }, metadata: { version: 3 } } } })}\n`,
    );
    const parts = await scan();
    expect(parts[0]?.copies).toEqual([
      expect.objectContaining({
        at: { is: "location", scope: "audit log of main", path: "apps/db#password" },
        literal: true,
        mark: expect.stringMatching(/^[0-9a-f]{64}$/),
      }),
    ]);
    expect(JSON.stringify(parts)).not.toContain("canary");
  });
});

describe("a line that is wrapped", () => {
  const read = async (...lines: string[]) => {
    await writeFile(log, lines.map((line) => `${line}\n`).join(""));
    const parts = await scan();
    return {
      claims: parts.flatMap(({ claims }) => claims).map(({ sentence }) => sentence),
      malformed: parts.flatMap(({ malformed }) => malformed).map(({ why }) => why),
      records: parts.reduce((sum, { records }) => sum + records, 0),
      covered: parts[0]?.covered,
    };
  };
  const time = "2026-02-03T04:05:06.2Z";
  const byDocker = (line: string, stream = "stdout", end = "\n") =>
    JSON.stringify({ log: `${line}${end}`, stream, time });
  const byCri = (line: string, stream = "stdout", tag = "F") => `${time} ${stream} ${tag} ${line}`;

  it.each([
    ["Docker", byDocker],
    ["CRI", byCri],
  ])("by %s is read, and what the server says beside it is no record", async (_, wrap) => {
    const lines = [auditLine("a", "x"), auditLine("b", "y", 1, { type: "request" })];
    expect(await read(...lines.map((line) => wrap(line)), wrap("[INFO] core: unsealed", "stderr"))).toEqual({
      claims: ["approle-a read version 1 of x."],
      ...{ malformed: [], records: 2 },
      covered: expect.objectContaining({ from: Date.parse("2026-02-03T04:05:06.123Z") }),
    });
  });

  it("is reported where it was cut, and where nothing of an audit device is in it", async () => {
    const { claims, malformed, covered } = await read(
      byDocker(auditLine("a"), "stdout", ""),
      byCri(auditLine("a"), "stdout", "P"),
      byDocker("==> Vault server started!"),
      JSON.stringify({ message: auditLine("a"), time }),
      JSON.stringify({ time, type: "response" }),
      JSON.stringify({ time, type: "heartbeat", request: {} }),
    );
    expect(malformed).toEqual([
      ...Array(2).fill("is a part of a line that its container's runtime has cut, and the rest is missing"),
      "is not JSON",
      ...Array(3).fill("is no record of an audit log: no request or response"),
    ]);
    // Who sees nobody does not watch either.
    expect([claims, covered]).toEqual([[], null]);
  });
});

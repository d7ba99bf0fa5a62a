/** The map and the findings over HTTP: what the command line prints of a real inventory, in lists of bounded length. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { kinds } from "../../adapters/registry.js";
import type { ApiOptions } from "../../client/api/start.js";
import { inventoryIn } from "../../client/cli/inventory.js";
import type { Claim, Copy } from "../../domain/discovery/said.js";
import { emptyWorld, runIn } from "../cli/fakes.js";
import { at, dayMs, house, shapes, use } from "../inventory/findings-house.js";
import { newId, t0 } from "../inventory/world.js";
import { openDoor } from "./door.js";

/** Where a place has what a path of an address cannot have as it is. */
const place = "config/app #1.env?x";

/** A door before an inventory in which three strangers use a credential and one value stands outside of any store. */
async function opened() {
  const { db, sql, apply, reading, open } = await house();
  await apply();
  const strangers = ["10.0.0.7", "10.0.0.8", "10.0.0.9"].map(
    (address): Claim => ({
      ...use,
      record: address,
      from: { is: "reader", name: `psql from ${address}`, traits: { address } },
    }),
  );
  const copy: Copy = {
    ...{ record: "r1", at: at(place), mark: "ab".repeat(32), literal: true, seen: use.seen },
    sentence: "A password.",
  };
  await reading({ claims: strangers, copies: [copy] }, t0);
  await open(t0);
  const inventory = inventoryIn(db, { randomId: newId, shapes });
  const services = { installation: "test", inventory } as unknown as ApiOptions["services"];
  const door = await openDoor(services);
  const printed = async (...argv: string[]) => {
    const { stdout } = await runIn(emptyWorld(), [...argv, "--json"], { inventory, deps: { kinds } });
    return JSON.parse(stdout) as Record<string, unknown>;
  };
  return { sql, inventory, door, printed };
}

test("consumers, blast and findings are what the command line prints", async () => {
  const { door, printed } = await opened();
  const { counts, ...consumers } = (await door.get("/v1/consumers/orders-db")).body;
  expect(counts).toEqual({ consumers: 5, anonymous: 0, copies: 0 });
  expect(consumers).toMatchObject(await printed("consumers", "orders-db"));
  const blast = (await door.get("/v1/blast/orders-db")).body;
  expect(blast).toMatchObject(await printed("blast", "orders-db"));
  expect((blast.breaks as unknown[]).length).toBeGreaterThan(1);
  const here = `repository shop ${place}`;
  const told = await door.get(`/v1/consumers/${encodeURIComponent(here)}?type=location`);
  expect(told.body).toMatchObject({ place: here, values: [], counts: { consumers: 0 } });

  const listed = (await door.get("/v1/findings?severity=refuse&credential=orders-db")).body;
  expect(listed).toMatchObject(
    await printed("findings", "--no-refresh", "--severity", "refuse", "--credential", "orders-db"),
  );
  const [first] = listed.findings as { readonly number: number }[];
  expect((await door.get(`/v1/findings/${first?.number}`)).body).toMatchObject({
    ...(await printed("findings", `${first?.number}`, "--no-refresh")),
    ...{ changesTotal: 1, placesTotal: 0 },
  });
  // What was asked for is in no line of the server.
  expect(door.lines).toContainEqual(expect.stringMatching(/^GET \/v1\/consumers 200 [0-9]+ ms$/));
  expect(door.lines.join("\n")).not.toContain("orders-db");
});

test("lists are as long as they may be, and the counts are whole", async () => {
  const { door } = await opened();
  const consumers = (await door.get("/v1/consumers/orders-db?limit=2")).body;
  expect([(consumers.consumers as unknown[]).length, consumers.counts]).toEqual([
    2,
    { consumers: 5, anonymous: 0, copies: 0 },
  ]);
  const blast = (await door.get("/v1/blast/orders-db?limit=2")).body;
  expect(blast).toMatchObject({ counts: { breaks: { things: expect.any(Number) } } });
  expect((blast.breaks as unknown[]).length).toBe(2);
  expect((blast.counts as { breaks: { things: number } }).breaks.things).toBeGreaterThan(2);

  const all = (await door.get("/v1/findings")).body as { total: number; findings: { number: number }[] };
  expect(all.total).toBe(all.findings.length);
  const parts: { number: number }[] = [];
  for (let offset = 0; offset < all.total; offset += 3) {
    const { total, findings } = (await door.get(`/v1/findings?limit=3&offset=${offset}`)).body as typeof all;
    expect(total).toBe(all.total);
    expect(findings.length).toBeLessThanOrEqual(3);
    parts.push(...findings);
  }
  expect(parts.map(({ number }) => number)).toEqual(all.findings.map(({ number }) => number));
  const beyond = await door.get("/v1/findings?offset=9999");
  expect(beyond.body).toMatchObject({ total: all.total, findings: [] });
});

test("findings are asked for by code, state and owner, and an exception counts until its end", async () => {
  const { sql, door, inventory } = await opened();
  const codes = async (query: string) => {
    const { findings } = (await door.get(`/v1/findings?${query}`)).body as { findings: { code: string }[] };
    return [...new Set(findings.map(({ code }) => code))];
  };
  expect(await codes("code=literal")).toEqual(["literal"]);
  expect(await codes("owner=bob")).toEqual([]);
  expect(await codes("owner=payments&code=unmapped-reader&state=open")).toEqual(["unmapped-reader"]);
  expect(await codes("state=ended")).toEqual([]);
  const except = async (until: number) => {
    await sql(`update rekey_inventory.findings set state = 'excepted', exception_owner = 'payments',
      exception_reason = 'It goes.', exception_until = to_timestamp(${until / 1000}) where code = 'literal'`);
  };
  const now = Math.floor(await inventory.time());
  await except(now + dayMs);
  expect([await codes("code=literal&state=open"), await codes("state=excepted")]).toEqual([[], ["literal"]]);
  await except(now - 1_000);
  expect([await codes("code=literal&state=open"), await codes("state=excepted")]).toEqual([["literal"], []]);
});

test("what is asked wrongly is refused with a hint, and nothing of it is repeated", async () => {
  const { door } = await opened();
  const wrong = [
    ["/v1/consumers/orders-db?limit=0", "See limit."],
    ["/v1/consumers/orders-db?limit=1001", "See limit."],
    ["/v1/blast/orders-db?limit=canary", "See limit."],
    ["/v1/blast/orders-db?type=canary", "See type."],
    ["/v1/findings?severity=canary&code=canary&limit=", "See limit, code, severity."],
    ["/v1/findings?canary=1", "It has a parameter that there is not, or one twice."],
    ["/v1/findings?code=literal&code=overdue", "It has a parameter that there is not, or one twice."],
  ];
  for (const [path = "", what] of wrong) {
    const { status, body } = await door.get(path);
    expect([path, status, body.code, body.error]).toEqual([
      ...[path, 400, "bad-input"],
      `The query is not understood. ${what}`,
    ]);
    expect(body.hint).toContain("limit");
    expect(JSON.stringify(body)).not.toContain("canary");
  }
  expect(await door.get("/v1/consumers/order-db")).toMatchObject({
    status: 404,
    body: { code: "not-found", hint: 'Did you mean "orders-db"?' },
  });
  expect((await door.get("/v1/consumers/payments")).body).toMatchObject({ code: "bad-input" });
  expect((await door.get("/v1/findings?owner=payment")).body).toMatchObject({
    ...{ code: "not-found", hint: 'Did you mean "payments"?' },
  });
  for (const number of ["0", "x", "99999", "1e3"])
    expect((await door.get(`/v1/findings/${number}`)).body).toMatchObject({ code: "not-found" });
  for (const path of ["/v1/consumers/orders-db", "/v1/blast/orders-db", "/v1/findings", "/v1/findings/1"])
    expect((await door.get(path, {})).status).toBe(401);
});

test("the answers have the shapes that /openapi.json gives them, with the parameters that there are", async () => {
  const { door } = await opened();
  const described = (await door.get("/openapi.json", {})).body as unknown as Described;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema(described, "api");
  const [first] = (await door.get("/v1/findings")).body.findings as { readonly number: number }[];
  const asked = {
    "/v1/consumers/{name}": "/v1/consumers/orders-db",
    "/v1/blast/{name}": "/v1/blast/orders-db",
    "/v1/findings": "/v1/findings",
    "/v1/findings/{number}": `/v1/findings/${first?.number}`,
  };
  for (const [path, actual] of Object.entries(asked)) {
    const pointer = ["paths", path, "get", "responses", "200", "content", "application/json", "schema"]
      .map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1"))
      .join("/");
    const valid = ajv.compile({ $ref: `api#/${pointer}` });
    const { status, body } = await door.get(actual);
    expect([status, valid(body), valid.errors]).toEqual([200, true, null]);
    expect(valid({})).toBe(false);
  }
  const names = described.paths["/v1/findings"]?.get.parameters?.map(({ name }) => name);
  expect(names).toEqual(["limit", "offset", "code", "severity", "state", "owner", "credential"]);
  expect(described.paths["/v1/findings"]?.get.parameters?.[0]).toMatchObject({
    ...{
      in: "query",
      required: false,
      schema: { type: "integer", minimum: 1, maximum: 1_000, default: 200 },
    },
  });
});

interface Described {
  readonly paths: Readonly<
    Record<string, { readonly get: { readonly parameters?: readonly { readonly name: string }[] } }>
  >;
}

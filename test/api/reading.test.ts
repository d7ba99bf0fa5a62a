/** What the API tells, to whom, and that it is what it says of itself and what the command line prints. */
import { createHash, randomBytes } from "node:crypto";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { routes } from "../../client/api/routes.js";
import { RekeyError } from "../../domain/errors.js";
import { signedText } from "../../domain/plan.js";
import type { Plan } from "../../domain/rotation/state.js";
import { Secret } from "../../domain/secret.js";
import { listRotations } from "../../inventory/rotations.js";
import { openHouse } from "../workflows/house.js";
import { paper } from "../workflows/people.js";
import { untilAsked } from "../workflows/watch.js";
import { openDoor, servicesOf } from "./door.js";

const protectedPaths = ["/v1/credentials", "/v1/credentials/orders-db", "/v1/rotations/rot_1"];

test("without a token that is known nobody reads, and what is wrong with it is not said", async () => {
  const door = await openDoor(await servicesOf(await openHouse()));
  const wrong = [
    {},
    { Authorization: "" },
    { Authorization: door.token },
    { Authorization: `Basic ${door.token}` },
    { Authorization: "Bearer " },
    { Authorization: `Bearer ${door.token.slice(0, -1)}` },
    { Authorization: `Bearer ${door.token}x` },
    { Authorization: `Bearer ${randomBytes(32).toString("base64url")}` },
  ];
  const bodies = new Set<string>();
  for (const path of protectedPaths) {
    for (const headers of wrong) {
      const { status, body, headers: back } = await door.get(path, headers);
      expect([status, body.code], `${path} ${JSON.stringify(headers)}`).toEqual([401, "unauthenticated"]);
      expect(back.get("www-authenticate")).toBe("Bearer");
      bodies.add(JSON.stringify(body));
    }
  }
  expect(bodies.size).toBe(1);
  expect((await door.get("/v1/credentials")).status).toBe(200);
});

test("no token named, nobody reads; an empty one is none", async () => {
  const services = await servicesOf(await openHouse());
  const door = await openDoor(services, { tokens: [] });
  for (const path of protectedPaths) {
    expect((await door.get(path)).status).toBe(401);
    expect((await door.get(path, { Authorization: "Bearer " })).status).toBe(401);
  }
  for (const token of ["", "short", `${"x".repeat(40)} y`]) {
    await expect(openDoor(services, { tokens: [new Secret(token)] })).rejects.toMatchObject({
      code: "bad-input",
    });
  }
});

test("several tokens read at once, and a hash serves as well as what it is of", async () => {
  const services = await servicesOf(await openHouse());
  const [one, two] = [randomBytes(32).toString("base64"), randomBytes(32).toString("base64url")];
  const hash = `sha256:${createHash("sha256").update(two).digest("hex")}`;
  const door = await openDoor(services, { tokens: [new Secret(`${one}\n`), new Secret(hash)] });
  for (const token of [one, two]) {
    expect((await door.get("/v1/credentials", { Authorization: `Bearer ${token}` })).status).toBe(200);
  }
  expect((await door.get("/v1/credentials", { Authorization: `Bearer ${hash}` })).status).toBe(401);
});

test("the answers have the shapes that /openapi.json gives them, and every route is in it", async () => {
  const house = await openHouse({ quorum: 1 });
  const handle = await house.start();
  const state = await untilAsked(handle);
  const door = await openDoor(await servicesOf(house));
  const described = (await door.get("/openapi.json", {})).body as unknown as Described;
  expect(described.openapi).toBe("3.1.0");
  const operations = Object.entries(described.paths).flatMap(([path, one]) =>
    Object.keys(one).map((method) => `${method} ${path}`),
  );
  expect(operations.sort()).toEqual(
    Object.values(routes)
      .map(({ method, path }) => `${method} ${path}`)
      .sort(),
  );

  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema(described, "api");
  const fits = (path: string, method: string, status: number, body: unknown) => {
    const at = [path, method, "responses", String(status), "content", "application/json", "schema"];
    const pointer = at.map((part) => part.replaceAll("~", "~0").replaceAll("/", "~1")).join("/");
    const valid = ajv.compile({ $ref: `api#/paths/${pointer}` });
    expect(valid(body), `${path} ${status}: ${JSON.stringify(valid.errors)}`).toBe(true);
  };
  const read: [string, string, number][] = [
    ["/healthz", "/healthz", 200],
    ["/readyz", "/readyz", 200],
    ["/v1/credentials", "/v1/credentials", 200],
    ["/v1/credentials/{name}", "/v1/credentials/orders-db", 200],
    ["/v1/credentials/{name}", "/v1/credentials/orders", 404],
    ["/v1/rotations/{id}", `/v1/rotations/${state.id}`, 200],
    ["/v1/rotations/{id}", "/v1/rotations/rot_none", 404],
  ];
  for (const [path, actual, status] of read) {
    const answer = await door.get(actual);
    expect([actual, answer.status]).toEqual([actual, status]);
    fits(path, "get", status, answer.body);
  }
  const refused = await door.decide({ document: "a.b.c" });
  fits("/v1/decisions", "post", 422, refused.body);
  const taken = await door.decide({ document: await paper(house, state, "ann") });
  fits("/v1/decisions", "post", 200, taken.body);
  // A schema that fits everything would show nothing.
  expect(() => fits("/v1/rotations/{id}", "get", 200, {})).toThrow();
});

interface Described {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, object>>;
}

test("a rotation is told with the plan to sign, whose digest is that of the text that it stands for", async () => {
  const house = await openHouse({ quorum: 1 });
  const state = await untilAsked(await house.start());
  const door = await openDoor(await servicesOf(house));
  const { body } = await door.get(`/v1/rotations/${state.id}`);
  const [first] = body.toSign as { digest: string; satisfied: boolean; agreed: string[]; plan: Plan }[];
  const terms = first?.plan.terms;
  if (first === undefined || terms === undefined) throw new Error("no plan");
  const text = signedText({ ...first.plan, terms });
  expect(createHash("sha256").update(text).digest("hex")).toBe(first.digest);
  expect(first).toMatchObject({ digest: state.plan?.digest, satisfied: false, agreed: [] });
  expect(body.reasons).toMatchObject({ waitingFor: expect.stringContaining("sign-off") });
  expect(Object.values(body.names as object)).toEqual(expect.arrayContaining(["orders-db", "checkout"]));
  await door.decide({ document: await paper(house, state, "ann") });
});

test("I6: nothing that is told holds a value", async () => {
  const house = await openHouse({ quorum: 0 });
  const handle = await house.start();
  await handle.result();
  const door = await openDoor(await servicesOf(house));
  const [latest] = await listRotations(house.fresh.db, { limit: 1 });
  const paths = ["/v1/credentials", "/v1/credentials/orders-db", `/v1/rotations/${latest?.id}`];
  const told = JSON.stringify(await Promise.all(paths.map((path) => door.get(path))));
  expect(house.world.values().length).toBeGreaterThanOrEqual(3);
  for (const value of house.world.values()) expect(told).not.toContain(value);
  expect(told).toContain('"rotated"');
});

test("a name that is nearly right is a 404 with the right one in its hint", async () => {
  const door = await openDoor(await servicesOf(await openHouse()));
  expect(await door.get("/v1/credentials/order-db")).toMatchObject({
    status: 404,
    body: { code: "not-found", hint: 'Did you mean "orders-db"?' },
  });
  expect(await door.get("/v2/credentials")).toMatchObject({ status: 404, body: { code: "not-found" } });
});

test("a failure of a kind that nobody foresaw is told by its class alone, and a request has an end", async () => {
  const services = await servicesOf(await openHouse());
  const broken = (credentials: () => Promise<never>) => ({
    ...services,
    inventory: { ...services.inventory, credentials },
  });
  const throwing = await openDoor(broken(() => Promise.reject(new TypeError("canary-text"))));
  const told = await throwing.get("/v1/credentials");
  expect(told).toMatchObject({ status: 500, body: { code: "internal" } });
  expect(JSON.stringify(told.body)).not.toContain("canary");
  const away = await openDoor(broken(() => Promise.reject(new RekeyError("unreachable"))));
  expect((await away.get("/v1/credentials")).status).toBe(503);
  const hanging = await openDoor(
    broken(() => new Promise<never>(() => {})),
    { requestMsMax: 100 },
  );
  expect(await hanging.get("/v1/credentials")).toMatchObject({ status: 503, body: { code: "unreachable" } });
});

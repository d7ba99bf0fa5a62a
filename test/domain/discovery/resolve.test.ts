/** Which node of the map a thing is: what the estate declares has its id there, everything else one made of what it is called. */
import { expect, test } from "vitest";
import { type Declared, resolve, thingId } from "../../../domain/discovery/resolve.js";
import type { Thing } from "../../../domain/discovery/said.js";
import { plainShapes } from "../../../domain/estate/shapes.js";

const sha256Hex = (text: string) => [...text].map((c) => c.charCodeAt(0).toString(16)).join("");
const declared: Declared = {
  revision: 1,
  consumers: [{ id: "con_1", name: "shop", match: { applicationName: ["shop"], address: [] } }],
  idOf: (section, name) => (name === "known" ? `${section}_1` : undefined),
  accountOf: (issuer, account) => (issuer === "pg" && account === "known" ? "crd_1" : undefined),
  placeKeyOf: (store, place) =>
    plainShapes.placeKey({ issuers: {}, stores: {} }, store, place) +
    plainShapes.shownAs({ issuers: {}, stores: {} }, { issuer: "", account: {} }).length,
  isWithin: () => false,
  sha256Hex,
};

const things: Readonly<Record<string, Thing>> = {
  claimed: { is: "reader", name: "x", traits: { applicationName: "shop" } },
  stranger: { is: "reader", name: "x", traits: { applicationName: "psql" } },
  place: { is: "place", store: "known", place: { path: "a" } },
  elsewhere: { is: "place", store: "other", place: { path: "a" } },
  account: { is: "account", issuer: "pg", account: "known" },
  unknownAccount: { is: "account", issuer: "pg", account: "other", class: "api-key" },
  location: { is: "location", scope: "cluster", path: "shop/db" },
  credential: { is: "credential", scope: "aws", name: "deploy", class: "api-key" },
  named: { is: "named", type: "credential", name: "known" },
  unknownConsumer: { is: "named", type: "consumer", name: "other" },
  store: { is: "named", type: "store", name: "known" },
  unknownIssuer: { is: "named", type: "issuer", name: "other" },
  unknownOwner: { is: "named", type: "owner", name: "other" },
};

test("each thing has its node, and says why", () => {
  const told = Object.entries(things).map(([name, thing]) => {
    const { node, known, sentence } = resolve(thing, declared);
    expect(sentence).toMatch(/\.$/);
    return `${name}: ${node.type} ${known} ${node.name}`;
  });
  expect(told).toEqual([
    "claimed: consumer true shop",
    "stranger: identity false x (application name psql)",
    "place: location true known a",
    "elsewhere: location true other a",
    "account: credential true known at pg",
    "unknownAccount: credential false other at pg",
    "location: location true cluster shop/db",
    "credential: credential false deploy of aws",
    "named: credential true known",
    "unknownConsumer: identity false other",
    "store: system true known",
    "unknownIssuer: system false other",
    "unknownOwner: owner false other",
  ]);
  expect(new Set(Object.values(things).map((thing) => thingId(thing, sha256Hex))).size).toBeGreaterThan(1);
});

test("a node is called so that an exception can be about it, and by another name than one that begins alike", () => {
  const long = "n".repeat(401);
  const [short, cut] = [long.slice(1), expect.stringMatching(/^[^…]{200}…[0-9a-f]{24}$/)];
  const called = (thing: Thing) => resolve(thing, declared).node.name;
  const said: readonly Thing[] = [
    { is: "reader", name: long, traits: {} },
    { is: "place", store: "known", place: { path: long } },
    { is: "account", issuer: "pg", account: long },
    { is: "location", scope: "cluster", path: long },
    { is: "credential", scope: "aws", name: long, class: "api-key" },
    { is: "named", type: "consumer", name: long },
  ];
  for (const thing of said) expect(called(thing)).toEqual(cut);
  expect(called({ is: "named", type: "consumer", name: short })).toBe(short);
  const hashed = { ...declared, sha256Hex: (text: string) => `${text.slice(-1)}${"0".repeat(23)}` };
  const names = ["a", "b"].map(
    (end) => resolve({ is: "reader", name: long + end, traits: {} }, hashed).node.name,
  );
  expect(names).toEqual([`${"n".repeat(200)}…a${"0".repeat(23)}`, `${"n".repeat(200)}…b${"0".repeat(23)}`]);
});

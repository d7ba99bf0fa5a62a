/** What each entry of the estate says on the map. */
import { expect, test } from "vitest";
import { declaredBy, type MappedSection, namedBy } from "../../../domain/graph/declared.js";

const naming = {
  idOf: (section: MappedSection, name: string) => `${section} ${name}`,
  placeKeyOf: (_: string, place: object) => JSON.stringify(place),
  sha256Hex: (text: string) => text,
};

const edges = (section: MappedSection, body: Record<string, unknown>) =>
  declaredBy({ id: "me", section, name: "me", body }, naming).edges.map(
    ({ from, type, to }) => `${from} ${type} ${to}`,
  );

test("each section says its edges", () => {
  expect(edges("owners", {})).toEqual([]);
  expect(edges("stores", {})).toEqual([]);
  expect(edges("issuers", { engineCredential: "engine" })).toEqual(["credentials engine can-read me"]);
  expect(edges("consumers", { owner: "ada" })).toEqual(["me owned-by owners ada"]);
  const consumers = [
    { consumer: "a", isolation: "shared" },
    { consumer: "b", isolation: "pinned", place: { path: "own" } },
  ];
  const body = {
    issuer: "pg",
    store: "files",
    place: { path: "x" },
    owner: "ada",
    class: "token",
    consumers,
  };
  const said = edges("credentials", body);
  expect(said.filter((edge) => edge.startsWith("consumers"))).toEqual([
    "consumers a uses me",
    "consumers b uses me",
  ]);
  expect(said.filter((edge) => edge.startsWith("me stored-in"))).toHaveLength(2);
});

test("what no source sees is said by those who know it: what is needed, can be read, can be made", () => {
  const dependsOn = [{ consumer: "stock" }, { store: "files" }, { issuer: "pg" }];
  expect(edges("consumers", { owner: "ada", dependsOn })).toEqual([
    "me owned-by owners ada",
    "me depends-on consumers stock",
    "me depends-on stores files",
    "me depends-on issuers pg",
  ]);
  const canRead = [{ store: "files" }, { store: "safe", place: { path: "y" } }, { credential: "other" }];
  const mints = [{ issuer: "cloud" }, { credential: "other" }];
  const body = { issuer: "pg", store: "files", place: { path: "x" }, owner: "ada", class: "token" };
  const entry = { id: "me", section: "credentials", name: "me" } as const;
  const said = declaredBy({ ...entry, body: { ...body, consumers: [], canRead, mints } }, naming);
  const [, place] = said.nodes.filter(({ type }) => type === "location").map(({ id }) => id);
  expect(
    said.edges.flatMap(({ from, type, to, sentence }) =>
      type === "can-read" || type === "mints" || from === place ? [`${type} ${to}: ${sentence}`] : [],
    ),
  ).toEqual([
    "can-read stores files: Whoever has me can read all of files.",
    "stored-in stores safe: It is a place in safe.",
    `can-read ${place}: Whoever has me can read that place.`,
    "can-read credentials other: Whoever has me can read the value of other.",
    "mints issuers cloud: Whoever has me can make credentials at cloud.",
    "mints credentials other: Whoever has me can make other anew.",
  ]);
});

test("whatever an entry says of others, it names them beforehand", () => {
  const bodies: readonly (readonly [MappedSection, Record<string, unknown>])[] = [
    ["owners", { kind: "person" }],
    ["stores", {}],
    ["issuers", { engineCredential: "engine" }],
    ["consumers", { owner: "ada" }],
    ["consumers", { owner: "" }],
    ["consumers", { owner: "ada", dependsOn: [{ consumer: "a" }, { store: "b" }, { issuer: "c" }] }],
    [
      "credentials",
      {
        ...{ issuer: "pg", store: "files", place: { path: "x" }, owner: "ada", class: "token" },
        ...{ consumers: [], mints: [{ issuer: "cloud" }, { credential: "made" }] },
        canRead: [{ store: "safe" }, { store: "vault", place: { path: "y" } }, { credential: "read" }],
      },
    ],
    [
      "credentials",
      {
        ...{ issuer: "pg", store: "files", place: { path: "x" }, owner: "ada", class: "token" },
        consumers: [{ consumer: "a", isolation: "shared" }],
      },
    ],
  ];
  for (const [section, body] of bodies) {
    const asked = new Set<string>();
    const idOf = (of: MappedSection, name: string) => {
      asked.add(`${of} ${name}`);
      return name;
    };
    declaredBy({ id: "me", section, name: "me", body }, { ...naming, idOf });
    const named = new Set(namedBy({ section, body }).map((one) => `${one.section} ${one.name}`));
    expect(named).toEqual(asked);
  }
});

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

test("whatever an entry says of others, it names them beforehand", () => {
  const bodies: readonly (readonly [MappedSection, Record<string, unknown>])[] = [
    ["owners", { kind: "person" }],
    ["stores", {}],
    ["issuers", { engineCredential: "engine" }],
    ["consumers", { owner: "ada" }],
    ["consumers", { owner: "" }],
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

/** What each entry of the estate says on the map. */
import { expect, test } from "vitest";
import { declaredBy, type MappedSection } from "../../../domain/graph/declared.js";

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

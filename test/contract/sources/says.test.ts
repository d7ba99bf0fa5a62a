/** What is collected of one record: each value of a place once, at a cost that grows with their number and no faster. */
import { expect, it } from "vitest";
import { location, Says } from "../../../adapters/shared/source-says.js";
import { testMark } from "../../support/mark.js";

const collected = () => new Says("app.env", { mark: testMark, at: 0 });

it("tells a value once for each place, and what has no hash with the place that it stands at", () => {
  const says = collected();
  const places = ["app.env#A", "app.env#B"].map((path) => location("repository shop", path));
  const met = [
    { as: "a password", value: "correct horse battery" },
    { as: "a token", value: "correct horse battery" },
    { as: "a password", value: null },
  ];
  for (const at of [...places, ...places]) says.copy(at, met, true, at.path);
  const [first, second] = places;
  expect(says.copies.map(({ at, mark, sentence }) => [at, mark !== "", sentence])).toEqual([
    [first, true, "a password at app.env#A"],
    [first, false, "a password at app.env#A"],
    [second, true, "a password at app.env#B"],
    [second, false, "a password at app.env#B"],
  ]);
  expect(says.listed.map(({ thing }) => thing)).toEqual(places);
});

it("takes in a record with tens of thousands of places, each with a value that is told and one that has no hash", () => {
  const says = collected();
  const many = 40_000;
  const begun = process.cpuUsage();
  for (let i = 0; i < many; i++) {
    const value = i % 2 === 0 ? "the same everywhere" : null;
    says.copy(
      location("repository shop", `app.env#KEY_${i}`),
      [{ as: "a password", value }],
      true,
      "app.env",
    );
  }
  const { user } = process.cpuUsage(begun);
  expect([says.copies.length, says.listed.length]).toEqual([many, many / 2]);
  // Looking through all before it for each took minutes.
  expect(user / 1_000).toBeLessThan(5_000);
});

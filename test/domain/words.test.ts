/** Words that many sentences are made with. */
import { expect, test } from "vitest";
import { count } from "../../domain/count.js";
import { asSentence } from "../../domain/sentence.js";

test("one is one, and everything else is several", () => {
  expect([0, 1, 2].map((number) => count(number, "session"))).toEqual([
    "0 sessions",
    "1 session",
    "2 sessions",
  ]);
  expect(count(2, "sign-off is", "sign-offs are")).toBe("2 sign-offs are");
});

test("what a source says is a sentence, and a name in it stays as it is", () => {
  expect(asSentence("a password at DB_PASSWORD of .env")).toBe("A password at DB_PASSWORD of .env.");
  expect(asSentence("It was read.")).toBe("It was read.");
  expect(asSentence("the one of orders?")).toBe("The one of orders?");
  for (const name of ["orders-api reads it", "api.key of .env", "backup reads it"])
    expect(asSentence(name)).toBe(`${name}.`);
});

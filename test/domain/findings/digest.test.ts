/** What a notice of new findings says: a few of them by name, the rest as a number, each in one line. */
import { expect, it } from "vitest";
import { digestOf, namedInDigest } from "../../../domain/findings/digest.js";

const line = (number: number, sentence = "psql uses orders-db.") => ({
  ...{ number, code: "unmapped-reader", what: "orders-db: psql", sentence },
});

it("names what has opened, and says where all of it stands", () => {
  const { subject, text } = digestOf("payments", [line(7)], 1);
  expect(subject).toBe("1 new finding for payments");
  expect(text.split("\n")).toEqual([
    "1 new finding for payments:",
    "7 unmapped-reader, orders-db: psql: psql uses orders-db.",
    "`rekey findings --owner payments` shows what stands, `rekey findings NUMBER` what one means and what mends it.",
  ]);
});

it("counts what it does not name", () => {
  const lines = Array.from({ length: namedInDigest + 5 }, (_, index) => line(index));
  const { subject, text } = digestOf("payments", lines, 12_000);
  expect(subject).toBe("12000 new findings for payments");
  expect(text.split("\n")).toHaveLength(namedInDigest + 3);
  expect(text).toContain(`\nand ${12_000 - namedInDigest} more\n`);
});

it("is for whoever runs the installation where nobody answers", () => {
  const { subject, text } = digestOf(null, [line(1)], 1);
  expect(subject).toBe("1 new finding of what nobody answers for");
  expect(text).toContain("\n`rekey findings` shows what stands");
});

it("takes a sentence for one line of bounded length, whatever name stands in it", () => {
  const said = `psql\r\n2 verified-literal: made up.\u2028\u202e${"x".repeat(1_000)}`;
  const { text } = digestOf("payments", [line(1, said)], 1);
  const [, named = "", ...rest] = text.split("\n");
  expect(rest).toHaveLength(1);
  expect(named).toMatch(/^1 unmapped-reader, orders-db: psql: psql 2 verified-literal: made up\. x+…$/);
  expect(named.length).toBe(401);
});

/** The exploration as a test: every path of `decide` in small worlds keeps the laws; REKEY_EXPLORE makes the worlds larger. */
import { expect, test } from "vitest";
import { modelOf, otherShapes, shapes } from "./models.js";
import { explore } from "./search.js";

const more = Number(process.env.REKEY_EXPLORE ?? 0);

test.each([...shapes(more), ...otherShapes(more)])("I1, I2, I4, I11 hold on every path: $name", (shape) => {
  const found = explore(modelOf(shape));
  process.stdout.write(`${shape.name}: ${found.states} states, ${found.transitions} transitions\n`);
  expect(found.broken).toBeNull();
});

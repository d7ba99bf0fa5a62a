/** How far the logs of a source reach together with what another part of its reading has shown of them. */
import { expect, it } from "vitest";
import { mergedReaches } from "../../../domain/discovery/reaches.js";

it("a log reaches to the newest record that any part has of it, and one without a record is there all the same", () => {
  const reach = (log: string, until: number | null) => ({ log, until });
  const first = [reach("a", 2), reach("b", null), reach("c", null), reach("d", 5)];
  const second = [reach("a", 1), reach("b", 3), reach("c", null), reach("d", null), reach("e", 4)];
  expect(mergedReaches([], first)).toEqual(first);
  expect(mergedReaches(first, second)).toEqual([
    reach("a", 2),
    reach("b", 3),
    reach("c", null),
    reach("d", 5),
    reach("e", 4),
  ]);
});

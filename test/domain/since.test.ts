/** A time that has passed is taken from the records: what they do not know of has not begun (H7). */
import { expect, test } from "vitest";
import { bounded, holdings } from "../../domain/rotation/since.js";
import { begin, originIn, versionIn } from "./begin.js";

const consumer = { at: 9, instances: [], stable: 1, lostAt: null };
const state = begin({
  versions: { old: originIn("a"), new: versionIn("b", "new"), spare: versionIn("c", "spare") },
  uses: {
    old: { quietSince: 5, watermarkAt: 9, sessions: 0 },
    spare: { quietSince: 5, watermarkAt: 9, sessions: 0 },
  },
  consumers: { app: { ...consumer, since: 4 }, job: { ...consumer, since: null } },
});

test("kept is the quiet of what somebody was given, and the work of each consumer on the target", () => {
  expect(holdings(state)).toEqual([
    { what: "unused", subject: "old", target: "", since: 5 },
    { what: "working", subject: "app", target: "new", since: 4 },
    { what: "working", subject: "job", target: "new", since: null },
  ]);
  expect(holdings({ ...state, uses: {} })[0]).toMatchObject({ subject: "old", since: null });
});

test("H7: a time is no longer than the records bear out, and none that they do not know of", () => {
  const later = bounded(state, { unused: { old: 8 }, working: { app: 6, job: 6 } });
  expect([later.uses.old?.quietSince, later.consumers.app?.since, later.consumers.job?.since]).toEqual([
    ...[8, 6, null],
  ]);
  const earlier = bounded(state, { unused: { old: 1 }, working: { app: 1 } });
  expect([earlier.uses.old?.quietSince, earlier.consumers.app?.since]).toEqual([5, 4]);
  const unknown = bounded(state, { unused: {}, working: {} });
  expect([unknown.uses.old?.quietSince, unknown.consumers.app?.since]).toEqual([null, null]);
  // Nobody was ever given it, so nothing is kept of it, and nothing is taken.
  expect(unknown.uses.spare).toEqual(state.uses.spare);
});

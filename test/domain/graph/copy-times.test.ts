/** When copies came and ended: by when their value was met, known and refused, and by when the place was one where it is kept. */
import { expect, test } from "vitest";
import { copiesOverTime, type Kept, type Stay } from "../../../domain/graph/copy-times.js";
import type { GraphEdge } from "../../../domain/graph/types.js";

const stay = (learntAt: number, endedAt: number | null, more: Partial<Stay> = {}): Stay => ({
  ...{ credential: "c-db", place: "l-env", source: "src-files", literal: true, past: false, isRead: false },
  ...{ firstSeen: learntAt - 1, lastSeen: learntAt + 1, learntAt, endedAt, sentence: "A password." },
  ...more,
});

const kept = (since: number, endedAt: number | null): Kept => ({
  ...{ credential: "c-db", place: "l-env", since, endedAt },
});

const timesOf = (edges: readonly GraphEdge[]) =>
  edges.map(({ firstSeen, learntAt, endedAt }) => [firstSeen, learntAt, endedAt]);
const times = (stays: readonly Stay[], keptAt: readonly Kept[] = []) =>
  timesOf(copiesOverTime(stays, keptAt).edges);

test("a copy is there from when it could be told until it is over, and one that came back is learnt of again", () => {
  expect(times([stay(10, null)])).toEqual([[9, 10, null]]);
  expect(times([stay(10, 20)])).toEqual([[9, 10, 20]]);
  expect(times([stay(30, null), stay(10, 20)])).toEqual([[9, 30, null]]);
  expect(times([stay(10, 20), stay(30, 40)])).toEqual([[9, 30, 40]]);
  // One value took another's place: the place has held a copy all along.
  expect(times([stay(10, 20), stay(20, null)])).toEqual([[9, 10, null]]);
  expect(times([stay(10, null), stay(12, 15), stay(20, 30)])).toEqual([[9, 10, null]]);
  expect(times([stay(10, 20), stay(10, 20, { place: "l-other" })])).toHaveLength(2);
});

test("what came back is kept with the end that it had, each time", () => {
  const past = (stays: readonly Stay[], keptAt: readonly Kept[] = []) =>
    timesOf(copiesOverTime(stays, keptAt).past);
  expect(past([stay(10, null)])).toEqual([]);
  expect(past([stay(30, null), stay(10, 20)])).toEqual([[9, 10, 20]]);
  expect(past([stay(50, 60), stay(10, 20), stay(30, 40), stay(35, 45)])).toEqual([
    [9, 10, 20],
    [9, 30, 45],
  ]);
  expect(past([stay(10, 20), stay(20, null)])).toEqual([]);
  expect(past([stay(10, null)], [kept(15, 25)])).toEqual([[9, 10, 15]]);
  // As it stood then, by those who met it then.
  const [then] = copiesOverTime(
    [stay(10, 20, { sentence: "Then." }), stay(30, null, { source: "src-report", sentence: "Now." })],
    [],
  ).past;
  expect(then?.evidence.map(({ source, sentence }) => [source, sentence])).toEqual([["src-files", "Then."]]);
});

test("where the credential was kept it was no copy for that time", () => {
  expect(times([stay(10, null)], [kept(5, null)])).toEqual([]);
  expect(times([stay(10, 20)], [kept(10, 20)])).toEqual([]);
  expect(times([stay(10, null)], [kept(15, null)])).toEqual([[9, 10, 15]]);
  expect(times([stay(10, 12)], [kept(15, null)])).toEqual([[9, 10, 12]]);
  expect(times([stay(10, null)], [kept(5, 15)])).toEqual([[9, 15, null]]);
  expect(times([stay(10, null)], [kept(12, 15)])).toEqual([[9, 15, null]]);
  expect(times([stay(10, null)], [kept(5, 8)])).toEqual([[9, 10, null]]);
  expect(times([stay(10, null)], [kept(12, 15), kept(15, 20)])).toEqual([[9, 20, null]]);
});

test("is known to each source since it met it there, and how it stands is how it stands now", () => {
  const {
    edges: [edge],
  } = copiesOverTime(
    [
      stay(10, 20, { source: "src-old" }),
      stay(12, 18, { literal: false, past: true, sentence: "Then." }),
      stay(18, null, { past: true, sentence: "Now." }),
      stay(25, null, { source: "src-report", past: true, literal: false }),
      stay(26, null, { source: "src-report", past: true, literal: false, sentence: "A key." }),
    ],
    [],
  );
  expect(edge).toMatchObject({ type: "leaked-to", copy: { literal: true, past: true }, learntAt: 10 });
  expect(
    edge?.evidence.map(({ source, learntAt, sentence, count }) => [source, learntAt, sentence, count]),
  ).toEqual([
    ["src-files", 12, "Now.", 1],
    ["src-report", 25, "A key.", 2],
  ]);
});

/** Which cases of the matrix are played when there is no time for all of them. */
import { expect, test } from "vitest";
import type { Direction } from "./house/directions.js";
import { type Case, caseId, mixed } from "./run/cases.js";
import { sampled, stratumOf, woven } from "./run/choice.js";
import { type CallKind, faultsAt, outagesAt, pointName } from "./seam/points.js";

const directions: readonly Direction[] = ["forward", "back"];
const calls: readonly (readonly [string, CallKind, number])[] = [
  ["issuer.enable", "change", 30],
  ["inventory.settle", "record", 9],
  ["activity.run", "activity", 5],
  ["store.view", "ask", 60],
];
const points = calls.flatMap(([call, kind, count]) =>
  Array.from({ length: count }, (_, index) => ({ activity: "issue", call, nth: index + 1, kind })),
);
const kinds = new Map(points.map((point) => [pointName(point), point.kind]));
const cases = directions.flatMap((direction): Case[] =>
  points.flatMap((point) =>
    [
      ...faultsAt(point, point.kind),
      ...outagesAt(point, () => point.nth === 1 && point.kind === "activity"),
    ].map((fault): Case => ({ world: "a-world", direction, planted: [fault] })),
  ),
);

const strataOf = (some: readonly Case[]) => new Set(some.map((one) => stratumOf(one, kinds)));

test("every fault at every kind of call in every direction has its turns: changes most often, kills least", () => {
  const strata = strataOf(cases);
  expect(strata.size).toBeGreaterThan(60);
  const order = woven(cases, kinds, 1);
  expect(new Set(order.map(caseId)).size).toBe(cases.length);
  const first = order.slice(0, Math.round(cases.length / 3));
  const turns = Map.groupBy(first, (one) => stratumOf(one, kinds));
  expect(new Set(turns.keys())).toEqual(strata);
  const of = (name: string) => turns.get(`forward ${name}`)?.length ?? 0;
  expect(of("change after-late")).toBeGreaterThanOrEqual(4 * of("change after-kill"));
  expect(of("change after-late")).toBeGreaterThan(of("ask before-error"));
  expect(Math.abs(of("ask before-error") - of("ask before-timeout"))).toBeLessThanOrEqual(1);
});

test("a call that is not seen moves nobody else, and a sample is half changes", () => {
  const gone = "issue.store.view.7/";
  const order = (some: readonly Case[], seed = 1) => mixed(some, caseId, seed).map(caseId);
  const fewer = cases.filter((one) => !caseId(one).includes(gone));
  expect(order(fewer)).toEqual(order(cases).filter((id) => !id.includes(gone)));
  expect(order(cases, 2)).not.toEqual(order(cases));
  const share = sampled(cases, kinds, 1, 12);
  expect(share).toHaveLength(12);
  const everything = sampled(cases, kinds, 1, 2 * cases.length);
  expect(everything.filter((one) => caseId(one).includes("-gone"))).toEqual([]);
  expect(everything.length).toBeGreaterThan(cases.length / 2);
  expect(share.filter((one) => stratumOf(one, kinds).includes(" change "))).toHaveLength(6);
});

/** The handle that loads what it stands for at its first call. */
import { expect, test } from "vitest";
import { late } from "../../client/late.js";

interface Desk {
  add(one: number, other: number): Promise<number>;
  fail(): Promise<never>;
}

const desk: Desk = {
  add: async (one, other) => one + other,
  fail: async () => {
    throw new Error("the desk's own");
  },
};

test("loads at the first call and once, and hands everything on", async () => {
  let loads = 0;
  const { handle, isUsed } = late<Desk>(async () => {
    loads += 1;
    return desk;
  });
  expect([loads, isUsed()]).toEqual([0, false]);
  expect(await Promise.all([handle.add(1, 2), handle.add(3, 4)])).toEqual([3, 7]);
  await expect(handle.fail()).rejects.toThrow("the desk's own");
  expect([loads, isUsed()]).toEqual([1, true]);
});

test("each call throws what loading throws", async () => {
  const { handle } = late<Desk>(() => Promise.reject(new Error("not there")));
  await expect(handle.add(1, 2)).rejects.toThrow("not there");
  await expect(handle.add(1, 2)).rejects.toThrow("not there");
});

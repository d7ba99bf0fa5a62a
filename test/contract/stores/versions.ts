/** What `storeVersion` of a view has to be, as the contract of every store asks it: whoever reads an older one is known by it. */
import { expect } from "vitest";
import type { Store } from "../../../adapters/ports.js";
import { call, change, contents, type StoreWorld, tag } from "./world.js";

/** Changes the empty place in every way that there is and looks at it after each, also with the eyes of another process. */
export async function checkStoreVersions(world: StoreWorld, store: Store): Promise<void> {
  const told: Array<string | undefined> = [];
  const look = async () => {
    const { storeVersion } = await store.view(call());
    const other = world.open();
    expect((await other.view(call())).storeVersion).toBe(storeVersion);
    await other.close();
    told.push(storeVersion);
  };
  const [first, second] = [tag("v1", 1), tag("v2", 2)];
  const [taken, back] = [tag("v2", 3, { epoch: 2 }), tag("v1", 4, { epoch: 2 })];
  await look();
  await world.foreignWrite({ host: "h1" });
  await look();
  for (const version of ["v1", "v2"]) await store.stage(version, contents(version), call());
  expect((await store.view(call())).storeVersion).toBe(told.at(-1));
  await store.promote(change(null, first), call());
  await look();
  await store.promote(change(first, second), call());
  await look();
  await store.seize(change(second, taken), call());
  await look();
  await store.promote(change(taken, back), call());
  await look();
  const [absent, ...live] = told;
  expect(absent).toBeUndefined();
  if (world.storeVersions === "none") {
    expect(live.filter((version) => version !== undefined)).toEqual([]);
    return;
  }
  expect(live.filter((version) => typeof version !== "string" || version === "")).toEqual([]);
  expect(new Set(live).size).toBe(live.length);
  if (world.storeVersions === "named") return;
  expect(live.filter((version) => !/^[1-9][0-9]*$/.test(version ?? ""))).toEqual([]);
  expect(live.toSorted((one, other) => Number(one) - Number(other))).toEqual(live);
}

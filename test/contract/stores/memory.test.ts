/** The in-memory fake passes the stores' contract, so what is built on it is built on the same promises. */
import { describe, expect, it } from "vitest";
import { type MemoryMethod, memoryStores } from "../../../adapters/stores/memory.js";
import { RekeyError } from "../../../domain/errors.js";
import { storeContract } from "../store.js";
import { wiredStoreContract } from "./wired.js";
import { call, codeOf, contents, depsOf, type WiredStoreWorld } from "./world.js";

async function make(): Promise<WiredStoreWorld> {
  const { kind, faults, place } = memoryStores();
  const at = place("orders");
  const write = (fields: Record<string, string>) => {
    if (at.raw !== null) at.history.push(at.raw);
    at.raw = { ...at.raw, ...fields };
    at.revision++;
  };
  const changes: MemoryMethod[] = ["stage", "promote", "seize", "purge"];
  return {
    storeVersions: "counted",
    open: ({ fields, installation } = {}) => {
      const store = kind.create(
        kind.config.parse({}),
        kind.place.parse({ path: "orders", ...(fields ? { fields } : {}) }),
        depsOf({}, { installation: installation ?? "here" }),
      );
      // The switch stays on until it is taken out; here it means the next change only.
      for (const method of ["stage", "promote", "seize", "purge"] as const) {
        const work = store[method].bind(store) as (...args: unknown[]) => Promise<unknown>;
        Object.assign(store, {
          [method]: (...args: unknown[]) => work(...args).finally(() => faults.loseAnswer.clear()),
        });
      }
      return store;
    },
    raw: async () => (at.raw === null ? null : { ...at.raw }),
    foreignWrite: async (fields) => write(fields),
    foreignWriteInBetween: async (fields) => {
      faults.beforeWrite = () => write(fields);
    },
    everything: async () => JSON.stringify([at.raw, at.history, [...at.copies]]),
    cutOff: async () => {
      faults.unreachable = true;
      return async () => {
        faults.unreachable = false;
      };
    },
    fallSilent: () => {
      for (const method of ["preflight", "view", "live"] as const) faults.hang.add(method);
    },
    loseNextAnswer: () => {
      for (const method of changes) faults.loseAnswer.add(method);
    },
    dispose: async () => {},
  };
}

storeContract("memory", make);
wiredStoreContract("memory", make);

describe("the fake's own switches", () => {
  it("fails with the error it was given, does nothing then, and keeps a list of calls", async () => {
    const { kind, faults, place, calls } = memoryStores();
    const store = kind.create({}, kind.place.parse({ path: "orders" }), depsOf());
    faults.fail.set("stage", new RekeyError("not-permitted", "no"));
    expect(await codeOf(store.stage("v1", contents("v1"), call()))).toBe("not-permitted");
    expect(place("orders").copies.size).toBe(0);
    faults.fail.clear();
    faults.findings = [{ code: "x", severity: "warn", sentence: "y" }];
    expect(await store.preflight(call())).toEqual(faults.findings);
    expect(calls).toEqual(["stage orders", "preflight orders"]);
    expect(kind.lockKeys({}, kind.place.parse({ path: "orders" }))).toEqual(["memory:orders"]);
  });
});

/** The fake passes the issuers' contract, and its switches do what tests above the port rely on. */
import { describe, expect, it } from "vitest";
import { inPlaceTraits, type MemoryIssuers, memoryIssuers } from "../../../adapters/issuers/memory.js";
import type { Issuer } from "../../../adapters/ports.js";
import { RekeyError } from "../../../domain/errors.js";
import { issuerContract } from "../issuer.js";
import { mintingContract } from "../minting.js";
import { depsOf } from "../stores/world.js";
import { call, changeOf, codeOf, type IssuerWorld, tag } from "./world.js";

const logins = ["orders_a", "orders_b"];

function open(memory: MemoryIssuers, server = "main", accounts = logins): Issuer {
  return memory.kind.create({ server }, { logins: accounts }, depsOf());
}

function memoryWorld(memory = memoryIssuers(), own = logins): IssuerWorld {
  const { logins: accounts, connect } = memory.server();
  return {
    slots: ["orders_a", "orders_b"],
    open: () => open(memory, "main", own),
    openClone: async () => {
      const clone = memory.server("clone");
      for (const [name, login] of accounts) clone.logins.set(name, { ...login });
      return open(memory, "clone", own);
    },
    openUnreachable: () => {
      const nowhere = memoryIssuers();
      nowhere.faults.unreachable = true;
      return open(nowhere, "main", own);
    },
    connect: async (username, password) => {
      const session = connect(username, password);
      if (session === null) return null;
      return {
        alive: async () => session.alive,
        setOwnValue: async (value) => {
          const login = accounts.get(username);
          if (login && session.alive) login.value = value;
        },
        close: async () => {
          session.alive = false;
        },
      };
    },
    overwriteTag: async (slot, text) => {
      const login = accounts.get(slot);
      if (login) login.tag = text;
    },
    exists: async (slot) => accounts.has(slot),
    dispose: async () => {},
  };
}

issuerContract("memory", async () => memoryWorld());

/** One slot, in which the issuer makes the values. */
const inPlace = async (): Promise<IssuerWorld> => {
  const memory = memoryIssuers(inPlaceTraits);
  return { ...memoryWorld(memory, ["orders_a"]), slots: ["orders_a"] };
};

issuerContract("memory, in place", inPlace);
mintingContract("memory, in place", inPlace);

describe("the fake's switches", () => {
  it("H3: a held write lands late, and only while its tag is still expected", async () => {
    const memory = memoryIssuers();
    const issuer = open(memory);
    const document = issuer.generate("orders_a");
    let release = () => {};
    memory.faults.holdWrite = new Promise((resolve) => {
      release = resolve;
    });
    const controller = new AbortController();
    const late = issuer.enable(changeOf("orders_a", null, tag("v1", 1)), document, controller);
    await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort();
    expect(await codeOf(late)).toBe("unknown-outcome");
    await issuer.seize(changeOf("orders_a", null, tag("v0", 2, { epoch: 2 })), call());
    release();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await issuer.survey(call())).slots[0]?.enabled).toBe(false);
  });

  it("loses answers, hangs and fails as told, and counts its calls", async () => {
    const memory = memoryIssuers();
    const issuer = open(memory);
    const document = issuer.generate("orders_a");
    const change = changeOf("orders_a", null, tag("v1", 1));
    memory.faults.loseAnswer.add("enable");
    expect(await codeOf(issuer.enable(change, document, call()))).toBe("unknown-outcome");
    expect(memory.server().connect("orders_a", document.password?.reveal() ?? "")).not.toBeNull();
    memory.faults.loseAnswer.clear();
    expect(await issuer.enable(change, document, call())).toBe("already");
    memory.faults.hang.add("survey");
    expect(await codeOf(issuer.survey(call(10)))).toBe("unreachable");
    memory.faults.fail.set("prove", new RekeyError("not-permitted"));
    expect(await codeOf(issuer.prove("orders_a", document, call()))).toBe("not-permitted");
    expect(memory.calls).toEqual(["enable orders_a", "enable orders_a", "survey", "prove orders_a"]);
  });

  it("H4, H21: shows hidden sessions without a name, and says when it cannot see", async () => {
    const memory = memoryIssuers();
    const issuer = open(memory);
    const document = issuer.generate("orders_a");
    await issuer.enable(changeOf("orders_a", null, tag("v1", 1)), document, call());
    const session = memory.server().connect("orders_a", document.password?.reveal() ?? "");
    if (session) session.hidden = true;
    memory.faults.blind = true;
    const view = await issuer.survey(call());
    expect(view.sessions.map(({ slot }) => slot)).toEqual([null]);
    expect(view.watermarkSeen).toBe(false);
  });
});

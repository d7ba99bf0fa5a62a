/** Who is seen at the issuer and belongs to nobody: what is missed here is cut off later without having been asked. */
import { describe, expect, test } from "vitest";
import { consumerOf, unmappedReaders } from "../../activities/session-readers.js";
import type { SessionGroup } from "../../adapters/ports.js";

function session(more: Partial<SessionGroup> = {}): SessionGroup {
  return {
    node: "one",
    slot: "a",
    application: "report.py",
    address: "10.0.0.7",
    count: 1,
    youngestAt: 0,
    oldestAt: 0,
    ...more,
  };
}

const claimant = (id: string, applicationName: readonly string[], address: readonly string[]) => {
  return { id, name: id, match: { applicationName, address } };
};
const named = (...applicationName: string[]) => claimant("named", applicationName, []);
const at = (...address: string[]) => claimant("at", [], address);

/** True when a session from this address is taken for this consumer's. */
const belongs = (address: string, ...to: string[]) =>
  unmappedReaders([session({ address })], [at(...to)]).length === 0;

describe("C7: a reader that no consumer accounts for", () => {
  test("is named with its program, its address and how many there are", () => {
    expect(unmappedReaders([session({ count: 3 })], [named("orders"), at("10.0.1.0/24")])).toEqual([
      { application: "report.py", address: "10.0.0.7", count: 3 },
    ]);
  });

  test("is anybody, where no consumer is declared or none says how it is told", () => {
    const sessions = [session(), session({ application: "" })];
    expect(unmappedReaders(sessions, [])).toHaveLength(2);
    expect(unmappedReaders(sessions, [named(), at()])).toHaveLength(2);
  });

  test("is one over all nodes and both accounts, and apart from another program or address", () => {
    const found = unmappedReaders(
      [
        session({ count: 2 }),
        session({ node: "two" }),
        session({ slot: "b", count: 4 }),
        session({ address: "10.0.0.8" }),
        session({ application: "psql" }),
      ],
      [],
    );
    expect(found.map(({ application, address, count }) => [application, address, count])).toEqual([
      ["report.py", "10.0.0.7", 7],
      ["report.py", "10.0.0.8", 1],
      ["psql", "10.0.0.7", 1],
    ]);
  });

  test("is not a session of another account, and is one that calls itself the engine", () => {
    expect(unmappedReaders([session({ slot: null })], [])).toEqual([]);
    expect(unmappedReaders([session({ application: "rekey/probe/engine" })], [])).toHaveLength(1);
  });
});

test("C7: who comes over a socket, or from a host of which only the name is shown, is told by that", () => {
  const is = (address: string, host?: readonly string[], ...range: string[]) =>
    consumerOf([{ id: "shop", name: "shop", match: { applicationName: ["orders"], address: range, host } }], {
      application: "orders",
      address,
    });
  const net = "10.0.0.0/8";
  expect([is("10.0.0.7", undefined, net), is("local", ["local"]), is("local", ["local"], net)]).toEqual([
    "shop",
    "shop",
    "shop",
  ]);
  expect(is("DB1.shop.example", ["db1.shop.example"], net)).toBe("shop");
  expect([is("local", undefined, net), is("", undefined, net), is("db1", ["db2"], net)]).toEqual([
    null,
    null,
    null,
  ]);
});

test("H23: where no session tells its version, one without a slot is somebody's use of the account", () => {
  const sessions = [session({ slot: null })];
  expect(unmappedReaders(sessions, [], { sessionsTellVersions: false })).toHaveLength(1);
  expect(unmappedReaders(sessions, [named("report.py")], { sessionsTellVersions: false })).toEqual([]);
});

describe("a session belongs to a consumer", () => {
  test("by the exact name of its program, whichever of its names that is", () => {
    const names = ["orders", "orders-batch", "order", "ORDERS", "orders ", ""];
    const consumers = [named("orders", "orders-batch")];
    const mapped = names.filter(
      (application) => unmappedReaders([session({ application })], consumers).length === 0,
    );
    expect(mapped).toEqual(["orders", "orders-batch"]);
  });

  test.each<[string, boolean, string, string[]]>([
    ["its address", true, "10.0.0.7", ["10.0.0.7"]],
    ["one of its addresses", true, "10.0.0.7", ["10.0.0.1", "10.0.0.7"]],
    ["not a neighbour's", false, "10.0.0.8", ["10.0.0.7"]],
    ["the first address of its range", true, "10.0.4.0", ["10.0.4.0/22"]],
    ["the last address of its range", true, "10.0.7.255", ["10.0.4.0/22"]],
    ["not the one before its range", false, "10.0.3.255", ["10.0.4.0/22"]],
    ["not the one after its range", false, "10.0.8.0", ["10.0.4.0/22"]],
    ["a range of one", true, "10.0.0.7", ["10.0.0.7/32"]],
    ["an IPv6 address, however it is written", true, "2001:db8::1", ["2001:0DB8:0:0::1"]],
    ["an IPv6 range", true, "2001:db8:0:ffff::1", ["2001:db8::/48"]],
    ["not another IPv6 range", false, "2001:db8:1::1", ["2001:db8::/48"]],
    ["an IPv4 address that is shown as IPv6", true, "::ffff:10.0.0.7", ["10.0.0.0/24"]],
    ["not an IPv6 address by an IPv4 range of everything", false, "2001:db8::1", ["0.0.0.0/0"]],
    ["not a local socket by any address", false, "", ["0.0.0.0/0", "::/0"]],
    ["not by an address that is none", false, "10.0.0.7", ["orders.internal", ""]],
  ])("by %s", (_what, mapped, address, to) => {
    expect(belongs(address, ...to)).toBe(mapped);
  });

  test("when any consumer matches, by name or by address", () => {
    expect(unmappedReaders([session()], [named("orders"), at("10.0.0.0/8")])).toEqual([]);
    expect(unmappedReaders([session({ address: "" })], [at("10.0.0.0/8"), named("report.py")])).toEqual([]);
  });

  test("H23: that its name tells and not the one from whose addresses it comes, and to one of several by both", () => {
    const [near, report] = [at("10.0.0.0/8"), named("report.py")];
    expect(consumerOf([near, report], session())).toBe("named");
    expect(consumerOf([near, report], session({ application: "psql" }))).toBe("at");
    const far = claimant("far", ["report.py"], ["10.9.0.0/16"]);
    expect(consumerOf([far, claimant("here", ["report.py"], ["10.0.0.0/16"])], session())).toBe("here");
    expect(consumerOf([far], session())).toBeNull();
    expect(consumerOf([far, report], session())).toBe("named");
    expect(consumerOf([far, report], session({ address: "10.9.0.1" }))).toBe("far");
    expect(consumerOf([report, claimant("twin", ["report.py"], [])], session())).toBeNull();
  });
});

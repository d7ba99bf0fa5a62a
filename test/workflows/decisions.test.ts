/** Whose word counts, how it arrives, and until when: decisions as a rotation takes them in (H7, H37, H38). */
import { expect, test } from "vitest";
import type { ActivityDeps, Systems } from "../../activities/deps.js";
import { surveyorFor } from "../../activities/surveyor.js";
import type { Estate } from "../../domain/estate/types.js";
import type { RotationState } from "../../domain/rotation/state.js";
import { entryNamed } from "../../inventory/estate.js";
import { currentEstate } from "../../inventory/estate-load.js";
import { decideSignal } from "../../workflows/messages.js";
import { openHouse } from "./house.js";
import { paper } from "./people.js";
import {
  cancel,
  decide,
  ended,
  eventually,
  expectWorking,
  persisted,
  recorded,
  stateOf,
  until,
  untilAsked,
  untilDelivered,
} from "./watch.js";

test("an owner's approval that comes by update lets the rotation begin, and nothing happens before it", async () => {
  const house = await openHouse({ quorum: 1 });
  const handle = await house.start();
  const state = await untilAsked(handle);
  expect(house.world.issuers.calls.filter((call) => /^(enable|disable|seize)/.test(call))).toEqual([]);
  expect(await decide(handle, await paper(house, state, "ann"))).toMatchObject({ accepted: true });
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  const [used] = await house.fresh.sql("select burned_by_change from rekey_inventory.decisions");
  expect(used?.burned_by_change).not.toBeNull();
});

test("an approval that comes by signal does the same, also twice", async () => {
  const house = await openHouse({ quorum: 1 });
  const handle = await house.start();
  const document = await paper(house, await untilAsked(handle), "bob");
  await handle.signal(decideSignal, document);
  await handle.signal(decideSignal, document);
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  expect((await stateOf(handle)).decisions).toHaveLength(1);
});

test("H37: what was signed with a key that was taken from its person since allows no step", async () => {
  const house = await openHouse({ quorum: 2 });
  const handle = await house.start();
  const state = await untilAsked(handle);
  await decide(handle, await paper(house, state, "ann"));
  await house.apply((estate) => {
    const { ann, eve } = estate.owners;
    const keys = eve?.kind === "person" ? eve.keys : [];
    return { ...estate, owners: { ...estate.owners, ann: { ...ann, keys } as never } };
  });
  await decide(handle, await paper(house, state, "bob"));
  expect(await ended(handle)).toMatchObject({
    outcome: "refused",
    reason: expect.stringContaining("1 sign-off is missing"),
  });
  expect(house.world.issuers.calls.filter((call) => /^enable/.test(call))).toEqual([]);
  expectWorking(house);
});

test("H7 H37 H38: forged, foreign, stale, expired and partial words are refused with their reason", async () => {
  const house = await openHouse({ quorum: 1 });
  const handle = await house.start({ requestedBy: "ann" });
  const state = await untilAsked(handle);
  const known = await paper(house, state, "eve", { id: "doc_once" });
  const words: [string, string, RegExp][] = [
    ["no document", "approve, please", /not a signed document/],
    ["a forged signature", await paper(house, state, "bob", {}, "eve"), /None of the keys of bob/],
    ["a changed payload", tampered(await paper(house, state, "eve")), /None of the keys|knows no person/],
    ["one without a signature", unsigned(await paper(house, state, "bob")), /None of the keys of bob/],
    ["another nonce", await paper(house, state, "bob", { nonce: "run_other" }), /earlier run/],
    ["another plan", await paper(house, state, "bob", { digest: "0".repeat(64) }), /plan has changed/],
    ["another rotation", await paper(house, state, "bob", { rotation: "rot_other" }), /another rotation/],
    [
      "another installation",
      await paper(house, state, "bob", { installation: "inst_other" }),
      /installation/,
    ],
    ["an expired one", await paper(house, state, "bob", { expiresAt: Date.now() - 1 }), /expired/],
    ["one from the future", await paper(house, state, "bob", { issuedAt: Date.now() + 600_000 }), /future/],
    ["the requester's own", await paper(house, state, "ann"), /ann does not count/],
    ["a stranger's", known, /eve may not decide/],
  ];
  for (const [what, document, reason] of words) {
    expect(await decide(handle, document), what).toMatchObject({
      accepted: false,
      sentence: expect.stringMatching(reason),
    });
  }
  expect((await stateOf(handle)).decisions).toEqual([]);
  expect(house.world.issuers.calls.filter((call) => call.startsWith("enable"))).toEqual([]);
  expect(await decide(handle, await paper(house, state, "bob"))).toMatchObject({ accepted: true });
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
});

test("H7: an id that was used is refused in another document; the same document is answered alike", async () => {
  const house = await openHouse({ quorum: 2 });
  const handle = await house.start();
  const state = await untilAsked(handle);
  const document = await paper(house, state, "ann", { id: "doc_single" });
  expect(await decide(handle, document)).toMatchObject({ accepted: true });
  expect(await decide(handle, document)).toMatchObject({ accepted: true });
  const replayed = await paper(house, state, "bob", { id: "doc_single" });
  expect(await decide(handle, replayed)).toMatchObject({
    accepted: false,
    sentence: expect.stringMatching(/used before/),
  });
  expect((await stateOf(handle)).decisions).toHaveLength(1);
});

test("H37: a quorum counts persons, not papers; a deputy is a person of their own", async () => {
  const house = await openHouse({ quorum: 2 });
  const handle = await house.start();
  const state = await untilAsked(handle);
  await decide(handle, await paper(house, state, "dora"));
  await decide(handle, await paper(house, state, "dora"));
  const still = await until(handle, "waiting", ({ standing }) => standing === "waiting");
  expect(still.sentence).toContain("1 sign-off");
  expect(house.world.issuers.calls.filter((call) => call.startsWith("enable"))).toEqual([]);
  await decide(handle, await paper(house, state, "bob"));
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
});

test("H37: whoever has just changed the rules of this credential does not count, nor whom they let in", async () => {
  const house = await openHouse({ quorum: 1 });
  await house.apply(
    (estate) => ({
      ...estate,
      owners: { ...estate.owners, payments: { kind: "team", members: ["ann", "bob", "cleo"] } },
    }),
    "bob",
  );
  const handle = await house.start();
  const state = await untilAsked(handle);
  expect(await decide(handle, await paper(house, state, "bob"))).toMatchObject({
    accepted: false,
    sentence: expect.stringMatching(/changed its rules/),
  });
  expect(await decide(handle, await paper(house, state, "ann"))).toMatchObject({ accepted: true });
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
});

test.each([
  ["has left the owners", ["bob", "cleo"], "platform"],
  ["has changed who they are", ["ann", "bob", "cleo"], "ann"],
])("H37: an approval does not count where it is used when its signer %s since", async (_, members, by) => {
  const house = await openHouse({ quorum: 2 });
  const handle = await house.start();
  const state = await untilAsked(handle);
  expect(await decide(handle, await paper(house, state, "ann"))).toMatchObject({ accepted: true });
  const payments = { kind: "team" as const, members };
  await house.apply((estate) => ({ ...estate, owners: { ...estate.owners, payments } }), by);
  expect(await decide(handle, await paper(house, state, "bob"))).toMatchObject({ accepted: true });
  expect(await ended(handle)).toMatchObject({ outcome: "refused" });
  expect(house.world.issuers.calls.filter((call) => call.startsWith("enable"))).toEqual([]);
});

test("H17: a changed plan is asked for anew; changed back, what was signed for it holds, and the records agree", async () => {
  const house = await openHouse({ quorum: 1 });
  const handle = await house.start();
  const first = await untilAsked(handle);
  await house.apply(consumerOwner("bob"));
  await decide(handle, await paper(house, first, "ann"));
  const second = await eventually("another plan is asked", async () => {
    const state = await stateOf(handle);
    return state.plan?.digest !== first.plan?.digest && state.askedAt !== null && state;
  });
  expect(house.world.issuers.calls.filter((call) => call.startsWith("enable"))).toEqual([]);
  await house.apply(consumerOwner("payments"));
  await decide(handle, await paper(house, second, "bob"));
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
  const state = await stateOf(handle);
  expect(state.plan?.digest).toBe(first.plan?.digest);
  expect(persisted(state)).toEqual(persisted(await recorded(house)));
});

test("H10: a confirmation counts for the version and the delivery that it was signed for, by the consumer's owner", async () => {
  const house = await openHouse();
  await house.apply(consumerOwner("cleo"));
  house.world.consumers.get("checkout")?.behave("refuses");
  const begunAt = Date.now();
  const handle = await house.start();
  await untilDelivered(handle);
  const state = await stateOf(handle);
  const consumer = (await entryNamed(house.fresh.db, "consumers", "checkout")).id;
  const word = { says: "confirm", consumer, version: state.target } as const;
  const words: [string, string, RegExp][] = [
    ["no version", await paper(house, state, "cleo", { says: "confirm", consumer }), /which version/],
    ["another", await paper(house, state, "cleo", { ...word, version: state.origin }), /does not lead to/],
    ["too early", await paper(house, state, "cleo", { ...word, issuedAt: begunAt }), /before the version/],
    ["not theirs", await paper(house, state, "ann", word), /ann may not decide/],
    ["nobody's", await paper(house, state, "cleo", { ...word, consumer: "con_none" }), /may not decide/],
  ];
  for (const [what, document, sentence] of words) {
    const refused = { accepted: false, sentence: expect.stringMatching(sentence) };
    expect(await decide(handle, document), what).toMatchObject(refused);
  }
  expect(await decide(handle, await paper(house, state, "cleo", word))).toMatchObject({ accepted: true });
  const confirmations = async (seen: RotationState, now = Date.now) => {
    const deps = { db: house.fresh.db, now } as ActivityDeps;
    const consumers = [{ id: consumer, place: "main", owner: "cleo" }];
    const estate = (await currentEstate(house.fresh.db))?.estate;
    const systems = { consumers, estate, policy: { cooldownMs: 0 } };
    const record = { credential: house.credential, requestedBy: "eve" };
    return (await surveyorFor(deps, systems as unknown as Systems, seen, record)).confirmations;
  };
  expect(await confirmations(state)).toMatchObject([{ consumer, version: state.target, person: "cleo" }]);
  expect(await confirmations({ ...state, target: state.origin })).toEqual([]);
  const { main } = state.places;
  if (main === undefined) throw new Error("the place is unknown");
  const again = { ...main, toldAt: Date.now() + 1_000 };
  expect(await confirmations({ ...state, places: { main: again } })).toEqual([]);
  // At the time of use, like every word: when it has expired, and when its key is said to be in somebody else's hands.
  expect(await confirmations(state, () => Date.now() + 10 * 86_400_000 * 365)).toEqual([]);
  const without = (keys: readonly unknown[]) => (estate: Estate) =>
    ({ ...estate, owners: { ...estate.owners, cleo: { ...estate.owners.cleo, keys } } }) as Estate;
  const { keys } = ((await currentEstate(house.fresh.db))?.estate.owners.cleo ?? {}) as { keys: unknown[] };
  await house.apply(without([]));
  expect(await confirmations(state)).toEqual([]);
  await house.apply(without(keys));
  expect(await confirmations(state)).toHaveLength(1);
  house.world.consumers.get("checkout")?.behave("moves");
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
});

test("a veto before anything was issued ends the rotation as if it had never begun", async () => {
  const house = await openHouse({ quorum: 1 });
  const handle = await house.start();
  const state = await untilAsked(handle);
  expect(await decide(handle, await paper(house, state, "bob", { says: "reject" }))).toMatchObject({
    accepted: true,
  });
  expect(await ended(handle)).toMatchObject({
    outcome: "refused",
    reason: expect.stringMatching(/bob rejected/),
  });
  expectWorking(house);
  expect(house.world.enabled()).toEqual(["orders_a"]);
});

test("a veto after issue turns the rotation round", async () => {
  const house = await openHouse({ quorum: 1 });
  house.world.consumers.get("reports")?.behave("refuses");
  const handle = await house.start();
  const state = await untilAsked(handle);
  await decide(handle, await paper(house, state, "ann"));
  await until(
    handle,
    "adoption",
    ({ gate, standing }) => gate === "delivered and adopted" && standing === "waiting",
  );
  await decide(handle, await paper(house, state, "bob", { says: "reject" }));
  expect(await ended(handle)).toMatchObject({ outcome: "went-back" });
  expectWorking(house);
  expect(house.world.enabled()).toEqual(["orders_a"]);
  expect(house.world.live()).toMatchObject({ username: "orders_a", password: house.world.first.password });
});

test("owners are reminded once, and past the deadline nothing begins", async () => {
  const house = await openHouse({ quorum: 1, approval: { deadlineMs: 5_000, reminderMs: 500 } });
  const handle = await house.start();
  expect(await ended(handle)).toMatchObject({ outcome: "refused", reason: expect.stringMatching(/missing/) });
  const notices = await house.fresh.sql("select kind from rekey_inventory.notices order by at");
  expect(notices.map(({ kind }) => kind)).toEqual(["approval-asked", "reminder", "closed"]);
  expect(house.world.enabled()).toEqual(["orders_a"]);
  expect(await cancel(handle).catch(() => "gone")).toBe("gone");
});

/** The document with another person in its payload and the signature that it had. */
/** The same words under the algorithm `none`. */
function unsigned(document: string): string {
  const head = Buffer.from('{"alg":"none"}').toString("base64url");
  return `${head}.${document.split(".")[1]}.`;
}

function tampered(document: string): string {
  const [header = "", payload = "", signature = ""] = document.split(".");
  const said = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
  const changed = Buffer.from(JSON.stringify({ ...said, person: "bob" })).toString("base64url");
  return [header, changed, signature].join(".");
}

/** Gives a consumer to another owner: the plan says whose it is, so it is another plan. */
function consumerOwner(owner: string) {
  return (estate: Estate): Estate => {
    const { checkout } = estate.consumers;
    return checkout
      ? { ...estate, consumers: { ...estate.consumers, checkout: { ...checkout, owner } } }
      : estate;
  };
}

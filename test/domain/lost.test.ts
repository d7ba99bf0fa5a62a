/** What is left of a lost rotation: known is what was recorded, and nothing else is. */
import { expect, test } from "vitest";
import { leftOf } from "../../domain/lost.js";
import { begin, policy, tick, versionIn } from "./begin.js";

const now = 10 * tick;

test("H8: recorded is known; what was under way, was seen or was signed is not", () => {
  const decision = { id: "d", person: "ann", digest: "plan", verdict: "approve", owners: [] } as const;
  const state = begin({
    policy: { ...policy, approval: { ...policy.approval, quorum: 1 } },
    change: 3,
    decisions: [{ ...decision, issuedAt: 0, expiresAt: now + tick }],
    versions: { ...begin().versions, new: versionIn("b", "new", { life: "issued", issuer: "unknown" }) },
  });
  const openChange = {
    change: 3,
    step: { do: "issue", version: "new", slot: "b" },
    at: now - 2 * tick,
  } as const;
  const { known, unknown } = leftOf(state, openChange, { at: now - tick, sentence: "Asked." }, now);
  expect(known).toEqual([
    "Epoch 1, 3 changes, at gate mapped.",
    "What was recorded last, 1 s ago: Asked.",
    "Version old is enabled in a.",
    "Version new is unknown in b.",
    "Consumers read version old in main.",
  ]);
  expect(unknown).toEqual([
    "Change 3 (issue) was begun 2 s ago; whether it was made is asked of issuer and store before anything else, and no late write of it counts.",
    "Who holds which version is looked at anew; times of quiet and of soak count from then on.",
    "What was signed was signed for the lost run: owners are asked again where their word has to hold.",
  ]);
});

test("of one that had hardly begun there is little to tell", () => {
  const main = { ...begin().places.main, liveVersion: null } as never;
  const { known, unknown } = leftOf(begin({ places: { main } }), null, null, now);
  expect(known).toEqual([
    "Epoch 1, 0 changes, at gate mapped.",
    "Version old is enabled in a.",
    "Consumers read a version without an id in main.",
  ]);
  expect(unknown).toHaveLength(2);
  expect(unknown[0]).toBe("No change was under way.");
});

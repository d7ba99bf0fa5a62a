/** What Rekey's own processes say of the codec's keys: each that one seals with has to be known to all (H26). */
import { expect, test } from "vitest";
import { codecFindings, type ProcessSeen } from "../../domain/processes.js";

const seen = (instance: string, seals: string, ...opens: readonly string[]): ProcessSeen => ({
  ...{ instance, seals, opens, ageMs: 0 },
});

test("nothing is wrong while everybody seals with one key and opens it", () => {
  expect(codecFindings([])).toEqual([]);
  expect(codecFindings([seen("one", "k1", "k1"), seen("two", "k1", "k1", "k0")])).toEqual([]);
});

test("who cannot open what another seals is named with it, and two keys in use are told", () => {
  const found = codecFindings([seen("one", "k2", "k1", "k2"), seen("two", "k1", "k1")]);
  expect(found.map(({ code, severity, subject }) => [code, severity, subject])).toEqual([
    ["codec-key-unknown", "refuse", "two"],
    ["codec-keys-differ", "warn", undefined],
  ]);
  expect(found.map(({ sentence }) => sentence)).toEqual([
    "two cannot open what one seals: it does not know the codec key k2.",
    "Processes seal with different codec keys: k1 and k2.",
  ]);
});

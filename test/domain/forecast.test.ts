/** Who is told beforehand that it may fail: exactly those whom the plan and the policy leave without a working version. */
import { expect, test } from "vitest";
import { type Foreseen, forecastOf } from "../../domain/forecast.js";
import { applyIncident } from "../../domain/incident.js";
import type { Containment, Plan } from "../../domain/rotation/state.js";
import { begin, planFor, policy, traits, versionIn } from "./begin.js";

const nameOf = (id: string) => `the ${id}`;

/** Two consumers; `slow` may hold a version for a minute and cannot be moved back. */
const two = planFor({ main: ["quick", "slow"] });
const plan: Plan = {
  ...two,
  consumers: two.consumers.map((consumer) =>
    consumer.id === "slow" ? { ...consumer, memoryMs: 60_000, reversible: false } : consumer,
  ),
};

function foreseen(containment: Containment | null, more: Partial<Foreseen> = {}): Foreseen {
  const state = begin({ plan });
  if (containment === null) return { ...state, plan, ...more };
  const emergency = {
    reason: "so",
    containment,
    startedAt: 0,
    containBy: 2_000,
    signOffBy: 4_000,
    responders: [],
  };
  const alarmed = applyIncident(state, { type: "incident", at: 0, leaked: ["old"], containment, emergency });
  return { ...alarmed, plan, ...more };
}

test("an ordinary one breaks nobody who is declared, and says for whom there is no way back", () => {
  const { breaks, skipped } = forecastOf(foreseen(null), nameOf);
  expect(breaks).toEqual([
    "the slow cannot be moved back: once it was told, there is only the way forward.",
    "Whoever uses it and is not declared fails when the old version is switched off, unless seen in the 1m before.",
  ]);
  expect(skipped).toEqual([]);
});

test("where old and new cannot be valid together, everybody fails for a while", () => {
  const { breaks } = forecastOf(foreseen(null, { traits: { ...traits, overlap: "none" } }), nameOf);
  expect(breaks[0]).toBe(
    "Old and new are never valid together: the quick, the slow fail until the new one is taken up.",
  );
});

test("revoked at once, every consumer of it fails until it has moved", () => {
  const { breaks, skipped } = forecastOf(foreseen("revoke-now"), nameOf);
  expect(breaks).toEqual([
    "The leaked version is switched off before anybody has moved: the quick, the slow fail until the new one is taken up.",
  ]);
  expect(skipped).toContain("Nobody's adoption is waited for before the leaked version is off.");
});

test("after adoption, whoever may outlast the deadline is named, and nobody else", () => {
  const { breaks } = forecastOf(foreseen("after-adoption"), nameOf);
  expect(breaks).toEqual([
    "Whoever has not moved 2s after the report fails from then on until it has.",
    "the slow may hold the leaked version for 1m, which is longer than that.",
  ]);
  const patient = { ...policy, containmentDeadlineMs: 60_000 };
  expect(forecastOf(foreseen("after-adoption", { policy: patient }), nameOf).breaks).toHaveLength(1);
});

test("what is skipped has its usual length beside it", () => {
  const { skipped } = forecastOf(foreseen("after-adoption"), nameOf);
  expect(skipped).toHaveLength(3);
  expect(skipped[1]).toContain("within 4s afterwards");
  expect(skipped[2]).toContain(
    "the adoption soak (1s), the quiet period (1s) and the soak of what leaked (1s)",
  );
});

test("without a free slot the leaked one is emptied first, whatever the containment", () => {
  const versions = { ...begin().versions, new: versionIn("", "new") };
  for (const containment of ["after-adoption", "revoke-now"] as const) {
    const { breaks } = forecastOf(foreseen(containment, { versions }), nameOf);
    expect(breaks).toEqual([
      "No slot is free, so the leaked version is switched off first: the quick, the slow fail until the new one is there.",
    ]);
  }
});

test("one consumer, and none", () => {
  const one = { ...plan, consumers: plan.consumers.slice(0, 1) };
  expect(forecastOf(foreseen("revoke-now", { plan: one }), nameOf).breaks[0]).toContain(
    "the quick fails until",
  );
  const none = { ...plan, consumers: [] };
  expect(forecastOf(foreseen("revoke-now", { plan: none }), nameOf).breaks[0]).toContain(
    "nobody is declared to use it; whoever does fails until",
  );
});

/** Which changes go on without the audit log: those that bring back or contain, and none that destroys (H31). */
import { expect, test } from "vitest";
import type { Step } from "../../domain/rotation/steps.js";
import { mayGoUnlogged } from "../../domain/unlogged.js";
import { begin } from "./begin.js";

const slot = { version: "new", slot: "b" };
const steps: Readonly<Record<string, Step>> = {
  seize: { do: "seize", slots: ["b"], places: [] },
  issue: { do: "issue", ...slot },
  enable: { do: "enable", ...slot },
  deliver: { do: "deliver", version: "new", place: "main", consumers: [] },
  disable: { do: "disable", ...slot },
  destroy: { do: "destroy", ...slot },
};
const forward = begin();
const back = { ...forward, target: forward.origin };
const emergency = { ...forward, emergency: {} as NonNullable<typeof forward.emergency> };

test.each([
  ["forward", forward, ["enable"]],
  ["back", back, ["seize", "issue", "enable", "deliver", "disable"]],
  ["in an emergency", emergency, ["seize", "issue", "enable", "deliver", "disable"]],
] as const)("H31: on the way %s", (_way, state, allowed) => {
  const may = Object.entries(steps).filter(([, step]) => mayGoUnlogged(state, step));
  expect(may.map(([name]) => name)).toEqual(allowed);
});

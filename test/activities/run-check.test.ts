/** What a workflow claims of its rotation counts only as far as the records bear it out (H7). */
import { expect, test } from "vitest";
import { heldBy } from "../../activities/run-check.js";
import type { VersionState } from "../../domain/rotation/state.js";
import { openDesk } from "./desk.js";

test("H7: a state of somebody's own making is not believed: what was proved, refused, clean or seized is in the records", async () => {
  const desk = await openDesk();
  const { state } = desk;
  const { origin, target } = state;
  const claimed = (id: string, more: Partial<VersionState>) =>
    ({ ...state.versions[id], ...more }) as VersionState;
  const forged = {
    ...state,
    emergency: { ...state.policy, reason: "x" } as unknown as typeof state.emergency,
    versions: {
      [origin]: claimed(origin, { issuer: "disabled", refused: true, disabledAt: 1, delivered: false }),
      [target]: claimed(target, { life: "proven", issuer: "enabled", proved: true }),
      stranger: claimed(target, { id: "stranger", proved: true, refused: true }),
    },
  };
  const held = (await desk.run(() => heldBy(desk.deps, forged))).state;
  expect(held.emergency).toBeNull();
  expect(held.versions[origin]).toMatchObject({ refused: false, delivered: true });
  expect(held.versions[target]).toMatchObject({ proved: false });
  expect(held.versions.stranger).toBeUndefined();
});

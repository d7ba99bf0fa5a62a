/** The check-up: the installation, every notifier and every credential, and one that fails hides no other. */
import { expect, test } from "vitest";
import { houseWork } from "../../activities/house.js";
import { RekeyError } from "../../domain/errors.js";
import { openDesk } from "./desk.js";

test("names what is missing around the credentials too, and goes on where something cannot be looked at", async () => {
  const desk = await openDesk();
  const systems = await desk.deps.systems(desk.credential);
  const broken = { code: "temporal-attribute", severity: "refuse" as const, sentence: "It is not there." };
  const deps = {
    ...desk.deps,
    platform: async () => [{ subject: "Temporal", findings: [broken] }],
    systems: async () => ({
      ...systems,
      estate: { ...systems.estate, notifiers: { pager: { kind: "command" }, chat: { kind: "webhook" } } },
      notifiers: [
        { preflight: async () => [], notify: async () => undefined },
        {
          preflight: async () => {
            throw new RekeyError(
              "missing-setup",
              "The variable HOOK is not set.",
              "Set HOOK, or take the notifier away.",
            );
          },
          notify: async () => undefined,
        },
      ],
    }),
  };
  const all = await desk.run(() => houseWork(deps).diagnose());
  expect(all.map(({ subject }) => subject)).toEqual([
    "Temporal",
    "records",
    "notifier pager",
    "notifier chat",
    "billing-db",
    "orders-db",
  ]);
  expect(all[0]?.findings).toEqual([broken]);
  expect(all[1]?.findings).toEqual([]);
  expect(all[2]?.findings).toEqual([]);
  expect(all[3]?.findings).toEqual([
    {
      code: "missing-setup",
      severity: "refuse",
      sentence: "The variable HOOK is not set.",
      hint: "Set HOOK, or take the notifier away.",
    },
  ]);
  expect(all[5]?.findings.length).toBeGreaterThan(0);
});

/** A version's life is what destroy and disable rest on, so no event may take it where its stage does not lead. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  allows,
  isEnded,
  isLive,
  type Life,
  type LifeEvent,
  reservationOf,
  step,
  versionOfCopy,
} from "../../domain/version.js";

const lives: readonly Life[] = [
  "planned",
  "issued",
  "proven",
  "delivered",
  "active",
  "retiring",
  "disabled",
  "destroyed",
  "abandoned",
];
const events: readonly LifeEvent[] = [
  "issue",
  "prove",
  "deliver",
  "activate",
  "retire",
  "disable",
  "enable",
  "destroy",
  "reappear",
  "abandon",
];

describe("a version's life", () => {
  test("goes from planned to destroyed, and through disabled it can come back", () => {
    const way: readonly LifeEvent[] = [
      "issue",
      "prove",
      "deliver",
      "activate",
      "retire",
      "disable",
      "destroy",
    ];
    const seen: Life[] = [];
    way.reduce<Life>((life, event) => {
      const next = step(life, event);
      seen.push(next);
      return next;
    }, "planned");
    expect(seen).toEqual(["issued", "proven", "delivered", "active", "retiring", "disabled", "destroyed"]);
    expect(step("disabled", "enable")).toBe("issued");
    expect(step("planned", "abandon")).toBe("abandoned");
  });

  test("an event that the stage does not allow is an error and never a silent nothing", () => {
    for (const life of lives) {
      for (const event of events) {
        if (allows(life, event)) expect(lives).toContain(step(life, event));
        else
          expect(() => step(life, event)).toThrow(
            expect.objectContaining({
              code: "internal",
              message: expect.stringContaining(`${life} cannot ${event}`),
            }),
          );
      }
    }
  });

  test.each<readonly [Life, LifeEvent]>([
    ["planned", "deliver"],
    ["planned", "destroy"],
    ["issued", "deliver"],
    ["active", "destroy"],
    ["delivered", "destroy"],
    ["retiring", "destroy"],
    ["active", "abandon"],
    ["disabled", "deliver"],
    ["destroyed", "enable"],
    ["destroyed", "issue"],
    ["abandoned", "issue"],
  ])("%s never goes on by %s", (life, event) => {
    expect(allows(life, event)).toBe(false);
  });

  test("leaves destroyed only where the issuer has it again, and abandoned never", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { maxLength: 30 }), (list) => {
        let life: Life = "planned";
        for (const event of list) {
          const next: Life = allows(life, event) ? step(life, event) : life;
          if (isEnded(life))
            expect(next).toBe(life === "destroyed" && event === "reappear" ? "retiring" : life);
          life = next;
        }
      }),
    );
  });

  test("is accepted by the issuer only from issue to disable", () => {
    expect(lives.filter(isLive)).toEqual(["issued", "proven", "delivered", "active", "retiring"]);
    expect(lives.filter(isEnded)).toEqual(["destroyed", "abandoned"]);
  });

  test("ends in destroyed only by way of disabled", () => {
    expect(lives.filter((life) => allows(life, "destroy"))).toEqual(["disabled", "destroyed"]);
  });
});

test("H11: a reserved place is known by the version that it is for", () => {
  expect(reservationOf("ver_1")).not.toBe("ver_1");
  expect(versionOfCopy(reservationOf("ver_1"))).toBe("ver_1");
  expect(versionOfCopy("ver_1")).toBe("ver_1");
});

/** Which outage stands at which gate of which world: a matrix that leaves one out by accident says nothing of it. */
import { expect, test } from "vitest";
import { type Direction, directions, watchedDirections } from "./house/directions.js";
import { casesFrom } from "./run/matrix.js";
import { outages } from "./seam/points.js";
import { worlds } from "./worlds/index.js";

/** Outages at a point of a rotation in that direction, in which only that point was seen. */
function outagesIn(world: string, direction: Direction, point: string): string[] {
  const kind = point.includes(".activity.") ? "activity" : "change";
  const seen = [{ at: 0, subject: "c", point, execution: "1/1", kind, what: "begin" } as const];
  const cases = casesFrom([{ played: { world, direction, planted: [] }, seen }]);
  const found = cases.flatMap(({ planted }) => planted.map(({ fault }) => String(fault)));
  return found.filter((fault) => outages.some((outage) => outage === fault));
}

const points = ["issue.activity.run.1", "issue.issuer.enable.1"];

test("each outage is tried in some world, before an activity and in the middle of a change", () => {
  for (const point of points) {
    const tried = Object.keys(worlds).flatMap((world) =>
      directions.flatMap((direction) => outagesIn(world, direction, point)),
    );
    // What only a source reads is away while it is read.
    const elsewhere = outages.filter((outage) => outage !== "source-unmounted");
    expect([...new Set(tried)].sort()).toEqual(elsewhere.sort());
  }
});

test("no outage begins while somebody is told: by then a rotation may have ended", () => {
  for (const call of ["close.notifier.notify.1", "deliver.consumer.deliver.1"])
    expect(outagesIn("postgres-file", "forward", call)).toEqual([]);
});

test("what is read-only is what a world can let be read only, the inventory and the audit log everywhere", () => {
  const readOnly = Object.keys(worlds).map((world) => [
    world,
    outagesIn(world, "forward", "issue.activity.run.1").filter((outage) => outage.endsWith("-readonly")),
  ]);
  const records = ["audit-readonly", "inventory-readonly"];
  expect(Object.fromEntries(readOnly.map(([world, found]) => [world, [...(found ?? [])].sort()]))).toEqual({
    "postgres-file": [...records, "issuer-readonly", "store-readonly"],
    "postgres-standby": [...records, "issuer-readonly", "store-readonly"],
    "postgres-folder": [...records, "issuer-readonly", "store-readonly"],
    "postgres-vault": [...records, "issuer-readonly", "store-readonly"],
    "postgres-watched": [],
    "postgres-pooler": [...records, "issuer-readonly", "store-readonly"],
    "redis-file": [...records, "issuer-readonly", "store-readonly"],
    "jwks-file": [...records, "issuer-readonly", "store-readonly"],
    "http-file": [...records, "issuer-readonly", "store-readonly"],
    "iam-secrets-manager": [...records, "issuer-readonly", "store-readonly"],
  });
});

test("restored records are gone on with in every direction but one, where the house knows how", () => {
  const found = Object.keys(worlds).flatMap((world) =>
    directions
      .filter((direction) =>
        outagesIn(world, direction, "issue.activity.run.1").includes("inventory-restored"),
      )
      .map((direction) => `${world}/${direction}`),
  );
  const known = ["postgres-file", "postgres-vault"];
  // What is lost of a report on the way is reported anew, as in an emergency that begins as one.
  const ways = directions.filter((direction) => direction !== "leaked");
  expect(found).toEqual(known.flatMap((world) => ways.map((direction) => `${world}/${direction}`)));
});

test("issuer and store are put back where the world has a backup, and the store not under a revocation", () => {
  const restored = (world: string, point: string) =>
    outagesIn(world, "forward", point).filter((outage) => /^(issuer|store)-restored$/.test(outage));
  const found = Object.keys(worlds).map((world) => [world, restored(world, "disable.activity.run.1")]);
  const both = ["issuer-restored", "store-restored"];
  expect(Object.fromEntries(found)).toEqual({
    "postgres-file": both,
    "postgres-standby": both,
    "postgres-folder": ["issuer-restored"],
    "postgres-vault": ["issuer-restored"],
    "postgres-watched": [],
    "postgres-pooler": both,
    "redis-file": ["store-restored"],
    "jwks-file": ["store-restored"],
    "http-file": [],
    "iam-secrets-manager": [],
  });
  expect(restored("postgres-file", "disable.issuer.disable.1")).toEqual(["issuer-restored"]);
});

test("each way that only a source shows is tried in some world", () => {
  const tried = Object.values(worlds).flatMap(({ directions: own = [] }) => own);
  for (const direction of watchedDirections) expect(tried).toContain(direction);
});

test("readings are disturbed where sources watch, with servers away at their beginning, and the rest of the walk is not once more", () => {
  const at = (point: string, direction: Direction = "latecomer") =>
    outagesIn("postgres-watched", direction, point);
  for (const point of ["scan_log.activity.run.1", "scan_sessions.activity.run.1", "findings.activity.run.1"])
    expect(at(point)).toEqual(
      expect.arrayContaining(["issuer-stopped", "store-hung", "inventory-stopped", "worker-frozen"]),
    );
  for (const point of ["scan_log.activity.run.1", "look.activity.run.1"])
    for (const direction of watchedDirections) expect(at(point, direction)).toContain("source-unmounted");
  expect(at("issue.activity.run.1")).toEqual([]);
});

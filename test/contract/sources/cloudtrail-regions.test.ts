/** A trail of several regions: each says how far its own events reach, wherever their files lie. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { cloudtrailConfig } from "../../../adapters/sources/cloudtrail-schema.js";
import { scanned } from "../source.js";
import { account, region, secretRead, trailFile, trailSource } from "./trail-events.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rekey-regions-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const replica = "eu-west-1";
const [first, second, third] = ["2026-02-01", "2026-02-02", "2026-02-03"].map(
  (day) => `${day}T00:00:00Z`,
) as [string, string, string];
const event = (awsRegion: string, eventTime: string) =>
  secretRead("orders", "apps/db", { awsRegion, eventTime });
const reaches = async (more: object) => {
  const [part, ...others] = await scanned(trailSource({ method: "files", paths: [folder] }, more));
  expect(others).toEqual([]);
  return part?.reaches;
};
const reach = (log: string, time: string | null) => ({ log, until: time === null ? null : Date.parse(time) });

it("H21: each region reaches to its own newest event, also where those of all lie in one file, or in several", async () => {
  const events = [
    event(region, first),
    event(replica, second),
    event("us-east-1", third),
    event(region, second),
  ];
  await writeFile(join(folder, "1.json"), trailFile(...events, event(replica, first)));
  const more = { replicaRegions: [replica] };
  expect(await reaches(more)).toEqual([reach(region, second), reach(replica, second)]);
  await writeFile(join(folder, "2.json"), trailFile(event(replica, third)));
  expect(await reaches(more)).toEqual([reach(region, second), reach(replica, third)]);
  expect(await reaches({ replicaRegions: [replica, "eu-north-1"] })).toContainEqual(
    reach("eu-north-1", null),
  );
  expect(await reaches({ ...more, mayBeSilent: [replica] })).toEqual([reach(region, second)]);
  expect(await reaches({})).toBeUndefined();
});

it("refuses that a region may be silent that is not read", () => {
  const issues = (from: object, mayBeSilent: readonly string[]) =>
    cloudtrailConfig.safeParse({ account, region, store: "secrets", from, mayBeSilent }).error?.issues ?? [];
  const files = { method: "files", paths: [folder] };
  expect(issues(files, [region])).toEqual([]);
  expect(issues(files, ["us-east-1"])).toMatchObject([
    { path: ["mayBeSilent"], message: "expected regions that this source reads" },
  ]);
  const bucket = { method: "s3", bucket: "example-trail", auth: { method: "sdk" } };
  expect(issues({ ...bucket, regions: [region, "us-east-1"] }, ["us-east-1"])).toEqual([]);
  expect(issues({ ...bucket, regions: ["us-east-1"] }, [region])).toHaveLength(1);
});

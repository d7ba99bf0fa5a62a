/** Which ends a case may have: an oracle that is content with any finds nothing. */
import { expect, test } from "vitest";
import { readCase } from "./run/cases.js";
import { mayEndAs } from "./run/ends.js";

test.each([
  ["forward/calm", ["rotated"]],
  ["back/calm", ["went-back"]],
  ["stranger/calm", ["went-back"]],
  ["latecomer/scan_log.source.scan.1/before-error", ["rotated"]],
  ["pinned/look.activity.run.1/before-audit-gone", ["rotated"]],
  ["signed/issue.issuer.enable.1/after-timeout", ["rotated"]],
  ["back/issue.issuer.enable.1/after-timeout", ["went-back"]],
  ["back/deliver.activity.run.1/before-audit-restored", ["went-back"]],
  ["forward/issue.activity.run.1/before-audit-gone", ["rotated"]],
  ["forward/deliver.activity.run.1/before-issuer-blind", ["rotated"]],
  ["emergency/issue.issuer.enable.1/before-issuer-readonly", ["rotated"]],
  ["forward/issue.issuer.enable.1/before-issuer-readonly", ["rotated", "went-back", "refused"]],
  ["back/look.activity.run.1/before-store-readonly", ["went-back", "refused"]],
  ["signed/deliver.store.promote.1/before-store-restored", ["rotated", "went-back"]],
  ["forward/destroy.issuer.destroy.1/before-issuer-readonly", ["rotated", "went-back"]],
  ["forward/destroy.store.purge.1/before-store-readonly", ["rotated"]],
  ["back/destroy.store.purge.1/before-store-readonly", ["went-back"]],
  ["back/issue.issuer.enable.1/before-inventory-restored", ["rotated"]],
] as const)("%s may end as %j and no other way", (id, ends) => {
  const { direction, planted } = readCase(`postgres-file/${id}`);
  expect(mayEndAs(direction, planted)).toEqual(ends);
});

/** Which version of a secret was read, as far as the events of CloudTrail tell. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { scanned } from "../source.js";
import { roleArn, secretRead, session, trailEvent, trailFile, trailSource } from "./trail-events.js";

it("is told by the request: an id, or a label that may be on an older one; AWSPENDING is on none of those", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rekey-trail-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const at = (minute: number) => `2026-02-03T04:0${minute}:00Z`;
  const pinned = "11111111-0000-4000-8000-000000000000";
  const read = (minute: number, more: object, role = "orders") =>
    secretRead(role, "apps/db", {
      eventTime: at(minute),
      requestParameters: { secretId: "apps/db", ...more },
    });
  const batch = trailEvent(session("batches"), {
    eventName: "BatchGetSecretValue",
    requestParameters: { secretIdList: ["apps/db"], versionId: pinned },
  });
  await writeFile(
    join(folder, "one.json"),
    trailFile(
      ...[
        read(3, { versionId: pinned }),
        read(5, {}),
        read(1, { versionId: pinned, versionStage: "AWSCURRENT" }),
      ],
      ...[read(2, { versionStage: "AWSPREVIOUS" }), read(4, { versionStage: "blue" })],
      ...[
        read(1, { versionStage: "AWSCURRENT" }, "current"),
        read(2, { versionId: null }, "current"),
        read(3, { versionStage: "AWSPENDING" }, "current"),
        batch,
      ],
      secretRead("refused", "apps/db", {
        ...{
          errorCode: "ResourceNotFoundException",
          requestParameters: { secretId: "apps/db", versionId: pinned },
        },
      }),
    ),
  );
  const parts = await scanned(trailSource({ method: "files", paths: [folder] }, {}), null);
  const claims = parts.flatMap((part) => part.claims);
  const span = (first: number, last = first) => ({
    first: Date.parse(at(first)),
    last: Date.parse(at(last)),
  });
  expect(claims.map(({ from, versions }) => [from.is === "reader" && from.traits.role, versions])).toEqual([
    [
      roleArn("orders"),
      [
        { version: pinned, ...span(1, 3) },
        { version: "older", ...span(2, 4) },
      ],
    ],
    [roleArn("current"), undefined],
    [roleArn("batches"), undefined],
  ]);
});

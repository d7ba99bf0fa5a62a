/** H7: who may write to Temporal's namespace and has none of the codec's keys: their messages are nobody's. */
import { Client } from "@temporalio/client";
import type { Payload } from "@temporalio/common";
import { expect, test } from "vitest";
import { connections, converter, openHouse } from "./house.js";
import { paper } from "./people.js";
import { decide, ended, untilAsked } from "./watch.js";

test("H7: an update, a signal and a start that were never sealed do nothing, and the rotation goes to its end", async () => {
  const house = await openHouse({ quorum: 1 });
  const handle = await house.start();
  const state = await untilAsked(handle);
  const { client: connection, namespace } = await connections();
  // The same client, the same messages: only the seal is missing. It reads the answers all the same, for the test.
  const ours = converter();
  const decode = ours.payloadCodecs?.[0]?.decode ?? (async (payloads: Payload[]) => payloads);
  const payloadCodecs = [{ encode: async (payloads: Payload[]) => payloads, decode }];
  const stranger = new Client({ connection, namespace, dataConverter: { ...ours, payloadCodecs } });
  const plain = stranger.workflow.getHandle(handle.workflowId);
  const refused = {
    cause: { message: "The message was not sealed for this workflow with one of the installation's keys." },
  };
  for (const [name, ...args] of [
    ["cancel", { by: "mallory", reason: "to stop it" }],
    ["resume", { by: "mallory", exit: "retry" }],
    ["decide", "a.b.c"],
    ["expedite", { documents: [], reason: "leaked", leaked: [], evidence: null }],
  ] as const)
    await expect(plain.executeUpdate(name, { args }), name).rejects.toMatchObject(refused);
  await plain.signal("decide-later", "a.b.c");
  const begun = await stranger.workflow.start("rotate", {
    workflowId: `${handle.workflowId}/forged`,
    taskQueue: house.taskQueue,
    args: [{ credential: house.credential, requestedBy: "mallory", reason: "to begin one" }],
  });
  await expect(begun.result()).rejects.toMatchObject({ cause: { type: "not-permitted" } });
  expect(await decide(handle, await paper(house, state, "ann"))).toMatchObject({ accepted: true });
  expect(await ended(handle)).toMatchObject({ outcome: "rotated" });
});

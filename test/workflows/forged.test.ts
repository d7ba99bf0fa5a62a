/** H7: who may write to Temporal's namespace and has copies of what was sealed: it is worth something in its own workflow only. */
import { Client } from "@temporalio/client";
import type { Payload } from "@temporalio/common";
import { expect, test } from "vitest";
import { connections, converter, openHouse } from "./house.js";
import { cancel, stateOf, untilAsked } from "./watch.js";

test("H7: a sealed message of one rotation, sent once more to another, does nothing there", async () => {
  const house = await openHouse({ quorum: 1 });
  const handle = await house.start();
  await untilAsked(handle);
  const { client: connection, namespace } = await connections();
  const ours = converter();
  const [codec] = ours.payloadCodecs ?? [];
  if (codec === undefined) throw new Error("the house seals");
  /** Cancels, with what the house's own codec has sealed for that workflow. */
  const cancelSealedFor = (workflowId: string) => {
    const context = { type: "workflow", namespace, workflowId } as const;
    const encode = (payloads: Payload[]) => codec.encode(payloads, context);
    const dataConverter = { ...ours, payloadCodecs: [{ ...codec, encode }] };
    const copier = new Client({ connection, namespace, dataConverter });
    return cancel(copier.workflow.getHandle(handle.workflowId));
  };
  const message = "The message was not sealed for this workflow with one of the installation's keys.";
  await expect(cancelSealedFor("rotate/another")).rejects.toMatchObject({ cause: { message } });
  expect(await stateOf(handle)).toMatchObject({ refused: null, closed: null });
  expect(await cancelSealedFor(handle.workflowId)).toMatchObject({ accepted: true });
  expect(await handle.result()).toMatchObject({ outcome: "refused" });
});

/** What persons do in a case: somebody asks for a rotation, and an owner signs its plan, or whatever is asked for anew. */
import { setTimeout as pause } from "node:timers/promises";
import { reportText } from "../../../domain/documents.js";
import { gates } from "../../../domain/gates.js";
import { Secret } from "../../../domain/secret.js";
import { sha256Hex } from "../../../inventory/hash.js";
import { fingerprinterOf, newId } from "../../../worker/installation.js";
import type { RotateInput } from "../../../workflows/messages.js";
import type { Lane } from "../house/lane.js";
import { signed } from "../house/papers.js";
import { standingsBehindFences } from "../oracle/standings.js";
import type { RawDocument } from "../worlds/world.js";
import type { Case } from "./cases.js";

const endMsMax = 600_000;
const pollMs = 150;
const again = 5_000;

/** The order that begins a case: in an emergency a responder's report that the value of `live` has leaked. */
export async function inputOf(
  lane: Lane,
  direction: Case["direction"],
  live: RawDocument,
): Promise<RotateInput> {
  const reason = "a case of the fault harness";
  const input = { credential: lane.credential, requestedBy: "platform-team", reason };
  if (direction !== "emergency") return input;
  const fingerprint = await fingerprinterOf(lane.settings);
  const evidence = await fingerprint(new Secret(live.password ?? ""));
  const document = await signed(lane, "responder", {
    says: "emergency",
    ...{ rotation: "", nonce: "", digest: sha256Hex(reportText({ reason, leaked: [], evidence })) },
  });
  return {
    ...input,
    requestedBy: "responder",
    emergency: { documents: [document], reason, leaked: [], evidence },
  };
}

/** Gates behind the one that asks for leave. */
const allowedGates: ReadonlySet<string> = new Set(
  gates.map(({ name }) => name).slice(gates.findIndex(({ name }) => name === "approved") + 1),
);

/**
 * The owner signs the plan once it is asked for. Before that somebody signs whom nobody asks; answers with what
 * happened although nothing was allowed to yet (I7).
 */
export async function sign(lane: Lane, workflow: string, mayBeLost: boolean): Promise<string[]> {
  const before = await standingsBehindFences(lane);
  const until = Date.now() + endMsMax;
  for (;;) {
    const progress = await lane.rotations.progress(workflow).catch(() => null);
    const { plan } =
      progress === null ? { plan: null } : await lane.rotations.plan(workflow).catch(() => ({ plan: null }));
    if (progress?.gate === "approved" && plan !== null) {
      const { rotation, nonce } = progress;
      const paper = (person: string) =>
        signed(lane, person, { says: "approve", rotation, nonce, digest: plan.digest });
      const receipt = await lane.rotations
        .decide(workflow, await paper("responder"), newId("msg"))
        .catch(() => ({ accepted: false }));
      const trespasses = receipt.accepted ? ["the signature of somebody who owns nothing was accepted"] : [];
      if ((await standingsBehindFences(lane)) !== before)
        trespasses.push("something changed before the owner signed");
      await lane.rotations.decideLater(workflow, await paper("owner"));
      return trespasses;
    }
    const wentOn = progress !== null && (progress.outcome !== null || allowedGates.has(progress.gate));
    if (wentOn)
      return (await standingsBehindFences(lane)) === before ? [] : ["it went on without a signature"];
    if (mayBeLost && (await isOver(lane, workflow))) return [];
    if (Date.now() > until) return [];
    await pause(pollMs);
  }
}

async function isOver({ temporal }: Lane, workflow: string): Promise<boolean> {
  const { status } = await temporal.workflow.getHandle(workflow).describe();
  return status.name !== "RUNNING";
}

/** What was signed for a run that Temporal has lost does not count: the owner signs whatever is asked for now. */
export function signer(lane: Lane, workflow: string): () => Promise<void> {
  let nextAt = 0;
  return async () => {
    if (Date.now() < nextAt) return;
    const progress = await lane.rotations.progress(workflow).catch(() => null);
    if (progress?.gate !== "approved") return;
    const { plan, amendments } = await lane.rotations
      .plan(workflow)
      .catch(() => ({ plan: null, amendments: [] }));
    const { rotation, nonce } = progress;
    for (const { digest } of [plan, ...amendments].filter((one) => one !== null)) {
      const document = await signed(lane, "owner", { says: "approve", rotation, nonce, digest });
      await lane.rotations.decideLater(workflow, document);
    }
    nextAt = Date.now() + again;
  };
}

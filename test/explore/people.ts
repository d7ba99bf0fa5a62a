/** What people say to the rotation: owners sign or reject, somebody cancels, a leak is reported. */
import { leakedBy } from "../../domain/incident.js";
import type { RotationEvent } from "../../domain/rotation/events.js";
import { isGoingBack } from "../../domain/rotation/moves.js";
import type { Decision } from "../../domain/rotation/steps.js";
import { tick } from "../domain/begin.js";
import { after, spent } from "./make.js";
import type { Edge, Model, Node } from "./node.js";

/** What people may do at this point. */
export function peopleEdges(model: Model, node: Node, decision: Decision): Edge[] {
  if (decision.kind === "done") return [];
  const edges: Edge[] = [];
  const { state, now } = node;
  for (const message of messages(node)) {
    const edge = after(model, node, named(message), message.type === "cancelled" ? "cancel" : "bad", [
      message,
    ]);
    edges.push(message.type === "incident" ? spent(edge, { leaks: node.leaks - 1, swings: 0 }) : edge);
  }
  if (decision.kind !== "wait") return edges;
  for (const digest of state.asked) {
    const person = model.signers[digest];
    const standing = state.decisions.some(
      (known) => known.digest === digest && (known.expiresAt > now || known.verdict === "reject"),
    );
    if (person === undefined || standing) continue;
    const sign = (verdict: "approve" | "reject"): RotationEvent => ({
      type: "decided",
      at: now,
      decision: {
        id: "document",
        person,
        digest,
        verdict,
        owners: ["owner"],
        issuedAt: now,
        expiresAt: now + 2 * tick,
      },
    });
    edges.push(after(model, node, `${person} approves`, "good", [sign("approve")]));
    if (node.faults === 0) continue;
    const less = { faults: node.faults - 1 };
    edges.push(spent(after(model, node, `${person} rejects`, "bad", [sign("reject")]), less));
  }
  return edges;
}

/** What may be said to the rotation at any time: a cancellation, and each leak that could be reported. */
export function messages(node: Node): RotationEvent[] {
  const { state, now } = node;
  const list: RotationEvent[] = [];
  if (state.closed === null && state.refused === null && !isGoingBack(state))
    list.push({ type: "cancelled", at: now, by: "owner", reason: "changed my mind" });
  if (node.leaks === 0 || state.closed !== null) return list;
  const sets = new Map<string, readonly string[]>();
  for (const ids of [["old"], ["new"], ["old", "new"]]) {
    const leaked = leakedBy({ kind: "versions", ids }, state);
    sets.set(leaked.join(), leaked);
  }
  const all = leakedBy({ kind: "unknown" }, state);
  sets.set(all.join(), all);
  sets.delete("");
  for (const leaked of sets.values()) {
    for (const containment of ["after-adoption", "revoke-now"] as const) {
      list.push({
        type: "incident",
        at: now,
        leaked,
        containment,
        emergency: {
          reason: "found in a log",
          containment,
          startedAt: now,
          containBy: now + 2 * tick,
          signOffBy: now + 4 * tick,
          responders: ["responder"],
        },
      });
    }
  }
  return list;
}

/** A message by name; traces find their way by it. */
export function named(message: RotationEvent): string {
  return message.type === "incident"
    ? `a leak of ${message.leaked.join("+")} (${message.containment})`
    : message.type;
}

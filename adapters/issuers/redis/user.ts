/** The user as one node has it: rules and passwords from ACL GETUSER, and which password belongs to which slot. */
import { RekeyError } from "../../../domain/errors.js";
import type { Call } from "../../ports.js";
import { fieldsOf } from "../../shared/redis.js";
import type { Node, NodeSession, Nodes } from "../../shared/redis-nodes.js";
import { recordsIn, type SlotRecord, type UserRecords } from "./records.js";

/** A user at one node. */
export interface UserAt extends UserRecords {
  readonly node: Node;
  /** Lets nobody in while it is off; lets everybody in with `nopass`. */
  readonly on: boolean;
  readonly nopass: boolean;
  /** What it may do, in the server's own words; compared between nodes and never taken apart. */
  readonly rules: string;
}

/** Reads the user at a node, or `null` where there is none of that name. */
export async function userAt(nodes: Nodes, node: Node, user: string, call: Call): Promise<UserAt | null> {
  return nodes.read(node, call, (on) => userOn(on, user, call));
}

/** The same on a connection that is open. */
export async function userOn(
  { node, session }: NodeSession,
  user: string,
  call: Call,
): Promise<UserAt | null> {
  const reply = await session.send(["ACL", "GETUSER", user], call);
  if (reply === null) return null;
  const fields = fieldsOf(reply);
  const flags = listOf(fields.get("flags"));
  const rules = ["commands", "keys", "channels", "selectors"].map((name) =>
    JSON.stringify(fields.get(name) ?? null),
  );
  return {
    node,
    on: flags.includes("on"),
    nopass: flags.includes("nopass"),
    rules: rules.join("\n"),
    ...recordsIn(listOf(fields.get("passwords"))),
  };
}

/** The user, which has to be there and prepared. Throws `missing-setup`. */
export function prepared(
  found: UserAt | null,
  node: Node,
  user: string,
): UserAt & { readonly marker: string } {
  if (found === null || found.marker === null) {
    throw new RekeyError(
      "missing-setup",
      found === null
        ? `${node.name} has no user ${user}.`
        : `${node.name} has the user ${user}, not prepared for Rekey.`,
      `Run what \`rekey grants redis --set user=${user}\` prints on every node.`,
    );
  }
  return { ...found, marker: found.marker };
}

/** The record of a slot. Throws `missing-setup` where the user was prepared for fewer slots. */
export function recordOf(at: UserAt, slot: number, user: string): SlotRecord {
  const record = at.slots.get(slot);
  if (record === undefined) {
    throw new RekeyError(
      "missing-setup",
      `${at.node.name} has the user ${user}, not prepared for slot ${slot}.`,
      `Run what \`rekey grants redis --set user=${user} --set slots=${slot}\` prints on every node.`,
    );
  }
  return record;
}

/**
 * The passwords of a slot. What was there before Rekey belongs to the first slot for as long as that was never
 * changed; afterwards a password that no slot accounts for is a stranger's.
 */
export function valuesOf(at: UserAt, slot: number): string[] {
  const record = at.slots.get(slot);
  if (record?.hash) return [record.hash];
  return slot === 1 && record?.tag === "" ? strangersIn(at) : [];
}

/** Passwords that no slot's record accounts for. */
export function strangersIn({ values, slots }: UserAt): string[] {
  const known = new Set([...slots.values()].map(({ hash }) => hash));
  return values.filter((value) => !known.has(value));
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/**
 * The one way in which anything is changed: at each node one ACL SETUSER that takes the record away that was read
 * and puts the new one there, so that it does nothing where somebody was quicker; then saved, then read back (H3, H16).
 */
import { RekeyError } from "../../../domain/errors.js";
import { formatTag, parseTag } from "../../../domain/fence.js";
import type { Applied, Call, FencedChange } from "../../ports.js";
import { isRuleRefused, translateRedis } from "../../shared/redis-errors.js";
import type { Node, Nodes } from "../../shared/redis-nodes.js";
import { markerPiece, piecesOf, type SlotRecord } from "./records.js";
import { prepared, recordOf, strangersIn, type UserAt, userOn, valuesOf } from "./user.js";

/** What becomes of the slot: it accepts one value, none (and no stranger's either), or what it did. */
export type Effect =
  | { readonly does: "accept"; readonly hash: string }
  | { readonly does: "cut" }
  | { readonly does: "tag" };

/** What was changed; `hadValue` says that the slot let somebody in until then, or may have in an earlier attempt. */
export interface Changed {
  readonly applied: Applied;
  readonly hadValue: boolean;
}

/** How often a user that changes under our hands is read again. */
const triesMax = 4;

/**
 * Makes the change at every node, the first node first: it decides between two that come at once. A node that lags
 * behind is brought along, so a change that was broken off is completed by its repetition. A cut goes to every
 * node that answers; every other change waits until all do. Throws `fenced`, `foreign-installation`,
 * `wrong-server`, `missing-setup`, `unreachable` (nothing was sent), or `unknown-outcome`.
 */
export async function makeChange(
  nodes: Nodes,
  user: string,
  slot: number,
  change: FencedChange,
  effect: Effect,
  call: Call,
): Promise<Changed> {
  refuseForeign(change.expect, change);
  const looks = await Promise.allSettled(
    nodes.all.map((node) =>
      nodes.read(node, call, async (on) => prepared(await userOn(on, user, call), node, user)),
    ),
  );
  const failed = looks.filter((look) => look.status === "rejected").map(({ reason }) => reason as unknown);
  const users = looks.filter((look) => look.status === "fulfilled").map(({ value }) => value);
  if (failed.length > 0 && (effect.does !== "cut" || users.length === 0)) throw failed[0];
  for (const at of users) checkIdentity(at, change.identity);
  const newest = users.map((at) => recordOf(at, slot, user)).reduce((a, b) => (b.number > a.number ? b : a));
  const tag = formatTag(change.tag);
  if (newest.tag !== tag && newest.tag !== change.expect) throw fenced(change, newest.tag);
  const number = newest.tag === tag ? newest.number : newest.number + 1;
  const hash = effect.does === "accept" ? effect.hash : effect.does === "cut" ? null : newest.hash;
  const next: SlotRecord = { number, tag, hash };
  const hadValue = users.some((at) => at.nopass || valuesOf(at, slot).length > 0);
  const made: Making = { user, slot, change, effect, next, newest };
  let reached = 0;
  for (const { node } of users) {
    try {
      await changeAt(nodes, node, made, call);
    } catch (error) {
      throw reached > 0 && isUnreachable(error) ? unknown(change) : error;
    }
    reached += 1;
  }
  if (failed.length > 0) throw unknown(change);
  return { applied: newest.tag === tag ? "already" : "applied", hadValue };
}

/** One change, as every node is told it. */
interface Making {
  readonly user: string;
  readonly slot: number;
  readonly change: FencedChange;
  readonly effect: Effect;
  readonly next: SlotRecord;
  /** The record of the node that is furthest. */
  readonly newest: SlotRecord;
}

/** A node that lags behind is brought to where the others are, also where only the tag is replaced. */
function effectAt({ effect, newest }: Making, record: SlotRecord): Effect {
  if (effect.does !== "tag" || record.number >= newest.number) return effect;
  return newest.hash === null ? { does: "cut" } : { does: "accept", hash: newest.hash };
}

async function changeAt(nodes: Nodes, node: Node, making: Making, call: Call): Promise<void> {
  const { user, slot, change, next } = making;
  let sent = false;
  for (let attempt = 1; ; attempt++) {
    try {
      const done = await nodes.read(node, call, async (on) => {
        const at = prepared(await userOn(on, user, call), node, user);
        checkIdentity(at, change.identity);
        const record = recordOf(at, slot, user);
        if (record.tag !== next.tag && record.number >= next.number) throw fenced(change, record.tag);
        const effect = effectAt(making, record);
        if (record.tag === next.tag && settled(at, slot, effect)) return true;
        const rules = rulesFor(at, slot, record, next, effect);
        sent = true;
        await on.session.send(["ACL", "SETUSER", user, ...rules], call, true);
        return false;
      });
      if (done) break;
    } catch (error) {
      // Somebody else changed the user between our look and our command: nothing was done, look again.
      const again = isRuleRefused(error) || (isUnreachable(error) && sent);
      if (!again) throw translateRedis(error, node.name);
      if (attempt >= triesMax || call.signal.aborted)
        throw isRuleRefused(error) ? conflict(node, user) : unknown(change);
    }
    if (attempt > triesMax) throw conflict(node, user);
  }
  await save(nodes, node, call);
}

/** The rules of the one command: what has to be there and goes, and what comes. */
function rulesFor(
  at: UserAt & { readonly marker: string },
  slot: number,
  record: SlotRecord,
  next: SlotRecord,
  effect: Effect,
): string[] {
  const marker = markerPiece(at.marker);
  const old = valuesOf(at, slot);
  const gone =
    effect.does === "tag" ? [] : effect.does === "cut" ? [...new Set([...old, ...strangersIn(at)])] : old;
  const come = effect.does === "accept" ? [effect.hash] : [];
  return [
    // The same server is asked to be the same in the command itself (H9).
    ...[marker, ...piecesOf(slot, record), ...gone].map((hash) => `!${hash}`),
    ...[marker, ...piecesOf(slot, next), ...come].map((hash) => `#${hash}`),
  ];
}

/** Read back: the node does what the record says. */
function settled(at: UserAt, slot: number, effect: Effect): boolean {
  if (effect.does === "tag") return true;
  const values = valuesOf(at, slot);
  return effect.does === "cut"
    ? values.length === 0 && strangersIn(at).length === 0
    : values.length === 1 && values[0] === effect.hash;
}

/** Until it is saved, a restart would bring the old password back and lose the new one (H16). */
async function save(nodes: Nodes, node: Node, call: Call): Promise<void> {
  await nodes.read(node, call, async ({ session, save: command }) => {
    if (command === null) {
      throw new RekeyError(
        "unsupported",
        `${node.name} keeps no users over a restart: it has neither an ACL file nor a configuration file.`,
      );
    }
    try {
      await session.send(command, call, true);
    } catch (error) {
      const known = translateRedis(error, node.name);
      throw known.code === "internal"
        ? new RekeyError("unreachable", `${node.name} could not save its users.`)
        : known;
    }
  });
}

function checkIdentity(at: UserAt & { readonly marker: string }, identity: string | null): void {
  if (identity !== null && identity !== identityOf(at.marker)) {
    throw new RekeyError("wrong-server", `${at.node.name} has another marker than the plan's server.`);
  }
}

/** The identity of a set of servers, from the marker that they share. */
export function identityOf(marker: string): string {
  return `redis/${marker}`;
}

function refuseForeign(text: string, change: FencedChange): void {
  const theirs = parseTag(text);
  if (theirs && theirs.installation !== change.tag.installation)
    throw foreign(change.slot, theirs.installation);
}

function fenced(change: FencedChange, found: string): RekeyError {
  const theirs = parseTag(found);
  if (theirs && theirs.installation !== change.tag.installation)
    return foreign(change.slot, theirs.installation);
  return new RekeyError(
    "fenced",
    `${change.slot} carries another tag than the expected one, so nothing was changed.`,
  );
}

function foreign(slot: string, installation: string): RekeyError {
  return new RekeyError(
    "foreign-installation",
    `${slot} carries the tag of the installation ${installation}.`,
  );
}

function conflict(node: Node, user: string): RekeyError {
  return new RekeyError(
    "conflict",
    `${node.name} changes the user ${user} for somebody else again and again.`,
  );
}

function unknown(change: FencedChange): RekeyError {
  return new RekeyError("unknown-outcome", `The change of ${change.slot} was sent and its answer was lost.`);
}

function isUnreachable(error: unknown): boolean {
  return error instanceof RekeyError && error.code === "unreachable";
}

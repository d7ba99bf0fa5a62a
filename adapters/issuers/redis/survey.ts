/** One look at the issuer: what stands in each slot at every node, and who is connected there. */
import { RekeyError } from "../../../domain/errors.js";
import type { Call, IssuerNode, IssuerView, Slot } from "../../ports.js";
import type { Node, Nodes } from "../../shared/redis-nodes.js";
import { identityOf } from "./change.js";
import { type RedisAccount, slotsOf } from "./config.js";
import { groupsOf } from "./sessions.js";
import { prepared, recordOf, type UserAt, userAt, valuesOf } from "./user.js";

/**
 * Reads every node. Throws `wrong-server` when nodes do not belong together, `missing-setup` where the user is not
 * prepared, and `unreachable` when a node does not answer: a view with one missing would say that nobody is there.
 */
export async function surveyNodes(nodes: Nodes, account: RedisAccount, call: Call): Promise<IssuerView> {
  const looks = await Promise.all(
    nodes.all.map(async (node) => {
      const [at, listing, role] = await Promise.all([
        userAt(nodes, node, account.user, call).then((found) => prepared(found, node, account.user)),
        nodes.list(node, call),
        roleOf(nodes, node, call),
      ]);
      return { at, listing, role };
    }),
  );
  const [first] = looks;
  if (!first) throw new RekeyError("internal", "An issuer has at least one node.");
  for (const { at } of looks) {
    if (at.marker !== first.at.marker)
      throw new RekeyError("wrong-server", `${at.node.name} does not belong to ${first.at.node.name}.`);
  }
  const { at: now } = first.listing;
  return {
    identity: identityOf(first.at.marker),
    nodes: looks.map(({ role }) => role),
    slots: slotsOf(account).map((slot, index) =>
      slotIn(
        slot,
        index + 1,
        looks.map(({ at }) => at),
        account.user,
      ),
    ),
    // On one clock, the first node's: each node dates its own sessions.
    sessions: looks.flatMap(({ at, listing }) =>
      groupsOf(at.node, account.user, listing).map((group) => ({
        ...group,
        youngestAt: group.youngestAt + now - listing.at,
        oldestAt: group.oldestAt + now - listing.at,
      })),
    ),
    watermarkSeen: looks.every(({ listing }) => listing.from !== null),
    at: now,
  };
}

/** The slots by the nodes that answer. Throws what kept the first of them from answering where none does. */
export async function slotsSeen(nodes: Nodes, account: RedisAccount, call: Call): Promise<Slot[]> {
  const looks = await Promise.allSettled(
    nodes.all.map(async (node) =>
      prepared(await userAt(nodes, node, account.user, call), node, account.user),
    ),
  );
  const users = looks.flatMap((look) => (look.status === "fulfilled" ? [look.value] : []));
  const [first] = looks;
  if (users.length === 0 && first?.status === "rejected") throw first.reason;
  return slotsOf(account).map((slot, index) => slotIn(slot, index + 1, users, account.user));
}

/** The tag of the node that is furthest; on as long as one node lets somebody in. */
function slotIn(slot: string, number: number, users: readonly UserAt[], user: string): Slot {
  const records = users.map((at) => recordOf(at, number, user));
  const newest = records.reduce((a, b) => (b.number > a.number ? b : a));
  const enabled = users.some((at) => at.on && (at.nopass || valuesOf(at, number).length > 0));
  return { slot, tag: newest.tag, enabled };
}

async function roleOf(nodes: Nodes, node: Node, call: Call): Promise<IssuerNode> {
  const info = await nodes.read(node, call, ({ session }) => session.text(["INFO", "replication"], call));
  return { node: node.name, role: /^role:slave/m.test(info) ? "standby" : "primary" };
}

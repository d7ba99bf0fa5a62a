/**
 * Ending sessions of a user, few at a time and with uneven pauses, so that consumers do not all come back in the same
 * instant (H35). Redis runs one command after the other, so who logged in before a change is in any listing after it.
 */
import type { Call, EndsBefore, SessionGroup } from "../../ports.js";
import type { Listing, Node, Nodes } from "../../shared/redis-nodes.js";
import { pause } from "../../shared/retry.js";

/** Rounds that all sessions are spread over, fewest in one round, and the longest pause between two in milliseconds. */
const waves = { rounds: 20, sizeMin: 5, pauseMsMax: 100 };
/** CLIENT LIST tells whole seconds: what began within one is not told apart. */
const precisionMs = 1_000;

/** The sessions of the user at one node, grouped; the probes that the engine logs in with are left out. */
export function groupsOf(node: Node, user: string, { clients, from }: Listing): SessionGroup[] {
  const groups = new Map<string, SessionGroup>();
  for (const { user: as, name: application, address, beganAt } of clients) {
    // Anybody may call themselves rekey/...; only from where we are is that taken for a probe of ours.
    if (as !== user || (application.startsWith("rekey/") && address === from)) continue;
    const key = `${application}\n${address}`;
    const { count = 0, youngestAt = beganAt, oldestAt = beganAt } = groups.get(key) ?? {};
    groups.set(key, {
      node: node.name,
      slot: null,
      application,
      address,
      count: count + 1,
      youngestAt: Math.max(youngestAt, beganAt),
      oldestAt: Math.min(oldestAt, beganAt),
    });
  }
  return [...groups.values()];
}

/**
 * Ends all sessions that the user has now and returns once none of them is left; those that begin meanwhile are
 * left alone. `holds` is asked before each round and throws when this must stop.
 */
export async function endSessions(
  nodes: Nodes,
  node: Node,
  user: string,
  holds: () => Promise<void>,
  random: () => number,
  call: Call,
): Promise<void> {
  const { clients } = await nodes.list(node, call);
  const ids = clients.filter((client) => client.user === user).map(({ id }) => id);
  await endAll(nodes, node, new Set(ids), holds, random, call);
}

/**
 * Ends the sessions of the user that began before what `endsBefore` says of them, and returns once none is left.
 * `referenceAt` is what the clock by which that is said shows now; a node has its own.
 */
export async function endOlder(
  nodes: Nodes,
  node: Node,
  user: string,
  endsBefore: EndsBefore,
  referenceAt: number,
  random: () => number,
  call: Call,
): Promise<void> {
  const first = await nodes.list(node, call);
  const mine = first.clients.filter((client) => client.user === user);
  const skewMs = first.at - referenceAt;
  const limits = mine.map(({ name: application, address }) => {
    const limit = endsBefore({ application, address });
    return limit === null ? null : limit + skewMs;
  });
  const old = mine.filter(({ beganAt }, index) => beganAt < (limits[index] ?? Number.NEGATIVE_INFINITY));
  if (old.length === 0) return;
  // Whoever comes back within the same second as the limit would look as old as who was ended.
  const latest = Math.max(...limits.map((limit) => limit ?? 0));
  const waitMs = Math.min(2 * precisionMs, latest + precisionMs - first.at);
  if (waitMs > 0) await pause(waitMs, call, node.name);
  await endAll(nodes, node, new Set(old.map(({ id }) => id)), async () => {}, random, call);
}

async function endAll(
  nodes: Nodes,
  node: Node,
  ids: ReadonlySet<string>,
  holds: () => Promise<void>,
  random: () => number,
  call: Call,
): Promise<void> {
  const size = Math.max(waves.sizeMin, Math.ceil(ids.size / waves.rounds));
  for (let left = [...ids]; left.length > 0; ) {
    await holds();
    // In no order: the instances of one consumer are not ended together.
    const next = shuffled(left, random).slice(0, size);
    for (const id of next) {
      await nodes.read(node, call, ({ session }) => session.send(["CLIENT", "KILL", "ID", id], call));
    }
    const { clients } = await nodes.list(node, call);
    left = clients.map(({ id }) => id).filter((id) => ids.has(id));
    if (left.length > 0) await pause(random() * waves.pauseMsMax, call, node.name);
  }
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

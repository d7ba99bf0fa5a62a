/** Who is connected to each Redis server right now: as which user, from where, under which name (CLIENT LIST). */

import { z } from "zod";
import type { Claim } from "../../domain/discovery/said.js";
import { RekeyError } from "../../domain/errors.js";
import { name } from "../../domain/estate/fields.js";
import type { AdapterDeps, Call, Source, SourceKind } from "../ports.js";
import { tlsMaterial } from "../shared/http.js";
import { resolveLogin } from "../shared/login.js";
import { connectRedis, placeOf, type RedisSession } from "../shared/redis.js";
import { addressesOf, type Node } from "../shared/redis-nodes.js";
import { type ListedClient, membersOf, parseClients, peersOf } from "../shared/redis-replies.js";
import { serverFields } from "../shared/redis-server.js";
import type { Said } from "../shared/source-part.js";
import { gapFindings, sessionsClaim, sessionsSource } from "../shared/source-sessions.js";

const config = z.strictObject({
  ...serverFields,
  issuer: name().describe("The issuer of the estate that these servers are; its accounts are its users."),
});

type Config = z.output<typeof config>;

/** The link to a primary is nobody's session; it has no user. */
const ofTheServer = "(superuser)";

/** The kind's entry in the registry. */
export const redisClients: SourceKind<typeof config> = {
  shows: "now",
  sees: "use",
  config,
  create: (settings, deps) => createClients(settings, deps),
  grants: ({
    user = "rekey_discovery",
  }) => `# Lets Rekey see who is connected. Run it on every node, as an administrator, with the SHA-256 of a password in hex.
ACL SETUSER ${user} reset on #<sha256 of its password> +client|list +info +cluster|nodes
ACL SAVE
`,
};

interface Look {
  readonly clients: readonly ListedClient[];
  readonly gaps: readonly string[];
}

function createClients(settings: Config, deps: AdapterDeps): Source {
  const nodes: readonly Node[] = settings.nodes.map((node) => ({ ...node, name: placeOf(node) }));
  return sessionsSource(nodes, deps, {
    look: (node, call) => lookAt(node, nodes, settings, deps, call),
    said: ({ clients, gaps }, node, at) => saidOf(clients, gaps, node, settings.issuer, at),
    findings: ({ gaps }, node) => gapFindings("redis-clients-incomplete", gaps, node.name),
  });
}

async function lookAt(
  node: Node,
  nodes: readonly Node[],
  settings: Config,
  deps: AdapterDeps,
  call: Call,
): Promise<Look> {
  const [login, tls] = await Promise.all([
    resolveLogin(settings.login, deps, call),
    settings.tls === undefined ? null : tlsMaterial(settings.tls, deps, call),
  ]);
  const { host, port } = node;
  const session = await connectRedis({ host, port, tls }, { ...login, name: "rekey/discovery" }, call);
  try {
    // Ages, which are all that is told, on our clock: the two clocks may differ.
    const listed = parseClients(await session.text(["CLIENT", "LIST"], call), deps.now());
    const own = listed.find(({ id }) => id === session.greeting.id);
    // Anybody may call themselves rekey/...; only from where we are is that taken for one of ours.
    const isOurs = (client: ListedClient) =>
      client.id === session.greeting.id ||
      (client.name.startsWith("rekey/") && client.address === own?.address);
    return {
      clients: listed.filter((client) => client.user !== ofTheServer && !isOurs(client)),
      gaps: [
        ...(own === undefined
          ? [`The listing of ${node.name} lacks our own connection, so it is not whole.`]
          : []),
        ...(await unlisted(session, node, nodes, call)),
      ],
    };
  } finally {
    session.destroy();
  }
}

/** Servers of the same set at which nobody looks, as gaps. */
async function unlisted(
  session: RedisSession,
  node: Node,
  nodes: readonly Node[],
  call: Call,
): Promise<string[]> {
  try {
    const known = peersOf(await session.text(["INFO", "replication"], call));
    if (session.greeting.mode === "cluster")
      known.push(...membersOf(await session.text(["CLUSTER", "NODES"], call)));
    const ours = new Set((await Promise.all(nodes.map(addressesOf))).flat());
    return [...new Set(known)]
      .filter((address) => !ours.has(address))
      .sort()
      .map(
        (address) =>
          `${node.name} knows a server ${address} that is not in \`nodes\`; who is connected there is not seen.`,
      );
  } catch (error) {
    if (!(error instanceof RekeyError) || error.code !== "not-permitted") throw error;
    return [
      `Whether ${node.name} has other servers beside it is not known: the user lacks info or cluster|nodes.`,
    ];
  }
}

function saidOf(
  clients: readonly ListedClient[],
  gaps: readonly string[],
  node: Node,
  issuer: string,
  at: number,
): Said {
  const groups = Map.groupBy(clients, ({ user, name: application, address }) =>
    JSON.stringify([user, application, address]),
  );
  return {
    records: clients.length,
    claims: [...groups.values()].flatMap((group) => claimOf(group, node, issuer, at)),
    gaps,
  };
}

function claimOf(group: readonly ListedClient[], node: Node, issuer: string, at: number): Claim[] {
  const [client] = group;
  if (client === undefined) return [];
  const { user, name: application, address } = client;
  const isRemote = address !== "local" && address !== "";
  const first = Math.min(at, ...group.map(({ beganAt }) => beganAt));
  return [
    sessionsClaim({
      ...{ record: `CLIENT LIST of ${node.name}`, issuer, account: user, application },
      address: isRemote ? address : null,
      where: isRemote ? address : "a socket of the server's machine",
      server: node.name,
      seen: { first, last: at, count: group.length },
    }),
  ];
}

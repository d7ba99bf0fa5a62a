/** Who is connected to each Redis server right now: as which user, from where, under which name (CLIENT LIST). */
import { z } from "zod";
import type { Claim } from "../../domain/discovery/said.js";
import { RekeyError } from "../../domain/errors.js";
import { name } from "../../domain/estate/fields.js";
import { isSecretRef } from "../../domain/estate/secret-ref.js";
import type { AdapterDeps, Call, Source, SourceKind } from "../ports.js";
import { tlsMaterial } from "../shared/http.js";
import { connectRedis, placeOf, type RedisSession } from "../shared/redis.js";
import { addressesOf, type Node } from "../shared/redis-nodes.js";
import { type ListedClient, membersOf, parseClients, peersOf } from "../shared/redis-replies.js";
import { serverFields } from "../shared/redis-server.js";
import { retryRead } from "../shared/retry.js";
import { placeParts, type Said } from "../shared/source-part.js";
import { placeFindings } from "../shared/source-preflight.js";

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
  const look = (node: Node, call: Call) =>
    retryRead(call, node.name, (frame) => lookAt(node, nodes, settings, deps, frame), {
      attempts: 2,
      attemptTimeoutMs: 15_000,
      pauseMs: 100,
      pauseMsMax: 1_000,
    });
  return {
    preflight: (call) =>
      placeFindings(nodes, async (node) => {
        const { gaps } = await look(node, call);
        return gaps.map((sentence) => ({
          code: "redis-clients-incomplete",
          severity: "warn",
          subject: node.name,
          sentence,
        }));
      }),
    scan: (cursor: string | null, call: Call) =>
      placeParts(
        nodes,
        cursor,
        async (node, frame) => {
          const { clients, gaps } = await look(node, frame);
          const at = deps.now();
          return { said: saidOf(clients, gaps, node, settings.issuer, at), at };
        },
        call,
      ),
    close: async () => {},
  };
}

async function lookAt(
  node: Node,
  nodes: readonly Node[],
  settings: Config,
  deps: AdapterDeps,
  call: Call,
): Promise<Look> {
  const { username, password } = settings.login;
  const [user, value, tls] = await Promise.all([
    isSecretRef(username) ? deps.resolve(username, call).then((found) => found.reveal()) : username,
    deps.resolve(password, call),
    settings.tls === undefined ? null : tlsMaterial(settings.tls, deps, call),
  ]);
  const { host, port } = node;
  const login = { username: user, password: value, name: "rekey/discovery" };
  const session = await connectRedis({ host, port, tls }, login, call);
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
  const traits = {
    ...(application === "" ? {} : { applicationName: application }),
    ...(isRemote ? { address } : {}),
  };
  const who = application === "" ? "a client without a name" : application;
  const where = isRemote ? address : "a socket of the server's machine";
  const first = Math.min(at, ...group.map(({ beganAt }) => beganAt));
  return [
    {
      record: `CLIENT LIST of ${node.name}`,
      known: "session",
      from: { is: "reader", name: `${who} from ${where}`, traits },
      type: "uses",
      to: { is: "account", issuer, account: user },
      seen: { first, last: at, count: group.length },
      sentence: `${group.length} ${group.length === 1 ? "session" : "sessions"} as ${user} at ${node.name}, by ${who} from ${where}.`,
    },
  ];
}

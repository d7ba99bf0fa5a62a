/** Who is connected to each Redis server right now: as which user, from where, under which name (CLIENT LIST). */

import { z } from "zod";
import { RekeyError } from "../../domain/errors.js";
import { name } from "../../domain/estate/fields.js";
import type { AdapterDeps, Call, Source, SourceKind } from "../ports.js";
import { tlsMaterial } from "../shared/http.js";
import { resolveLogin } from "../shared/login.js";
import { asksForLogin, connectRedis, placeOf, type RedisSession } from "../shared/redis.js";
import { addressesOf, type Node } from "../shared/redis-nodes.js";
import { type ListedClient, membersOf, parseClients, peersOf } from "../shared/redis-replies.js";
import { serverFields } from "../shared/redis-server.js";
import type { Said } from "../shared/source-part.js";
import {
  gapFindings,
  loggingInGaps,
  lookUntilKnown,
  type Session,
  sessionsClaims,
  sessionsSource,
} from "../shared/source-sessions.js";

const config = z.strictObject({
  ...serverFields,
  issuer: name().describe("The issuer of the estate that these servers are; its accounts are its users."),
});

type Config = z.output<typeof config>;

/** The link to a primary is nobody's session; it has no user. */
const ofTheServer = "(superuser)";

/** Whoever has not logged in shows as this user, and so does whoever has logged in as it. */
const atFirst = "default";
/** Shown in the place of the last command where there was none. */
const noCommand = "NULL";

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
  /** Lines of the listing that tell of no client. */
  readonly unread: readonly number[];
  readonly gaps: readonly string[];
}

function createClients(settings: Config, deps: AdapterDeps): Source {
  const nodes: readonly Node[] = settings.nodes.map((node) => ({ ...node, name: placeOf(node) }));
  return sessionsSource(nodes, deps, {
    look: (node, call) => lookAt(node, nodes, settings, deps, call),
    said: (found, node, at) => saidOf(found, node, settings.issuer, at),
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
  const endpoint = { host, port, tls };
  const session = await connectRedis(endpoint, { ...login, name: "rekey/discovery" }, call);
  try {
    // Ages, which are all that is told, on our clock: the two clocks may differ.
    let unread: readonly number[] = [];
    const list = async () => {
      const answer = parseClients(await session.text(["CLIENT", "LIST"], call), deps.now());
      unread = answer.unread;
      return answer.clients;
    };
    const { sessions: listed, loggingIn } = await lookUntilKnown(list, isSilent, node.name, call);
    // Who is let in without a login has said nothing because there is nothing to say: they are the default user.
    const strangers = loggingIn.length > 0 && (await asksForLogin(endpoint, call)) ? loggingIn : [];
    const own = listed.find(({ id }) => id === session.greeting.id);
    // Anybody may call themselves rekey/...; only from where we are is that taken for one of ours.
    const isOurs = (client: ListedClient) =>
      client.id === session.greeting.id ||
      (client.name.startsWith("rekey/") && client.address === own?.address);
    return {
      clients: [...listed, ...(strangers.length === 0 ? loggingIn : [])].filter(
        (client) => client.user !== ofTheServer && !isOurs(client),
      ),
      unread,
      gaps: [
        ...(own === undefined
          ? [`The listing of ${node.name} lacks our own connection, so it is not whole.`]
          : []),
        ...loggingInGaps(strangers.length, node.name),
        ...(await unlisted(session, node, nodes, call)),
      ],
    };
  } finally {
    session.destroy();
  }
}

/** Connected, and not a word said: who that will be nobody can tell. */
function isSilent({ user, command }: ListedClient): boolean {
  return user === atFirst && command === noCommand;
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

function saidOf({ clients, unread, gaps }: Look, node: Node, issuer: string, at: number): Said {
  const record = `CLIENT LIST of ${node.name}`;
  const seen = { record, issuer, server: node.name, at };
  return {
    records: clients.length + unread.length,
    claims: sessionsClaims(clients.map(sessionOf), seen),
    malformed: unread.map((line) => ({ where: `line ${line} of ${record}`, why: "it tells of no client" })),
    gaps,
  };
}

function sessionOf({ user, name: application, address, beganAt }: ListedClient): Session {
  return { account: user, application, from: address, beganAt };
}

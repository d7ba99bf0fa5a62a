/** What has to be so before passwords are rotated at these servers; each finding says what to mend. */
import type { Finding } from "../../../domain/finding.js";
import type { Call } from "../../ports.js";
import type { Node, NodeSession, Nodes } from "../../shared/redis-nodes.js";
import type { RedisAccount, RedisConfig } from "./config.js";
import { strangersIn, type UserAt, userOn } from "./user.js";

/** What is asked of one node. */
interface Facts {
  readonly node: Node;
  readonly engine: string;
  readonly version: string;
  readonly saves: boolean;
  readonly found: UserAt | null;
  /** Commands of the engine that its rules do not allow. */
  readonly lacking: readonly string[];
  /** The account's own rules let it change users. */
  readonly ownsUsers: boolean;
  readonly unlisted: readonly string[];
  readonly clients: { readonly connected: number; readonly mine: number; readonly max: number };
}

/** The oldest release with selectors, ACL DRYRUN and rights for single subcommands. */
const oldestMajor = 7;

/** Looks at every node. Throws `unreachable` where one does not answer. */
export async function preflight(
  nodes: Nodes,
  config: RedisConfig,
  account: RedisAccount,
  call: Call,
): Promise<Finding[]> {
  const facts = await Promise.all(nodes.all.map((node) => factsOf(nodes, node, account, call)));
  const plain: Finding[] =
    config.tls === undefined
      ? [warn("redis-no-tls", account.user, "Without TLS the password of every login travels in the clear.")]
      : [];
  return [...plain, ...facts.flatMap((one) => atNode(one, account)), ...between(facts, account)];
}

async function factsOf(nodes: Nodes, node: Node, { user }: RedisAccount, call: Call): Promise<Facts> {
  const listing = await nodes.list(node, call);
  const unlisted = await nodes.unlisted(node, call);
  return nodes.read(node, call, async (on) => {
    const { session, user: engine, save } = on;
    const info = await session.text(["INFO", "clients"], call);
    const number = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
    return {
      node,
      engine,
      version: session.greeting.version,
      saves: save !== null,
      found: await userOn(on, user, call),
      lacking: await lackingOf(on, call),
      ownsUsers: await allowed(on, user, ["ACL", "SETUSER", user], call),
      unlisted,
      clients: {
        connected: number("connected_clients"),
        max: number("maxclients"),
        mine: listing.clients.filter((client) => client.user === user).length,
      },
    };
  });
}

async function lackingOf(on: NodeSession, call: Call): Promise<string[]> {
  const needed = [
    ["ACL", "SETUSER", "x"],
    ["CLIENT", "KILL", "ID", "1"],
    ...(on.save === null ? [] : [on.save]),
  ];
  const checked = await Promise.all(
    needed.map(async (command) => ((await allowed(on, on.user, command, call)) ? [] : [command])),
  );
  return checked.flat().map((command) => command.slice(0, 2).join(" "));
}

/** Asks without doing it. A user that is not there may do nothing. */
async function allowed(
  { session }: NodeSession,
  user: string,
  command: readonly string[],
  call: Call,
): Promise<boolean> {
  if ((await session.send(["ACL", "GETUSER", user], call)) === null) return false;
  return (await session.text(["ACL", "DRYRUN", user, ...command], call)) === "OK";
}

function atNode(facts: Facts, { user, slots }: RedisAccount): Finding[] {
  const { node, engine, version, saves, found, lacking, ownsUsers, unlisted, clients } = facts;
  const findings: Finding[] = unlisted.map((address) =>
    refuse(
      "redis-node-unlisted",
      address,
      `${node.name} knows the server ${address}, and the estate does not: list it under \`nodes\`, or under \`announced\` of one that is there.`,
    ),
  );
  const add = (code: string, sentence: string) =>
    findings.push(refuse(code, node.name, `${node.name} ${sentence}`));
  if (Number.parseInt(version, 10) < oldestMajor)
    add("redis-version", `is Redis ${version}; 7.0 is the oldest that is supported.`);
  if (!saves)
    add(
      "redis-not-saved",
      "has neither an ACL file nor a configuration file: a restart would bring the old password back. Set `aclfile`.",
    );
  for (const command of lacking)
    add(
      "redis-right-missing",
      `does not let ${engine} run ${command}: run what \`rekey grants redis\` prints.`,
    );
  if (engine === user)
    add(
      "redis-own-user",
      `is reached as ${user}, which is the user to be rotated: the engine would end its own connections.`,
    );
  if (found === null) {
    add("redis-user-missing", `has no user ${user}.`);
    return findings;
  }
  const missing = Array.from({ length: slots }, (_, index) => index + 1).filter(
    (slot) => !found.slots.has(slot),
  );
  if (found.marker === null || missing.length > 0)
    add(
      "redis-not-prepared",
      `has the user ${user}, not prepared for ${slots} slots: run what \`rekey grants redis --set user=${user} --set slots=${slots}\` prints.`,
    );
  if (!found.on) add("redis-user-off", `has the user ${user} switched off.`);
  if (found.nopass) add("redis-nopass", `lets ${user} in with any password (nopass).`);
  const allowance = found.slots.get(1)?.tag === "" ? 1 : 0;
  if (strangersIn(found).length > allowance)
    add(
      "redis-unknown-password",
      `has a password of ${user} that Rekey did not make: whoever knows it would not be seen, and be cut off. Remove it.`,
    );
  if (clients.max > 0 && clients.connected + clients.mine > clients.max)
    add(
      "redis-max-clients",
      `has no room for a second connection of each client (maxclients ${clients.max}).`,
    );
  if (ownsUsers)
    findings.push(
      warn(
        "redis-user-owns-users",
        node.name,
        `${node.name} lets ${user} change users: whoever holds a session could make a login that no rotation ends.`,
      ),
    );
  return findings;
}

/** Nodes that disagree: one would refuse what the others accept (H16, H34). */
function between(facts: readonly Facts[], { user }: RedisAccount): Finding[] {
  const [first, ...others] = facts.flatMap(({ found }) => (found === null ? [] : [found]));
  if (!first) return [];
  return others.flatMap((other) => {
    const differs = (what: string) =>
      refuse(
        "redis-nodes-differ",
        other.node.name,
        `${other.node.name} and ${first.node.name} differ in ${what} of ${user}.`,
      );
    const passwords = ({ values, slots, marker }: UserAt) =>
      JSON.stringify([marker, [...values].sort(), [...slots].sort(([a], [b]) => a - b)]);
    return [
      ...(other.rules === first.rules ? [] : [differs("the rules")]),
      ...(passwords(other) === passwords(first) ? [] : [differs("the passwords or the records")]),
    ];
  });
}

function refuse(code: string, subject: string, sentence: string): Finding {
  return { code, severity: "refuse", subject, sentence };
}

function warn(code: string, subject: string, sentence: string): Finding {
  return { code, severity: "warn", subject, sentence };
}

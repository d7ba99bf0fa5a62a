/**
 * Proofs by logging in: that a value works at every node as whom it should and with what it should, and that
 * it is refused at every node for the right reason (H9, H13, H14, H16, H34).
 */
import { RekeyError } from "../../../domain/errors.js";
import type { Secret } from "../../../domain/secret.js";
import type { Call, NodeProof } from "../../ports.js";
import { attemptLogin, type PgSession, type Refusal } from "../../shared/pg.js";
import type { Node, Nodes } from "../../shared/pg-nodes.js";
import { within } from "../../shared/retry.js";
import { differencesOf } from "./compare.js";
import type { PostgresAccount } from "./config.js";
import { positionNow, waitForReplay } from "./replay.js";

/** How long a standby may be behind before the proof is not given, in milliseconds. */
const replayMsMax = 30_000;

/** What is logged in with. */
export interface Value {
  readonly username: string;
  readonly password: Secret;
}

/** Who a session is. */
export interface Who {
  readonly login: string;
  readonly acting: string;
  readonly standby: boolean;
  readonly identity: string;
}

/** Asks a session who it is. */
export const whoSql = `SELECT session_user::text AS login, current_user::text AS acting,
  pg_is_in_recovery() AS standby, rekey.identity() AS identity`;

/** One proof for each node, taken side by side; `unreachable` when a node gave no answer at all. */
export async function proveAtNodes(
  nodes: Nodes,
  account: PostgresAccount,
  value: Value,
  call: Call,
): Promise<NodeProof[]> {
  return atEveryNode(nodes, call, async (node) => {
    const identity = await nodes.read(node, call, async (on) => on.identity);
    const [login, differences] = await Promise.all([
      proveLogin(node, account, value, identity, call),
      node.role === "primary" ? differencesOf(nodes, account, value.username, call) : [],
    ]);
    if (!login.ok || differences.length === 0) return login;
    return {
      node: node.name,
      ok: false,
      sentence: `${value.username} differs from its sibling: ${differences.join("; ")}`,
    };
  });
}

/** One refusal for each node. Only "wrong value" and "not permitted to log in" count; anything else proves nothing. */
export async function proveRefusedAtNodes(nodes: Nodes, value: Value, call: Call): Promise<NodeProof[]> {
  return atEveryNode(nodes, call, async (node) => {
    const identity = await nodes.read(node, call, async (on) => on.identity);
    // A refusal says nothing of who refuses, and a name may lead to a copy of the server by now: the login is tried at the
    // very address that has just said who it is, and that has to be so afterwards too.
    const there = await rightServer(nodes, node, identity, call);
    const result = await attemptLogin(there.endpoint, probe(value), call);
    if (result.in) {
      await result.session.end();
      return { node: node.name, ok: false, sentence: `still accepts ${value.username}` };
    }
    await rightServer(nodes, there, identity, call);
    return refusedBy(node.name, value.username, result.why);
  });
}

/** The node at the address at which a new connection has found the server of that identity. Throws `wrong-server`. */
async function rightServer(nodes: Nodes, node: Node, identity: string, call: Call): Promise<Node> {
  return nodes.readAnew(node, call, async (on) => {
    if (on.identity !== identity)
      throw new RekeyError(
        "wrong-server",
        `${node.name} leads to another server than the one that was changed.`,
      );
    return { ...node, endpoint: { ...node.endpoint, address: on.session.address } };
  });
}

async function atEveryNode(
  nodes: Nodes,
  call: Call,
  prove: (node: Node) => Promise<NodeProof>,
): Promise<NodeProof[]> {
  const lsn = await positionNow(nodes, call);
  return Promise.all(
    nodes.all.map(async (node) => {
      const frame = within(call, replayMsMax);
      try {
        await waitForReplay(nodes, node, lsn, frame);
      } catch (error) {
        // Only the wait itself ran out; a node that did not answer is no answer at all.
        if (call.signal.aborted || !frame.signal.aborted) throw error;
        return { node: node.name, ok: false, sentence: "has not replayed the change within 30 s" };
      }
      return prove(node);
    }),
  );
}

/** A refusal as the proof that a value is off; being kept out by rules says nothing of the value. */
export function refusedBy(node: string, username: string, why: Refusal): NodeProof {
  const text = refusalText(username, why);
  return why === "rules"
    ? { node, ok: false, sentence: `no proof: ${text}, whatever the value` }
    : { node, ok: true, sentence: text };
}

/** A refusal in words. */
export function refusalText(username: string, why: Refusal): string {
  return {
    value: `refused: the value of ${username} is not accepted`,
    "switched-off": `refused: ${username} is not permitted to log in`,
    rules: `pg_hba.conf does not let ${username} in from here`,
    behind: `refused: the server behind does not let ${username} in, though the pooler itself takes the value`,
  }[why];
}

/** As whom a probe logs in. */
export function probe(value: Value) {
  return { ...value, applicationName: `rekey/probe/${value.username}` };
}

async function proveLogin(
  node: Node,
  account: PostgresAccount,
  value: Value,
  identity: string,
  call: Call,
): Promise<NodeProof> {
  const result = await attemptLogin(node.endpoint, probe(value), call);
  if (!result.in) {
    return { node: node.name, ok: false, sentence: refusalText(value.username, result.why) };
  }
  const { session } = result;
  try {
    const wrong =
      (await wrongWho(session, node, account, value, identity, "after login", call)) ??
      (await afterReset(session, node, account, value, identity, call)) ??
      (await wrongCanary(session, account, call));
    const sentence = wrong ?? `logged in as ${value.username} acting as ${account.group}`;
    return { node: node.name, ok: wrong === null, sentence };
  } finally {
    await session.end();
  }
}

async function wrongWho(
  session: PgSession,
  node: Node,
  account: PostgresAccount,
  value: Value,
  identity: string,
  when: string,
  call: Call,
): Promise<string | null> {
  const [who] = await session.query<Who>(whoSql, [], call);
  if (who?.identity !== identity || who.standby !== (node.role === "standby")) {
    throw new RekeyError("wrong-server", `${node.name} gave the login to another server than the engine.`);
  }
  if (who.login !== value.username) return `logged in as ${who.login} and not as ${value.username}`;
  if (who.acting === account.group) return null;
  return `${when} ${value.username} acts as ${who.acting} and not as ${account.group}`;
}

/** Poolers and drivers reset sessions with this; servers before November 2024 forget the group then (H13). */
async function afterReset(
  session: PgSession,
  node: Node,
  account: PostgresAccount,
  value: Value,
  identity: string,
  call: Call,
): Promise<string | null> {
  await session.query("DISCARD ALL", [], call);
  return wrongWho(session, node, account, value, identity, "after DISCARD ALL", call);
}

async function wrongCanary(session: PgSession, account: PostgresAccount, call: Call): Promise<string | null> {
  const { canary } = account;
  if (canary === undefined) return null;
  try {
    await session.query("SET default_transaction_read_only = on", [], call);
    const [row] = await session.query<{ rows: number }>(
      `SELECT count(*)::int AS rows FROM (${canary.query}) AS canary`,
      [],
      call,
    );
    if (row?.rows === canary.rows) return null;
    return `the canary query returned ${row?.rows} rows and not ${canary.rows}`;
  } catch (error) {
    if (call.signal.aborted || !(error instanceof RekeyError) || error.code === "unreachable") throw error;
    return "the canary query failed";
  }
}

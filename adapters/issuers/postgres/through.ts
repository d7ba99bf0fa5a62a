/**
 * The same proofs as consumers get them that reach the server through a pooler: it has a list of logins and
 * connections of its own, so it may refuse what the server takes, and let in what the server refuses (H16, H34).
 */
import { RekeyError } from "../../../domain/errors.js";
import type { Call, NodeProof } from "../../ports.js";
import { attemptLogin, type PgEndpoint, type PgSession, placeOf } from "../../shared/pg.js";
import type { Nodes } from "../../shared/pg-nodes.js";
import { within } from "../../shared/retry.js";
import type { PostgresAccount, PostgresConfig } from "./config.js";
import { probe, refusalText, refusedBy, type Value, type Who, whoSql } from "./prove.js";

/** How long a pooler may take to answer a question after it took the login, in milliseconds. */
const answerMsMax = 5_000;

/**
 * A pooler that takes the login by itself lets the first question wait for a server (`query_wait_timeout`, two
 * minutes); only who comes after the failed attempt is told of it.
 */
const triesMax = 3;

/** The poolers of an issuer, as they are logged in at. */
export function poolersOf({ through = [], database, tls }: PostgresConfig): PgEndpoint[] {
  return through.map(({ host, port, database: name = database }) => ({
    host,
    port,
    database: name,
    tls,
    pooler: true,
  }));
}

/** One proof for each pooler: the right server answers through it, to the right login, with what it should have. */
export async function proveThrough(
  nodes: Nodes,
  poolers: readonly PgEndpoint[],
  account: PostgresAccount,
  value: Value,
  call: Call,
): Promise<NodeProof[]> {
  if (poolers.length === 0) return [];
  const identity = await nodes.read(nodes.primary, call, async (on) => on.identity);
  return Promise.all(
    poolers.map(async (pooler) => {
      const node = placeOf(pooler);
      const result = await attemptLogin(pooler, probe(value), call);
      if (!result.in) {
        const mend = result.why === "value" ? "; does its list of logins have it, and was it reloaded?" : "";
        return { node, ok: false, sentence: `${refusalText(value.username, result.why)}${mend}` };
      }
      const { session } = result;
      try {
        const wrong = await wrongThrough(session, node, account, value, identity, within(call, answerMsMax));
        const sentence =
          wrong ?? `logged in through the pooler as ${value.username} acting as ${account.group}`;
        return { node, ok: wrong === null, sentence };
      } catch (error) {
        if (!(error instanceof RekeyError) || error.code !== "not-permitted") throw error;
        return { node, ok: false, sentence: refusalText(value.username, "behind") };
      } finally {
        // Gone in the middle of a transaction: a pooler then closes the server's connection, and keeps none of ours.
        session.destroy();
      }
    }),
  );
}

/** One refusal for each pooler. To be let in and answered is to be accepted, whoever the pooler is at the server. */
export async function proveRefusedThrough(
  poolers: readonly PgEndpoint[],
  value: Value,
  call: Call,
): Promise<NodeProof[]> {
  return Promise.all(poolers.map((pooler) => refusedThrough(pooler, value, call)));
}

async function refusedThrough(pooler: PgEndpoint, value: Value, call: Call): Promise<NodeProof> {
  const node = placeOf(pooler);
  for (let attempt = 1; ; attempt++) {
    const result = await attemptLogin(pooler, probe(value), call);
    if (!result.in) return refusedBy(node, value.username, result.why);
    const { session } = result;
    try {
      const [row] = await session.query<{ login: string }>(
        "SELECT session_user::text AS login",
        [],
        within(call, answerMsMax),
      );
      return { node, ok: false, sentence: `still accepts ${value.username}, as ${row?.login} at the server` };
    } catch (error) {
      if (!(error instanceof RekeyError) || call.signal.aborted) throw error;
      if (error.code === "not-permitted") return refusedBy(node, value.username, "behind");
      if (attempt >= triesMax) throw error;
    } finally {
      session.destroy();
    }
  }
}

/**
 * Everything in one transaction that only reads: connections are shared between clients, so nothing may be set
 * that outlives it. What is wrong, or `null`.
 */
async function wrongThrough(
  session: PgSession,
  node: string,
  account: PostgresAccount,
  value: Value,
  identity: string,
  call: Call,
): Promise<string | null> {
  await session.query("BEGIN READ ONLY", [], call);
  const [user] = await session.query<{ login: string }>("SELECT session_user::text AS login", [], call);
  if (user?.login !== value.username) {
    return `the pooler is ${user?.login} at the server and not ${value.username}: it holds a credential of its own`;
  }
  const [who] = await session.query<Who>(whoSql, [], call);
  if (who?.identity !== identity) {
    throw new RekeyError("wrong-server", `${node} leads to another server than the engine's.`);
  }
  if (who.acting !== account.group) {
    return `${value.username} acts as ${who.acting} and not as ${account.group}`;
  }
  return wrongCanary(session, account, call);
}

async function wrongCanary(session: PgSession, account: PostgresAccount, call: Call): Promise<string | null> {
  const { canary } = account;
  if (canary === undefined) return null;
  try {
    const [row] = await session.query<{ rows: number }>(
      `SELECT count(*)::int AS rows FROM (${canary.query}) AS canary`,
      [],
      call,
    );
    if (row?.rows === canary.rows) return null;
    return `the canary query returned ${row?.rows} rows and not ${canary.rows}`;
  } catch (error) {
    if (!(error instanceof RekeyError) || error.code === "unreachable") throw error;
    return "the canary query failed";
  }
}

/**
 * Proofs by logging in at every node: as whom, and that the node is the right one (H9, H16). PING says PONG to the
 * default user too, so nothing counts but who the server says we are.
 */
import type { Secret } from "../../../domain/secret.js";
import type { Call, NodeProof } from "../../ports.js";
import { attemptLogin, type RedisSession } from "../../shared/redis.js";
import { replyCode, translateRedis } from "../../shared/redis-errors.js";
import type { Node, Nodes } from "../../shared/redis-nodes.js";
import { identityOf } from "./change.js";
import { prepared, userAt } from "./user.js";

/** What is logged in with. */
export interface Value {
  readonly user: string;
  readonly password: Secret;
}

/** One answer for each node, and one that is not ok for each server that the nodes know and the estate does not. */
export async function loginEverywhere(
  nodes: Nodes,
  value: Value,
  wanted: "in" | "refused",
  call: Call,
): Promise<NodeProof[]> {
  const identities = await Promise.all(
    nodes.all.map(async (node) =>
      identityOf(prepared(await userAt(nodes, node, value.user, call), node, value.user).marker),
    ),
  );
  const proofs = await Promise.all(
    nodes.all.map((node, index) =>
      identities[index] === identities[0]
        ? loginAt(nodes, node, value, wanted, call)
        : { node: node.name, ok: false, sentence: `is not the same server as ${nodes.all[0]?.name}` },
    ),
  );
  const strangers = (await Promise.all(nodes.all.map((node) => nodes.unlisted(node, call)))).flat();
  const unlisted = [...new Set(strangers)].map((node) => ({
    node,
    ok: false,
    sentence: "not asked: it belongs to these servers and is not in the estate",
  }));
  return [...proofs, ...unlisted];
}

async function loginAt(
  nodes: Nodes,
  node: Node,
  { user, password }: Value,
  wanted: "in" | "refused",
  call: Call,
): Promise<NodeProof> {
  const answer = (got: "in" | "refused", sentence: string): NodeProof => ({
    node: node.name,
    ok: got === wanted,
    sentence,
  });
  const endpoint = await nodes.endpoint(node, call);
  const result = await attemptLogin(endpoint, { username: user, password, name: "rekey/probe" }, call);
  if (!result.in) return answer("refused", `refused: the value of ${user} is not accepted`);
  try {
    const who = await whoAmI(nodes, node, result.session, call);
    if (who === user) return answer("in", `logged in as ${user}`);
    return { node: node.name, ok: false, sentence: "let us in as somebody else" };
  } finally {
    result.session.destroy();
  }
}

/** ACL WHOAMI; where the user may not ask that, the engine looks its connection up in the server's listing. */
async function whoAmI(nodes: Nodes, node: Node, session: RedisSession, call: Call): Promise<string> {
  try {
    return String(await session.send(["ACL", "WHOAMI"], call, true));
  } catch (error) {
    if (replyCode(error) !== "NOPERM") throw translateRedis(error, node.name);
  }
  const { clients } = await nodes.list(node, call);
  return clients.find(({ id }) => id === session.greeting.id)?.user ?? "";
}

/**
 * The one way in which anything is changed at the server: end what earlier attempts left running, call
 * `rekey.apply`, and when the answer is lost ask what became of it instead of assuming (H3).
 */
import { RekeyError } from "../../../domain/errors.js";
import { formatTag, parseTag } from "../../../domain/fence.js";
import type { Applied, Call, FencedChange } from "../../ports.js";
import type { NodeSession, Nodes } from "../../shared/pg-nodes.js";

/** What becomes of the login. `canLogin: null` leaves it as it is; without `verifier` and `clear` the password stays. */
export interface Effect {
  /** Name of the step in `application_name`, by which later attempts find this one. */
  readonly step: "enable" | "disable" | "scramble" | "destroy" | "seize";
  readonly canLogin: boolean | null;
  readonly verifier?: string;
  readonly clear?: boolean;
}

/** How long an older attempt may take to end, in milliseconds; below the statement's own limit. */
const endOlderMs = 5_000;

/**
 * Makes the change once. Throws `fenced`, `foreign-installation`, `wrong-server`, `conflict` (locked by
 * somebody else, nothing changed), or `unknown-outcome` when the server could not be asked again.
 */
export async function makeChange(
  nodes: Nodes,
  change: FencedChange,
  effect: Effect,
  call: Call,
): Promise<Applied> {
  refuseForeign(change.expect, change);
  const tag = formatTag(change.tag);
  let lost = false;
  for (let attempt = 1; ; attempt++) {
    let on: NodeSession;
    try {
      on = await ready(nodes, change, effect, call);
      if (lost && (await readTag(on, change.slot, call)) === tag && change.expect !== tag) return "applied";
    } catch (error) {
      throw lost && isUnreachable(error) ? unknownOutcome(change) : error;
    }
    try {
      return await apply(on, change, effect, tag, call);
    } catch (error) {
      if (on.session.alive) throw await explained(on, error, change, call);
      if (call.signal.aborted || attempt >= 2) throw unknownOutcome(change);
      lost = true;
    }
  }
}

/** Text of the tag that a login carries now, `""` for none. */
async function readTag(on: NodeSession, login: string, call: Call): Promise<string> {
  const [row] = await on.session.query<{ tag: string }>(
    `SELECT coalesce(shobj_description(oid, 'pg_authid'), '') AS tag FROM pg_roles WHERE rolname = $1`,
    [login],
    call,
  );
  return row?.tag ?? "";
}

/** A connection that names this step and beside which no earlier attempt of the rotation is running any more. */
async function ready(nodes: Nodes, change: FencedChange, effect: Effect, call: Call): Promise<NodeSession> {
  const on = await notAsItself(nodes, change, effect, call);
  const rotation = `rekey/${change.tag.rotation}/`;
  const [row] = await on.session.query<{ left: number }>(
    // Materialised, because the planner may otherwise ask pg_terminate_backend first and the conditions after.
    `WITH older AS MATERIALIZED (
       SELECT a.pid FROM pg_stat_activity a
       WHERE starts_with(a.application_name, $2) AND a.pid <> pg_backend_pid() AND a.state <> 'idle'
         AND a.usename IN (SELECT session_user UNION SELECT m.login FROM rekey.managed m
                            JOIN rekey.managed me ON me.grp = m.grp WHERE me.login = session_user)
     )
     SELECT set_config('application_name', $1, false),
            (SELECT count(*) FILTER (WHERE NOT pg_terminate_backend(pid, $3))::int FROM older) AS left`,
    [`${rotation}${change.tag.epoch}/${effect.step}`, rotation, endOlderMs],
    call,
  );
  if (row?.left !== 0) {
    throw new RekeyError("unreachable", `${on.node.name} still runs an earlier attempt of this rotation.`);
  }
  return on;
}

/** The engine must not switch off the login that it is using: it would be cut off in the middle of the step (H26). */
async function notAsItself(
  nodes: Nodes,
  change: FencedChange,
  effect: Effect,
  call: Call,
): Promise<NodeSession> {
  const on = await nodes.session(nodes.primary, call);
  if (effect.canLogin !== false || on.user !== change.slot) return on;
  await Promise.all(nodes.all.map((node) => nodes.forget(node)));
  const again = await nodes.session(nodes.primary, call);
  if (again.user === change.slot) {
    throw new RekeyError(
      "conflict",
      `The engine itself still logs in as ${change.slot}; it must adopt first.`,
    );
  }
  return again;
}

async function apply(
  on: NodeSession,
  change: FencedChange,
  effect: Effect,
  tag: string,
  call: Call,
): Promise<Applied> {
  const [row] = await on.session.query<{ answer: Applied }>(
    "SELECT rekey.apply($1, $2, $3, $4, $5, $6, $7) AS answer",
    [
      change.identity,
      change.slot,
      change.expect,
      tag,
      effect.canLogin,
      effect.verifier ?? null,
      effect.clear ?? false,
    ],
    call,
  );
  if (!row) throw new RekeyError("internal", "rekey.apply answered nothing.");
  return row.answer;
}

/** A refusal by the fence says who holds it, when that can be read. */
async function explained(
  on: NodeSession,
  error: unknown,
  change: FencedChange,
  call: Call,
): Promise<unknown> {
  if (!(error instanceof RekeyError) || error.code !== "fenced") return error;
  const found = await readTag(on, change.slot, call).catch(() => "");
  const theirs = parseTag(found);
  if (theirs && theirs.installation !== change.tag.installation)
    return foreign(change.slot, theirs.installation);
  return error;
}

function refuseForeign(text: string, change: FencedChange): void {
  const theirs = parseTag(text);
  if (theirs && theirs.installation !== change.tag.installation)
    throw foreign(change.slot, theirs.installation);
}

function foreign(slot: string, installation: string): RekeyError {
  return new RekeyError(
    "foreign-installation",
    `${slot} carries the tag of the installation ${installation}.`,
  );
}

function isUnreachable(error: unknown): boolean {
  return error instanceof RekeyError && error.code === "unreachable";
}

function unknownOutcome(change: FencedChange): RekeyError {
  return new RekeyError("unknown-outcome", `The change of ${change.slot} was sent and its answer was lost.`);
}

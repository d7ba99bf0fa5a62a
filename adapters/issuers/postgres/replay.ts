/** A standby answers from its own past: what was changed on the primary counts there only once it was replayed (H16, facts 16). */
import { RekeyError } from "../../../domain/errors.js";
import type { Call } from "../../ports.js";
import type { Node, Nodes } from "../../shared/pg-nodes.js";
import { pause } from "../../shared/retry.js";

/** Pause between two looks at a standby that is behind, in milliseconds. */
const pauseMs = { first: 2, max: 100 };

/** A place in the primary's log past every commit that this process has seen; `null` where there is no standby. */
export async function positionNow(nodes: Nodes, call: Call): Promise<string | null> {
  if (nodes.standbys.length === 0) return null;
  const [row] = await nodes.read(nodes.primary, call, ({ session }) =>
    session.query<{ lsn: string }>("SELECT pg_current_wal_lsn()::text AS lsn", [], call),
  );
  return row?.lsn ?? null;
}

/**
 * Returns once the node has replayed up to `lsn`; at once for the primary. Throws `unreachable` when the call ends first,
 * and `wrong-server` where it was promoted: it goes its own way then, and its place in the log says nothing of ours.
 */
export async function waitForReplay(nodes: Nodes, node: Node, lsn: string | null, call: Call): Promise<void> {
  if (lsn === null || node.role === "primary") return;
  for (let waitMs = pauseMs.first; ; waitMs = Math.min(waitMs * 2, pauseMs.max)) {
    const [row] = await nodes.read(node, call, ({ session }) =>
      session.query<{ there: boolean; standby: boolean }>(
        "SELECT coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false) AS there, pg_is_in_recovery() AS standby",
        [lsn],
        call,
      ),
    );
    if (row?.standby === false)
      throw new RekeyError("wrong-server", `${node.name} is not a standby any more: it was promoted.`);
    if (row?.there) return;
    await pause(waitMs, call, `${node.name} has not replayed the change; it`);
  }
}

/**
 * The seam of our own database. Every unit of work there is one transaction that ends in one commit, so a fault
 * at the commit is a fault at the record; the record's name is that of the function whose unit it is.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { PoolClient } from "pg";
import type { Database } from "../../../inventory/database.js";
import type { Planted } from "./points.js";
import type { Seam } from "./seam.js";

/** How long a commit goes on at the server after its client was lost. */
const lateSeconds = 0.3;

interface Unit {
  readonly name: string;
  /** Every further attempt of the unit fails too: that is what "does not answer in time" comes to. */
  down: boolean;
}

const units = new AsyncLocalStorage<Unit>();
const frame = /at (?:async )?(\w+) \(.*\/(?:inventory|audit)\/(?!database|failure)[\w-]+\.[jt]s/;

/** The database, with the seam at each commit. */
export function seamedDatabase(seam: Seam, db: Database): Database {
  return {
    ...db,
    connect: async () => {
      const unit = currentUnit();
      if (unit.down) throw broken();
      return seamedClient(seam, unit, await db.connect());
    },
  };
}

/** The unit that asks for a connection: the function of `inventory/` or `audit/` on the stack, or the same as before in a repetition. */
function currentUnit(): Unit {
  const name = frame.exec(new Error().stack ?? "")?.[1];
  const known = units.getStore();
  if (name === undefined) return known ?? { name: "unknown", down: false };
  const unit = { name, down: false };
  // For the rest of this unit's chain of calls, in which the stack of a second attempt does not show the function.
  units.enterWith(unit);
  return unit;
}

function seamedClient(seam: Seam, unit: Unit, client: PoolClient): PoolClient {
  let readsOnly = false;
  const query = (...args: unknown[]): unknown => {
    const send = client.query.bind(client) as (...given: unknown[]) => Promise<unknown>;
    const [text] = args;
    if (typeof text === "string" && text.startsWith("begin ")) readsOnly = text.includes("read only");
    if (text !== "commit") return send(...args);
    const commit = () => send("commit");
    const lost = (fault: Planted["fault"]) => {
      unit.down = fault === "timeout";
      return broken();
    };
    return seam.pass({
      call: `inventory.${unit.name}`,
      kind: readsOnly ? "read" : "record",
      make: commit,
      again: commit,
      failing: { unreachable: lost, lost, foreign: broken },
      // The server goes on with what it has got, although the client has hung up.
      late: () => void send(`select pg_sleep(${lateSeconds}); commit`).catch(() => undefined),
    });
  };
  return new Proxy(client, {
    get: (target, name) => {
      if (name === "query") return query;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** As the driver tells of a connection that broke. */
function broken(): Error {
  return new Error("Connection terminated unexpectedly");
}

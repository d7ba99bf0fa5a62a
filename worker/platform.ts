/**
 * What the installation itself needs, looked at without changing anything: Temporal's namespace and its search
 * attributes, the inventory and what this login may do there, and the versions of all three.
 */
import { Connection, isGrpcServiceError } from "@temporalio/client";
import { clockFindings } from "../domain/clocks.js";
import { RekeyError } from "../domain/errors.js";
import type { Finding, Severity } from "../domain/finding.js";
import { codecFindings } from "../domain/processes.js";
import type { Diagnosis } from "../domain/rotation/work.js";
import { inventoryTime } from "../inventory/clock.js";
import { schemaName } from "../inventory/columns.js";
import { type Database, read } from "../inventory/database.js";
import { sql } from "../inventory/orm.js";
import { processesSeen } from "../inventory/processes.js";
import { searchAttributes } from "./dev/temporal-server.js";
import type { TemporalLogin } from "./installation.js";

/** Where to look. */
export interface Platform {
  readonly db: Database;
  readonly login: TemporalLogin;
  readonly namespace: string;
  /** `process.versions.node` of the process that would do the work. */
  readonly nodeVersion: string;
  /** The text of `/proc/self/limits` of that process; empty where there is none. */
  readonly limits: string;
  /** What time it is by this machine, in milliseconds since the epoch. */
  readonly now: () => number;
}

const callMsMax = 10_000;
const grpc = { notFound: 5, forbidden: 7, unimplemented: 12 };
/** Temporal's numbers for the types of attributes that we use. */
const typeNumbers: Readonly<Record<string, number>> = { Keyword: 2, Bool: 5 };
/** What each is tested with, or older where it is known to suffice; as numbers to compare. */
const oldest = { node: [22, 12], temporal: [1, 28], postgres: 140_000 };

/** One diagnosis each for Temporal, the inventory, this machine's clock, the processes' codec keys and Node; without findings where all is well. */
export async function diagnosePlatform(platform: Platform): Promise<Diagnosis[]> {
  return Promise.all([
    told("Temporal", () => temporalFindings(platform)),
    told("inventory", () => inventoryFindings(platform.db)),
    told("clocks", () => ownClockFindings(platform)),
    told("codec keys", async () => codecFindings(await processesSeen(platform.db))),
    told("Node", async () => [...nodeFindings(platform.nodeVersion), ...coreFindings(platform.limits)]),
  ]);
}

/** What cannot be looked at is a finding, too: whoever asks wants to hear of all the others. */
async function told(subject: string, look: () => Promise<Finding[]>): Promise<Diagnosis> {
  try {
    return { subject, findings: await look() };
  } catch (error) {
    const known = error instanceof RekeyError;
    const { hint, message } = known ? error : new RekeyError("unreachable", `${subject} does not answer.`);
    return { subject, findings: [finding("unreachable", "refuse", message, hint)] };
  }
}

function finding(code: string, severity: Severity, sentence: string, hint?: string): Finding {
  return { code, severity, sentence, ...(hint === undefined ? {} : { hint }) };
}

async function temporalFindings({ login, namespace }: Platform): Promise<Finding[]> {
  const connection = Connection.lazy({ ...login, connectTimeout: callMsMax });
  try {
    return await connection.withDeadline(Date.now() + callMsMax, async () => {
      const { serverVersion } = await connection.workflowService.getSystemInfo({});
      const old = isOlder(serverVersion ?? "", oldest.temporal);
      const version = old
        ? [
            finding(
              "temporal-version",
              "warn",
              `Temporal ${serverVersion} is older than what Rekey is tested with.`,
              `Upgrade it to ${oldest.temporal.join(".")} or later.`,
            ),
          ]
        : [];
      if (!(await hasNamespace(connection, namespace))) {
        const sentence = `Temporal has no namespace ${namespace}: deploy/temporal-namespace.sh makes it.`;
        return [...version, finding("temporal-namespace", "refuse", sentence)];
      }
      return [...version, ...(await attributeFindings(connection, namespace))];
    });
  } finally {
    await connection.close();
  }
}

async function hasNamespace(connection: Connection, namespace: string): Promise<boolean> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return true;
  } catch (error) {
    if (codeOf(error) === grpc.notFound) return false;
    throw error;
  }
}

/** Without them no rotation starts: Temporal refuses a workflow with an attribute that it does not know. */
async function attributeFindings(connection: Connection, namespace: string): Promise<Finding[]> {
  let present: Readonly<Record<string, unknown>>;
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    present = customAttributes ?? {};
  } catch (error) {
    const code = codeOf(error);
    if (code !== grpc.forbidden && code !== grpc.unimplemented) throw error;
    const names = Object.keys(searchAttributes).join(" and ");
    const sentence = `This login may not list search attributes, so see yourself that there are ${names}.`;
    return [finding("temporal-attributes-unseen", "warn", sentence)];
  }
  return Object.entries(searchAttributes).flatMap(([name, type]) =>
    Number(present[name] ?? 0) === typeNumbers[type]
      ? []
      : [
          finding(
            "temporal-attribute",
            "refuse",
            `Temporal has no search attribute ${name} of the type ${type}: deploy/temporal-namespace.sh makes it.`,
          ),
        ],
  );
}

function codeOf(error: unknown): number | undefined {
  return isGrpcServiceError(error) ? Number(error.code) : undefined;
}

async function inventoryFindings(db: Database): Promise<Finding[]> {
  const { rows } = await read(db, (tx) =>
    tx.execute<{ version: number; table: string | null }>(sql`
      SELECT current_setting('server_version_num')::int AS version, t.relname AS table
      FROM (SELECT 1) AS one LEFT JOIN pg_class t
        ON t.relkind IN ('r', 'p') AND t.relnamespace = to_regnamespace(${schemaName})
       AND NOT (has_table_privilege(t.oid, 'SELECT') AND has_table_privilege(t.oid, 'INSERT')
            AND has_table_privilege(t.oid, 'UPDATE') AND has_table_privilege(t.oid, 'DELETE'))
       AND t.relname <> 'migrations'
      ORDER BY t.relname`),
  );
  const closed = rows.flatMap(({ table }) => table ?? []);
  const version = rows[0]?.version ?? 0;
  return [
    ...(version < oldest.postgres
      ? [
          finding(
            "inventory-version",
            "refuse",
            "The inventory needs PostgreSQL 14 or later.",
            "Upgrade its server; `pg_upgrade` or a dump takes the records along.",
          ),
        ]
      : []),
    ...(closed.length > 0
      ? [
          finding(
            "inventory-rights",
            "refuse",
            `The worker's login may not select, insert, update and delete in ${closed.join(", ")} of the schema ${schemaName}.`,
            `As its owner: grant select, insert, update, delete on all tables in schema ${schemaName} to the login.`,
          ),
        ]
      : []),
  ];
}

async function ownClockFindings({ db, now }: Platform): Promise<Finding[]> {
  const before = now();
  const inventory = await inventoryTime(db);
  return clockFindings({ whose: "This worker's clock", before, inventory, after: now() });
}

function nodeFindings(version: string): Finding[] {
  const sentence = `Node ${version} is too old for the worker; 22.12 or later is needed, 24 is tested with.`;
  const hint = "Start the worker with a newer Node; `make setup` brings one along.";
  return isOlder(version, oldest.node) ? [finding("node-version", "refuse", sentence, hint)] : [];
}

/** A core file is the memory of the process, with every value that it had in hand (I6). */
function coreFindings(limits: string): Finding[] {
  const [, soft = "0"] = /^Max core file size\s+(\S+)/m.exec(limits) ?? [];
  const sentence =
    "A crash of this worker could leave its memory in a core file: start it with `ulimit -c 0`, or LimitCORE=0.";
  return soft === "0" ? [] : [finding("core-files", "warn", sentence)];
}

function isOlder(version: string, [major = 0, minor = 0]: readonly number[]): boolean {
  const [itsMajor = 0, itsMinor = 0] = version.split(".").map((part) => Number.parseInt(part, 10));
  return itsMajor < major || (itsMajor === major && itsMinor < minor);
}

/**
 * Who is connected to a PostgreSQL server right now, as whom, from where and under which name. It needs no SQL of ours on
 * the server, so that it can look before anything is rotated; the text of statements is never read (H40).
 */

import { z } from "zod";
import { socketHost } from "../../domain/discovery/match.js";
import { RekeyError } from "../../domain/errors.js";
import { name } from "../../domain/estate/fields.js";
import type { AdapterDeps, Call, Source, SourceKind } from "../ports.js";
import { resolveLogin } from "../shared/login.js";
import { connectPg, type PgEndpoint, type PgLogin, placeOf } from "../shared/pg.js";
import { type Replication, replicationAt, unlisted } from "../shared/pg-replication.js";
import { endpointsOf, serverFields } from "../shared/pg-server.js";
import type { Said } from "../shared/source-part.js";
import {
  gapFindings,
  loggingInGaps,
  lookUntilKnown,
  type Met,
  sessionsClaims,
  sessionsSource,
} from "../shared/source-sessions.js";

const config = z.strictObject({
  ...serverFields,
  issuer: name().describe(
    "The issuer of the estate that this server is; its accounts are known by their logins.",
  ),
  database: z
    .string()
    .min(1)
    .default("postgres")
    .describe("Any database that the login may connect to; sessions of all of them are seen."),
  // Not a default: a source that was read before there was this setting is read by the same settings.
  receivers: z
    .array(z.string().min(1))
    .optional()
    .describe("Names in pg_stat_replication that receive WAL and accept no logins (pg_receivewal, barman)."),
});

type Config = z.output<typeof config>;

/** The kind's entry in the registry. */
export const postgresActivity: SourceKind<typeof config> = {
  shows: "now",
  sees: "use",
  config,
  create: (settings, deps) => createActivity(settings, deps),
  grants: ({
    login = "rekey_discovery",
  }) => `-- Lets Rekey see who is connected. Run it once, as a DBA, on the primary.
CREATE ROLE "${login.replaceAll('"', '""')}" LOGIN;
GRANT pg_read_all_stats TO "${login.replaceAll('"', '""')}";
-- Then give it a password by \\password, which sends no value in the clear.
`,
};

/** A session. */
interface Row {
  readonly id: string;
  /** Null before it has said as whom it logs in. */
  readonly login: string | null;
  readonly application: string;
  /** An address, or the word for a socket; "" where it is hidden. */
  readonly from: string;
  /** In milliseconds on the server's clock: its age counts on ours, as the two may differ. Null where it is hidden. */
  readonly ageMs: number | null;
  /** The server keeps address and beginning from this login. */
  readonly hidden: boolean;
}

/**
 * Without pg_read_all_stats the rows of others have no type, address or beginning. Those of a database are sessions all the
 * same; what has none then may be one of the server's own workers. Anybody may call themselves rekey/...; only from where we
 * are is that taken for one of ours. Up to 17 whoever logs in has no row at all, and its lock shows it (H4).
 */
const sql = `
  WITH listed AS MATERIALIZED (SELECT * FROM pg_stat_activity)
  SELECT concat_ws(' ', a.pid, a.backend_start) AS id, a.usename::text AS login,
         coalesce(a.application_name, '') AS application, CASE WHEN a.backend_start IS NULL THEN '' ELSE coalesce(host(a.client_addr), '${socketHost}') END AS "from",
         extract(epoch FROM clock_timestamp() - a.backend_start)::float8 * 1000 AS "ageMs",
         a.backend_start IS NULL AS hidden
  FROM listed a
  WHERE a.pid <> pg_backend_pid()
    AND (a.backend_type IN ('client backend', 'walsender') OR a.backend_type IS NULL AND a.datname IS NOT NULL)
    AND NOT (starts_with(a.application_name, 'rekey/')
             AND a.backend_start IS NOT NULL AND a.client_addr IS NOT DISTINCT FROM inet_client_addr())
  UNION ALL
  SELECT l.pid::text, NULL, '', '', NULL, false
  FROM pg_locks l
  WHERE l.locktype = 'virtualxid' AND l.pid IS NOT NULL AND NOT EXISTS (SELECT FROM listed WHERE listed.pid = l.pid)
  ORDER BY 2, 3, 4`;

const rightSql = "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees";

interface Look extends Met<Row> {
  readonly sees: boolean;
  /** Standbys of all the servers, where not all of them are listed; of the first server only. */
  readonly unlisted: readonly string[];
}

/** For how long a standby is asked who receives from it, in milliseconds. */
const standbyMsMax = 4_000;

interface Place {
  readonly name: string;
  readonly endpoint: PgEndpoint;
}

function createActivity(settings: Config, deps: AdapterDeps): Source {
  const places = endpointsOf(settings).map(({ endpoint }) => ({ name: placeOf(endpoint), endpoint }));
  return sessionsSource(places, deps, {
    look: (place, call) =>
      lookAt(place, place === places[0] ? places.slice(1) : null, { settings, deps }, call),
    said: (found, place, at) => saidOf(found, place, settings.issuer, at),
    findings: ({ sees, unlisted: standbys }, place) => [
      ...(sees
        ? []
        : gapFindings(
            "postgres-stats-unreadable",
            [`${hiddenAt(place)}: GRANT pg_read_all_stats to it.`],
            place.name,
          )),
      ...(standbys.length === 0
        ? []
        : gapFindings("postgres-standby-unlisted", [unlistedText(standbys, sees)], place.name)),
    ],
  });
}

interface With {
  readonly settings: Config;
  readonly deps: AdapterDeps;
}

async function lookAt(
  { name: server, endpoint }: Place,
  others: readonly Place[] | null,
  { settings, deps }: With,
  call: Call,
): Promise<Look> {
  const login = { ...(await resolveLogin(settings.login, deps, call)), applicationName: "rekey/discovery" };
  const session = await connectPg(endpoint, login, call);
  try {
    const [right] = await session.query<{ sees: boolean }>(rightSql, [], call);
    const rows = () => session.query<Row>(sql, [], call);
    const met = await lookUntilKnown(rows, ({ login: as }) => as === null, server, call);
    const sees = right?.sees === true;
    if (others === null) return { ...met, sees, unlisted: [] };
    const here = await replicationAt(session, call);
    const nodes = [here, ...(await Promise.all(others.map((other) => replicationOf(other, login, call))))];
    return { ...met, sees, unlisted: unlisted(nodes, settings.receivers ?? []) };
  } finally {
    await session.end();
  }
}

/** A server that does not answer is a gap of its own; here it is taken for a standby that is listed. */
async function replicationOf({ endpoint }: Place, login: PgLogin, call: Call): Promise<Replication> {
  const brief = { signal: AbortSignal.any([call.signal, AbortSignal.timeout(standbyMsMax)]) };
  try {
    const session = await connectPg(endpoint, login, brief);
    try {
      return await replicationAt(session, brief);
    } finally {
      await session.end();
    }
  } catch (failure) {
    if (!(failure instanceof RekeyError)) throw failure;
    return { downstream: [], receiving: true };
  }
}

function unlistedText(standbys: readonly string[], sees: boolean): string {
  const names = standbys.map((name) => (sees ? name : name.slice(0, name.lastIndexOf("@"))));
  return `More standbys receive from it (${names.join(", ")}) than are listed: who is connected at another one is not seen. Add it to \`standbys\`, or to \`receivers\` when it takes no logins.`;
}

function hiddenAt({ name: place }: Place): string {
  return `At ${place} the login does not see from where and since when others are connected`;
}

function saidOf(
  { sessions, loggingIn, sees, unlisted: standbys }: Look,
  place: Place,
  issuer: string,
  at: number,
): Said {
  const hidden = sessions.filter((row) => row.hidden).length;
  const known = sessions.flatMap(({ login, ...row }) => (login === null ? [] : [{ ...row, account: login }]));
  return {
    records: sessions.length + loggingIn.length,
    claims: sessionsClaims(
      known.map(({ account, application, from, ageMs }) => ({
        ...{ account, application, from },
        beganAt: at - Math.max(0, Math.round(ageMs ?? 0)),
      })),
      { record: `pg_stat_activity of ${place.name}`, issuer, server: place.name, at },
    ),
    gaps: [
      ...(sees
        ? []
        : [
            `${hiddenAt(place)}, ${hidden} of them now; it lacks pg_read_all_stats, and some may not be seen at all.`,
          ]),
      ...(standbys.length === 0 ? [] : [`${place.name}: ${unlistedText(standbys, sees)}`]),
      ...loggingInGaps(loggingIn.length, place.name),
    ],
  };
}

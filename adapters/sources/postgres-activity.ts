/**
 * Who is connected to a PostgreSQL server right now, as whom, from where and under which name. It needs no SQL of ours on
 * the server, so that it can look before anything is rotated; the text of statements is never read (H40).
 */

import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Claim } from "../../domain/discovery/said.js";
import { RekeyError } from "../../domain/errors.js";
import { name } from "../../domain/estate/fields.js";
import type { AdapterDeps, Call, Source, SourceKind } from "../ports.js";
import { resolveLogin } from "../shared/login.js";
import { connectPg, type PgEndpoint, type PgLogin, placeOf } from "../shared/pg.js";
import { type Replication, replicationAt, unlisted } from "../shared/pg-replication.js";
import { endpointsOf, serverFields } from "../shared/pg-server.js";
import type { Said } from "../shared/source-part.js";
import { gapFindings, sessionsClaim, sessionsSource } from "../shared/source-sessions.js";

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

/** Sessions of one login under one name from one address, as the server groups them. Ages in milliseconds on its clock. */
interface Row {
  readonly login: string | null;
  readonly application: string;
  /** Null over a socket of the server's machine, and where it is hidden. */
  readonly address: string | null;
  readonly sessions: number;
  readonly oldestMs: number | null;
  readonly youngestMs: number | null;
  /** The server keeps address and beginning from this login. */
  readonly hidden: boolean;
}

/**
 * Without pg_read_all_stats the rows of others have no type, address or beginning. Those of a database are sessions all the
 * same; what has none then may be one of the server's own workers. Anybody may call themselves rekey/...; only from where we
 * are is that taken for one of ours.
 */
const sql = `
  SELECT a.usename::text AS login, coalesce(a.application_name, '') AS application, host(a.client_addr) AS address,
         count(*)::int AS sessions, a.backend_start IS NULL AS hidden,
         extract(epoch FROM clock_timestamp() - min(a.backend_start))::float8 * 1000 AS "oldestMs",
         extract(epoch FROM clock_timestamp() - max(a.backend_start))::float8 * 1000 AS "youngestMs"
  FROM pg_stat_activity a
  WHERE a.pid <> pg_backend_pid()
    AND (a.backend_type IN ('client backend', 'walsender') OR a.backend_type IS NULL AND a.datname IS NOT NULL)
    AND NOT (starts_with(a.application_name, 'rekey/')
             AND a.backend_start IS NOT NULL AND a.client_addr IS NOT DISTINCT FROM inet_client_addr())
  GROUP BY 1, 2, 3, 5
  ORDER BY 1, 2, 3`;

const rightSql = "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees";

interface Look {
  readonly rows: readonly Row[];
  readonly sees: boolean;
  /** Standbys of all the servers, where not all of them are listed; of the first server only. */
  readonly unlisted: readonly string[];
}

/** A login takes milliseconds; so often, and so far apart, it is looked again for whoever had not said yet as whom. */
const looksMax = 8;
const lookAgainMs = 250;

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
  { endpoint }: Place,
  others: readonly Place[] | null,
  { settings, deps }: With,
  call: Call,
): Promise<Look> {
  const login = { ...(await resolveLogin(settings.login, deps, call)), applicationName: "rekey/discovery" };
  const session = await connectPg(endpoint, login, call);
  try {
    const [right] = await session.query<{ sees: boolean }>(rightSql, [], call);
    const rows = await rowsOf(() => session.query<Row>(sql, [], call), deps.now, call);
    const sees = right?.sees === true;
    if (others === null) return { rows, sees, unlisted: [] };
    const here = await replicationAt(session, call);
    const nodes = [here, ...(await Promise.all(others.map((other) => replicationOf(other, login, call))))];
    return { rows, sees, unlisted: unlisted(nodes, settings.receivers ?? []) };
  } finally {
    await session.end();
  }
}

/**
 * The sessions of a look. Of whoever is about to log in nobody can say yet as whom, and a busy server always has some of them: it is
 * looked again, until all who were there at first have said it or are gone. Who came since is the next reading's.
 */
async function rowsOf(ask: () => Promise<readonly Row[]>, now: () => number, call: Call): Promise<Row[]> {
  const from = now();
  let elapsedMs = 0;
  let last = await ask();
  let named = last.filter(({ login }) => login !== null);
  const open = () =>
    last.filter(({ login, oldestMs }) => login === null && (oldestMs === null || oldestMs >= elapsedMs));
  for (let look = 0; look < looksMax && open().length > 0; look++) {
    await sleep(lookAgainMs, undefined, { signal: call.signal });
    elapsedMs = now() - from;
    last = await ask();
    named = together(
      named,
      last.filter(({ login }) => login !== null),
    );
  }
  return [...open(), ...named];
}

/** Everybody whom either look has seen. */
function together(before: readonly Row[], after: readonly Row[]): Row[] {
  const keyOf = ({ login, application, address, hidden }: Row) =>
    JSON.stringify([login, application, address, hidden]);
  const merged = new Map(before.map((row) => [keyOf(row), row]));
  for (const row of after) {
    const same = merged.get(keyOf(row));
    const sessions = Math.max(row.sessions, same?.sessions ?? 0);
    merged.set(keyOf(row), { ...(same ?? row), sessions, oldestMs: row.oldestMs ?? same?.oldestMs ?? null });
  }
  return [...merged.values()];
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

function saidOf({ rows, sees, unlisted: standbys }: Look, place: Place, issuer: string, at: number): Said {
  const unnamed = rows.filter(({ login }) => login === null).reduce((sum, { sessions }) => sum + sessions, 0);
  const hidden = rows.filter((row) => row.hidden).reduce((sum, { sessions }) => sum + sessions, 0);
  return {
    records: rows.reduce((sum, { sessions }) => sum + sessions, 0),
    claims: rows.flatMap((row) => claimOf(row, place, issuer, at)),
    gaps: [
      ...(sees
        ? []
        : [
            `${hiddenAt(place)}, ${hidden} of them now; it lacks pg_read_all_stats, and some may not be seen at all.`,
          ]),
      ...(standbys.length === 0 ? [] : [`${place.name}: ${unlistedText(standbys, sees)}`]),
      ...(unnamed === 0
        ? []
        : [`At ${place.name} ${unnamed} sessions had not said yet as whom they log in.`]),
    ],
  };
}

function claimOf(row: Row, place: Place, issuer: string, at: number): Claim[] {
  const { login, application, address, sessions } = row;
  if (login === null) return [];
  return [
    sessionsClaim({
      ...{ record: `pg_stat_activity of ${place.name}`, issuer, account: login, application, address },
      where: row.hidden ? "an address that is hidden" : (address ?? "a socket of the server's machine"),
      server: place.name,
      // The server's ages on our clock: the two clocks may differ.
      seen: { first: at - Math.max(0, Math.round(row.oldestMs ?? 0)), last: at, count: sessions },
    }),
  ];
}

/**
 * What a consumer of a PostgreSQL login holds, seen from the server: who is connected as which login of the
 * pair, by the name that it gives itself or, for a pooler with a login of its own, by where it connects from. It only
 * looks; the text of statements is never read (H40).
 */
import { isIP } from "node:net";
import { z } from "zod";
import { socketHost } from "../../domain/discovery/match.js";
import { RekeyError } from "../../domain/errors.js";
import { parseTag } from "../../domain/fence.js";
import type { Finding } from "../../domain/finding.js";
import type {
  AdapterDeps,
  Call,
  Candidate,
  Consumer,
  ConsumerKind,
  InstanceSeen,
  ObserveRequest,
} from "../ports.js";
import { Nodes } from "../shared/pg-nodes.js";
import { applicationName, serverFields } from "../shared/pg-server.js";

const addressExpectation = `expected IP addresses, or ${socketHost} for a socket of the server`;

const configSchema = z
  .object({
    ...serverFields,
    applicationName: applicationName().optional(),
    addresses: z
      .array(
        z.string().refine((text) => text === socketHost || isIP(text) !== 0, { error: addressExpectation }),
      )
      .min(1)
      .optional()
      .describe(
        "In its place, for a pooler with a login of its own: where each of its instances connects from, whatever name its sessions bear.",
      ),
  })
  .refine(({ applicationName: name, addresses }) => (name === undefined) !== (addresses === undefined), {
    error: "expected either applicationName or addresses",
  });

type SessionsConfig = z.output<typeof configSchema>;

/** The kind's entry in the registry. */
export const postgresSessions: ConsumerKind<typeof configSchema> = {
  config: configSchema,
  create: (config, deps) => new PostgresSessions(config, deps),
};

/** Sessions of one application from one address as one login. */
interface Seen {
  readonly login: string;
  readonly application: string;
  readonly address: string;
  readonly sessions: number;
  /** How many have run a statement since they logged in: a pool that only connected has not worked (H39). */
  readonly worked: number;
  /** Text of the tag on the login, which names the version that lives in it. */
  readonly tag: string;
}

const seenSql = `
  SELECT usename::text AS login, application_name AS application, coalesce(host(client_addr), '${socketHost}') AS address,
         coalesce(shobj_description(usesysid, 'pg_authid'), '') AS tag, count(*)::int AS sessions,
         count(*) FILTER (WHERE query_start IS NOT NULL AND state IN ('active', 'idle', 'idle in transaction'))::int AS worked
  FROM pg_stat_activity
  WHERE usename IS NOT NULL
    AND CASE
      WHEN $3::text[] IS NOT NULL THEN coalesce(host(client_addr), '${socketHost}') = ANY ($3)
        -- Anybody may call themselves rekey/...; only from where we are is that taken for a probe of ours.
        AND NOT (starts_with(application_name, 'rekey/') AND client_addr IS NOT DISTINCT FROM inet_client_addr())
      WHEN $2 THEN starts_with(application_name, $1)
      ELSE application_name = $1
    END
  GROUP BY 1, 2, 3, 4`;

const rightSql = "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees";

class PostgresSessions implements Consumer {
  readonly #config: SessionsConfig;
  readonly #nodes: Nodes;

  constructor(config: SessionsConfig, deps: AdapterDeps) {
    this.#config = config;
    this.#nodes = new Nodes(config, deps);
  }

  async preflight(call: Call): Promise<Finding[]> {
    if (await this.#sees(call)) return [];
    return [
      {
        code: "postgres-stats-unreadable",
        severity: "refuse",
        subject: this.#config.applicationName ?? this.#config.addresses?.join(", ") ?? "",
        sentence: "The engine's login cannot see others' sessions: GRANT pg_read_all_stats to its group.",
      },
    ];
  }

  /** One entry for each pair of application name and address, or for each address that the estate names. Throws `not-permitted` where sessions are hidden from the engine (H21). */
  async observe(request: ObserveRequest, call: Call): Promise<InstanceSeen[]> {
    if (!(await this.#sees(call))) {
      throw new RekeyError(
        "not-permitted",
        "The engine's login lacks pg_read_all_stats, so nothing seen means nothing.",
      );
    }
    const { applicationName: text = "", addresses } = this.#config;
    const prefix = text.endsWith("*");
    const asked = [prefix ? text.slice(0, -1) : text, prefix, addresses ?? null];
    const seen = await Promise.all(
      this.#nodes.all.map((node) =>
        this.#nodes.read(node, call, ({ session }) => session.query<Seen>(seenSql, asked, call)),
      ),
    );
    return instancesOf(seen.flat(), addresses, request.candidates);
  }

  close(): Promise<void> {
    return this.#nodes.close();
  }

  async #sees(call: Call): Promise<boolean> {
    const rows = await Promise.all(
      this.#nodes.all.map((node) =>
        this.#nodes.read(node, call, ({ session }) => session.query<{ sees: boolean }>(rightSql, [], call)),
      ),
    );
    return rows.flat().every(({ sees }) => sees);
  }
}

/**
 * A pooler that has no connection at the moment is listed all the same: with whatever login it opens the next one
 * nobody has seen, and that may be the old one.
 */
function instancesOf(
  seen: readonly Seen[],
  addresses: readonly string[] | undefined,
  candidates: readonly Candidate[],
): InstanceSeen[] {
  const byInstance = new Map<string, Seen[]>((addresses ?? []).map((address) => [address, []]));
  for (const group of seen) {
    const instance = addresses === undefined ? `${group.application}@${group.address}` : group.address;
    byInstance.set(instance, [...(byInstance.get(instance) ?? []), group]);
  }
  return [...byInstance]
    .map(([instance, groups]) => instanceOf(instance, groups, candidates))
    .sort((a, b) => (a.instance < b.instance ? -1 : 1));
}

/**
 * An instance that still holds sessions of two logins of the pair has not moved: several processes may share
 * its name and address (H10). Sessions of logins that have no part in this are not its answer.
 */
function instanceOf(
  instance: string,
  groups: readonly Seen[],
  candidates: readonly Candidate[],
): InstanceSeen {
  const mine = groups.filter(({ login }) => candidates.some(({ slot }) => slot === login));
  const logins = [...new Set(mine.map(({ login }) => login))].sort();
  const [login] = logins;
  if (login === undefined) {
    const sentence =
      groups.length === 0 ? "It is not connected." : "It is connected, as none of the pair's logins.";
    return { instance, version: null, working: false, sentence };
  }
  const working = mine.some(({ worked }) => worked > 0);
  if (logins.length > 1) {
    const sentence = `It holds sessions of ${logins.join(" and of ")} at once.`;
    return { instance, version: null, working, sentence };
  }
  const sessions = mine.reduce((sum, group) => sum + group.sessions, 0);
  const doing = working ? "which do work" : "none of which has run anything yet";
  const sentence = `It holds ${sessions} ${sessions === 1 ? "session" : "sessions"} as ${login}, ${doing}.`;
  return { instance, version: versionOf(login, mine[0]?.tag ?? "", candidates), working, sentence };
}

/** Who is connected tells the login; the login's tag tells which of several versions in the same slot it is. */
function versionOf(login: string, tag: string, candidates: readonly Candidate[]): string | null {
  const versions = candidates.filter(({ slot }) => slot === login).map(({ version }) => version);
  const tagged = parseTag(tag)?.version;
  if (tagged !== undefined && versions.includes(tagged)) return tagged;
  return versions.length === 1 ? (versions[0] ?? null) : null;
}

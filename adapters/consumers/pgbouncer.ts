/**
 * The consumers behind PgBouncer, seen from its console: who is connected to it, under which name, from where and as
 * which login of the pair. At the server all of them have the pooler's address. It only looks.
 */

import { z } from "zod";
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
import { resolveLogin } from "../shared/login.js";
import { connectPg, type PgEndpoint } from "../shared/pg.js";
import { applicationName, serverFields } from "../shared/pg-server.js";

/** The database that stands for the console. */
const consoleName = "pgbouncer";

const configSchema = z.object({
  poolers: z
    .array(
      z.strictObject({
        host: serverFields.host,
        port: z.int().min(1).max(65_535).default(6432).describe("Its port."),
      }),
    )
    .min(1)
    .describe("Every pooler that the consumer may be connected to."),
  database: z.string().min(1).describe("The database as its clients name it."),
  tls: serverFields.tls,
  login: z
    .strictObject({
      username: serverFields.login.shape.username,
      password: serverFields.login.shape.password,
    })
    .describe("A login of the console, listed in stats_users; both are read anew at each look."),
  applicationName: applicationName(),
});

type PoolerConfig = z.output<typeof configSchema>;

/** The kind's entry in the registry. */
export const pgbouncer: ConsumerKind<typeof configSchema> = {
  config: configSchema,
  create: (config, deps) => new PgBouncerClients(config, deps),
};

/** A row of SHOW CLIENTS, as far as it is read. Times are whole seconds, as texts that sort. */
interface Client {
  readonly user: string;
  readonly database: string;
  readonly addr: string;
  readonly application_name: string | null;
  readonly connect_time: string;
  readonly request_time: string;
  /** The server's connection that it has at the moment, `""` for none. */
  readonly link: string;
}

/** What one pooler tells of a client, and how long it lets a client log in. */
interface Seen extends Client {
  readonly loginSecondsMax: number;
}

/** A row of SHOW CONFIG. */
interface Setting {
  readonly key: string;
  readonly value: string;
}

class PgBouncerClients implements Consumer {
  readonly #config: PoolerConfig;
  readonly #deps: AdapterDeps;

  constructor(config: PoolerConfig, deps: AdapterDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  /** Clients without a name can be matched with nobody, and neither can their sessions at the server. */
  async preflight(call: Call): Promise<Finding[]> {
    const unnamed = (await this.#clients(call)).filter((client) => nameOf(client) === "");
    if (unnamed.length === 0) return [];
    const addresses = [...new Set(unnamed.map(({ addr }) => addr))].sort().join(", ");
    return [
      {
        code: "pgbouncer-clients-unnamed",
        severity: "warn",
        subject: this.#config.database,
        sentence: `Clients without an application_name are connected to the pooler from ${addresses}: nobody can tell whose they are.`,
      },
    ];
  }

  /** One entry for each pair of application name and address, over all poolers; one that does not answer is an error. */
  async observe(request: ObserveRequest, call: Call): Promise<InstanceSeen[]> {
    const { applicationName } = this.#config;
    const isMine = applicationName.endsWith("*")
      ? (name: string) => name.startsWith(applicationName.slice(0, -1))
      : (name: string) => name === applicationName;
    const byInstance = new Map<string, Seen[]>();
    for (const client of await this.#clients(call)) {
      if (!isMine(nameOf(client))) continue;
      const instance = `${nameOf(client)}@${client.addr}`;
      byInstance.set(instance, [...(byInstance.get(instance) ?? []), client]);
    }
    return [...byInstance]
      .map(([instance, clients]) => instanceOf(instance, clients, request.candidates))
      .sort((a, b) => (a.instance < b.instance ? -1 : 1));
  }

  async close(): Promise<void> {
    // A look keeps nothing open.
  }

  async #clients(call: Call): Promise<Seen[]> {
    const { poolers, tls, database } = this.#config;
    const listings = await Promise.all(
      poolers.map((at) => this.#listing({ ...at, database: consoleName, tls, pooler: true }, call)),
    );
    return listings.flat().filter((client) => client.database === database);
  }

  async #listing(at: PgEndpoint, call: Call): Promise<Seen[]> {
    const found = await resolveLogin(this.#config.login, this.#deps, call);
    const login = { ...found, applicationName: "rekey/probe/console" };
    const session = await connectPg(at, login, call);
    try {
      const clients = await session.show<Client>("SHOW CLIENTS", call);
      const settings = await session.show<Setting>("SHOW CONFIG", call);
      const loginSecondsMax = loginSecondsOf(settings);
      return clients.map((client) => ({ ...client, loginSecondsMax }));
    } finally {
      await session.end();
    }
  }
}

function nameOf({ application_name: name }: Client): string {
  return name ?? "";
}

/** As with sessions at the server: who is connected as two logins of the pair has not moved (H10). */
function instanceOf(
  instance: string,
  clients: readonly Seen[],
  candidates: readonly Candidate[],
): InstanceSeen {
  const mine = clients.filter(({ user }) => candidates.some(({ slot }) => slot === user));
  const logins = [...new Set(mine.map(({ user }) => user))].sort();
  const [login] = logins;
  if (login === undefined) {
    const sentence = "It is connected to the pooler, as none of the pair's logins.";
    return { instance, version: null, working: false, sentence };
  }
  const working = mine.some(works);
  if (logins.length > 1) {
    const sentence = `It is connected to the pooler as ${logins.join(" and as ")} at once.`;
    return { instance, version: null, working, sentence };
  }
  const versions = candidates.filter(({ slot }) => slot === login).map(({ version }) => version);
  const doing = working ? "and gets answers from the server" : "and has asked for nothing since it logged in";
  const connections = `${mine.length} ${mine.length === 1 ? "connection" : "connections"}`;
  const sentence = `It has ${connections} to the pooler as ${login}, ${doing}.`;
  // Which of two versions of one login a client came with, a pooler does not tell.
  return { instance, version: versions.length === 1 ? (versions[0] ?? null) : null, working, sentence };
}

/**
 * It has a connection of the server now, or asked for something when it cannot have been logging in any more (H39). A
 * pooler also counts what a client says to log in as a request, so two times that differ are no sign yet.
 */
function works({ link, connect_time: connected, request_time: asked, loginSecondsMax }: Seen): boolean {
  return link !== "" || secondsBetween(connected, asked) > loginSecondsMax;
}

/**
 * Between two times as one pooler writes them: `2026-01-31 09:00:00 CET`, in its own zone. Where the zone changed
 * between them an hour less is told, so that the change of the clocks never counts as a question.
 */
function secondsBetween(from: string, to: string): number {
  const changed = zoneOf(from) === zoneOf(to) ? 0 : 3600;
  return (wallClockMs(to) - wallClockMs(from)) / 1000 - changed;
}

const zoneAt = "2026-01-31 09:00:00 ".length;

function zoneOf(time: string): string {
  return time.slice(zoneAt);
}

function wallClockMs(time: string): number {
  return Date.parse(`${time.slice(0, zoneAt).trim().replace(" ", "T")}Z`);
}

/**
 * How far apart the two times of a client can be that has only logged in: the time that it may take, the second in
 * which a pooler looks for those who take longer, and the part of a second that the times leave out. Without a limit,
 * or where it is not told, nothing is far enough.
 */
function loginSecondsOf(settings: readonly Setting[]): number {
  const limit = Number(settings.find(({ key }) => key === "client_login_timeout")?.value ?? 0);
  return limit > 0 ? limit + 2 : Number.POSITIVE_INFINITY;
}

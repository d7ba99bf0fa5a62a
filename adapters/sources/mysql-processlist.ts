/** Who is connected to a MySQL or MariaDB server right now: as which user and from where. The text of statements is never read (H40). */

import { isIP } from "node:net";
import { z } from "zod";
import type { Claim } from "../../domain/discovery/said.js";
import { RekeyError } from "../../domain/errors.js";
import { name } from "../../domain/estate/fields.js";
import { secretRef } from "../../domain/estate/secret-ref.js";
import type { AdapterDeps, Call, Source, SourceKind } from "../ports.js";
import { tlsMaterial, tlsSchema } from "../shared/http.js";
import { resolveLogin } from "../shared/login.js";
import { connectMysql, type MysqlSession } from "../shared/mysql.js";
import type { Said } from "../shared/source-part.js";
import { gapFindings, sessionsClaim, sessionsSource } from "../shared/source-sessions.js";

const config = z.strictObject({
  nodes: z
    .array(
      z.strictObject({
        host: z.string().min(1).describe("Name or address of the server."),
        port: z.int().min(1).max(65_535).default(3306).describe("Port of the server."),
      }),
    )
    .min(1)
    .describe("Every server that lets the users in: primaries and replicas."),
  issuer: name().describe("The issuer of the estate that these servers are; its accounts are its users."),
  tls: tlsSchema()
    .optional()
    .describe("TLS towards all servers; without it the connection is not encrypted."),
  login: z
    .strictObject({
      username: z.string().min(1).describe("The engine's own user: its name, or a reference to it."),
      password: secretRef().describe("Reference to its password."),
    })
    .describe("As whom the engine connects; both are read anew at each connect."),
});

type Config = z.output<typeof config>;

/** The kind's entry in the registry. */
export const mysqlProcesslist: SourceKind<typeof config> = {
  shows: "now",
  sees: "use",
  config,
  create: (settings, deps) => createProcesslist(settings, deps),
  grants: () => `-- Lets Rekey see who is connected. Run it once, as a DBA, with a password of your own.
CREATE USER rekey_discovery@'%' IDENTIFIED BY '<password>';
GRANT PROCESS ON *.* TO rekey_discovery@'%';
GRANT SELECT ON performance_schema.session_connect_attrs TO rekey_discovery@'%';
`,
};

/** Threads of the server itself. */
const ofTheServer = new Set(["system user", "event_scheduler"]);
const notYetIn = "unauthenticated user";

const sessionsSql = `SELECT ID AS id, USER AS user, HOST AS host, ID = CONNECTION_ID() AS own FROM information_schema.PROCESSLIST`;
const namesSql = `SELECT PROCESSLIST_ID AS id, ATTR_VALUE AS name FROM performance_schema.session_connect_attrs WHERE ATTR_NAME = 'program_name'`;
/** Whoever may read the tables of rights sees everybody's, so the name is compared. */
const rightSql = `
  SELECT COUNT(*) AS sees FROM information_schema.USER_PRIVILEGES
  WHERE PRIVILEGE_TYPE = 'PROCESS' AND REPLACE(GRANTEE, '''', '') = CURRENT_USER()`;

interface Session {
  readonly user: string;
  readonly address: string;
  readonly program: string;
}

interface Look {
  readonly sessions: readonly Session[];
  readonly gaps: readonly string[];
}

interface Node {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

function createProcesslist(settings: Config, deps: AdapterDeps): Source {
  const nodes = settings.nodes.map((node): Node => ({ ...node, name: `${node.host}:${node.port}` }));
  return sessionsSource(nodes, deps, {
    look: (node, call) => lookAt(node, settings, deps, call),
    said: (found, node, at) => saidOf(found, node, settings.issuer, at),
    findings: ({ gaps }, node) => gapFindings("mysql-sessions-incomplete", gaps, node.name),
  });
}

async function lookAt(node: Node, settings: Config, deps: AdapterDeps, call: Call): Promise<Look> {
  const [{ username: user, password }, tls] = await Promise.all([
    resolveLogin(settings.login, deps, call),
    settings.tls === undefined ? null : tlsMaterial(settings.tls, deps, call),
  ]);
  const { host, port } = node;
  const login = { username: user, password, name: "rekey/discovery" };
  const session = await connectMysql({ host, port, tls }, login, call);
  try {
    const [right] = await session.query<{ sees: number | string }>(rightSql, call);
    const names = await namesAt(session, call);
    const rows = await session.query<{ id: number; user: string; host: string; own: number }>(
      sessionsSql,
      call,
    );
    const ownHost = hostOf(rows.find(({ own }) => own === 1)?.host ?? "");
    const others = rows.filter((row) => {
      // The engine's own, by its user and where it is.
      const isOurs = row.own === 1 || (row.user === user && hostOf(row.host) === ownHost);
      return !isOurs && !ofTheServer.has(row.user) && row.user !== notYetIn;
    });
    const unnamed = rows.filter((row) => row.user === notYetIn).length;
    const sees = Number(right?.sees ?? 0) > 0;
    return {
      sessions: others.map((row) => ({
        user: row.user,
        address: hostOf(row.host),
        program: names?.get(row.id) ?? "",
      })),
      gaps: [
        ...(sees
          ? []
          : [`At ${node.name} the login sees no sessions but its own: it lacks the right PROCESS.`]),
        ...(names === null
          ? [`At ${node.name} the login does not see the names that programs give themselves.`]
          : []),
        ...(unnamed === 0
          ? []
          : [`At ${node.name} ${unnamed} sessions had not said yet as whom they log in.`]),
      ],
    };
  } finally {
    session.destroy();
  }
}

/** What programs call themselves, by session; null where the login may not see it. Empty where the server does not keep it. */
async function namesAt(session: MysqlSession, call: Call): Promise<ReadonlyMap<number, string> | null> {
  try {
    const rows = await session.query<{ id: number; name: string | null }>(namesSql, call);
    return new Map(rows.map(({ id, name: program }) => [Number(id), program ?? ""]));
  } catch (error) {
    if (error instanceof RekeyError && error.code === "not-permitted") return null;
    throw error;
  }
}

/** Without the port: `10.0.4.7:53412`, `localhost`, a name where the server looks names up, `2001:db8::1:53412`. */
function hostOf(text: string): string {
  const colon = text.lastIndexOf(":");
  return colon === -1 ? text : text.slice(0, colon).replace(/^\[|\]$/g, "");
}

function saidOf({ sessions, gaps }: Look, node: Node, issuer: string, at: number): Said {
  const groups = Map.groupBy(sessions, ({ user, address, program }) =>
    JSON.stringify([user, program, address]),
  );
  return {
    records: sessions.length,
    claims: [...groups.values()].flatMap((group) => claimOf(group, node, issuer, at)),
    gaps,
  };
}

function claimOf(group: readonly Session[], node: Node, issuer: string, at: number): Claim[] {
  const [first] = group;
  if (first === undefined) return [];
  const { user, address, program } = first;
  const isLocal = address === "localhost" || address === "";
  return [
    sessionsClaim({
      ...{ record: `processlist of ${node.name}`, issuer, account: user, application: program },
      address: isIP(address) === 0 ? null : address,
      where: isLocal ? "a socket of the server's machine" : address,
      server: node.name,
      // The server tells since when a session does what it does now, and not since when it is there.
      seen: { first: at, last: at, count: group.length },
    }),
  ];
}

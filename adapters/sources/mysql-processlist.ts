/** Who is connected to a MySQL or MariaDB server right now: as which user and from where. The text of statements is never read (H40). */

import { z } from "zod";
import { socketHost } from "../../domain/discovery/match.js";
import { RekeyError } from "../../domain/errors.js";
import { name } from "../../domain/estate/fields.js";
import { secretRef } from "../../domain/estate/secret-ref.js";
import type { AdapterDeps, Call, Source, SourceKind } from "../ports.js";
import { tlsMaterial, tlsSchema } from "../shared/http.js";
import { resolveLogin } from "../shared/login.js";
import { connectMysql, type MysqlSession } from "../shared/mysql.js";
import type { Said } from "../shared/source-part.js";
import {
  gapFindings,
  loggingInGaps,
  lookUntilKnown,
  type Session,
  sessionsClaims,
  sessionsSource,
} from "../shared/source-sessions.js";

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

const sessionsSql = `SELECT CAST(ID AS CHAR) AS id, USER AS user, HOST AS host, ID = CONNECTION_ID() AS own FROM information_schema.PROCESSLIST`;
const namesSql = `SELECT CAST(PROCESSLIST_ID AS CHAR) AS id, ATTR_VALUE AS name FROM performance_schema.session_connect_attrs WHERE ATTR_NAME = 'program_name'`;
/** Whoever may read the tables of rights sees everybody's, so the name is compared. */
const rightSql = `
  SELECT COUNT(*) AS sees FROM information_schema.USER_PRIVILEGES
  WHERE PRIVILEGE_TYPE = 'PROCESS' AND REPLACE(GRANTEE, '''', '') = CURRENT_USER()`;

interface Row {
  readonly id: string;
  readonly user: string;
  readonly host: string;
  readonly own: number;
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
    const names = new Map<string, string>();
    let seesNames = await addNames(names, session, call);
    const rows = async () => {
      const found = await session.query<Row>(sessionsSql, call);
      // Once more, for those who have come since.
      seesNames = await addNames(names, session, call);
      return found.filter(({ user: as }) => !ofTheServer.has(as));
    };
    const met = await lookUntilKnown(rows, ({ user: as }) => as === notYetIn, node.name, call);
    const ownHost = hostOf(met.sessions.find(({ own }) => own === 1)?.host ?? "");
    const sees = Number(right?.sees ?? 0) > 0;
    return {
      sessions: met.sessions.flatMap((row): Session[] => {
        // The engine's own, by its user and where it is.
        const isOurs = row.own === 1 || (row.user === user && hostOf(row.host) === ownHost);
        return isOurs ? [] : [sessionOf(row, names.get(row.id) ?? "")];
      }),
      gaps: [
        ...(sees
          ? []
          : [`At ${node.name} the login sees no sessions but its own: it lacks the right PROCESS.`]),
        ...(seesNames
          ? []
          : [`At ${node.name} the login does not see the names that programs give themselves.`]),
        ...loggingInGaps(met.loggingIn.length, node.name),
      ],
    };
  } finally {
    session.destroy();
  }
}

/** Adds what programs call themselves, by session; nothing where the server does not keep it. False where the login may not see it. */
async function addNames(names: Map<string, string>, session: MysqlSession, call: Call): Promise<boolean> {
  try {
    const rows = await session.query<{ id: string; name: string | null }>(namesSql, call);
    for (const { id, name: program } of rows) names.set(id, program ?? "");
    return true;
  } catch (error) {
    if (error instanceof RekeyError && error.code === "not-permitted") return false;
    throw error;
  }
}

/** Without the port: `10.0.4.7:53412`, `localhost`, a name where the server looks names up, `2001:db8::1:53412`. */
function hostOf(text: string): string {
  const colon = text.lastIndexOf(":");
  return colon === -1 ? text : text.slice(0, colon).replace(/^\[|\]$/g, "");
}

function saidOf({ sessions, gaps }: Look, node: Node, issuer: string, at: number): Said {
  const seen = { record: `processlist of ${node.name}`, issuer, server: node.name, at };
  return { records: sessions.length, claims: sessionsClaims(sessions, seen), gaps };
}

/** The server tells since when a session does what it does now, and not since when it is there. */
function sessionOf({ user, host }: Row, application: string): Session {
  // The name alone is a socket; with a port it is the loopback address, which the server has looked up.
  return { account: user, application, from: host === "localhost" ? socketHost : hostOf(host) };
}

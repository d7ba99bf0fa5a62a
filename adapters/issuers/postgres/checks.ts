/**
 * The named checks of preflight, purely over facts: what stands in the way of a safe rotation on this server,
 * each with the mend in its sentence. The page docs/kinds/postgres.md explains every code.
 */

import type { Finding, Severity } from "../../../domain/finding.js";
import { unlisted } from "../../shared/pg-replication.js";
import { compareLogins } from "./compare.js";
import type { PostgresAccount, PostgresConfig } from "./config.js";
import type { PreflightFacts, RoleFacts } from "./facts.js";
import { applySourceMd5 } from "./functions.js";
import { ident } from "./sql-text.js";
import { roleSettingOf, versionText } from "./versions.js";

/** Shorter than this, VALID UNTIL would end the new login while it is in use: 30 days in milliseconds. */
const validMsMin = 30 * 86_400_000;

/** Every finding about this account, in the order in which it is best mended. */
export function checkFacts(
  facts: PreflightFacts,
  config: PostgresConfig,
  account: PostgresAccount,
): Finding[] {
  return [
    ...versionChecks(facts),
    ...engineChecks(facts),
    ...networkChecks(facts, config, account),
    ...account.logins.flatMap((login) => loginChecks(facts, account, login)),
    ...pairChecks(facts, account),
  ];
}

function finding(code: string, severity: Severity, subject: string, sentence: string): Finding {
  return { code: `postgres-${code}`, severity, sentence, subject };
}

function versionChecks({ nodes }: PreflightFacts): Finding[] {
  return nodes.flatMap(({ node, versionNum }) => {
    const support = roleSettingOf(versionNum);
    if (support === "applied") return [];
    const sentence = `PostgreSQL ${versionText(versionNum)} ${versionFaults[support]}`;
    return [finding(`version-${support}-role`, "refuse", node, sentence)];
  });
}

const versionFaults = {
  ignores:
    "ignores ALTER ROLE ... SET role without a warning, so ownership would split; update to the next minor release.",
  forgets:
    "drops ALTER ROLE ... SET role at DISCARD ALL, which poolers send; update to the latest minor release.",
  lacks: "is not supported; 14 or later is.",
};

function engineChecks({ server }: PreflightFacts): Finding[] {
  const { engine } = server;
  const found: Finding[] = [];
  const refuse = (code: string, sentence: string) => found.push(finding(code, "refuse", engine, sentence));
  if (server.superuser) {
    refuse(
      "engine-superuser",
      `${engine} is a superuser; use the login that \`rekey grants postgres\` makes.`,
    );
  } else if (server.createrole && server.versionNum < 160_000) {
    refuse(
      "engine-createrole",
      `${engine} has CREATEROLE, which before 16 amounts to the whole server: ALTER ROLE ${ident(engine)} NOCREATEROLE.`,
    );
  } else if (server.createrole) {
    found.push(
      finding(
        "engine-createrole",
        "warn",
        engine,
        `${engine} has CREATEROLE and does not need it: ALTER ROLE ${ident(engine)} NOCREATEROLE.`,
      ),
    );
  }
  if (!server.readsStats)
    refuse(
      "stats-unreadable",
      `${engine} cannot see others' sessions: GRANT pg_read_all_stats to its group.`,
    );
  if (!server.signals)
    refuse("cannot-end-sessions", `${engine} cannot end sessions: GRANT pg_signal_backend to its group.`);
  if (!server.marked)
    refuse("marker-missing", "rekey.marker is empty: run the SQL of `rekey grants postgres` again.");
  if (server.applyMd5 === null || !server.applyAllowed)
    refuse(
      "function-missing",
      `${engine} cannot call rekey.apply: run the SQL of \`rekey grants postgres\` again.`,
    );
  else if (server.applyMd5 !== applySourceMd5)
    refuse(
      "function-differs",
      "rekey.apply is not this release's: run the SQL of `rekey grants postgres` again.",
    );
  if (server.applyOwned)
    refuse(
      "function-owned",
      `${engine} could replace rekey.apply: give the function to a role it is no member of.`,
    );
  if (server.applyOwner !== null && !server.ownerAlters)
    found.push(
      finding(
        "owner-cannot-alter",
        "refuse",
        server.applyOwner,
        `${server.applyOwner} owns rekey.apply and may alter no role, so every change would fail: ALTER ROLE ${ident(server.applyOwner)} CREATEROLE.`,
      ),
    );
  if (server.actsAsGroup)
    found.push(
      finding(
        "engine-reads-data",
        "warn",
        engine,
        `${engine} is a member of the account's group and need not be.`,
      ),
    );
  if (server.logStatement === "all" && server.logParameterBytesMax !== 0)
    found.push(
      finding(
        "log-shows-verifiers",
        "warn",
        engine,
        `log_statement is all, so the server's log will show verifiers (never values): ALTER ROLE ${ident(engine)} SET log_parameter_max_length = 0.`,
      ),
    );
  return found;
}

function networkChecks(facts: PreflightFacts, config: PostgresConfig, account: PostgresAccount): Finding[] {
  const found: Finding[] = [];
  const servers = unlisted(facts.replication, config.receivers);
  if (servers.length > 0) {
    found.push(
      finding(
        "standby-unlisted",
        "refuse",
        config.host,
        `More receivers are connected (${servers.join(", ")}) than standbys are listed; a standby that is not listed cannot be proved: add it to \`standbys\`, or to \`receivers\` when it takes no logins.`,
      ),
    );
  }
  if (facts.hbaLines !== null && facts.hbaLines.length > 0) {
    found.push(
      finding(
        "hba-names-login",
        "refuse",
        account.group,
        `pg_hba.conf names ${account.group} and not its members in line ${facts.hbaLines.join(", ")}: write +${account.group}.`,
      ),
    );
  }
  const local = ["localhost", "127.0.0.1", "::1"].includes(config.host) || config.host.startsWith("/");
  if (config.tls === undefined && !local) {
    found.push(finding("tls-off", "warn", config.host, "Connections to it are not encrypted: set `tls`."));
  } else if (config.tls?.mode === "require") {
    found.push(
      finding("tls-unchecked", "warn", config.host, "Its certificate is not checked: use verify-full."),
    );
  }
  return found;
}

function loginChecks(facts: PreflightFacts, account: PostgresAccount, login: string): Finding[] {
  const role = facts.roles.find((candidate) => candidate.role === login);
  const { group } = account;
  const setUp = "run what `rekey adopt` prints";
  if (role === undefined) {
    return [finding("login-missing", "refuse", login, `The login ${login} does not exist: ${setUp}.`)];
  }
  const found: Finding[] = [];
  const refuse = (code: string, sentence: string) => found.push(finding(code, "refuse", login, sentence));
  if (role.superuser) refuse("login-superuser", `${login} is a superuser, which is never rotated.`);
  if (role.managedAs !== group)
    refuse("login-unmanaged", `${login} is not in rekey.managed for ${group}: ${setUp}.`);
  const owner = facts.server.applyOwner;
  if (owner !== null && facts.server.ownerAlters && !role.alterable && !role.superuser)
    refuse(
      "owner-lacks-admin",
      `${owner} owns rekey.apply and may not alter ${login}: GRANT ${ident(login)} TO ${ident(owner)} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE.`,
    );
  if (!role.member) {
    refuse(
      "membership-missing",
      `${login} is not a member of ${group}: GRANT ${ident(group)} TO ${ident(login)}.`,
    );
  } else if (!role.inherits || !role.sets || role.admin) {
    refuse(
      "membership-options",
      `${login} must be a member of ${group} WITH ADMIN FALSE, INHERIT TRUE, SET TRUE.`,
    );
  }
  if (role.actsAs !== group)
    refuse(
      "role-setting",
      `${login} does not act as ${group}: ALTER ROLE ${ident(login)} SET role = '${group.replaceAll("'", "''")}'.`,
    );
  if (role.validMs !== null && role.validMs < validMsMin)
    refuse(
      "valid-until",
      `VALID UNTIL of ${login} passes within 30 days: ALTER ROLE ${ident(login)} VALID UNTIL 'infinity'.`,
    );
  if (role.ownsIn.length > 0)
    found.push(
      finding(
        "login-owns-objects",
        "warn",
        login,
        `${login} owns objects itself (${role.ownsIn.join(", ")}), made by a session that left ${group}: REASSIGN OWNED BY ${ident(login)} TO ${ident(group)} there.`,
      ),
    );
  return [...found, ...headroomChecks(facts, account, role)];
}

/** In the overlap every consumer may hold both pools (H35). */
function headroomChecks(facts: PreflightFacts, account: PostgresAccount, role: RoleFacts): Finding[] {
  const members = [...account.logins, account.group];
  const peak = Math.max(
    0,
    ...facts.roles.filter(({ role: name }) => members.includes(name)).map(({ sessions }) => sessions),
  );
  if (role.limit < 0 || role.limit >= peak) return [];
  return [
    finding(
      "connection-limit",
      "refuse",
      role.role,
      `CONNECTION LIMIT of ${role.role} is ${role.limit}, and ${peak} sessions would move to it.`,
    ),
  ];
}

function pairChecks(facts: PreflightFacts, account: PostgresAccount): Finding[] {
  const found: Finding[] = [];
  const [first, ...others] = facts.logins.filter(({ login }) => account.logins.includes(login));
  for (const other of first ? others : []) {
    const differences = first ? compareLogins(first, other) : [];
    if (differences.length === 0) continue;
    const sentence = `${first?.login} and ${other.login} are not interchangeable: ${differences.join("; ")}.`;
    found.push(finding("logins-differ", "refuse", other.login, sentence));
  }
  const group = facts.roles.find(({ role }) => role === account.group);
  if (group === undefined) {
    found.push(
      finding("group-missing", "refuse", account.group, `The group ${account.group} does not exist.`),
    );
  } else if (group.superuser) {
    found.push(
      finding(
        "group-superuser",
        "refuse",
        account.group,
        `${account.group} is a superuser, which is never rotated.`,
      ),
    );
  } else if (group.enabled) {
    found.push(
      finding(
        "group-logs-in",
        "warn",
        account.group,
        `${account.group} can still log in by itself; \`rekey adopt\` switches it off once nobody uses it.`,
      ),
    );
  }
  const sessions = facts.roles.reduce((sum, role) => sum + role.sessions, 0);
  const free = facts.server.connectionsMax - facts.server.connectionsUsed;
  if (sessions > free) {
    found.push(
      finding(
        "connections-full",
        "refuse",
        account.group,
        `${sessions} sessions may open a second connection during the overlap, and ${Math.max(0, free)} of max_connections are free.`,
      ),
    );
  }
  return found;
}

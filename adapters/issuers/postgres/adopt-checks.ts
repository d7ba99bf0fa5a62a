/** What stands in the way of an adoption, as named checks over one view. */
import type { Finding } from "../../../domain/finding.js";
import type { LoginFacts } from "./compare.js";
import type { RoleFacts } from "./facts.js";
import type { PairNames } from "./pair.js";
import { roleSettingOf, versionText } from "./versions.js";

/** What the server looks like to an adoption. `roles` and `logins` hold the group and the members that exist. */
export interface AdoptionView {
  readonly versionNum: number;
  /** The SQL of `rekey grants postgres` was run in this database. */
  readonly installed: boolean;
  /** As `rekey.identity()` says it; `null` while that is not installed. */
  readonly identity: string | null;
  /** The role that owns `rekey.apply` and needs ADMIN OPTION on the logins; `null` where that is a superuser. */
  readonly functionOwner: string | null;
  readonly roles: readonly RoleFacts[];
  readonly logins: readonly LoginFacts[];
  /** Those of the members that an adoption has made. */
  readonly made: readonly string[];
}

/** Every hindrance; none means that the steps may be run in their order. */
export function adoptionFindings(view: AdoptionView, pair: PairNames): Finding[] {
  const found: Finding[] = [];
  const refuse = (code: string, subject: string, sentence: string) =>
    found.push({ code: `postgres-${code}`, severity: "refuse", subject, sentence });
  if (!view.installed) {
    refuse("not-installed", "rekey", "Run the SQL of `rekey grants postgres` in this database first.");
  }
  if (roleSettingOf(view.versionNum) !== "applied") {
    const version = versionText(view.versionNum);
    refuse(
      "version",
      version,
      `PostgreSQL ${version} does not keep ALTER ROLE ... SET role; update it first.`,
    );
  }
  const former = view.roles.find(({ role }) => role === pair.group);
  if (former === undefined) {
    refuse("former-missing", pair.group, `The login ${pair.group} does not exist.`);
  } else if (former.superuser) {
    refuse("former-superuser", pair.group, `${pair.group} is a superuser, which is never rotated.`);
  }
  if (pair.logins.includes(pair.group)) {
    refuse("former-in-pair", pair.group, `${pair.group} becomes the group and cannot be one of its logins.`);
  }
  for (const login of pair.logins) {
    const role = view.roles.find((candidate) => candidate.role === login);
    if (role === undefined || role.member || role.managedAs === pair.group) continue;
    // Half done it is one that an adoption has made. Any other is somebody's, also one that is off and owns nothing.
    if (!view.made.includes(login) || role.enabled || role.ownsIn.length > 0 || role.superuser) {
      refuse("name-taken", login, `A role ${login} exists already and is somebody's; choose another name.`);
    }
  }
  return found;
}

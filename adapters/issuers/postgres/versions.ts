/**
 * Which servers can be trusted with `ALTER ROLE ... SET role`, by name: three releases ignore it without a word,
 * and those before them forget it at `DISCARD ALL` (H13, facts 3).
 */

/** `applied`: at login and for good. `ignores`: never. `forgets`: lost when a pooler resets the session. `lacks`: the server is too old for what the engine does. */
export type RoleSetting = "applied" | "ignores" | "forgets" | "lacks";

/** The release of November 2024 that broke the setting, for each major version, as `server_version_num`. */
const ignoring = [170001, 160005, 150009, 140014, 130017];

/** What a server of this `server_version_num` makes of the setting. */
export function roleSettingOf(versionNum: number): RoleSetting {
  if (ignoring.includes(versionNum)) return "ignores";
  const major = Math.floor(versionNum / 10_000);
  if (major < 14) return "lacks";
  const broken = ignoring.find((version) => Math.floor(version / 10_000) === major);
  return broken !== undefined && versionNum < broken ? "forgets" : "applied";
}

/** `170001` as people write it: `17.1`. */
export function versionText(versionNum: number): string {
  return `${Math.floor(versionNum / 10_000)}.${versionNum % 10_000}`;
}

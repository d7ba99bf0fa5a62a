/** `rekey grants`: what an administrator of a provider runs once, so that the engine needs few rights of its own. */
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import { knownName } from "../choose.js";
import { command, option } from "../command.js";

/** Prints the script of a kind. */
export const grants = command<{ set: readonly string[] }>({
  usage: "grants <kind>",
  summary: "Print what an administrator runs once, so that the engine can work with few rights",
  arguments: { kind: "kind of issuer or store, as in estate.yaml" },
  options: [
    option("--set <name=value...>", "a setting of the script, such as engine=rekey_engine").default(
      [],
      "none",
    ),
  ],
  examples: [
    ["rekey grants postgres", "the SQL, for a DBA to read and run"],
    ["rekey grants postgres --set engine=rekey_engine | psql -d orders", "with another login for the engine"],
  ],
  async run(cli, [kind = ""], { set }) {
    const known = knownName(kind, Object.keys(cli.deps.grants), "script of grants for");
    const text = cli.deps.grants[known]?.(settingsOf(set)) ?? "";
    cli.show({ kind, text }, text.trimEnd());
    return exitCodes.done;
  },
});

function settingsOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw new RekeyError("bad-input", `--set takes name=value, and "${pair}" is none.`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

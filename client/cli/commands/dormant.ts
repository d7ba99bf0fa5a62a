/** `rekey dormant`: credentials that nobody was seen using, with the time for which somebody looked. */
import { parseDuration, span } from "../../../domain/duration.js";
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import type { Dormancy } from "../../../domain/graph/use.js";
import type { CredentialUse } from "../../../inventory/metrics.js";
import { command, option } from "../command.js";
import { count } from "../format/layout.js";
import { type FormOptions, formOption, showListing } from "../listing.js";

interface DormantOptions extends FormOptions {
  readonly window?: string;
  readonly all?: boolean;
}

const order: readonly Dormancy["is"][] = ["dormant", "unwatched", "too-soon", "live"];

/** Lists them; with `--all`, every credential. */
export const dormant = command<DormantOptions>({
  usage: "dormant",
  summary: "Show credentials that nobody was seen using for longer than they may be silent",
  description:
    "The time counts from the last use, or from when somebody began to look, and is longer for slow users: whoever\n" +
    "says of a consumer that it runs once a month (`cadence`) has it given half as much again. Where no source looks,\n" +
    "or not for long enough, nothing can be said, and that is counted.",
  options: [
    option(
      "--window <duration>",
      "the least time without a use that counts (default: as the policy's useWindow says)",
    ),
    option("--all", "also those that are in use, or of which nothing can be said"),
    formOption(),
  ],
  examples: [
    ["rekey dormant", "whose owners to ask whether they are needed"],
    ["rekey dormant --window 90d --all --format csv", "every credential, for a report"],
  ],
  async run(cli, _args, { window, all, ...options }) {
    const leastWindowMs = window === undefined ? null : parseDuration(window);
    if (leastWindowMs === undefined)
      throw new RekeyError("bad-input", `"${window}" is no duration.`, "Write it with a unit: 30d, 12h.");
    const { inventory } = await cli.services();
    const uses = [...(await inventory.uses(leastWindowMs))].sort(
      (a, b) => order.indexOf(a.is) - order.indexOf(b.is) || (a.credential.name < b.credential.name ? -1 : 1),
    );
    const shown = all ? uses : uses.filter(({ is }) => is === "dormant");
    showListing(
      cli,
      options,
      { leastWindowMs, credentials: shown.map(plain), counts: countsOf(uses) },
      (style) => ({
        head: headOf(uses),
        headings: ["credential", "is", "last used", "watched since", "may be silent for", "owner", "why"],
        rows: shown.map(({ credential, is, lastUsed, watchedSince, windowMs, owners, sentence }) => [
          style.name(credential.name),
          is,
          lastUsed === null ? "" : style.moment(lastUsed),
          watchedSince === null ? "" : style.moment(watchedSince),
          span(windowMs),
          owners.join(", "),
          sentence,
        ]),
      }),
    );
    return exitCodes.done;
  },
});

function plain({ credential, ...use }: CredentialUse) {
  return { name: credential.name, ...use };
}

function countsOf(uses: readonly CredentialUse[]): Record<Dormancy["is"], number> {
  const of = (is: Dormancy["is"]) => uses.filter((use) => use.is === is).length;
  return { dormant: of("dormant"), live: of("live"), "too-soon": of("too-soon"), unwatched: of("unwatched") };
}

function headOf(uses: readonly CredentialUse[]): string {
  const { dormant: silent, live, unwatched, ...others } = countsOf(uses);
  return `${silent} of ${count(uses.length, "credential")} dormant; ${live} in use, ${unwatched} that nobody watches, ${others["too-soon"]} not watched for long enough.`;
}

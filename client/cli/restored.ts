/** Accepting restored records: what was seen, what exists outside, a question, and a signature (H32). */
import { exitCodes, RekeyError } from "../../domain/errors.js";
import type { StockTaking } from "../../domain/reconcile.js";
import { type Halt, restoreDigest } from "../../domain/restore.js";
import type { Cli } from "./cli.js";
import type { AsOptions } from "./command.js";
import type { Services } from "./deps.js";
import { moment } from "./format/time.js";
import { signingKey } from "./person.js";
import { sign } from "./signing.js";

/** One line for people, wherever something is shown that rests on the records. */
export function haltText({ noticedAt, evidence }: Halt): string {
  return [
    `The inventory was restored to an earlier time (noticed ${moment(noticedAt)}), and every change is refused.`,
    ...evidence.map((sentence) => `  ${sentence}`),
    "  Look at everything, then sign that it is gone on with: rekey reconcile --restored",
  ].join("\n");
}

/** Shows, asks, signs and sends. `text` says what was found outside. Throws `not-found` where no restore was noticed. */
export async function acceptRestored(
  cli: Cli,
  services: Services,
  takings: readonly StockTaking[],
  text: string,
  options: AsOptions & { readonly yes?: boolean },
): Promise<number> {
  const halt = await services.inventory.halt();
  if (halt === null) {
    const hint = "`rekey doctor` compares the records with what was noted outside, now.";
    throw new RekeyError("not-found", "No restore of the inventory was noticed.", hint);
  }
  cli.note(`${haltText(halt)}\n\n${text}\n`);
  const away = takings.find(({ drifts }) => drifts.some(({ code }) => code === "unreachable"));
  if (away !== undefined) {
    const hint = "Make it reachable first: what cannot be looked at could be anything.";
    throw new RekeyError("unreachable", `${away.name} cannot be looked at.`, hint);
  }
  const key = await signingKey(cli.io, options);
  const question = `Sign as ${key.person} that the inventory is gone on with as it is? What it has lost is not done again by itself.`;
  if (!(await cli.confirm(question, options.yes === true))) {
    cli.note("Nothing was signed.");
    return exitCodes.failed;
  }
  const bound = { installation: services.installation, credential: "all", rotation: "", nonce: "" };
  const hourMs = 3_600_000;
  const document = await sign(cli, key, bound, { says: "restored", digest: restoreDigest(halt) }, hourMs);
  const receipt = await services.rotations.acceptRestored(document);
  if (!receipt.accepted) throw new RekeyError("decision-refused", receipt.sentence);
  cli.show({ restore: halt, credentials: takings, receipt }, receipt.sentence);
  return exitCodes.done;
}

/** `rekey reconcile`: what exists at issuers and in stores that the inventory does not know; with --remove, what is ours of it goes. */
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import { type Drift, orphansOf, type StockTaking } from "../../../domain/reconcile.js";
import type { Cli } from "../cli.js";
import { asOptions, command, option, yesOption } from "../command.js";
import type { Services } from "../deps.js";
import { count } from "../format/layout.js";
import type { Paint } from "../format/style.js";
import { requester } from "../person.js";
import { acceptRestored, haltText } from "../restored.js";
import { credentialNamed } from "../subject.js";

interface ReconcileOptions {
  readonly remove?: boolean;
  readonly restored?: boolean;
  readonly as?: string;
  readonly key?: string;
  readonly yes?: boolean;
}

/** Has a worker look, prints what is not explained, and starts the removals that were asked for. */
export const reconcile = command<ReconcileOptions>({
  usage: "reconcile [credential]",
  summary: "Find what exists outside and is not in the inventory",
  description:
    "Compares every slot, every live document and every copy with the inventory, and names what it does\n" +
    "not explain: versions that nobody knows, dead ones that are let in, copies of dead ones, tags of\n" +
    "another installation. Looks and changes nothing, unless --remove is given. Ends with 1 when it found\n" +
    "something, and with 5 when something could not be looked at.\n\n" +
    "--remove takes away what is provably ours: tagged by this installation, not live, and of no open\n" +
    "rotation. It does so by a rotation that leads to the version that is live: every consumer has to work\n" +
    "on that one and nobody may use the other, before it is switched off.\n\n" +
    "--restored is for an inventory that was restored to an earlier time: then every change is refused.\n" +
    "It shows what was seen and what exists outside, and a responder signs that it is gone on with.",
  arguments: { credential: "name of a credential; without one, all of them" },
  options: [
    option("--remove", "take away what is ours and nobody's; asks first"),
    option("--restored", "go on with an inventory that was restored; asks first, and is signed"),
    ...asOptions(),
    yesOption(),
  ],
  examples: [
    ["rekey reconcile", "everything, without changing anything"],
    ["rekey reconcile orders-db", "one credential"],
    ["rekey reconcile --restored", "after a restore of the inventory: look, ask, sign"],
    ["rekey reconcile orders-db --remove", "show what would go, ask, and begin to remove it"],
  ],
  async run(cli, [name], options) {
    checkFlags(name, options);
    const services = await cli.services();
    const only = name === undefined ? null : (await credentialNamed(services, name)).id;
    const takings = await services.rotations.reconcile(only);
    const found = takings.flatMap(({ drifts }) => drifts);
    if (options.restored === true)
      return acceptRestored(cli, services, takings, textOf(takings, [], true, cli.paint), options);
    const halt = await services.inventory.halt();
    if (halt !== null) cli.note(`${haltText(halt)}\n`);
    const started = options.remove === true ? await removed(cli, services, takings, options) : [];
    cli.show({ explained: found.length === 0, credentials: takings, removing: started }, () =>
      textOf(takings, started, options.remove === true, cli.paint),
    );
    return codeOf(takings, started);
  },
});

function checkFlags(name: string | undefined, { remove, restored }: ReconcileOptions): void {
  if (restored !== true) return;
  const hint = "Leave it out: what is accepted are the records as a whole.";
  if (name !== undefined) throw new RekeyError("bad-input", "--restored takes no credential.", hint);
  if (remove === true)
    throw new RekeyError(
      "bad-input",
      "--restored and --remove do not go together.",
      "Accept the records first; then look again, and remove what is found.",
    );
}

/** Ends with 0 where nothing is left to be said: everything is known, or is being removed. */
function codeOf(takings: readonly StockTaking[], started: readonly string[]): number {
  const left = takings.flatMap(({ name, drifts }) =>
    drifts.filter(({ orphan }) => orphan === null || !started.includes(name)),
  );
  if (left.some(({ code }) => code === "unreachable")) return exitCodes.unavailable;
  return left.length === 0 ? exitCodes.done : exitCodes.failed;
}

/** Starts a removal for each credential that has something to remove; answers with their names. */
async function removed(
  cli: Cli,
  { rotations }: Services,
  takings: readonly StockTaking[],
  options: ReconcileOptions,
): Promise<string[]> {
  const due = takings.flatMap(({ credential, name, drifts }) => {
    const orphans = orphansOf(drifts);
    return orphans.length === 0 ? [] : [{ credential, name, orphans }];
  });
  if (due.length === 0) return [];
  for (const { name, orphans } of due)
    cli.note(
      `${name}: ${orphans.map(({ version, slot, found }) => `${version} (${found === "slot" ? `in ${slot}` : "copies"})`).join(", ")}`,
    );
  const all = due.reduce((sum, { orphans }) => sum + orphans.length, 0);
  if (!(await cli.confirm(`Remove ${count(all, "version")} for good?`, options.yes === true))) return [];
  const requestedBy = requester(cli.io, options.as);
  const started: string[] = [];
  for (const { credential, name, orphans } of due) {
    const reason = "to remove what nobody is to use";
    const { joined } = await rotations.start({ credential, requestedBy, reason, remove: orphans });
    if (joined) cli.note(`A rotation of ${name} has begun meanwhile; nothing of it is removed.`);
    else started.push(name);
  }
  return started;
}

function textOf(
  takings: readonly StockTaking[],
  started: readonly string[],
  removing: boolean,
  paint: Paint,
): string {
  if (takings.length === 0) return "No credential is declared yet. Begin with `rekey init`.";
  const each = takings.map(({ name, drifts, openRotation }) => {
    const mark = drifts.length === 0 ? paint("good", "✓") : paint("bad", "✗");
    const open =
      openRotation === null ? "" : paint("quiet", "  a rotation is open: what it keeps is its own");
    const lines = drifts.map((drift) => `  ${driftLine(drift, paint)}`);
    const goes = started.includes(name) ? [`  being removed: \`rekey watch ${name}\` shows it`] : [];
    return [`${mark} ${paint("strong", name)}${open}`, ...lines, ...goes].join("\n");
  });
  const found = takings.flatMap(({ drifts }) => drifts);
  const ours = orphansOf(found).length;
  const verdict =
    found.length === 0
      ? "Everything that exists is known."
      : `${count(found.length, "thing")} not explained${ours > 0 && !removing ? `; \`rekey reconcile --remove\` takes away ${count(ours, "version")} of ours` : ""}.`;
  return [...each, verdict].join("\n");
}

function driftLine({ code, sentence, orphan }: Drift, paint: Paint): string {
  const ours = orphan === null ? "" : paint("quiet", " (can be removed)");
  return `${paint("warn", code)}  ${sentence}${ours}`;
}

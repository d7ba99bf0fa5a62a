/** `rekey adopt-rotation`: after Temporal was lost, the records lead: open rotations whose workflow does not run are shown, and taken up. */
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import { type Left, leftOf } from "../../../domain/lost.js";
import { foldAll } from "../../../domain/rotation/fold.js";
import type { RotationSummary } from "../../../inventory/rotations.js";
import type { Cli } from "../cli.js";
import { type AsOptions, command, option, yesOption } from "../command.js";
import type { Services } from "../deps.js";
import { timelineOf } from "../format/events.js";
import { count } from "../format/layout.js";
import { withVersions } from "../format/rotation.js";
import { requester } from "../person.js";
import { credentialNamed, openOf, openSubject } from "../subject.js";

interface AdoptRotationOptions extends Pick<AsOptions, "as"> {
  readonly yes?: boolean;
}

/** A rotation that nobody tends. */
interface Lost extends Left {
  readonly credential: string;
  readonly rotation: string;
  readonly workflow: string;
}

/** Shows what is lost, asks, and has a worker start the workflows that adopt it. */
export const adoptRotation = command<AdoptRotationOptions>({
  usage: "adopt-rotation [credential]",
  summary: "Take up rotations that have lost their workflow",
  description:
    "For when Temporal lost its data, its namespace was made anew, or a workflow was terminated. Finds\n" +
    "rotations that the inventory has open and that no workflow runs, says what is known of each and what\n" +
    "has to be asked anew, and starts a workflow that adopts it under a higher epoch. A schedule does the\n" +
    "same every five minutes, where there is one. Refuses a rotation that is running.",
  arguments: { credential: "name of a credential; without one, all that are lost" },
  options: [option("--as <person>", "who orders it (default: REKEY_PERSON, or the login name)"), yesOption()],
  examples: [
    ["rekey adopt-rotation", "show what is lost, ask, take it up"],
    ["rekey adopt-rotation orders-db --yes", "this one, without asking"],
  ],
  async run(cli, [name], options) {
    const services = await cli.services();
    const lost = name === undefined ? await allLost(cli, services) : [await lostOne(cli, services, name)];
    if (lost.length === 0) {
      cli.show({ lost, started: [] }, "No open rotation has lost its workflow.");
      return exitCodes.done;
    }
    for (const one of lost) cli.note(`${lostText(one)}\n`);
    if (!(await cli.confirm(`Take up ${count(lost.length, "rotation")}?`, options.yes === true))) {
      cli.note("Nothing was started.");
      return exitCodes.failed;
    }
    const started: string[] = [];
    for (const { credential, workflow } of lost) {
      await takeUp(cli, services, credential, workflow, options);
      started.push(credential);
    }
    const lines = started.map(
      (credential) =>
        `The rotation of ${credential} is taken up; watch it with \`rekey watch ${credential}\`.`,
    );
    cli.show({ lost, started }, lines.join("\n"));
    return exitCodes.done;
  },
});

async function allLost(cli: Cli, services: Services): Promise<Lost[]> {
  const credentials = await services.inventory.credentials();
  const open = credentials.flatMap((credential) => openOf(credential) ?? []);
  const states = await Promise.all(open.map(async (row) => ({ row, runs: await runs(services, row) })));
  return Promise.all(states.filter((one) => !one.runs).map(({ row }) => lostIn(cli, services, row)));
}

async function lostOne(cli: Cli, services: Services, name: string): Promise<Lost> {
  const { open } = await openSubject(services, name);
  if (!(await runs(services, open))) return lostIn(cli, services, open);
  throw new RekeyError(
    "rotation-open",
    `The rotation of ${name} is running: Temporal has its workflow ${open.workflowId}.`,
    "`rekey explain` says what it waits for; if no worker answers, start one with `rekey worker`.",
  );
}

/** Throws `unreachable` where Temporal cannot say: what may be running is not taken over. */
async function runs({ rotations }: Services, { workflowId }: RotationSummary): Promise<boolean> {
  try {
    return (await rotations.standing(workflowId)) === "running";
  } catch (failure) {
    // It failed, and says with what; it does not run.
    if (failure instanceof RekeyError && failure.code !== "unreachable" && failure.code !== "not-permitted")
      return false;
    throw failure;
  }
}

async function lostIn(
  cli: Cli,
  services: Services,
  { id, name, workflowId }: RotationSummary,
): Promise<Lost> {
  const [record, { names: given }] = [
    await services.inventory.rotation(id),
    await credentialNamed(services, name),
  ];
  const state = foldAll(record.initial, record.events);
  const names = withVersions(given, state);
  const left = leftOf(state, record.openIntent, timelineOf(record).at(-1) ?? null, cli.now());
  const known = left.known.map(names.in);
  return { credential: name, rotation: id, workflow: workflowId, known, unknown: left.unknown.map(names.in) };
}

async function takeUp(
  cli: Cli,
  { rotations, inventory }: Services,
  name: string,
  workflow: string,
  { as }: AdoptRotationOptions,
): Promise<void> {
  const credentials = await inventory.credentials();
  const id = credentials.find((credential) => credential.name === name)?.id ?? name;
  const started = await rotations.tend({ credential: id, requestedBy: requester(cli.io, as) });
  if (started > 0 || (await rotations.standing(workflow)) === "running") return;
  throw new RekeyError(
    "already-closed",
    `Nothing was started: the workflow of ${name} has come to its end, and the inventory has its rotation open.`,
    "The inventory may have been restored to an earlier time; docs/operations.md says how to go on after that.",
  );
}

function lostText({ credential, rotation, workflow, known, unknown }: Lost): string {
  const lines = (sentences: readonly string[]) => sentences.map((sentence) => `    ${sentence}`).join("\n");
  return [
    `${credential}: rotation ${rotation} is open, and Temporal runs no workflow ${workflow}.`,
    "  Known from the records:",
    lines(known),
    "  Not known, and asked anew:",
    lines(unknown),
  ].join("\n");
}

/** `rekey rotate`: starts a rotation, or joins the one that runs; with `--emergency`, reports a leak to it. */
import { setTimeout } from "node:timers/promises";
import { shown } from "../../../domain/decide.js";
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import { foldAll } from "../../../domain/rotation/fold.js";
import type { EmergencyReport } from "../../../domain/rotation/work.js";
import type { Started } from "../../temporal.js";
import type { Cli } from "../cli.js";
import { command, option } from "../command.js";
import type { Services } from "../deps.js";
import { confirmReport, type ReportOptions, reasonOf, reportOf, reportOptions } from "../emergency.js";
import { follow } from "../follow.js";
import { standingText, withVersions } from "../format/rotation.js";
import { lookAt } from "../look.js";
import { requester } from "../person.js";
import { credentialNamed, type Subject } from "../subject.js";

interface RotateOptions extends ReportOptions {
  readonly emergency?: boolean;
  readonly takeover?: boolean;
  readonly wait?: boolean;
  readonly follow?: boolean;
  readonly detach?: boolean;
}

/** Starts, joins or reports, and then waits as asked. */
export const rotate = command<RotateOptions>({
  usage: "rotate <credential>",
  summary: "Start a rotation, or join the one that runs",
  description:
    "Returns once it is started; --follow shows it until the end, --wait waits in silence. Ctrl-C ends the\n" +
    "waiting and never the rotation.\n\n" +
    "With --emergency it reports a leak: signed by you, with the leaked value as evidence or a second\n" +
    "responder's signature. The value is read from standard input or a file, hashed, and dropped. A report\n" +
    "asks first, unless --yes.",
  arguments: { credential: "name of a credential" },
  options: [
    option("--reason <text>", "why; shown to the owners and kept"),
    option("--follow", "show it until the end"),
    option("--wait", "wait for the end; 4 when an operator is needed").conflicts("follow"),
    option("--detach", "return at once (the default)").conflicts(["follow", "wait"]),
    option("--emergency", "a value has leaked: rotate now, owners sign afterwards"),
    ...reportOptions(),
    option("--takeover", "with --emergency: the running rotation's worker is lost, take over"),
  ],
  examples: [
    ["rekey rotate orders-db --reason 'quarterly' --follow", "start it and watch"],
    ["rekey rotate orders-db --wait", "for a pipeline; the exit code says how it ended"],
    [
      "rekey rotate orders-db --emergency --reason 'in a public log' --value-from leak.txt",
      "a leak, with evidence",
    ],
    [
      "rekey rotate orders-db --emergency --reason 'laptop lost' --leaked old --document bob.jws",
      "with a second responder",
    ],
  ],
  async run(cli, [name = ""], options) {
    checkFlags(options);
    const services = await cli.services();
    const subject = await credentialNamed(services, name);
    const { rotation } = subject;
    const urgent = options.emergency === true;
    const takesOver = options.takeover === true && subject.open !== null;
    if (urgent && !(await confirmReport(cli, name, options, takesOver))) return exitCodes.failed;
    const ignore = rotation !== null && rotation.closedAt !== null ? rotation.id : undefined;
    const begun = urgent
      ? await report(cli, services, subject, options)
      : await start(cli, services, subject, options);
    if (options.follow !== true && options.wait !== true) {
      const taken = begun.joined || (await isTakenUp(cli, services, subject, begun, ignore));
      const more = taken
        ? []
        : ["No worker has taken it up yet; is one running? (`rekey worker`, `rekey up`)"];
      const text = [begun.sentence, ...more, `Watch it with \`rekey watch ${name}\`.`].join("\n");
      cli.show({ credential: name, ...begun, taken }, text);
      return exitCodes.done;
    }
    cli.note(begun.sentence);
    const show = options.follow === true ? "live" : "quiet";
    const code = await follow(cli, services, subject, { everyMs: 500, show, stopAtOperator: true, ignore });
    if (show === "quiet") await showEnd(cli, services, subject, code);
    return code;
  },
});

/** How long the answer to "has it begun?" is waited for. */
const takenUpMsMax = 3_000;

/**
 * True once the rotation is in the records, so that `rekey watch` finds it. Throws what its workflow failed
 * with: a report that does not count is refused there and not at the start.
 */
async function isTakenUp(
  cli: Cli,
  { rotations, inventory }: Services,
  subject: Subject,
  { workflow, emergency }: Begun,
  ignore: string | undefined,
): Promise<boolean> {
  const until = cli.io.now() + takenUpMsMax;
  do {
    if ((await rotations.standing(workflow)) === "ended") return true;
    const [latest] = await inventory.rotations(subject.id, 1);
    if (latest !== undefined && latest.id !== ignore) {
      if (!emergency) return true;
      const { initial, events } = await inventory.rotation(latest.id);
      if (foldAll(initial, events).emergency !== null) return true;
    }
    await setTimeout(100);
  } while (cli.io.now() < until);
  return false;
}

interface Begun extends Pick<Started, "workflow" | "joined"> {
  readonly sentence: string;
  readonly emergency: boolean;
}

function checkFlags(options: RotateOptions): void {
  if (options.emergency === true) {
    reasonOf(options);
    return;
  }
  const urgent = ["leaked", "valueFrom", "containment", "document", "takeover"] as const;
  const given = urgent.find((flag) => options[flag] !== undefined);
  if (given === undefined) return;
  const flag = given.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new RekeyError("bad-input", `--${flag} belongs to an emergency.`, "Add --emergency.");
}

async function start(cli: Cli, services: Services, subject: Subject, options: RotateOptions): Promise<Begun> {
  const requestedBy = requester(cli.io, options.as);
  const reason = options.reason ?? "asked for on the command line";
  const { open } = subject;
  // One that runs under a takeover's id would otherwise be taken over once more. One whose workflow is gone
  // is adopted by starting it.
  if (open !== null && (await runs(services, open.workflowId))) {
    const sentence = `A rotation of ${subject.name} is running already; nothing new was started.`;
    return { workflow: open.workflowId, joined: true, sentence, emergency: false };
  }
  const { workflow, joined } = await services.rotations.start({
    credential: subject.id,
    requestedBy,
    reason,
  });
  const sentence = joined
    ? `A rotation of ${subject.name} is running already; nothing new was started.`
    : `A rotation of ${subject.name} has started.`;
  return { workflow, joined, sentence, emergency: false };
}

async function runs({ rotations }: Services, workflow: string): Promise<boolean> {
  try {
    return (await rotations.standing(workflow)) === "running";
  } catch (failure) {
    if (failure instanceof RekeyError && failure.code === "unreachable") throw failure;
    return false;
  }
}

async function report(
  cli: Cli,
  services: Services,
  subject: Subject,
  options: RotateOptions,
): Promise<Begun> {
  const emergency = await reportOf(cli, services, subject, options);
  const requestedBy = requester(cli.io, options.as);
  const input = { credential: subject.id, requestedBy, reason: emergency.reason, emergency };
  const { open } = subject;
  if (open !== null && options.takeover === true) {
    const { workflow, joined } = await services.rotations.takeOver(input, open.epoch + 1);
    return {
      workflow,
      joined,
      sentence: `Epoch ${open.epoch + 1} takes over the rotation of ${subject.name}.`,
      emergency: true,
    };
  }
  if (open !== null) return expedite(cli, services, open.workflowId, emergency);
  const { workflow, joined } = await services.rotations.start(input);
  // Somebody else was faster by a moment: the report goes to the rotation that they started.
  if (joined) return expedite(cli, services, workflow, emergency);
  return {
    workflow,
    joined,
    sentence: `An emergency rotation of ${subject.name} has started.`,
    emergency: true,
  };
}

/** Reports the leak to a rotation that runs. Throws `decision-refused` when the report does not count. */
export async function expedite(
  cli: Cli,
  services: Services,
  workflow: string,
  emergency: EmergencyReport,
): Promise<Begun> {
  const receipt = await services.rotations.expedite(workflow, emergency, cli.io.randomId("msg")).catch(lost);
  if (!receipt.accepted) throw new RekeyError("decision-refused", receipt.sentence);
  return { workflow, joined: true, sentence: receipt.sentence, emergency: true };
}

function lost(failure: unknown): never {
  if (failure instanceof RekeyError && failure.code === "unreachable") {
    throw new RekeyError(
      "unreachable",
      failure.message,
      "If its worker is lost for good, add --takeover to the emergency.",
    );
  }
  throw failure;
}

async function showEnd(cli: Cli, services: Services, subject: Subject, code: number): Promise<void> {
  const look = await lookAt(services, subject.id, cli.now());
  if (look === null) return;
  const { row, state, now } = look;
  const names = withVersions(subject.names, state);
  const standing = standingText(shown(state, now), names, cli.paint);
  const reason = row.closingReason === null ? "" : ` (${names.in(row.closingReason)})`;
  cli.show(
    {
      credential: subject.name,
      rotation: row.id,
      outcome: row.outcome,
      reason: row.closingReason,
      exitCode: code,
    },
    `${subject.name}: ${standing}${reason}`,
  );
}

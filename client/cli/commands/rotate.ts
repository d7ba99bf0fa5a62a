/** `rekey rotate`: starts a rotation, or joins the one that runs; with `--emergency`, reports a leak to it. */
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import type { EmergencyReport } from "../../../domain/rotation/work.js";
import type { Started } from "../../temporal.js";
import type { Cli } from "../cli.js";
import { command, option } from "../command.js";
import type { Services } from "../deps.js";
import { type ReportOptions, reasonOf, reportOf, reportOptions } from "../emergency.js";
import { follow } from "../follow.js";
import { requester } from "../person.js";
import { credentialNamed, latestRotation, type Subject } from "../subject.js";

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
    "responder's signature. The value is read from standard input or a file, hashed, and dropped.",
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
    const before = await latestRotation(services, subject.id);
    const ignore = before !== null && before.closedAt !== null ? before.id : undefined;
    const begun =
      options.emergency === true
        ? await report(cli, services, subject, options)
        : await start(cli, services, subject, options);
    const show = options.follow === true ? "live" : "quiet";
    if (options.follow !== true && options.wait !== true) {
      cli.show({ credential: name, ...begun }, `${begun.sentence}\nWatch it with \`rekey watch ${name}\`.`);
      return exitCodes.done;
    }
    cli.note(begun.sentence);
    const code = await follow(cli, services, subject, { everyMs: 500, show, stopAtOperator: true, ignore });
    if (show === "quiet") await showEnd(cli, services, subject, code);
    return code;
  },
});

interface Begun extends Pick<Started, "workflow" | "joined"> {
  readonly sentence: string;
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
  const { workflow, joined } = await services.rotations.start({
    credential: subject.id,
    requestedBy,
    reason,
  });
  const sentence = joined
    ? `A rotation of ${subject.name} is running already; nothing new was started.`
    : `A rotation of ${subject.name} has started.`;
  return { workflow, joined, sentence };
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
    };
  }
  if (open !== null) return expedite(cli, services, open.workflowId, emergency);
  const { workflow, joined } = await services.rotations.start(input);
  // Somebody else was faster by a moment: the report goes to the rotation that they started.
  if (joined) return expedite(cli, services, workflow, emergency);
  return { workflow, joined, sentence: `An emergency rotation of ${subject.name} has started.` };
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
  return { workflow, joined: true, sentence: receipt.sentence };
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
  const row = await latestRotation(services, subject.id);
  const ended = row?.outcome ?? "needs-operator";
  cli.show(
    { credential: subject.name, rotation: row?.id ?? null, outcome: row?.outcome ?? null, exitCode: code },
    () => `${subject.name}: ${ended}${row?.closingReason ? `: ${subject.names.in(row.closingReason)}` : ""}`,
  );
}

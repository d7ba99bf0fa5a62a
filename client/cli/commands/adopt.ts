/** `rekey adopt`: brings an existing login under rotation, as a plan that its owners sign and that can be taken back. */
import {
  type AdoptionDirection,
  type AdoptionProgress,
  adoptionStanding,
} from "../../../domain/adopt-plan.js";
import { exitCodes, RekeyError } from "../../../domain/errors.js";
import { refusals } from "../../../domain/finding.js";
import type { Cli } from "../cli.js";
import { command, option, yesOption } from "../command.js";
import type { AdoptionLook } from "../deps.js";
import { hindrances, signaturesText, stepsText } from "../format/adoption.js";
import { requester } from "../person.js";
import { credentialNamed } from "../subject.js";

interface AdoptOptions {
  readonly undo?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly as?: string;
  readonly reason?: string;
}

/** What one run of the command is about. */
interface Subject {
  readonly id: string;
  readonly name: string;
  readonly direction: AdoptionDirection;
}

/** Asks the owners, and once they have signed takes the steps one by one. */
export const adopt = command<AdoptOptions>({
  usage: "adopt <credential>",
  summary: "Bring an existing login under rotation, without an outage",
  description:
    "The first run puts the plan before the owners, who decide with `rekey approve` or `rekey reject`; the next\n" +
    "one takes the steps that they signed. Stopped in the middle it goes on when it is run again, or is taken\n" +
    "back with --undo. What only an administrator may do is printed for them to run, once it is signed.\n" +
    "It ends with 3 while signatures are missing.",
  arguments: { credential: "name of a credential of the applied estate" },
  options: [
    option("--dry-run", "only show the steps and their statements; nobody is asked"),
    option("--undo", "take an adoption back"),
    option("--as <person>", "who asks (default: REKEY_PERSON, or the account); they cannot agree to it"),
    option("--reason <text>", "why; shown to the owners and kept"),
    yesOption(),
  ],
  examples: [
    ["rekey adopt orders-db --dry-run", "what would be done, in order"],
    ["rekey adopt orders-db --as bob", "ask the owners; run again, do what they signed"],
    ["rekey adopt orders-db --undo", "back to the single login"],
  ],
  async run(cli, [name = ""], options) {
    const direction = options.undo === true ? "undo" : "adopt";
    const { id } = await credentialNamed(await cli.services(), name);
    const subject = { id, name, direction } as const;
    const seen = await cli.deps.adoption.preview(id, direction);
    const refused = seen.record?.begunAt == null && refusals(seen.findings).length > 0;
    if (options.dryRun === true || refused) {
      show(cli, subject, seen, [lookText(cli, direction, seen, true)]);
      return refused ? exitCodes.refused : exitCodes.done;
    }
    const look = await cli.deps.adoption.ask(id, {
      direction,
      requestedBy: requester(cli.io, options.as),
      reason: options.reason ?? "asked for on the command line",
    });
    return goOn(cli, subject, look, options.yes === true);
  },
});

async function goOn(cli: Cli, subject: Subject, look: AdoptionLook, yes: boolean): Promise<number> {
  const { record } = look;
  if (record === null) {
    const text = "Everything stands already; nothing is to be done.";
    show(cli, subject, look, [lookText(cli, subject.direction, look, false), text]);
    return exitCodes.done;
  }
  if (record.closedAt !== null) {
    show(cli, subject, look, ["The request was withdrawn before its first step. Nothing was changed."]);
    return exitCodes.done;
  }
  const signatures = signaturesText(record, subject.name, cli.now());
  if (adoptionStanding(record, cli.now()).is !== "approved") {
    show(cli, subject, look, [lookText(cli, subject.direction, look, false), signatures]);
    return exitCodes.refused;
  }
  const next = look.steps.find(({ left }) => left);
  const asks = !look.byHand && next?.by === "administrator";
  // What is handed out follows with its statements.
  const seen =
    look.byHand && next?.by === "administrator" ? [] : [lookText(cli, subject.direction, look, false)];
  if (!cli.json) cli.io.stdout.write(`${[...seen, signatures].join("\n\n")}\n\n`);
  const question = subject.direction === "undo" ? "Take it back?" : "Do this now?";
  if (asks && !(await cli.confirm(question, yes))) {
    cli.note("Nothing was changed.");
    return exitCodes.failed;
  }
  return carryOut(cli, subject, look, record.id);
}

async function carryOut(cli: Cli, subject: Subject, look: AdoptionLook, adoption: string): Promise<number> {
  const { name, direction } = subject;
  const done: string[] = [];
  let last: AdoptionProgress | null = null;
  for await (const progress of cli.deps.adoption.carryOut(subject.id, adoption)) {
    last = progress;
    if (progress.what !== "done" && progress.what !== "found") continue;
    done.push(progress.sentence);
    const by = progress.what === "found" ? " (found done)" : "";
    cli.note(`${cli.paintError("good", "✓")} ${progress.sentence}${by}`);
  }
  if (last?.what === "handed") {
    show(cli, subject, { ...look, steps: last.steps }, [stepsText(last.steps, true, cli.paint)], { done });
    throw new RekeyError(
      "missing-setup",
      "These steps are for an administrator.",
      `Have the printed statements run as they are, then run \`rekey adopt ${name}${direction === "undo" ? " --undo" : ""}\` again.`,
    );
  }
  const rests = last?.what === "rests" ? last.sentence : null;
  const text = rests === null ? `Done. Look at it with \`rekey plan ${name}\`.` : `Next: ${rests}`;
  cli.show({ credential: name, direction, adoption, done, next: rests }, text);
  return exitCodes.done;
}

function show(
  cli: Cli,
  { name, direction }: Subject,
  { record, steps, findings, byHand }: AdoptionLook,
  parts: readonly string[],
  more: object = {},
): void {
  const standing = record === null ? null : adoptionStanding(record, cli.now());
  cli.show(
    { credential: name, direction, adoption: record, standing, byHand, steps, findings, ...more },
    () => parts.join("\n\n"),
  );
}

/** What an adoption leaves alone is said where somebody asks for it, too. */
const note =
  "None of these steps changes anything for consumers. The move to another login is a rotation\n" +
  "(`rekey rotate`), which asks the owners for their sign-off like any other.";

function lookText(
  { paint }: Cli,
  direction: AdoptionDirection,
  { steps, findings }: AdoptionLook,
  script: boolean,
): string {
  const said = direction === "adopt" ? [note] : [];
  return [stepsText(steps, script, paint), ...said, ...hindrances(findings, paint)].join("\n\n");
}

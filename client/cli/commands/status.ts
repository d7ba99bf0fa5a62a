/** `rekey status`: what is there, what runs and what waits, at a glance or one credential in detail. */
import type { AdoptionRecord } from "../../../domain/adopt-plan.js";
import { exitCodes } from "../../../domain/errors.js";
import type { CredentialView } from "../../../inventory/credentials.js";
import type { RotationSummary } from "../../../inventory/rotations.js";
import type { Overview } from "../../../inventory/views.js";
import { openAdoptionOf } from "../adoption.js";
import type { Cli } from "../cli.js";
import { command } from "../command.js";
import type { Services } from "../deps.js";
import { adoptionPicture, adoptionState } from "../format/adoption.js";
import { count, fields, table } from "../format/layout.js";
import { policyText } from "../format/policy.js";
import { rotationText } from "../format/rotation.js";
import type { Paint } from "../format/style.js";
import { moment, relative } from "../format/time.js";
import { haltText } from "../restored.js";
import { allStanding, oneStanding } from "../standing.js";
import { credentialNamed, openOf } from "../subject.js";

/** The table of all, or one in detail. */
export const status = command({
  usage: "status [credential]",
  summary: "Show what runs and what waits",
  arguments: { credential: "name of a credential; without one, all of them in a table" },
  examples: [
    ["rekey status", "every credential, and what is open, due or unsigned"],
    ["rekey status orders-db", "gates, waves, versions and what happened"],
    ["rekey status --json", "for a program"],
  ],
  async run(cli, [name]) {
    const services = await cli.services();
    if (name === undefined) await showAll(cli, services);
    else await showOne(cli, services, name);
    return exitCodes.done;
  },
});

/** Longer than a worker lets anything wait for the log. */
const downAfterMs = 60_000;

async function showAll(cli: Cli, { inventory }: Services): Promise<void> {
  const now = cli.now();
  const [all, adoptions, halt, { findings: failing }] = await Promise.all([
    allStanding(inventory, now),
    inventory.adoptions(),
    inventory.halt(),
    inventory.findings({ code: "source-failing" }),
  ]);
  const failingSources = failing.filter(({ state }) => state === "open").map(({ subject }) => subject.name);
  if (halt !== null) cli.note(`${cli.paintError("bad", haltText(halt))}\n`);
  const { credentials, ...overview } = all;
  cli.show({ ...all, adoptions, restored: halt, failingSources }, () => {
    if (credentials.length === 0) return "No credential is declared yet. Begin with `rekey init`.";
    const headings = ["credential", "owner", "state", "last rotated", "due"];
    const rows = credentials.map((credential) => {
      const adoption = adoptions.find((one) => one.credential === credential.id);
      return row(credential, adoption, now, cli.paint);
    });
    const owed = [
      overview.unsignedIncidents > 0
        ? `${count(overview.unsignedIncidents, "emergency", "emergencies")} to sign off`
        : "",
      overview.unsentNotices > 0 ? `${count(overview.unsentNotices, "notice")} not sent` : "",
    ].filter((text) => text !== "");
    return [
      table(headings, rows, cli.paint),
      ...(owed.length > 0 ? ["", cli.paint("warn", owed.join(", "))] : []),
      ...untoldText(overview.untoldAudit, now, cli.paint),
      ...failingText(failingSources, cli.paint),
    ].join("\n");
  });
}

/** A log that is up takes in within seconds what is told to it; what waits for longer says that it is down (H31). */
function untoldText({ entries, since }: Overview["untoldAudit"], now: number, paint: Paint): string[] {
  if (since === null || now - since < downAfterMs) return [];
  const sentence = `The audit log is down: ${count(entries, "entry", "entries")} not taken in, the oldest ${relative(since, now)}.`;
  return [
    "",
    paint("bad", sentence),
    "Ordinary rotations change nothing meanwhile; `rekey doctor` says why.",
  ];
}

/** Whoever is new there is on no map, so it is told beside what runs. */
function failingText(names: readonly string[], paint: Paint): string[] {
  if (names.length === 0) return [];
  const sentence = `${count(names.length, "source")} could not be read: ${names.join(", ")}.`;
  return ["", paint("warn", sentence), "`rekey sources` says why, and since when nobody new is seen there."];
}

function row(
  credential: CredentialView,
  adoption: AdoptionRecord | undefined,
  now: number,
  paint: Paint,
): string[] {
  const { name, owner, lastRotatedAt, dueAt } = credential;
  const open = openOf(credential);
  const due = dueAt === null ? "" : relative(dueAt, now);
  return [
    name,
    owner,
    standingOf(open, adoption, now, paint),
    lastRotatedAt === null ? "never" : relative(lastRotatedAt, now),
    dueAt !== null && dueAt <= now ? paint("warn", due) : due,
  ];
}

/** A rotation is told before an adoption that rests while it runs. */
function standingOf(
  open: RotationSummary | null,
  adoption: AdoptionRecord | undefined,
  now: number,
  paint: Paint,
): string {
  if (open !== null) return stateOf(open, paint);
  return adoption === undefined ? paint("quiet", "idle") : paint("name", adoptionState(adoption, now));
}

function stateOf({ gate, standing, mode }: RotationSummary, paint: Paint): string {
  const where = [mode === "emergency" ? "emergency" : "", gate ?? "opening", standing ?? ""].filter(
    (part) => part !== "",
  );
  return paint(standing === "needs-operator" ? "bad" : "name", where.join(", "));
}

async function showOne(cli: Cli, services: Services, name: string): Promise<void> {
  const subject = await credentialNamed(services, name);
  const { look, ...told } = await oneStanding(services, subject, cli.now());
  const { names } = subject;
  const { unsigned } = told;
  const adoption = await openAdoptionOf(services, subject.id);
  cli.show({ ...told, adoption }, () => {
    const about = fields(
      [
        ["purpose", subject.purpose],
        ["owner", subject.owner],
        ["policy", policyText(subject)],
        ["consumers", subject.consumers.join(", ") || "none declared"],
        ["last rotated", subject.lastRotatedAt === null ? "never" : moment(subject.lastRotatedAt)],
        [
          "due",
          subject.dueAt === null ? null : `${moment(subject.dueAt)} (${relative(subject.dueAt, cli.now())})`,
        ],
        [
          "sign off",
          unsigned.length === 0
            ? null
            : cli.paint(
                "warn",
                `by ${moment(Math.min(...unsigned.map(({ signOffBy }) => signOffBy)))}: rekey sign-off ${name}`,
              ),
        ],
      ],
      cli.paint,
    );
    const picture =
      look === null ? [] : [rotationText({ look, credential: name, names, paint: cli.paint }, 20)];
    const adopting = adoption === null ? [] : [adoptionPicture(adoption, name, cli.now(), cli.paint)];
    return [about, ...adopting, ...picture].join("\n\n");
  });
}

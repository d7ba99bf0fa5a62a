/** `rekey status`: what is there, what runs and what waits, at a glance or one credential in detail. */
import { currentGate, shown } from "../../../domain/decide.js";
import { exitCodes } from "../../../domain/errors.js";
import { foldAll } from "../../../domain/rotation/fold.js";
import type { CredentialView } from "../../../inventory/credentials.js";
import type { RotationSummary } from "../../../inventory/rotations.js";
import type { Cli } from "../cli.js";
import { command } from "../command.js";
import type { Services } from "../deps.js";
import { count, fields, table } from "../format/layout.js";
import { rotationText } from "../format/rotation.js";
import type { Paint } from "../format/style.js";
import { moment, relative } from "../format/time.js";
import type { Inventory } from "../inventory.js";
import { lookAt } from "../look.js";
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

async function showAll(cli: Cli, { inventory }: Services): Promise<void> {
  const now = cli.io.now();
  const [listed, overview] = await Promise.all([inventory.credentials(), inventory.overview()]);
  const credentials = await Promise.all(listed.map((one) => withStanding(inventory, one, now)));
  cli.show({ credentials, ...overview }, () => {
    if (credentials.length === 0) return "No credential is declared yet. Begin with `rekey init`.";
    const headings = ["credential", "owner", "state", "last rotated", "due"];
    const rows = credentials.map((credential) => row(credential, now, cli.paint));
    const owed = [
      overview.unsignedIncidents > 0
        ? `${count(overview.unsignedIncidents, "emergency", "emergencies")} to sign off`
        : "",
      overview.unsentNotices > 0 ? `${count(overview.unsentNotices, "notice")} not sent` : "",
    ].filter((text) => text !== "");
    return [
      table(headings, rows, cli.paint),
      ...(owed.length > 0 ? ["", cli.paint("warn", owed.join(", "))] : []),
    ].join("\n");
  });
}

const standings = { do: "doing", wait: "waiting", "needs-operator": "needs-operator", done: "done" } as const;

/** Gate and standing of an open rotation as they are now, where its worker has not noted them. */
async function withStanding(inventory: Inventory, one: CredentialView, now: number): Promise<CredentialView> {
  const open = openOf(one);
  if (open === null || open.gate !== null) return one;
  const { initial, events } = await inventory.rotation(open.id);
  const state = foldAll(initial, events);
  const rotation = { ...open, gate: currentGate(state, now), standing: standings[shown(state, now).kind] };
  return { ...one, rotation };
}

function row(credential: CredentialView, now: number, paint: Paint): string[] {
  const { name, owner, lastRotatedAt, dueAt } = credential;
  const open = openOf(credential);
  const due = dueAt === null ? "" : relative(dueAt, now);
  return [
    name,
    owner,
    open === null ? paint("quiet", "idle") : stateOf(open, paint),
    lastRotatedAt === null ? "never" : relative(lastRotatedAt, now),
    dueAt !== null && dueAt <= now ? paint("warn", due) : due,
  ];
}

function stateOf({ gate, standing, mode }: RotationSummary, paint: Paint): string {
  const where = [mode === "emergency" ? "emergency" : "", gate ?? "opening", standing ?? ""].filter(
    (part) => part !== "",
  );
  return paint(standing === "needs-operator" ? "bad" : "name", where.join(", "));
}

async function showOne(cli: Cli, services: Services, name: string): Promise<void> {
  const subject = await credentialNamed(services, name);
  const { names, open: _, ...credential } = subject;
  const look = await lookAt(services, subject.id, cli.io.now());
  const unsigned = await services.inventory.unsigned(subject.id);
  const standing = look === null ? null : shown(look.state, look.now);
  const rotation =
    look === null
      ? null
      : { ...look.row, workflow: look.workflow, standing, state: look.state, timeline: look.timeline };
  cli.show({ credential, rotation, unsigned }, () => {
    const about = fields(
      [
        ["purpose", subject.purpose],
        ["owner", subject.owner],
        ["policy", subject.policy],
        ["consumers", subject.consumers.join(", ") || "none declared"],
        ["last rotated", subject.lastRotatedAt === null ? "never" : moment(subject.lastRotatedAt)],
        [
          "due",
          subject.dueAt === null
            ? null
            : `${moment(subject.dueAt)} (${relative(subject.dueAt, cli.io.now())})`,
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
    return [about, ...picture].join("\n\n");
  });
}

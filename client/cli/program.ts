/** All commands in one list, in the order in which somebody new needs them. */
import { type Argument, Command } from "commander";
import { type AnyCommand, build } from "./command.js";
import { adopt } from "./commands/adopt.js";
import { adoptRotation } from "./commands/adopt-rotation.js";
import { apply } from "./commands/apply.js";
import { approve, reject } from "./commands/approve.js";
import { audit } from "./commands/audit.js";
import { baseline } from "./commands/baseline.js";
import { blast } from "./commands/blast.js";
import { cancel } from "./commands/cancel.js";
import { changes } from "./commands/changes.js";
import { completion } from "./commands/completion.js";
import { confirm } from "./commands/confirm.js";
import { consumers } from "./commands/consumers.js";
import { demo } from "./commands/demo.js";
import { discover } from "./commands/discover.js";
import { doctor } from "./commands/doctor.js";
import { dormant } from "./commands/dormant.js";
import { expedite } from "./commands/expedite.js";
import { explain } from "./commands/explain.js";
import { find } from "./commands/find.js";
import { findings } from "./commands/findings.js";
import { get } from "./commands/get.js";
import { grants } from "./commands/grants.js";
import { graph } from "./commands/graph.js";
import { init } from "./commands/init.js";
import { keygen } from "./commands/keygen.js";
import { metrics } from "./commands/metrics.js";
import { migrate } from "./commands/migrate.js";
import { order } from "./commands/order.js";
import { path } from "./commands/path.js";
import { plan } from "./commands/plan.js";
import { reconcile } from "./commands/reconcile.js";
import { resume } from "./commands/resume.js";
import { rotate } from "./commands/rotate.js";
import { schema } from "./commands/schema.js";
import { server } from "./commands/server.js";
import { orphaned, shared } from "./commands/shared.js";
import { signOff } from "./commands/sign-off.js";
import { sources } from "./commands/sources.js";
import { status } from "./commands/status.js";
import { up } from "./commands/up.js";
import { validate } from "./commands/validate.js";
import { watch } from "./commands/watch.js";
import { worker } from "./commands/worker.js";
import { workers } from "./commands/workers.js";

/** The commands under the headings of `rekey --help`. */
function groups(program: () => Command): readonly (readonly [string, readonly AnyCommand[]])[] {
  return [
    ["Describe what you have:", [init, validate, schema, apply, get]],
    [
      "Know who uses what:",
      [discover, sources, consumers, baseline, blast, path, order, graph, shared, dormant, changes],
    ],
    ["Know what is missing:", [findings, orphaned, metrics]],
    ["Prepare:", [keygen, grants, adopt, doctor]],
    ["Rotate:", [plan, rotate, status, watch]],
    ["Decide:", [approve, reject, confirm, signOff]],
    ["When something is wrong:", [find, explain, cancel, resume, expedite, adoptRotation, reconcile]],
    ["Prove it:", [audit]],
    ["Run it:", [up, worker, workers, server, migrate, demo, completion(program)]],
  ];
}

/** How wide the help is, whatever the terminal: the pages show it as it is. */
const helpColumns = 100;

/** What runs a command that was recognised. */
export type Act = Parameters<typeof build>[1];

/** The whole command line of the release `version`. Parsing throws `CommanderError` instead of ending the process; texts go to `write`. */
export function programFor(
  act: Act,
  version: string,
  write: (text: string) => void = () => undefined,
): Command {
  const program = new Command("rekey")
    .description(
      "Rotate machine credentials without an outage: map every consumer, ask the owner, prove the new one, prove the old one dead.",
    )
    .version(`rekey ${version}`, "-V, --version", "show which release this is")
    .helpCommand(false)
    .addHelpText("after", epilogue);
  for (const [heading, specs] of groups(() => program)) {
    for (const spec of specs) program.addCommand(build(spec, act).helpGroup(heading));
  }
  for (const one of [program, ...program.commands]) {
    one.exitOverride().showSuggestionAfterError(true);
    one.configureOutput({
      writeOut: write,
      // Errors are printed by `run`, in one voice with all others.
      outputError: () => undefined,
      writeErr: () => undefined,
      getOutHelpWidth: () => helpColumns,
      getOutHasColors: () => false,
    });
    one.configureHelp({
      showGlobalOptions: false,
      subcommandTerm: (sub) => [sub.name(), ...sub.registeredArguments.map(argumentTerm)].join(" "),
    });
  }
  return program;
}

function argumentTerm(argument: Argument): string {
  return argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
}

const epilogue = `
Begin with \`rekey demo\`, or with \`rekey init\` for your own estate.
Exit codes: 0 done, 1 failed or went back, 2 wrong usage, 3 refused by policy, 4 needs an operator,
5 something is not reachable, 130 you stopped waiting.`;

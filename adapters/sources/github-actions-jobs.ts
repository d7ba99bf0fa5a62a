/** What a job of a workflow says: the secrets that its texts name, the values that stand in them, whom it calls, and where it runs. */
import type { ReaderThing } from "../../domain/discovery/said.js";
import { mapOf, named, type Setting, settingsIn, textOf, yamlDocuments } from "../shared/source-config.js";
import { location, type Says, told } from "../shared/source-says.js";
import { valuesIn } from "../shared/source-values.js";
import { expressionsIn } from "./github-actions-expressions.js";
import { saysFetched } from "./github-actions-fetched.js";
import {
  type Reading,
  saysHandedOver,
  saysNamed,
  saysSecrets,
  type Workflow,
  workflowOf,
} from "./github-actions-places.js";
import { anything } from "./github-actions-possible.js";
import { calledBy, environmentsOf, lookupOf } from "./github-actions-repository.js";

type Body = Readonly<Record<string, unknown>>;

/** Everything that the jobs of a workflow say. */
export async function saysWorkflow(workflow: Workflow, says: Says): Promise<void> {
  const { top, path, repository } = workflow;
  for (const [name, written] of Object.entries(mapOf(top.jobs))) {
    const job = mapOf(written);
    const at = `jobs.${name}`;
    const runsIn = environmentsOf(top, path, job, repository);
    const reading = { reader: readerOf(workflow, name), workflow, environments: runsIn.names };
    const isAll = job.secrets === "inherit";
    // The workflow's own variables and what stands in for its inputs are given to every job.
    const texts = [...settingsIn(top.env, "env"), ...settingsIn(job, at), ...inputsOf(top.on)];
    const namesSecrets = saysTexts(reading, texts, says) || isAll;
    if (isAll) saysSecrets(reading, { names: [], all: true }, `${at}.secrets of ${path} is inherit`, says);
    if (runsIn.unknown !== null && namesSecrets) {
      says.gap(
        `${at}.environment of ${path} may be any environment (${told(runsIn.unknown)}), so that it is taken for each that the workflows name. Name all of the repository in \`environments\`.`,
      );
    }
    saysFetched(reading, job.steps, at, lookupOf(top, path, job, repository), says);
    await saysCall(reading, job, at, says);
  }
}

/** Everything that an action of the repository says. Whoever uses it hands it the secrets. */
export function saysAction(workflow: Workflow, says: Says): void {
  const { runs, inputs } = workflow.top;
  const reading = { reader: readerOf(workflow, null), workflow, environments: [] };
  saysTexts(reading, [...settingsIn(runs, "runs"), ...defaultsIn(inputs, "inputs")], says);
  saysFetched(reading, mapOf(runs).steps, "runs", () => [anything], says);
}

function readerOf({ path, repository }: Workflow, job: string | null): ReaderThing {
  const name = job === null ? path : `${path}/${job}`;
  return {
    is: "reader",
    name: `${job === null ? "action" : `job ${job} of`} ${path} in ${repository.name}`,
    traits: { workload: `github-actions ${repository.name}/${name}` },
    // The platform gives each job an identity of its own.
    class: "workload-identity",
  };
}

function inputsOf(on: unknown): Setting[] {
  return ["workflow_call", "workflow_dispatch"].flatMap((event) =>
    defaultsIn(mapOf(mapOf(on)[event]).inputs, `on.${event}.inputs`),
  );
}

/** What stands in for inputs that nobody gives, each under the input's name. */
function defaultsIn(inputs: unknown, path: string): Setting[] {
  return Object.entries(mapOf(inputs)).flatMap(([name, input]) => {
    const text = textOf(mapOf(input).default);
    return text === null ? [] : [{ path: `${path}.${name}.default`, name, text }];
  });
}

/** Every text: the secrets that it names, and values that stand in it. Says whether any names one. */
function saysTexts(reading: Reading, settings: readonly Setting[], says: Says): boolean {
  const { reader, workflow } = reading;
  let namesSecrets = false;
  for (const setting of settings) {
    const where = `${setting.path} of ${workflow.path}`;
    // A condition is an expression without braces.
    const expressions =
      setting.name === "if" && !setting.text.includes("${{") ? [setting.text] : expressionsIn(setting.text);
    for (const expression of expressions)
      namesSecrets = saysNamed(reading, expression, where, says) || namesSecrets;
    // Scripts are many lines; what is said of a step is in its own settings.
    const met = ["run", "uses", "if", "on"].includes(setting.name)
      ? []
      : valuesIn(setting.name, setting.text);
    if (met.length === 0) continue;
    const at = location(workflow.files, `${workflow.path}#${setting.path}`);
    says.copy(at, met, true, where);
    says.declared(reader, "uses", at, `${where} holds ${met[0]?.as}`);
  }
  return namesSecrets;
}

/** A workflow that is called: what it is given comes from the caller's secrets. */
async function saysCall(reading: Reading, job: Body, at: string, says: Says): Promise<void> {
  const { workflow: caller } = reading;
  const uses = named(job.uses);
  const path = calledBy(uses, caller.repository.name);
  if (path === null) {
    if (uses !== null) saysCalledAway(reading, uses, job.secrets, at, says);
    return;
  }
  const found = await caller.repository.beside(path);
  const [parsed] = found !== null && "text" in found ? yamlDocuments(found.text) : [];
  if (parsed === undefined || "why" in parsed) {
    says.gap(`${caller.path} calls ${told(path)}, which cannot be read.`);
    return;
  }
  saysHandedOver(workflowOf({ ...caller, path }, mapOf(parsed.value)), job.secrets, caller, says);
}

/** Who hands everything to a workflow of another repository hands over the secrets of whatever environment that chooses, too. */
function saysCalledAway(reading: Reading, uses: string, secrets: unknown, at: string, says: Says): void {
  if (secrets !== "inherit") return;
  const { workflow } = reading;
  const { environments, areAllNamed } = workflow.repository;
  const sentence = `${at} of ${workflow.path} calls ${told(uses)} with all secrets, and that chooses the environment`;
  saysSecrets({ ...reading, environments: [...environments] }, { names: [], all: true }, sentence, says);
  if (areAllNamed) return;
  says.gap(`${sentence}. Name all environments of the repository in \`environments\`.`);
}

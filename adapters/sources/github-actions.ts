/** The kind `github-actions`: which job of which workflow is given which secret. docs/kinds/github-actions.md is its page for users. */
import { posix } from "node:path";
import { z } from "zod";
import type { LocationThing, ReaderThing } from "../../domain/discovery/said.js";
import type { AdapterDeps, Source, SourceKind } from "../ports.js";
import { isMap, mapOf, named, settingsIn, textOf, yamlDocuments } from "../shared/source-config.js";
import type { ReadBeside } from "../shared/source-files.js";
import { folderSettings, folderSource, nameOf, repositoryOf } from "../shared/source-folder.js";
import { location, type Says, told } from "../shared/source-says.js";
import { valuesIn } from "../shared/source-values.js";
import { expressionsIn, secretsNamed } from "./github-actions-expressions.js";

const actionsConfig = z.strictObject(
  folderSettings("one repository, in which workflows stand in `.github/workflows`"),
);

type ActionsConfig = z.output<typeof actionsConfig>;

const isWorkflow = (path: string) => /^\.github\/workflows\/[^/]+\.ya?ml$/.test(path);
const isAction = (path: string) => /^action\.ya?ml$/.test(posix.basename(path));

/** A workflow and its repository on the map. */
interface Workflow {
  readonly path: string;
  readonly repository: string;
  /** In what its files are. */
  readonly files: string;
  /** Secrets that it is given by its callers, in capitals. */
  readonly given: ReadonlySet<string>;
}

function create(config: ActionsConfig, deps: AdapterDeps): Source {
  const repository = nameOf(config);
  return folderSource<ReadBeside>(
    config,
    {
      files: "workflows",
      isWanted: (path) => isWorkflow(path) || isAction(path),
      prepare: async (_files, beside) => beside,
      async read({ path, text }, says, beside) {
        says.records = 1;
        const [parsed] = yamlDocuments(text);
        if (parsed === undefined || "why" in parsed || !isMap(parsed.value)) {
          says.cannotRead(
            path,
            parsed !== undefined && "why" in parsed ? parsed.why : "no workflow: its top is no map",
          );
          return;
        }
        const workflow = { path, repository, files: repositoryOf(config), given: givenTo(parsed.value) };
        if (isAction(path)) {
          saysTexts(readerOf(workflow, null), parsed.value.runs, "runs", null, workflow, says);
          return;
        }
        for (const [name, job] of Object.entries(mapOf(parsed.value.jobs))) {
          await saysJob(name, mapOf(job), parsed.value, workflow, beside, says);
        }
      },
    },
    deps,
  );
}

/** What `on.workflow_call.secrets` declares. */
function givenTo(top: Readonly<Record<string, unknown>>): Set<string> {
  const secrets = mapOf(mapOf(mapOf(top.on).workflow_call).secrets);
  return new Set(Object.keys(secrets).map((name) => name.toUpperCase()));
}

function readerOf({ path, repository }: Workflow, job: string | null): ReaderThing {
  const name = job === null ? path : `${path}/${job}`;
  return {
    is: "reader",
    name: `${job === null ? "action" : `job ${job} of`} ${path} in ${repository}`,
    traits: { workload: `github-actions ${repository}/${name}` },
    // The platform gives each job an identity of its own.
    class: "workload-identity",
  };
}

async function saysJob(
  name: string,
  job: Readonly<Record<string, unknown>>,
  top: Readonly<Record<string, unknown>>,
  workflow: Workflow,
  beside: ReadBeside,
  says: Says,
): Promise<void> {
  const reader = readerOf(workflow, name);
  const environment = named(job.environment) ?? named(mapOf(job.environment).name);
  // The workflow's own variables are given to every job.
  saysTexts(reader, top.env, "env", environment, workflow, says);
  saysTexts(reader, job, `jobs.${name}`, environment, workflow, says);
  if (job.secrets === "inherit") {
    saysNames(
      reader,
      { names: [], all: true },
      environment,
      `jobs.${name}.secrets of ${workflow.path} is inherit`,
      workflow,
      says,
    );
  }
  const uses = named(job.uses);
  if (uses?.startsWith("./") === true)
    await saysCall(posix.normalize(uses), job.secrets, workflow, beside, says);
}

/** A workflow of the same repository that is called: what it is given comes from the caller's secrets. */
async function saysCall(
  path: string,
  secrets: unknown,
  caller: Workflow,
  beside: ReadBeside,
  says: Says,
): Promise<void> {
  const found = await beside(path);
  const [parsed] = found !== null && "text" in found ? yamlDocuments(found.text) : [];
  if (parsed === undefined || "why" in parsed) {
    says.gaps.push(`${caller.path} calls ${told(path)}, which cannot be read.`);
    return;
  }
  const called = { ...caller, path, given: givenTo(mapOf(parsed.value)) };
  const sentence = `${caller.path} calls ${path} with it`;
  if (secrets === "inherit") {
    for (const name of called.given)
      says.declared(givenAt(called, name), "depends-on", secretAt(caller, name, null, says), sentence);
    return;
  }
  for (const [name, text] of Object.entries(mapOf(secrets))) {
    for (const expression of expressionsIn(textOf(text) ?? "")) {
      for (const own of secretsNamed(expression).names.filter((own) => own !== "GITHUB_TOKEN")) {
        says.declared(
          givenAt(called, name.toUpperCase()),
          "depends-on",
          secretAt(caller, own, null, says),
          sentence,
        );
      }
    }
  }
}

/** Every text of a piece: the secrets that it names, and values that stand in it. */
function saysTexts(
  reader: ReaderThing,
  piece: unknown,
  path: string,
  environment: string | null,
  workflow: Workflow,
  says: Says,
): void {
  for (const setting of settingsIn(piece, path)) {
    const where = `${setting.path} of ${workflow.path}`;
    // A condition is an expression without braces.
    const expressions =
      setting.name === "if" && !setting.text.includes("${{") ? [setting.text] : expressionsIn(setting.text);
    for (const expression of expressions) {
      const what = secretsNamed(expression);
      saysNames(
        reader,
        what,
        environment,
        `${where} names ${what.all ? "all secrets" : "it"}`,
        workflow,
        says,
      );
    }
    // Scripts are many lines; what is said of a step is in its own settings.
    const met = ["run", "uses", "if", "on"].includes(setting.name)
      ? []
      : valuesIn(setting.name, setting.text);
    if (met.length === 0) continue;
    const at = location(workflow.files, `${workflow.path}#${setting.path}`);
    says.copy(at, met, true, where);
    says.declared(reader, "uses", at, `${where} holds ${met[0]?.as}`);
  }
}

function saysNames(
  reader: ReaderThing,
  { names, all }: { readonly names: readonly string[]; readonly all: boolean },
  environment: string | null,
  sentence: string,
  workflow: Workflow,
  says: Says,
): void {
  // Made for each job by the platform, and gone with it.
  for (const name of names.filter((name) => name !== "GITHUB_TOKEN")) {
    if (workflow.given.has(name)) {
      says.declared(reader, "uses", givenAt(workflow, name), sentence);
      continue;
    }
    says.declared(reader, "uses", secretAt(workflow, name, null, says), sentence);
    if (environment !== null) {
      const ofEnvironment = `${sentence}; the environment ${environment} may have one of that name, which then counts`;
      says.declared(reader, "uses", secretAt(workflow, name, environment, says), ofEnvironment);
    }
  }
  if (!all) return;
  for (const from of environment === null ? [null] : [null, environment])
    says.declared(reader, "uses", allAt(workflow, from), sentence);
}

/** A secret of the repository (or of its organization, which a workflow does not tell), or of an environment. */
function secretAt(workflow: Workflow, name: string, environment: string | null, says: Says): LocationThing {
  const all = allAt(workflow, environment);
  const at = location(all.scope, `${all.path.slice(0, -1)}${name}`);
  says.declared(
    at,
    "stored-in",
    all,
    `${name} is one of the secrets of ${environment ?? workflow.repository}`,
  );
  return at;
}

function allAt({ repository }: Workflow, environment: string | null): LocationThing {
  const path = environment === null ? "secrets/*" : `environments/${environment}/secrets/*`;
  return location(`github ${repository}`, path);
}

/** What a called workflow is given under this name. */
function givenAt({ repository, path }: Workflow, name: string): LocationThing {
  return location(`github ${repository}`, `${path}#secrets.${name}`);
}

/** Workflows of one repository. */
export const githubActions: SourceKind<typeof actionsConfig> = {
  shows: "now",
  sees: "configuration",
  config: actionsConfig,
  create,
};

/** Where the secrets of GitHub are that a workflow names: the repository's, an environment's, or what a caller hands over. */
import type { LocationThing, ReaderThing } from "../../domain/discovery/said.js";
import { mapOf } from "../shared/source-config.js";
import { location, type Says } from "../shared/source-says.js";
import type { StoreMap } from "../shared/source-stores.js";
import { secretName } from "../shared/source-values.js";
import { expressionsIn, type Named, namedOf } from "./github-actions-expressions.js";
import { type Repository, triggersOf } from "./github-actions-repository.js";

type Body = Readonly<Record<string, unknown>>;

/** Made for each job by the platform, and gone with it. */
const platformToken = "GITHUB_TOKEN";

/** A workflow, or an action, and its repository on the map. */
export interface Workflow {
  readonly path: string;
  readonly top: Body;
  readonly repository: Repository;
  /** In what its files are. */
  readonly files: string;
  readonly places: StoreMap;
  /** Secrets that it is given by its callers, in capitals. */
  readonly given: ReadonlySet<string>;
  /** Something else than a caller starts it too; then it has the repository's own. */
  readonly startsItself: boolean;
}

/** A job in a workflow: who reads, and in which environments it may run. */
export interface Reading {
  readonly reader: ReaderThing;
  readonly workflow: Workflow;
  readonly environments: readonly string[];
}

/** What a workflow is given, and by what it is started. */
export function workflowOf(
  of: Pick<Workflow, "path" | "repository" | "files" | "places">,
  top: Body,
): Workflow {
  const secrets = mapOf(mapOf(mapOf(top.on).workflow_call).secrets);
  return {
    ...of,
    top,
    given: new Set(Object.keys(secrets).map((name) => name.toUpperCase())),
    startsItself: triggersOf(top.on).some((event) => event !== "workflow_call"),
  };
}

/**
 * What an expression names: secrets, and variables whose names say that one stands there, which some keep so. Says whether it names
 * any.
 */
export function saysNamed(of: Reading, expression: string, where: string, says: Says): boolean {
  const secrets = namedOf("secrets", expression);
  saysSecrets(of, secrets, `${where} names ${secrets.all ? "all secrets" : "it"}`, says);
  const variables = namedOf("vars", expression).names.filter((name) => secretName(name) !== null);
  for (const name of variables)
    for (const environment of [null, ...of.environments])
      says.declared(
        of.reader,
        "uses",
        oneAt(of.workflow, "variables", name, environment, says),
        `${where} names it`,
      );
  return secrets.all || [...secrets.names, ...variables].some((name) => name !== platformToken);
}

/** Whoever reads uses these secrets. */
export function saysSecrets(
  { reader, workflow, environments }: Reading,
  { names, all }: Named,
  sentence: string,
  says: Says,
): void {
  for (const name of names.filter((name) => name !== platformToken)) {
    for (const at of placesOf(workflow, name, says)) says.declared(reader, "uses", at, sentence);
    // Also of what a caller hands over: that of the environment goes before it.
    for (const environment of environments) {
      const ofEnvironment = `${sentence}; the environment ${environment} may have one of that name, which then counts`;
      says.declared(reader, "uses", oneAt(workflow, "secrets", name, environment, says), ofEnvironment);
    }
  }
  if (!all) return;
  for (const name of workflow.given) says.declared(reader, "uses", givenAt(workflow, name), sentence);
  for (const from of [null, ...environments])
    says.declared(reader, "uses", allAt(workflow, "secrets", from), sentence);
}

/** What a workflow is given by a caller depends on what the caller hands over. */
export function saysHandedOver(called: Workflow, secrets: unknown, caller: Workflow, says: Says): void {
  const handsOver = (name: string, own: string) => {
    for (const at of placesOf(caller, own, says))
      says.declared(givenAt(called, name), "depends-on", at, `${caller.path} calls ${called.path} with it`);
  };
  if (secrets === "inherit") for (const name of called.given) handsOver(name, name);
  for (const [name, text] of Object.entries(mapOf(secrets)))
    for (const expression of expressionsIn(String(text)))
      for (const own of namedOf("secrets", expression).names)
        if (own !== platformToken) handsOver(name.toUpperCase(), own);
}

/** What a name stands for in a workflow, environments aside. */
function placesOf(workflow: Workflow, name: string, says: Says): LocationThing[] {
  const isGiven = workflow.given.has(name);
  return [
    ...(isGiven ? [givenAt(workflow, name)] : []),
    ...(isGiven && !workflow.startsItself ? [] : [oneAt(workflow, "secrets", name, null, says)]),
  ];
}

/** One of the repository (or of its organization, which a workflow does not tell), or of an environment. */
function oneAt(
  workflow: Workflow,
  what: "secrets" | "variables",
  name: string,
  environment: string | null,
  says: Says,
): LocationThing {
  const all = allAt(workflow, what, environment);
  const at = location(all.scope, `${all.path.slice(0, -1)}${name}`);
  const sentence = `${name} is one of the ${what} of ${environment ?? workflow.repository.name}`;
  says.declared(at, "stored-in", all, sentence);
  return at;
}

function allAt({ repository }: Workflow, what: string, environment: string | null): LocationThing {
  const path = environment === null ? `${what}/*` : `environments/${environment}/${what}/*`;
  return location(`github ${repository.name}`, path);
}

/** What a called workflow is given under this name. */
function givenAt({ repository, path }: Workflow, name: string): LocationThing {
  return location(`github ${repository.name}`, `${path}#secrets.${name}`);
}

/** The kind `github-actions`: which job of which workflow is given which secret. docs/kinds/github-actions.md is its page for users. */
import { posix } from "node:path";
import { z } from "zod";
import type { AdapterDeps, Source, SourceKind } from "../ports.js";
import { ciStoresSetting } from "../shared/source-ci-stores.js";
import { isMap, yamlDocuments } from "../shared/source-config.js";
import { folderSettings, folderSource, nameOf, repositoryOf } from "../shared/source-folder.js";
import { storeMap } from "../shared/source-stores.js";
import { saysDependabot } from "./github-actions-dependabot.js";
import { saysAction, saysWorkflow } from "./github-actions-jobs.js";
import { workflowOf } from "./github-actions-places.js";
import { isWorkflow, type Repository, repositoryIn } from "./github-actions-repository.js";

const actionsConfig = z.strictObject({
  ...folderSettings("one repository, in which workflows stand in `.github/workflows`"),
  environments: z
    .array(z.string().min(1))
    .default([])
    .describe(
      "Every environment of the repository, for jobs whose environment is an expression; those that workflows name unless given.",
    ),
  stores: ciStoresSetting,
});

type ActionsConfig = z.output<typeof actionsConfig>;

const isAction = (path: string) => /^action\.ya?ml$/.test(posix.basename(path));
const isDependabot = (path: string) => /^\.github\/dependabot\.ya?ml$/.test(path);

function create(config: ActionsConfig, deps: AdapterDeps): Source {
  const of = { files: repositoryOf(config), places: storeMap(config.stores) };
  const { environments } = config;
  return folderSource<Repository>(
    config,
    {
      files: "workflows",
      isWanted: (path) => isWorkflow(path) || isAction(path) || isDependabot(path),
      prepare: (files, beside) => repositoryIn(files(), { name: nameOf(config), beside, environments }),
      async read({ path, text }, says, repository) {
        says.records = 1;
        const [parsed] = yamlDocuments(text);
        if (parsed === undefined || "why" in parsed || !isMap(parsed.value)) {
          const why = parsed !== undefined && "why" in parsed ? parsed.why : "no workflow: its top is no map";
          says.cannotRead(path, why);
          return;
        }
        const workflow = workflowOf({ ...of, path, repository }, parsed.value);
        if (isDependabot(path)) saysDependabot(workflow, says);
        else if (isAction(path)) saysAction(workflow, says);
        else await saysWorkflow(workflow, says);
      },
    },
    deps,
  );
}

/** Workflows of one repository. */
export const githubActions: SourceKind<typeof actionsConfig> = {
  shows: "now",
  sees: "configuration",
  config: actionsConfig,
  create,
};

/** The kind `gitlab-ci`: which job of a pipeline is given which variable or secret. docs/kinds/gitlab-ci.md is its page for users. */
import { posix } from "node:path";
import { z } from "zod";
import type { AdapterDeps, Source, SourceKind } from "../ports.js";
import { ciStoresSetting } from "../shared/source-ci-stores.js";
import { isMap } from "../shared/source-config.js";
import { folderSettings, folderSource, nameOf, repositoryOf } from "../shared/source-folder.js";
import { storeMap } from "../shared/source-stores.js";
import { type Project, pipelinesIn } from "./gitlab-ci-gather.js";
import { saysPipeline } from "./gitlab-ci-says.js";

const pipelineConfig = z.strictObject({
  ...folderSettings("one project, with its `.gitlab-ci.yml`"),
  variables: z
    .array(z.string().min(1))
    .default([])
    .describe("Variables of the project that are secrets, where their names do not say so."),
  stores: ciStoresSetting,
});

type PipelineConfig = z.output<typeof pipelineConfig>;

/** The pipeline's own file and the ones that are commonly taken in; others are read where one of these includes them. */
function isPipeline(path: string): boolean {
  return /^(?:.*[.-])?gitlab-ci\.ya?ml$/s.test(posix.basename(path));
}

function create(config: PipelineConfig, deps: AdapterDeps): Source {
  const of = {
    project: nameOf(config),
    files: repositoryOf(config),
    places: storeMap(config.stores),
    variables: new Set(config.variables),
  };
  return folderSource<Project>(
    config,
    {
      files: "pipelines",
      isWanted: isPipeline,
      prepare: async (matching, beside) => ({ ...of, matching, beside }),
      async read({ path, text }, says, project) {
        says.records = 1;
        const { pipelines, broken } = pipelinesIn(text);
        for (const { line, why } of broken) says.cannotRead(`${path}:${line}`, why);
        for (const pipeline of pipelines) {
          if (isMap(pipeline)) await saysPipeline(pipeline, path, project, says);
          else says.cannotRead(path, "no pipeline: its top is no map");
        }
      },
    },
    deps,
  );
}

/** Pipelines of one project. */
export const gitlabCi: SourceKind<typeof pipelineConfig> = {
  shows: "now",
  sees: "configuration",
  config: pipelineConfig,
  create,
};

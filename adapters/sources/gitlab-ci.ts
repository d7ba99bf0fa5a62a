/** The kind `gitlab-ci`: which job of a pipeline is given which variable or secret. docs/kinds/gitlab-ci.md is its page for users. */
import { posix } from "node:path";
import { z } from "zod";
import type { AdapterDeps, Source, SourceKind } from "../ports.js";
import { isMap, yamlDocuments } from "../shared/source-config.js";
import { folderSettings, folderSource, nameOf, repositoryOf } from "../shared/source-folder.js";
import { storeMap, storesSetting } from "../shared/source-stores.js";
import { saysPipeline } from "./gitlab-ci-says.js";

const pipelineConfig = z.strictObject({
  ...folderSettings("one project, with its `.gitlab-ci.yml`"),
  stores: storesSetting({
    pattern: /^(?:vault|azure_key_vault|gcp_secret_manager|aws_secrets_manager)$/,
    words: "`vault`, `azure_key_vault`, `gcp_secret_manager` or `aws_secrets_manager`",
  }),
});

type PipelineConfig = z.output<typeof pipelineConfig>;

/** The pipeline's own file and the ones that are commonly taken in; others are read where one of these includes them. */
function isPipeline(path: string): boolean {
  return /^(?:.*[.-])?gitlab-ci\.ya?ml$/s.test(posix.basename(path));
}

function create(config: PipelineConfig, deps: AdapterDeps): Source {
  const places = storeMap(config.stores);
  return folderSource(
    config,
    {
      files: "pipelines",
      isWanted: isPipeline,
      prepare: async (_files, beside) => beside,
      async read({ path, text }, says, beside) {
        says.records = 1;
        // A pipeline may have a header of its own, as a document before it.
        for (const parsed of yamlDocuments(text)) {
          if ("why" in parsed) says.cannotRead(`${path}:${parsed.line}`, parsed.why);
          else if (isMap(parsed.value)) {
            const frame = { path, project: nameOf(config), files: repositoryOf(config), places, beside };
            await saysPipeline(parsed.value, frame, says);
          } else if (parsed.value !== null) says.cannotRead(path, "no pipeline: its top is no map");
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

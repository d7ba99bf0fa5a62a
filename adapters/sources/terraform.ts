/** The kind `terraform`: state and plans of Terraform and OpenTofu as `show -json` prints them. docs/kinds/terraform.md is its page for users. */
import { z } from "zod";
import type { AdapterDeps, Source, SourceKind } from "../ports.js";
import { isMap, jsonDocument, mapOf, named } from "../shared/source-config.js";
import { folderSettings, folderSource, nameOf, repositoryOf } from "../shared/source-folder.js";
import { storeMap, storesSetting } from "../shared/source-stores.js";
import { saysConfiguration } from "./terraform-configuration.js";
import type { TerraformFrame } from "./terraform-stores.js";
import { saysValues, saysVariables } from "./terraform-values.js";

const terraformConfig = z.strictObject({
  ...folderSettings("what `terraform show -json` printed, one file for each state or plan"),
  fileBytesMax: z
    .int()
    .min(1024)
    .max(268_435_456)
    .default(67_108_864)
    .describe("Larger files are reported and not read, in bytes; 64 MiB unless given."),
  stores: storesSetting({
    pattern: /^(?:data\.|ephemeral\.)?[a-z][a-z0-9_]*$/,
    words:
      "a type of resource such as `aws_secretsmanager_secret_version`, with `data.` or `ephemeral.` before it for one that is only read in that way",
  }),
});

type TerraformConfig = z.output<typeof terraformConfig>;

function create(config: TerraformConfig, deps: AdapterDeps): Source {
  const places = storeMap(config.stores);
  return folderSource<null>(
    config,
    {
      files: "states and plans in JSON",
      isWanted: (path) => /\.(?:json|tfstate)$/i.test(path),
      prepare: async () => null,
      async read({ path, text }, says) {
        const parsed = jsonDocument(text);
        if ("why" in parsed) {
          says.records += 1;
          says.cannotRead(path, parsed.why);
          return;
        }
        const top = mapOf(parsed.value);
        if (named(top.terraform_version) === null) return;
        says.records += 1;
        if (named(top.format_version) === null) {
          says.cannotRead(
            path,
            "a state as it is kept, not as `show -json` prints it; its form changes between versions",
          );
          return;
        }
        const frame: TerraformFrame = {
          ...{ path, name: nameOf(config), files: repositoryOf(config), places },
          ...{ known: new Map(), stored: new Set() },
        };
        const configuration = mapOf(top.configuration);
        const state = isMap(top.values) ? top.values : mapOf(mapOf(top.prior_state).values);
        saysValues(state, frame, says);
        saysValues(mapOf(top.planned_values), frame, says);
        saysVariables(top.variables, mapOf(mapOf(configuration.root_module).variables), frame, says);
        saysConfiguration(configuration, frame, says);
      },
    },
    deps,
  );
}

/** States and plans in JSON. */
export const terraform: SourceKind<typeof terraformConfig> = {
  shows: "now",
  sees: "configuration",
  config: terraformConfig,
  create,
};

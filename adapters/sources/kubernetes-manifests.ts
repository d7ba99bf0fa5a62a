/** The kind `kubernetes-manifests`: manifests in a folder, and what Helm and Kustomize print. docs/kinds/kubernetes-manifests.md is its page for users. */
import { z } from "zod";
import type { Claim } from "../../domain/discovery/said.js";
import type { AdapterDeps, Source, SourceKind } from "../ports.js";
import { jsonDocuments, type Parsed, yamlDocuments } from "../shared/source-config.js";
import type { ReadBeside } from "../shared/source-files.js";
import { folderSettings, folderSource } from "../shared/source-folder.js";
import { saysObject } from "../shared/source-kubernetes.js";
import { KubernetesCollector } from "../shared/source-kubernetes-frame.js";
import {
  type KubernetesFrame,
  type KubernetesObject,
  objectsOf,
} from "../shared/source-kubernetes-objects.js";
import { Rights } from "../shared/source-kubernetes-rights.js";
import {
  isKustomization,
  kustomizationName,
  kustomized,
  type Unrendered,
  unrenderedGaps,
} from "../shared/source-kubernetes-unrendered.js";
import { Says } from "../shared/source-says.js";
import { kubernetesStores, storeMap, storesSetting } from "../shared/source-stores.js";

const manifestsConfig = z.strictObject({
  ...folderSettings("manifests, in YAML or JSON"),
  cluster: z
    .string()
    .regex(/^[^\s]{1,100}$/)
    .describe(
      "The cluster that they are for, as it is called on the map; the same name for every source of that cluster.",
    ),
  namespace: z.string().min(1).default("default").describe("Namespace of objects that do not say one."),
  stores: storesSetting(kubernetesStores),
});

type ManifestsConfig = z.output<typeof manifestsConfig>;

const fileName = /\.(?:ya?ml|json)$/i;

const documentsOf = (path: string, text: string): Parsed[] =>
  /\.json$/i.test(path) ? jsonDocuments(text) : yamlDocuments(text);

/** What is known of all files, and how those are read that one of them names. */
interface Context {
  readonly frame: KubernetesFrame;
  readonly beside: ReadBeside;
}

function create(config: ManifestsConfig, deps: AdapterDeps): Source {
  const places = storeMap(config.stores);
  return folderSource<Context>(
    config,
    {
      files: "manifests",
      isWanted: (path) => fileName.test(path) || kustomizationName.test(path),
      // Rights are spread over files: roles, their bindings, and what is aggregated. They are kept, and nothing else is.
      async prepare(files, beside) {
        const { cluster, namespace } = config;
        const known = new KubernetesCollector({ cluster, literal: true, places });
        for await (const file of files()) {
          if (!("text" in file)) continue;
          for (const parsed of documentsOf(file.path, file.text)) {
            if ("why" in parsed) continue;
            const { objects } = await saidBy(file.path, parsed.value, namespace, beside);
            for (const object of objects) {
              known.add(object);
              known.meet(claimsOf(object, known.frame));
            }
          }
        }
        return { frame: known.frame, beside };
      },
      async read({ path, text }, says, { frame, beside }) {
        const values: unknown[] = [];
        const all: KubernetesObject[] = [];
        for (const parsed of documentsOf(path, text)) {
          if ("why" in parsed) {
            says.records += 1;
            says.cannotRead(`${path}:${parsed.line}`, parsed.why);
            continue;
          }
          const { objects, gaps } = await saidBy(path, parsed.value, config.namespace, beside);
          says.gaps.push(...gaps);
          for (const object of objects) {
            says.records += 1;
            saysObject(object, frame, says);
          }
          values.push(parsed.value);
          all.push(...objects);
        }
        says.gaps.push(...(await unrenderedGaps(path, values, all, beside)));
      },
    },
    deps,
  );
}

/** The objects of a document: those that stand in it, or that it has made. */
async function saidBy(
  path: string,
  value: unknown,
  namespace: string,
  beside: ReadBeside,
): Promise<Unrendered> {
  return isKustomization(path, value)
    ? kustomized(path, value, namespace, beside)
    : { objects: objectsOf(value, namespace), gaps: [] };
}

/** What an object says as long as no role is known. */
function claimsOf(object: KubernetesObject, frame: KubernetesFrame): readonly Claim[] {
  const says = new Says("", { mark: () => "", at: 0 });
  saysObject(object, { ...frame, rights: new Rights() }, says);
  return says.claims;
}

/** Manifests of one cluster. */
export const kubernetesManifests: SourceKind<typeof manifestsConfig> = {
  shows: "now",
  sees: "configuration",
  config: manifestsConfig,
  create,
};

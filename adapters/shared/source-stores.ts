/** Which store of the estate stands behind the name that others have for it, as the settings of a source say. */
import { z } from "zod";
import type { PlaceThing } from "../../domain/discovery/said.js";

/** As External Secrets and the CSI driver name them in a cluster. */
export const kubernetesStores = {
  pattern: /^(?:ClusterSecretStore\/[^/\s]+|(?:SecretStore|SecretProviderClass)\/[^/\s]+\/[^/\s]+)$/,
  words: "`ClusterSecretStore/NAME`, `SecretStore/NAMESPACE/NAME` or `SecretProviderClass/NAMESPACE/NAME`",
};

/** Settings that map what others call a store to stores of the estate. */
export function storesSetting({ pattern, words }: { readonly pattern: RegExp; readonly words: string }) {
  return z
    .array(
      z.strictObject({
        as: z
          .string()
          .regex(pattern, { error: `expected ${words}` })
          .describe(`What it is called there: ${words}.`),
        store: z.string().min(1).describe("The store of the estate that is behind it."),
        field: z
          .string()
          .min(1)
          .default("path")
          .describe(
            "The field of the store's places that says which: `path` of Vault and of files, `name` of AWS Secrets Manager.",
          ),
        prefix: z
          .string()
          .default("")
          .describe(
            "What stands before the place in the operator's keys and not in the estate's, such as `secret/data/`.",
          ),
      }),
    )
    .default([])
    .describe("Stores of the estate behind what is named there.");
}

/** Finds the place of a key; null for a store that the settings do not name. */
export function storeMap(
  stores: z.output<ReturnType<typeof storesSetting>>,
): (store: string, key: string) => PlaceThing | null {
  return (store, key) => {
    const found = stores.find(({ as }) => as === store);
    if (found === undefined) return null;
    const text = key.startsWith(found.prefix) ? key.slice(found.prefix.length) : key;
    return { is: "place", store: found.store, place: { [found.field]: text } };
  };
}

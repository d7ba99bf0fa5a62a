/** Which store of the estate stands behind the name that others have for it, as the settings of a source say. */
import { z } from "zod";
import type { PlaceThing } from "../../domain/discovery/said.js";
import { secretArn } from "./secret-arn.js";

/** As External Secrets and the CSI driver name them in a cluster. */
export const kubernetesStores = {
  pattern:
    /^(?:AgentInjector|ClusterSecretStore\/[^/\s]+|(?:SecretStore|SecretProviderClass)\/[^/\s]+\/[^/\s]+)$/,
  words:
    "`ClusterSecretStore/NAME`, `SecretStore/NAMESPACE/NAME`, `SecretProviderClass/NAMESPACE/NAME` or `AgentInjector`",
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
        store: z
          .string()
          .min(1)
          .optional()
          .describe("The store of the estate that is behind it; left out where it is none of the estate's."),
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

/** Where a store has a key: places of the estate, or no place because the store is none of the estate's. */
export type StoreMap = (store: string, key: string) => readonly PlaceThing[] | null;

/**
 * Finds the places of a key; null for a store that the settings do not name. More than one where the key is an ARN of AWS
 * Secrets Manager that does not tell which.
 */
export function storeMap(stores: z.output<ReturnType<typeof storesSetting>>): StoreMap {
  return (as, key) => {
    const found = stores.find((one) => one.as === as);
    if (found === undefined) return null;
    const { store, field, prefix } = found;
    if (store === undefined) return [];
    const text = key.startsWith(prefix) ? key.slice(prefix.length) : key;
    const names = secretArn(text)?.names ?? [text];
    return names.map((name) => ({ is: "place", store, place: { [field]: name } }));
  };
}

/** Which store of the estate stands behind the name that others have for it, as the settings of a source say. */
import { z } from "zod";
import type { PlaceThing } from "../../domain/discovery/said.js";
import { secretArn } from "./secret-arn.js";

/** As External Secrets and the CSI driver name them in a cluster. */
export const kubernetesStores = {
  pattern:
    /^(?:AgentInjector|BankVaults|VaultSecretsOperator|ClusterSecretStore\/[^/\s]+|(?:SecretStore|SecretProviderClass|VaultAuth)\/[^/\s]+\/[^/\s]+)$/,
  words:
    "`ClusterSecretStore/NAME`, `SecretStore/NAMESPACE/NAME`, `SecretProviderClass/NAMESPACE/NAME`, `VaultSecretsOperator`, `VaultAuth/NAMESPACE/NAME`, `AgentInjector` or `BankVaults`",
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

/** A document of a KV engine of Vault or OpenBao: the same one whether or not `data/` stands in what names it. */
export interface VaultDocument {
  readonly mount: string;
  readonly path: string;
}

/** What a store is asked for: a key as it stands there, or the document that it is known to mean. */
export type StoreKey = string | VaultDocument;

/** Where a store has a key. */
export interface Kept {
  /** Places of the estate; none where the store is none of the estate's. Several where the key does not tell which. */
  readonly places: readonly PlaceThing[];
  /** False where the key begins with no prefix of the settings: the places are a guess, of a key that stands without its mount. */
  readonly isSaid: boolean;
}

/** Where a store has a key; null for a store that the settings do not name. */
export type StoreMap = (store: string, key: StoreKey) => Kept | null;

type StoreEntry = z.output<ReturnType<typeof storesSetting>>[number];

/** Finds the places of a key: by the entry with the longest prefix that it begins with, where a store has several (one for each mount). */
export function storeMap(stores: readonly StoreEntry[]): StoreMap {
  return (as, key) => {
    const entries = stores.filter((one) => one.as === as);
    if (entries.length === 0) return null;
    const matches = entries.flatMap((entry) => {
      const names = namesIn(entry, key);
      return names.length === 0 ? [] : [{ entry, names }];
    });
    const longest = Math.max(...matches.map(({ entry }) => entry.prefix.length));
    const best = matches.filter(({ entry }) => entry.prefix.length === longest);
    if (best.length > 0)
      return { places: best.flatMap(({ entry, names }) => placesOf(entry, names)), isSaid: true };
    // A document is known by its mount, so it is in none of these.
    const guessed =
      typeof key === "string" ? entries.flatMap((entry) => placesOf(entry, [keyOf(entry, key)])) : [];
    return { places: guessed, isSaid: false };
  };
}

function placesOf({ store, field }: StoreEntry, names: readonly string[]): PlaceThing[] {
  if (store === undefined) return [];
  return names
    .flatMap((name) => secretArn(name)?.names ?? [name])
    .map((name) => ({ is: "place", store, place: { [field]: name } }));
}

/** What the estate calls a key of the store behind this entry; none for a key that begins otherwise. */
function namesIn(entry: StoreEntry, asked: StoreKey): readonly string[] {
  const { prefix, field } = entry;
  if (typeof asked !== "string") return documentIn(prefix, asked);
  const key = keyOf(entry, asked);
  if (key.startsWith(prefix)) {
    const rest = key.slice(prefix.length);
    // `secret/data/orders/db` behind `secret/` is `orders/db`, unless that mount has no versions.
    const isEither = field === "path" && prefix !== "" && rest.startsWith("data/");
    return isEither ? [rest.slice("data/".length), rest] : [rest];
  }
  // The same document, as whoever knows that the engine has versions may leave `data/` out.
  const mount = /^.+\/(?=data\/$)/.exec(prefix)?.[0];
  return mount !== undefined && key.startsWith(mount) ? [key.slice(mount.length)] : [];
}

/** A path of Vault is the same with a slash before it; names of other stores are not. */
function keyOf({ prefix, field }: StoreEntry, key: string): string {
  return field === "path" && /^[^/]/.test(prefix) ? key.replace(/^\/+/, "") : key;
}

function documentIn(prefix: string, { mount, path }: VaultDocument): readonly string[] {
  if (prefix === "") return [path];
  const own = prefix.replace(/\/(?:data\/?)?$/, "");
  if (own === mount) return [path];
  const forms = [
    [`${mount}/data/${path}`, prefix],
    [`${mount}/${path}`, prefix],
    // A mount may have slashes in its own name, and the first of them was taken for its end.
    [`${mount}/${path}`, `${own}/`],
  ] as const;
  return forms
    .flatMap(([whole, begin]) => (whole.startsWith(begin) ? [whole.slice(begin.length)] : []))
    .slice(0, 1);
}

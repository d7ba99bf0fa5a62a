/** Stores that pipelines fetch from by their own means, under the names that platforms have for them, and whose they are. */
import type { LocationThing, PlaceThing, ReaderThing } from "../../domain/discovery/said.js";
import { location, type Says, told } from "./source-says.js";
import { type StoreMap, storesSetting } from "./source-stores.js";

/** What pipelines call a store, whoever runs them. */
export type CiStore = "vault" | "azure_key_vault" | "gcp_secret_manager" | "aws_secrets_manager";

/** Something in a store; `field` is empty where all of it is fetched. */
export interface Fetched {
  readonly store: CiStore;
  readonly key: string;
  readonly field: string;
}

/** Who fetches: the reader, what its store is called after, and what the settings say of stores. */
export interface Fetching {
  readonly reader: ReaderThing;
  /** `gitlab example/shop`. */
  readonly scope: string;
  readonly places: StoreMap;
}

/** The setting `stores` of kinds that read pipelines. */
export const ciStoresSetting = storesSetting({
  pattern: /^(?:vault|azure_key_vault|gcp_secret_manager|aws_secrets_manager)$/,
  words: "`vault`, `azure_key_vault`, `gcp_secret_manager` or `aws_secrets_manager`",
});

/**
 * Says that it is fetched. A store of which the settings say nothing is a gap: what it holds may be the estate's, and then its readers
 * are not seen.
 */
export function saysFetch(
  { reader, scope, places }: Fetching,
  { store, key: written, field }: Fetched,
  where: string,
  says: Says,
): void {
  const key = told(written);
  const found = places(store, key);
  if (found === null) {
    const gap = `Which store of the estate is behind ${store} of ${scope} is not known, or whether any is: name it in \`stores\`.`;
    says.gap(gap);
  }
  const elsewhere = () => location(`${scope} ${store}`, field === "" ? key : `${key}#${told(field)}`);
  const at: readonly (LocationThing | PlaceThing)[] =
    found === null || found.places.length === 0 ? [elsewhere()] : found.places;
  for (const one of at) says.declared(reader, "uses", one, `${where} fetches it`);
}

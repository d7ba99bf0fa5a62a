/** The kind `vault`: KV version 2 of HashiCorp Vault or OpenBao as a store. docs/kinds/vault.md is its page for users. */
import type { StoreKind } from "../ports.js";
import { vaultGrants } from "./vault/grants.js";
import { vaultConfig, vaultPlace } from "./vault/schema.js";
import { VaultStore } from "./vault/store.js";

/** One document of a KV version 2 engine for each credential, staged on a path of the engine's own. */
export const vault: StoreKind<typeof vaultConfig, typeof vaultPlace> = {
  config: vaultConfig,
  place: vaultPlace,
  create: (config, place, deps) => new VaultStore(config, place, deps),
  lockKeys: (config, place) => {
    const { host } = new URL(config.address);
    return [`vault:${host}:${config.namespace ?? ""}:${config.mount}/${place.path}`];
  },
  grants: vaultGrants,
};

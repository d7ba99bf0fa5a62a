/** Where things of one place stand in Vault, said once for the store, its preflight and its policies. */
import { ownFields } from "../../ports.js";
import { withEngineFields } from "../../shared/own-fields.js";
import type { VaultConfig, VaultPlace } from "./schema.js";

/**
 * The folder of a place's copies. Two credentials may share a document under different names of the tag, so
 * that name tells their copies apart.
 */
export function stagingFolder(config: VaultConfig, place: VaultPlace): string {
  return `${config.stagingPrefix}/${place.path}/${withEngineFields(place.fields)[ownFields.tag]}`;
}

/** The mount of the engine's own copies. */
export function stagingMount(config: VaultConfig): string {
  return config.stagingMount ?? config.mount;
}

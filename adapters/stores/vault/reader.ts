/** Reads documents of other people's making from Vault, for `vault:path#key` references to the engine's own secrets. */
import type { AdapterDeps } from "../../ports.js";
import { asSecrets, plainPart } from "../../shared/own-fields.js";
import type { VaultReader } from "../../shared/secret-resolver.js";
import { Kv } from "./kv.js";
import type { VaultConfig } from "./schema.js";
import { sessionFor } from "./session.js";

/**
 * A reader over the KV version 2 engine of these settings; paths are below its mount. The login's own
 * references are resolved by `deps` and so must not be `vault:` ones.
 */
export function vaultReader(config: VaultConfig, deps: AdapterDeps): VaultReader {
  const kv = new Kv(sessionFor(config, deps), config.mount);
  return async (path, call) => {
    const { data } = await kv.read(path, call);
    return data === null ? null : asSecrets(plainPart(data));
  };
}

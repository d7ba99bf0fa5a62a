/** What a program needs to live with credentials that rotate: load, watch, use, attest. Node's own modules and nothing else. */
export { type Answer, type AttestOptions, attestor, type Reply, sealedText } from "./attest.js";
export type { Challenge, EngineKeys, Refusal } from "./challenge.js";
export { Credential, type FieldNames, parseCredential, parseCredentialJson } from "./credential.js";
export { fromFile } from "./file.js";
export { fromFolder } from "./folder.js";
export { attestHandler, bearer, type HandlerOptions } from "./handler.js";
export { type Load, type LoadOptions, load } from "./load.js";
export { type PoolHooks, type SwappedPool, swapPool } from "./swap-pool.js";
export { Trouble, type TroubleCode } from "./trouble.js";
export { useCredential } from "./use.js";
export { fromVault, type Text, type VaultLogin, type VaultPlace } from "./vault.js";
export { type CredentialWatch, type Prepare, type Prepared, type WatchOptions, watch } from "./watch.js";

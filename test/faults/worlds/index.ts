/** Every world by its name in a case; a new kind is one line here. */
import { httpFile } from "./http-file.js";
import { iamSecretsManager } from "./iam-secrets-manager.js";
import { jwksFile } from "./jwks-file.js";
import { postgresFile, postgresStandby } from "./postgres-file.js";
import { postgresFolder } from "./postgres-folder.js";
import { postgresPooler } from "./postgres-pooler.js";
import { postgresVault } from "./postgres-vault.js";
import { postgresWatched } from "./postgres-watched.js";
import { redisFile } from "./redis-file.js";
import type { WorldKind } from "./world.js";

/** The worlds. */
export const worlds: Readonly<Record<string, WorldKind>> = {
  "postgres-file": postgresFile,
  "postgres-standby": postgresStandby,
  "postgres-folder": postgresFolder,
  "postgres-vault": postgresVault,
  "postgres-watched": postgresWatched,
  "postgres-pooler": postgresPooler,
  "redis-file": redisFile,
  "jwks-file": jwksFile,
  "http-file": httpFile,
  "iam-secrets-manager": iamSecretsManager,
};

/** The kind `aws-secrets-manager`: one secret of AWS Secrets Manager for each document. docs/kinds/aws-secrets-manager.md is its page for users. */
import type { StoreKind } from "../ports.js";
import { secretsManagerGrants } from "./aws-secrets-manager/grants.js";
import { secretsManagerConfig, secretsManagerPlace } from "./aws-secrets-manager/schema.js";
import { SecretsManagerStore } from "./aws-secrets-manager/store.js";

/** A document is a secret's AWSCURRENT version; copies are versions of a second secret that only the engine reads. */
export const awsSecretsManager: StoreKind<typeof secretsManagerConfig, typeof secretsManagerPlace> = {
  config: secretsManagerConfig,
  place: secretsManagerPlace,
  create: (config, place, deps) => new SecretsManagerStore(config, place, deps),
  lockKeys: ({ account, region }, { name }) => [`aws-secrets-manager:${account}:${region}:${name}`],
  grants: secretsManagerGrants,
};

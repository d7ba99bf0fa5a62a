/** What the estate says of a Secrets Manager store and of a place in it; the sentences are the documentation that editors show. */
import { z } from "zod";
import { awsFields } from "../../shared/aws.js";
import { fieldsSchema } from "../../shared/own-fields.js";

/** A secret's name. Six characters after a dash look like the end that AWS gives to its ARN, and are mistaken for it. */
function secretName(example: string, lengthMax: number) {
  const error = `expected a secret's name, such as ${example}, that does not end with a dash and six characters`;
  return z
    .string({ error })

    .regex(/^[A-Za-z0-9/_+=.@-]+$/, { error })
    .max(lengthMax)
    .refine((name) => !/-[A-Za-z0-9]{6}$/.test(name) && !name.startsWith("/") && !name.endsWith("/"), {
      error,
    });
}

/** The settings of one account and region of AWS Secrets Manager. */
export const secretsManagerConfig = z
  .object({
    ...awsFields,
    stagingPrefix: secretName("rekey/staging", 100)
      .default("rekey/staging")
      .describe(
        "Beginning of the names of secrets that only Rekey reads and writes: values not yet proven, and old ones.",
      ),
    kmsKey: z
      .string()
      .min(1)
      .max(2048)
      .optional()
      .describe("KMS key for the secrets that Rekey makes; the account's aws/secretsmanager unless given."),
    replicaWait: awsFields.timeout
      .unwrap()
      .default(20_000)
      .describe("How long a promote waits for the secret's replicas in other regions, such as 20s."),
  })
  .strict();

/** One secret. */
export const secretsManagerPlace = z
  .object({
    name: secretName("apps/orders/db", 200).describe(
      "Name of the secret in its primary region; not its ARN.",
    ),
    fields: fieldsSchema(),
  })
  .strict();

/** The parsed settings. */
export type SecretsManagerConfig = z.output<typeof secretsManagerConfig>;

/** The parsed place. */
export type SecretsManagerPlace = z.output<typeof secretsManagerPlace>;

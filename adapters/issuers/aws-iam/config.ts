/** What the estate says of IAM in one AWS account, and of the user whose access keys take turns. */
import { z } from "zod";
import { duration } from "../../../domain/estate/duration.js";
import { awsFields } from "../../shared/aws.js";

const hour = 3_600_000;

/** One AWS account. */
export const iamConfig = z
  .object({
    ...awsFields,
    sts: z
      .array(
        z
          .object({
            region: awsFields.region,
            endpoint: awsFields.endpoint,
          })
          .strict(),
      )
      .min(1)
      .optional()
      .describe(
        "Where keys are tried: the regional STS of every region that consumers use. `region` alone unless given.",
      ),
    propagation: duration({ positive: true })
      .default(60_000)
      .describe("How long AWS's regions may differ after a change of a key, such as 1m."),
    settle: duration()
      .default(6_000)
      .describe("Pause after a claim of a slot, before anything is done: longer than `timeout`, such as 6s."),
  })
  .strict();

/** One IAM user. */
export const iamAccount = z
  .object({
    user: z
      .string()
      .regex(/^[\w+=,.@-]{1,64}$/, { error: "expected the name of an IAM user, without its path" })
      .describe("The IAM user. Both of its access keys belong to this credential."),
    first: z
      .enum(["a", "b"])
      .default("a")
      .describe(
        "The slot that the access key counts as which the user has before the first rotation: a or b.",
      ),
    derivedLife: duration()
      .default(36 * hour)
      .describe(
        "Longest life of temporary credentials that are taken with the key, such as 36h; 0s where the user's policy denies sts:*.",
      ),
  })
  .strict();

/** Parsed settings of the AWS account. */
export type IamConfig = z.output<typeof iamConfig>;

/** Parsed settings of the user. */
export type IamAccount = z.output<typeof iamAccount>;

/** The two access keys that AWS allows a user. */
export const slots = ["a", "b"] as const;

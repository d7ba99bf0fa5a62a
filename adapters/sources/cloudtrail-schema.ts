/** What the estate says of a CloudTrail; the sentences are the documentation that editors show. */
import { isIP } from "node:net";
import { z } from "zod";
import { awsFields } from "../shared/aws.js";
import { filesSchema } from "../shared/source-log-list.js";

const files = z.strictObject({
  method: z.literal("files").describe("Files of the trail that lie in a folder, compressed or not."),
  paths: filesSchema("/var/lib/cloudtrail"),
});

const s3 = z.strictObject({
  method: z.literal("s3").describe("The trail's bucket."),
  bucket: z.string().min(3).max(63).describe("Name of the bucket."),
  bucketAccount: awsFields.account
    .optional()
    .describe("The AWS account that owns the bucket; `account` unless given."),
  bucketRegion: awsFields.region.optional().describe("The bucket's region; `region` unless given."),
  prefix: z
    .string()
    .max(900)
    .regex(/\/$/, { error: "expected a prefix that ends with a slash" })
    .optional()
    .describe(
      "Beginning of the names of the trail's objects, up to the region; AWSLogs/ACCOUNT/CloudTrail/ unless given.",
    ),
  regions: z
    .array(awsFields.region)
    .min(1)
    .optional()
    .describe(
      "Regions whose events are read; `region` and `replicaRegions` unless given. Events of IAM are those of us-east-1.",
    ),
  since: z.iso
    .date()
    .optional()
    .describe("The first day that is read, such as 2026-01-31; from the beginning unless given."),
  endpoint: awsFields.endpoint,
  auth: awsFields.auth,
  timeout: awsFields.timeout,
});

/** Regions whose events are read: of a bucket those whose objects are. */
export function regionsRead({
  region,
  replicaRegions,
  from,
}: {
  readonly region: string;
  readonly replicaRegions: readonly string[];
  readonly from: z.output<typeof files> | z.output<typeof s3>;
}): readonly string[] {
  const own = from.method === "s3" ? from.regions : undefined;
  return [...new Set(own ?? [region, ...replicaRegions])];
}

/** The settings of one trail, for one store, one issuer, or both. */
export const cloudtrailConfig = z
  .strictObject({
    account: awsFields.account,
    region: awsFields.region,
    replicaRegions: z
      .array(awsFields.region)
      .default([])
      .describe(
        "Regions to which the store's secrets are replicated: a read there is one of the same value.",
      ),
    store: z
      .string()
      .min(1)
      .optional()
      .describe("The store of the estate (kind aws-secrets-manager) whose secrets are read in that region."),
    issuer: z
      .string()
      .min(1)
      .optional()
      .describe("The issuer of the estate (kind aws-iam) whose users' access keys are made and used."),
    from: z.discriminatedUnion("method", [files, s3]).describe("Where the trail is."),
    mayBeSilent: z
      .array(awsFields.region)
      .optional()
      .describe(
        "Of several regions those in which nothing may happen for long. Each other one has to show an event of the end of the quiet period.",
      ),
    engine: z
      .array(
        z.strictObject({
          role: z.string().startsWith("arn:").optional().describe("ARN of the role or user that Rekey is."),
          address: z
            .string()
            .refine((text) => isIP(text) !== 0, { error: "expected an IP address" })
            .optional()
            .describe(
              "Address that Rekey comes from when it tries keys of others; its `GetCallerIdentity` from there is not counted.",
            ),
        }),
      )
      .default([])
      .describe("Who Rekey itself is in the log; what it does is not counted."),
    addresses: z
      .boolean()
      .default(false)
      .describe("True where one role stands for several consumers, so that the address tells them apart."),
  })
  .refine(({ store, issuer }) => store !== undefined || issuer !== undefined, {
    error: "expected a store, an issuer, or both",
  })
  .refine((config) => config.mayBeSilent?.every((region) => regionsRead(config).includes(region)) ?? true, {
    path: ["mayBeSilent"],
    error: "expected regions that this source reads",
  });

/** The parsed settings. */
export type CloudtrailConfig = z.output<typeof cloudtrailConfig>;

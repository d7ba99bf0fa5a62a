/** Events of CloudTrail as AWS writes them, with identities of ours. */
import { randomBytes } from "node:crypto";
import type { PartLimits } from "../../../adapters/shared/source-log-part.js";
import { CloudtrailSource } from "../../../adapters/sources/cloudtrail.js";
import { cloudtrailConfig } from "../../../adapters/sources/cloudtrail-schema.js";
import { depsOf } from "../stores/world.js";

/** What whoever reads a bucket logs in with. */
export const accessSecret = `looks-${randomBytes(12).toString("hex")}`;

/** The account, region and moment of the tests. */
export const account = "123456789012";
/** The region. */
export const region = "eu-central-1";
/** Now, in milliseconds since the epoch. */
export const trailNowMs = Date.parse("2026-03-01T00:00:00Z");

/** The ARN of a role. */
export function roleArn(role: string): string {
  return `arn:aws:iam::${account}:role/${role}`;
}

/** Who a session of a role is. */
export function session(role: string): object {
  return {
    type: "AssumedRole",
    principalId: `AROAEXAMPLE:${role}-session`,
    arn: `arn:aws:sts::${account}:assumed-role/${role}/${role}-session`,
    accountId: account,
    accessKeyId: "ASIAEXAMPLE0000000000",
    sessionContext: {
      sessionIssuer: { type: "Role", arn: roleArn(role), accountId: account, userName: role },
    },
  };
}

/** Who an IAM user with a long-lived key is. */
export function user(name: string, accessKeyId = "AKIAEXAMPLE0000000000"): object {
  return {
    type: "IAMUser",
    principalId: "AIDAEXAMPLE",
    arn: `arn:aws:iam::${account}:user/${name}`,
    accountId: account,
    accessKeyId,
    userName: name,
  };
}

/** An event; `more` is put over it. */
export function trailEvent(identity: object, more: object): object {
  return {
    eventVersion: "1.11",
    userIdentity: identity,
    eventTime: "2026-02-03T04:05:06Z",
    eventSource: "secretsmanager.amazonaws.com",
    eventName: "GetSecretValue",
    awsRegion: region,
    sourceIPAddress: "198.51.100.7",
    userAgent: "aws-sdk-js/3",
    requestParameters: null,
    responseElements: null,
    eventID: "00000000-0000-4000-8000-000000000000",
    recipientAccountId: account,
    ...more,
  };
}

/** A role reads a secret. */
export function secretRead(role: string, secretId: string, more: object = {}): object {
  return trailEvent(session(role), { requestParameters: { secretId }, ...more });
}

/** The ARN that AWS gave a secret. */
export function secretArn(name: string, place = region, owner = account): string {
  return `arn:aws:secretsmanager:${place}:${owner}:secret:${name}-AbC123`;
}

/** A file of a trail. */
export function trailFile(...events: object[]): string {
  return JSON.stringify({ Records: events });
}

/** A source over `from`, for the store `secrets` and the issuer `aws`. */
export function trailSource(from: object, more: object = {}, limits?: PartLimits): CloudtrailSource {
  const config = cloudtrailConfig.parse({ account, region, store: "secrets", issuer: "aws", from, ...more });
  return new CloudtrailSource(
    config,
    depsOf({ "env:KEY": "key", "env:SECRET": accessSecret }, { now: () => trailNowMs }),
    limits,
  );
}

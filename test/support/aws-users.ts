/** Users in a moto that looks at keys and rights: an administrator, and others who may do what they are given. */
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";

/** An access key: its id and its secret. */
export interface AwsKey {
  readonly keyId: string;
  readonly secret: string;
}

/** Makes a user who may do everything. From then on moto asks everybody who they are. */
export async function administratorOf(address: string): Promise<AwsKey> {
  const credentials = { accessKeyId: "first", secretAccessKey: "first" };
  const iam = new IAMClient({ region: "us-east-1", endpoint: address, credentials });
  const key = await userWith(iam, "administrator", ["*"]);
  iam.destroy();
  await fetch(`${address}/moto-api/reset-auth`, { method: "POST", body: "0" });
  return key;
}

/** Makes a user who may do these things to everybody: moto looks at actions, and not at whom they are about. */
export async function userWith(
  admin: IAMClient,
  UserName: string,
  Action: readonly string[],
): Promise<AwsKey> {
  await admin.send(new CreateUserCommand({ UserName }));
  const PolicyDocument = JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action, Resource: "*" }],
  });
  await admin.send(new PutUserPolicyCommand({ UserName, PolicyName: "rights", PolicyDocument }));
  const { AccessKey } = await admin.send(new CreateAccessKeyCommand({ UserName }));
  return { keyId: AccessKey?.AccessKeyId ?? "", secret: AccessKey?.SecretAccessKey ?? "" };
}

/**
 * What each of the policies that `rekey grants` prints allows. Their denials are left out: to moto, which does not look
 * at whom a statement is about, they would be denials of everything.
 */
export function actionsIn(grants: string): string[][] {
  return [...grants.matchAll(/<<'JSON'\n(.*?)\nJSON/gs)].map(([, policy = "{}"]) => {
    const { Statement } = JSON.parse(policy) as {
      Statement: { Effect: string; Action: string | string[] }[];
    };
    return Statement.filter(({ Effect }) => Effect === "Allow").flatMap(({ Action }) => Action);
  });
}

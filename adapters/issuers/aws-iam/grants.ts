/** The IAM policy that an administrator gives the engine once (`rekey grants aws-iam`). */

const defaults = { account: "123456789012", user: "orders" };

/** What the engine does to the user; `sts:GetCallerIdentity` needs no right. */
export const engineActions = [
  "iam:GetUser",
  "iam:ListUserTags",
  "iam:ListAccessKeys",
  "iam:GetAccessKeyLastUsed",
  "iam:CreateAccessKey",
  "iam:UpdateAccessKey",
  "iam:DeleteAccessKey",
] as const;

/** Commands for an administrator's shell. Options: `account`, `user` (with its path, where it has one). */
export function iamGrants(options: Readonly<Record<string, string>>): string {
  const { account, user } = { ...defaults, ...options };
  const Resource = `arn:aws:iam::${account}:user/${user}`;
  const policy = {
    Version: "2012-10-17",
    Statement: [
      { Sid: "AccessKeys", Effect: "Allow", Action: engineActions, Resource },
      {
        Sid: "OwnTagsOnly",
        Effect: "Allow",
        Action: "iam:TagUser",
        Resource,
        Condition: { "ForAllValues:StringLike": { "aws:TagKeys": ["rekey:*"] } },
      },
    ],
  };
  const name = user.replace(/[^A-Za-z0-9]+/g, "-");
  return `# The IAM policy for Rekey. Read it, then run this in a shell that is logged in to AWS as an administrator, and attach
# it to the role of Rekey's worker. Whoever may make a key of this user may do all that the user may.
aws iam create-policy --policy-name rekey-keys-of-${name} --policy-document file:///dev/stdin <<'JSON'
${JSON.stringify(policy, null, 2)}
JSON

# Nobody but Rekey may change the tags that begin with "rekey:", nor make, switch or delete keys of this user: deny
# iam:TagUser, iam:UntagUser, iam:CreateAccessKey, iam:UpdateAccessKey and iam:DeleteAccessKey on
# ${Resource} to everybody else.
`;
}

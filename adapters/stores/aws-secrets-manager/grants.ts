/** The IAM policies that an administrator gives once (`rekey grants aws-secrets-manager`): one for the engine, one for consumers. */

const defaults = {
  account: "123456789012",
  region: "eu-central-1",
  name: "apps/orders/db",
  stagingPrefix: "rekey/staging",
};

/**
 * Commands for an administrator's shell. Options: `account`, `region`, `name` (may end in `/*` for all below it),
 * `stagingPrefix`. The consumers' policy allows the current version only, and denies the copies by name, so that a
 * wildcard given elsewhere does not open them (H20).
 */
export function secretsManagerGrants(options: Readonly<Record<string, string>>): string {
  const { account, region, name, stagingPrefix } = { ...defaults, ...options };
  const arn = (secret: string) => `arn:aws:secretsmanager:${region}:${account}:secret:${secret}`;
  // AWS puts a dash and six characters behind a secret's name.
  const live = arn(name.endsWith("*") ? name : `${name}-??????`);
  const copies = arn(`${stagingPrefix}/*`);
  const label = name.replace(/[^A-Za-z0-9]+/g, "-").replace(/-$/, "");
  return `# IAM policies for Rekey. Read them, then run this in a shell that is logged in to AWS as an administrator.
# Attach the first one to the role of Rekey's worker, the second one to that of each consumer.
${createPolicy("rekey-engine", engineStatements(live, copies))}
${createPolicy(`rekey-consumer-${label}`, consumerStatements(live, copies))}
# With a KMS key of your own, both roles need kms:Decrypt on it, and the engine kms:GenerateDataKey.
`;
}

interface Statement {
  readonly Sid: string;
  readonly Effect: "Allow" | "Deny";
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: object;
}

function createPolicy(name: string, statements: readonly Statement[]): string {
  const policy = JSON.stringify({ Version: "2012-10-17", Statement: statements }, null, 2);
  return `aws iam create-policy --policy-name ${name} --policy-document file:///dev/stdin <<'JSON'\n${policy}\nJSON`;
}

function engineStatements(live: string, copies: string): Statement[] {
  const actions = [
    "DescribeSecret",
    "GetSecretValue",
    "PutSecretValue",
    "UpdateSecretVersionStage",
    "CreateSecret",
  ];
  const Action = actions.map((action) => `secretsmanager:${action}`);
  return [{ Sid: "LiveDocumentsAndCopies", Effect: "Allow", Action, Resource: [live, copies] }];
}

function consumerStatements(live: string, copies: string): Statement[] {
  return [
    {
      Sid: "CurrentVersionOnly",
      Effect: "Allow",
      Action: "secretsmanager:GetSecretValue",
      Resource: live,
      Condition: { StringEquals: { "secretsmanager:VersionStage": "AWSCURRENT" } },
    },
    { Sid: "NoCopies", Effect: "Deny", Action: "secretsmanager:*", Resource: copies },
  ];
}

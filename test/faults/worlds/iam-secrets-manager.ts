/**
 * The two access keys of an IAM user, their document in AWS Secrets Manager: no compare-and-set at the issuer, labels in
 * place of one at the store, values that AWS makes and shows once, and a region that hears of a key later than others.
 */
import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserPolicyCommand,
  type IAMClient,
  ListAccessKeysCommand,
  ListUserTagsCommand,
  PutUserPolicyCommand,
} from "@aws-sdk/client-iam";
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { keyOf, recordsIn, strangersIn } from "../../../adapters/issuers/aws-iam/records.js";
import { awsIam } from "../../../adapters/issuers/aws-iam.js";
import { awsSecretsManager } from "../../../adapters/stores/aws-secrets-manager.js";
import { actionsIn } from "../../support/aws-users.js";
import { Caller } from "../services/aws-caller.js";
import type { Account, LoginAnswer, RawDocument, World, WorldKind } from "./world.js";

const program = fileURLToPath(new URL("../services/aws-service.js", import.meta.url)) as `/${string}`;
const first = "a";
const copyLabel = "rekey:";
/** Claims wait for less than the page of the kind asks for: nobody else tags the user, and a door holds all requests up alike. */
const pace = { timeout: "5s", settle: "1s", propagation: "1s" };
/** moto answers one after the other; three services of each lane ask it. */
const pollMs = 500;

/** The world `iam-secrets-manager`. */
export const iamSecretsManager: WorldKind = {
  servers: ["issuer", "store"],
  readOnly: ["issuer", "store"],
  isShared: true,
  // AWS makes the value.
  primers: [
    "issue.issuer.mint.1/after-timeout",
    "deliver.store.promote.1/after-timeout",
    "disable.issuer.disable.1/after-timeout",
  ],
  async open({ folder, aws }, index): Promise<World> {
    const { address, account, regions, iam, secrets, user: makeUser } = await aws();
    const [region = ""] = regions;
    const { hostname: host, port } = new URL(address);
    const user = `orders-${index}`;
    const name = `faults/orders-${index}`;
    const stagingPrefix = `faults-staging-${index}`;
    const [issuing] = actionsIn(awsIam.grants?.({ account, user }) ?? "");
    const [storing, reading] = actionsIn(
      awsSecretsManager.grants?.({ account, region, name, stagingPrefix }) ?? "",
    );
    if (issuing === undefined || storing === undefined || reading === undefined)
      throw new Error("the printed grants of AWS are not what they were");
    const engine = await makeUser(`rekey-${index}`, [...issuing, ...storing]);
    const reader = await makeUser(`reader-${index}`, reading);
    const kept = async (file: string, text: string) => {
      const path = join(folder, `${file}-${index}`);
      await writeFile(path, text, { mode: 0o600 });
      return path;
    };
    const auth = {
      method: "keys",
      accessKeyId: `file:${await kept("aws-engine-id", engine.keyId)}`,
      secretAccessKey: `file:${await kept("aws-engine-secret", engine.secret)}`,
    };
    const { User } = await iam.send(new CreateUserCommand({ UserName: user }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: user }));
    const document = {
      username: AccessKey?.AccessKeyId ?? "",
      password: AccessKey?.SecretAccessKey ?? "",
      note: "kept by the shop's own people",
    };
    await secrets.send(new CreateSecretCommand({ Name: name, SecretString: JSON.stringify(document) }));
    const common = { account, region, auth, timeout: pace.timeout };
    const through = (issuerAt: string, storeAt: string) => ({
      issuer: {
        ...{ kind: "aws-iam", ...common, settle: pace.settle, propagation: pace.propagation },
        endpoint: issuerAt,
        sts: regions.map((each) => ({ region: each, endpoint: issuerAt })),
      },
      store: { kind: "aws-secrets-manager", ...common, endpoint: storeAt, stagingPrefix },
    });
    const here = { host, port: Number(port) };
    const place = { address, regions };
    const said = (shown: RawDocument) => saidOf(new Caller(place, shown));
    return {
      ...through(address, address),
      account: { user, first, derivedLife: "0s" },
      place: { name },
      servers: { issuer: here, store: here },
      through: (ports) => through(`http://${host}:${ports.issuer}`, `http://${host}:${ports.store}`),
      program,
      serviceEnv: {
        AWS_PLACE: [address, ...regions].join(","),
        SECRET_NAME: name,
        USER_ARN: User?.Arn ?? "",
        READER_FILE: await kept("aws-reader", `${reader.keyId}\n${reader.secret}`),
        POLL_MS: String(pollMs),
      },
      readOnly: {
        issuer: (on) => letOnlyLook(iam, `rekey-${index}`, issuing, on),
        store: (on) => letOnlyLook(iam, `rekey-${index}`, storing, on),
      },
      endsSessionsUnasked: true,
      live: () => documentAt(secrets, name, { VersionStage: "AWSCURRENT" }),
      copies: () => copiesOf(secrets, name, `${stagingPrefix}/${name}/rekey_tag`),
      annotate: (note) => annotate(secrets, name, note),
      login: said,
      accounts: () => accountsOf(iam, user),
      hold: async (shown) => ({
        alive: async () => (await said(shown)).some(({ answer }) => answer === "in"),
        end: async () => undefined,
      }),
      accountOf: ({ username }) => username ?? "",
      attend: () => deleteLost(iam, user),
      stop: async () => undefined,
    };
  },
};

const looking = /:(Get|List|Describe|BatchGet|Simulate)/;

/** A denial of whatever is more than a look, as where an administrator has frozen an account. */
async function letOnlyLook(
  iam: IAMClient,
  UserName: string,
  allowed: readonly string[],
  on: boolean,
): Promise<void> {
  const named = { UserName, PolicyName: "look-only" };
  if (!on) return void (await iam.send(new DeleteUserPolicyCommand(named)));
  const Action = allowed.filter((action) => !looking.test(action));
  const Statement = [{ Effect: "Deny", Action, Resource: "*" }];
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await iam.send(new PutUserPolicyCommand({ ...named, PolicyDocument }));
}

async function saidOf(caller: Caller): Promise<LoginAnswer[]> {
  try {
    const said = await caller.ask();
    return said.map(({ region, arn }) => ({ node: region, answer: arn === null ? "refused" : "in" }));
  } finally {
    caller.end();
  }
}

/** The user's keys by their ids, whether each is active, and what the tags say of the slots. */
async function keysOf(iam: IAMClient, UserName: string) {
  const [{ AccessKeyMetadata = [] }, { Tags = [] }] = await Promise.all([
    iam.send(new ListAccessKeysCommand({ UserName })),
    iam.send(new ListUserTagsCommand({ UserName })),
  ]);
  const keys = new Map(
    AccessKeyMetadata.map(({ AccessKeyId = "", Status }) => [AccessKeyId, Status === "Active"]),
  );
  const tags = new Map(Tags.map(({ Key = "", Value = "" }) => [Key, Value]));
  return { keys, slots: recordsIn(tags, [...keys.keys()], { first }) };
}

/** As somebody does who has found in CloudTrail that Rekey made the key whose secret was lost: only Rekey makes keys here. */
async function deleteLost(iam: IAMClient, UserName: string): Promise<void> {
  const { keys, slots } = await keysOf(iam, UserName);
  const off = [...keys].flatMap(([id, active]) => (active ? [] : [id]));
  for (const AccessKeyId of strangersIn(off, slots))
    await iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId }));
}

/** Every key of the user, and every slot without one. Whose a key is stands in the user's tags. */
async function accountsOf(iam: IAMClient, UserName: string): Promise<Account[]> {
  const { keys, slots } = await keysOf(iam, UserName);
  const records = [...slots];
  const tagOf = (id: string) => records.find(([, record]) => keyOf(record) === id)?.[1].tag ?? "";
  return [
    ...[...keys].map(([id, enabled]) => ({ name: id, enabled, tag: tagOf(id), sessions: 0 })),
    ...records
      .filter(([, record]) => !keys.has(keyOf(record) ?? ""))
      .map(([slot, { tag }]) => ({ name: `${UserName}/${slot}`, enabled: false, tag, sessions: 0 })),
  ];
}

/** Labels of a secret by the id of the version that they stand on; versions without one are as good as gone. */
async function labelsOf(secrets: SecretsManagerClient, SecretId: string): Promise<[string, string[]][]> {
  const found = await orNull(secrets.send(new DescribeSecretCommand({ SecretId })));
  return Object.entries(found?.VersionIdsToStages ?? {}).filter(([, labels]) => labels.length > 0);
}

async function documentAt(
  secrets: SecretsManagerClient,
  SecretId: string,
  which: { readonly VersionId: string } | { readonly VersionStage: string },
): Promise<RawDocument | null> {
  const found = await orNull(secrets.send(new GetSecretValueCommand({ SecretId, ...which })));
  return found === null ? null : (JSON.parse(found.SecretString ?? "null") as RawDocument);
}

/** As careful people write their own field: a version under a label of theirs, made current in place of the one that was read. */
async function annotate(secrets: SecretsManagerClient, SecretId: string, note: string): Promise<void> {
  const read = await secrets.send(new GetSecretValueCommand({ SecretId, VersionStage: "AWSCURRENT" }));
  const document = { ...(JSON.parse(read.SecretString ?? "{}") as RawDocument), note };
  const token = randomUUID();
  await secrets.send(
    new PutSecretValueCommand({
      ...{ SecretId, ClientRequestToken: token, VersionStages: ["theirs"] },
      SecretString: JSON.stringify(document),
    }),
  );
  await secrets.send(
    new UpdateSecretVersionStageCommand({
      ...{ SecretId, VersionStage: "AWSCURRENT" },
      ...{ RemoveFromVersionId: read.VersionId, MoveToVersionId: token },
    }),
  );
}

/** Whoever may read the secret may read each version of it that has a label: that is a copy as well as the engine's own. */
async function copiesOf(secrets: SecretsManagerClient, name: string, own: string): Promise<string[]> {
  const engines = (await labelsOf(secrets, own)).flatMap(([, labels]) =>
    labels.flatMap((label) => (label.startsWith(copyLabel) ? [label.slice(copyLabel.length)] : [])),
  );
  const versions = await labelsOf(secrets, name);
  const documents = await Promise.all(
    versions.map(([VersionId]) => documentAt(secrets, name, { VersionId })),
  );
  const readable = documents.flatMap((document) =>
    document === null ? [] : [document.rekey_version ?? "the first"],
  );
  return [...new Set([...engines, ...readable])].sort();
}

async function orNull<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return null;
    throw error;
  }
}

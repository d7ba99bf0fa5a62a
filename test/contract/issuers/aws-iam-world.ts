/** A fresh IAM user in moto for each test, the engine's own user with the rights that are printed for it, and an administrator. */
import { randomBytes } from "node:crypto";
import {
  CreateUserCommand,
  GetUserCommand,
  IAMClient,
  ListAccessKeysCommand,
  TagUserCommand,
} from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { engineActions } from "../../../adapters/issuers/aws-iam/grants.js";
import { awsIam } from "../../../adapters/issuers/aws-iam.js";
import type { Issuer } from "../../../adapters/ports.js";
import { Secret } from "../../../domain/secret.js";
import { iamServer } from "../../setup/servers.js";
import { userWith } from "../../support/aws-users.js";
import { type Gate, type IsChange, openGate } from "../stores/gate.js";
import { depsOf } from "../stores/world.js";
import type { IssuerWorld } from "./world.js";

const account = "123456789012";
const region = "eu-central-1";

/** A world in moto, and what the tests that are about IAM itself need. */
export interface IamWorld extends IssuerWorld {
  readonly user: string;
  readonly admin: IAMClient;
  /** In front of IAM, and in front of STS. */
  readonly iam: Gate;
  readonly sts: Gate;
  /** An issuer with other settings. */
  openWith(config: object, account?: object, installation?: string): Issuer;
  /** The user's access keys: id and status. */
  keys(): Promise<Record<string, string>>;
}

const isChange: IsChange = ({ body }) => /\bAction=(Create|Update|Delete|Tag)/.test(body);

/** Who the key is, as AWS says; `null` where it is nobody's. Never throws what AWS answers. */
async function whoIs(address: string, accessKeyId: string, secretAccessKey: string): Promise<string | null> {
  const client = new STSClient({
    region,
    endpoint: address,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
  });
  try {
    return (await client.send(new GetCallerIdentityCommand({}))).Arn ?? null;
  } catch {
    return null;
  } finally {
    client.destroy();
  }
}

/** A user without keys, and its gates. */
export async function iamWorld(): Promise<IamWorld> {
  const { address, keyId, secret } = await iamServer();
  const credentials = { accessKeyId: keyId, secretAccessKey: secret.reveal() };
  const admin = new IAMClient({ region: "us-east-1", endpoint: address, credentials });
  const id = randomBytes(6).toString("hex");
  const user = `orders-${id}`;
  const engine = await userWith(admin, `rekey-${id}`, [...engineActions, "iam:TagUser"]);
  await admin.send(new CreateUserCommand({ UserName: user }));
  const [iam, sts] = await Promise.all([openGate(address, isChange), openGate(address)]);
  const made = (more: object, other: object = {}, installation = "here") =>
    awsIam.create(
      awsIam.config.parse({
        account,
        region,
        endpoint: iam.address,
        sts: [{ region, endpoint: sts.address }],
        settle: "0s",
        auth: { method: "keys", accessKeyId: "env:KEY", secretAccessKey: "env:SECRET" },
        ...more,
      }) as never,
      awsIam.account.parse({ user, ...other }) as never,
      depsOf({ "env:KEY": engine.keyId, "env:SECRET": engine.secret }, { installation }),
    );
  const clone = `copy-${id}`;
  return {
    user,
    admin,
    iam,
    sts,
    slots: ["a", "b"],
    open: () => made({}),
    openWith: made,
    openClone: async () => {
      await admin.send(new CreateUserCommand({ UserName: clone }));
      return made({}, { user: clone });
    },
    openUnreachable: () => {
      const nobody = "http://127.0.0.1:1";
      return made({ endpoint: nobody, sts: [{ region, endpoint: nobody }] });
    },
    connect: async (username, password) => {
      if ((await whoIs(address, username, password)) === null) return null;
      return {
        alive: async () => (await whoIs(address, username, password)) !== null,
        // Nobody can choose an access key's secret.
        setOwnValue: async () => {},
        close: async () => {},
      };
    },
    overwriteTag: async (slot, text) => {
      await admin.send(new TagUserCommand({ UserName: user, Tags: [{ Key: `rekey:${slot}`, Value: text }] }));
    },
    exists: async () => (await admin.send(new GetUserCommand({ UserName: user }))).User !== undefined,
    keys: async () => {
      const { AccessKeyMetadata } = await admin.send(new ListAccessKeysCommand({ UserName: user }));
      return Object.fromEntries(
        (AccessKeyMetadata ?? []).map(({ AccessKeyId, Status }) => [AccessKeyId, Status]),
      );
    },
    // A key of that id would be live, whatever the secret.
    unknown: (document) => ({ ...document, username: new Secret("AKIAOFNOBODYATALL000") }),
    dispose: async () => {
      admin.destroy();
      await Promise.all([iam.close(), sts.close()]);
    },
  };
}

/** A fresh secret in moto for each test, with an administrator's eyes and another writer's hands. */
import { randomBytes, randomUUID } from "node:crypto";
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import type { Store } from "../../../adapters/ports.js";
import { awsSecretsManager } from "../../../adapters/stores/aws-secrets-manager.js";
import { motoServer } from "../../setup/servers.js";
import { type Gate, type IsChange, openGate } from "./gate.js";
import { depsOf, type WiredStoreWorld } from "./world.js";

/** moto's own account. */
const motoAccount = "123456789012";
const motoRegion = "eu-central-1";

/** A world in moto, and what the tests that are about Secrets Manager itself need. */
export interface SecretsManagerWorld extends WiredStoreWorld {
  readonly gate: Gate;
  readonly admin: SecretsManagerClient;
  readonly name: string;
  /** Name of the secret with the copies. */
  readonly copies: string;
  /** The same place with other settings of the store. */
  openAs(settings: object): Store;
  /** Labels of each version of a secret, those of versions without any left out. */
  labelsOf(secret: string): Promise<Record<string, string[]>>;
}

/** A client of moto with anybody's key. */
export function adminClient(address: string, region = motoRegion): SecretsManagerClient {
  const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "admin" };
  return new SecretsManagerClient({ region, endpoint: address, credentials });
}

/** What consumers or the engine would notice. A version that is added without the label AWSCURRENT is not that yet. */
const isChange: IsChange = ({ headers, body }) => {
  const action = String(headers["x-amz-target"]).replace("secretsmanager.", "");
  return (
    action === "UpdateSecretVersionStage" ||
    action === "CreateSecret" ||
    (action === "PutSecretValue" && !body.includes("AWSPENDING"))
  );
};

/** A new place, its own staging prefix and its own gate. */
export async function secretsManagerWorld(): Promise<SecretsManagerWorld> {
  const { address } = await motoServer();
  const admin = adminClient(address);
  const gate = await openGate(address, isChange);
  const id = `t${randomBytes(6).toString("hex")}`;
  const name = `${id}/orders/db`;
  const prefix = `${id}-rekey/staging`;
  const copies = `${prefix}/${name}/rekey_tag`;

  const currentOf = async () => {
    try {
      return await admin.send(new GetSecretValueCommand({ SecretId: name, VersionStage: "AWSCURRENT" }));
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return null;
      throw error;
    }
  };
  const raw = async () => JSON.parse((await currentOf())?.SecretString ?? "null");
  // As careful tools and rotation functions do it. moto loses track of the current version when it is put directly
  // after the label was moved.
  const foreignWrite = async (fields: Record<string, string>) => {
    const before = await currentOf();
    if (before === null) {
      await admin.send(new CreateSecretCommand({ Name: name, SecretString: JSON.stringify(fields) }));
      return;
    }
    const token = randomUUID();
    const text = JSON.stringify({ ...JSON.parse(before.SecretString ?? ""), ...fields });
    await admin.send(
      new PutSecretValueCommand({
        SecretId: name,
        SecretString: text,
        ClientRequestToken: token,
        VersionStages: ["theirs"],
      }),
    );
    await admin.send(
      new UpdateSecretVersionStageCommand({
        SecretId: name,
        VersionStage: "AWSCURRENT",
        RemoveFromVersionId: before.VersionId,
        MoveToVersionId: token,
      }),
    );
  };
  const labelsOf = async (secret: string) => {
    try {
      const { VersionIdsToStages } = await admin.send(new DescribeSecretCommand({ SecretId: secret }));
      const entries = Object.entries(VersionIdsToStages ?? {});
      return Object.fromEntries(entries.filter(([, labels]) => labels.length > 0));
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return {};
      throw error;
    }
  };
  const versionsOf = async (secret: string) =>
    Promise.all(
      Object.entries(await labelsOf(secret)).map(async ([version, labels]) => {
        const found = await admin.send(new GetSecretValueCommand({ SecretId: secret, VersionId: version }));
        return [secret, version, labels, JSON.parse(found.SecretString ?? "")];
      }),
    );
  const settings = {
    account: motoAccount,
    region: motoRegion,
    endpoint: gate.address,
    stagingPrefix: prefix,
    auth: { method: "keys", accessKeyId: "env:AWS_KEY", secretAccessKey: "env:AWS_SECRET" },
  };
  const made = (more: object, fields?: object, installation = "here") =>
    awsSecretsManager.create(
      awsSecretsManager.config.parse({ ...settings, ...more }) as never,
      awsSecretsManager.place.parse({ name, ...(fields ? { fields } : {}) }) as never,
      depsOf(
        { "env:AWS_KEY": "AKIAIOSFODNN7EXAMPLE", "env:AWS_SECRET": "canary-engine-secret" },
        { installation },
      ),
    );

  return {
    gate,
    admin,
    name,
    copies,
    labelsOf,
    openAs: (more) => made(more),
    storeVersions: "named",
    open: ({ fields, installation } = {}) => made({}, fields, installation),
    raw,
    foreignWrite,
    foreignWriteInBetween: async (fields) => {
      gate.beforeChange = () => foreignWrite(fields);
    },
    // What carries a label. Of a version without one AWS says that it may delete it, and nobody can before it does.
    everything: async () => JSON.stringify([...(await versionsOf(name)), ...(await versionsOf(copies))]),
    cutOff: () => gate.shut(),
    fallSilent: () => {
      gate.silent = true;
    },
    loseNextAnswer: () => {
      gate.losing = true;
    },
    dispose: async () => {
      admin.destroy();
      await gate.close();
    },
  };
}

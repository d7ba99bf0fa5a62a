/** What is about Secrets Manager itself: late requests, what it cannot forget, replicas, and who else writes a secret. */
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ReplicateSecretToRegionsCommand,
  RotateSecretCommand,
} from "@aws-sdk/client-secrets-manager";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Store } from "../../../adapters/ports.js";
import { formatTag } from "../../../domain/fence.js";
import { motoServer } from "../../setup/servers.js";
import { adminClient, type SecretsManagerWorld, secretsManagerWorld } from "./aws-secrets-manager-world.js";
import { call, change, codeOf, contents, kept, passwordOf, tag } from "./world.js";

let world: SecretsManagerWorld;
let store: Store;
const first = tag("v1", 1);
const second = tag("v2", 2);
const taken = tag("v1", 3, { epoch: 2 });

beforeEach(async () => {
  world = await secretsManagerWorld();
  store = world.open();
  await world.foreignWrite({ host: "h1" });
  await store.stage("v1", contents("v1"), call());
  await store.stage("v2", contents("v2"), call());
  await store.promote(change(null, first), call());
});
afterEach(async () => {
  await store.close();
  await world.dispose();
});

/** Codes of what refuses. */
async function refusals(of: Store = store): Promise<string[]> {
  const found = await of.preflight(call());
  return found.filter(({ severity }) => severity === "refuse").map(({ code }) => code);
}

it("H3: a promote that is written, and whose replicas cannot be asked, has an unknown outcome", async () => {
  const seen: string[] = [];
  world.gate.onRequest = async ({ headers }) => {
    const action = String(headers["x-amz-target"]).replace("secretsmanager.", "");
    // From the moment in which the label has been moved nothing is answered any more.
    if (seen.at(-1) === "UpdateSecretVersionStage" && action === "DescribeSecret") {
      await world.gate.shut();
    }
    seen.push(action);
  };
  expect(await codeOf(store.promote(change(first, second), call()))).toBe("unknown-outcome");
  expect(seen.slice(-2)).toContain("DescribeSecret");
});

describe("a late request", () => {
  /** What the promote of the second version sent, to be sent again later. */
  async function requestsOfPromote() {
    const before = world.gate.passed.length;
    await store.promote(change(first, second), call());
    const sent = world.gate.passed.slice(before);
    const again = (action: string) => {
      const request = sent.find(({ headers }) => headers["x-amz-target"] === `secretsmanager.${action}`);
      if (request === undefined) throw new Error(`the promote sent no ${action}`);
      const { host: _, connection: __, "content-length": ___, ...headers } = request.headers;
      return fetch(world.gate.address, {
        method: "POST",
        headers: headers as Record<string, string>,
        body: request.body,
      });
    };
    return again;
  }

  it("H3: the very requests of an epoch before, sent once more, change nothing that a consumer reads", async () => {
    const again = await requestsOfPromote();
    const back = tag("v1", 3, { epoch: 2 });
    await store.promote(change(second, back), call());
    const before = await world.raw();
    expect((await again("PutSecretValue")).status).toBe(200);
    expect((await again("UpdateSecretVersionStage")).status).toBe(400);
    expect(await world.raw()).toEqual(before);
    expect((await store.view(call())).tag).toBe(formatTag(back));
  });

  it("H3: a promote that waits between its two steps is fenced by the next epoch's seize", async () => {
    const other = world.open();
    world.gate.beforeChange = async () => {
      const admin = world.gate.beforeChange;
      world.gate.beforeChange = null;
      await other.seize(change(first, taken), call());
      world.gate.beforeChange = admin;
    };
    expect(await codeOf(store.promote(change(first, second), call()))).toBe("fenced");
    expect(await world.raw()).toMatchObject({ ...kept("v1"), rekey_tag: formatTag(taken) });
    await other.close();
  });

  it("H3: the very copy of before, sent once more after its version was purged, gets no label back", async () => {
    const before = world.gate.passed.length;
    await store.stage("v3", contents("v3"), call());
    const request = world.gate.passed
      .slice(before)
      .find(({ headers }) => headers["x-amz-target"] === "secretsmanager.PutSecretValue");
    await store.purge("v3", call());
    const left = await world.everything();
    const { host: _, connection: __, "content-length": ___, ...headers } = request?.headers ?? {};
    await fetch(world.gate.address, {
      method: "POST",
      headers: headers as Record<string, string>,
      body: request?.body ?? "",
    });
    expect(await world.everything()).toBe(left);
    expect(await store.staged("v3", call())).toBeNull();
  });

  it("H3: a replacement that was under way when its version was purged is refused by AWS itself", async () => {
    const useless = await store.stage("v3", contents("useless"), call());
    const other = world.open();
    world.gate.beforeChange = async () => {
      world.gate.beforeChange = () => other.purge("v3", call());
    };
    expect(await codeOf(store.restage("v3", contents("v3"), useless, call()))).toBe("fenced");
    expect(await store.staged("v3", call())).toBeNull();
    await other.close();
  });
});

describe("labels", () => {
  it("H20: copies are in a secret of their own, and never its current version", async () => {
    const labels = Object.values(await world.labelsOf(world.copies))
      .flat()
      .sort();
    expect(labels).toEqual(["AWSCURRENT", "rekey:v1", "rekey:v2"]);
    const current = await world.admin.send(new GetSecretValueCommand({ SecretId: world.copies }));
    expect(current.SecretString).toBe("{}");
    for (const version of Object.keys(await world.labelsOf(world.name))) {
      const found = await world.admin.send(
        new GetSecretValueCommand({ SecretId: world.name, VersionId: version }),
      );
      expect(found.SecretString).not.toContain("canary-v2");
    }
  });

  it("H20: a purge takes AWSPREVIOUS away; by its id the version can be read until AWS deletes it", async () => {
    const old = await world.admin.send(
      new GetSecretValueCommand({ SecretId: world.name, VersionStage: "AWSCURRENT" }),
    );
    await store.promote(change(first, second), call());
    expect((await world.labelsOf(world.name))[String(old.VersionId)]).toEqual(["AWSPREVIOUS"]);
    await store.purge("v1", call());
    expect(
      Object.values(await world.labelsOf(world.name))
        .flat()
        .sort(),
    ).toEqual(["AWSCURRENT", "AWSPENDING"]);
    const byId = await world.admin.send(
      new GetSecretValueCommand({ SecretId: world.name, VersionId: old.VersionId }),
    );
    expect(JSON.parse(byId.SecretString ?? "").password).toBe(passwordOf("v1"));
  });

  it("a version that somebody's own label keeps is let go of as well, and one of theirs is not touched", async () => {
    await world.admin.send(
      new PutSecretValueCommand({
        SecretId: world.name,
        SecretString: JSON.stringify({ password: passwordOf("v1"), username: "orders_v1" }),
        VersionStages: ["pinned"],
      }),
    );
    await world.admin.send(
      new PutSecretValueCommand({ SecretId: world.name, SecretString: "plain", VersionStages: ["note"] }),
    );
    await store.promote(change(first, second), call());
    await store.purge("v1", call());
    const labels = Object.values(await world.labelsOf(world.name)).flat();
    expect(labels).not.toContain("pinned");
    expect(labels).toContain("note");
  });

  it("no room for more labels refuses the rotation", async () => {
    for (let n = 3; n <= 17; n++) await store.stage(`v${n}`, contents(`v${n}`), call());
    expect(await refusals()).toEqual(["secrets-manager-labels"]);
  });
});

describe("a secret without a value", () => {
  it("H18: of two first documents one becomes current, and the other is stale and fenced", async () => {
    await world.admin.send(
      new DeleteSecretCommand({ SecretId: world.name, ForceDeleteWithoutRecovery: true }),
    );
    await world.admin.send(new CreateSecretCommand({ Name: world.name }));
    expect(await store.view(call())).toMatchObject({ tag: "", liveVersion: null });
    const other = world.open();
    const outcomes = await Promise.allSettled([
      store.promote(change(null, tag("v1", 5)), call()),
      other.promote(change(null, tag("v2", 6)), call()),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const winner = outcomes[0]?.status === "fulfilled" ? "v1" : "v2";
    expect(await world.raw()).toMatchObject(kept(winner));
    await other.close();
  });
});

describe("replicas in other regions", () => {
  const replicate = (region: string) =>
    world.admin.send(
      new ReplicateSecretToRegionsCommand({ SecretId: world.name, AddReplicaRegions: [{ Region: region }] }),
    );

  it("H16: a promote waits until each replica has it", async () => {
    await replicate("eu-west-1");
    let looks = 0;
    world.gate.rewrite = ({ headers }, answer) => {
      const described = headers["x-amz-target"] === "secretsmanager.DescribeSecret";
      return described && ++looks < 3 ? answer.replace('"InSync"', '"InProgress"') : answer;
    };
    expect(await store.promote(change(first, second), call())).toBe("applied");
    expect(looks).toBe(3);
    const there = adminClient((await motoServer()).address, "eu-west-1");
    const read = await there.send(
      new GetSecretValueCommand({ SecretId: world.name, VersionStage: "AWSCURRENT" }),
    );
    expect(JSON.parse(read.SecretString ?? "").password).toBe(passwordOf("v2"));
    there.destroy();
  });

  it("H16: with a replica that stays behind a promote is not done, and says where", async () => {
    await replicate("eu-west-1");
    world.gate.rewrite = (_, answer) => answer.replace('"InSync"', '"InProgress"');
    const impatient = world.openAs({ replicaWait: "1ms" });
    expect(await codeOf(impatient.promote(change(first, second), call()))).toBe("unknown-outcome");
    expect(await codeOf(impatient.promote(change(first, second), call()))).toBe("unknown-outcome");
    const found = await store.preflight(call());
    expect(found).toContainEqual(
      expect.objectContaining({
        code: "secrets-manager-replica-behind",
        severity: "warn",
        subject: "eu-west-1",
      }),
    );
    world.gate.rewrite = null;
    expect(await store.promote(change(first, second), call())).toBe("already");
  });

  it("H16: a replica that has failed refuses the rotation, and so does a place that is a replica itself", async () => {
    const there = adminClient((await motoServer()).address, "eu-west-2");
    await there.send(new CreateSecretCommand({ Name: world.name, SecretString: "{}" }));
    await replicate("eu-west-2");
    await replicate("eu-west-1");
    expect(await refusals()).toEqual(["secrets-manager-replica-failed"]);
    expect(await refusals(world.openAs({ region: "eu-west-1" }))).toContain("secrets-manager-is-replica");
    there.destroy();
  });
});

describe("who else has a hand in it", () => {
  it("H18: AWS's own rotation of the secret refuses", async () => {
    const fresh = await secretsManagerWorld();
    await fresh.foreignWrite({ username: "orders", password: "canary-old" });
    const RotationRules = { AutomaticallyAfterDays: 30 };
    const rotation = { SecretId: fresh.name, RotationRules, RotateImmediately: false };
    await fresh.admin.send(new RotateSecretCommand(rotation));
    expect(await refusals(fresh.open())).toEqual(["secrets-manager-native-rotation"]);
    await fresh.dispose();
  });

  it("H18: a secret that a service of AWS keeps refuses", async () => {
    world.gate.rewrite = ({ headers }, answer) =>
      headers["x-amz-target"] === "secretsmanager.DescribeSecret"
        ? JSON.stringify({ ...JSON.parse(answer), OwningService: "rds" })
        : answer;
    expect(await refusals()).toEqual(["secrets-manager-managed"]);
  });

  it("H19: a secret that is marked as deleted is neither absent nor changed", async () => {
    await world.admin.send(new DeleteSecretCommand({ SecretId: world.name, RecoveryWindowInDays: 7 }));
    expect(await codeOf(store.view(call()))).toBe("unsupported");
    expect(await codeOf(store.promote(change(first, second), call()))).toBe("unsupported");
    expect(await refusals()).toEqual(["secrets-manager-deleted"]);
  });

  it("H34: a text that is no JSON object is named, and not written over", async () => {
    const { VersionId } = await world.admin.send(
      new GetSecretValueCommand({ SecretId: world.name, VersionStage: "AWSCURRENT" }),
    );
    world.gate.rewrite = ({ headers }, answer) =>
      headers["x-amz-target"] === "secretsmanager.GetSecretValue" && answer.includes(String(VersionId))
        ? JSON.stringify({ ...JSON.parse(answer), SecretString: "canary-plain" })
        : answer;
    expect(await codeOf(store.live(call()))).toBe("unsupported");
    expect(await codeOf(store.promote(change(first, second), call()))).toBe("unsupported");
    expect(await refusals()).toEqual(["secrets-manager-not-json"]);
  });

  it("H9: another account that answers is the wrong server", async () => {
    const elsewhere = world.openAs({ account: "210987654321" });
    expect(await codeOf(elsewhere.view(call()))).toBe("wrong-server");
    expect(await codeOf(elsewhere.promote(change(first, second), call()))).toBe("wrong-server");
    expect(await world.raw()).toMatchObject(kept("v1"));
  });

  it("H9: no variable of the environment moves a request, or lets the SDK repeat it", async () => {
    const before = { ...process.env };
    Object.assign(process.env, {
      AWS_ENDPOINT_URL: "http://127.0.0.1:1",
      AWS_ENDPOINT_URL_SECRETS_MANAGER: "http://127.0.0.1:1",
      AWS_REGION: "us-east-1",
      AWS_MAX_ATTEMPTS: "9",
      AWS_ACCESS_KEY_ID: "AKIASOMEBODYELSE",
      AWS_SECRET_ACCESS_KEY: "canary-env",
    });
    try {
      const fresh = world.open();
      world.gate.passed.splice(0);
      world.gate.losing = true;
      expect(await codeOf(fresh.stage("v9", contents("v9"), call()))).toBe("unknown-outcome");
      expect(world.gate.passed).toHaveLength(1);
      expect(String(world.gate.passed[0]?.headers.authorization)).toContain("AKIAIOSFODNN7EXAMPLE");
    } finally {
      process.env = before;
    }
  });
});

/** The contract of the sources with moto's IAM, and the report that it does not give whole. */
import { randomBytes } from "node:crypto";
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  IAMClient,
  UpdateAccessKeyCommand,
} from "@aws-sdk/client-iam";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { awsIamReport, reportActions } from "../../../adapters/sources/aws-iam-report.js";
import { usersIn } from "../../../adapters/sources/aws-iam-report-rows.js";
import { type MotoServer, startMoto } from "../../../worker/dev/moto.js";
import { type AwsKey, actionsIn, administratorOf, userWith } from "../../support/aws-users.js";
import { leakedAddress, oddName, scanned, sourceContract, useText } from "../source.js";
import { call, depsOf } from "../stores/world.js";
import { type Front, httpFront } from "./front.js";

const account = "123456789012";
const region = "eu-central-1";

/** Of this file's own: a report tells of everybody in the account, and who comes meanwhile is in the next one. */
let server: MotoServer;
let administrator: AwsKey;

beforeAll(async () => {
  server = await startMoto({ authorised: true });
  administrator = await administratorOf(server.address);
}, 120_000);
afterAll(() => server?.stop());

/** Users of their own, one of whom looks. */
async function reportWorld() {
  const { address } = server;
  const credentials = { accessKeyId: administrator.keyId, secretAccessKey: administrator.secret };
  const admin = new IAMClient({ region: "us-east-1", endpoint: address, credentials });
  const id = randomBytes(6).toString("hex");
  const engine = await userWith(admin, `looks-${id}`, reportActions);
  return {
    address,
    admin,
    engine,
    name: (user: string) => `${user}-${id}`,
    source: (more: object = {}, key: AwsKey = engine) =>
      awsIamReport.create(
        awsIamReport.config.parse({
          account,
          region,
          endpoint: address,
          issuer: "cloud",
          auth: { method: "keys", accessKeyId: "env:KEY", secretAccessKey: "env:SECRET" },
          ...more,
        }),
        depsOf({ "env:KEY": key.keyId, "env:SECRET": key.secret }),
      ),
    /** Uses a key as anybody would. */
    use: async ({ keyId: accessKeyId, secret: secretAccessKey }: AwsKey) => {
      const sts = new STSClient({ region, endpoint: address, credentials: { accessKeyId, secretAccessKey } });
      await sts.send(new GetCallerIdentityCommand({}));
      sts.destroy();
    },
    forget: async (user: string, { keyId: AccessKeyId }: AwsKey) => {
      await admin.send(new DeleteAccessKeyCommand({ UserName: user, AccessKeyId }));
      await admin.send(new DeleteUserPolicyCommand({ UserName: user, PolicyName: "rights" }));
      await admin.send(new DeleteUserCommand({ UserName: user }));
    },
    end: async () => admin.destroy(),
  };
}

const arnOf = (user: string) => `arn:aws:iam::${account}:user/${user}`;
const used = (user: string) => `account(cloud ${user}) used`;

const lastUsed = "2026-01-02T03:04:00+00:00";

/** A user's row by the columns that are read, one key of it active and used at a time. */
const rowWith = (user: string, usedAt: string, active = "true") =>
  JSON.stringify({
    user,
    arn: arnOf("strange"),
    ...{ access_key_1_active: active, access_key_1_last_rotated: "2020-01-02T03:04:05+00:00" },
    access_key_1_last_used_date: usedAt,
    access_key_2_active: "false",
  });

/** It in the order of a report's head; what is no such row stays as it is. */
const rowOf = (head: string, row: string): string => {
  if (!row.startsWith("{")) return row;
  const columns = JSON.parse(row) as Record<string, string>;
  return head
    .split(",")
    .map((name) => columns[name] ?? "N/A")
    .join(",");
};

sourceContract("aws-iam-report", async () => {
  const world = await reportWorld();
  const orders = world.name("orders");
  const key = await userWith(world.admin, orders, ["s3:GetObject"]);
  await world.use(key);
  const planted = world.name("planted");
  let plantedKey: AwsKey | undefined;
  const plant = async () => {
    plantedKey = await userWith(world.admin, planted, ["s3:GetObject"]);
    await world.use(plantedKey);
    return used(planted);
  };
  /** Rows before those of the report, as one that is damaged has them. */
  const strange: string[] = [];
  let front: Front | undefined;
  let from: object = {};
  const withRows = async (...rows: readonly string[]) => {
    strange.push(...rows);
    if (front !== undefined) return;
    front = await httpFront(world.address);
    front.change = (answer) => {
      const text = String(answer);
      const [, content] = /<Content>([^<]+)<\/Content>/.exec(text) ?? [];
      if (content === undefined) return answer;
      const [head = "", ...rows] = Buffer.from(content, "base64").toString("utf8").split("\n");
      const report = [head, ...strange.map((row) => rowOf(head, row)), ...rows].join("\n");
      return Buffer.from(text.replace(content, Buffer.from(report).toString("base64")));
    };
    from = { endpoint: `http://127.0.0.1:${front.port}` };
  };
  return {
    shows: "now",
    open: () => world.source(from),
    openUnreachable: () => world.source({ endpoint: "http://127.0.0.1:1" }),
    shown: [used(orders)],
    // Other tests of this file have users in the same account.
    whole: false,
    plant,
    unplant: async () => {
      if (plantedKey !== undefined) await world.forget(planted, plantedKey);
    },
    spoil: async () => {
      await withRows(
        `cut,${arnOf("cut")},2020`,
        rowWith(key.secret, "yesterday"),
        rowWith("odd-flag", "", "perhaps"),
      );
      return plant();
    },
    odd: async () => {
      await withRows(rowWith(`"${oddName}"`, lastUsed));
      return plant();
    },
    leak: () => withRows(rowWith(leakedAddress, lastUsed)),
    // More users than are in a part, and one behind them whose key AWS is asked about when it is their turn.
    large: async () => {
      const names = Array.from({ length: 51 }, (_, number) => world.name(`many${number}`));
      await Promise.all(names.map((UserName) => world.admin.send(new CreateUserCommand({ UserName }))));
      const last = world.name("zz-last");
      const lastKey = await userWith(world.admin, last, ["s3:GetObject"]);
      return {
        edges: 1,
        late: async () => {
          await world.use(lastKey);
          return used(last);
        },
      };
    },
    values: [key.secret, world.engine.secret],
    close: async () => {
      await front?.close();
      await world.end();
    },
  };
});

describe("users of AWS", () => {
  let world: Awaited<ReturnType<typeof reportWorld>>;
  beforeEach(async () => {
    world = await reportWorld();
  });
  afterEach(() => world.end());
  const about = async (user: string) => {
    const parts = await scanned(world.source());
    return {
      listed: parts
        .flatMap(({ listed }) => listed)
        .filter(({ thing }) => thing.is === "account" && thing.account === user),
      claims: parts.flatMap(({ claims }) => claims),
      uses: parts
        .flatMap(({ uses = [] }) => uses)
        .filter(({ of }) => of.is === "account" && of.account === user),
    };
  };

  it("are listed with the age of their oldest key, and a key that was never used shows no use", async () => {
    const user = world.name("idle");
    await world.admin.send(new CreateUserCommand({ UserName: user }));
    expect(await about(user)).toEqual({ listed: [], claims: [], uses: [] });
    const { AccessKey } = await world.admin.send(new CreateAccessKeyCommand({ UserName: user }));
    const made = AccessKey?.CreateDate?.getTime() ?? 0;
    const { listed, claims, uses } = await about(user);
    expect(listed.map(({ thing }) => thing)).toEqual([
      {
        is: "account",
        issuer: "cloud",
        account: user,
        class: "api-key",
        createdAt: Math.floor(made / 1000) * 1000,
      },
    ]);
    expect([claims, uses]).toEqual([[], []]);
    // One that is switched off is a secret all the same.
    const off = { UserName: user, AccessKeyId: AccessKey?.AccessKeyId, Status: "Inactive" as const };
    await world.admin.send(new UpdateAccessKeyCommand(off));
    expect((await about(user)).listed).toHaveLength(1);
  });

  it("C21: are in use when AWS saw a key of theirs, for what and where, and by nobody whom it names", async () => {
    const user = world.name("orders");
    const before = Math.floor(Date.now() / 60_000) * 60_000;
    await world.use(await userWith(world.admin, user, ["s3:GetObject"]));
    const { uses, claims } = await about(user);
    expect(claims).toEqual([]);
    expect(uses.map(useText)).toEqual([used(user)]);
    expect(uses[0]?.sentence).toMatch(
      new RegExp(`^AWS saw an access key of ${user} last at .*Z, for sts in eu-central-1\\.$`),
    );
    expect(uses[0]?.seen.last).toBeGreaterThanOrEqual(before);
    expect(JSON.stringify(uses)).not.toContain(arnOf(user));
  });

  it("are seen with the rights that are printed, and not with fewer", async () => {
    expect(actionsIn(awsIamReport.grants?.({}) ?? "")).toEqual([[...reportActions]]);
    expect(await world.source().preflight(call())).toEqual([]);
    const less = await userWith(world.admin, world.name("less"), reportActions.slice(1));
    expect(await world.source({}, less).preflight(call())).toEqual([
      expect.objectContaining({ code: "not-permitted", severity: "refuse", subject: account }),
    ]);
    await expect(scanned(world.source({}, less))).rejects.toMatchObject({ code: "not-permitted" });
  });

  it("of another account are refused", async () => {
    await expect(scanned(world.source({ account: "999999999999" }))).rejects.toMatchObject({
      code: "wrong-server",
    });
  });

  it("come in parts, in the order of their names", async () => {
    for (let each = 0; each < 51; each++) {
      await world.admin.send(new CreateUserCommand({ UserName: world.name(`many${each}`) }));
    }
    const parts = await scanned(world.source());
    expect(parts.length).toBeGreaterThan(1);
    const rest = await scanned(world.source(), parts[0]?.cursor);
    expect(rest.map(({ cursor }) => cursor)).toEqual(parts.slice(1).map(({ cursor }) => cursor));
  });
});

describe("a credential report", () => {
  const columns = ["active", "last_rotated", "last_used_date", "last_used_region", "last_used_service"];
  const head = [
    "user",
    "arn",
    ...[1, 2].flatMap((number) => columns.map((name) => `access_key_${number}_${name}`)),
  ].join(",");
  const off = "false,N/A,N/A,N/A,N/A";

  it("tells of the root, of times, and of what AWS does not know", () => {
    const { users, malformed } = usersIn(
      `${head}\n<root_account>,arn:aws:iam::${account}:root,true,2020-01-02T03:04:05+00:00,2026-01-02T03:04:00+00:00,us-east-1,s3,${off}\n` +
        `b,arn:aws:iam::${account}:user/b,false,2021-01-02T03:04:05+00:00,no_information,N/A,N/A,${off}\n`,
    );
    expect(malformed).toEqual([]);
    expect(users).toEqual([
      {
        user: "<root_account>",
        arn: `arn:aws:iam::${account}:root`,
        keys: [
          {
            active: true,
            madeAt: Date.parse("2020-01-02T03:04:05Z"),
            lastUse: { at: Date.parse("2026-01-02T03:04:00Z"), service: "s3", region: "us-east-1" },
          },
        ],
      },
      {
        user: "b",
        arn: `arn:aws:iam::${account}:user/b`,
        keys: [{ active: false, madeAt: Date.parse("2021-01-02T03:04:05Z"), lastUse: null }],
      },
    ]);
  });

  it("that is cut anywhere has every user before the cut, and names the row that is cut", () => {
    const one = `a,arn:aws:iam::${account}:user/a,${off},${off}\n`;
    const two = `b,arn:aws:iam::${account}:user/b,true,2021-01-02T03:04:05+00:00,N/A,N/A,N/A,${off}\n`;
    const whole = `${head}\n${one}${two}`;
    // Behind the last comma only the name of a service is cut, which says nothing.
    for (let cut = whole.indexOf(two) + 1; cut < whole.lastIndexOf(","); cut++) {
      const { users, malformed } = usersIn(whole.slice(0, cut));
      expect([cut, users.map(({ user }) => user), malformed.map(({ where }) => where)]).toEqual([
        ...[cut, ["a"], ["credential report row 2"]],
      ]);
    }
    for (const written of [`\uFEFF${whole}`, whole.replaceAll("\n", "\r\n")])
      expect(usersIn(written)).toEqual(usersIn(whole));
  });

  it("names rows that are none, and reads on", () => {
    const { users, malformed } = usersIn(
      `${head}\na,nonsense,true,yesterday,N/A,N/A,N/A,${off}\nb,arn:aws:iam::${account}:user/b,${off},${off}\n`,
    );
    expect(users.map(({ user }) => user)).toEqual(["b"]);
    expect(malformed).toEqual([
      {
        where: "credential report row 1",
        why: expect.stringMatching(/^it is no row of a credential report, by arn, access_key_1_last_rotated/),
      },
    ]);
  });
});

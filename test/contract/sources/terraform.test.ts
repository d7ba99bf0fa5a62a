/** The source of states and plans, in the form that `terraform show -json` and `tofu show -json` print. */
import { expect, it } from "vitest";
import { terraform } from "../../../adapters/sources/terraform.js";
import { testMark } from "../../support/mark.js";
import { edgeText, leakedAddress, oddName, sourceContract, thingText } from "../source.js";
import { folderCase, fresh, odd, saidOf } from "./folder-world.js";

const password = fresh("pw");
const other = fresh("other");
const at = (path: string) => `location(terraform shop ${path})`;
const versions = { format_version: "1.0", terraform_version: "1.9.8" };

interface Resource {
  readonly address: string;
  readonly type: string;
  readonly mode?: string;
  readonly values: object;
  readonly sensitive_values?: object;
}
const state = (resources: readonly Resource[], rest: object = {}) =>
  JSON.stringify({ ...versions, values: { root_module: { resources, ...rest } } });

const random = {
  address: "random_password.db",
  type: "random_password",
  values: { result: password, length: 20 },
};
const database = {
  address: 'module.db.aws_db_instance.main["eu"]',
  type: "aws_db_instance",
  values: { username: "orders", password: other, endpoint: "db.example.com:5432", tags: {} },
  sensitive_values: { password: true },
};
const indexed = 'module.db.aws_db_instance.main["eu"]#password';

sourceContract(
  "terraform",
  folderCase({
    kind: terraform,
    files: {
      "prod.json": state([random], { child_modules: [{ address: "module.db", resources: [database] }] }),
      "package.json": JSON.stringify({ name: "shop", password }),
    },
    whole: true,
    shown: [
      `${at("random_password.db#result")} stored-in location(repository shop prod.json) declared`,
      `${at(indexed)} stored-in location(repository shop prod.json) declared`,
      `${at(indexed)} stored-in ${at("module.db.aws_db_instance.main#password")} declared`,
    ],
    planted: {
      files: { "more/test.json": state([{ ...random, address: "random_password.more" }]) },
      edge: `${at("random_password.more#result")} stored-in location(repository shop more/test.json) declared`,
    },
    spoiled: {
      files: {
        "a.json": state([random]).slice(0, -20),
        "b.json": state([{ ...random, address: "random_password.late" }]),
        "c.tfstate": JSON.stringify({ version: 4, terraform_version: "1.9.8", resources: [{ password }] }),
      },
      edge: `${at("random_password.late#result")} stored-in location(repository shop b.json) declared`,
    },
    leaking: {
      "leak.json": state([{ ...random, address: `random_password.db["${leakedAddress}"]` }]),
    },
    odd: {
      files: {
        [`a${odd.file}.json`]: state([{ ...random, address: `random_password.db["${oddName}"]` }]),
        "b.json": state([{ ...random, address: "random_password.late" }]),
      },
      edge: `${at("random_password.late#result")} stored-in location(repository shop b.json) declared`,
    },
    large: (names) => ({
      "a.json": state(
        names.map((name) => ({
          ...{ ...random, address: `random_password.${name}` },
          values: { result: `${password}${name}` },
        })),
      ),
    }),
    values: [password, other],
  }),
);

const uses = (claims: readonly Parameters<typeof edgeText>[0][]) =>
  claims.filter(({ type }) => type !== "stored-in").map(edgeText);

it("marks what a provider calls sensitive, what a name says, and outputs; nothing else", async () => {
  const { copies } = await saidOf(terraform, {
    "s.json": JSON.stringify({
      ...versions,
      values: {
        outputs: {
          dsn: { sensitive: true, value: `postgres://u:${password}@db/x` },
          host: { value: "db.example.com" },
        },
        root_module: {
          resources: [
            {
              address: "x.a",
              type: "x",
              values: {
                note: "correct horse battery",
                plain: "an ordinary text",
                list: [{ blob: password }],
                api_key: other,
              },
              sensitive_values: { note: true, list: [{ blob: true }] },
            },
          ],
        },
      },
    }),
  });
  expect(copies.map((copy) => [thingText(copy.at), copy.mark, copy.literal])).toEqual([
    [at("output.dsn#dsn"), testMark(password), true],
    [at("x.a#note"), testMark("correct horse battery"), true],
    [at("x.a#list.0.blob"), testMark(password), true],
    [at("x.a#api_key"), testMark(other), true],
  ]);
});

it("says which place of a store a resource writes and which one it reads", async () => {
  const resources = [
    {
      address: "aws_secretsmanager_secret_version.db",
      type: "aws_secretsmanager_secret_version",
      mode: "managed",
      values: { secret_id: "apps/db", secret_string: password },
    },
    {
      address: "data.vault_kv_secret_v2.app",
      type: "vault_kv_secret_v2",
      mode: "data",
      values: { mount: "secret", name: "apps/app", data_json: JSON.stringify({ token: other }) },
    },
  ];
  const stores = [
    { as: "aws_secretsmanager_secret_version", store: "aws", field: "name" },
    { as: "data.vault_kv_secret_v2", store: "main", prefix: "secret/" },
  ];
  const said = await saidOf(terraform, { "s.json": state(resources) }, { stores });
  const aws = at("aws_secretsmanager_secret_version.db");
  const vault = at("data.vault_kv_secret_v2.app");
  expect(uses(said.claims)).toEqual([
    `place(aws apps/db) depends-on ${aws} declared`,
    `${aws} depends-on ${at("aws_secretsmanager_secret_version.db#secret_string")} declared`,
    `${vault} depends-on place(main apps/app) declared`,
    `${at("data.vault_kv_secret_v2.app#data_json")} depends-on ${vault} declared`,
  ]);
  // What the provider knows a secret by is its ARN.
  const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:apps/db-aB3xYz";
  const byArn = resources.map((one) => ({ ...one, values: { ...one.values, secret_id: arn } }));
  const known = await saidOf(terraform, { "s.json": state(byArn) }, { stores });
  expect(uses(known.claims)[0]).toBe(`place(aws apps/db) depends-on ${aws} declared`);
  const unmapped = await saidOf(terraform, { "s.json": state(resources) });
  expect(uses(unmapped.claims)).toContain(
    `location(aws_secretsmanager_secret_version apps/db) depends-on ${aws} declared`,
  );
});

it("follows the references of a plan's configuration, through modules too", async () => {
  const plan = {
    ...versions,
    planned_values: { root_module: {} },
    configuration: {
      provider_config: {
        postgresql: { name: "postgresql", expressions: { password: { references: ["var.admin_password"] } } },
      },
      root_module: {
        resources: [
          {
            address: "aws_db_instance.main",
            type: "aws_db_instance",
            expressions: {
              password: { references: ["random_password.db.result", "random_password.db"] },
              name: { references: ["random_pet.name.id", "random_pet.name"] },
              api_token: { constant_value: password },
            },
          },
          {
            address: "aws_lambda_function.api",
            type: "aws_lambda_function",
            expressions: {
              environment: [{ variables: { references: ["module.db.app_password", "module.db"] } }],
            },
          },
        ],
        module_calls: {
          db: {
            expressions: {
              root_password: { references: ["random_password.db.result", "random_password.db"] },
            },
            module: {
              outputs: { app_password: { expression: { references: ["random_password.app[0].result"] } } },
              resources: [
                {
                  address: "x_user.root",
                  type: "x_user",
                  expressions: { password: { references: ["var.root_password"] } },
                },
              ],
            },
          },
        },
      },
    },
  };
  const { claims, copies } = await saidOf(terraform, { "plan.json": JSON.stringify(plan) });
  const random = at("random_password.db#result");
  expect(uses(claims)).toEqual([
    `${at("provider.postgresql#password")} depends-on ${at("var.admin_password#admin_password")} declared`,
    `${at("aws_db_instance.main#password")} depends-on ${random} declared`,
    `reader(workload=terraform shop/aws_lambda_function.api) uses ${at("module.db.output.app_password#app_password")} declared`,
    `${at("module.db.var.root_password#root_password")} depends-on ${random} declared`,
    `${at("module.db.x_user.root#password")} depends-on ${at("module.db.var.root_password#root_password")} declared`,
    `${at("module.db.output.app_password#app_password")} depends-on ${at("module.db.random_password.app#result")} declared`,
  ]);
  expect(copies.map((copy) => [thingText(copy.at), copy.mark])).toEqual([
    [at("aws_db_instance.main#api_token"), testMark(password)],
  ]);
});

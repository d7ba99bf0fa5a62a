/** Who uses a secret by what states and plans say of it in other ways than as an attribute's value: names, documents, provisioners, and what is never kept. */
import { expect, it } from "vitest";
import { terraform } from "../../../adapters/sources/terraform.js";
import { testMark } from "../../support/mark.js";
import { edgeText, thingText } from "../source.js";
import { fresh, saidOf } from "./folder-world.js";

const password = fresh("pw");
const token = fresh("tok");
const shaped = `ghp_${"a1B2".repeat(9)}`;
const versions = { format_version: "1.2", terraform_version: "1.11.0" };
const at = (path: string) => `location(terraform shop ${path})`;
const reader = (address: string) => `reader(workload=terraform shop/${address})`;
const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:orders-db-AbCdEf";
const parameter = "arn:aws:ssm:eu-central-1:123456789012:parameter/orders/db";

const said = async (document: object, settings: object = {}) => {
  const found = await saidOf(
    terraform,
    { "plan.json": JSON.stringify({ ...versions, ...document }) },
    settings,
  );
  return {
    ...found,
    edges: found.claims
      .filter(({ type }) => type !== "stored-in")
      .map((claim) => edgeText(claim).replace(/ declared$/, "")),
    met: found.copies.map((copy) => [thingText(copy.at), copy.mark]),
  };
};

type Resource = readonly [address: string, values: object, sensitive?: object];
const values = (...resources: readonly Resource[]) => ({
  root_module: {
    resources: resources.map(([address, values, sensitive_values = {}]) => {
      const parts = address.split(".");
      const mode = parts[0] === "data" ? "data" : "managed";
      return { address, mode, type: parts.at(-2), values, sensitive_values };
    }),
  },
});
const state = (...resources: readonly Resource[]) => ({ values: values(...resources) });

const stores = [
  { as: "aws_secretsmanager_secret_version", store: "aws", field: "name" },
  { as: "aws_ssm_parameter", store: "ssm", field: "name" },
];

it("takes a resource for a user of the secret that it names, in a document too", async () => {
  const containers = [
    {
      name: "api",
      secrets: [
        { name: "DB", valueFrom: `${arn}:password::` },
        { name: "KEY", valueFrom: "/orders/key" },
        { name: "MISTAKEN", valueFrom: shaped },
      ],
      environment: [{ name: "DB_PASSWORD", value: password }],
    },
  ];
  const own = "aws_ecs_task_definition.api#container_definitions.api.secrets.MISTAKEN.valueFrom";
  const build = { name: "NPM_TOKEN", type: "PARAMETER_STORE", value: "/npm/token" };
  const { edges, met, gaps } = await said(
    state(
      ["aws_ecs_task_definition.api", { container_definitions: JSON.stringify(containers) }],
      ["aws_lambda_function.f[0]", { environment: [{ variables: { SECRET_ARN: arn, API_TOKEN: token } }] }],
      ["aws_apprunner_service.g", { runtime_environment_secrets: { DB: parameter } }],
      ["aws_codebuild_project.b", { environment: [{ environment_variable: [build] }] }],
      ["aws_iam_policy.p", { policy: JSON.stringify({ Statement: [{ Resource: arn }] }) }],
    ),
    { stores },
  );
  const given = "aws_ecs_task_definition.api#container_definitions.api.environment.DB_PASSWORD.value";
  const lambda = "aws_lambda_function.f[0]#environment.0.variables.API_TOKEN";
  expect(edges).toEqual([
    `${reader("aws_ecs_task_definition.api")} uses place(aws orders-db)`,
    `${reader("aws_ecs_task_definition.api")} uses place(ssm /orders/key)`,
    `${reader("aws_ecs_task_definition.api")} uses ${at(own)}`,
    `${reader("aws_ecs_task_definition.api")} uses ${at(given)}`,
    `${reader("aws_lambda_function.f")} uses place(aws orders-db)`,
    `${reader("aws_lambda_function.f")} uses ${at(lambda)}`,
    `${reader("aws_apprunner_service.g")} uses place(ssm /orders/db)`,
    `${reader("aws_codebuild_project.b")} uses place(ssm /npm/token)`,
  ]);
  expect(met).toEqual([
    [at(own), testMark(shaped)],
    [at(given), testMark(password)],
    [at(lambda), testMark(token)],
  ]);
  expect(gaps).toEqual([]);
});

it("takes a name for no value, and the same secret of other clouds for one place", async () => {
  const vault = "/subscriptions/1/resourceGroups/r/providers/Microsoft.KeyVault/vaults/kv-orders";
  const { edges, met } = await said(
    state(
      [
        "data.google_secret_manager_secret_version_access.g",
        { secret: "orders-database", secret_data: password },
      ],
      [
        "google_secret_manager_secret_version.w",
        { secret: "projects/p/secrets/orders-database", secret_data: password },
      ],
      [
        "google_cloud_run_v2_service.s",
        {
          template: [
            {
              containers: [
                {
                  env: [
                    { value_source: [{ secret_key_ref: [{ secret: "orders-database", version: "1" }] }] },
                  ],
                },
              ],
            },
          ],
        },
      ],
      ["google_storage_hmac_key.k", { secret: token }, { secret: true }],
      ["data.azurerm_key_vault_secret.a", { key_vault_id: vault, name: "orders", value: token }],
      [
        "azurerm_linux_web_app.w",
        {
          app_settings: {
            DB: "@Microsoft.KeyVault(SecretUri=https://kv-orders.vault.azure.net/secrets/orders/)",
          },
        },
      ],
    ),
  );
  const google = "location(google_secret_manager_secret_version orders-database)";
  const azure = "location(azurerm_key_vault_secret kv-orders/orders)";
  const access = "data.google_secret_manager_secret_version_access.g";
  expect(edges).toEqual([
    `${at(access)} depends-on ${google}`,
    `${at(`${access}#secret_data`)} depends-on ${at(access)}`,
    `${google} depends-on ${at("google_secret_manager_secret_version.w")}`,
    `${at("google_secret_manager_secret_version.w")} depends-on ${at("google_secret_manager_secret_version.w#secret_data")}`,
    `${reader("google_cloud_run_v2_service.s")} uses ${google}`,
    `${at("data.azurerm_key_vault_secret.a")} depends-on ${azure}`,
    `${at("data.azurerm_key_vault_secret.a#value")} depends-on ${at("data.azurerm_key_vault_secret.a")}`,
    `${reader("azurerm_linux_web_app.w")} uses ${azure}`,
  ]);
  expect(met).toEqual([
    [at(`${access}#secret_data`), testMark(password)],
    [at("google_secret_manager_secret_version.w#secret_data"), testMark(password)],
    [at("google_storage_hmac_key.k#secret"), testMark(token)],
    [at("data.azurerm_key_vault_secret.a#value"), testMark(token)],
  ]);
});

it("finds a value in a document of a secret, in a script, in manifests, and among a plan's variables", async () => {
  const manifest = `kind: ConfigMap\ndata:\n  DB_PASSWORD: ${password}\n`;
  const { edges, met } = await said({
    ...state(
      [
        "aws_secretsmanager_secret_version.v",
        { secret_id: "orders", secret_string: JSON.stringify({ username: "orders", password }) },
      ],
      ["aws_instance.i", { user_data: `#!/bin/sh\nexport API_TOKEN=${token}\nrun\n` }],
      ["kubectl_manifest.m", { yaml_body: manifest }],
      [
        "kubernetes_secret_v1.s",
        { metadata: [{ namespace: "shop", name: "db" }], data: { ENTRY: password } },
      ],
      [
        "kubernetes_deployment.d",
        {
          metadata: [{ namespace: "shop" }],
          spec: [{ env: [{ value_from: [{ secret_key_ref: [{ name: "db", key: "ENTRY" }] }] }] }],
        },
      ],
    ),
    variables: { seed: { value: token }, mode: { value: "correct horse" } },
    configuration: { root_module: { variables: { seed: { sensitive: true } } } },
  });
  expect(met.map(([where]) => where)).toEqual([
    at("aws_secretsmanager_secret_version.v#secret_string"),
    at("aws_secretsmanager_secret_version.v#secret_string.password"),
    at("aws_instance.i#user_data"),
    at("kubectl_manifest.m#yaml_body.data.DB_PASSWORD"),
    at("kubernetes_secret_v1.s#data.ENTRY"),
    at("var.seed#seed"),
  ]);
  expect(met.slice(1).map(([, mark]) => mark)).toEqual(
    [password, token, password, password, token].map(testMark),
  );
  const secret = "location(kubernetes_secret shop/db)";
  expect(edges).toEqual(
    expect.arrayContaining([
      `${secret} depends-on ${at("kubernetes_secret_v1.s")}`,
      `${at("kubernetes_secret_v1.s")} depends-on ${at("kubernetes_secret_v1.s#data")}`,
      `${reader("kubernetes_deployment.d")} uses ${secret}`,
      `${reader("aws_instance.i")} uses ${at("aws_instance.i#user_data")}`,
    ]),
  );
});

it("takes no value that the provider calls sensitive for a name", async () => {
  const ref = { env: [{ value_source: [{ secret_key_ref: [{ secret: "correct-horse" }] }] }] };
  const sensitive = { env: [{ value_source: [{ secret_key_ref: [{ secret: true }] }] }] };
  const address = "google_cloud_run_v2_service.s";
  expect((await said(state([address, ref]))).edges).toHaveLength(1);
  const { edges, met } = await said(state([address, ref, sensitive]));
  const own = at(`${address}#env.0.value_source.0.secret_key_ref.0.secret`);
  expect(edges).toEqual([`${reader(address)} uses ${own}`]);
  expect(met).toEqual([[own, testMark("correct-horse")]]);
});

it("tells of a store that no setting binds to one of the estate, once", async () => {
  const resources: readonly Resource[] = [
    ["data.vault_kv_secret_v2.a", { mount: "secret", name: "a" }],
    ["data.vault_kv_secret_v2.b", { mount: "secret", name: "b" }],
    ["kubernetes_secret.s", { metadata: [{ name: "db" }] }],
  ];
  const sentence =
    "Which store of the estate is behind data.vault_kv_secret_v2 of terraform shop is not known, or whether any is: name it in `stores`.";
  expect((await said(state(...resources))).gaps).toEqual([sentence]);
  const bound = await said(state(...resources), {
    stores: [{ as: "vault_kv_secret_v2", store: "main", prefix: "secret/" }],
  });
  expect(bound.gaps).toEqual([]);
  expect(bound.edges[0]).toBe(`${at("data.vault_kv_secret_v2.a")} depends-on place(main a)`);
  const none = await said(state(...resources), { stores: [{ as: "data.vault_kv_secret_v2" }] });
  expect(none.gaps).toEqual([]);
});

const references = (...of: readonly string[]) => ({ references: of });
const configured = (address: string, expressions: object, more: object = {}) => {
  const parts = address.split(".");
  const mode = ["data", "ephemeral"].includes(parts[0] ?? "") ? parts[0] : "managed";
  return { address, mode, type: parts.at(-2), expressions, ...more };
};

it("follows what is ephemeral, and what is written and never kept", async () => {
  const { edges, gaps } = await said(
    {
      planned_values: values(["aws_secretsmanager_secret.db", { name: "orders-db" }]),
      configuration: {
        root_module: {
          resources: [
            configured("ephemeral.aws_secretsmanager_secret_version.e", {
              secret_id: { constant_value: "orders-db" },
            }),
            configured("ephemeral.aws_secretsmanager_secret_version.f", {
              secret_id: references("aws_secretsmanager_secret.db.id", "aws_secretsmanager_secret.db"),
            }),
            configured("ephemeral.aws_secretsmanager_secret_version.g", {
              secret_id: references("var.which"),
            }),
            configured("aws_db_instance.wo", {
              password_wo: references("ephemeral.aws_secretsmanager_secret_version.e.secret_string"),
              password_wo_version: { constant_value: 1 },
            }),
            configured("aws_ssm_parameter.p", {
              name: { constant_value: "/orders/db" },
              value_wo: references("ephemeral.random_password.r.result"),
            }),
            configured("aws_ecs_task_definition.t", {
              container_definitions: references("aws_secretsmanager_secret.db.arn"),
            }),
            configured("aws_iam_policy.p", { policy: references("aws_secretsmanager_secret.db.arn") }),
          ],
        },
      },
    },
    { stores },
  );
  const e = "ephemeral.aws_secretsmanager_secret_version.e";
  expect(edges).toEqual([
    `${at("aws_secretsmanager_secret.db")} depends-on place(aws orders-db)`,
    `${at(e)} depends-on place(aws orders-db)`,
    `${at("ephemeral.aws_secretsmanager_secret_version.f")} depends-on place(aws orders-db)`,
    `${at("aws_db_instance.wo#password_wo")} depends-on ${at(`${e}#secret_string`)}`,
    `${at(`${e}#secret_string`)} depends-on ${at(e)}`,
    `${at("aws_ssm_parameter.p#value_wo")} depends-on ${at("ephemeral.random_password.r#result")}`,
    `${at("aws_ssm_parameter.p")} depends-on ${at("aws_ssm_parameter.p#value_wo")}`,
    `place(ssm /orders/db) depends-on ${at("aws_ssm_parameter.p")}`,
    `${reader("aws_ecs_task_definition.t")} uses ${at("aws_secretsmanager_secret.db")}`,
  ]);
  expect(gaps).toEqual([
    "Which secret ephemeral.aws_secretsmanager_secret_version.g of terraform shop is, is not known: secret_id is made of what the plan does not tell.",
  ]);
});

it("follows provisioners, maps that are gone through, locals, and outputs by what they are made of", async () => {
  const { edges, gaps, met } = await said({
    configuration: {
      root_module: {
        variables: { seed: { sensitive: true } },
        resources: [
          configured(
            "null_resource.p",
            {},
            {
              provisioners: [
                {
                  type: "local-exec",
                  expressions: {
                    environment: references("random_password.db.result"),
                    command: { constant_value: "x" },
                  },
                },
                {
                  type: "local-exec",
                  expressions: { environment: { constant_value: { DB_PASSWORD: password } } },
                },
              ],
            },
          ),
          configured(
            "kubernetes_secret.each",
            { data: references("each.value"), metadata: [{ name: { constant_value: "db" } }] },
            {
              for_each_expression: references("random_password.db.result"),
            },
          ),
          configured("aws_lambda_function.vault", {
            environment: [
              {
                variables: references(
                  'data.vault_generic_secret.db.data["dsn"]',
                  "data.vault_generic_secret.db.data",
                ),
              },
            ],
          }),
          configured("aws_lambda_function.h", {
            environment: [{ variables: references("module.db.connection", "module.db") }],
          }),
          configured("aws_lambda_function.i", {
            environment: [{ variables: references("module.db.address", "var.seed") }],
          }),
          configured("aws_db_instance.l", { password: references("local.db") }),
        ],
        module_calls: {
          db: {
            expressions: { dsn: references("random_password.db.result") },
            module: {
              outputs: {
                connection: { expression: references("var.dsn") },
                address: { expression: references("aws_db_instance.main.address") },
              },
            },
          },
        },
      },
    },
  });
  const random = at("random_password.db#result");
  const dsn = at("module.db.var.dsn#dsn");
  const read = at("data.vault_generic_secret.db#data");
  const literal = "null_resource.p#provisioners.1.environment.DB_PASSWORD";
  expect(edges).toEqual([
    `${reader("null_resource.p")} uses ${random}`,
    `${reader("null_resource.p")} uses ${at(literal)}`,
    `${at("kubernetes_secret.each#data")} depends-on ${random}`,
    `${at("kubernetes_secret.each")} depends-on ${at("kubernetes_secret.each#data")}`,
    `${reader("kubernetes_secret.each")} uses ${random}`,
    `location(kubernetes_secret default/db) depends-on ${at("kubernetes_secret.each")}`,
    `${reader("aws_lambda_function.vault")} uses ${read}`,
    `${read} depends-on ${at("data.vault_generic_secret.db")}`,
    `${reader("aws_lambda_function.h")} uses ${at("module.db.output.connection#connection")}`,
    `${reader("aws_lambda_function.i")} uses ${at("var.seed#seed")}`,
    `${at("aws_db_instance.l#password")} depends-on ${at("local.db#db")}`,
    `${dsn} depends-on ${random}`,
    `${at("module.db.output.connection#connection")} depends-on ${dsn}`,
  ]);
  expect(met).toEqual([[at(literal), testMark(password)]]);
  expect(gaps).toEqual([
    "What local.db of terraform shop is made of is not known: a plan does not list locals.",
  ]);
});

/** What steps fetch from stores, and the rest of what has secrets beside workflows: variables, Dependabot, inputs. */
import { expect, it } from "vitest";
import { fetchedIn, logicalPaths } from "../../../adapters/shared/source-ci-scripts.js";
import { githubActions } from "../../../adapters/sources/github-actions.js";
import { testMark } from "../../support/mark.js";
import { edgeText, thingText } from "../source.js";
import { braced, fresh, saidOf } from "./folder-world.js";

const password = fresh("pw");
const file = ".github/workflows/w.yml";
const job = "reader(workload=github-actions shop/.github/workflows/w.yml/a)";
const at = (path: string) => `location(github shop ${path})`;

/** What a job `a` with these lines of it says. */
async function read(lines: string, settings: object = {}) {
  const text = `on: push\njobs:\n  a:\n${lines.replaceAll(/^/gm, "    ")}\n`;
  const { claims, gaps } = await saidOf(githubActions, { [file]: braced(text) }, settings);
  return { edges: claims.filter(({ type }) => type !== "stored-in").map(edgeText), gaps };
}

const vault = `steps:
- uses: hashicorp/vault-action@v3
  with:
    url: https://vault.example:8200
    secrets: |
      secret/data/orders/db password | DB_PASSWORD ;
      secret/data/orders/api "a-key" | API_KEY ;
      secret/data/all * | ALL_`;

it("follows what HashiCorp's action fetches, into the estate where the settings say so", async () => {
  const { edges, gaps } = await read(vault);
  expect(edges).toEqual(
    ["secret/orders/db#password", "secret/orders/api#a-key", "secret/all"].map(
      (path) => `${job} uses location(github shop vault ${path}) declared`,
    ),
  );
  expect(gaps).toEqual([expect.stringContaining("behind vault of github shop is not known")]);
  const stores = [{ as: "vault", store: "main", prefix: "secret/" }];
  expect(await read(vault, { stores })).toEqual({
    edges: ["orders/db", "orders/api", "all"].map((path) => `${job} uses place(main ${path}) declared`),
    gaps: [],
  });
  expect((await read(vault, { stores: [{ as: "vault" }] })).gaps).toEqual([]);
});

it.each<[string, string, string[]]>([
  [
    "AWS",
    `{ uses: aws-actions/aws-secretsmanager-get-secrets@v2, with: { secret-ids: "DB, orders/db\\nplain" } }`,
    ["aws_secrets_manager orders/db", "aws_secrets_manager plain"],
  ],
  [
    "Google",
    `{ uses: google-github-actions/get-secretmanager-secrets@v2, with: { secrets: "a:project/db/3\\nb:projects/p/secrets/api/versions/1" } }`,
    ["gcp_secret_manager db", "gcp_secret_manager api"],
  ],
  [
    "Azure",
    "{ uses: Azure/get-keyvault-secrets@v1, with: { keyvault: kv, secrets: 'db, api' } }",
    ["azure_key_vault db", "azure_key_vault api"],
  ],
  [
    "nobody, in a script",
    `{ run: "export X=$(vault kv get -mount=secret -field=key ci/x)" }`,
    ["vault secret/ci/x#key"],
  ],
])("follows what the action of %s fetches", async (_, step, paths) => {
  const { edges, gaps } = await read(`steps: [ ${step} ]`);
  expect(edges).toEqual(paths.map((path) => `${job} uses location(github shop ${path}) declared`));
  expect(gaps).toEqual([expect.stringContaining("name it in `stores`")]);
});

it("fetches by each name that an expression can come to, and says where it can be any", async () => {
  const stores = [{ as: "aws_secrets_manager", store: "secrets", field: "name" }];
  const by = (id: string) =>
    `steps: [ { uses: aws-actions/aws-secretsmanager-get-secrets@v2, with: { secret-ids: "${id}" } } ]`;
  const matrix = "strategy: { matrix: { env: [ prod, stage ] } }";
  expect(await read(`${matrix}\n${by("X, <<matrix.env>>/db")}`, { stores })).toEqual({
    edges: ["prod/db", "stage/db"].map((name) => `${job} uses place(secrets ${name}) declared`),
    gaps: [],
  });
  for (const open of ["<<github.ref_name>>/db", "orders/*", "$NAME"])
    expect(await read(by(open), { stores })).toEqual({
      edges: [],
      gaps: [
        `jobs.a.steps.0 of ${file} fetches from aws_secrets_manager by a name that is made when it runs, and is not read.`,
      ],
    });
});

it("names an action that fetches from a store which is not read here", async () => {
  const step = "{ uses: 1Password/load-secrets-action@v2, env: { A: 'op://vault/a/b' } }";
  expect((await read(`steps: [ ${step} ]`)).gaps).toEqual([
    expect.stringContaining("fetches with 1password/load-secrets-action"),
  ]);
});

const db = "secret/orders/db";
it.each<[string, unknown[]]>([
  [`vault kv get ${db}`, [{ store: "vault", key: db, field: "" }]],
  [`bao kv get -field password -format=json '${db}'`, [{ store: "vault", key: db, field: "password" }]],
  [
    "X=$(vault read -field=password database/creds/app)",
    [{ store: "vault", key: "database/creds/app", field: "password" }],
  ],
  [
    "vault kv get \\\n  -mount secret \\\n  orders/$ENV/db | jq .",
    [{ store: "vault", key: "secret/orders/$ENV/db", field: "" }],
  ],
  [
    `aws --region eu-central-1 secretsmanager get-secret-value --query SecretString --secret-id "${db}"`,
    [{ store: "aws_secrets_manager", key: db, field: "" }],
  ],
  [
    "gcloud secrets versions access latest --secret=db --project p",
    [{ store: "gcp_secret_manager", key: "db", field: "" }],
  ],
  [
    "az keyvault secret show --vault-name kv --name db -o tsv",
    [{ store: "azure_key_vault", key: "db", field: "" }],
  ],
  ["vault kv get; x", [{ store: "vault", key: null, field: "" }]],
  ["# vault kv get secret/no\nvault kv put secret/no a=b", []],
])("reads of a script: %s", (script, fetched) => {
  expect(fetchedIn(script)).toEqual(fetched);
});

it.each(["aws ", "\n", "vault kv get ", `vault kv get ${"$".concat("{{")}`, `vault read "`])(
  "reads of a script that is nothing but %j in time",
  (piece) => {
    const script = `${piece.repeat(50_000 / piece.length)}\nvault kv get secret/last`;
    expect(fetchedIn(script).length).toBeGreaterThan(0);
    expect(fetchedIn(`vault kv get ${"x".repeat(5_000)}`)).toEqual([
      { store: "vault", key: null, field: "" },
    ]);
  },
);

it.each([
  ["secret/data/orders/db", ["secret/orders/db"]],
  ["/v1/secret/data/orders", ["secret/orders"]],
  ["secret/orders/db", ["secret/orders/db"]],
  ["teams/a/data/db", ["teams/a/db", "teams/a/data/db"]],
])("takes the path %s as it is written elsewhere", (path, logical) => {
  expect(logicalPaths(path)).toEqual(logical);
});

it("takes a variable for a secret where its name says so", async () => {
  const lines = `environment: prod\nsteps: [ { run: "<<vars.DB_PASSWORD>> <<vars.REGION>>" } ]`;
  expect((await read(lines)).edges).toEqual([
    `${job} uses ${at("variables/DB_PASSWORD")} declared`,
    `${job} uses ${at("environments/prod/variables/DB_PASSWORD")} declared`,
  ]);
});

it("follows a secret through JSON, credentials of containers and services, and each env", async () => {
  const lines = `env: { OF_JOB: "<<fromJSON(secrets.CONFIG).password>>" }
container: { image: x, credentials: { username: x, password: "<<secrets.PULL>>" } }
services: { db: { image: y, credentials: { password: "<<secrets.SERVICE>>" } } }
steps: [ { if: "<<secrets.GATE>>", env: { X: "<<secrets.STEP>>" }, run: x } ]`;
  expect((await read(lines)).edges).toEqual(
    ["CONFIG", "PULL", "SERVICE", "GATE", "STEP"].map(
      (name) => `${job} uses ${at(`secrets/${name}`)} declared`,
    ),
  );
});

it("finds what Dependabot is given, what an action fetches, and values that stand there or behind an input", async () => {
  const { claims, copies } = await saidOf(githubActions, {
    ".github/dependabot.yml": braced(
      `registries: { npm: { url: https://x.example, token: "<<secrets.NPM>>" }, other: { password: ${password} } }\nupdates: []`,
    ),
    "tools/action.yml": `inputs: { api-token: { default: ${password} } }\nruns: { steps: [ { uses: hashicorp/vault-action@v3, with: { secrets: 'secret/data/x y | Z' } } ] }`,
    [file]: `on: { workflow_dispatch: { inputs: { db-password: { default: ${password} } } } }\njobs: { a: { steps: [] } }`,
  });
  const dependabot = "reader(workload=github-actions shop/dependabot)";
  expect(claims.map(edgeText)).toEqual(
    expect.arrayContaining([
      `${dependabot} uses ${at("dependabot/secrets/NPM")} declared`,
      `${at("dependabot/secrets/NPM")} stored-in ${at("dependabot/secrets/*")} declared`,
      "reader(workload=github-actions shop/tools/action.yml) uses location(github shop vault secret/x#y) declared",
      `${job} uses location(repository shop ${file}#on.workflow_dispatch.inputs.db-password.default) declared`,
    ]),
  );
  expect(copies.map((copy) => [thingText(copy.at), copy.mark])).toEqual(
    [
      ".github/dependabot.yml#registries.other.password",
      `${file}#on.workflow_dispatch.inputs.db-password.default`,
      "tools/action.yml#inputs.api-token.default",
    ].map((path) => [`location(repository shop ${path})`, testMark(password)]),
  );
});

/** Where the secrets of GitLab's jobs are: stores by the name that settings give them, and variables, whoever made those. */
import { expect, it } from "vitest";
import { gitlabCi } from "../../../adapters/sources/gitlab-ci.js";
import { edgeText } from "../source.js";
import { saidOf } from "./folder-world.js";

const job = "reader(workload=gitlab-ci shop/a)";
const at = (path: string) => `location(gitlab shop ${path})`;

async function read(lines: string, settings: object = {}) {
  const text = `a:\n${lines.replaceAll(/^/gm, "  ")}\n`;
  const { claims, gaps } = await saidOf(gitlabCi, { ".gitlab-ci.yml": text }, settings);
  const edges = claims.filter(({ type }) => type === "uses").map(edgeText);
  return { edges: edges.map((edge) => edge.replace(`${job} uses `, "").replace(/ declared$/, "")), gaps };
}

const vault = [{ as: "vault", store: "main", prefix: "ops/" }];
const aws = [{ as: "aws_secrets_manager", store: "secrets", field: "name" }];

it("says that a store is not known, once, until the settings name it or say that it is nobody's", async () => {
  const lines =
    "secrets: { X: { vault: db/password@ops }, Y: { vault: api/key@ops }, Z: { azure_key_vault: { name: z } } }";
  const { edges, gaps } = await read(lines);
  expect(edges).toEqual([at("vault ops/db#password"), at("vault ops/api#key"), at("azure_key_vault z")]);
  expect(gaps).toEqual(
    ["vault", "azure_key_vault"].map((store) =>
      expect.stringContaining(
        `behind ${store} of gitlab shop is not known, or whether any is: name it in \`stores\``,
      ),
    ),
  );
  expect((await read(lines, { stores: [{ as: "azure_key_vault" }, ...vault] })).gaps).toEqual([]);
});

it.each<[string, object[], string[]]>([
  ["{ aws_secrets_manager: 'apps/db#password' }", aws, ["place(secrets apps/db)"]],
  ["{ aws_secrets_manager: 'apps/db' }", [], [at("aws_secrets_manager apps/db")]],
  ["{ gitlab_secrets_manager: { name: db } }", [], [at("secrets/db")]],
  [
    "{ gitlab_secrets_manager: { name: db, source: group/ops } }",
    [],
    ["location(gitlab group/ops secrets/db)"],
  ],
])("finds where a secret is: %s", async (secret, stores, places) => {
  expect((await read(`secrets: { X: ${secret} }`, { stores })).edges).toEqual(places);
});

it("names a kind of store that is not read", async () => {
  const { edges, gaps } = await read("secrets: { X: { akeyless: { name: x } } }");
  expect([edges, gaps]).toEqual([
    [],
    ["a.secrets.X of .gitlab-ci.yml names a kind of store that is not known."],
  ]);
});

it.each<[string, string[]]>([
  ["variables: { ENV: prod }", ["prod"]],
  ["variables: { ENV: { value: prod, options: [ prod, stage ] } }", ["prod", "stage"]],
  ["variables: { ENV: prod }\nrules: [ { if: x, variables: { ENV: stage } } ]", ["prod", "stage"]],
  ["parallel: { matrix: [ { ENV: [ prod, stage ] } ] }", ["prod", "stage"]],
])("puts in what a variable of a path can be: %s", async (lines, names) => {
  const secret = 'secrets: { X: { vault: "$ENV/db/password@ops" } }';
  expect(await read(`${lines}\n${secret}`, { stores: vault })).toEqual({
    edges: names.map((name) => `place(main ${name}/db)`),
    gaps: [],
  });
  const script = "script: [ 'vault kv get -field=password ops/$ENV/db' ]";
  expect((await read(`${lines}\n${script}`, { stores: vault })).edges).toEqual(
    names.map((name) => `place(main ${name}/db)`),
  );
});

it.each(["", "variables: { ENV: $CI_COMMIT_BRANCH }"])("says where it may be anything: %s", async (lines) => {
  for (const fetch of [
    'secrets: { X: { vault: "$ENV/db/password@ops" } }',
    "script: [ vault kv get ops/$ENV/db ]",
  ])
    expect(await read(`${lines}\n${fetch}`, { stores: vault })).toEqual({
      edges: [],
      gaps: [
        expect.stringContaining("of .gitlab-ci.yml fetches from vault by a name that is made when it runs"),
      ],
    });
});

it("says once what several jobs have of one part", async () => {
  const text = ".p: { script: [ vault kv get $X ] }\na: { extends: .p }\nb: { extends: .p }\n";
  const { gaps } = await saidOf(gitlabCi, { ".gitlab-ci.yml": text });
  expect(gaps).toHaveLength(1);
});

it("follows a reference to a secret and takes it for no store", async () => {
  const { claims, gaps } = await saidOf(
    gitlabCi,
    {
      ".gitlab-ci.yml": `
.v: { secrets: { X: { vault: db/password@ops } } }
a: { secrets: { X: !reference [ .v, secrets, X ] } }
`,
    },
    { stores: vault },
  );
  expect([claims.map(edgeText), gaps]).toEqual([[`${job} uses place(main db) declared`], []]);
});

it("tells tokens that the platform makes for a job from those that people make under such names", async () => {
  const own = "$CI_JOB_TOKEN $CI_REGISTRY_PASSWORD $CI_JOB_JWT_V2 $CI_COMMIT_SHA";
  const { edges } = await read(`script: [ "${own} $GITLAB_TOKEN $CI_PUSH_TOKEN $CI_DEPLOY_PASSWORD" ]`);
  expect(edges).toEqual([
    at("variables/GITLAB_TOKEN"),
    at("variables/CI_PUSH_TOKEN"),
    at("deploy-tokens/gitlab-deploy-token"),
  ]);
});

it("finds variables that carry a password in something else, and those that the settings name", async () => {
  const lines =
    "script: [ 'psql $DATABASE_URL; kubectl --kubeconfig $KUBECONFIG; $SENTRY_DSN; $HOMEPAGE_URL; $LICENSE' ]";
  const names = ["DATABASE_URL", "KUBECONFIG", "SENTRY_DSN"];
  expect((await read(lines)).edges).toEqual(names.map((name) => at(`variables/${name}`)));
  expect((await read(lines, { variables: ["LICENSE"] })).edges).toEqual(
    [...names, "LICENSE"].map((name) => at(`variables/${name}`)),
  );
});

it.each(["$env:A_TOKEN", "%A_TOKEN%", "$Env:a_token", "$#A_TOKEN"])("reads %s", async (text) => {
  const written = text.replace("$#A_TOKEN", "$".concat("{#A_TOKEN}"));
  expect((await read(`script: [ "x ${written}" ]`)).edges.map((edge) => edge.toUpperCase())).toEqual([
    at("variables/A_TOKEN").toUpperCase(),
  ]);
});

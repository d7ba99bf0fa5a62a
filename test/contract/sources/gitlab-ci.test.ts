/** The source of pipelines of GitLab: jobs with what they extend and include, and where their secrets are fetched from. */
import { expect, it } from "vitest";
import { gitlabCi } from "../../../adapters/sources/gitlab-ci.js";
import { testMark } from "../../support/mark.js";
import { edgeText, leaked, leakedAddress, sourceContract, thingText } from "../source.js";
import { folderCase, fresh, odd, saidOf } from "./folder-world.js";

const password = fresh("pw");
const at = (path: string) => `location(gitlab shop ${path})`;
const job = (name: string) => `reader(workload=gitlab-ci shop/${name})`;
const oneOf = (name: string) => `${at(`variables/${name}`)} stored-in ${at("variables/*")} declared`;

const pipeline = `
stages: [ test, deploy ]
variables: { DB_HOST: db, LOCAL_TOKEN: "none" }
.base:
  script: [ "deploy --token $DEPLOY_TOKEN $LOCAL_TOKEN $CI_JOB_TOKEN $$NOT_TOKEN" ]
test:
  variables: { DB_PASSWORD: ${password} }
  script: [ make test ]
deploy:
  extends: .base
  secrets:
    DATABASE_PASSWORD: { vault: production/db/password@ops, file: false }
`;

sourceContract(
  "gitlab-ci",
  folderCase({
    kind: gitlabCi,
    files: { ".gitlab-ci.yml": pipeline, "other.yml": "job: { script: [ $NO_TOKEN ] }" },
    whole: true,
    shown: [
      `${job("test")} uses location(repository shop .gitlab-ci.yml#test.variables.DB_PASSWORD) declared`,
      `${job("deploy")} uses location(gitlab shop vault ops/production/db#password) declared`,
      `${job("deploy")} uses ${at("variables/DEPLOY_TOKEN")} declared`,
      oneOf("DEPLOY_TOKEN"),
      // One of the project goes before what the pipeline says.
      `${job("deploy")} uses ${at("variables/LOCAL_TOKEN")} declared`,
      oneOf("LOCAL_TOKEN"),
    ],
    planted: {
      files: { "ci/nightly.gitlab-ci.yml": `nightly: { script: [ 'x \${NIGHTLY_SECRET}' ] }` },
      edge: `${job("nightly")} uses ${at("variables/NIGHTLY_SECRET")} declared`,
    },
    spoiled: {
      files: {
        "a.gitlab-ci.yml": `a: { variables: { PASSWORD: "${password}" }`,
        "b.gitlab-ci.yml": "b: { script: [ $LATE_TOKEN ] }",
      },
      edge: `${job("b")} uses ${at("variables/LATE_TOKEN")} declared`,
    },
    leaking: {
      "leak.gitlab-ci.yml": `
include: [ "${leakedAddress}/x.yml", "https://x.example/x.yml?sig=${leaked}", { local: "/y.yml?sig=${leaked}" }, { local: "y/${leakedAddress}" } ]
leak: { extends: "${leakedAddress}", script: [ x ], secrets: { X: { vault: "${leakedAddress}/x" }, Y: { vault: { path: "${leakedAddress}" } }, Z: { aws_secrets_manager: "${leakedAddress}" } } }
start: { script: [ "vault kv get ${leakedAddress}" ], trigger: { include: [ "${leakedAddress}", { local: "*/${leakedAddress}" }, { artifact: "${leakedAddress}", job: x } ] } }
`,
    },
    odd: {
      files: {
        [`a${odd.file}.gitlab-ci.yml`]: `${odd.text}: { variables: { ${odd.text}: x }, script: [ $ODD_TOKEN ], secrets: { X: { vault: ${odd.text} } } }`,
        "b.gitlab-ci.yml": "b: { script: [ $LATE_TOKEN ] }",
      },
      edge: `${job("b")} uses ${at("variables/LATE_TOKEN")} declared`,
    },
    large: (names) => ({
      "a.gitlab-ci.yml": `a: { script: [ "${names.map((name) => `$${name.toUpperCase()}_TOKEN`).join(" ")}" ] }`,
    }),
    values: [password],
  }),
);

const uses = async (files: Record<string, string>, settings: object = {}) => {
  const { claims } = await saidOf(gitlabCi, files, settings);
  return claims.filter(({ type }) => type !== "stored-in").map(edgeText);
};

const secretsOf = (secret: string) => ({ ".gitlab-ci.yml": `a: { secrets: { X: ${secret} } }` });

it.each([
  [
    "{ vault: { engine: { name: kv-v2, path: ops }, path: production/db, field: password } }",
    "vault ops/production/db#password",
  ],
  ["{ vault: db/password }", "vault kv-v2/db#password"],
  ["{ azure_key_vault: { name: db, version: 1 } }", "azure_key_vault db"],
  ["{ gcp_secret_manager: { name: db } }", "gcp_secret_manager db"],
  [
    "{ aws_secrets_manager: { secret_id: apps/db, field: password } }",
    "aws_secrets_manager apps/db#password",
  ],
])("finds where a secret is fetched from: %s", async (secret, path) => {
  expect(await uses(secretsOf(secret))).toEqual([`${job("a")} uses location(gitlab shop ${path}) declared`]);
});

it("takes a secret for a place of the estate where the settings say which store it is", async () => {
  const stores = [{ as: "vault", store: "main", prefix: "ops/" }];
  expect(await uses(secretsOf("{ vault: production/db/password@ops }"), { stores })).toEqual([
    `${job("a")} uses place(main production/db) declared`,
  ]);
  const aws = [{ as: "aws_secrets_manager", store: "secrets", field: "name" }];
  const arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:prod-orders";
  expect(await uses(secretsOf(`{ aws_secrets_manager: "${arn}" }`), { stores: aws })).toEqual([
    `${job("a")} uses place(secrets prod) declared`,
    `${job("a")} uses place(secrets prod-orders) declared`,
  ]);
});

it("follows local includes and what is extended there, and says what it cannot follow", async () => {
  const files = {
    ".gitlab-ci.yml": `
include: [ { local: /ci/base.yml }, { project: example/ci, file: x.yml }, "https://example.com/x.yml", { local: away.yml } ]
a: { extends: [ .one, .lost ] }
`,
    "ci/base.yml": `.two: { script: [ $TWO_TOKEN ] }\n.one: { extends: .two, variables: { ONE_PASSWORD: ${password} } }\n`,
  };
  const { claims, copies, gaps } = await saidOf(gitlabCi, files);
  expect(claims.filter(({ type }) => type === "uses").map(edgeText)).toEqual([
    `${job("a")} uses location(repository shop ci/base.yml#.one.variables.ONE_PASSWORD) declared`,
    `${job("a")} uses ${at("variables/TWO_TOKEN")} declared`,
  ]);
  expect(copies.map((copy) => [thingText(copy.at), copy.mark])).toEqual([
    ["location(repository shop ci/base.yml#.one.variables.ONE_PASSWORD)", testMark(password)],
  ]);
  expect(gaps).toEqual([
    expect.stringContaining("(project, file)"),
    expect.stringContaining("(https://example.com/x.yml)"),
    expect.stringContaining("includes away.yml, which cannot be read"),
    expect.stringContaining("extends .lost"),
  ]);
});

it("says the jobs of local files that it includes, with what counts for every job there and here", async () => {
  const files = {
    ".gitlab-ci.yml":
      "include: [ { local: ci/deploy.yml } ]\nvariables: { OWN_TOKEN: x }\na: { script: [ $OWN_TOKEN ] }\n",
    "ci/deploy.yml":
      "before_script: [ 'login $REGISTRY_PASSWORD' ]\ndeploy: { script: [ $DEPLOY_TOKEN, $OWN_TOKEN ] }\na: { script: [ $OTHER_TOKEN ] }\n",
  };
  expect((await uses(files)).sort()).toEqual([
    `${job("a")} uses ${at("variables/OTHER_TOKEN")} declared`,
    `${job("a")} uses ${at("variables/OWN_TOKEN")} declared`,
    `${job("a")} uses ${at("variables/REGISTRY_PASSWORD")} declared`,
    `${job("deploy")} uses ${at("variables/DEPLOY_TOKEN")} declared`,
    `${job("deploy")} uses ${at("variables/OWN_TOKEN")} declared`,
    `${job("deploy")} uses ${at("variables/REGISTRY_PASSWORD")} declared`,
  ]);
});

it("follows references, through others and into files that are included, as far as each goes", async () => {
  const files = {
    ".gitlab-ci.yml": `
include: ci/parts.yml
.own: { script: [ $OWN_TOKEN ], variables: { HIDDEN_TOKEN: $LOST_TOKEN } }
release: { script: [ !reference [ .own, script ], !reference [ .parts, script ], !reference [ .nobody, script ] ] }
`,
    "ci/parts.yml":
      ".parts: { script: [ !reference [ .deep, after_script ] ], after_script: [ $AWAY_TOKEN ] }\n.deep: { after_script: [ $DEEP_TOKEN ] }\n",
  };
  expect((await uses(files)).sort()).toEqual(
    ["DEEP_TOKEN", "OWN_TOKEN"].map((name) => `${job("release")} uses ${at(`variables/${name}`)} declared`),
  );
});

it("gives what stands at the top to every job", async () => {
  expect(
    await uses({
      ".gitlab-ci.yml":
        "before_script: [ 'login $REGISTRY_PASSWORD' ]\na: { script: [ x ] }\nb: { script: [ y ] }",
    }),
  ).toEqual(["a", "b"].map((name) => `${job(name)} uses ${at("variables/REGISTRY_PASSWORD")} declared`));
});

it("reads a pipeline with references and with a header of its own", async () => {
  const text =
    "spec: { inputs: { x: {} } }\n---\na: { script: [ !reference [ .b, script ], 'x $A_TOKEN' ] }\n";
  const { claims, malformed } = await saidOf(gitlabCi, { ".gitlab-ci.yml": text });
  expect(claims.map(edgeText)).toContain(`${job("a")} uses ${at("variables/A_TOKEN")} declared`);
  expect(malformed).toEqual([]);
});

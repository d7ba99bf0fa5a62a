/** The source of workflows of GitHub Actions. */
import { describe, expect, it } from "vitest";
import { githubActions } from "../../../adapters/sources/github-actions.js";
import { expressionsIn, namedOf } from "../../../adapters/sources/github-actions-expressions.js";
import { testMark } from "../../support/mark.js";
import { edgeText, leaked, leakedAddress, sourceContract, thingText } from "../source.js";
import { folderCase, fresh, odd, saidOf } from "./folder-world.js";

const password = fresh("pw");
const at = (path: string) => `location(github shop ${path})`;
const job = (workflow: string, name: string) =>
  `reader(workload=github-actions shop/.github/workflows/${workflow}/${name})`;
const oneOf = (path: string) => `${at(path)} stored-in ${at(path.replace(/[^/]+$/, "*"))} declared`;

const workflow = `
on: push
env: { REGISTRY_TOKEN: "\${{ secrets.REGISTRY_TOKEN }}" }
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - run: make test
        env: { DB_PASSWORD: ${password}, GH: "\${{ secrets.GITHUB_TOKEN }}" }
  deploy:
    environment: { name: prod }
    steps:
      - uses: example/deploy@v1
        with: { key: "\${{ secrets['deploy_key'] }}" }
`;

sourceContract(
  "github-actions",
  folderCase({
    kind: githubActions,
    files: {
      ".github/workflows/ci.yml": workflow,
      ".github/dependabot.yml": `a: \${{ secrets.NO }}`,
      "ci.yml": `jobs: { a: { steps: [ { run: '\${{ secrets.NO }}' } ] } }`,
    },
    whole: true,
    shown: [
      `${job("ci.yml", "test")} uses ${at("secrets/REGISTRY_TOKEN")} declared`,
      `${job("ci.yml", "test")} uses location(repository shop .github/workflows/ci.yml#jobs.test.steps.0.env.DB_PASSWORD) declared`,
      `${job("ci.yml", "deploy")} uses ${at("secrets/REGISTRY_TOKEN")} declared`,
      `${job("ci.yml", "deploy")} uses ${at("environments/prod/secrets/REGISTRY_TOKEN")} declared`,
      `${job("ci.yml", "deploy")} uses ${at("secrets/DEPLOY_KEY")} declared`,
      `${job("ci.yml", "deploy")} uses ${at("environments/prod/secrets/DEPLOY_KEY")} declared`,
      oneOf("secrets/REGISTRY_TOKEN"),
      oneOf("secrets/DEPLOY_KEY"),
      oneOf("environments/prod/secrets/REGISTRY_TOKEN"),
      oneOf("environments/prod/secrets/DEPLOY_KEY"),
    ],
    planted: {
      files: {
        ".github/workflows/nightly.yaml": `jobs: { a: { steps: [ { run: 'x \${{ secrets.NIGHTLY }}' } ] } }`,
      },
      edge: `${job("nightly.yaml", "a")} uses ${at("secrets/NIGHTLY")} declared`,
    },
    spoiled: {
      files: {
        ".github/workflows/a.yml": `jobs: { a: { env: { PASSWORD: "${password}" } }`,
        ".github/workflows/b.yml": `jobs: { b: { steps: [ { run: '\${{ secrets.LATE }}' } ] } }`,
      },
      edge: `${job("b.yml", "b")} uses ${at("secrets/LATE")} declared`,
    },
    leaking: {
      ".github/workflows/leak.yml": `
jobs:
  a: { uses: "./.github/workflows/x.yml?sig=${leaked}" }
  b: { uses: "./${leakedAddress}" }
  c: { environment: { name: "${leakedAddress}" }, steps: [ { run: "\${{ secrets.X }}" } ] }
  d: { environment: "${leakedAddress}\${{ vars.X }}", steps: [ { run: "\${{ secrets.X }}" } ] }
  e: { uses: "example/x/.github/workflows/${leakedAddress}@v1", secrets: inherit }
  f: { steps: [ { uses: hashicorp/vault-action@v3, with: { secrets: "${leakedAddress} x" } }, { name: "${leakedAddress}", run: "vault kv get $X" } ] }
`,
      ".github/dependabot.yml": `registries: { a: { url: "${leakedAddress}" } }`,
    },
    odd: {
      files: {
        [`.github/workflows/a${odd.file}.yml`]: `jobs: { ${odd.text}: { environment: { name: ${odd.text} }, env: { ${odd.text}: "\${{ secrets.X }}" }, steps: [] } }`,
        ".github/workflows/b.yml": `jobs: { b: { steps: [ { run: '\${{ secrets.LATE }}' } ] } }`,
      },
      edge: `${job("b.yml", "b")} uses ${at("secrets/LATE")} declared`,
    },
    large: (names) => ({
      ".github/workflows/a.yml": `jobs: { a: { steps: [ { run: '${names.map((name) => `\${{ secrets.${name} }}`).join(" ")}' } ] } }`,
    }),
    values: [password],
  }),
);

const uses = async (files: Record<string, string>) => {
  const { claims } = await saidOf(githubActions, files);
  return claims.filter(({ type }) => type !== "stored-in").map(edgeText);
};

it.each([
  ["secrets: inherit", "jobs: { a: { uses: example/ci/.github/workflows/x.yml@v1, secrets: inherit } }"],
  ["toJSON", `jobs: { a: { steps: [ { run: 'x', env: { ALL: '\${{ toJSON(secrets) }}' } } ] } }`],
  [
    "a computed name",
    `jobs: { a: { steps: [ { run: 'x', env: { ALL: '\${{ secrets[matrix.name] }}' } } ] } }`,
  ],
])("takes %s for all secrets", async (_, text) => {
  expect(await uses({ ".github/workflows/w.yml": text })).toEqual([
    `${job("w.yml", "a")} uses ${at("secrets/*")} declared`,
  ]);
});

it("follows what a called workflow of the repository is given", async () => {
  const called = `
on: { workflow_call: { secrets: { token: { required: true } } } }
jobs: { go: { steps: [ { run: "\${{ secrets.TOKEN }} \${{ secrets.PASSED_ON }}" } ] } }
`;
  const edges = await uses({
    ".github/workflows/called.yml": called,
    ".github/workflows/one.yml": `jobs: { a: { uses: ./.github/workflows/called.yml, secrets: { token: '\${{ secrets.PYPI }}' } } }`,
    ".github/workflows/two.yml": "jobs: { b: { uses: ./.github/workflows/called.yml, secrets: inherit } }",
  });
  const given = at(".github/workflows/called.yml#secrets.TOKEN");
  expect(edges).toEqual([
    `${job("called.yml", "go")} uses ${given} declared`,
    `${job("called.yml", "go")} uses ${at("secrets/PASSED_ON")} declared`,
    `${job("one.yml", "a")} uses ${at("secrets/PYPI")} declared`,
    `${given} depends-on ${at("secrets/PYPI")} declared`,
    `${job("two.yml", "b")} uses ${at("secrets/*")} declared`,
    `${given} depends-on ${at("secrets/TOKEN")} declared`,
  ]);
});

it("names a called workflow that is not there as a gap", async () => {
  const { gaps } = await saidOf(githubActions, {
    ".github/workflows/w.yml": "jobs: { a: { uses: ./.github/workflows/away.yml, secrets: inherit } }",
  });
  expect(gaps).toEqual([expect.stringContaining("calls .github/workflows/away.yml")]);
});

it("finds values in composite actions and in conditions' secrets", async () => {
  const { copies, claims } = await saidOf(githubActions, {
    "tools/setup/action.yml": `runs: { using: composite, steps: [ { run: x, env: { API_TOKEN: ${password} } } ] }`,
    ".github/workflows/w.yml": "jobs: { a: { if: secrets.GATE != '', steps: [] } }",
  });
  expect(copies.map(({ at, mark }) => [thingText(at), mark])).toEqual([
    ["location(repository shop tools/setup/action.yml#runs.steps.0.env.API_TOKEN)", testMark(password)],
  ]);
  expect(claims.map(edgeText)).toContain(`${job("w.yml", "a")} uses ${at("secrets/GATE")} declared`);
});

describe("expressions", () => {
  it.each<[string, string[], boolean]>([
    ["secrets.A", ["A"], false],
    ["SECRETS.a || secrets [ 'b' ]", ["A", "B"], false],
    ["format('secrets.NO {0}', secrets.YES)", ["YES"], false],
    ["format('it''s secrets.NO')", [], false],
    ["steps.secrets.outputs.x", [], false],
    ["my_secrets.x || secrets-of.x", [], false],
    ["contains(toJSON(secrets), 'x')", [], true],
    ["secrets.*", [], true],
    ["secrets[format('{0}_KEY', env.X)] || secrets.B", ["B"], true],
  ])("%s", (expression, names, all) => {
    expect(namedOf("secrets", expression)).toEqual({ names, all });
  });

  it("are found in a text, with braces inside of a text of theirs", () => {
    expect(expressionsIn(`a \${{ x }} b \${{ format('}}', y) }} \${{ open`)).toEqual([
      " x ",
      " format('}}', y) ",
      " open",
    ]);
    expect(expressionsIn("secrets.A")).toEqual([]);
  });
});

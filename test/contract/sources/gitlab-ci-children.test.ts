/** What belongs to a pipeline beside its own file: pipelines that its jobs start, files by a pattern, and inputs. */
import { describe, expect, it } from "vitest";
import { gitlabCi } from "../../../adapters/sources/gitlab-ci.js";
import { edgeText } from "../source.js";
import { saidOf } from "./folder-world.js";

const job = (name: string) => `reader(workload=gitlab-ci shop/${name})`;
const uses = (name: string, variable: string) =>
  `${job(name)} uses location(gitlab shop variables/${variable}) declared`;

async function read(files: Record<string, string>, settings: object = {}) {
  const { claims, gaps } = await saidOf(gitlabCi, files, settings);
  return { edges: claims.filter(({ type }) => type === "uses").map(edgeText), gaps };
}

const child = `child: { script: [ $CHILD_TOKEN ], secrets: { P: { vault: x/y/z@secret } } }`;
const stores = [{ as: "vault", store: "main", prefix: "secret/" }];

describe("a pipeline that a job starts", () => {
  it.each([
    "include: ci/child.yml",
    "include: [ ci/child.yml ]",
    "include: [ { local: /ci/child.yml } ]",
    "include: { local: 'ci/*.yml' }",
    "include: [ { project: example/Shop, ref: main, file: [ ci/child.yml ] } ]",
  ])("is followed: %s", async (include) => {
    const files = { ".gitlab-ci.yml": `a: { trigger: { ${include} } }`, "ci/child.yml": child };
    const { edges, gaps } = await read(files, { stores, name: "example/shop" });
    expect([edges.map((edge) => edge.replaceAll("example/shop", "shop")), gaps]).toEqual([
      [`${job("child")} uses place(main x/y#z) declared`, uses("child", "CHILD_TOKEN")].map((edge) =>
        edge.replace("#z", ""),
      ),
      [],
    ]);
  });

  it.each([
    ["{ artifact: made.yml, job: make }", "(artifact, job)"],
    ["{ project: other/project, file: x.yml }", "(project, file)"],
    ["{ template: Jobs/Build.gitlab-ci.yml }", "(template)"],
    ["{ component: gitlab.example/x/y@1 }", "(component)"],
    ["https://x.example/y.yml", "(remote)"],
    ["ci/$NAME.yml", "(ci/$NAME.yml)"],
    ["ci/away.yml", "ci/away.yml, which cannot be read"],
    ["ci/*.yml", "ci/*.yml, which no file of the folder is called"],
  ])("is told where it is not in the folder: %s", async (include, told) => {
    const { edges, gaps } = await read({
      ".gitlab-ci.yml": `a: { trigger: { include: [ "${include.replace(/^\{.*$/, "")}" ] } }`.replace(
        '""',
        include,
      ),
    });
    expect(edges).toEqual([]);
    expect(gaps).toEqual([expect.stringMatching(/^a of \.gitlab-ci\.yml starts a pipeline of /)]);
    expect(gaps[0]).toContain(told);
  });

  it("has the variables that the job hands on, unless it keeps them, and its own jobs alone", async () => {
    const files = (forward: string) => ({
      ".gitlab-ci.yml": `
variables: { TOP: $TOP_TOKEN }
.base: { trigger: { include: ci/child.yml${forward} } }
a: { extends: .base }
b: { variables: { OWN: $OWN_TOKEN }, trigger: { include: ci/child.yml${forward} } }
`,
      "ci/child.yml": ".one: { script: [ $ONE_TOKEN ] }\nchild: { extends: .one }",
    });
    const { edges, gaps } = await read(files(""));
    expect(gaps).toEqual([]);
    expect(edges.filter((edge) => edge.startsWith(job("child")))).toEqual([
      uses("child", "TOP_TOKEN"),
      uses("child", "ONE_TOKEN"),
      uses("child", "OWN_TOKEN"),
    ]);
    const kept = await read(files(", forward: { yaml_variables: false }"));
    expect(kept.edges.filter((edge) => edge.startsWith(job("child")))).toEqual([uses("child", "ONE_TOKEN")]);
  });

  it("is read once where it starts itself again, and told where it stands deeper than there can be one", async () => {
    const itself = "a: { script: [ $A_TOKEN ], trigger: { include: .gitlab-ci.yml } }";
    expect(await read({ ".gitlab-ci.yml": itself })).toEqual({ edges: [uses("a", "A_TOKEN")], gaps: [] });
    const chain = [1, 2, 3, 4].map((level) => [
      `${level}.yml`,
      `j${level}: { script: [ $L${level}_TOKEN ], trigger: { include: ${level + 1}.yml } }`,
    ]);
    const { edges, gaps } = await read({
      ...Object.fromEntries(chain),
      ".gitlab-ci.yml": "a: { trigger: { include: 1.yml } }",
    });
    expect(edges).toEqual([1, 2, 3].map((level) => uses(`j${level}`, `L${level}_TOKEN`)));
    expect(gaps).toEqual(["j3 of 3.yml starts a pipeline below 4 others, which is not read."]);
  });
});

describe("what a pipeline includes", () => {
  it("is every file that a pattern fits, in one folder or in all below it", async () => {
    const files = {
      "ci/a.yml": "a: { script: [ $A_TOKEN ] }",
      "ci/deep/b.yml": "b: { script: [ $B_TOKEN ] }",
      "ci/c.txt": "c: { script: [ $C_TOKEN ] }",
    };
    const edges = async (pattern: string) =>
      (await read({ ...files, ".gitlab-ci.yml": `include: { local: '${pattern}' }` })).edges;
    expect(await edges("/ci/*.yml")).toEqual([uses("a", "A_TOKEN")]);
    for (const pattern of ["ci/**.yml", "ci/**/*.yml", "**/*.yml"])
      expect(await edges(pattern)).toEqual([uses("a", "A_TOKEN"), uses("b", "B_TOKEN")]);
  });

  it("has what stands behind a header, with the inputs that each is given or what stands in for them", async () => {
    const files = {
      ".gitlab-ci.yml": `
include:
  - { local: ci/x.yml, inputs: { job: one, token: $ONE_TOKEN } }
  - { local: ci/x.yml, inputs: { job: two } }
`,
      "ci/x.yml": `spec: { inputs: { job: {}, token: { default: $OTHER_TOKEN } } }
---
"$[[ inputs.job ]]": { script: [ "deploy $[[ inputs.token | expand_vars ]]", $ALL_TOKEN ] }
`,
    };
    expect(await read(files)).toEqual({
      edges: [
        uses("one", "ONE_TOKEN"),
        uses("one", "ALL_TOKEN"),
        uses("two", "OTHER_TOKEN"),
        uses("two", "ALL_TOKEN"),
      ],
      gaps: [],
    });
  });

  it("may be a list that is handed over as a whole, for a pipeline that is started too", async () => {
    const files = {
      ".gitlab-ci.yml": "a: { trigger: { include: ci/x.yml, inputs: { script: [ $LISTED_TOKEN ] } } }",
      "ci/x.yml": `spec: { inputs: { script: {} } }\n---\nx: { script: "$[[ inputs.script ]]" }`,
    };
    expect((await read(files)).edges).toEqual(["a", "x"].map((name) => uses(name, "LISTED_TOKEN")));
  });

  it("is told where it is more than GitLab takes, and where it is broken behind its header", async () => {
    const many = Array.from({ length: 160 }, (_, index) => [
      `ci/${index}.yml`,
      `j${index}: { script: [ x ] }`,
    ]);
    const { gaps } = await read({
      ...Object.fromEntries(many),
      ".gitlab-ci.yml": "include: { local: 'ci/*.yml' }",
    });
    expect(gaps).toEqual([expect.stringContaining(".gitlab-ci.yml includes more than 150 files")]);
    const broken = { ".gitlab-ci.yml": "include: x.yml", "x.yml": "spec: {}\n---\na: { b: [ }" };
    expect((await read(broken)).gaps).toEqual([
      expect.stringContaining("includes x.yml, which cannot be read"),
    ]);
  });

  it("counts for every job with its references and with the rules of the workflow", async () => {
    const files = {
      ".gitlab-ci.yml": `
workflow: { rules: [ { if: $GATE_TOKEN, variables: { X: $RULE_TOKEN } } ] }
before_script: [ !reference [ .setup, script ] ]
.setup: { script: [ $SETUP_TOKEN ] }
a: { script: [ x ] }
`,
    };
    expect((await read(files)).edges.sort()).toEqual(
      ["GATE_TOKEN", "RULE_TOKEN", "SETUP_TOKEN"].map((name) => uses("a", name)),
    );
  });
});

/** In which environments a job runs, and whose secrets a called workflow has: what an expression, a caller and a trigger decide. */
import { describe, expect, it } from "vitest";
import { githubActions } from "../../../adapters/sources/github-actions.js";
import { anything, possibleTexts } from "../../../adapters/sources/github-actions-possible.js";
import { edgeText } from "../source.js";
import { braced, saidOf } from "./folder-world.js";

const at = (path: string) => `location(github shop ${path})`;
const job = (workflow: string, name: string) =>
  `reader(workload=github-actions shop/.github/workflows/${workflow}/${name})`;

const flows = ".github/workflows";
const step = `steps: [ { run: "<<secrets.KEY>>" } ]`;

/** What the jobs of these workflows use, and what is told as not seen. */
async function read(files: Record<string, string>, settings: object = {}) {
  const written = Object.entries(files).map(([name, text]) => [`${flows}/${name}`, braced(text)]);
  const { claims, gaps } = await saidOf(githubActions, Object.fromEntries(written), settings);
  return { edges: claims.filter(({ type }) => type !== "stored-in").map(edgeText), gaps };
}

/** The environments from which the job `d` of `d.yml` has its key. */
async function environmentsOf(files: Record<string, string>, settings: object = {}) {
  const { edges, gaps } = await read(files, settings);
  const names = edges
    .filter((edge) => edge.startsWith(job("d.yml", "d")))
    .flatMap((edge) => /environments\/(.*)\/secrets\/KEY\) declared$/.exec(edge)?.[1] ?? []);
  return { names, gaps };
}

const dispatched = (input: string) => `on: { workflow_dispatch: { inputs: { env: ${input} } } }`;
const runsIn = (environment: string, more = "") =>
  `jobs: { d: { environment: "${environment}", ${more} ${step} } }`;
const withMatrix = (environment: string, matrix: string) =>
  `on: push\n${runsIn(environment, `strategy: { matrix: ${matrix} },`)}`;

describe("the environment of a job", () => {
  it.each<[string, string, string[]]>([
    [
      "a choice of people",
      `${dispatched("{ type: choice, options: [ prod, stage ] }")}\n${runsIn("<<inputs.env>>")}`,
      ["prod", "stage"],
    ],
    [
      "the same by its other name",
      `${dispatched("{ type: choice, options: [ prod ] }")}\n${runsIn("<<github.event.inputs.ENV>>")}`,
      ["prod"],
    ],
    [
      "a map with a name",
      `on: push\njobs: { d: { environment: { name: "<<'prod'>>", url: x }, ${step} } }`,
      ["prod"],
    ],
    [
      "an entry of a matrix",
      withMatrix("<<matrix.env>>", "{ env: [ prod, stage ], include: [ { env: qa }, { other: x } ] }"),
      ["prod", "stage", "qa"],
    ],
    [
      "a part of a matrix' entry",
      withMatrix("<<matrix.to.name>>", "{ to: [ { name: prod }, { name: stage } ] }"),
      ["prod", "stage"],
    ],
    [
      "an entry of a matrix in JSON",
      withMatrix("<<matrix.env>>", `{ env: "<<fromJSON('[\\"prod\\",\\"qa\\"]')>>" }`),
      ["prod", "qa"],
    ],
    [
      "one of two texts",
      `on: push\n${runsIn("<<github.ref == 'refs/heads/main' && 'prod' || 'stage'>>")}`,
      ["prod", "stage"],
    ],
    [
      "one of a table",
      `on: push\n${runsIn(`<<fromJSON('{\\"main\\":\\"prod\\",\\"dev\\":\\"stage\\"}')[github.ref_name]>>`)}`,
      ["prod", "stage"],
    ],
    [
      "made of a part",
      `${dispatched("{ type: choice, options: [ eu, us ] }")}\n${runsIn("prod-<<inputs.env>>")}`,
      ["prod-eu", "prod-us"],
    ],
    [
      "a format",
      withMatrix("<<format('{0}-{1}', matrix.a, 'x')>>", "{ a: [ one, two ] }"),
      ["one-x", "two-x"],
    ],
    ["none", `on: push\n${runsIn("<<inputs.env>>")}`, []],
  ])("is %s", async (_, text, names) => {
    expect(await environmentsOf({ "d.yml": text })).toEqual({ names, gaps: [] });
  });

  it("is what callers hand over, through several of them, or what stands in for it", async () => {
    const inputs = (standIn: string) =>
      `on: { workflow_call: { inputs: { env: { type: string${standIn} } } } }`;
    const files = {
      "d.yml": `${inputs(", default: qa")}\n${runsIn("<<inputs.env>>")}`,
      "m.yml": `${inputs("")}\njobs: { m: { uses: ./.github/workflows/d.yml, with: { env: "<<inputs.env>>" } } }`,
      "a.yml":
        "on: push\njobs: { a: { uses: ./.github/workflows/m.yml, with: { env: prod } }, b: { uses: ./.github/workflows/d.yml } }",
      "c.yml":
        "on: push\njobs: { c: { uses: example/shop/.github/workflows/d.yml@main, with: { ENV: stage } }, no: { uses: example/other/.github/workflows/d.yml@main, with: { env: no } } }",
    };
    const { names, gaps } = await environmentsOf(files);
    expect([names.sort(), gaps]).toEqual([["prod", "qa", "stage"], []]);
  });

  it("is none that a workflow could hand over to itself for ever", async () => {
    const calls = `on: { workflow_call: {} }\njobs: { d: { uses: ./.github/workflows/d.yml, with: { env: "<<inputs.env>>x" }, environment: "<<inputs.env>>", secrets: { A: "<<secrets.KEY>>" } } }`;
    expect((await environmentsOf({ "d.yml": calls })).gaps).toEqual([]);
  });

  it.each([
    ["a text that people write", `${dispatched("{ type: string }")}\n${runsIn("<<inputs.env>>")}`],
    ["any that people choose", `${dispatched("{ type: environment }")}\n${runsIn("<<inputs.env>>")}`],
    ["what another job says", `on: push\n${runsIn("<<needs.a.outputs.env>>")}`],
    ["of a matrix that another job says", withMatrix("<<matrix.env>>", `"<<fromJSON(needs.a.outputs.m)>>"`)],
  ])("may be each that is known where it is %s, which is told", async (_, text) => {
    const other = `on: push\njobs: { o: { environment: prod, ${step} }, p: { environment: stage, steps: [] } }`;
    const { names, gaps } = await environmentsOf({ "d.yml": text, "o.yml": other });
    expect(names).toEqual(["prod", "stage"]);
    const [, expression = ""] = /environment: "(.*?)"/.exec(text) ?? [];
    expect(gaps).toEqual([
      expect.stringContaining(
        `jobs.d.environment of ${flows}/d.yml may be any environment (${braced(expression)})`,
      ),
    ]);
  });

  it("is each that the settings name, and of those the ones that fit", async () => {
    const settings = { environments: ["prod-eu", "prod-us", "stage"] };
    const files = (text: string) => ({ "d.yml": `on: push\n${runsIn(text)}` });
    expect(await environmentsOf(files("<<github.ref_name>>"), settings)).toEqual({
      names: settings.environments,
      gaps: [],
    });
    expect(await environmentsOf(files("prod-<<vars.REGION>>"), settings)).toEqual({
      names: ["prod-eu", "prod-us"],
      gaps: [],
    });
  });

  it("is of no interest to a job that has no secret", async () => {
    const text = `on: push\njobs: { d: { environment: "<<vars.X>>", steps: [ { run: "<<secrets.GITHUB_TOKEN>>" } ] } }`;
    expect(await read({ "d.yml": text })).toEqual({ edges: [], gaps: [] });
  });
});

describe("what an expression comes to", () => {
  const lookup = (path: readonly string[]) => (path.join(".") === "inputs.a" ? ["x", ""] : [anything]);
  it.each<[string, string[]]>([
    ["<<inputs.a || 'y'>>", ["x", "y"]],
    ["<<'x' || 'y'>>", ["x"]],
    ["<<inputs['a']>>-<<inputs.a>>", ["x-x", "x-", "-x", "-"]],
    ["<<case(inputs.a == 'x', 'one', true, 'two', 'three')>>", ["one", "two", "three"]],
    ["<<!inputs.a && 'one' || ('two')>>", ["one", "two"]],
    ["<<contains('a', inputs.a) && null || 5>>", ["5"]],
    ["<<env.X>>", [anything]],
    ["<<toJSON(inputs)>>", [anything]],
    ["<<fromJSON('no')>>", [anything]],
    [`<<fromJSON('[{"a":1}]').*.a>>`, [anything]],
    [`<<fromJSON('{"a":1}').b>>`, [""]],
    ["<<inputs.a )>>", [anything]],
    ["<<'a' && >>", [anything]],
    ["plain", ["plain"]],
    ["", [""]],
  ])("%s", (text, values) => {
    expect(possibleTexts(braced(text), lookup)).toEqual(values);
  });

  it("is anything where there is too much of it, or too deep", () => {
    const many = Array.from({ length: 30 }, (_, index) => String(index));
    const of = (text: string, found = lookup) => possibleTexts(braced(text), found);
    expect(of("<<inputs.a>><<inputs.a>>", () => many)).toEqual([anything]);
    expect(of(`<<${"(".repeat(5_000)}'a'${")".repeat(5_000)}>>`)).toEqual([anything]);
    expect(of(`<<${"!".repeat(5_000)}'a'>>`)).toEqual([anything]);
  });
});

describe("a workflow that is called", () => {
  const called = (on: string, environment = "") =>
    `on: ${on}\njobs: { go: { ${environment} steps: [ { run: "<<secrets.TOKEN>>" } ] } }`;
  const given = at(`${flows}/c.yml#secrets.TOKEN`);
  const declares = "workflow_call: { secrets: { token: { required: true } } }";

  it.each(["push: {}", "workflow_dispatch:", "schedule: [ { cron: '0 1 * * *' } ]"])(
    "has the repository's own secret too where it starts by %s",
    async (trigger) => {
      expect((await read({ "c.yml": called(`{ ${declares}, ${trigger} }`) })).edges).toEqual([
        `${job("c.yml", "go")} uses ${given} declared`,
        `${job("c.yml", "go")} uses ${at("secrets/TOKEN")} declared`,
      ]);
      expect((await read({ "c.yml": called(`{ ${declares} }`) })).edges).toEqual([
        `${job("c.yml", "go")} uses ${given} declared`,
      ]);
    },
  );

  it("has its environment's secret before the one that it is given", async () => {
    expect((await read({ "c.yml": called(`{ ${declares} }`, "environment: prod,") })).edges).toEqual([
      `${job("c.yml", "go")} uses ${given} declared`,
      `${job("c.yml", "go")} uses ${at("environments/prod/secrets/TOKEN")} declared`,
    ]);
  });

  it("hands on what it was given itself", async () => {
    const middle = (secrets: string) =>
      `on: { workflow_call: { secrets: { token: {} } } }\njobs: { m: { uses: ./.github/workflows/c.yml, secrets: ${secrets} } }`;
    const handedOn = at(`${flows}/m.yml#secrets.TOKEN`);
    for (const secrets of ["inherit", `{ token: "<<secrets.token>>" }`]) {
      const { edges } = await read({ "c.yml": called(`{ ${declares} }`), "m.yml": middle(secrets) });
      expect(edges).toContain(`${given} depends-on ${handedOn} declared`);
      expect(edges).toContain(`${job("m.yml", "m")} uses ${handedOn} declared`);
      expect(edges).not.toContain(`${given} depends-on ${at("secrets/TOKEN")} declared`);
    }
  });

  it("in another repository chooses the environment when it is handed everything, which is told", async () => {
    const files = {
      "c.yml":
        "on: push\njobs: { a: { uses: example/ci/.github/workflows/x.yml@v1, secrets: inherit }, b: { environment: prod, steps: [] } }",
    };
    const edges = ["secrets/*", "environments/prod/secrets/*"].map(
      (path) => `${job("c.yml", "a")} uses ${at(path)} declared`,
    );
    expect(await read(files)).toEqual({
      edges,
      gaps: [
        expect.stringContaining(
          `jobs.a of ${flows}/c.yml calls example/ci/.github/workflows/x.yml@v1 with all secrets`,
        ),
      ],
    });
    expect(await read(files, { environments: ["prod"] })).toEqual({ edges, gaps: [] });
    const some = {
      "c.yml": `on: push\njobs: { a: { uses: example/ci/.github/workflows/x.yml@v1, secrets: { a: "<<secrets.A>>" } } }`,
    };
    expect(await read(some)).toEqual({
      edges: [`${job("c.yml", "a")} uses ${at("secrets/A")} declared`],
      gaps: [],
    });
  });
});

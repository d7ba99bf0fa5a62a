/**
 * From files that people write to findings: three planted copies of one password are one cluster, a literal in a variable is
 * flagged, and neither the password nor its hash is in a row or in anything that is printed. Read by `rekey discover` through
 * real workflows, kept in a real inventory.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { AdapterDeps } from "../../adapters/ports.js";
import { kinds } from "../../adapters/registry.js";
import { inventoryIn } from "../../client/cli/inventory.js";
import type { KeptFinding } from "../../domain/findings/course.js";
import type { Figure } from "../../domain/findings/metrics.js";
import { keepFingerprint } from "../../inventory/fingerprints.js";
import { recordVersions } from "../../inventory/versions.js";
import { newId, noCodec } from "../../worker/installation.js";
import { emptyWorld, runIn } from "../cli/fakes.js";
import { rowsAsText } from "../e2e/canaries/kept.js";
import { formsOf } from "../support/canaries.js";
import { testMark } from "../support/mark.js";
import { registeredShapes } from "../support/shapes.js";
import { openRealHouse, ordersInFile, quickPolicy, type RealHouse } from "./real-house.js";

/** Nothing of these is ever to be seen again but in the files. */
const planted = {
  password: "Vq7-trumpet-Lake-93xw",
  token: "kL93-zinc-Harbour-20pq",
  lone: "Hd81-maple-Cobalt-77ty",
};

const files = (password: string): Record<string, string> => ({
  "shop/.env": `ORDERS_DB_PASSWORD=${password}\nMAIL_TOKEN=${planted.token}\nMAX_ITEMS=20\n`,
  "shop/compose.yaml": [
    "services:",
    "  api:",
    "    image: shop/api:1",
    "    environment:",
    `      DATABASE_URL: postgres://orders:${encodeURIComponent(password)}@db:5432/orders`,
    "      LOG_LEVEL: info",
    "      CACHE_PASSWORD: postgres",
    "",
  ].join("\n"),
  "jobs/.gitlab-ci.yml": [
    "export:",
    "  variables:",
    `    DB_PASSWORD: "${password}"`,
    "  script: [./export]",
    "",
  ].join("\n"),
});

async function house() {
  const root = await mkdtemp(join(tmpdir(), "rekey-findings-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const write = async (contents: Record<string, string>) => {
    for (const [path, text] of Object.entries(contents)) {
      const file = join(root, path);
      await mkdir(join(file, ".."), { recursive: true });
      await writeFile(file, text);
    }
  };
  await write(files(planted.password));
  const deps: AdapterDeps = {
    ...{ installation: "shop", now: Date.now, random: (bytes) => new Uint8Array(bytes), mark: testMark },
    ...{ signChallenge: async () => "", codec: noCodec },
    resolve: async () => {
      throw new Error("nothing here is resolved");
    },
  };
  const login = { username: "rekey", password: "env:ENGINE" };
  const real = await openRealHouse(
    {
      stores: { files: { kind: "file", directory: root, stagingDirectory: root } },
      issuers: {
        orders: { kind: "postgres", host: "127.0.0.1", port: 5432, database: "orders", login },
      },
      sources: {
        settings: { kind: "env-files", directory: join(root, "shop"), name: "shop", owner: "payments" },
        services: { kind: "compose", directory: join(root, "shop"), name: "shop", owner: "payments" },
        pipelines: { kind: "gitlab-ci", directory: join(root, "jobs"), name: "jobs", owner: "payments" },
      },
      policies: { quick: quickPolicy },
      consumers: {},
      credentials: {
        "orders-db": ordersInFile,
      },
    },
    deps,
  );
  return { ...real, write };
}

/** The command line on the house's own inventory, with its own workflows. */
function commandLine({ fresh, ask }: Pick<RealHouse, "fresh" | "ask">) {
  const printed: string[] = [];
  const run = async (...argv: string[]) => {
    const world = emptyWorld({
      answers: { discover: (source) => ask("discover", [(source as { readonly name: string }).name]) },
    });
    const inventory = inventoryIn(fresh.db, { randomId: newId, shapes: registeredShapes });
    const ran = await runIn(world, argv, { inventory, deps: { kinds } });
    printed.push(ran.stdout, ran.stderr);
    return ran;
  };
  const found = async (code: string) => {
    const { stdout } = await run("findings", "--code", code, "--json");
    return (JSON.parse(stdout) as { readonly findings: readonly KeptFinding[] }).findings;
  };
  return { run, found, printed };
}

test("C12, C18: planted copies are one cluster, literals are flagged, and no value is kept or printed", async () => {
  const real = await house();
  const { run, found, printed } = commandLine(real);
  const discovered = await run("discover");
  expect(discovered.stdout).toContain("3 sources read.");
  expect(discovered.stdout).toMatch(/[0-9]+ other new things: .+\n.*See `rekey changes --since [^`]+`\./s);
  // One source is read to its end before the other: what is said of the one that was never read may be over by then.
  expect(discovered.stdout).toMatch(/\n[0-9]+ findings opened(?:, [0-9]+ ended)?: see `rekey findings`\./);
  expect([discovered.code, discovered.stderr]).toEqual([0, ""]);

  const literals = (await found("literal")).map(({ subject, severity }) => `${severity} ${subject.name}`);
  expect(literals).toEqual([
    expect.stringMatching(/^warn repository jobs .*\.gitlab-ci\.yml.*DB_PASSWORD/),
    expect.stringMatching(/^warn repository shop \.env#MAIL_TOKEN$/),
    expect.stringMatching(/^warn repository shop \.env#ORDERS_DB_PASSWORD$/),
    // Too common to be compared with anything, and a literal all the same.
    expect.stringMatching(/^warn repository shop compose\.yaml#.*CACHE_PASSWORD$/),
    expect.stringMatching(/^warn repository shop compose\.yaml#.*DATABASE_URL$/),
  ]);
  const [cluster, ...more] = await found("same-value");
  expect(more).toEqual([]);
  expect(cluster?.places).toEqual(
    [literals[0], literals[2], literals[4]].map((name) => name?.replace("warn ", "")),
  );
  expect(cluster).toMatchObject({ severity: "warn", state: "open", credential: null, subject: { id: "" } });
  const one = await run("findings", String(cluster?.number));
  expect(one.stdout).toContain("One value stands in 3 places.");
  for (const place of cluster?.places ?? []) expect(one.stdout).toContain(place);

  // A rotation has made it: now it is known whose it is, and that these copies would be left behind.
  const standings = [{ id: "ver_1", slot: "orders_a", life: "active" as const }];
  const at = Date.now();
  await recordVersions(real.fresh.db, { credential: real.credential, by: null, standings, at });
  const marks = async () =>
    real.fresh.sql<{ mark: string; places: number }>(
      "select mark, count(distinct thing)::int as places from rekey_inventory.marks where mark <> '' group by mark order by 2 desc",
    );
  const [{ mark: hmac = "" } = {}] = await marks();
  await keepFingerprint(real.fresh.db, { version: "ver_1", credential: real.credential, hmac, at });
  expect((await found("same-value"))[0]).toMatchObject({
    ...{ number: cluster?.number, credential: real.credential, owners: ["payments"] },
    sentence: "One value stands in 3 places. It is the value of orders-db, of a version that is valid.",
  });
  expect(await found("unmapped-copy")).toHaveLength(3);

  const metrics = await run("metrics", "--json");
  const figures = (JSON.parse(metrics.stdout) as { readonly figures: readonly Figure[] }).figures;
  expect(figures.find(({ name }) => name === "outside")).toMatchObject({ numerator: 5, denominator: 5 });

  // One is mended, another one gets a value of its own: the cluster is gone, and so are two literals' sentences about it.
  await real.write({
    "shop/.env": "MAX_ITEMS=20\n",
    "jobs/.gitlab-ci.yml": files(planted.lone)["jobs/.gitlab-ci.yml"] ?? "",
  });
  const again = await run("discover");
  expect([again.code, again.stdout]).toEqual([
    0,
    expect.stringMatching(/\n.*[0-9]+ ended: see `rekey findings`\./),
  ]);
  expect(await found("same-value")).toEqual([]);
  expect(await found("literal")).toHaveLength(3);
  const ended = await run("findings", "--state", "ended", "--format", "csv");
  expect(ended.stdout).toContain(`${cluster?.number},same-value,warn,ended,`);
  // A look that fails is told by the reading that asked for it.
  await real.fresh.sql("alter table rekey_inventory.findings rename to elsewhere");
  const blind = await run("discover", "settings");
  expect([blind.code, blind.stdout]).toEqual([
    5,
    expect.stringContaining("The findings were not brought up to date:"),
  ]);
  expect(blind.stderr).toContain("What has changed could not be read:");
  await real.fresh.sql("alter table rekey_inventory.elsewhere rename to findings");
  for (const command of ["dormant", "shared", "orphaned", "changes", "graph", "findings"]) await run(command);

  const rows = await rowsAsText(real.fresh.url.reveal());
  const shown = printed.join("\n");
  for (const form of Object.values(planted).flatMap(formsOf)) {
    expect(rows.includes(form), "a value is in a row").toBe(false);
    expect(shown.includes(form), "a value was printed").toBe(false);
  }
  // The hashes are where values are compared and nowhere else: in no finding, and in nothing that is shown.
  const findings = JSON.stringify(await real.fresh.sql("select * from rekey_inventory.findings"));
  expect(findings).toContain("MAIL_TOKEN");
  const hashes = (await marks()).map(({ mark }) => mark).filter((mark) => mark !== "");
  expect(hashes).toHaveLength(3);
  for (const hash of hashes) expect([findings, shown].some((text) => text.includes(hash))).toBe(false);
}, 120_000);

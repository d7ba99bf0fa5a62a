/**
 * What `make` does before anything else, tried on a small stand-in for a clone: which steps run when, what
 * they say, and how they fail. The programs `node` and `npm` are scripts that note how they were called.
 */

import { execFile, spawn } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";

const run = promisify(execFile);
const scripts = fileURLToPath(new URL("../../scripts/", import.meta.url));
const tools = [
  "sh",
  "cat",
  "chmod",
  "cksum",
  "cut",
  "dirname",
  "find",
  "mkdir",
  "mv",
  "rm",
  "sleep",
  "sort",
  "tail",
  "touch",
  "tr",
  "xargs",
];
let root: string;
let bin: string;

async function write(path: string, content: string, mode = 0o644): Promise<void> {
  await mkdir(join(root, path, ".."), { recursive: true });
  await writeFile(join(root, path), content);
  await chmod(join(root, path), mode);
}

async function fakeNode(version: string): Promise<void> {
  await write(
    "bin/node",
    `#!/bin/sh\nif [ "$1" = --version ]; then echo v${version}; else echo "ran $*"; fi\n`,
    0o755,
  );
}

/** An npm that makes what the real one makes: node_modules for `ci`, a young Node for `install`. */
const fakeNpm = `#!/bin/sh
echo "npm $1" >> "$LOG"
[ ! -e "$LOG.fail" ] || { echo "the registry is away"; exit 1; }
[ -z "$SLOW" ] || sleep "$SLOW"
case "$1" in
  ci) mkdir -p node_modules; echo {} > node_modules/.package-lock.json;;
  install) mkdir -p "$3/node_modules/node/bin"
    printf '#!/bin/sh\\nif [ "$1" = --version ]; then echo v24.21.0; else echo "young ran $*"; fi\\n' > "$3/node_modules/node/bin/node"
    chmod +x "$3/node_modules/node/bin/node";;
esac
`;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "rekey-clone-"));
  bin = join(root, "bin");
  await mkdir(join(root, "scripts"));
  for (const name of ["setup.sh", "sources.sh"])
    await copyFile(join(scripts, name), join(root, "scripts", name));
  await write(
    "scripts/build.sh",
    '#!/bin/sh\necho build >> "$LOG"\n[ ! -e "$LOG.fail" ] || exit 1\nmkdir -p dist; touch dist/.complete\n',
    0o755,
  );
  await write("package.json", "{}");
  await write("package-lock.json", "{}");
  await write(".npmrc", "");
  await write("tsconfig.json", "{}");
  await write("tsconfig.build.json", "{}");
  await write("tsconfig.kit.json", "{}");
  await write("domain/a.ts", "export const a = 1;\n");
  await write("bin/npm", fakeNpm, 0o755);
  const places = (await run("sh", ["-c", `for tool in ${tools.join(" ")}; do command -v $tool; done`]))
    .stdout;
  for (const place of places.trim().split("\n")) await symlink(place, join(bin, basename(place)));
  await fakeNode("24.1.0");
});
afterEach(() => rm(root, { recursive: true, force: true }));

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function setup(args: readonly string[] = [], env: Record<string, string> = {}): Promise<Outcome> {
  const full = { PATH: bin, LOG: join(root, "log"), HOME: root, ...env };
  try {
    const { stdout, stderr } = await run(join(root, "scripts/setup.sh"), [...args], {
      env: full,
      cwd: tmpdir(),
    });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const failure = error as { code: number; stdout: string; stderr: string };
    return { code: failure.code, out: failure.stdout, err: failure.stderr };
  }
}

async function log(): Promise<string[]> {
  const text = await readFile(join(root, "log"), "utf8").catch(() => "");
  return text.split("\n").filter((line) => line !== "");
}

test("a fresh clone: modules and build with a line each, then the command; a second run does neither", async () => {
  expect(await setup(["node", "dist/x.js", "a b"])).toEqual({
    code: 0,
    out: "ran dist/x.js a b\n",
    err: "setup: installing node modules (npm ci)\nsetup: building (TypeScript and workflow bundle)\n",
  });
  expect(await log()).toEqual(["npm ci", "build"]);
  expect(await setup(["node", "x"])).toEqual({ code: 0, out: "ran x\n", err: "" });
  expect(await log()).toEqual(["npm ci", "build"]);
});

test("each step runs again when its input changed, and not for another's", async () => {
  await setup();
  await write("domain/a.ts", "export const a = 2;\n");
  await setup();
  expect(await log()).toEqual(["npm ci", "build", "build"]);
  await write("test/b.test.ts", "");
  await write("README.md", "");
  await setup();
  expect(await log()).toHaveLength(3);
  await rm(join(root, "domain/a.ts"));
  await setup();
  expect(await log()).toHaveLength(4);
  await write("package-lock.json", "{ }");
  await setup();
  expect((await log()).slice(4)).toEqual(["npm ci", "build"]);
  await rm(join(root, "node_modules"), { recursive: true });
  await setup();
  expect((await log()).slice(6)).toEqual(["npm ci"]);
  await rm(join(root, "dist"), { recursive: true });
  await setup(["--no-build"]);
  expect((await log()).slice(7)).toEqual([]);
});

test.each(["20.20.2", "22.11.0", "18.0.0"])(
  "Node %s is too old: the pinned one is put into the cache",
  async (old) => {
    await fakeNode(old);
    const first = await setup(["node", "x"], { REKEY_CACHE: join(root, "elsewhere") });
    expect(first.out).toBe("young ran x\n");
    expect(first.err).toContain("installing Node 24.21.0 into the cache");
    expect((await log())[0]).toBe("npm install");
    await setup(["node", "x"], { REKEY_CACHE: join(root, "elsewhere") });
    expect(await log()).toEqual(["npm install", "npm ci", "build"]);
  },
);

test.each(["22.12.0", "24.0.0", "26.1.0"])("Node %s is used as it is", async (young) => {
  await fakeNode(young);
  expect((await setup(["node", "x"])).out).toBe("ran x\n");
  expect(await log()).toEqual(["npm ci", "build"]);
});

test("what is missing is named with a hint, and the exit code is not zero", async () => {
  await fakeNode("20.0.0");
  await rm(join(bin, "npm"));
  const neither = await setup();
  expect(neither.code).toBe(5);
  expect(neither.err).toMatch(
    /^error: neither Node 22\.12 or later nor npm is on PATH\nhint: install Node 24/m,
  );
});

test("a failing step shows its log, fails, and is tried again next time", async () => {
  await write("log.fail", "");
  const failed = await setup(["node", "x"]);
  expect(failed.code).toBe(5);
  expect(failed.out).toBe("");
  expect(failed.err).toContain("the registry is away");
  expect(failed.err).toMatch(/^error: npm ci failed\nhint: /m);
  await rm(join(root, "log.fail"));
  expect((await setup(["node", "x"])).code).toBe(0);
});

test("two at once take turns; the lock of a killed one is taken over", async () => {
  const both = await Promise.all([setup(["node", "1"], { SLOW: "2" }), setup(["node", "2"], { SLOW: "2" })]);
  expect(both.map((outcome) => outcome.code)).toEqual([0, 0]);
  expect(await log()).toEqual(["npm ci", "build"]);
  expect(both.some((outcome) => outcome.err.includes("waiting for another set-up"))).toBe(true);

  await write("package-lock.json", "{  }");
  const killed = spawn(join(root, "scripts/setup.sh"), [], {
    env: { PATH: bin, LOG: join(root, "log"), HOME: root, SLOW: "1" },
  });
  while ((await log()).length < 3) await new Promise((resolve) => setTimeout(resolve, 20));
  const ended = new Promise((resolve) => killed.once("exit", resolve));
  killed.kill("SIGKILL");
  await ended;
  expect((await setup(["node", "x"])).code).toBe(0);
});

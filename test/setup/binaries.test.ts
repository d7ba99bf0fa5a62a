/**
 * How development programs are found and got: the order of the places, that only pinned bytes are ever
 * installed, and that runs at the same time do not spoil each other's cache.
 */

import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FindOptions, findBinary } from "../../worker/dev/binaries.js";
import { withLock } from "../../worker/dev/lock.js";
import { kubernetesPin, temporalPin, vaultPin } from "../../worker/dev/pins.js";
import { pythonTools } from "../../worker/dev/python.js";
import { systemProgram } from "../../worker/dev/system-packages.js";
import { pinOf, type ReleaseServer, serveRelease, tarGz, zip } from "./releases.js";

const run = promisify(execFile);
const script = "#!/bin/sh\necho the tool\n";
/** How long a busy machine may need for the next bytes. */
const patienceMs = 10_000;
let folder: string;
let server: ReleaseServer | undefined;
let lines: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rekey-bin-"));
  lines = [];
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
  await rm(folder, { recursive: true, force: true });
});

function options(env: Record<string, string> = {}, stallMsMax = patienceMs): FindOptions {
  return {
    // Go is kept out of reach: these tests are about the other ways.
    env: { PATH: join(folder, "path"), REKEY_CACHE: join(folder, "cache"), ...env },
    progress: (line) => lines.push(line),
    platform: "any_arch",
    goPlaces: [],
    limits: { stallMsMax, bytesMax: 1_000_000, attempts: 2 },
  };
}

async function program(path: string, content = script): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  await chmod(path, 0o755);
  return path;
}

async function installed(): Promise<string[]> {
  return readdir(join(folder, "cache", "bin")).catch(() => []);
}

describe("the order of the places", () => {
  const archive = tarGz({ LICENSE: "text", tool: script });
  const pin = pinOf("tool", archive, "tar.gz");

  test("environment variable, then PATH, then PATH by another name, then cache, then release", async () => {
    server = await serveRelease(archive);
    const env = { REKEY_TOOL_DOWNLOADS: server.url };
    const downloaded = await findBinary(pin, options(env));
    expect(downloaded).toBe(join(folder, "cache", "bin", "tool-1.0.0"));
    expect((await run(downloaded)).stdout).toBe("the tool\n");
    expect(server.asked).toEqual(["/v1/tool_any_arch"]);

    expect(await findBinary(pin, options(env))).toBe(downloaded);
    expect(server.asked).toHaveLength(1);

    const other = await program(join(folder, "path", "other-name"));
    expect(await findBinary(pin, options(env))).toBe(other);
    const onPath = await program(join(folder, "path", "tool"));
    expect(await findBinary(pin, options(env))).toBe(onPath);
    const named = await program(join(folder, "named"));
    expect(await findBinary(pin, options({ ...env, REKEY_TOOL_BIN: named }))).toBe(named);
  });

  test("an environment variable that names no program is an error, not passed over", async () => {
    await program(join(folder, "path", "tool"));
    const wrong = findBinary(pin, options({ REKEY_TOOL_BIN: join(folder, "absent") }));
    await expect(wrong).rejects.toMatchObject({
      code: "missing-setup",
      hint: expect.stringContaining("unset"),
    });
  });

  test("a zip works as well", async () => {
    const zipped = zip({ "LICENSE.txt": "text", tool: script });
    server = await serveRelease(zipped);
    const found = await findBinary(
      pinOf("tool", zipped, "zip"),
      options({ REKEY_TOOL_DOWNLOADS: server.url }),
    );
    expect((await run(found)).stdout).toBe("the tool\n");
  });
});

describe("a download that must not be used", () => {
  const archive = tarGz({ tool: script });
  const pin = pinOf("tool", archive, "tar.gz");

  test.each([
    ["other bytes", tarGz({ tool: "#!/bin/sh\necho evil\n" }), 1, /does not have the pinned SHA-256/],
    ["more bytes than any release", Buffer.alloc(1_100_000), 2, /could not be downloaded/],
    ["a server that never answers", undefined, 2, /could not be downloaded/],
  ])("%s", async (_name, body, requests, told) => {
    server = await serveRelease(body);
    // Only a server that says nothing has to be given up soon.
    const stallMsMax = body === undefined ? 300 : patienceMs;
    const found = findBinary(pin, options({ REKEY_TOOL_DOWNLOADS: server.url }, stallMsMax));
    await expect(found).rejects.toMatchObject({ code: "missing-setup" });
    expect(server.asked).toHaveLength(requests);
    expect(lines.join("\n")).toMatch(told);
    expect(await installed()).toEqual([]);
  });

  test("an archive without the program", async () => {
    const empty = tarGz({ README: "text" });
    server = await serveRelease(empty);
    const found = findBinary(pinOf("tool", empty, "tar.gz"), options({ REKEY_TOOL_DOWNLOADS: server.url }));
    await expect(found).rejects.toMatchObject({ code: "missing-setup" });
    expect(lines.join("\n")).toContain("holds no file named tool");
  });

  test("a platform without a pin downloads nothing and says so", async () => {
    server = await serveRelease(archive);
    const elsewhere = { ...options({ REKEY_TOOL_DOWNLOADS: server.url }), platform: "plan9_mips" };
    await expect(findBinary(pin, elsewhere)).rejects.toMatchObject({
      hint: expect.stringContaining("REKEY_TOOL_BIN"),
    });
    expect(server.asked).toEqual([]);
    expect(lines).toContain("tool: no release is pinned for plan9_mips, so none is downloaded");
  });
});

test("without a release the program is built from its Go module", async () => {
  // A stand-in for `go` that writes its last-but-one argument; the real builds take minutes each.
  const fake = '#!/bin/sh\npwd > "$6.cwd"; printf "#!/bin/sh\\necho built $7 with $2 $GOFLAGS\\n" > "$6"\n';
  await program(join(folder, "path", "go"), fake);
  const env = { PATH: `${join(folder, "path")}:/usr/bin:/bin`, GOFLAGS: "-mod=mod" };
  const pin = { ...temporalPin, envName: "REKEY_NONE", onPath: ["no-such-program"], sha256: {} };
  const found = await findBinary(pin, options(env));
  expect((await run(found)).stdout).toBe("built github.com/temporalio/cli/cmd/temporal with -trimpath\n");
  expect(lines.some((line) => line.includes("building 1.8.2"))).toBe(true);
});

test("a build that nobody waits for yet leaves the processors to others", async () => {
  // It goes on once it has the least priority that there is.
  const fake = '#!/bin/sh\nuntil [ "$(nice)" = 19 ]; do sleep 0.05; done; printf "#!/bin/sh\\n" > "$6"\n';
  await program(join(folder, "path", "go"), fake);
  const env = { PATH: `${join(folder, "path")}:/usr/bin:/bin` };
  const found = await findBinary(kubernetesPin, { ...options(env), isPatient: true });
  expect(await readFile(found, "utf8")).toBe("#!/bin/sh\n");
  expect(lines).toContain(
    `kube-apiserver: building ${kubernetesPin.version} with ${join(folder, "path", "go")} (some minutes, once)`,
  );
});

test("a program of which no release is pinned is not looked for at an address", async () => {
  const work = findBinary(kubernetesPin, { ...options({ PATH: join(folder, "nothing") }), goPlaces: [] });
  const hint = "install it, or name it in REKEY_KUBE_APISERVER_BIN, or install Go 1.24 or later";
  await expect(work).rejects.toMatchObject({ code: "missing-setup", hint });
});

test("the Go modules in tools/ pin the version that the table of programs names", async () => {
  for (const pin of [kubernetesPin, temporalPin, vaultPin]) {
    const module = await readFile(new URL(`../../tools/${pin.go.folder}/go.mod`, import.meta.url), "utf8");
    const name = pin.go.package.replace(/\/cmd\/.*$/, "");
    expect(module).toContain(`${name} v${pin.version}`);
    expect(module).toContain(`tool ${pin.go.package}`);
    expect(pin.releasePath("x")).toContain(pin.version);
    for (const sum of Object.values(pin.sha256)) expect(sum).toMatch(/^[0-9a-f]{64}$/);
  }
});

describe("two at once", () => {
  test("processes that start together download once and all find the whole program", async () => {
    const archive = tarGz({ tool: script });
    const pin = pinOf("tool", archive, "tar.gz");
    server = await serveRelease(archive, 300);
    const source = `
      import { findBinary } from ${JSON.stringify(new URL("../../dist/worker/dev/binaries.js", import.meta.url))};
      const pin = { ...${JSON.stringify(pin)}, releasePath: () => "tool" };
      process.stdout.write(await findBinary(pin, { platform: "any_arch", goPlaces: [] }));`;
    const env = {
      PATH: join(folder, "path"),
      REKEY_CACHE: join(folder, "cache"),
      REKEY_TOOL_DOWNLOADS: server.url,
    };
    const args = ["--input-type=module", "-e", source];
    const found = await Promise.all([1, 2, 3].map(() => run(process.execPath, args, { env })));
    for (const { stdout } of found) expect((await run(stdout)).stdout).toBe("the tool\n");
    expect(server.asked).toHaveLength(1);
    expect(await installed()).toEqual(["tool-1.0.0"]);
    expect(await readdir(join(folder, "cache", "locks"))).toEqual([]);
  });

  test("work under the lock never overlaps, and a failure releases it", async () => {
    const lock = join(folder, "lock");
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside--;
      throw new Error("failed");
    };
    const all = await Promise.allSettled([1, 2, 3, 4].map(() => withLock(lock, () => undefined, work)));
    expect(all.every((result) => result.status === "rejected")).toBe(true);
    expect(most).toBe(1);
    expect(existsSync(lock)).toBe(false);
  });

  test("the lock of a dead process, and one without a beat, are taken over", async () => {
    const lock = join(folder, "lock");
    const holder = spawn(process.execPath, [
      "--input-type=module",
      "-e",
      `import { withLock } from ${JSON.stringify(new URL("../../dist/worker/dev/lock.js", import.meta.url))};
       await withLock(${JSON.stringify(lock)}, () => undefined, () => new Promise((r) => setTimeout(r, 60000)));`,
    ]);
    while (!existsSync(join(lock, "holder"))) await new Promise((resolve) => setTimeout(resolve, 20));
    const ended = new Promise((resolve) => holder.once("exit", resolve));
    holder.kill("SIGKILL");
    await ended;
    expect(existsSync(lock)).toBe(true);
    expect(
      await withLock(
        lock,
        () => undefined,
        async () => "mine",
      ),
    ).toBe("mine");

    await mkdir(lock);
    await writeFile(join(lock, "holder"), `elsewhere ${process.pid}\n`);
    const longAgo = new Date(Date.now() - 60_000);
    await utimes(lock, longAgo, longAgo);
    expect(
      await withLock(
        lock,
        () => undefined,
        async () => "mine",
      ),
    ).toBe("mine");
  });
});

describe("programs of the operating system", () => {
  const fakeApt = `#!/bin/sh\necho "$*" >> "$LOG"\ncase "$1" in\n  update) touch "$LOG.lists";;\n  install) [ -f "$LOG.lists" ] || exit 100; printf '#!/bin/sh\\n' > "$BIN/pgbouncer"; chmod +x "$BIN/pgbouncer";;\nesac\n`;

  test("root gets a missing one from apt-get, with fresh package lists if need be", async () => {
    const bin = join(folder, "path");
    await program(join(bin, "apt-get"), fakeApt);
    const env = { PATH: `${bin}:/nowhere`, LOG: join(folder, "log"), BIN: bin };
    const withTools = { ...env, PATH: bin };
    for (const tool of ["touch", "chmod"])
      await program(join(bin, tool), `#!/bin/sh\nexec /bin/${tool} "$@"\n`);
    expect(await systemProgram("pgbouncer", { env: withTools, root: true })).toBe(join(bin, "pgbouncer"));
    const log = await readFile(join(folder, "log"), "utf8");
    expect(log.split("\n").map((line) => line.split(" ")[0])).toEqual(["install", "update", "install", ""]);
  });

  test("otherwise the error names the package", async () => {
    await program(join(folder, "path", "apt-get"), "#!/bin/sh\nexit 1\n");
    const env = { PATH: join(folder, "path") };
    const hint = expect.stringContaining("redis-server");
    await expect(systemProgram("redis-server", { env, root: false })).rejects.toMatchObject({ hint });
    await expect(systemProgram("redis-server", { env, root: true })).rejects.toMatchObject({ hint });
    await expect(systemProgram("redis-server", { env: { PATH: "" }, root: true })).rejects.toMatchObject({
      hint,
    });
  });
});

test("a Python environment is made when first asked for, once, and never before", async () => {
  const cache = join(folder, "cache");
  const env = { ...process.env, REKEY_CACHE: cache };
  expect(existsSync(cache)).toBe(false);
  const both = await Promise.all(
    [1, 2].map(() => pythonTools([], { env, progress: (line) => lines.push(line) })),
  );
  expect(both[0]).toBe(both[1]);
  expect(lines.filter((line) => line.startsWith("making"))).toHaveLength(1);
  expect((await run(join(both[0] ?? "", "python"), ["-c", "print(1 + 1)"])).stdout).toBe("2\n");
  const nowhere = pythonTools(["moto[server]"], { env: { PATH: "", REKEY_CACHE: cache } });
  await expect(nowhere).rejects.toMatchObject({ code: "missing-setup" });
});

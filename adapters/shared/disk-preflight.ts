/** What must be true of a tree of files before a rotation may rely on it, each gap a sentence with its mend (H19, H20). */
import { access, constants, lstat, open } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { RekeyError } from "../../domain/errors.js";
import type { Finding, Severity } from "../../domain/finding.js";
import type { Call } from "../ports.js";
import { isFolder } from "./disk.js";
import type { DiskConfig, DiskPlace } from "./disk-settings.js";
import { readOwn, withEngineFields } from "./own-fields.js";
import type { RawDocument, Sealing } from "./sealing.js";

const sample = { any: "thing" } as const;

/**
 * All findings about one place of the store `kind`, which stands before their codes; `deepest` is the folder that a promote
 * writes into. `readLive` gives the live document or throws. Throws `unreachable` where a folder is not there: whether it
 * is sound cannot be said then.
 */
export async function diskPreflight(
  kind: string,
  config: DiskConfig,
  place: DiskPlace,
  deepest: string,
  readLive: () => Promise<RawDocument | null>,
  copies: Sealing,
  call: Call,
): Promise<Finding[]> {
  const found = [
    ...(await stagingFindings(config)),
    ...(await liveFolderFindings(config)),
    ...(await writeFindings(config, deepest)),
    ...accessFindings(config, place),
    ...(await sealingFindings(config, copies, call)),
    ...(await documentFindings(config, place, readLive)),
  ];
  return found.map((each) => ({ ...each, code: `${kind}-${each.code}` }));
}

async function stagingFindings({ directory, stagingDirectory }: DiskConfig): Promise<Finding[]> {
  await requireFolder(stagingDirectory);
  const found: Finding[] = [];
  const { mode, uid } = await lstat(stagingDirectory);
  if ((mode & 0o077) !== 0 || uid !== process.getuid?.()) {
    found.push(
      finding(
        "staging-open",
        "refuse",
        `Others than the engine's user can reach ${stagingDirectory}, where values stand that are not proven yet; \`chown\` it to that user and \`chmod 0700\` it.`,
        stagingDirectory,
      ),
    );
  }
  const way = relative(directory, stagingDirectory);
  if (way === "" || !way.startsWith("..")) {
    found.push(
      finding(
        "staging-inside",
        "refuse",
        `${stagingDirectory} lies inside ${directory}, which is given to consumers; move it out.`,
        stagingDirectory,
      ),
    );
  }
  return found;
}

async function liveFolderFindings({ directory }: DiskConfig): Promise<Finding[]> {
  await requireFolder(directory);
  const { mode } = await lstat(directory);
  const sticky = (mode & 0o1000) !== 0;
  if ((mode & 0o022) === 0 || sticky) return [];
  return [
    finding(
      "directory-writable",
      "refuse",
      `Others than its owner may replace files in ${directory}; take away their write permission.`,
      directory,
    ),
  ];
}

/** Every folder that a promote writes into, as far as they exist: a missing one is made in the one above it. */
async function writeFindings(
  { directory, stagingDirectory }: DiskConfig,
  deepest: string,
): Promise<Finding[]> {
  let folder = deepest;
  while (folder !== directory && folder.startsWith(directory) && !(await isFolder(folder)))
    folder = dirname(folder);
  const found = await Promise.all(
    [...new Set([stagingDirectory, folder])].map(async (path) => {
      if (await isWritable(path)) return [];
      const sentence = `The engine cannot write to ${path}; give that folder to its user, and see that it is not mounted read-only.`;
      return [finding("cannot-write", "refuse", sentence, path)];
    }),
  );
  return found.flat();
}

/** Not in Node's own constants: a file without a name, which is gone when it is closed. */
const withoutName = 0o20000000;

/**
 * Whether a file can be made in the folder, asked by making one that has no name, so that nobody can see it.
 * Where the system has no such files, the permissions are asked, which know nothing of a full or broken disk.
 */
async function isWritable(folder: string): Promise<boolean> {
  try {
    await (await open(folder, constants.O_RDWR | constants.O_DIRECTORY | withoutName, 0o600)).close();
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (["EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT"].includes(code)) return false;
  }
  return access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}

function accessFindings(config: DiskConfig, place: DiskPlace): Finding[] {
  const found: Finding[] = [];
  if (place.protection !== "age" && (Number.parseInt(place.permissions, 8) & 0o004) !== 0) {
    found.push(
      finding(
        "world-readable",
        "warn",
        `Every user of the host can read ${place.path} with permissions ${place.permissions}; give it to a group instead.`,
        place.path,
      ),
    );
  }
  const me = process.getuid?.();
  if (place.owner !== undefined && me !== 0 && place.owner.uid !== me) {
    found.push(
      finding(
        "cannot-chown",
        "refuse",
        `The engine does not run as root and so cannot give ${place.path} to user ${place.owner.uid}.`,
        place.path,
      ),
    );
  }
  if (config.age === undefined) {
    found.push(
      finding(
        "copies-plain",
        "info",
        `Copies in ${config.stagingDirectory} are guarded by permissions only; \`age\` encrypts them.`,
        config.stagingDirectory,
      ),
    );
  }
  return found;
}

/** What cannot be opened again must not be sealed: the old value would be lost with the way back. */
async function sealingFindings(config: DiskConfig, copies: Sealing, call: Call): Promise<Finding[]> {
  if (config.age === undefined) return [];
  try {
    await copies.open(await copies.seal(sample), "the engine's age identity", call);
    return [];
  } catch (error) {
    if (error instanceof RekeyError && error.code === "unreachable") throw error;
    return [
      finding(
        "age-mismatch",
        "refuse",
        "What is encrypted to `age.recipients` cannot be opened with `age.identity`; add the identity's own public key to the recipients.",
        config.directory,
      ),
    ];
  }
}

async function documentFindings(
  { directory }: DiskConfig,
  place: DiskPlace,
  readLive: () => Promise<RawDocument | null>,
): Promise<Finding[]> {
  const name = `${directory}/${place.path}`;
  let raw: RawDocument | null;
  try {
    raw = await readLive();
  } catch (error) {
    if (!(error instanceof RekeyError) || error.code === "unreachable") throw error;
    return [finding("live-unreadable", "refuse", error.message, name)];
  }
  if (raw === null) {
    return [
      finding("place-empty", "info", `There is nothing at ${name} yet; the first promote makes it.`, name),
    ];
  }
  const values = readOwn(raw, place.fields, name)?.values ?? {};
  const stored = withEngineFields(place.fields);
  return Object.keys(place.fields)
    .filter((field) => !values[field])
    .map((field) =>
      finding(
        "field-missing",
        "warn",
        `The document at ${name} has no field "${stored[field]}" (${field}); check the place's \`fields\`.`,
        name,
      ),
    );
}

async function requireFolder(path: string): Promise<void> {
  if (await isFolder(path)) return;
  throw new RekeyError("unreachable", `The folder ${path} is not there; is it mounted?`);
}

function finding(code: string, severity: Severity, sentence: string, subject: string): Finding {
  return { code, severity, sentence, subject };
}

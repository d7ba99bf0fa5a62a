/** The kind `folder`: a file for each field, as secrets are mounted. docs/kinds/folder.md is its page for users. */
import { join } from "node:path";
import type { Finding } from "../../domain/finding.js";
import type { AdapterDeps, Store, StoreKind } from "../ports.js";
import { diskPreflight } from "../shared/disk-preflight.js";
import { DiskStore, type OnDisk } from "../shared/disk-store.js";
import { credentialFields, readOwn } from "../shared/own-fields.js";
import type { RawDocument } from "../shared/sealing.js";
import { LiveFolder } from "./folder/live.js";
import { type FolderConfig, type FolderPlace, folderConfig, folderPlace } from "./folder/schema.js";

/** Commands that an administrator of the host runs once. Options: `directory`, `stagingDirectory`, `user`. */
function grants(options: Readonly<Record<string, string>>): string {
  const { directory, stagingDirectory, user } = {
    directory: "/run/secrets",
    stagingDirectory: "/var/lib/rekey/staging",
    user: "rekey",
    ...options,
  };
  return `# Folders of a store of folders. Read them, then run this as root on the host where Rekey's worker runs.
# Consumers mount a folder below the first, and never single files of it: a mounted file stays what it was.
install -d -o ${user} -g ${user} -m 0755 ${directory}
# The staging folder holds values that are not proven yet: only the worker's user may enter it.
install -d -o ${user} -g ${user} -m 0700 ${stagingDirectory}
`;
}

/** A tool such as `echo` ends a file with a new line, which then is part of the value. */
function newlineFindings({ fields }: FolderPlace, name: string, raw: RawDocument | null): Finding[] {
  const values = readOwn(raw, fields, name)?.values ?? {};
  return credentialFields(fields)
    .filter((field) => values[field]?.reveal().endsWith("\n"))
    .map((field) => ({
      code: "folder-newline",
      severity: "warn",
      sentence: `The file of "${field}" at ${name} ends with a new line, which Rekey takes for a part of the value; write it without (\`printf %s\`).`,
      subject: name,
    }));
}

function create(config: FolderConfig, place: FolderPlace, deps: AdapterDeps): Store {
  const live = new LiveFolder(config, place);
  const { path, fields } = place;
  const preflight: OnDisk["preflight"] = async (copies, readLive, call) => {
    let raw: RawDocument | null = null;
    const look = async () => {
      raw = await readLive();
      return raw;
    };
    const found = await diskPreflight("folder", config, place, live.name, look, copies, call);
    return [...found, ...newlineFindings(place, live.name, raw)];
  };
  return new DiskStore(config, { path, fields, live, preflight }, deps);
}

/** A folder for each credential, and a file for each field. */
export const folder: StoreKind<typeof folderConfig, typeof folderPlace> = {
  config: folderConfig,
  place: folderPlace,
  create,
  lockKeys: (config, place) => [`folder:${join(config.directory, place.path)}`],
  grants,
};

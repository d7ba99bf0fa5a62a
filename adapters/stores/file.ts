/** The kind `file`: one JSON file for each credential, plain for mounted secrets or encrypted by age. docs/kinds/file.md is its page for users. */
import { join } from "node:path";
import type { StoreKind } from "../ports.js";
import { fileConfig, filePlace } from "./file/schema.js";
import { FileStore } from "./file/store.js";

/** Commands that an administrator of the host runs once. Options: `directory`, `stagingDirectory`, `identity`, `user`. */
function grants(options: Readonly<Record<string, string>>): string {
  const { directory, stagingDirectory, identity, user } = {
    directory: "/var/lib/rekey/live",
    stagingDirectory: "/var/lib/rekey/staging",
    identity: "/etc/rekey/age.key",
    user: "rekey",
    ...options,
  };
  return `# Folders of a file store. Read them, then run this as root on the host where Rekey's worker runs.
# The staging folder holds values that are not proven yet: only the worker's user may enter it.
install -d -o ${user} -g ${user} -m 0755 ${directory}
install -d -o ${user} -g ${user} -m 0700 ${stagingDirectory}

# With \`age\` in the estate: a key of the worker's own; its public key goes into \`recipients\`.
age-keygen -o ${identity}
chown ${user}: ${identity} && chmod 0400 ${identity}
`;
}

/** One file for each credential. */
export const file: StoreKind<typeof fileConfig, typeof filePlace> = {
  config: fileConfig,
  place: filePlace,
  create: (config, place, deps) => new FileStore(config, place, deps),
  lockKeys: (config, place) => [`file:${join(config.directory, place.path)}`],
  grants,
};

/** The kind `file`: one JSON file for each credential, plain for mounted secrets or encrypted by age. docs/kinds/file.md is its page for users. */
import { dirname, join } from "node:path";
import { RekeyError } from "../../domain/errors.js";
import type { AdapterDeps, Store, StoreKind } from "../ports.js";
import { diskPreflight } from "../shared/disk-preflight.js";
import { DiskStore } from "../shared/disk-store.js";
import { ageSealing, plainSealing } from "../shared/sealing.js";
import { LiveFile } from "./file/live.js";
import { type FileConfig, type FilePlace, fileConfig, filePlace } from "./file/schema.js";

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

function create(config: FileConfig, place: FilePlace, deps: AdapterDeps): Store {
  const age = place.protection === "age";
  if (age && config.age === undefined) {
    throw new RekeyError(
      "bad-input",
      `The place ${place.path} asks for age, and its store has no \`age\` settings.`,
    );
  }
  const sealing = age && config.age !== undefined ? ageSealing(config.age, deps) : plainSealing;
  const live = new LiveFile(config, place, sealing);
  const { path, fields } = place;
  return new DiskStore(
    config,
    {
      path,
      fields,
      live,
      preflight: (copies, readLive, call) =>
        diskPreflight("file", config, place, dirname(live.name), readLive, copies, call),
    },
    deps,
  );
}

/** One file for each credential. */
export const file: StoreKind<typeof fileConfig, typeof filePlace> = {
  config: fileConfig,
  place: filePlace,
  create,
  lockKeys: (config, place) => [`file:${join(config.directory, place.path)}`],
  grants,
};

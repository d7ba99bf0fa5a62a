/** What the estate says of a store of folders and of a place in it; the sentences are the documentation that editors show. */
import { z } from "zod";
import { diskConfig, fileOwner, filePermissions, pathBelow } from "../../shared/disk-settings.js";
import { fieldsSchema } from "../../shared/own-fields.js";

/** The settings of one tree of folders. */
export const folderConfig = diskConfig("of every staged copy; the files that consumers read are plain");

/** As a name in a mounted secret may be; two dots at its head are for what consumers do not look at. */
const fileName = /^(?!\.\.)[-._a-zA-Z0-9]+$/;

/** One folder. */
export const folderPlace = z
  .object({
    path: pathBelow().describe("Path of the folder below `directory`; each field is a file in it."),
    permissions: filePermissions().describe("Permissions of each file."),
    owner: fileOwner().describe(
      "Owner of each file; the engine's own user unless given, which needs root or CAP_CHOWN.",
    ),
    fields: fieldsSchema(),
  })
  .strict()
  .refine(({ fields }) => Object.values(fields).every((name) => fileName.test(name)), {
    path: ["fields"],
    error: "expected names of files: letters, digits, `-`, `_` and `.`, not beginning with `..`",
  });

/** The parsed settings. */
export type FolderConfig = z.output<typeof folderConfig>;

/** The parsed place. */
export type FolderPlace = z.output<typeof folderPlace>;

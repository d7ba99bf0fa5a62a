/** What the estate says of a file store and of a place in it; the sentences are the documentation that editors show. */
import { z } from "zod";
import { diskConfig, fileOwner, filePermissions, pathBelow } from "../../shared/disk-settings.js";
import { fieldsSchema } from "../../shared/own-fields.js";

/** The settings of one tree of files. */
export const fileConfig = diskConfig("of every staged copy, and of the places with `protection: age`");

/** One document. */
export const filePlace = z
  .object({
    path: pathBelow().describe("Path of the JSON document below `directory`."),
    protection: z
      .enum(["plain", "age"])
      .default("plain")
      .describe(
        "`plain`: guarded by its permissions, for secrets mounted into a consumer. `age`: encrypted.",
      ),
    permissions: filePermissions().describe(
      "Permissions of the live file; its folder and its owner decide who can reach it.",
    ),
    owner: fileOwner().describe(
      "Owner of the live file; the engine's own user unless given, which needs root or CAP_CHOWN.",
    ),
    fields: fieldsSchema(),
  })
  .strict();

/** The parsed settings. */
export type FileConfig = z.output<typeof fileConfig>;

/** The parsed place. */
export type FilePlace = z.output<typeof filePlace>;

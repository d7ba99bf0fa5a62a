/** What the estate says of a file store and of a place in it; the sentences are the documentation that editors show. */
import { z } from "zod";
import { duration } from "../../../domain/estate/duration.js";
import { secretRef } from "../../../domain/estate/secret-ref.js";
import { fieldsSchema } from "../../shared/own-fields.js";

function folder() {
  const error = "expected an absolute path without `..`";
  return z
    .string({ error })
    .regex(/^\/[^\0]+$/, { error })
    .refine((path) => !path.split("/").some((part) => part === "." || part === ".."), { error });
}

const relativeError = "expected a path below `directory`, such as orders/db.json";

const identifier = z.int().min(0).max(4_294_967_294);

/** The settings of one tree of files. */
export const fileConfig = z
  .object({
    directory: folder().describe("Folder of the live documents; must exist. Its consumers read there."),
    stagingDirectory: folder().describe(
      "Folder of values not yet proven and of old ones that going back needs; must exist with mode 0700, outside `directory`.",
    ),
    age: z
      .object({
        recipients: z
          .array(z.string().regex(/^age1[0-9a-z]+$/, { error: "expected an age recipient: age1..." }))
          .min(1)
          .describe("Public keys that documents are encrypted to; the engine's own must be among them."),
        identity: secretRef().describe(
          "Where the engine's secret key (AGE-SECRET-KEY-...) is; read anew at each use.",
        ),
      })
      .strict()
      .optional()
      .describe("Encryption by age: of every staged copy, and of the places with `protection: age`."),
    lockTimeout: duration({ positive: true })
      .default(5_000)
      .describe("Longest wait for another process that is changing the same document, such as 5s."),
  })
  .strict();

/** One document. */
export const filePlace = z
  .object({
    path: z
      .string({ error: relativeError })
      .regex(/^[^/\0]+(?:\/[^/\0]+)*$/, { error: relativeError })
      .refine((path) => !path.split("/").some((part) => part === "." || part === ".."), {
        error: relativeError,
      })
      .describe("Path of the JSON document below `directory`."),
    protection: z
      .enum(["plain", "age"])
      .default("plain")
      .describe(
        "`plain`: guarded by its permissions, for secrets mounted into a consumer. `age`: encrypted.",
      ),
    permissions: z
      .string()
      .regex(/^0[0-7]{3}$/, { error: "expected permissions such as 0400 or 0440" })
      .default("0400")
      .describe("Permissions of the live file; its folder and its owner decide who can reach it."),
    owner: z
      .object({
        uid: identifier.describe("Numeric user id."),
        gid: identifier.describe("Numeric group id."),
      })
      .strict()
      .optional()
      .describe("Owner of the live file; the engine's own user unless given, which needs root or CAP_CHOWN."),
    fields: fieldsSchema(),
  })
  .strict();

/** The parsed settings. */
export type FileConfig = z.output<typeof fileConfig>;

/** The parsed place. */
export type FilePlace = z.output<typeof filePlace>;

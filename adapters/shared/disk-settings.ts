/** What the estate says of every store on a disk; the sentences are the documentation that editors show. */
import { z } from "zod";
import { duration } from "../../domain/estate/duration.js";
import { secretRef } from "../../domain/estate/secret-ref.js";

function folder() {
  const error = "expected an absolute path without `..`";
  return z
    .string({ error })
    .regex(/^\/[^\0]+$/, { error })
    .refine((path) => !path.split("/").some((part) => part === "." || part === ".."), { error });
}

const relativeError = "expected a path below `directory`, such as orders/db.json";

const identifier = z.int().min(0).max(4_294_967_294);

/** The settings of one tree of live documents. `sealed` says what age encrypts. */
export function diskConfig(sealed: string) {
  return z
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
        .describe(`Encryption by age: ${sealed}.`),
      lockTimeout: duration({ positive: true })
        .default(5_000)
        .describe("Longest wait for another process that is changing the same document, such as 5s."),
    })
    .strict();
}

/** A path below the store's `directory`. */
export function pathBelow() {
  return z
    .string({ error: relativeError })
    .regex(/^[^/\0]+(?:\/[^/\0]+)*$/, { error: relativeError })
    .refine((path) => !path.split("/").some((part) => part === "." || part === ".."), {
      error: relativeError,
    });
}

/** Octal permissions of a live file. */
export function filePermissions() {
  return z
    .string()
    .regex(/^0[0-7]{3}$/, { error: "expected permissions such as 0400 or 0440" })
    .default("0400");
}

/** Whom a live file belongs to. */
export function fileOwner() {
  return z
    .object({
      uid: identifier.describe("Numeric user id."),
      gid: identifier.describe("Numeric group id."),
    })
    .strict()
    .optional();
}

/** The parsed settings. */
export type DiskConfig = z.output<ReturnType<typeof diskConfig>>;

/** What every place on a disk says. */
export interface DiskPlace {
  readonly path: string;
  /** What the live document is encrypted with; absent where it is always plain. */
  readonly protection?: "plain" | "age";
  readonly permissions: string;
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  readonly fields: Readonly<Record<string, string>>;
}

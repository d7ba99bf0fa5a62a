/** What the estate says of the codec's key ring, and of the keys in it. */
import { z } from "zod";
import { duration } from "../../../domain/estate/duration.js";

function absolute() {
  const error = "expected an absolute path without `..`";
  return z
    .string({ error })
    .regex(/^\/[^\0]+[^/]$/, { error })
    .refine((path) => !path.split("/").some((part) => part === "." || part === ".."), { error });
}

const slotName = () =>
  z.string().regex(/^[a-z0-9][a-z0-9-]{0,30}$/, { error: "expected a short name in small letters" });

/** One ring. */
export const configSchema = z.strictObject({
  file: absolute().describe("The ring: every key that opens, one a line. `REKEY_CODEC_KEYS` names it last."),
  lockFolder: absolute().describe(
    "Folder of the engine's own, with mode 0700, where it takes turns with its other processes.",
  ),
  permissions: z
    .string()
    .regex(/^0[0-7]{2}0$/, { error: "expected permissions such as 0600, with nothing for others" })
    .default("0600")
    .describe("Permissions of the ring; its readers are workers, servers and command lines."),
  lockTimeout: duration({ positive: true })
    .prefault("5s")
    .describe("Longest wait for another process that is changing the ring."),
});

/** The keys of the one credential that the ring is for. */
export const accountSchema = z.strictObject({
  slots: z
    .array(slotName())
    .min(2)
    .max(4)
    .prefault(["a", "b"])
    .describe("Names of the places that keys take turns in; a third one lets an emergency go on."),
  memory: duration({ positive: true })
    .prefault("15s")
    .describe(
      "Longest time for which a command line, which tells nobody, goes on with the keys that it read.",
    ),
  existing: z
    .strictObject({
      slot: slotName().describe("The slot that it counts as."),
      keyId: z
        .string()
        .regex(/^[0-9a-f]{16}$/, { error: "expected the 16 digits of a key's id" })
        .describe("Its id, which is also the `username` of its document in the store."),
    })
    .optional()
    .describe("The key that is in use before the first rotation."),
});

/** Parsed settings of the ring. */
export type KeyRingConfig = z.output<typeof configSchema>;

/** Parsed settings of the keys. */
export type KeyRingAccount = z.output<typeof accountSchema>;

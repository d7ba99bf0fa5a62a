/** What the estate says of a set of Redis servers and of an account on it. */
import { z } from "zod";
import { isUserName, serverFields, userNameExpectation } from "../../shared/redis-server.js";

/** The issuer's settings. */
export const configSchema = z.object(serverFields);

/** One account: an ACL user with room for several passwords. */
export const accountSchema = z.object({
  user: z
    .string({ error: userNameExpectation })
    .refine((name) => isUserName(name) && name !== "default", {
      error: "expected the name of an ACL user without spaces, and not the user default",
    })
    .describe("The ACL user whose passwords are rotated."),
  slots: z
    .int()
    .min(2)
    .max(9)
    .default(3)
    .describe("How many passwords it may have at once; one more than two is room for a third version."),
});

/** Parsed settings. */
export type RedisConfig = z.output<typeof configSchema>;
/** Parsed account. */
export type RedisAccount = z.output<typeof accountSchema>;

/** Names of the account's slots, in order: `orders/1`, `orders/2`. */
export function slotsOf({ user, slots }: RedisAccount): string[] {
  return Array.from({ length: slots }, (_, index) => `${user}/${index + 1}`);
}

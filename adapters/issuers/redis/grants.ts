/** What an administrator runs once on every node: the engine's own user, and the user whose passwords are rotated. */
import { randomBytes } from "node:crypto";
import { RekeyError } from "../../../domain/errors.js";
import { isUserName } from "../../shared/redis-server.js";
import { accountSchema } from "./config.js";
import { markerPiece, piecesOf } from "./records.js";

/**
 * Redis has no right that is narrower than ACL SETUSER: who may set one user's password may set everybody's. The
 * others are the least that the kind works with; nothing of the data can be read.
 */
const engineRights = [
  "+acl|setuser",
  "+acl|getuser",
  "+acl|save",
  "+acl|dryrun",
  "+acl|whoami",
  "+client|list",
  "+client|kill",
  "+config|get",
  "+config|rewrite",
  "+cluster|nodes",
  "+info",
  "+time",
];

/** The commands as text for redis-cli. `user` and `slots` prepare an account, `engine` names the engine's user. */
export function redisGrants(options: Readonly<Record<string, string>>): string {
  const { user, slots, engine = "rekey_engine", marker = randomBytes(9).toString("hex") } = options;
  if (!isUserName(engine)) throw new RekeyError("bad-input", "engine: expected the name of an ACL user.");
  const lines = [
    "# For redis-cli, once on every node: primaries and replicas alike. ACLs are not replicated.",
    "",
    "# The engine's own user. Give it a password by its SHA-256, so that no log holds it:",
    '#   printf %s "$PASSWORD" | sha256sum',
    `ACL SETUSER ${engine} reset on #<sha256 of its password> ${engineRights.join(" ")}`,
  ];
  if (user !== undefined) lines.push("", ...accountLines(user, slots, marker));
  return `${[...lines, "", "# Without an ACL file: CONFIG REWRITE", "ACL SAVE"].join("\n")}\n`;
}

function accountLines(user: string, slots: string | undefined, marker: string): string[] {
  const account = accountSchema.safeParse({ user, ...(slots === undefined ? {} : { slots: Number(slots) }) });
  if (!account.success)
    throw new RekeyError("bad-input", "expected a user that is not the default one, and 2 to 9 slots.");
  const planted = plantedPieces(account.data.slots, marker);
  return [
    `# Prepares the user ${user}: its marker, and room for ${account.data.slots} passwords. These are no passwords of`,
    "# anything: they are records in the form of hashes. Its own password stays. Use the same lines on every node;",
    "# a copy of these servers needs another marker (print them anew, and remove the old ones with !).",
    `ACL SETUSER ${user} ${planted.map((piece) => `#${piece}`).join(" ")}`,
  ];
}

/** The hashes that make a user fit for Rekey. */
export function plantedPieces(slots: number, marker: string): string[] {
  const empty = { number: 0, tag: "", hash: null };
  return [
    markerPiece(marker),
    ...Array.from({ length: slots }, (_, index) => piecesOf(index + 1, empty)).flat(),
  ];
}

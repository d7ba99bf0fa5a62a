/** Ids, apart from everything else of an installation: each command of the command line makes them, and few need the rest. */
import { randomBytes } from "node:crypto";

const idBytes = 12;

/** A fresh opaque id that nobody can guess. */
export function newId(prefix: string): string {
  return `${prefix}_${randomBytes(idBytes).toString("hex")}`;
}

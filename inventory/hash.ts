/** The hash by which what has no name of its own gets an id. */
import { createHash } from "node:crypto";

/** SHA-256 of a text, in hex. */
export function sha256Hex(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

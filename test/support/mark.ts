/** How values are marked where a test has no installation of its own. */
import { createHmac } from "node:crypto";

/** The keyed hash of a value, with a key that is known to every test. */
export function testMark(value: string): string {
  return createHmac("sha256", "the key of tests").update(value).digest("hex");
}

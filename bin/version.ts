/** Which release this is: asked for by whoever reports a fault, and told by the API. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../worker/dev/places.js";

/** The program's version, as its package says. */
export function version(): string {
  return JSON.parse(readFileSync(join(projectRoot(), "package.json"), "utf8")).version as string;
}

/**
 * Reads one piece of an estate into plain values. What a program has written plainly, as one line of JSON, is read by the JSON
 * parser, which is a hundred times faster; whatever else is in it, and whatever is wrong, is left to the reader of YAML, which
 * knows where it stands and JSON, too.
 */
import { findLiteral, knownShape } from "../../domain/estate/literals.js";
import { isMap } from "../../domain/estate/shape.js";
import { decode } from "./bytes.js";
import { guard } from "./guard.js";
import type { Spotted } from "./problem.js";
import { type Located, readTree } from "./tree.js";

/** What a piece holds, and what is wrong with its text. `root` is there where the text was read for its places. */
export interface Fragment {
  readonly value: unknown;
  readonly problems: readonly Spotted[];
  readonly secrets: readonly string[];
  readonly text: string;
  readonly root: Located | null;
}

/** Reads a piece. Never throws. */
export function readFragment(bytes: Uint8Array, isLine: boolean): Fragment {
  const decoded = decode(bytes);
  const { text } = decoded;
  if (!decoded.ok) return { value: null, problems: [decoded.problem], secrets: [], text, root: null };
  const plain = isLine ? plainJson(text) : undefined;
  if (plain !== undefined) return { value: plain, problems: [], secrets: [], text, root: null };
  const guarded = guard(text);
  if (guarded.fatal) return { value: null, problems: guarded.problems, secrets: [], text, root: null };
  const { value, root, problems, secrets } = readTree(text);
  return { value, problems: [...guarded.problems, ...problems], secrets, text, root };
}

/** Deeper than any estate. */
const depthMax = 32;

/**
 * The value of a line that is exactly what a program writes for it: then no name stands in it twice, and nothing is lost by
 * reading it. Undefined for every other one, and where it may hold a secret or a name that needs a word.
 */
function plainJson(line: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return JSON.stringify(value) === line && isMap(value) && isClean(value, [], depthMax) ? value : undefined;
}

function isClean(value: unknown, path: readonly string[], depth: number): boolean {
  if (typeof value === "string") {
    // Public keys look random.
    const isPublicKey = path[0] === "owners" && path[2] === "keys";
    return (isPublicKey ? knownShape(value) : findLiteral(value)) === undefined;
  }
  if (typeof value !== "object" || value === null) return true;
  if (depth === 0) return false;
  if (Array.isArray(value)) return value.every((item) => isClean(item, [...path, ""], depth - 1));
  return Object.entries(value).every(([name, field]) => {
    if (name === "" || name === "<<" || name === "__proto__" || findLiteral(name) !== undefined) return false;
    return isClean(field, path.length < 3 ? [...path, name] : path, depth - 1);
  });
}

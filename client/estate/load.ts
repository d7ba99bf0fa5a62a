/**
 * From `estate.yaml` to an estate, or to everything that is wrong with it, each with its place in the file.
 * What is read may be hostile or half written: nothing here throws, and nothing repeats a secret.
 */
import { createHash } from "node:crypto";
import type { EstateIssue } from "../../domain/estate/issues.js";
import type { EstateKinds } from "../../domain/estate/kinds.js";
import { parseEstate } from "../../domain/estate/parse.js";
import type { Estate } from "../../domain/estate/types.js";
import { canonical } from "../../domain/plan.js";
import { atStart, decode, readBytes } from "./bytes.js";
import { guard } from "./guard.js";
import { type EstateProblem, place, type Spotted, sourceOf } from "./problem.js";
import { type Located, readTree } from "./tree.js";

/** The estate and the digest of what it says (comments and order of names do not change it), or what is wrong. */
export type EstateResult =
  | { readonly ok: true; readonly estate: Estate; readonly digest: string }
  | { readonly ok: false; readonly problems: readonly EstateProblem[] };

/** Reads and checks a file. A file that cannot be read is a problem like any other. */
export async function loadEstate(file: string, kinds: EstateKinds): Promise<EstateResult> {
  const bytes = await readBytes(file);
  if (bytes instanceof Uint8Array) return readEstate(bytes, file, kinds);
  return { ok: false, problems: place([bytes], sourceOf(file, ""), []) };
}

/** Checks the bytes of an estate; `file` is the name that problems carry. */
export function readEstate(bytes: Uint8Array, file: string, kinds: EstateKinds): EstateResult {
  const decoded = decode(bytes);
  const { text } = decoded;
  const refuse = (problems: readonly Spotted[], secrets: readonly string[] = []): EstateResult => {
    return { ok: false, problems: place(problems, sourceOf(file, text), secrets) };
  };
  if (!decoded.ok) return refuse([decoded.problem]);
  const guarded = guard(text);
  if (guarded.fatal) return refuse(guarded.problems);
  const tree = readTree(text);
  const problems = [...guarded.problems, ...tree.problems];
  if (tree.broken) return refuse(problems, tree.secrets);
  if (tree.value === null) {
    return refuse([
      ...problems,
      atStart("empty", "there is nothing in this file", "make an estate with `rekey init`"),
    ]);
  }
  const parsed = parseEstate(tree.value, kinds);
  if (!parsed.ok) {
    // Where the text itself could not be taken as it stands, what the rules make of it is only noise.
    const known = new Set(problems.map(({ start }) => start));
    const issues = parsed.issues
      .map((issue) => spot(issue, tree.root))
      .filter(({ start }) => !known.has(start));
    return refuse([...problems, ...issues], tree.secrets);
  }
  if (problems.length > 0) return refuse(problems, tree.secrets);
  const digest = `sha256:${createHash("sha256").update(canonical(parsed.estate)).digest("hex")}`;
  return { ok: true, estate: parsed.estate, digest };
}

/** Finds the place of an issue in the text that was read: what its path leads to, or the name of the nearest thing around it. */
export function spot(issue: EstateIssue, root: Located): Spotted {
  const { at, secret, ...rest } = issue;
  let found = root;
  let depth = 0;
  for (const step of issue.path) {
    const next = found.children.get(step);
    if (next === undefined) break;
    found = next;
    depth++;
  }
  const complete = depth === issue.path.length;
  const isEmpty = found.value[0] === found.value[1];
  if (at === "key" || !complete || isEmpty) {
    const [start, end] = found.key ?? [found.value[0], found.value[0]];
    return { ...rest, start, end, show: "marked" };
  }
  const [start, end] = found.value;
  return { ...rest, start, end, show: !secret && isShowable(issue, found) ? "marked" : "around" };
}

/** Text is shown where the rules have already shown it as found; what they did not object to by itself is a name or a number. */
function isShowable({ found }: EstateIssue, { children }: Located): boolean {
  return found === undefined ? children.size === 0 : /^(?:["-]|[0-9]|true$|false$)/.test(found);
}

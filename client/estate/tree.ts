/**
 * Reads YAML into plain values and keeps, for every one of them, where it stands. It walks the parser's tree
 * itself, because the values have to be checked on the way: names given twice, merge keys, aliases that multiply.
 */
import { isAlias, isMap, isScalar, type Node, parseDocument, type YAMLMap, type YAMLSeq } from "yaml";
import type { EstatePath } from "../../domain/estate/issues.js";
import { findLiteral, knownShape } from "../../domain/estate/literals.js";
import { literalFound } from "./guard.js";
import type { Spotted } from "./problem.js";
import { syntaxProblem } from "./syntax.js";

/** Where a value stands: itself, the name before it, and what it is made of. Offsets, `end` exclusive. */
export interface Located {
  readonly value: Range;
  readonly key?: Range;
  readonly children: ReadonlyMap<string | number, Located>;
}

/** From and up to, as offsets into the text. */
type Range = readonly [start: number, end: number];

/** What was read. `broken`: the syntax is wrong, so the value is not what was meant. */
export interface Tree {
  readonly value: unknown;
  readonly root: Located;
  readonly problems: readonly Spotted[];
  /** Texts that look like secrets, be it as values or as names: nothing that is said may contain them. */
  readonly secrets: readonly string[];
  readonly broken: boolean;
}

/** Written as a comment behind a value that looks random and is no secret: an id that somebody else has generated. */
const publicMark = "not a secret";

/** How many values may come into being by aliases; a file that repeats more is an attack or a mistake. */
const repeatedMax = 10_000;

/** Reads a text that has passed the guard. Never throws. */
export function readTree(text: string): Tree {
  // Names given twice are found below: the parser's own search takes the square of their number.
  const document = parseDocument<Node>(text, {
    uniqueKeys: false,
    stringKeys: true,
    prettyErrors: false,
    resolveKnownTags: false,
  });
  const walk = new Walk();
  const { value, located } = walk.read(document.contents, [], [0, 0]);
  const syntax = document.errors.map(({ code, pos: [start, end] }) => {
    // The parser notices at the end of the file; the mistake is where the quote was opened.
    const opened = code === "MISSING_CHAR" ? walk.quoted.get(start) : undefined;
    return opened === undefined ? syntaxProblem(code, start, end) : syntaxProblem("OPEN_QUOTE", opened, end);
  });
  const problems = [...syntax, ...walk.problems];
  return { value, root: located, problems, secrets: walk.secrets, broken: syntax.length > 0 };
}

interface Read {
  readonly value: unknown;
  readonly located: Located;
}

/** One walk over one document: what it has met so far is needed to go on. */
class Walk {
  readonly problems: Spotted[] = [];
  readonly secrets: string[] = [];
  /** Starts of quoted texts by their ends. */
  readonly quoted = new Map<number, number>();
  readonly #anchors = new Map<string, Node>();
  readonly #open = new Set<Node>();
  #aliases = 0;
  #repeated = 0;

  read(node: Node | null, path: EstatePath, fallback: Range): Read {
    const range: Range = node?.range ? [node.range[0], node.range[1]] : fallback;
    if (this.#aliases > 0 && ++this.#repeated > repeatedMax) return nothing(range);
    if (node === null) return nothing(range);
    if (isAlias(node)) return this.#alias(node.source, path, range);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) {
      if (node.type?.startsWith("QUOTE")) this.quoted.set(range[1], range[0]);
      const marked = node.comment?.trim() === publicMark;
      return this.#scalar(node.value, path, range, marked);
    }
    this.#open.add(node);
    const read = isMap(node) ? this.#map(node, path, range) : this.#list(node as YAMLSeq, path, range);
    this.#open.delete(node);
    return read;
  }

  #scalar(value: unknown, path: EstatePath, range: Range, marked: boolean): Read {
    const isPublicKey = path[0] === "owners" && path[2] === "keys";
    this.#refuseLiteral(value, path, range, marked || isPublicKey);
    return { value, located: { value: range, children: new Map() } };
  }

  /** Public keys and what is marked as public may look random; only unmistakable secrets are refused there. */
  #refuseLiteral(value: unknown, path: EstatePath, [start, end]: Range, isPublic: boolean): void {
    if (typeof value !== "string" || this.#aliases > 0) return;
    const literal = isPublic ? knownShape(value) : findLiteral(value);
    if (literal === undefined) return;
    this.secrets.push(value);
    this.problems.push({ start, end, path, ...literalFound(`this looks like ${literal}`) });
  }

  #alias(name: string, path: EstatePath, range: Range): Read {
    const target = this.#anchors.get(name);
    if (target === undefined || this.#open.has(target)) {
      const message =
        target === undefined ? "this alias names nothing above it" : "this alias contains itself";
      this.#spot(range, path, "alias", message, "write the value out");
      return nothing(range);
    }
    this.#aliases++;
    const read = this.read(target, path, range);
    this.#aliases--;
    if (this.#aliases === 0 && this.#repeated > repeatedMax) {
      const message = `aliases repeat more than ${repeatedMax} values`;
      this.#spot(range, path, "too-complex", message, "write the values out, or use a policy");
      this.#repeated = 0;
    }
    return read;
  }

  #list(node: YAMLSeq, path: EstatePath, range: Range): Read {
    const children = new Map<number, Located>();
    const value = node.items.map((item, i) => {
      const read = this.read(item as Node | null, [...path, i], range);
      children.set(i, read.located);
      return read.value;
    });
    return { value, located: { value: range, children } };
  }

  #map(node: YAMLMap, path: EstatePath, range: Range): Read {
    const children = new Map<string, Located>();
    const value: Record<string, unknown> = {};
    for (const pair of node.items) {
      const key = pair.key as Node;
      const name = isScalar(key) ? key.value : undefined;
      const at: Range = key?.range ? [key.range[0], key.range[1]] : range;
      // Anything else was reported as syntax: names are text.
      if (typeof name !== "string" || name === "") continue;
      this.#refuseLiteral(name, path, at, false);
      if (this.#refuseName(name, path, at, children)) continue;
      const read = this.read(pair.value as Node | null, [...path, name], at);
      value[name] = read.value;
      children.set(name, { ...read.located, key: at });
    }
    return { value, located: { value: range, children } };
  }

  #refuseName(name: string, path: EstatePath, at: Range, known: ReadonlyMap<string, Located>): boolean {
    if (name === "<<") {
      this.#spot(
        at,
        path,
        "merge-key",
        "merge keys are not used in an estate",
        "write the fields out, or use a policy",
      );
    } else if (name === "__proto__") {
      this.#spot(at, path, "unknown-field", "this name cannot be used", "choose another name");
    } else if (known.has(name)) {
      this.#spot(
        at,
        [...path, name],
        "duplicate-key",
        "this name is used twice in one map",
        "keep one of them",
      );
    } else return false;
    return true;
  }

  #spot([start, end]: Range, path: EstatePath, code: string, message: string, hint: string): void {
    this.problems.push({ start, end, path, code, message, hint, show: "marked" });
  }
}

function nothing(range: Range): Read {
  return { value: null, located: { value: range, children: new Map() } };
}

/**
 * What an expression of GitHub Actions can come to. Which environment a job runs in, and which path it fetches, is often one: an input
 * with a list of choices, an entry of a matrix, one of two texts by a condition. All that it can be is told; what nobody can tell is.
 */
import { isMap, textOf } from "../shared/source-config.js";
import { piecesOf, type Token, tokensOf } from "./github-actions-expressions.js";

/** Stands where anything may stand; no text that is read has it. */
export const anything = "\0";

/** What a context holds under a path of names (`inputs`, `env`), each value that it may be. */
export type Lookup = (path: readonly string[]) => readonly unknown[];

/** More values, and longer ways to one, than anybody wrote. */
const [possibleMax, depthMax] = [200, 40];

/** Everything that a text with expressions can come to; a text that is all one expression may come to a list or a map. */
export function possibleOf(text: string, lookup: Lookup): unknown[] {
  const pieces = piecesOf(text);
  const [only] = pieces;
  if (pieces.length === 1 && only?.expression !== undefined) return cameTo(only.expression, lookup);
  const each = pieces.map(({ text, expression }) =>
    expression === undefined ? [text ?? ""] : cameTo(expression, lookup),
  );
  return joined(each);
}

/** The same as texts: what is no text is anything. */
export function possibleTexts(text: string, lookup: Lookup): string[] {
  return [...new Set(possibleOf(text, lookup).map(shown))];
}

function cameTo(expression: string, lookup: Lookup): unknown[] {
  const reader = new Reader(tokensOf(expression), lookup);
  const values = reader.or(0);
  return reader.isDone ? distinct(values) : [anything];
}

function shown(value: unknown): string {
  return value === null || value === undefined ? "" : (textOf(value) ?? anything);
}

function joined(each: readonly (readonly unknown[])[]): string[] {
  const all = each.reduce<string[]>(
    (heads, tails) => heads.flatMap((head) => tails.map((tail) => head + shown(tail))).slice(0, possibleMax),
    [""],
  );
  return all.length < possibleMax ? all : [anything];
}

function distinct(values: readonly unknown[]): unknown[] {
  const found = [...new Map(values.map((value) => [JSON.stringify(value ?? null), value])).values()];
  return found.length < possibleMax ? found : [anything];
}

/** What may count as false; anything may be both. */
const isFalse = (value: unknown) =>
  [null, undefined, false, 0, "", "false", anything].includes(value as string);
const isTrue = (value: unknown) => value === anything || !isFalse(value);

/** Reads the tokens of one expression, by what binds least first. Each step gives all values that it can come to. */
class Reader {
  #at = 0;

  constructor(
    readonly tokens: readonly Token[],
    readonly lookup: Lookup,
  ) {}

  get isDone(): boolean {
    return this.#at >= this.tokens.length;
  }

  or(depth: number): unknown[] {
    if (depth > depthMax) return [anything];
    let left = this.#and(depth);
    while (this.#takes("||")) {
      const right = this.#and(depth);
      left = [...left.filter(isTrue), ...(left.some(isFalse) ? right : [])];
    }
    return left;
  }

  #and(depth: number): unknown[] {
    let left = this.#compared(depth);
    while (this.#takes("&&")) {
      const right = this.#compared(depth);
      // What makes it false is of no more interest than that.
      left = [...(left.some(isFalse) ? [""] : []), ...(left.some(isTrue) ? right : [])];
    }
    return left;
  }

  #compared(depth: number): unknown[] {
    let left = this.#single(depth);
    while (this.#takes("==", "!=", "<=", ">=", "<", ">")) {
      this.#single(depth);
      left = [true, false];
    }
    return left;
  }

  #single(depth: number): unknown[] {
    if (depth > depthMax) return [anything];
    if (this.#takes("!")) {
      this.#single(depth + 1);
      return [true, false];
    }
    if (this.#takes("(")) {
      const inner = this.or(depth + 1);
      this.#takes(")");
      return this.#inside(inner, depth);
    }
    const token = this.tokens[this.#at++];
    if (token?.is === "text" || token?.is === "number") return [token.text];
    if (token?.is !== "name") return [anything];
    const word = token.text.toLowerCase();
    if (word === "true" || word === "false") return [word === "true"];
    if (word === "null") return [null];
    if (this.#takes("(")) return this.#inside(called(word, this.#parameters(depth)), depth);
    return this.#context(token.text, depth);
  }

  #parameters(depth: number): unknown[][] {
    const each: unknown[][] = [];
    while (!this.isDone && !this.#takes(")")) {
      each.push(this.or(depth + 1));
      this.#takes(",");
    }
    return each;
  }

  /** A context's value by the names behind it, as far as they are written. */
  #context(name: string, depth: number): unknown[] {
    const path = [name];
    for (let step = this.#step(); step !== null; step = this.#step()) path.push(step);
    return this.#inside([...this.lookup(path)], depth);
  }

  /** `.name` or `['name']`; null where something else comes, or a name that is computed. */
  #step(): string | null {
    const [sign, name, close] = this.tokens.slice(this.#at, this.#at + 3);
    const isDot = sign?.text === "." && name?.is === "name";
    const isIndex = sign?.text === "[" && name?.is === "text" && close?.text === "]";
    if (!isDot && !isIndex) return null;
    this.#at += isDot ? 2 : 3;
    return name?.text ?? null;
  }

  /** What is behind a value: of a list or map that is written, the entry, or each of them where which one is computed. */
  #inside(values: unknown[], depth: number): unknown[] {
    let found = values;
    for (;;) {
      const step = this.#step();
      if (step !== null) found = found.flatMap((value) => entriesOf(value, [step]));
      else if (this.#takes("[")) {
        const keys = this.or(depth + 1);
        this.#takes("]");
        found = found.flatMap((value) => entriesOf(value, keys));
      } else if (this.#takes(".")) {
        this.#at++;
        found = [anything];
      } else return distinct(found);
    }
  }

  #takes(...signs: string[]): boolean {
    const token = this.tokens[this.#at];
    if (token?.is !== "sign" || !signs.includes(token.text)) return false;
    this.#at++;
    return true;
  }
}

function entriesOf(value: unknown, keys: readonly unknown[]): unknown[] {
  if (value === anything) return [anything];
  if (!isMap(value) && !Array.isArray(value)) return [""];
  const entries = Object.entries(value);
  return keys.flatMap((key) => {
    if (key === anything) return ["", ...entries.map(([, entry]: [string, unknown]) => entry)];
    const met = entries.find(([name]) => name.toLowerCase() === shown(key).toLowerCase());
    return [met === undefined ? "" : met[1]];
  });
}

function called(name: string, given: readonly (readonly unknown[])[]): unknown[] {
  const [first = []] = given;
  switch (name) {
    case "format": {
      return first.flatMap((text) => {
        const parts = shown(text).split(/\{([0-9]+)\}/);
        return joined(
          parts.map((part, index) => (index % 2 === 0 ? [part] : (given[Number(part) + 1] ?? [""]))),
        );
      });
    }
    case "fromjson":
      return first.map(parsed);
    // Of `case(test, value, test, value, otherwise)` each value and the last.
    case "case":
      return given.flatMap((values, index) => (index % 2 === 1 || index === given.length - 1 ? values : []));
    case "contains":
    case "startswith":
    case "endswith":
    case "success":
    case "failure":
    case "always":
    case "cancelled":
      return [true, false];
    default:
      return [anything];
  }
}

function parsed(text: unknown): unknown {
  try {
    return shown(text).includes(anything) ? anything : JSON.parse(shown(text));
  } catch {
    return anything;
  }
}

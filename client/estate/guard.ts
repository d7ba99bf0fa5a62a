/**
 * Looks at a YAML text's tokens before it is parsed, because the parser needs memory by the kilobyte for each
 * of them and a stack frame for each level: some files of 2 MiB would otherwise end the process.
 */
import { CST, Lexer } from "yaml";
import { knownShape } from "../../domain/estate/literals.js";
import type { Spotted } from "./problem.js";

/** Far above what people write, far below what hurts. */
const limits = { depth: 32, indent: 200, tokens: 500_000, lines: 300_000, aliases: 100 } as const;

/** What the tokens tell: `fatal` stops the parser from being called. */
export interface Guarded {
  readonly problems: readonly Spotted[];
  readonly fatal: boolean;
}

const openers = new Set(["flow-seq-start", "flow-map-start"]);
const closers = new Set(["flow-seq-end", "flow-map-end"]);
/** Tokens that the lexer adds; they are not in the text. */
const markers = new Set<string>([CST.BOM, CST.DOCUMENT, CST.FLOW_END, CST.SCALAR]);
const layout = new Set(["space", "newline", "comment"]);
const indicators = new Set(["seq-item-ind", "explicit-key-ind", "map-value-ind"]);

/** Reads the tokens once, in memory that does not grow with the text. Never throws. */
export function guard(text: string): Guarded {
  const problems: Spotted[] = [];
  const count = { depth: 0, inLine: 0, tokens: 0, lines: 0, aliases: 0 };
  let offset = 0;
  const fatal = (message: string, hint: string): Guarded => {
    problems.push({ ...here(offset, 1), code: "too-complex", message, hint, show: "around" });
    return { problems, fatal: true };
  };
  let previous = "";
  for (const source of new Lexer().lex(text)) {
    // What follows the scalar mark is content, even where it looks like a comment or a dash.
    const type = previous === CST.SCALAR ? "scalar" : CST.tokenType(source);
    previous = source;
    if (type === null || markers.has(source)) continue;
    if (type === "newline") count.lines++;
    if (type === "newline") count.inLine = 0;
    if (!layout.has(type)) count.tokens++;
    if (openers.has(type)) count.depth++;
    if (closers.has(type)) count.depth = Math.max(0, count.depth - 1);
    if (indicators.has(type) && count.depth === 0) count.inLine++;
    if (type === "alias") count.aliases++;
    if (
      count.depth > limits.depth ||
      count.inLine > limits.depth ||
      isDeepIndent(type, source, text, offset)
    ) {
      return fatal("this is nested too deeply", `an estate is never more than ${limits.depth} levels deep`);
    }
    if (count.tokens > limits.tokens || count.lines > limits.lines) {
      return fatal("there is too much in this file", "split the estate");
    }
    if (count.aliases > limits.aliases) {
      return fatal(`there are more than ${limits.aliases} aliases`, "write the values out, or use a policy");
    }
    const refused = refusal(type, source);
    if (refused !== undefined) problems.push({ ...here(offset, source.length), ...refused });
    offset += source.length;
  }
  return { problems, fatal: false };
}

function isDeepIndent(type: string, source: string, text: string, offset: number): boolean {
  return type === "space" && source.length > limits.indent && (offset === 0 || text[offset - 1] === "\n");
}

function here(offset: number, length: number): Pick<Spotted, "start" | "end" | "path"> {
  return { start: offset, end: offset + length, path: [] };
}

/** Parts of YAML that an estate has no use for and that change what the rest means. */
function refusal(
  type: string,
  source: string,
): Pick<Spotted, "code" | "message" | "hint" | "show"> | undefined {
  if (type === "tag") {
    const hint = "remove it; what a value is follows from how it is written";
    return { code: "tag", message: "types are not written out in an estate", hint, show: "around" };
  }
  if (type === "directive-line") {
    return {
      code: "directive",
      message: "directives are not used in an estate",
      hint: "remove the line",
      show: "around",
    };
  }
  const shape = type === "comment" ? knownShape(source) : undefined;
  return shape === undefined ? undefined : literalFound(`this comment contains ${shape}`);
}

/** What is said of a value that looks like a secret, wherever it stands. */
export function literalFound(message: string): Pick<Spotted, "code" | "message" | "hint" | "show"> {
  const hint =
    "treat it as leaked: keep a new one in a store, and write env:NAME, file:/path or vault:path#key here; " +
    "an id that only looks like one is let through with `# not a secret` behind it";
  return { code: "secret-literal", message, hint, show: "nothing" };
}

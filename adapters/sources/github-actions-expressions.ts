/** The expressions of GitHub Actions, as far as they name secrets: a tokenizer, because a text may say `secrets.` and mean nothing. */

/** Names of a context in an expression (`secrets`, `vars`), and whether all of them are given away at once. */
export interface Named {
  /** In capitals, as they are compared without regard to case. */
  readonly names: readonly string[];
  /** `toJSON(secrets)`, `secrets[...]` with a name that is computed, `secrets.*`. */
  readonly all: boolean;
}

/** A piece of an expression. Two signs that belong together, such as `&&`, are one token. */
export interface Token {
  readonly is: "name" | "text" | "number" | "sign";
  readonly text: string;
}

/** The expressions in a text: what stands in each `${{ }}`. */
export function expressionsIn(text: string): string[] {
  return piecesOf(text).flatMap(({ expression }) => expression ?? []);
}

/** A text cut into its expressions, without their braces, and what stands between them. */
export function piecesOf(text: string): { readonly expression?: string; readonly text?: string }[] {
  const pieces: { expression?: string; text?: string }[] = [];
  let from = 0;
  for (let at = text.indexOf("${{"); at >= 0; ) {
    let end = at + 3;
    // Two braces inside of a text do not end it.
    for (let quoted = false; end < text.length && (quoted || !text.startsWith("}}", end)); end++) {
      if (text[end] === "'") quoted = !quoted;
    }
    if (at > from) pieces.push({ text: text.slice(from, at) });
    pieces.push({ expression: text.slice(at + 3, end) });
    from = end + 2;
    at = text.indexOf("${{", end);
  }
  if (from < text.length) pieces.push({ text: text.slice(from) });
  return pieces;
}

/** What an expression names of a context. */
export function namedOf(context: "secrets" | "vars", expression: string): Named {
  const tokens = tokensOf(expression);
  const names: string[] = [];
  let all = false;
  for (const [index, token] of tokens.entries()) {
    const isContext = token.is === "name" && token.text.toLowerCase() === context;
    if (!isContext || tokens[index - 1]?.text === ".") continue;
    const [dot, name, close] = tokens.slice(index + 1, index + 4);
    if (dot?.text === "." && name?.is === "name") names.push(name.text.toUpperCase());
    else if (dot?.text === "[" && name?.is === "text" && close?.text === "]")
      names.push(name.text.toUpperCase());
    else all = true;
  }
  return { names, all };
}

/** The tokens of an expression; what is none of them is a sign of its own. */
export function tokensOf(expression: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < expression.length; ) {
    const rest = expression.slice(at);
    const [name] = /^[A-Za-z_][A-Za-z0-9_-]*/.exec(rest) ?? [];
    const [text] = /^'(?:[^']|'')*'?/.exec(rest) ?? [];
    const [number] = /^-?[0-9][0-9a-fA-Fx.]*/.exec(rest) ?? [];
    const [sign = rest[0] ?? ""] = /^(?:&&|\|\||[=!<>]=)/.exec(rest) ?? [];
    if (name !== undefined) tokens.push({ is: "name", text: name });
    else if (text !== undefined) tokens.push({ is: "text", text: text.slice(1, -1).replaceAll("''", "'") });
    else if (number !== undefined) tokens.push({ is: "number", text: number });
    else if (sign.trim() !== "") tokens.push({ is: "sign", text: sign });
    at += (name ?? text ?? number ?? sign).length;
  }
  return tokens;
}

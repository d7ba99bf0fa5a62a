/** The expressions of GitHub Actions, as far as they name secrets: a tokenizer, because a text may say `secrets.` and mean nothing. */

/** Names of secrets in an expression, and whether all of them are given away at once. */
export interface SecretsNamed {
  readonly names: readonly string[];
  /** `toJSON(secrets)`, `secrets[...]` with a name that is computed, `secrets.*`. */
  readonly all: boolean;
}

interface Token {
  readonly is: "name" | "text" | "sign";
  readonly text: string;
}

/** The expressions in a text: what stands in each `${{ }}`. */
export function expressionsIn(text: string): string[] {
  const found: string[] = [];
  for (let at = text.indexOf("${{"); at >= 0; ) {
    let end = at + 3;
    // Two braces inside of a text do not end it.
    for (let quoted = false; end < text.length && (quoted || !text.startsWith("}}", end)); end++) {
      if (text[end] === "'") quoted = !quoted;
    }
    found.push(text.slice(at + 3, end));
    at = text.indexOf("${{", end);
  }
  return found;
}

/** What an expression says of the context `secrets`; names are in capitals, as they are compared without regard to case. */
export function secretsNamed(expression: string): SecretsNamed {
  const tokens = tokensOf(expression);
  const names: string[] = [];
  let all = false;
  for (const [index, token] of tokens.entries()) {
    const isContext = token.is === "name" && token.text.toLowerCase() === "secrets";
    if (!isContext || tokens[index - 1]?.text === ".") continue;
    const [dot, name, close] = tokens.slice(index + 1, index + 4);
    if (dot?.text === "." && name?.is === "name") names.push(name.text.toUpperCase());
    else if (dot?.text === "[" && name?.is === "text" && close?.text === "]")
      names.push(name.text.toUpperCase());
    else all = true;
  }
  return { names, all };
}

function tokensOf(expression: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < expression.length; ) {
    const rest = expression.slice(at);
    const [name] = /^[A-Za-z_][A-Za-z0-9_-]*/.exec(rest) ?? [];
    const [text] = /^'(?:[^']|'')*'?/.exec(rest) ?? [];
    if (name !== undefined) tokens.push({ is: "name", text: name });
    else if (text !== undefined) tokens.push({ is: "text", text: text.slice(1, -1).replaceAll("''", "'") });
    else if (rest[0]?.trim() !== "") tokens.push({ is: "sign", text: rest[0] ?? "" });
    at += name?.length ?? text?.length ?? 1;
  }
  return tokens;
}

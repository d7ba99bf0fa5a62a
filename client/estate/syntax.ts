/** What the YAML parser complains about, in words of ours: its own quote the file, and a quote may be a secret. */
import type { Spotted } from "./problem.js";

const sentences: Readonly<Record<string, readonly [message: string, hint: string]>> = {
  ALIAS_PROPS: ["an alias cannot carry an anchor or a type", "remove what stands before it"],
  BAD_ALIAS: ["an alias is not written like this", "quote the text if it is meant to begin with an asterisk"],
  BAD_COLLECTION_TYPE: ["this cannot be read as a list or a map", "remove the type before it"],
  BAD_DIRECTIVE: ["directives are not used in an estate", "remove the line"],
  BAD_DQ_ESCAPE: ["a backslash in double quotes begins something that does not exist", "use single quotes"],
  BAD_INDENT: ["the indentation does not fit the lines above", "align it with its neighbours"],
  BAD_PROP_ORDER: ["an anchor stands in the wrong place", "write it directly before the value"],
  BAD_SCALAR_START: ["a value cannot begin with this character", "put the value in quotes"],
  BLOCK_AS_IMPLICIT_KEY: [
    "two names with a colon stand in one line",
    "give each a line of its own, or quote the text",
  ],
  BLOCK_IN_FLOW: ["an indented list or map stands inside brackets", "write it with brackets too"],
  COMMENT_SPACE: ["a comment needs a space before its #", "add one"],
  IMPOSSIBLE: ["this cannot be read", "check the lines above"],
  KEY_OVER_1024_CHARS: ["a name is longer than 1024 characters", "is a quote or a colon missing?"],
  MISSING_CHAR: [
    "a character is missing here",
    "check quotes, brackets, commas, and the space after a colon",
  ],
  MULTILINE_IMPLICIT_KEY: ["a name runs over several lines", "is the colon or a quote missing?"],
  MULTIPLE_ANCHORS: ["a value can have one anchor only", "remove the others"],
  MULTIPLE_DOCS: ["a second document begins here", "an estate is one document: remove the line of dashes"],
  NON_STRING_KEY: ["a name has to be text", "write a plain name before the colon"],
  OPEN_QUOTE: ["a quote is opened here and never closed", "close it, or remove it"],
  RESOURCE_EXHAUSTION: ["this is nested too deeply", "an estate is never this deep"],
  TAB_AS_INDENT: ["a tab is used for indentation", "use spaces"],
  UNEXPECTED_TOKEN: ["this does not belong here", "check quotes, brackets and indentation"],
};

/** A problem of syntax for an error code of the parser, or `OPEN_QUOTE`; nothing of what it says itself is used. */
export function syntaxProblem(code: string, start: number, end: number): Spotted {
  const [message, hint] = sentences[code] ?? [
    "this is not valid YAML",
    "check quotes, brackets and indentation",
  ];
  return { start, end, code: "syntax", path: [], message, hint, show: "around" };
}

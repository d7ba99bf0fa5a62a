/** Colour, where it is wanted: on a terminal that shows it to somebody who did not switch it off (no-color.org). */
import { styleText } from "node:util";
import type { Io, Output } from "../deps.js";

/** What a piece of text means; how that looks is decided here and nowhere else. */
type Tone = "good" | "bad" | "warn" | "quiet" | "strong" | "name";

/** Marks a text with a tone; without colour the text as it is. */
export type Paint = (tone: Tone, text: string) => string;

const looks = {
  good: "green",
  bad: "red",
  warn: "yellow",
  quiet: "dim",
  strong: "bold",
  name: "cyan",
} as const satisfies Record<Tone, Parameters<typeof styleText>[0]>;

/** Leaves every text as it is. */
export const plain: Paint = (_tone, text) => text;

/** True when colour may be sent to this output. */
function isColourful(output: Output, env: Io["env"]): boolean {
  return output.isTTY === true && (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb";
}

/** The painter for an output. */
export function painter(output: Output, env: Io["env"]): Paint {
  if (!isColourful(output, env)) return plain;
  return (tone, text) => (text === "" ? "" : styleText(looks[tone], text, { validateStream: false }));
}

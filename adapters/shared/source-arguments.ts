/** The arguments of a command, as a file of configuration writes it: a list of words or one text, with each option's value at its name. */
import { secretName } from "./source-values.js";

/** An option with its value, or a word that is none (`name` is null). `index` is the word of the list in which its value stands. */
export interface Argument {
  readonly name: string | null;
  readonly text: string;
  readonly index: number;
}

/**
 * Every word of a list. An option that is called like a secret has its value behind an equals sign or in the next word, also where
 * the words stand in one text, as behind `sh -c`; of those the options alone are given besides the text itself.
 */
export function argumentsIn(words: readonly string[]): Argument[] {
  const found: Argument[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    const [, named, value] = /^-{0,2}([A-Za-z][\w.-]*)=([\s\S]*)$/.exec(word) ?? [];
    if (named !== undefined && value !== undefined && !isCommand(word, value)) {
      found.push({ name: named, text: value, index });
      continue;
    }
    const [, option = ""] = /^-{1,2}([A-Za-z][\w.-]*)$/.exec(word) ?? [];
    const next = words[index + 1];
    if (secretName(option) !== null && next !== undefined && isValue(next)) {
      found.push({ name: option, text: next, index: ++index });
      continue;
    }
    found.push({ name: null, text: word, index });
    if (!/\s/.test(word)) continue;
    for (const { name, text } of argumentsIn(shellWords(word)))
      if (name !== null) found.push({ name, text, index });
  }
  return found;
}

/** `NAME=value program --option`: no value of one option. A value with white space in it stands in quotes, or in a list. */
const isCommand = (word: string, value: string): boolean => /\s/.test(value) && !word.startsWith("-");

/** No other option, no operator of a shell, and none of the settings that `--secret id=name` takes. */
const isValue = (word: string): boolean => !/^(?:[-;|&<>]|(?:id|type|src|source|name|env)=)/.test(word);

/** The words of a text as a shell splits it (POSIX, 2.2 Quoting): quotes and backslashes are taken off, operators stand alone. */
function shellWords(text: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  for (const [part, single, double, escaped, operator, space, plain] of text.matchAll(
    /'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([;|&<>]+)|(\s+)|([\s\S])/g,
  )) {
    if (space !== undefined || operator !== undefined) {
      if (word !== null) words.push(word);
      if (operator !== undefined) words.push(part);
      word = null;
      continue;
    }
    word = `${word ?? ""}${single ?? double?.replace(/\\([$`"\\\n])/g, "$1") ?? escaped ?? plain ?? ""}`;
  }
  return word === null ? words : [...words, word];
}

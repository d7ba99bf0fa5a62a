/** Names in command lines that somebody copies: nearly every name that a source has given has spaces in it. */

/** The text as one word for a shell of POSIX: as it is where no shell finds anything in it, else in quotes. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) && !text.startsWith("-") ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Words of a command line that somebody copies into a shell. */

/** The word as a POSIX shell reads it: as it is where that is safe, in single quotes otherwise. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

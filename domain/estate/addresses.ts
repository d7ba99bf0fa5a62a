/**
 * The addresses in a text, `scheme://user:password@host/path?query`, with where in them a secret may stand. People write passwords
 * into them as they are, and not encoded as RFC 3986 (section 3.2.1) asks, so a password may have in it whatever ends one.
 */

/** An address in a text, by offsets in UTF-16 units. Of a part that it does not have, both ends are the same. */
export interface Address {
  readonly from: number;
  readonly until: number;
  /** User name and password, without the `@` behind them. */
  readonly userFrom: number;
  readonly userUntil: number;
  /** Where the password begins, behind the colon; `userUntil` where there is none. */
  readonly passwordFrom: number;
  /** The query and whatever is behind it, without the question mark. */
  readonly queryFrom: number;
}

/** A path that was put in order has one slash less. */
const beginning = /(?:https?:\/|[a-z][a-z0-9+.-]{0,30}:\/\/)\/*/gi;

/** In their paths and queries an `@` is common; in those of databases and brokers it belongs to the password. */
const web = /^(?:[a-z]+\+)?(?:https?|wss?|ssh|git|s?ftp):/i;

/** Names of sessions are cut at 63 characters by the servers that have the shortest; a password may be cut with them. */
const cutLengthMin = 60;

/** Every address in the text, in its order. */
export function addressesIn(text: string): Address[] {
  if (!text.includes(":/")) return [];
  const begun = [...text.matchAll(beginning)];
  return begun.map(({ 0: scheme, index: from }, number) => {
    const end = endOf(text, from, begun[number + 1]?.index ?? text.length);
    const userFrom = from + scheme.length;
    const rest = text.slice(userFrom, end);
    const length = userLength(rest, web.test(scheme), end === text.length && end >= cutLengthMin);
    const userUntil = userFrom + length;
    const colon = rest.slice(0, length).indexOf(":");
    const stop = text.slice(userUntil, end).search(/["'`<>]/);
    const until = stop < 0 ? end : userUntil + stop;
    const query = text.slice(userUntil, until).indexOf("?");
    return {
      ...{ from, until, userFrom, userUntil },
      passwordFrom: colon < 0 ? userUntil : userFrom + colon + 1,
      queryFrom: query < 0 ? until : userUntil + query + 1,
    };
  });
}

/** What stands in quotes ends with them; anything else at white space, and where the next address begins at the latest. */
function endOf(text: string, from: number, next: number): number {
  const [, quote = " "] = /(["'`])(?:[a-z]+:)?$/i.exec(text.slice(Math.max(0, from - 20), from)) ?? [];
  const ends = [text.slice(from, next).search(/\s/), text.slice(from, next).indexOf(quote)];
  return Math.min(next, ...ends.filter((at) => at >= 0).map((at) => from + at));
}

/** How much of what is behind `scheme://` is a user. `isCut`: the text may go on where it is not known any more. */
function userLength(rest: string, isWeb: boolean, isCut: boolean): number {
  const end = rest.search(/[/?#]/);
  const authority = end < 0 ? rest : rest.slice(0, end);
  const at = authority.lastIndexOf("@");
  if (at >= 0 && isWeb) return at;
  const colon = authority.indexOf(":");
  if (at < 0 && (colon < 0 || isPort(authority.slice(colon + 1), end < 0 ? "" : rest.charAt(end)))) return 0;
  const last = lastAt(rest);
  // `image:tag@sha256:...` is no user of an image.
  if (last >= 0) return /^@sha[0-9]+:/.test(rest.slice(last)) ? 0 : last;
  return isCut && end < 0 ? rest.length : 0;
}

/** A port, or what stands for one. */
const isPort = (text: string, next: string): boolean =>
  (/^[0-9]{0,5}$/.test(text) && next !== "#") || /^(?:\$|\{\{|<|%)/.test(text);

/** The last `@` in front of a query, which only counts as one behind an `@`: otherwise it is a question mark in a password. */
function lastAt(rest: string): number {
  const query = /@[^@]*?\?[\w.-]+=/.exec(rest);
  return rest.lastIndexOf("@", query === null ? rest.length : query.index);
}

/** The passwords in addresses, in headers and in connection strings, decoded, so that the same one alone elsewhere has the same hash. */
import { addressesIn } from "../../domain/estate/addresses.js";

/** Names of what holds a password in an address's query or in a list of settings. */
const passwordSetting =
  /^(?:password|passwd|pwd|passphrase|sslpassword|secret|token|api[_-]?key|accountkey|sharedaccesskey)$/i;

/** A password, and what it stands in, in words. */
export interface Inside {
  readonly as: string;
  readonly value: string;
}

/** Every password inside of the text, as it is used: decoded where the address encodes it. */
export function passwordsInside(text: string): Inside[] {
  const addresses = addressesIn(text);
  const found = addresses.flatMap(({ passwordFrom, userUntil, queryFrom, until }) =>
    [
      // What was cut in the middle is no value.
      text.charAt(userUntil) === "@" ? decoded(text.slice(passwordFrom, userUntil)) : "",
      ...[...new URLSearchParams(text.slice(queryFrom, until))].flatMap(([name, value]) =>
        passwordSetting.test(name) ? value : [],
      ),
    ].map((value) => ({ as: "an address with a password in it", value })),
  );
  // Around them, or there would be words of addresses among the words.
  let rest = text;
  for (const { from, until } of addresses.toReversed()) rest = `${rest.slice(0, from)} ${rest.slice(until)}`;
  for (const word of rest.split(/\s+/)) {
    // As Go's driver for MySQL has it: `user:password@tcp(host:3306)/name`.
    const [, value = ""] = /^["'`]?[^:@/\s]{1,100}:([^\s]{1,200})@(?:tcp|unix)6?\(/.exec(word) ?? [];
    found.push({ as: "an address with a password in it", value });
  }
  for (const [, scheme = "", given = ""] of rest.matchAll(authorization)) {
    found.push({ as: "a token of a header", value: tokenOf(scheme, given, text) });
  }
  if (addresses.length === 0)
    for (const [name, value] of settingsOf(text)) {
      if (passwordSetting.test(name)) found.push({ as: "a connection string with a password in it", value });
    }
  return found.filter(({ value }) => value !== "");
}

/** As in the header `Authorization` (RFC 6750, section 2.1, and RFC 7617, section 2). */
const authorization = /\b(Bearer|Basic)\s+([A-Za-z0-9._~+/-]{8,4000}={0,2})(?![^\s"'`,;)])/gi;

/** The token, or the password behind a user's name; "" for words of a sentence: `Basic authentication`. */
function tokenOf(scheme: string, given: string, text: string): string {
  if (/^basic$/i.test(scheme)) {
    const [, password = ""] =
      /^[^:\p{C}]*:([^\p{C}\uFFFD]+)$/u.exec(Buffer.from(given, "base64").toString()) ?? [];
    return password;
  }
  const isAlone = /^(?:["'`]?[\w-]+\s*[:=]\s*)?["'`]?Bearer\s+\S+$/i.test(text.trim());
  return /[0-9]/.test(given) && /[A-Za-z]/.test(given) && (isAlone || given.length >= 16) ? given : "";
}

/** Names and values of a connection string: `host=db password=...` or `Server=db;Password=...`; none of other text. */
function settingsOf(text: string): [string, string][] {
  const parts = text.includes(";") ? text.split(";") : text.split(/\s+/);
  const settings = parts
    .filter((part) => part.trim() !== "")
    .map((part): [string, string] => {
      const at = part.indexOf("=");
      return at < 1
        ? ["", ""]
        : [
            part.slice(0, at).trim(),
            part
              .slice(at + 1)
              .trim()
              .replace(/^(['"])(.*)\1$/, "$2"),
          ];
    });
  // One lone `password=...` is no connection string, and a sentence with an equals sign in it neither.
  return settings.length > 1 && settings.filter(([name]) => name !== "").length * 2 > settings.length
    ? settings
    : [];
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not encoded at all: a percent sign that is part of the password.
    return text;
  }
}

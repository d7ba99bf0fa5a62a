/**
 * Finds text that is a secret rather than the name of one. The estate is read by many and kept for ever in
 * version control, so a value that slips into it is refused at the door, and never repeated in the refusal.
 * Wrong alarms cost a person a minute, so digests, names, addresses and references are let through.
 */
import { looksRandom } from "./random-words.js";
import { isSecretRef } from "./secret-ref.js";

/** Prefixes and shapes that issuers of credentials chose so that they can be recognised. Repetitions are bounded: the text may be hostile. */
const shapes: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/, "a private key"],
  [/\bAGE-SECRET-KEY-1[0-9A-Z]{20,}/i, "a private key"],
  [/\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b/, "a cloud access key"],
  [/\bAIza[A-Za-z0-9_-]{30,}/, "a cloud access key"],
  [
    /\b(?:gh[opusr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|glpat-[A-Za-z0-9_-]{20,})/,
    "an access token",
  ],
  [/\bxox[abeoprs]-[A-Za-z0-9-]{10,}/, "an access token"],
  [/\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}/, "an access token"],
  [/\b(?:npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{40,}|hv[sbr]\.[A-Za-z0-9_-]{20,})/, "an access token"],
  [/\beyJ[A-Za-z0-9_-]{8,400}\.[A-Za-z0-9_-]{8,}/, "a signed token"],
  [/\bSCRAM-SHA-(?:1|256|512)\$[0-9]+:/, "a password verifier"],
  [
    /\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@]{0,100}:(?![${<*])[^\s/@]{1,200}@/i,
    "an address with a password in it",
  ],
  [
    /\b(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key)\s*=\s*(?![${<*]|env:|file:|vault:)([^\s&;,]{4,})/i,
    "a password",
  ],
];

/** Public by nature: they look random and may be written down. */
const harmless = [
  /\bage1[02-9ac-hj-np-z]{58}\b/g,
  /\bssh-(?:ed25519|rsa) [A-Za-z0-9+/]+={0,2}/g,
  /-----BEGIN (?:CERTIFICATE|(?:[A-Z]+ )?PUBLIC KEY)-----[\s\S]{0,8000}?-----END [A-Z ]+-----/g,
  /\bsha(?:1|224|256|384|512)[:/]{1,2}[A-Za-z0-9+/=_-]+/gi,
  /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi,
];

/** What text of a known shape is, in words; `undefined` when none is in it. Fit for comments, where prose is expected. */
export function knownShape(text: string): string | undefined {
  return shapes.find(([pattern]) => pattern.test(text))?.[1];
}

/** Behind these the secret goes on to where a word ends; a key of many lines, as far as there is text. */
const runs = shapes
  .filter(([, what]) => what !== "a cloud access key" && what !== "an address with a password in it")
  .map(([{ source, flags }, what]) => {
    const tail = what === "a private key" ? "[\\s\\S]*" : what === "a password" ? "" : "[^\\s\"'`,;&?#<>]*";
    return new RegExp(`${source}${tail}`, `${flags}g`);
  })
  .concat(/\b(?:Bearer|Basic)\s+(?=[^\s"',;]*[0-9])([A-Za-z0-9._~+/=-]{16,})/gi);

/** One of these stands in every secret of a known shape: most texts have none, and a million of them are looked at. */
const hints =
  "----- KEY-1 key-1 AIza gh glpat- xox k_live_ k_test_ npm_ pypi- hvs. hvb. hvr. eyJ SCRAM- = earer EARER asic ASIC".split(
    " ",
  );

/**
 * Where secrets of a known shape stand in the text, from the first to the last, by offsets in UTF-16 units: whole secrets, so that what
 * is around them can be shown. Addresses are left to `addressesIn`, and the ids of access keys are shown: they say which key it is.
 */
export function secretRuns(text: string): { readonly from: number; readonly until: number }[] {
  if (!hints.some((hint) => text.includes(hint))) return [];
  const found = runs
    .flatMap((pattern) => [...text.matchAll(pattern)])
    .map(({ 0: whole, 1: value = whole, index }) => {
      // The one group of a pattern is at its end.
      const from = index + whole.length - value.length;
      return { from, until: from + value.length };
    })
    .sort((one, other) => one.from - other.from);
  const apart: { from: number; until: number }[] = [];
  for (const { from, until } of found) {
    const last = apart.at(-1);
    if (last !== undefined && from < last.until) last.until = Math.max(last.until, until);
    else apart.push({ from, until });
  }
  return apart;
}

/** What the text seems to hold, in words without the text itself; `undefined` when it does not look like a secret. */
export function findLiteral(text: string): string | undefined {
  if (isSecretRef(text)) return undefined;
  const shape = knownShape(text);
  if (shape !== undefined) return shape;
  const rest = harmless.reduce((remaining, pattern) => remaining.replace(pattern, " "), text);
  return rest.split(/[^A-Za-z0-9+_-]+/).some(looksRandom) ? "a random value" : undefined;
}

/**
 * What of a setting is a secret's value, decided once for every source that meets settings. A value that is overlooked is a
 * copy that nobody rotates; a name taken for one is a wrong alarm. Nothing found here leaves this process but as a keyed hash.
 */
import { findLiteral, knownShape } from "../../domain/estate/literals.js";
import { isSecretRef } from "../../domain/estate/secret-ref.js";
import { passwordsInside } from "./source-passwords.js";

/** A value that stands in a setting. `value` is null where it is too short or too common to be told from others by its hash. */
export interface Met {
  /** What it is, in words without a character of it: `a password`, `an address with a password in it`. */
  readonly as: string;
  readonly value: string | null;
}

/** Below this a hash would be guessed, and equal values would be chance. */
const charactersMin = 8;
/** Longer texts are documents, and are looked at by their parts. */
const charactersMax = 16_384;

/** The last words of names behind which a secret stands, and what they hold. */
const secretWords: Readonly<Record<string, string>> = {
  password: "a password",
  passwd: "a password",
  passphrase: "a password",
  pwd: "a password",
  pass: "a password",
  pw: "a password",
  secret: "a secret",
  token: "a token",
  credential: "a secret",
  credentials: "a secret",
  apikey: "a key",
  accesskey: "a key",
  secretkey: "a key",
  privatekey: "a key",
  pat: "a token",
};

/** What a key has to be called so that its value is a secret; `partition key` and `primary key` hold none. */
const secretKeys = new Set(
  "access account api app auth client cookie deploy encryption hmac jwt license master private secret secrets session shared signing storage webhook".split(
    " ",
  ),
);

/** Names of settings of Redis that say nothing by their last word. */
const authorizing = new Set(["rediscli auth", "masterauth"]);

/** Names without a mark between their words, as `DBPASS`; not `compass` and `bypass`. */
const joined =
  /(?:password|passwd|passphrase|secret|apikey|authtoken|(?:db|user|root|admin|smtp|mail|ftp|ldap|sql|pg|require|master|redis)(?:pass|pwd|pw))$/;

/** Before a last word that says what, these say that only its name stands there. */
const namingWords = new Set("existing external image mount pull use".split(" "));

/** Last words of names that hold a public thing, however random it looks. */
const publicWords = new Set(
  "arn branch ca cert certificate checksum commit crt digest email enc etag file filename fingerprint hash host hostname id image integrity kid label name namespace path port public pub ref region revision rev schema sha sha1 sha256 sha512 sum tag thumbprint type url user username uuid version".split(
    " ",
  ),
);

/** Written where a value is to be put, or known to all: they are no secret of anybody. */
const placeholder =
  /^(?:x+|\*+|\.{3,}|-+|_+|todo|tbd|none|null|nil|undefined|empty|true|false|redacted|dummy|<.*>|\[.*\]|__.*__|%[A-Za-z0-9_]+%|@[A-Za-z0-9_.]+@|(?:your|enter|insert|put|some)[-_ ].*|your[-_ ]?(?:super[-_ ]?)?(?:secret|password|pass|pw|token|key|api)\b.*|your(?:secret|password|token|key).*|.*(?:change[-_ ]?(?:me|this|it)|replace[-_ ]?(?:me|this|with|default)|placeholder|redacted).*)$/i;

/** A key's frame without a key in it, as manuals show one: `...`, or a word in brackets, between its first and its last line. */
const emptyKey =
  /^-----BEGIN [A-Z0-9 ]+-----\s*(?:\.{3,}|…|<[^>]*>|\[[^\]]*\])?\s*(?:-----END [A-Z0-9 ]+-----)?$/;

/** When something was, as Argo CD keeps the time of the last change beside a password's hash. */
const time =
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?$/i;

/** So common that an equal one elsewhere means nothing. */
const common = new Set(
  "password passw0rd password1 password123 postgres postgresql mysql mariadb root admin administrator secret example default changeit guest test testing rabbitmq minioadmin wordpress 12345678 123456789 1234567890 qwertyuiop".split(
    " ",
  ),
);

/** `mysecretpassword`: as common, and yet what stands behind a name in an example that somebody runs. */
const example = /^my[-_ ]?(?:super[-_ ]?)?(?:secret|password|pass|pw|token|key|api)/i;

/** The id of a cloud's access key says which one it is and opens nothing: an identity, that stands in logs and reports. */
const keyId = /^(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}$/;

/** Words of a name as people write it: `DB_PASSWORD`, `dbPassword` and `db-password` are the same two. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
}

/** The last word that is no number: `SENTINEL_ID_0` is an id. */
function lastWord(name: string): string {
  return wordsOf(name).findLast((word) => !/^[0-9]+$/.test(word)) ?? "";
}

/** What a setting of this name holds when it holds a secret; null for every other name. */
export function secretName(name: string): string | null {
  const words = wordsOf(name);
  const last = words.at(-1) ?? "";
  const before = words.at(-2) ?? "";
  // Numbered ones, as `PASSWORD_2`.
  if (/^[0-9]+$/.test(last) && words.length > 1) return secretName(words.slice(0, -1).join(" "));
  if (last === "key" || last === "keys") return secretKeys.has(before) ? "a key" : null;
  // `SECRET_KEY_BASE` is one, and `knowledge base` none.
  if (last === "base" && before === "key") return secretName(words.slice(0, -1).join(" "));
  if (authorizing.has(words.join(" "))) return "a password";
  // `existingSecret` and `imagePullSecret` say which one: they hold a name.
  if (namingWords.has(before)) return null;
  const said = secretWords[last];
  if (said !== undefined) return said;
  return joined.test(last) ? "a secret" : null;
}

/**
 * Encrypted where it stands, so that whoever reads it has nothing: SOPS, eyaml, Datadog's agent and Jasypt (`ENC[...]`, `ENC(...)`), age
 * and PGP, git-crypt, Ansible Vault, Spring Cloud Config, and what `kubeseal` has sealed: the length of a key of RSA, 512, the key, and the rest.
 */
const encrypted =
  /\bENC\[[A-Z0-9_]+,|^ENC[[(].*[\])]$|^-----BEGIN (?:AGE ENCRYPTED FILE|PGP MESSAGE)-----|^age-encryption\.org\/v1|^\0?GITCRYPT|^\$ANSIBLE_VAULT;|^\{cipher\}|^Ag[A-D][A-Za-z0-9+/]{680,}={0,2}$/;

/** True for text in whose place something else is put: by a shell, a template, a pipeline, the engine itself, or whoever decrypts it. */
function isReference(text: string): boolean {
  return (
    isSecretRef(text) ||
    encrypted.test(text) ||
    /\$\{|\$\(|\{\{|<%|%\(|#\{/.test(text) ||
    /^\$[A-Za-z_][A-Za-z0-9_]*$/.test(text) ||
    /^(?:vault|ssm|secretsmanager|op|gcp|awssm|ref\+[a-z]+|secret):/i.test(text) ||
    /^arn:aws[a-z-]*:/.test(text)
  );
}

/** True for text that only says that a value belongs there. */
function isPlaceholder(text: string): boolean {
  const trimmed = text.trim();
  return placeholder.test(trimmed) || emptyKey.test(trimmed);
}

/** The values that stand in one setting. `name` is the setting's own, `text` everything that it holds. */
export function valuesIn(name: string, text: string): Met[] {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed.length > charactersMax || keyId.test(trimmed)) return [];
  const inside = passwordsInside(trimmed)
    .filter(({ value }) => !isReference(value) && !isPlaceholder(value))
    .map(({ as, value }) => met(as, value));
  if (inside.length > 0 || isReference(trimmed)) return inside;
  const said = secretName(name);
  const shape = knownShape(trimmed);
  if (shape !== undefined && shape !== "an address with a password in it") {
    if (isPlaceholder(trimmed)) return [];
    // In the middle of other words it is known to be there, and not where it ends. A key of many lines is one value.
    const isWhole = trimmed.startsWith("-----BEGIN") || !/\s/.test(trimmed);
    return [isWhole && shape !== "a password" ? met(shape, trimmed) : { as: shape, value: null }];
  }
  if (said !== null) return holdsSecret(trimmed) ? [met(said, trimmed)] : [];
  // Without a name that says so only what nobody would write by hand, and on its own: a sentence has no secret in it.
  if (publicWords.has(lastWord(name)) || /\s/.test(trimmed) || trimmed.length > 200) return [];
  if (/[/:@]/.test(trimmed) || isPlaceholder(trimmed)) return [];
  const random = findLiteral(trimmed);
  return random === undefined ? [] : [met(random, trimmed)];
}

/** The one value of a setting that is kept as a secret, whatever it is called: all of it, and passwords inside. */
export function valuesOfSecret(name: string, text: string): Met[] {
  const inside = valuesIn(name, text);
  const trimmed = text.trim();
  const last = lastWord(name);
  const isPublic =
    secretName(name) === null &&
    (publicWords.has(last) || /^(?:database|db|dbname|endpoint|address|project)$/.test(last));
  if (inside.length > 0 || isPublic || trimmed === "" || trimmed.length > charactersMax) return inside;
  if (keyId.test(trimmed) || time.test(trimmed)) return [];
  if (isReference(trimmed) || isPlaceholder(trimmed) || isSwitch(trimmed)) return [];
  if (/^-----BEGIN (?:CERTIFICATE|(?:[A-Z]+ )?PUBLIC KEY)-----/.test(trimmed)) return [];
  return [met("a value of a secret", trimmed)];
}

/** A text that can be a secret where a name says that one stands: no path, no switch, no number of a few digits. */
function holdsSecret(text: string): boolean {
  if (text === "" || isPlaceholder(text)) return false;
  if (/^(?:\.{0,2}\/|~\/|[A-Za-z]:\\)/.test(text) && findLiteral(text) === undefined) return false;
  if (isSwitch(text)) return false;
  return !(/\s/.test(text) && !text.startsWith("-----BEGIN") && /^(?:\p{L}+[\s,.]+)+/u.test(text));
}

/** An option of a program, or a number of a few digits. */
function isSwitch(text: string): boolean {
  return /^(?:yes|no|on|off|optional|required|auto|read|write|inherit|[0-9]{1,4}[smhd]?)$/i.test(text);
}

/** A value, or only the fact that one stands there. */
function met(as: string, value: string): Met {
  return { as, value: isTellable(value) ? value : null };
}

/**
 * Whether a value can be told from others by its hash, for configuration and for reports of scanners alike: long enough, not known to
 * all, no stand-in, and not masked or cut by whoever reported it.
 */
export function isTellable(value: string): boolean {
  return (
    value.length >= charactersMin &&
    !common.has(value.toLowerCase()) &&
    !example.test(value) &&
    !isPlaceholder(value) &&
    !isMasked(value)
  );
}

/** Replaced as a whole, or cut with dots behind it, by a scanner's own redaction. */
function isMasked(value: string): boolean {
  return value.startsWith("REDACT") || value.endsWith("...") || value.includes("****");
}

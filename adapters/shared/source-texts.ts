/**
 * The values of a text that is a setting of its own, a whole file of settings, or both: an entry of a Secret or a ConfigMap, an
 * attribute of a state, the content of a config. A copy within a file is the same copy as the value alone, and has the hash of that.
 */
import { isMap, jsonDocument } from "./source-config.js";
import { settingsOfText } from "./source-languages.js";
import { type Met, secretName, valuesIn, valuesOfSecret } from "./source-values.js";

/** How deep files are looked for in files; what lies below is looked at as the text that it is. */
const depthMax = 3;

/** The values of a text that is called `name`: the whole where that is one, and those of its settings where it is a file of them. */
export function valuesInText(name: string, text: string): Met[] {
  return inText(name, text, 0);
}

/**
 * The same of a text that is kept as a secret: the whole is one whatever it is called, and so is each field of a JSON object in it.
 * Settings of other files in it count by their names, as everywhere.
 */
export function valuesInSecretText(name: string, text: string): Met[] {
  return inSecretText(name, text, 0);
}

function inText(name: string, text: string, depth: number): Met[] {
  const whole = valuesIn(name, text);
  const inside = inSettings(name, text, depth);
  if (inside.length === 0 && !isFile(text)) return whole;
  // That something stands somewhere in a file says less than its settings do.
  return once([...whole.filter(({ value }) => value !== null), ...inside]);
}

function inSecretText(name: string, text: string, depth: number): Met[] {
  const whole = valuesOfSecret(name, text);
  const fields = inFields(text, depth);
  const inside = fields ?? inSettings(name, text, depth);
  // Fields without a value, as names, addresses and what is encrypted, make none together.
  const known = fields?.length === 0 ? [] : [...whole, ...inside].filter(({ value }) => value !== null);
  return once(known.length > 0 ? known : (fields ?? whole));
}

/** Each field of a JSON object of texts, the usual form of a secret with several; null for any other text. */
function inFields(text: string, depth: number): Met[] | null {
  if (depth >= depthMax || !text.trimStart().startsWith("{")) return null;
  const read = jsonDocument(text);
  const fields = "value" in read && isMap(read.value) ? Object.entries(read.value) : null;
  if (fields === null || fields.some(([, value]) => typeof value === "object" && value !== null)) return null;
  return fields.flatMap(([name, value]) =>
    value === null ? [] : inSecretText(name, String(value), depth + 1),
  );
}

function inSettings(name: string, text: string, depth: number): Met[] {
  if (depth >= depthMax || text.trimStart().startsWith("-----BEGIN")) return [];
  const settings = settingsOfText(name, text);
  if (!isFile(text)) {
    // One line may be a sentence, or a value with an equals sign in it: only what is called a secret counts there.
    return settings
      .filter((setting) => secretName(setting.name) !== null && /^-{0,2}\w[\w.-]*$/.test(setting.name))
      .flatMap((setting) => inText(setting.name, setting.text, depth + 1));
  }
  return [
    ...settings.flatMap((setting) => inText(setting.name, setting.text, depth + 1)),
    // An address or a connection string on a line of its own. What looks random there is the middle of something longer.
    ...text.split("\n").flatMap((line) => valuesIn("file", line).filter(({ value }) => value !== null)),
  ];
}

/** Several lines, or a document. */
function isFile(text: string): boolean {
  return text.trim().includes("\n") || /^\s*[[{]/.test(text);
}

/** Each value once, by what it was met as first; one without a hash once for all that it was met as. */
function once(met: readonly Met[]): Met[] {
  const values = new Set<string>();
  return met.filter(({ as, value }) => {
    const key = value === null ? `as ${as}` : `is ${value}`;
    const isNew = !values.has(key);
    values.add(key);
    return isNew;
  });
}

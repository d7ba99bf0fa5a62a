/**
 * What of a text that somebody has pasted may be a secret's value: all of it, and what the sources would meet in it. What leaks is an
 * address, a line of a file or a document as often as a bare password, and the same value elsewhere has the hash of the value alone.
 */
import { settingsOfText } from "./source-languages.js";
import { valuesInSecretText } from "./source-texts.js";
import { isTellable, type Met, valuesIn } from "./source-values.js";

/** All of the text first, then what stands in it, each value once. Whoever looks for it says that it is secret, whatever its setting is called. */
export function valuesPasted(text: string): Met[] {
  const inside = [
    ...valuesIn("", text),
    ...settingsOfText("", text).flatMap((setting) => {
      const met = valuesInSecretText(setting.name, setting.text);
      return met.length === 0 ? [] : [...met, asWhole("the value of a setting", setting.text)];
    }),
  ];
  const values = new Set([text]);
  const others = inside.filter(({ value }) => {
    const isNew = value === null || !values.has(value);
    if (value !== null) values.add(value);
    return isNew;
  });
  return [asWhole("all of it", text), ...others];
}

function asWhole(as: string, text: string): Met {
  return { as, value: isTellable(text) ? text : null };
}

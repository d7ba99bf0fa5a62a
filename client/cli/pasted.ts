/** What somebody has pasted, as the keyed hashes of all that may be a value in it: no value leaves this file. */
import type { Secret } from "../../domain/secret.js";
import type { Cli } from "./cli.js";
import type { Services } from "./deps.js";
import { readValue } from "./files.js";

/** Keyed hashes of a text. */
export interface Pasted {
  readonly whole: string;
  /** All of it can be told from others by that. */
  readonly isTellable: boolean;
  /** Of what stands in it and can be told from others: the password in an address, for instance. */
  readonly inside: readonly string[];
  /** What that is, in words, each once. */
  readonly as: readonly string[];
  /** What stands in it and is too short, or too common, to be told from others. */
  readonly leftOut: readonly string[];
}

/** Reads a text by `--value-from` (`readValue`), and hashes it. The values are cleared before it answers. */
export async function pastedFrom(cli: Cli, services: Services, source: string): Promise<Pasted> {
  const text = await readValue(cli.io, source);
  try {
    return await hashed(services, text);
  } finally {
    text.clear();
  }
}

async function hashed(services: Services, text: Secret): Promise<Pasted> {
  const met = services.valuesIn(text);
  const [all, ...others] = met;
  try {
    const whole = await services.fingerprint(text);
    const inside: string[] = [];
    for (const { value } of others) if (value !== null) inside.push(await services.fingerprint(value));
    const words = (isTold: boolean) => [
      ...new Set(others.filter(({ value }) => (value !== null) === isTold).map(({ as }) => as)),
    ];
    return { whole, isTellable: all?.value !== null, inside, as: words(true), leftOut: words(false) };
  } finally {
    for (const { value } of met) value?.clear();
  }
}

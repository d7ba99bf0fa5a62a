/** Documents as the engine writes them, and a store in memory to load them from. */
import { type Load, parseCredential } from "../../kit/index.js";
import { attestKey } from "../support/engine.js";

/** Keys by version, so that a test can compute what an answer has to be. */
export const keys: Readonly<Record<string, string>> = { v1: attestKey(), v2: attestKey(), v3: attestKey() };

/** A document of a version, with the engine's own fields. */
export function documentOf(version: string, fields: object = {}): Record<string, string> {
  return {
    username: version === "v2" ? "orders_b" : "orders_a",
    password: `canary-value-of-${version}`,
    rekey_version: version,
    rekey_attest_key: keys[version] ?? "",
    rekey_tag: `tag of ${version}`,
    ...fields,
  };
}

/** A store whose content and faults the test sets. */
export class MemoryStore {
  document: unknown = documentOf("v1");
  /** Set: reading fails with this. */
  fault: Error | null = null;
  /** Set: reading waits for this. */
  gate: Promise<unknown> | null = null;
  reads = 0;

  readonly load: Load = async () => {
    this.reads++;
    const { document, fault } = this;
    await this.gate;
    if (fault) throw fault;
    return parseCredential(document);
  };

  put(version: string, fields: object = {}): void {
    this.document = documentOf(version, fields);
  }
}

/** A store's failure that says too much, as drivers and servers do. */
export const talkative = new Error("permission denied for canary-value-of-v1");

/** What the contract suite of the issuers needs besides the port: consumers' own connections, and hands that know nothing of fences. */
import { inspect } from "node:util";
import { expect } from "vitest";
import type { Call, FencedChange, Issuer, SecretDocument } from "../../../adapters/ports.js";
import { RekeyError } from "../../../domain/errors.js";
import { type FenceTag, formatTag } from "../../../domain/fence.js";
import { Secret } from "../../../domain/secret.js";

/** A consumer's open connection. */
export interface OpenSession {
  /** True while the server still answers on it. */
  alive(): Promise<boolean>;
  /** The holder of the session gives the login another value, where the server lets them (H12). */
  setOwnValue(value: string): Promise<void>;
  close(): Promise<void>;
}

/** One account at one issuer, fresh for each test: one slot or two, switched off and without a tag. */
export interface IssuerWorld {
  readonly slots: readonly [string, string?];
  /** Another instance for the same account, as another process of the engine would have it. */
  open(): Issuer;
  /** An instance that was pointed at a copy of the server (H9). */
  openClone(): Promise<Issuer>;
  /** An instance that nobody answers. */
  openUnreachable(): Issuer;
  /** Logs in as a consumer does; `null` when the server refuses. */
  connect(username: string, password: string): Promise<OpenSession | null>;
  /** Somebody with rights of their own writes a text where the tag stands. */
  overwriteTag(slot: string, text: string): Promise<void>;
  /** True while the account exists at the server, switched off or not (H36). */
  exists(slot: string): Promise<boolean>;
  /** A document that the server does not know, where another value of the slot's account would be no proof of a refusal. */
  unknown?(document: SecretDocument): SecretDocument;
  dispose(): Promise<void>;
}

/** A call that ends after `ms`. */
export function call(ms = 20_000): Call {
  return { signal: AbortSignal.timeout(ms) };
}

/** A tag of the test's installation; `change` makes it unique. */
export function tag(version: string, change: number, more: Partial<FenceTag> = {}): FenceTag {
  return { installation: "here", rotation: "r1", epoch: 1, version, state: "enabled", change, ...more };
}

/** A change of `slot` from the tag that is expected (none for `null`) to another. */
export function changeOf(
  slot: string,
  expected: FenceTag | null,
  next: FenceTag,
  identity: string | null = null,
): FencedChange {
  return { slot, expect: expected === null ? "" : formatTag(expected), tag: next, identity };
}

/** The user name of a document. */
export function usernameOf(document: SecretDocument): string {
  return document.username?.reveal() ?? "";
}

/** The value of a document's password. */
export function passwordOf(document: SecretDocument): string {
  return document.password?.reveal() ?? "";
}

/** A document like this one of which the slot's value is another: a fresh one, or where the issuer makes values one of nobody's. */
export function anotherValue(issuer: Issuer, slot: string, document: SecretDocument): SecretDocument {
  return issuer.traits.valueBy === "engine"
    ? issuer.generate(slot)
    : { ...document, password: new Secret("a-value-that-nobody-made") };
}

/** The code of the `RekeyError` that the work ends with; fails when it succeeds, throws another error, or shows one of the values. */
export async function codeOf(work: Promise<unknown>, ...values: string[]): Promise<string> {
  const error = await work.then(
    (result) => `succeeded with ${inspect(result)}`,
    (reason: unknown) => reason,
  );
  if (!(error instanceof RekeyError)) throw new Error(`not a RekeyError: ${inspect(error)}`);
  for (const value of values) {
    expect(inspect(error, { depth: 12, showHidden: true })).not.toContain(value);
    expect(JSON.stringify(error)).not.toContain(value);
  }
  return error.code;
}

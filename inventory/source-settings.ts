/** How a source is read, as a digest: what was read by other settings says nothing of what it is set to now. */
import type { SourceConfig } from "../domain/estate/types.js";
import { canonical } from "../domain/plan.js";
import { sha256Hex } from "./hash.js";
import type { Body } from "./submission.js";

/** The settings that the kind has, without what the estate says of every source: who answers for it, how often it is read, and how late it may be. */
export function settingsOf(body: Body): { readonly kind: string; readonly settings: Body } {
  const {
    kind,
    owner: _owner,
    every: _every,
    deliveredWithin: _deliveredWithin,
    exceptions: _exceptions,
    ...settings
  } = body as unknown as SourceConfig;
  return { kind, settings };
}

/** Digest of kind and settings of an entry. */
export function settingsDigest(body: Body): string {
  const { kind, settings } = settingsOf(body);
  return sha256Hex(canonical({ kind, ...settings }));
}

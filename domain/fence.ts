/**
 * Fence tags: the text that is written at the issuer and in the store in the same call as a change, so that
 * a late write, an old epoch or a foreign installation is recognised and changes nothing (H3, H8).
 */

/** Where a version stands at its issuer, as the tag says it. */
export type TagState = "enabled" | "disabled" | "destroyed";

/**
 * Who made the last change and what it was. `change` is the number of the step's intent: it makes every tag
 * unique, so a compare-and-set can never be fooled by a state that came back (A, B, A).
 */
export interface FenceTag {
  readonly installation: string;
  readonly rotation: string;
  readonly epoch: number;
  readonly version: string;
  readonly state: TagState;
  readonly change: number;
}

const shape =
  /^rekey\/1 inst=([\w-]+) rotation=([\w-]+) epoch=(\d{1,15}) version=([\w-]+) state=(enabled|disabled|destroyed) change=(\d{1,15})$/;

/** The one textual form of a tag. It is readable by everybody at the issuer and holds no secret. */
export function formatTag(tag: FenceTag): string {
  return `rekey/1 inst=${tag.installation} rotation=${tag.rotation} epoch=${tag.epoch} version=${tag.version} state=${tag.state} change=${tag.change}`;
}

/** The tag in a text, or `null` where the text is none of ours (empty, or a comment that somebody wrote). */
export function parseTag(text: string | null | undefined): FenceTag | null {
  const match = shape.exec(text ?? "");
  if (!match) return null;
  const [, installation = "", rotation = "", epoch = "", version = "", state = "", change = ""] = match;
  return {
    installation,
    rotation,
    epoch: Number(epoch),
    version,
    state: state as TagState,
    change: Number(change),
  };
}

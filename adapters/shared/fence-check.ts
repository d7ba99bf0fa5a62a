/** What is looked at before a fenced change, whatever the kind: whose tag stands there, and whether it is the expected one. */
import { RekeyError } from "../../domain/errors.js";
import { formatTag, parseTag } from "../../domain/fence.js";
import type { FencedChange } from "../ports.js";

/** A tag of another installation refuses, also where the change expects it (H8). */
export function refuseForeign({ slot, expect, tag }: FencedChange, found: string): void {
  for (const text of [expect, found]) {
    const theirs = parseTag(text);
    if (theirs && theirs.installation !== tag.installation)
      throw new RekeyError("foreign-installation", `${slot} carries a tag of ${theirs.installation}.`);
  }
}

/** True where an earlier attempt has made the change. Throws `fenced` and `foreign-installation` where it must not be made (H3). */
export function isMade(change: FencedChange, found: string): boolean {
  refuseForeign(change, found);
  if (found === formatTag(change.tag)) return true;
  if (found === change.expect) return false;
  throw new RekeyError("fenced", `${change.slot} carries another tag than the expected one.`);
}

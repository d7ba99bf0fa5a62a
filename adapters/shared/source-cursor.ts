/** A cursor that a source cannot read: of another release, or of another program. */
import { RekeyError } from "../../domain/errors.js";

/** Says so, and the way out. */
export function unreadableCursor(): RekeyError {
  return new RekeyError(
    "bad-input",
    "How far this source was read cannot be told: its cursor is none that this release reads. `rekey discover` with its name and `--anew` reads it from its beginning.",
  );
}

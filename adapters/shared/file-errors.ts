/** What a file system's refusals mean to the engine: "not there", "cannot be reached" and "not allowed" are three things. */
import { dirname } from "node:path";
import { RekeyError } from "../../domain/errors.js";

/** The system's name of an error (`ENOENT`), `""` for any other. */
export function causeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}

/** The error for people; `path` names the place, `folder` what has to be there for it. An error of ours stays as it is. */
export function translated(error: unknown, path: string, folder = dirname(path)): RekeyError {
  if (error instanceof RekeyError) return error;
  switch (causeOf(error)) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new RekeyError("not-permitted", `The engine's user may not use ${path}.`);
    case "ELOOP":
      return new RekeyError("unsupported", `${path} is a symbolic link, which could lead anywhere.`);
    case "ENOTDIR":
    case "EISDIR":
      return new RekeyError(
        "unsupported",
        `${path} is not what the estate says: a file where a folder should be, or the reverse.`,
      );
    case "ENOENT":
      return new RekeyError("unreachable", `The folder ${folder} is not there; is it mounted?`);
    case "ENOSPC":
    case "EDQUOT":
      return new RekeyError("unreachable", `There is no space left for ${path}; nothing was changed.`);
    default:
      return new RekeyError("unreachable", `${path} cannot be used now.`);
  }
}

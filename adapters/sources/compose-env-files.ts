/** Files of variables that a service is given: each secret in them where the file is in the folder, otherwise the file. */
import type { ReaderThing } from "../../domain/discovery/said.js";
import { mapOf, named } from "../shared/source-config.js";
import { envLines } from "../shared/source-dotenv.js";
import { location, type Says, told } from "../shared/source-says.js";
import { secretName, valuesIn } from "../shared/source-values.js";
import { type ComposeFile, fileAt, notKnown, pathOf, pathWith, saysInterpolated } from "./compose-file.js";

/** `env_file` of a service: one, or a list of paths and of maps. */
export async function saysEnvFiles(
  reader: ReaderThing,
  file: ComposeFile,
  service: string,
  given: unknown,
  says: Says,
): Promise<void> {
  for (const entry of [given].flat()) {
    const written = named(entry) ?? named(mapOf(entry).path);
    if (written === null) continue;
    const path = pathWith(file, written);
    const sentence = `services.${service}.env_file of ${file.path} names ${told(written)}`;
    const at = pathOf(file, path);
    const found = at === null ? null : await file.all.beside(at);
    // What is there by a name is called by it, however odd that is.
    const whole = at === null || found === null ? fileAt(file, path) : location(file.all.repository, at);
    says.declared(reader, "uses", whole, sentence);
    if (found === null || "why" in found) {
      says.gaps.push(notKnown(sentence, found));
      continue;
    }
    const isRaw = named(mapOf(entry).format) === "raw";
    for (const { name, path: setting, text } of isRaw
      ? rawLines(found.text)
      : envLines(found.text).settings) {
      const met = valuesIn(name, text);
      const where = `${setting} of ${whole.path}`;
      if (!isRaw) saysInterpolated(reader, file, { text, name, sentence: where }, says);
      if (secretName(name) === null && met.length === 0) continue;
      const set = location(whole.scope, `${whole.path}#${setting}`);
      says.declared(reader, "uses", set, sentence);
      says.copy(set, met, true, where);
    }
  }
}

/** As they stand there: quotes are part of a value. */
function rawLines(text: string): { readonly name: string; readonly path: string; readonly text: string }[] {
  return text.split("\n").flatMap((line) => {
    const [, name, value = ""] = /^\s*([A-Za-z_][A-Za-z0-9_.-]*)=(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [{ name, path: name, text: value }];
  });
}

/** The top level of a compose file: where each secret and each config is filled from. */
import { isMap, mapOf, named, textOf } from "../shared/source-config.js";
import { metInText, saysHeld, secretPath } from "../shared/source-held.js";
import { location, type Says } from "../shared/source-says.js";
import { interpolated } from "../shared/source-variables.js";
import {
  type ComposeFile,
  configAt,
  fileAt,
  heldAt,
  mayHoldSecret,
  notKnown,
  pathOf,
  pathWith,
  saysInterpolated,
  saysSecretFile,
  saysVariable,
  secretAt,
} from "./compose-file.js";

/** Secrets and configs. */
export async function saysTop(file: ComposeFile, says: Says): Promise<void> {
  for (const [name, body] of Object.entries(mapOf(file.top.secrets)))
    await saysSecret(file, name, mapOf(body), says);
  for (const [name, body] of Object.entries(mapOf(file.top.configs)))
    file.configs.set(name, await saysConfig(file, name, mapOf(body), says));
}

type Body = Readonly<Record<string, unknown>>;

async function saysSecret(file: ComposeFile, name: string, body: Body, says: Says): Promise<void> {
  const at = secretAt(file, name);
  const where = `secrets.${name} of ${file.path}`;
  const from = named(body.file);
  if (from !== null) {
    const path = pathWith(file, from);
    const sentence = `${where} is filled from a file`;
    says.declared(at, "depends-on", fileAt(file, path), sentence);
    await saysSecretFile(file, path, sentence, says);
  }
  const environment = named(body.environment);
  if (environment !== null) saysVariable(at, file, environment, `${where} is filled from a variable`, says);
  const outside = externalName(body, name);
  if (outside !== null)
    says.declared(
      at,
      "depends-on",
      location("docker secrets", outside),
      `${where} is a secret of the platform`,
    );
}

/** A config of the project; true where a secret may stand in it. */
async function saysConfig(file: ComposeFile, name: string, body: Body, says: Says): Promise<boolean> {
  const at = configAt(file, name);
  const where = `configs.${name} of ${file.path}`;
  const content = textOf(body.content);
  let holds = false;
  if (content !== null) {
    const text = location(file.all.repository, `${file.path}#configs.${name}.content`);
    const sentence = `configs.${name}.content of ${file.path}`;
    const met = metInText(name, content);
    if (met.length > 0) says.declared(at, "depends-on", text, `${sentence} holds ${met[0]?.as}`);
    says.copy(text, met, true, sentence);
    saysInterpolated(at, file, { text: content, name: "", sentence }, says);
    holds = met.length > 0 || interpolated(content).some((variable) => mayHoldSecret(file, variable));
  }
  const from = named(body.file);
  if (from !== null) {
    const path = pathWith(file, from);
    const inside = pathOf(file, path);
    const found = inside === null ? null : await heldAt(inside, file.all, false);
    const isKnown = inside !== null && found !== null && !("why" in found);
    if (isKnown) saysHeld(file.all.repository, inside, found.held, says);
    else says.gaps.push(notKnown(`${where} is filled from a file`, found));
    if (!isKnown || found.held.length > 0 || secretPath(path)) {
      says.declared(at, "depends-on", fileAt(file, path), `${where} is filled from a file`);
      holds = true;
    }
  }
  const environment = named(body.environment);
  if (environment !== null && mayHoldSecret(file, environment)) {
    saysVariable(at, file, environment, `${where} is filled from a variable`, says);
    holds = true;
  }
  const outside = externalName(body, name);
  if (outside !== null) {
    says.declared(
      at,
      "depends-on",
      location("docker configs", outside),
      `${where} is a config of the platform`,
    );
    says.gaps.push(`${where} is a config of the platform, whose content is not known.`);
    holds = true;
  }
  return holds;
}

/** What the platform calls it; null where the file fills it. */
function externalName({ external, name: outside }: Body, name: string): string | null {
  if (!isMap(external) && textOf(external) !== "true") return null;
  return named(mapOf(external).name) ?? named(outside) ?? name;
}

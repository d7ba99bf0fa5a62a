/** Files and folders that a service is given as they are: it reads whatever stands in them, as from a secret of its own. */
import type { ReaderThing } from "../../domain/discovery/said.js";
import { listOf, mapOf, named } from "../shared/source-config.js";
import { noFile, notText } from "../shared/source-files.js";
import { saysHeld, secretPath, settingsPath } from "../shared/source-held.js";
import { location, type Says, told } from "../shared/source-says.js";
import { type ComposeFile, fileAt, heldAt, notKnown, pathOf, pathWith } from "./compose-file.js";

/** A file or a folder of the host, and where the service has it; null where that is not said. */
interface Mount {
  readonly source: string;
  readonly target: string | null;
}

/** Files of one mounted folder that are looked into; a repository with more of them is told as not whole. */
const filesMax = 5_000;

/** On every host, and no secret of anybody: devices, sockets, zones, certificates that all may know. */
const ofEveryHost =
  /^\/(?:dev|proc|sys|tmp|boot)(?:\/|$)|\.sock$|^\/(?:var\/)?run(?:\/(?:docker|dbus|udev|systemd|utmp)\b.*)?$|^\/etc\/(?:localtime|timezone|machine-id|hostname|hosts|resolv\.conf|os-release|passwd|group)$|^\/(?:usr\/)?lib\/modules|^\/usr\/(?:src|share\/(?:zoneinfo|ca-certificates|fonts))(?:\/|$)|^\/etc\/(?:ssl|pki)\/(?:certs|ca-trust)|^\/(?:usr\/local\/share|etc)\/ca-certificates|^\/var\/(?:log|lib\/docker)(?:\/|$)|^\/$/;

/** Called so by what a program keeps there itself, as a database its tables. */
const ownData =
  /(?:^|\/)(?:[\w.-]*data|db|logs?|tmp|cache|caches|dumps?|backups?|uploads?|media|volumes?|node_modules|dist|build|target)\/?$/i;

/** Why there is no text where no settings can be. */
const noSettings: ReadonlySet<string> = new Set([notText, noFile]);

/** `volumes` of a service, with what a named volume is bound to. */
export async function saysMounts(
  reader: ReaderThing,
  file: ComposeFile,
  volumes: unknown,
  where: string,
  says: Says,
): Promise<void> {
  for (const entry of listOf(volumes)) {
    const mount = mountOf(file, entry);
    if (mount !== null) await saysMounted(reader, file, mount, `${where} of ${file.path} mounts`, says);
  }
}

/** A file or a folder that a service is given, `sentence` being how. */
export async function saysMounted(
  reader: ReaderThing,
  file: ComposeFile,
  { source, target }: Mount,
  sentence: string,
  says: Says,
): Promise<void> {
  const how = `${sentence} ${told(source)}`;
  const path = pathOf(file, source);
  if (path === null) {
    const isSecret = secretPath(source);
    if (!isSecret && (ofEveryHost.test(source) || isOwnData({ source, target }))) return;
    if (isSecret) says.declared(reader, "uses", fileAt(file, source), how);
    says.gaps.push(notKnown(how, null));
    return;
  }
  let count = 0;
  for await (const below of file.all.below(path === "." ? "" : path)) {
    count += 1;
    if (count > filesMax) {
      says.gaps.push(
        `${how}, in which are more than ${filesMax} files; those behind them were not looked into.`,
      );
      break;
    }
    if (settingsPath(below)) await saysUsed(reader, file, below, how, says);
  }
  if (count > 0) return;
  const found = await saysUsed(reader, file, path, how, says);
  // A folder that is not there is made when the service starts, and is empty then.
  if (found === null && !isOwnData({ source, target })) {
    if (secretPath(path)) says.declared(reader, "uses", fileAt(file, source), how);
    says.gaps.push(notKnown(how, null));
  }
}

function isOwnData({ source, target }: Mount): boolean {
  return ownData.test(source) || (target !== null && ownData.test(target));
}

/** One file: used where a secret stands in it, or may. Null where it is not there. */
async function saysUsed(
  reader: ReaderThing,
  file: ComposeFile,
  path: string,
  how: string,
  says: Says,
): Promise<true | null> {
  const found = await heldAt(path, file.all, false);
  if (found === null) return null;
  const { repository } = file.all;
  if ("why" in found) {
    // A picture, a program, an empty folder: told where its name says that a secret is in it.
    const isSecret = secretPath(path);
    if (!isSecret && noSettings.has(found.why)) return true;
    says.gaps.push(notKnown(`${how} with ${told(path)}`, found));
    if (isSecret) says.declared(reader, "uses", location(repository, told(path)), how);
    return true;
  }
  if (found.held.length === 0) return true;
  says.declared(reader, "uses", location(repository, path), how);
  saysHeld(repository, path, found.held, says);
  return true;
}

/** What an entry binds: the short form `SOURCE:TARGET`, the long one, or a named volume that is a folder of the host. */
function mountOf(file: ComposeFile, entry: unknown): Mount | null {
  const short = named(entry);
  if (short === null) {
    const { type, source, target } = mapOf(entry);
    const from = named(source);
    if (from === null || named(type) === "tmpfs") return null;
    const to = named(target);
    if (named(type) === "bind") return { source: pathWith(file, from), target: to };
    return boundVolume(file, from, to);
  }
  const whole = pathWith(file, short).replace(/\$\{([A-Za-z_]\w*)[^}]*\}/g, "$$$1");
  const parts = whole.split(":");
  const [source = "", target = null] = parts;
  if (parts.length < 2 || source === "") return null;
  // A name is a volume of the platform; what a variable puts there is one or the other.
  return /^[.~/$]/.test(source) ? { source, target } : boundVolume(file, source, target);
}

/** A volume of the local driver that binds a folder. */
function boundVolume(file: ComposeFile, name: string, target: string | null): Mount | null {
  const options = mapOf(mapOf(mapOf(file.top.volumes)[name]).driver_opts);
  const device = named(options.device);
  const how = `${named(options.o) ?? ""},${named(options.type) ?? ""}`;
  if (device === null || !how.split(",").includes("bind")) return null;
  return { source: pathWith(file, device), target };
}

/** Adds up the events of a CloudTrail: one claim for each edge, and what is wrong with a record that is no event. */
import { inside, type PartBuilder, shown, textIn } from "../shared/source-log-part.js";
import { textOf } from "../shared/source-log-records.js";
import { eventSays, ownIn, uncountedReplica, type Watched } from "./cloudtrail-event.js";
import type { CloudtrailConfig } from "./cloudtrail-schema.js";

/** Takes one record, which lies in `bytes[from, to)`; `where` names it. False where it is none. */
export type TakeEvent = (bytes: Buffer, from: number, to: number, where: () => string) => boolean;

/** What is looked for, out of the settings. */
function watchedBy(config: CloudtrailConfig): Watched {
  const named = (name: "role" | "address") =>
    new Set(config.engine.flatMap((one) => (one[name] === undefined ? [] : [one[name]])));
  return {
    account: config.account,
    regions: new Set([config.region, ...config.replicaRegions]),
    store: config.store,
    issuer: config.issuer,
    roles: named("role"),
    addressesOfEngine: named("address"),
    addresses: config.addresses,
  };
}

/** Counts every record, and says of each that is no event why. */
export function eventTally(config: CloudtrailConfig, part: PartBuilder): TakeEvent {
  const watched = watchedBy(config);
  const told = new Set<string>();
  // Events of one region come after each other, and in a folder those of all may lie in one file.
  let reading: unknown;
  return (bytes, from, to, where) => {
    part.count();
    const text = textOf(bytes, from, to);
    const refused = (why: string): false => {
      part.malformed(where(), why);
      return false;
    };
    if (text === null) return refused("is not UTF-8");
    let event: unknown;
    try {
      event = JSON.parse(text);
    } catch {
      return refused("is not JSON");
    }
    // Beside its events the trail keeps lists of its files, to prove that none was changed.
    if (textIn(event, "digestS3Bucket") !== undefined) return true;
    if (inside(event, "Records") !== undefined)
      return refused("is a document whose Records do not stand first");
    const own = Date.parse(textIn(event, "eventTime") ?? "");
    if (Number.isNaN(own)) return refused("is no event of CloudTrail: it has no eventTime");
    const region = inside(event, "awsRegion");
    if (region !== reading) {
      reading = region;
      part.reading(typeof region === "string" ? [region] : []);
    }
    const at = part.timeOf(own, where);
    const engine = ownIn(event, watched);
    if (engine !== null) part.own(engine);
    const replica = uncountedReplica(event, watched);
    if (replica !== null && !told.has(replica.region)) {
      told.add(replica.region);
      part.gap(
        `${shown(replica.secret)} was replicated to ${shown(replica.region)}, whose reads are not counted: name the region in \`replicaRegions\`.`,
        { again: true },
      );
    }
    for (const { told, version, from: source, did } of engine === null ? eventSays(event, watched) : []) {
      const make = () => ({
        told,
        say: (sources: readonly string[]) =>
          `${told.from.is === "reader" ? told.from.name : "Somebody"} ${did}, from ${sources.join(", ")}.`,
      });
      part.claim(JSON.stringify([told.type, told.from, told.to]), at, source, make, version);
    }
    return true;
  };
}

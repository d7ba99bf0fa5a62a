/** Where on the map a secret of a store is that a state or a plan speaks of; a store that the settings do not name is told, for what it holds may be the estate's. */
import type { LocationThing, ReaderThing, Thing } from "../../domain/discovery/said.js";
import { location, type Says } from "../shared/source-says.js";
import type { StoreMap } from "../shared/source-stores.js";
import { holdsSecret, plainKey, storeTypeOf } from "./terraform-types.js";

/** A file and what it is called on the map. */
export interface TerraformFrame {
  readonly path: string;
  readonly name: string;
  /** In what its files are. */
  readonly files: string;
  readonly places: StoreMap;
  /** Attributes of resources, by their addresses without the keys of instances. */
  readonly known: Map<string, Resource>;
  /** Addresses of which it was said which secret they stand for. */
  readonly stored: Set<string>;
}

/** A resource with its values, as far as they are known. */
export interface Resource {
  readonly type: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** An attribute of a resource, by its address without the numbers of instances where `address` is without. */
export function attributeAt({ name }: TerraformFrame, address: string, attribute: string): LocationThing {
  return location(`terraform ${name}`, `${address}#${attribute}`);
}

/** A resource as a whole. */
export function wholeAt({ name }: TerraformFrame, address: string): LocationThing {
  return location(`terraform ${name}`, address);
}

/** An address without the keys of instances, as a configuration has it. */
export function generalOf(address: string): string {
  return address.replace(/\[(?:"(?:[^"\\]|\\.)*"|[^\]])*\]/g, "");
}

/** A resource as a reader. */
export function resourceReader({ name }: TerraformFrame, address: string): ReaderThing {
  return {
    is: "reader",
    name: `${address} of ${name}`,
    traits: { workload: `terraform ${name}/${address}` },
  };
}

/** Where a secret is. `names` are what settings may call the store, the nearest first; the first of them is told where none is there. */
function remotesAt(
  frame: TerraformFrame,
  says: Says,
  { as, names, key }: { readonly as: string; readonly names: readonly string[]; readonly key: string },
): readonly Thing[] {
  for (const name of names) {
    const found = frame.places(name, key);
    if (found !== null) return found.places.length > 0 ? found.places : [location(as, plainKey(key))];
  }
  // What is in a cluster is shown by the cluster.
  if (as !== "kubernetes_secret") {
    const sentence = `Which store of the estate is behind ${names[0]} of terraform ${frame.name} is not known, or whether any is: name it in \`stores\`.`;
    if (!says.gaps.includes(sentence)) says.gaps.push(sentence);
  }
  return [location(as, plainKey(key))];
}

/** Where a secret is that a text names; whatever settings call its store. */
export function pointedAt(
  frame: TerraformFrame,
  says: Says,
  { as, key }: { readonly as: string; readonly key: string },
): readonly Thing[] {
  return remotesAt(frame, says, { as, key, names: [as, `data.${as}`, `ephemeral.${as}`] });
}

/** How a resource stands to its secret: `data.` and `ephemeral.` are read, and so is what only says that it is there. */
export type Mode = "" | "data." | "ephemeral.";

/** The mode of a resource, as a plan calls it. */
export function modeOf(mode: unknown): Mode {
  return mode === "data" ? "data." : mode === "ephemeral" ? "ephemeral." : "";
}

/** A resource of a store: what it holds is there, and what it only reads comes from there. */
export function saysStored(
  { address, type, mode, keys }: { address: string; type: string; mode: Mode; keys: readonly string[] },
  attributes: readonly string[],
  frame: TerraformFrame,
  says: Says,
): void {
  const known = storeTypeOf(type);
  if (known === undefined || keys.length === 0) return;
  const { as, isPointer } = known;
  frame.stored.add(generalOf(address));
  const whole = wholeAt(frame, address);
  const general = generalOf(address);
  const isRead = mode !== "" || isPointer === true;
  const names = isPointer
    ? [as, `data.${as}`, `ephemeral.${as}`]
    : [...new Set([`${mode}${type}`, `${mode}${as}`, as])];
  for (const key of keys) {
    for (const remote of remotesAt(frame, says, { as, names, key })) {
      const sentence = `${address} in ${frame.path} ${isPointer ? "is" : isRead ? "reads" : "writes"} ${plainKey(key)}`;
      if (isRead) says.declared(whole, "depends-on", remote, sentence);
      else says.declared(remote, "depends-on", whole, sentence);
    }
  }
  // By its general address a configuration refers to it.
  if (general !== address && isRead)
    says.declared(wholeAt(frame, general), "depends-on", whole, `${address} is one of ${general}`);
  for (const attribute of attributes) {
    if (!holdsSecret(type, attribute)) continue;
    const at = attributeAt(frame, address, attribute);
    const sentence = `${attribute} of ${address} in ${frame.path} is that`;
    if (isRead) says.declared(at, "depends-on", whole, sentence);
    else says.declared(whole, "depends-on", at, sentence);
  }
}

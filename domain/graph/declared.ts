/** What the estate says, as a part of the map: each entry declares its own node and the edges that begin with it. */
import type {
  Consumer,
  Credential,
  Edge,
  Mintable,
  Needed,
  Owner,
  Readable,
  SystemConfig,
} from "../estate/types.js";
import { nameLength, shortened } from "../shortened.js";
import { locationId, placeText } from "./places.js";
import type { EdgeType, GraphNode } from "./types.js";

/** The name under which the estate is a source of the map. */
export const estateSource = "estate";

/** Sections whose entries are on the map; policies and notifiers are not. */
export const mapped = ["owners", "stores", "issuers", "consumers", "credentials"] as const;
/** One of them. */
export type MappedSection = (typeof mapped)[number];

/**
 * What an entry says that is on the map: whatever else it says anew changes nothing there, but that the settings of a store tell
 * what its places are called.
 */
export const onMap = {
  owners: [],
  stores: ["engineCredential"],
  issuers: ["engineCredential"],
  consumers: ["owner", "cadenceMs", "dependsOn"],
  credentials: ["issuer", "store", "place", "owner", "class", "consumers", "canRead", "mints"],
} as const satisfies {
  readonly owners: readonly (keyof Owner)[];
  readonly stores: readonly (keyof SystemConfig)[];
  readonly issuers: readonly (keyof SystemConfig)[];
  readonly consumers: readonly (keyof Consumer)[];
  readonly credentials: readonly (keyof Credential)[];
};

type SystemOnMap = Pick<SystemConfig, (typeof onMap.stores)[number]>;
type ConsumerOnMap = Pick<Consumer, (typeof onMap.consumers)[number]>;
type CredentialOnMap = Pick<Credential, (typeof onMap.credentials)[number]>;

/** An entry of the estate, with the id that the inventory gave it. */
export interface DeclaredEntry {
  readonly id: string;
  readonly section: MappedSection;
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A node without its times. */
export type PlainNode = Pick<GraphNode, "id" | "type" | "name" | "class" | "cadenceMs">;

/** An edge that a record speaks of, and why. */
export interface PlainEdge {
  readonly from: string;
  readonly type: EdgeType;
  readonly to: string;
  readonly sentence: string;
}

/** What one record says. */
export interface Said {
  readonly nodes: readonly PlainNode[];
  readonly edges: readonly PlainEdge[];
}

/** How entries and places are told. A place has no entry of its own: its id is made of its store and of what the store's kind calls it. */
export interface Naming {
  /** Id of an entry, by its section and name. */
  readonly idOf: (section: MappedSection, name: string) => string;
  readonly placeKeyOf: (store: string, place: Readonly<Record<string, unknown>>) => string;
  /** Hashes a text. */
  readonly sha256Hex: (text: string) => string;
}

/** The entries that an entry speaks of, by section and name; some of them more than once. */
export function namedBy({
  section,
  body,
}: Pick<DeclaredEntry, "section" | "body">): { readonly section: MappedSection; readonly name: string }[] {
  switch (section) {
    case "owners":
      return [];
    case "stores":
    case "issuers": {
      const { engineCredential } = body as unknown as SystemOnMap;
      return engineCredential === undefined ? [] : [{ section: "credentials", name: engineCredential }];
    }
    case "consumers": {
      const { owner, dependsOn = [] } = body as unknown as ConsumerOnMap;
      return [{ section: "owners", name: owner }, ...dependsOn.map(namedIn)];
    }
    case "credentials": {
      const {
        issuer,
        store,
        owner,
        consumers,
        canRead = [],
        mints = [],
      } = body as unknown as CredentialOnMap;
      return [
        { section: "issuers", name: issuer },
        { section: "stores", name: store },
        { section: "owners", name: owner },
        ...[...consumers, ...canRead, ...mints].map(namedIn),
      ];
    }
  }
}

/** Whom an item of a list names. */
function namedIn(item: Edge | Needed | Readable | Mintable): {
  readonly section: MappedSection;
  readonly name: string;
} {
  if ("consumer" in item) return { section: "consumers", name: item.consumer };
  if ("credential" in item) return { section: "credentials", name: item.credential };
  if ("issuer" in item) return { section: "issuers", name: item.issuer };
  return { section: "stores", name: item.store };
}

/** What an entry says. */
export function declaredBy(entry: DeclaredEntry, naming: Naming): Said {
  const { idOf } = naming;
  const { id, name, section, body } = entry;
  switch (section) {
    case "owners":
      return { nodes: [{ id, type: "owner", name }], edges: [] };
    case "stores":
    case "issuers":
      return system(entry, idOf);
    case "consumers": {
      const { owner, cadenceMs, dependsOn = [] } = body as unknown as ConsumerOnMap;
      const owned: PlainEdge[] = [
        { from: id, type: "owned-by", to: idOf("owners", owner), sentence: `${owner} answers for it.` },
      ];
      const needs = dependsOn.map(namedIn).map(
        (other): PlainEdge => ({
          ...{ from: id, type: "depends-on", to: idOf(other.section, other.name) },
          sentence: `${name} needs ${other.name}, as the estate says.`,
        }),
      );
      return {
        nodes: [{ id, type: "consumer", name, cadenceMs }],
        edges: [...(owner === "" ? [] : owned), ...needs],
      };
    }
    case "credentials":
      return credential(entry, body as unknown as CredentialOnMap, naming);
  }
}

/** The engine's own login to a system opens everything that is there (H26). */
function system(
  { id, name, body }: DeclaredEntry,
  idOf: (section: MappedSection, name: string) => string,
): Said {
  const { engineCredential } = body as unknown as SystemOnMap;
  const nodes: PlainNode[] = [{ id, type: "system", name }];
  if (engineCredential === undefined) return { nodes, edges: [] };
  const from = idOf("credentials", engineCredential);
  return {
    nodes,
    edges: [{ from, type: "can-read", to: id, sentence: `The engine logs in to ${name} with it.` }],
  };
}

function credential(
  { id, name }: DeclaredEntry,
  body: CredentialOnMap,
  { idOf, placeKeyOf, sha256Hex }: Naming,
): Said {
  const { issuer, store, place, owner, class: kind, consumers, canRead = [], mints = [] } = body;
  const nodes: PlainNode[] = [{ id, type: "credential", name, class: kind }];
  const edges: PlainEdge[] = [
    { from: id, type: "issued-by", to: idOf("issuers", issuer), sentence: `Its account is at ${issuer}.` },
    { from: id, type: "owned-by", to: idOf("owners", owner), sentence: `${owner} answers for it.` },
  ];
  /** The node of a place, with the store that it is in. */
  const locationOf = (store: string, at: Readonly<Record<string, unknown>>): string => {
    const storeId = idOf("stores", store);
    const location = locationId(storeId, placeKeyOf(store, at), sha256Hex);
    nodes.push({
      id: location,
      type: "location",
      name: shortened(`${store} ${placeText(at)}`, nameLength, sha256Hex),
    });
    edges.push({ from: location, type: "stored-in", to: storeId, sentence: `It is a place in ${store}.` });
    return location;
  };
  const pinned = consumers.flatMap((edge) => (edge.place === undefined ? [] : [edge.place]));
  for (const at of [place, ...pinned]) {
    const to = locationOf(store, at);
    edges.push({ from: id, type: "stored-in", to, sentence: `The estate keeps it there.` });
  }
  for (const one of canRead) {
    const isPlace = "store" in one && one.place !== undefined;
    const { section, name: other } = namedIn(one);
    const to = isPlace ? locationOf(one.store, one.place) : idOf(section, other);
    const what = isPlace ? "that place" : section === "stores" ? `all of ${other}` : `the value of ${other}`;
    edges.push({ from: id, type: "can-read", to, sentence: `Whoever has ${name} can read ${what}.` });
  }
  for (const { section, name: other } of mints.map(namedIn)) {
    const what = section === "issuers" ? `credentials at ${other}` : `${other} anew`;
    const to = idOf(section, other);
    edges.push({ from: id, type: "mints", to, sentence: `Whoever has ${name} can make ${what}.` });
  }
  for (const { consumer, isolation } of consumers) {
    const sentence =
      isolation === "pinned"
        ? `The estate says that ${consumer} uses it, with a copy of its own.`
        : `The estate says that ${consumer} uses it.`;
    edges.push({ from: idOf("consumers", consumer), type: "uses", to: id, sentence });
  }
  return { nodes, edges };
}

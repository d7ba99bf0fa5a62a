/**
 * Values that sources met: those that stand outside of any store, and those that stand in several places. What is known of a
 * value is where it lies and whether it is one of ours; neither it nor a hash of it is part of any answer.
 */
import { asSentence } from "../sentence.js";
import { type Present, type Subject, sourcesIn } from "./present.js";

/** One place at which a value was met. */
export interface MetValue {
  /** What the same value has everywhere, never shown; empty for one that cannot be told from others. */
  readonly mark: string;
  readonly place: Subject;
  /** It stands there outside of any store. */
  readonly literal: boolean;
  /** Whoever found it tried it, and it opened something. */
  readonly verified: boolean;
  /** What it was met as, without a character of it. */
  readonly sentence: string;
  /** Id of the source that met it. */
  readonly source: string;
}

/** The version that had a value, by its mark. */
export interface OwnValue {
  readonly mark: string;
  readonly credential: Subject;
  readonly owners: readonly string[];
  /** The version may be accepted. */
  readonly isLive: boolean;
}

/** What is found of these; `nameless` makes of a mark an id that nobody can take for it. */
export function valueFindings(
  copies: readonly MetValue[],
  known: readonly OwnValue[],
  nameless: (mark: string) => string,
): Present[] {
  const values = Map.groupBy(known, ({ mark }) => mark);
  return [...literals(copies, values), ...clusters(copies, values, nameless)];
}

/** By their marks; one value may be that of several credentials. */
type Values = ReadonlyMap<string, readonly OwnValue[]>;

function literals(copies: readonly MetValue[], values: Values): Present[] {
  const byPlace = Map.groupBy(
    copies.filter(({ literal }) => literal),
    ({ place }) => place.id,
  );
  return [...byPlace.values()].flatMap((at): Present[] => {
    const [first] = at;
    if (first === undefined) return [];
    const ours = at.flatMap(({ mark }) => values.get(mark) ?? []);
    // A value that no issuer accepts any more opens nothing.
    const isDead = at.every(({ mark }) => values.get(mark)?.every(({ isLive }) => !isLive) === true);
    const { credential, owners, sentence } = ownerOf(ours);
    return [
      {
        ...{
          ...graveness(
            at.some(({ verified }) => verified),
            isDead,
          ),
          subject: first.place,
          about: null,
        },
        ...{ credential, owners, places: [], ...shownOf(at, credential) },
        sentence: `${sentences(at)}${sentence}`,
      },
    ];
  });
}

/**
 * What was found to open something is no suspicion: whoever reads the place has it now, so that it is of a code of its own, which no
 * exception for a `literal` covers. A value that is not valid by the records was tried before its end, or is accepted again.
 */
function graveness(verified: boolean, isDead: boolean): Pick<Present, "code" | "severity"> {
  if (verified) return { code: "verified-literal", severity: isDead ? "warn" : "refuse" };
  return { code: "literal", severity: isDead ? "info" : "warn" };
}

function clusters(
  copies: readonly MetValue[],
  values: Values,
  nameless: (mark: string) => string,
): Present[] {
  const met = Map.groupBy(
    copies.filter(({ mark }) => mark !== ""),
    ({ mark }) => mark,
  );
  return [...new Set([...met.keys(), ...values.keys()])].flatMap((mark): Present[] => {
    const all = met.get(mark) ?? [];
    const ours = values.get(mark) ?? [];
    const places = [...new Map(all.map(({ place }) => [place.id, place.name])).values()].sort();
    // A credential is itself a place of its value: whoever has the one has the other, and rotating one leaves the other open.
    const sharing = credentialsOf(ours.filter(({ isLive }) => isLive)).map(({ name }) => name);
    const isShared = sharing.length > 1;
    const at = isShared ? [...places, ...sharing] : places;
    const [first, ...others] = at;
    if (first === undefined || others.length === 0) return [];
    const { credential, owners, sentence } = ownerOf(ours);
    const isOutside = all.some(({ literal }) => literal);
    const stands =
      places.length === 0
        ? ""
        : `One value stands in ${places.length} ${places.length === 1 ? "place" : "places"}.`;
    return [
      {
        ...{ code: "same-value", severity: isOutside || isShared ? "warn" : "info", about: null },
        subject: { id: nameless(mark), type: "value", name: `${first} and ${others.length} more` },
        ...{ credential, owners, places: at, ...shownOf(all, credential) },
        sentence: `${stands}${sentence}`.trimStart(),
      },
    ];
  });
}

/** Whose value it is, where it is one of ours: of the credentials for which it is valid, and where there is none of those, of all. */
function ownerOf(ours: readonly OwnValue[]): Pick<Present, "credential" | "owners" | "sentence"> {
  const isLive = ours.some((value) => value.isLive);
  const telling = ours.filter((value) => value.isLive === isLive);
  const [first, ...others] = credentialsOf(telling);
  if (first === undefined) return { credential: null, owners: [], sentence: "" };
  const names = [first, ...others].map(({ name }) => name).join(" and ");
  const which = others.length === 0 ? "a version that is" : "versions that are";
  return {
    credential: first.id,
    owners: [...new Set(telling.flatMap(({ owners }) => owners))].sort(),
    sentence: ` It is the value of ${names}, of ${which} ${isLive ? "valid" : "not valid any more"}.`,
  };
}

/** Each credential once, by its name. */
function credentialsOf(values: readonly OwnValue[]): Subject[] {
  const each = new Map(values.map(({ credential }) => [credential.id, credential]));
  return [...each.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

/** Who has met it; where it is no credential's, their exceptions count. */
function shownOf(met: readonly MetValue[], credential: string | null): Pick<Present, "sources" | "shownBy"> {
  const shownBy = sourcesIn(met);
  return { sources: credential === null ? shownBy : [], shownBy };
}

/** What it was met as, each once; a place may hold several, and one may be met by several sources. */
function sentences(at: readonly MetValue[]): string {
  const said = [...new Set(at.map(({ sentence }) => sentence.replace(/\.$/, "")))].sort();
  return asSentence(said.join("; "));
}

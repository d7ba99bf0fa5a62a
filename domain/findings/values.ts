/**
 * Values that sources met: those that stand outside of any store, and those that stand in several places. What is known of a
 * value is where it lies and whether it is one of ours; neither it nor a hash of it is part of any answer.
 */
import type { Present, Subject } from "./present.js";

/** One place at which a value was met. */
export interface MetValue {
  /** What the same value has everywhere, never shown; empty for one that cannot be told from others. */
  readonly mark: string;
  readonly place: Subject;
  /** It stands there outside of any store. */
  readonly literal: boolean;
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
  const values = new Map(known.map((value) => [value.mark, value]));
  return [...literals(copies, values), ...clusters(copies, values, nameless)];
}

type Values = ReadonlyMap<string, OwnValue>;

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
    const isDead = at.every(({ mark }) => values.get(mark)?.isLive === false);
    const { credential, owners, sentence } = ownerOf(ours);
    return [
      {
        ...{ code: "literal", severity: isDead ? "info" : "warn", subject: first.place, about: null },
        ...{ credential, owners, places: [], sources: credential === null ? sourcesOf(at) : [] },
        sentence: `${sentences(at)}${sentence}`,
      },
    ];
  });
}

function clusters(
  copies: readonly MetValue[],
  values: Values,
  nameless: (mark: string) => string,
): Present[] {
  const told = copies.filter(({ mark }) => mark !== "");
  return [...Map.groupBy(told, ({ mark }) => mark)].flatMap(([mark, all]): Present[] => {
    const places = [...new Map(all.map(({ place }) => [place.id, place.name])).values()].sort();
    const [first, ...others] = places;
    if (first === undefined || others.length === 0) return [];
    const value = values.get(mark);
    const { credential, owners, sentence } = ownerOf(value === undefined ? [] : [value]);
    const isOutside = all.some(({ literal }) => literal);
    const name = `${first} and ${others.length} more`;
    return [
      {
        ...{ code: "same-value", severity: isOutside ? "warn" : "info", about: null },
        subject: { id: nameless(mark), type: "value", name },
        ...{ credential, owners, places, sources: credential === null ? sourcesOf(all) : [] },
        sentence: `One value stands in ${places.length} places.${sentence}`,
      },
    ];
  });
}

/** Whose value it is, where it is one of ours. */
function ownerOf(ours: readonly OwnValue[]): Pick<Present, "credential" | "owners" | "sentence"> {
  const value = ours.find(({ isLive }) => isLive) ?? ours[0];
  if (value === undefined) return { credential: null, owners: [], sentence: "" };
  const { credential, owners, isLive } = value;
  const which = isLive ? "is valid" : "is not valid any more";
  return {
    credential: credential.id,
    owners,
    sentence: ` It is the value of ${credential.name}, of a version that ${which}.`,
  };
}

function sourcesOf(met: readonly MetValue[]): string[] {
  return [...new Set(met.map(({ source }) => source))];
}

/** What it was met as, each once; a place may hold several, and one may be met by several sources. */
function sentences(at: readonly MetValue[]): string {
  const said = [...new Set(at.map(({ sentence }) => sentence.replace(/\.$/, "")))].sort();
  return `${said.join("; ")}.`;
}

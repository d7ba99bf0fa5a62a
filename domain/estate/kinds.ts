/**
 * What the estate needs to know of the registered kinds. The registry of adapters is handed in and fits this
 * shape, so a kind's settings are declared in exactly one place and the rules here stay free of providers.
 */
import { z } from "zod";
import type { IssuerTraits } from "../kinds.js";
import { duration } from "./duration.js";
import { exceptionsField } from "./exception-schema.js";
import { name } from "./fields.js";
import type { KindConfig, SourceConfig, SystemConfig } from "./types.js";

type Fields = Readonly<Record<string, unknown>>;

/** A kind of issuer: its settings, the shape of an account at it, and what two credentials may not share. */
interface EstateIssuerKind {
  readonly config: z.ZodObject;
  readonly account: z.ZodObject;
  readonly traits: Pick<IssuerTraits, "overlap" | "roles">;
  lockKeys(config: Fields, account: Fields): string[];
  shownAs?(account: Fields): string[];
}

/** A kind of store: its settings, the shape of a place in it, and what two credentials may not share. */
interface EstateStoreKind {
  readonly config: z.ZodObject;
  readonly place: z.ZodObject;
  lockKeys(config: Fields, place: Fields): string[];
}

/** A kind whose entries are only its settings: consumers and notifiers. */
export interface EstateSimpleKind {
  readonly config: z.ZodObject;
}

/** The systems of the estate that a source names, where it names them. */
export interface NamedSystems {
  readonly store: KindConfig | undefined;
  readonly issuer: KindConfig | undefined;
}

/** A field of a source that says something else than the entry of the system does; the sentence has no full stop. */
export interface Contradiction {
  readonly field: string;
  readonly sentence: string;
  readonly hint: string;
}

/** What reading a kind of source shows: that something is used, or only how something is configured. */
export interface EstateSourceKind extends EstateSimpleKind {
  readonly sees: "use" | "configuration";
  /** How long after a use its record may still come, in milliseconds; absent: it is there at once. */
  readonly deliveredWithinMs?: number;
  contradicts?(config: Fields, systems: NamedSystems): readonly Contradiction[];
}

/** Every registered kind by the name that stands behind `kind:` in the estate. */
export interface EstateKinds {
  readonly issuers: Readonly<Record<string, EstateIssuerKind>>;
  readonly stores: Readonly<Record<string, EstateStoreKind>>;
  readonly consumers: Readonly<Record<string, EstateSimpleKind>>;
  readonly notifiers: Readonly<Record<string, EstateSimpleKind>>;
  readonly sources: Readonly<Record<string, EstateSourceKind>>;
}

/** The settings of any one of the kinds, told apart by `kind`; unknown fields are refused whatever the kind's own schema says. */
export function configUnion(kinds: Readonly<Record<string, EstateSimpleKind>>): z.ZodType<KindConfig> {
  return unionOf(kinds, {});
}

/** Like `configUnion`, for the systems that the engine logs in to. */
export function systemUnion(kinds: Readonly<Record<string, EstateSimpleKind>>): z.ZodType<SystemConfig> {
  return unionOf(kinds, {
    engineCredential: name()
      .optional()
      .describe(
        "The credential of this estate that Rekey itself logs in to this system with; needed so that a rotation never waits for itself.",
      ),
  });
}

/** Like `configUnion`, for the places where use is visible. Without any kind every entry is refused. */
export function sourceUnion(kinds: Readonly<Record<string, EstateSimpleKind>>): z.ZodType<SourceConfig> {
  const union: z.ZodType = unionOf(kinds, {
    owner: name().describe("Who answers for it being read, and being whole."),
    every: duration({ positive: true })
      .optional()
      .describe("How often it is read; absent: only when somebody asks."),
    deliveredWithin: duration()
      .optional()
      .describe(
        "How long after a use its record may still come: before a version is taken away, the source is read that long after it was used last. Absent: what the page of its kind says, and no time where it says none.",
      ),
    exceptions: exceptionsField(
      "Findings of what it shows that concern no credential of the estate, which an owner takes upon themself until a day.",
    ),
  });
  return union as z.ZodType<SourceConfig>;
}

function unionOf(
  kinds: Readonly<Record<string, EstateSimpleKind>>,
  common: z.core.$ZodShape,
): z.ZodType<KindConfig> {
  const options = Object.entries(kinds).map(([kind, { config }]) =>
    config
      .safeExtend({ kind: z.literal(kind).describe(`Settings of the kind "${kind}".`), ...common })
      .strict(),
  );
  const [first, ...others] = options;
  if (first === undefined)
    return z.never({ error: "expected no entry: no kind is registered for this section" });
  const union: z.ZodType = z.discriminatedUnion("kind", [first, ...others]);
  return union as z.ZodType<KindConfig>;
}

/**
 * Every name that points at another entry has to point at one. Works on the text as read, so that a wrong
 * name is reported also where something else is wrong with the same entry.
 */
import { untold } from "./class-policies.js";
import { type EstateIssue, type EstatePath, issue, listed } from "./issues.js";
import type { Section } from "./schema.js";
import { entriesOf, isMap, listAt, valueAt } from "./shape.js";
import { meantNames } from "./suggest.js";

interface Reference {
  readonly path: EstatePath;
  readonly name: unknown;
  readonly section: Section;
  /** An entry of this one will do, too. */
  readonly or?: Section;
  /** Only a human being will do. */
  readonly person?: boolean;
}

const singular: Readonly<Record<Section, string>> = {
  owners: "owner",
  stores: "store",
  issuers: "issuer",
  notifiers: "notifier",
  sources: "source",
  policies: "policy",
  consumers: "consumer",
  credentials: "credential",
};

/** Only so many unknown names are compared with the known ones: the cost is their product, and nobody reads more. */
const suggestionsMax = 200;

/** One issue for every name that no entry has, and for every team where only a person can stand. */
export function checkReferences(raw: unknown): EstateIssue[] {
  const names = new Map<Section, readonly string[]>();
  const namesOf = (section: Section) => {
    const known = names.get(section) ?? entriesOf(raw, section).map(([name]) => name);
    names.set(section, known);
    return known;
  };
  let unknown = 0;
  const issues: EstateIssue[] = [];
  for (const reference of references(raw)) {
    const { section, or, name, person, path } = reference;
    if (typeof name !== "string") continue;
    if (or !== undefined && valueAt(raw, [or, name]) !== undefined) continue;
    if (valueAt(raw, [section, name]) === undefined) {
      unknown++;
      const known = or === undefined ? namesOf(section) : [...namesOf(section), ...namesOf(or)];
      issues.push(unknownName(reference, name, known, unknown <= suggestionsMax));
    } else if (person === true && valueAt(raw, [section, name, "kind"]) === "team") {
      const hint = "name the persons; a team cannot sign, stand in or be a member";
      const message = `"${name}" is a team and a person is needed here`;
      issues.push(issue({ path, code: "not-a-person", message, hint }));
    }
  }
  return issues;
}

function unknownName(
  { path, section }: Reference,
  name: string,
  known: readonly string[],
  compare: boolean,
): EstateIssue {
  const meant = compare ? meantNames(name, known) : undefined;
  const message = `there is no ${singular[section]} of this name`;
  const expected = known.length === 0 ? `a name from \`${section}\`, which is empty` : listed(known);
  const hint = meant === undefined ? `add it to \`${section}\`` : `did you mean ${meant}?`;
  return issue({ path, code: "unknown-reference", message, expected, found: JSON.stringify(name), hint });
}

/** One after the other: a large estate has millions. */
function* references(raw: unknown): Generator<Reference> {
  for (const [name, owner] of entriesOf(raw, "owners")) yield* fromOwner(["owners", name], owner);
  for (const section of ["issuers", "stores"] as const)
    for (const [name, system] of entriesOf(raw, section))
      yield field([section, name], system, "engineCredential", "credentials");
  for (const [name, policy] of entriesOf(raw, "policies")) {
    yield* owners(["policies", name, "approval", "from"], valueAt(policy, ["approval"]), "from");
    yield* owners(["policies", name, "responders"], policy, "responders");
  }
  for (const [name, consumer] of entriesOf(raw, "consumers")) {
    yield field(["consumers", name], consumer, "owner", "owners");
    yield* listOf(["consumers", name], consumer, "dependsOn", "consumer");
  }
  // Whatever a kind of source needs of the estate stands under these names.
  for (const [name, source] of entriesOf(raw, "sources")) {
    yield field(["sources", name], source, "owner", "owners");
    yield field(["sources", name], source, "store", "stores");
    yield systemOf(["sources", name], source, "issuer");
    yield* exceptions(["sources", name], source);
    for (const [i, store] of listAt(source, ["stores"]).entries())
      yield field(["sources", name, "stores", i], store, "store", "stores");
  }
  for (const [name, credential] of entriesOf(raw, "credentials"))
    yield* fromCredential(["credentials", name], credential);
}

function fromOwner(path: EstatePath, owner: unknown): Reference[] {
  const members = listAt(owner, ["members"]).map((name, i) => ({
    path: [...path, "members", i],
    name,
  }));
  const delegates = listAt(owner, ["delegates"]).map((delegate, i) => ({
    path: [...path, "delegates", i, "to"],
    name: valueAt(delegate, ["to"]),
  }));
  const manager = { path: [...path, "manager"], name: valueAt(owner, ["manager"]) };
  return [manager, ...members, ...delegates].map((found) => ({ ...found, section: "owners", person: true }));
}

function fromCredential(path: EstatePath, credential: unknown): Reference[] {
  return [
    field(path, credential, "issuer", "issuers"),
    field(path, credential, "store", "stores"),
    field(path, credential, "owner", "owners"),
    ...(valueAt(credential, ["policy"]) === untold ? [] : [field(path, credential, "policy", "policies")]),
    ...listAt(credential, ["seenAs"]).map((seen, i) => systemOf([...path, "seenAs", i], seen, "at")),
    ...exceptions(path, credential),
    ...listOf(path, credential, "consumers", "consumer"),
    ...listOf(path, credential, "canRead", "store"),
    ...listOf(path, credential, "mints", "credential"),
  ];
}

/** By which fields of a map in a list another entry is named. */
const naming = {
  consumer: "consumers",
  store: "stores",
  issuer: "issuers",
  credential: "credentials",
} as const satisfies Record<string, Section>;

/** Whom a list names: by itself an entry of the section that `bare` stands for, and in a map by whatever fields it has. */
function listOf(path: EstatePath, entry: unknown, key: string, bare: keyof typeof naming): Reference[] {
  return listAt(entry, [key]).flatMap((item, i): Reference[] => {
    const at = [...path, key, i];
    if (!isMap(item)) return [{ path: at, name: item, section: naming[bare] }];
    return Object.entries(naming).flatMap(([name, section]) =>
      Object.hasOwn(item, name) ? [field(at, item, name, section)] : [],
    );
  });
}

function exceptions(path: EstatePath, entry: unknown): Reference[] {
  return listAt(entry, ["exceptions"]).map((exception, i) =>
    field([...path, "exceptions", i], exception, "owner", "owners"),
  );
}

function owners(path: EstatePath, root: unknown, key: string): Reference[] {
  return listAt(root, [key]).map((name, i) => ({ path: [...path, i], name, section: "owners" }));
}

function field(path: EstatePath, entry: unknown, key: string, section: Section): Reference {
  return { path: [...path, key], name: valueAt(entry, [key]), section };
}

/** An issuer; or a source, where what that reads is none: its name stands for the system. */
function systemOf(path: EstatePath, entry: unknown, key: string): Reference {
  return { ...field(path, entry, key, "issuers"), or: "sources" };
}

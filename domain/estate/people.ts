/** Who is behind an owner's name, and whether enough different people are there to sign what a policy asks for (H37). */
import { count } from "../count.js";
import { findCycles } from "./cycles.js";
import { type EstateIssue, issue, repeats } from "./issues.js";
import { lookUp } from "./shape.js";
import type { Estate, Person } from "./types.js";

/** Names of the persons that an owner stands for; `undefined` when the owner or a member is not known. */
function personsOf(estate: Estate, owner: string): readonly string[] | undefined {
  const found = lookUp(estate.owners, owner);
  if (found === undefined) return undefined;
  if (found.kind === "person") return [owner];
  return found.members.every((member) => lookUp(estate.owners, member)?.kind === "person")
    ? found.members
    : undefined;
}

/** Rules about people: one record each, no ring of deputies or managers, and enough signers for every credential. */
export function checkPeople(estate: Estate): EstateIssue[] {
  const persons = Object.entries(estate.owners).flatMap(([name, owner]) =>
    owner.kind === "person" ? [[name, owner] as const] : [],
  );
  return [
    ...twins(persons),
    ...teams(estate),
    ...managers(persons),
    ...deputies(persons),
    ...quorums(estate),
  ];
}

type NamedPerson = readonly [string, Person];

/** Two records of one human being would count twice. */
function twins(persons: readonly NamedPerson[]): EstateIssue[] {
  const firstWith = new Map<string, string>();
  return persons.flatMap(([name, person]) => {
    const marks = [
      ["email", person.email.toLowerCase(), ["email"]],
      ["subject", person.subject, ["subject"]],
      ...person.keys.map((key, i) => ["key", key.x, ["keys", i]] as const),
    ] as const;
    return marks.flatMap(([what, value, field]) => {
      if (value === undefined) return [];
      const mark = `${what} ${value}`;
      const first = firstWith.get(mark);
      if (first === undefined) firstWith.set(mark, name);
      if (first === undefined) return [];
      const message = first === name ? `this ${what} is listed twice` : `"${first}" has the same ${what}`;
      const hint = "one human being is one entry, because signatures are counted by person";
      return [issue({ path: ["owners", name, ...field], code: "same-person", message, hint })];
    });
  });
}

function teams(estate: Estate): EstateIssue[] {
  return Object.entries(estate.owners).flatMap(([name, owner]) => {
    if (owner.kind === "person") return [];
    return repeats(owner.members).map(([member, i]) => {
      const path = ["owners", name, "members", i];
      return issue({ path, code: "duplicate-member", message: `"${member}" is a member twice` });
    });
  });
}

function managers(persons: readonly NamedPerson[]): EstateIssue[] {
  const managerOf = new Map(
    persons.map(([name, { manager }]) => [name, manager === undefined ? [] : [manager]]),
  );
  return findCycles(managerOf.keys(), (name) => managerOf.get(name) ?? []).map((ring) =>
    issue({
      path: ["owners", ring[0] ?? "", "manager"],
      code: "manager-cycle",
      message: `managers lead back to where they began: ${ringText(ring)}`,
      hint: "what nobody answers has to reach somebody in the end; leave out the manager at the top",
    }),
  );
}

/** Standing in for each other at different times is a holiday plan; at the same time it leaves nobody. */
function deputies(persons: readonly NamedPerson[]): EstateIssue[] {
  const all = persons.flatMap(([name, { delegates }]) =>
    delegates.map((delegate, i) => ({ name, i, ...delegate })),
  );
  const empty = all.filter(({ from, until }) => from >= until);
  const issues = empty.map(({ name, i }) => emptyPeriod(["owners", name, "delegates", i]));
  if (rings(all).length === 0) return issues;
  const seen = new Set<string>();
  for (const moment of new Set(all.map(({ from }) => from))) {
    const active = all.filter(({ from, until }) => from <= moment && moment < until);
    for (const ring of rings(active)) {
      const text = ringText(ring);
      if (seen.has(text)) continue;
      seen.add(text);
      const [first, second = first] = ring;
      const { name, i } = active.find((one) => one.name === first && one.to === second) as Deputy;
      const message = `at the same time these stand in for each other: ${text}`;
      const hint = "a delegate signs in their own name and passes nothing on; break the ring";
      issues.push(
        issue({ path: ["owners", name, "delegates", i, "to"], code: "delegate-cycle", message, hint }),
      );
    }
  }
  return issues;
}

interface Deputy {
  readonly name: string;
  readonly i: number;
  readonly to: string;
}

function rings(deputies: readonly Deputy[]): string[][] {
  const next = new Map<string, string[]>();
  for (const { name, to } of deputies) next.set(name, [...(next.get(name) ?? []), to]);
  return findCycles(next.keys(), (name) => next.get(name) ?? []);
}

/** The issue of a span that ends before it begins. */
export function emptyPeriod(path: readonly (string | number)[]): EstateIssue {
  return issue({
    path: [...path, "until"],
    code: "empty-period",
    message: "it ends before it begins",
    expected: "a moment after `from`",
  });
}

function ringText(ring: readonly string[]): string {
  return [...ring, ring[0]].join(" → ");
}

/** A quorum that cannot be reached would only be noticed when the deadline has passed. */
function quorums(estate: Estate): EstateIssue[] {
  const issues = new Map<string, EstateIssue>();
  for (const [name, credential] of Object.entries(estate.credentials)) {
    const policy = lookUp(estate.policies, credential.policy);
    if (policy === undefined) continue;
    const { from, quorum } = policy.approval;
    const signers = signersOf(estate, from === "owner" ? [credential.owner] : from);
    if (signers === undefined || signers >= quorum) continue;
    const path =
      from === "owner"
        ? ["credentials", name, "owner"]
        : ["policies", credential.policy, "approval", "quorum"];
    const who = from === "owner" ? `"${credential.owner}"` : "those it is asked from";
    const message = `policy "${credential.policy}" needs ${count(quorum, "signature")} and ${who} can give ${signers}`;
    const hint =
      "persons need a public key to sign (`rekey keygen`); give them one, add signers, or lower the quorum";
    issues.set(path.join("/"), issue({ path, code: "quorum-out-of-reach", message, hint }));
  }
  return [...issues.values()];
}

/** How many different persons with a key there are; `undefined` when that cannot be said. */
function signersOf(estate: Estate, owners: readonly string[]): number | undefined {
  const persons = owners.map((owner) => personsOf(estate, owner));
  if (persons.includes(undefined)) return undefined;
  const able = persons
    .flatMap((names) => names ?? [])
    .filter((name) => {
      const person = lookUp(estate.owners, name);
      return person?.kind === "person" && person.keys.length > 0;
    });
  return new Set(able).size;
}

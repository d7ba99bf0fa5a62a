/**
 * What a kind of adapter consists of. A kind without a page is not found, one without the contract suite is
 * not trusted, and a file without a line in the registry is dead: the four go together or not at all.
 */

/** Ports with a registry section, and the file of the contract suite that each of their kinds must pass. */
const ports: Readonly<Record<string, string>> = {
  issuers: "issuer",
  stores: "store",
  consumers: "consumer",
  sources: "source",
  notifiers: "notifier",
};

/** What every page of a port's kinds has to say, as headings: whoever decides on a rotation looks for these. */
const headings: Readonly<Record<string, readonly string[]>> = {
  issuers: [
    "Rights",
    'What "revoked" means',
    "What it derives",
    "Capacity for a third version",
    "Known limits",
  ],
  stores: ["Rights", "Known limits"],
  consumers: ["Rights", "Known limits"],
};

/** Kinds that exist for tests and are in no registry: the fake that every contract suite is tried on first. */
const fakes = ["memory"];

/**
 * Complaints about kinds that lack one of their parts. `registry` has the kinds by port, `files` every path of
 * the project, `suitesOf` the contract suites that a test file imports.
 */
export function missingParts(
  registry: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  files: ReadonlySet<string>,
  suitesOf: (testFile: string) => readonly string[],
): string[] {
  const found: string[] = [];
  for (const [port, kinds] of Object.entries(registry)) {
    const suite = ports[port];
    if (suite === undefined) found.push(`${port} is no port`);
    for (const kind of Object.keys(kinds)) {
      const contract = `test/contract/${port}/${kind}.test.ts`;
      for (const part of [`adapters/${port}/${kind}.ts`, `docs/kinds/${kind}.md`, contract]) {
        if (!files.has(part)) found.push(`the kind ${port}/${kind} lacks ${part}`);
      }
      if (files.has(contract) && !suitesOf(contract).includes(`test/contract/${suite}.ts`)) {
        found.push(`${contract} does not run the suite test/contract/${suite}.ts`);
      }
    }
  }
  for (const path of files) {
    const [, port = "", kind = ""] = /^adapters\/([^/]+)\/([^/]+)\.ts$/.exec(path) ?? [];
    if (ports[port] === undefined || fakes.includes(kind)) continue;
    const kinds = Object.keys(registry[port] ?? {});
    // A kind's further files carry its name in front: `vault-wire.ts` of `vault`.
    if (!kinds.some((name) => kind === name || kind.startsWith(`${name}-`))) {
      found.push(`${path} is no kind of the registry`);
    }
  }
  return found;
}

/** Complaints about pages of kinds that lack a heading, or have nothing under it. `pageOf` gives the text of a kind's page. */
export function missingHeadings(
  registry: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  pageOf: (kind: string) => string,
): string[] {
  return Object.entries(registry).flatMap(([port, kinds]) =>
    Object.keys(kinds).flatMap((kind) => {
      const sections = pageOf(kind).split(/^(?=## )/m);
      return (headings[port] ?? [])
        .filter((heading) => !sections.some((text) => isSection(text, heading)))
        .map((heading) => `docs/kinds/${kind}.md has nothing under "${heading}"`);
    }),
  );
}

function isSection(text: string, heading: string): boolean {
  const [first, ...rest] = text.split("\n");
  return first === `## ${heading}` && rest.join("").trim() !== "";
}

/** Issuers and stores that no world of the fault harness has, with the reason. */
export const withoutWorld: Readonly<Record<string, string>> = {
  "issuers/key-ring":
    "its consumers are Rekey's own workers, which the harness kills; test/worker has its rotation",
};

/**
 * Complaints about kinds of issuers and stores on which no fault is tried: neither does a world of `test/faults/worlds`
 * name them (`texts`), nor is there a reason why not.
 */
export function missingWorlds(
  registry: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  texts: readonly string[],
  reasons: Readonly<Record<string, string>>,
): string[] {
  const named = new Set(
    texts.flatMap((text) => [...text.matchAll(/\bkind: "([a-z-]+)"/g)].map(([, kind]) => kind)),
  );
  return ["issuers", "stores"].flatMap((port) =>
    Object.keys(registry[port] ?? {}).flatMap((kind) => {
      const excused = Object.hasOwn(reasons, `${port}/${kind}`);
      if (named.has(kind) && excused)
        return [`${port}/${kind} is in a world, and a reason says why it is in none`];
      if (named.has(kind) || excused) return [];
      return [`no world of test/faults/worlds has the kind ${port}/${kind}, and no reason is given`];
    }),
  );
}

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

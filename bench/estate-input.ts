/**
 * A generated estate as large ones are: a few credentials that thousands use, most that hardly anybody does; a few teams that
 * answer for much; one store whose login leads to nearly everything. The same seed gives the same text. Never kept.
 */

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { randomOf } from "./random.js";

/** How much there is. Edges are all of the map's, not only uses. */
export interface EstateSize {
  readonly credentials: number;
  readonly consumers: number;
  readonly edges: number;
  readonly seed: number;
}

/** One in a hundred entries says something else in every generation but the first. */
const changedEach = 100;
const linesEach = 2_000;

/** A credential that more use than most. */
export const giant = "cred-000000";
/** The login from which nearly everything follows. */
export const master = "engine-vault-00";

/** What an estate has beside its credentials and consumers. */
interface Frame {
  readonly teams: number;
  readonly stores: number;
  readonly issuers: number;
}

function frameOf({ credentials }: EstateSize): Frame {
  return {
    teams: Math.max(10, Math.round(credentials / 250)),
    stores: Math.max(3, Math.round(credentials / 2_500)),
    issuers: Math.max(4, Math.round(credentials / 400)),
  };
}

/** Chooses among so many, the first ones more often: the i-th in proportion to 1/(i + flat). */
function skewed(count: number, flat: number, random: () => number): () => number {
  const sums: number[] = [];
  for (let i = 0; i < count; i++) sums.push((sums.at(-1) ?? 0) + 1 / (i + flat));
  const whole = sums.at(-1) ?? 1;
  return () => {
    const at = random() * whole;
    let [low, high] = [0, count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sums[middle] ?? 0) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** Sources of the estate, by their names: what they meet is generated as well (`met-input.ts`). */
export const sources = {
  hosts: { kind: "env-files", directory: "/srv/hosts" },
  cluster: { kind: "kubernetes-manifests", directory: "/srv/cluster", cluster: "prod" },
  history: {
    kind: "gitleaks",
    reports: [{ file: "/srv/reports/gitleaks.json", repository: "shop" }],
  },
} as const;

const padded = (number: number, digits: number) => String(number).padStart(digits, "0");
const teamOf = (i: number) => `team-${padded(i, 4)}`;
const personOf = (i: number) => `person-${padded(i, 4)}`;
const storeOf = (i: number) => `vault-${padded(i, 2)}`;
const issuerOf = (i: number) => `db-${padded(i, 3)}`;
/** The name of a consumer, by its number. */
export const consumerOf = (i: number) => `service-${padded(i, 6)}`;

/** How many use each credential: a few giants, and otherwise few, with a long tail. Together as many as the edges leave. */
function usersOf({ credentials, consumers, edges }: EstateSize, random: () => number): number[] {
  const uses = edges - 4 * credentials - consumers;
  const giants = Math.max(1, Math.round(credentials / 20_000));
  const most = Math.round(consumers / 20);
  const left = uses - giants * most;
  const weights = Array.from({ length: credentials - giants }, () =>
    Math.min(300, (1 - random()) ** (-1 / 1.3)),
  );
  const scale = left / weights.reduce((sum, weight) => sum + weight, 0);
  let carried = 0;
  const few = weights.map((weight) => {
    const exact = weight * scale + carried;
    carried = exact - Math.floor(exact);
    return Math.floor(exact);
  });
  return [...Array.from({ length: giants }, () => most), ...few];
}

/** Writes a generation of the estate as a folder: YAML for what is shared, and lines of JSON for the rest. */
export async function writeEstate(folder: string, size: EstateSize, generation = 0): Promise<void> {
  await mkdir(join(folder, "consumers"), { recursive: true });
  await mkdir(join(folder, "credentials"), { recursive: true });
  await writeFile(join(folder, "shared.yaml"), sharedText(size));
  await writeLines(join(folder, "consumers"), consumersOf(size, generation));
  await writeLines(join(folder, "credentials"), credentialsOf(size, generation));
}

/** The same of a small estate as one YAML file, written as people do. */
export function yamlText(size: EstateSize): string {
  const shared = parse(sharedText(size)) as Record<string, unknown>;
  const merged: Record<string, Record<string, unknown>> = { consumers: {}, credentials: {} };
  for (const lines of [consumersOf(size, 0), credentialsOf(size, 0)])
    for (const line of lines)
      for (const [section, entries] of Object.entries(JSON.parse(line) as typeof merged))
        Object.assign(merged[section] ?? {}, entries);
  return stringify({ ...shared, ...merged });
}

async function writeLines(folder: string, lines: Iterable<string>): Promise<void> {
  let [file, inFile] = [0, 0];
  let out = createWriteStream(join(folder, `${padded(file, 4)}.jsonl`));
  for (const line of lines) {
    if (inFile++ === linesEach) {
      out.end();
      await once(out, "close");
      out = createWriteStream(join(folder, `${padded(++file, 4)}.jsonl`));
      inFile = 1;
    }
    if (!out.write(`${line}\n`)) await once(out, "drain");
  }
  out.end();
  await once(out, "close");
}

function sharedText(size: EstateSize): string {
  const { teams, stores, issuers } = frameOf(size);
  const persons = teams * 2;
  const map = (count: number, entry: (i: number) => readonly [string, object]) =>
    Array.from({ length: count }, (_, i) => entry(i))
      .map(([name, body]) => `  ${name}: ${JSON.stringify(body)}\n`)
      .join("");
  const vault = (i: number) => ({
    kind: "vault",
    address: `https://${storeOf(i)}.example.com:8200`,
    auth: { method: "token", token: `env:REKEY_VAULT_${i}` },
    engineCredential: `engine-${storeOf(i)}`,
  });
  const database = (i: number) => ({
    kind: "postgres",
    host: `${issuerOf(i)}.example.com`,
    database: "main",
    login: { username: "rekey_engine", password: `env:REKEY_DB_${i}` },
    engineCredential: `engine-${issuerOf(i)}`,
  });
  const team = (i: number) => ({
    kind: "team",
    members: [0, 1, 2].map((n) => personOf((i * 2 + n) % persons)),
  });
  return [
    "version: 1\ninstallation: bench\nowners:\n",
    map(persons, (i) => [personOf(i), { kind: "person", email: `${personOf(i)}@example.com` }]),
    map(teams, (i) => [teamOf(i), team(i)]),
    "stores:\n",
    map(1, () => [
      "root-files",
      { kind: "file", directory: "/srv/rekey/live", stagingDirectory: "/srv/rekey/staged" },
    ]),
    map(stores, (i) => [storeOf(i), vault(i)]),
    "issuers:\n",
    map(1, () => ["root-db", { ...database(0), host: "root-db.example.com", engineCredential: undefined }]),
    map(issuers, (i) => [issuerOf(i), database(i)]),
    "sources:\n",
    Object.entries(sources)
      .map(([name, body]) => `  ${name}: ${JSON.stringify({ ...body, owner: teamOf(0) })}\n`)
      .join(""),
    `policies:\n  standard: {"interval":"90d","approval":{"quorum":0}}\n`,
  ].join("");
}

function* consumersOf(
  { consumers, credentials, edges, seed }: EstateSize,
  generation: number,
): Generator<string> {
  const random = randomOf(seed + 1);
  const team = skewed(frameOf({ consumers, credentials, edges, seed }).teams, 8, random);
  for (let i = 0; i < consumers; i++) {
    const name = consumerOf(i);
    const owner = teamOf(team());
    const cadence = random() < 0.1 ? { cadence: "1d" } : {};
    const purpose = changed(i, generation)
      ? `It serves customers, release ${generation}.`
      : "It serves customers.";
    const body = {
      ...{ owner, purpose, observe: [{ kind: "confirmation", who: `${owner}, at the console` }] },
      ...{ match: { applicationName: [name] }, ...cadence },
    };
    yield JSON.stringify({ consumers: { [name]: body } });
  }
}

function changed(i: number, generation: number): boolean {
  return generation > 0 && (Math.imul(i + generation, 0x9e3779b1) >>> 0) % changedEach === 0;
}

function* credentialsOf(size: EstateSize, generation: number): Generator<string> {
  const random = randomOf(size.seed + 2);
  const { teams, stores, issuers } = frameOf(size);
  const [team, store, issuer] = [
    skewed(teams, 8, random),
    skewed(stores, 1, random),
    skewed(issuers, 4, random),
  ];
  const common = { policy: "standard", class: "service-account" };
  const engines = [
    ...Array.from({ length: stores }, (_, i) => storeOf(i)),
    ...Array.from({ length: issuers }, (_, i) => issuerOf(i)),
  ];
  for (const [i, system] of engines.entries()) {
    // Whoever has the login to the first store has the logins to everything else.
    const where =
      i === 0
        ? { store: "root-files", place: { path: "engine/root.json" } }
        : { store: storeOf(0), place: { path: `engine/${system}` } };
    const account = { group: `engine_${i}`, logins: [`engine_${i}_a`, `engine_${i}_b`] };
    const purpose = `The engine logs in to ${system} with it.`;
    const body = { issuer: "root-db", account, ...where, owner: teamOf(0), ...common, purpose };
    yield JSON.stringify({ credentials: { [`engine-${system}`]: body } });
  }
  const counts = usersOf(size, random);
  for (let i = 0; i < size.credentials - engines.length; i++) {
    const users = new Set<number>();
    for (const wanted = counts[i] ?? 0; users.size < wanted; )
      users.add(Math.floor(random() * size.consumers));
    const isChanged = changed(i, generation);
    // Half of those that change also lose a user.
    const consumers = [...users].map(consumerOf).slice(isChanged && i % 2 === 0 ? 1 : 0);
    const name = `app_${padded(i, 6)}`;
    const purpose = isChanged
      ? `Data is read and written with it, release ${generation}.`
      : "Data is read and written with it.";
    const body = {
      ...{ issuer: issuerOf(issuer()), account: { group: name, logins: [`${name}_a`, `${name}_b`] } },
      ...{ store: storeOf(store()), place: { path: `apps/${name}/db` }, owner: teamOf(team()) },
      ...{ ...common, purpose, consumers },
    };
    yield JSON.stringify({ credentials: { [`cred-${padded(i, 6)}`]: body } });
  }
}

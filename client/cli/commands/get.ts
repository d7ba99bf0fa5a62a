/** `rekey get`: what the applied estate says, as it is in force now. */
import { stringify } from "yaml";
import { exitCodes } from "../../../domain/errors.js";
import { type Section, sections } from "../../../domain/estate/schema.js";
import type { Entry } from "../../../inventory/estate.js";
import { entrySchema } from "../../estate/json-schema.js";
import { asWritten } from "../../estate/written.js";
import { knownName } from "../choose.js";
import type { Cli } from "../cli.js";
import { command } from "../command.js";
import { adoptionState } from "../format/adoption.js";
import { count, table } from "../format/layout.js";
import type { Inventory } from "../inventory.js";
import { openOf } from "../subject.js";

/** Lists the sections, the entries of one, or one entry. */
export const get = command({
  usage: "get [section] [name]",
  summary: "Show what the applied estate says",
  arguments: { section: sections.join(", "), name: "one entry of it" },
  examples: [
    ["rekey get", "the sections, and how many entries each has"],
    ["rekey get credentials", "the credentials"],
    ["rekey get consumers orders-api --json", "one entry, for a program"],
  ],
  async run(cli, [section, name]) {
    const { inventory } = await cli.services();
    if (section === undefined) await showSections(cli, inventory);
    else await showEntries(cli, inventory, knownName(section, sections, "section") as Section, name);
    return exitCodes.done;
  },
});

async function showSections(cli: Cli, inventory: Inventory): Promise<void> {
  const [revision, { entries }] = await Promise.all([inventory.revision(), inventory.overview()]);
  const counts = sections.map((section) => [section, entries[section] ?? 0] as const);
  cli.show({ revision: revision?.number ?? null, sections: Object.fromEntries(counts) }, () =>
    revision === null
      ? "No estate was applied yet. Begin with `rekey init`."
      : table(
          ["section", "entries"],
          counts.map(([section, number]) => [section, String(number)]),
          cli.paint,
        ),
  );
}

/** An entry, and for a credential what is open of it: a rotation, or an adoption and where it stands. */
interface Shown extends Entry {
  readonly open?: string;
}

async function shownEntries(cli: Cli, inventory: Inventory, section: Section): Promise<readonly Shown[]> {
  const entries = await inventory.entries(section);
  if (section !== "credentials") return entries;
  const [credentials, adoptions] = await Promise.all([inventory.credentials(), inventory.adoptions()]);
  return entries.map((entry) => {
    const credential = credentials.find(({ id }) => id === entry.id);
    const adoption = adoptions.find((one) => one.credential === entry.id);
    const open = [
      credential !== undefined && openOf(credential) !== null ? "rotation" : "",
      adoption === undefined ? "" : adoptionState(adoption, cli.now()),
    ].filter((part) => part !== "");
    return { ...entry, open: open.join("; ") };
  });
}

async function showEntries(cli: Cli, inventory: Inventory, section: Section, name?: string): Promise<void> {
  const entries = await shownEntries(cli, inventory, section);
  if (name !== undefined) {
    const known = knownName(
      name,
      entries.map((entry) => entry.name),
      `entry in ${section}`,
    );
    const entry = entries.find((one) => one.name === known);
    const open = entry?.open ? [`# open: ${entry.open}`] : [];
    cli.show(entry, () => {
      const body = asWritten(entry?.body ?? {}, entrySchema(cli.deps.kinds, section));
      return [stringify({ [known]: body }).trimEnd(), ...open].join("\n");
    });
    return;
  }
  cli.show(entries, () =>
    entries.length === 0
      ? `No ${section}.`
      : table(
          columns[section].map(([heading]) => heading),
          entries.map((entry) => columns[section].map(([, cell]) => cell(entry))),
          cli.paint,
        ),
  );
}

type Column = readonly [heading: string, cell: (entry: Shown) => string];

const named: Column = ["name", (entry) => entry.name];
const field = (key: string, heading = key): Column => [heading, (entry) => textOf(entry.body[key])];
const size = (key: string, heading = key): Column => [
  heading,
  (entry) => String((entry.body[key] as unknown[] | undefined)?.length ?? 0),
];

const columns: Readonly<Record<Section, readonly Column[]>> = {
  owners: [named, field("kind"), field("email"), field("members"), size("keys")],
  stores: [named, field("kind")],
  issuers: [named, field("kind")],
  notifiers: [named, field("kind")],
  sources: [named, field("kind"), field("owner")],
  policies: [
    named,
    ["sign-offs", (entry) => signOffs(entry.body.approval)],
    field("unmappedReaders", "unmapped readers"),
  ],
  consumers: [named, field("owner"), field("purpose")],
  credentials: [
    named,
    field("owner"),
    field("policy"),
    field("issuer"),
    field("store"),
    size("consumers"),
    ["open", (entry) => entry.open ?? ""],
  ],
};

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return Array.isArray(value) ? value.join(", ") : String(value);
}

function signOffs(approval: unknown): string {
  const { quorum, from } = approval as { quorum: number; from: unknown };
  return quorum === 0 ? "none" : `${count(quorum, "person", "persons")} of ${textOf(from)}`;
}

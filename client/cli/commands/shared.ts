/** `rekey shared` and `rekey orphaned`: credentials that several use, and what nobody answers for. */
import { exitCodes } from "../../../domain/errors.js";
import { ownerNames } from "../../../domain/graph/blast.js";
import { Adjacency } from "../../../domain/graph/reach.js";
import { orphaned as orphansOf, shared as sharedOf } from "../../../domain/graph/use.js";
import { command } from "../command.js";
import { count } from "../format/layout.js";
import { type FormOptions, formOption, showListing } from "../listing.js";

/** Names of users that a table shows; all of them are in JSON and CSV. */
const namesMax = 6;

/** Lists credentials with more than one user. */
export const shared = command<FormOptions>({
  usage: "shared",
  summary: "Show credentials that more than one uses",
  description:
    "Whoever shares one moves with the others, and cannot be told from them or cut off alone. Users are consumers and\n" +
    "identities who were seen or are declared, of the credential or of a copy of it; who only could read it is none.",
  options: [formOption()],
  examples: [["rekey shared", "which ones to give each of their users a credential of its own"]],
  async run(cli, _args, options) {
    const { inventory } = await cli.services();
    const adjacency = new Adjacency(await inventory.map());
    const found = sharedOf(adjacency)
      .map(({ credential, users }) => ({
        name: credential.name,
        users: [
          ...new Map(
            users.map(({ node, known }) => [node.id, { name: node.name, type: node.type, known }]),
          ).values(),
        ],
        owners: ownerNames(adjacency, credential.id),
      }))
      .filter(({ users }) => users.length > 1)
      .sort((a, b) => b.users.length - a.users.length || (a.name < b.name ? -1 : 1));
    showListing(cli, options, { credentials: found }, () => {
      const rowsWith = (most: number) =>
        found.map(({ name, users, owners }) => {
          const names = users.slice(0, most).map((user) => user.name);
          const more = users.length > most ? [`${users.length - most} more`] : [];
          return [
            cli.paint("name", name),
            String(users.length),
            [...names, ...more].join(", "),
            owners.join(", "),
          ];
        });
      return {
        head:
          found.length === 0
            ? "No credential is used by more than one."
            : `${count(found.length, "credential")} shared.`,
        headings: ["credential", "users", "who", "owner"],
        rows: rowsWith(namesMax),
        csvRows: rowsWith(Number.POSITIVE_INFINITY),
      };
    });
    return exitCodes.done;
  },
});

/** Lists credentials, and whoever uses one, without an owner. */
export const orphaned = command<FormOptions>({
  usage: "orphaned",
  summary: "Show credentials and users of them that nobody answers for",
  description:
    "Whatever the estate declares has an owner; what is listed here is known to sources alone, such as whoever was seen\n" +
    "using a credential and is claimed by no consumer. Without an owner it can be neither rotated nor confirmed.",
  options: [formOption()],
  examples: [["rekey orphaned", "what to declare, or to have taken away"]],
  async run(cli, _args, options) {
    const { inventory } = await cli.services();
    const adjacency = new Adjacency(await inventory.map());
    const found = orphansOf(adjacency)
      .map(({ name, type, firstSeen }) => ({ name, type, firstSeen }))
      .sort((a, b) => (a.type + a.name < b.type + b.name ? -1 : 1));
    showListing(cli, options, { orphans: found }, (style) => ({
      head:
        found.length === 0
          ? adjacency.graph.nodes.size === 0
            ? "Nothing is on the map yet: apply an estate, and have its sources read."
            : "Somebody answers for everything that is known."
          : `Nobody answers for ${count(found.length, "thing")}.`,
      headings: ["name", "what", "since"],
      rows: found.map(({ name, type, firstSeen }) => [style.name(name), type, style.moment(firstSeen)]),
    }));
    return exitCodes.done;
  },
});

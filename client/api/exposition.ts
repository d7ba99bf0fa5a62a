/**
 * Figures as text that Prometheus and whatever reads OpenMetrics take in. Each figure is a gauge with its whole beside it, under a
 * name of its own: they overlap, so a sum over a label of theirs would mean nothing.
 */
import type { Figure, FigureName } from "../../domain/findings/metrics.js";
import type { FindingCount } from "../../inventory/findings.js";

/** What is told. Times are milliseconds since the epoch. */
export interface Measured {
  /** As of when the figures are. */
  readonly at: number;
  readonly figures: readonly Figure[];
  readonly findings: readonly FindingCount[];
  /** When everything was looked at last; null: never. */
  readonly lookedAt: number | null;
  readonly rotationsOpen: number;
  readonly rotationsDue: number;
  readonly incidentsUnsigned: number;
  readonly noticesUnsent: number;
}

/** What a figure counts comes first in its name, as names go there. */
const named: Readonly<Record<FigureName, string>> = {
  declared: "credentials_declared",
  visible: "credentials_visible",
  owned: "credentials_owned",
  "readers-owned": "readers_owned",
  explained: "credentials_explained",
  overdue: "credentials_overdue",
  proved: "credentials_proved",
  dormant: "credentials_dormant",
  outside: "places_outside",
  offboarded: "credentials_offboarded",
  excepted: "findings_excepted",
};

/** A gauge with its values; a label's value is a word of ours. */
interface Family {
  readonly name: string;
  readonly help: string;
  readonly values: readonly { readonly labels?: Readonly<Record<string, string>>; readonly value: number }[];
}

/** The text, which both formats take: its last line is a remark to the older one. */
export function expositionOf(measured: Measured): string {
  const { at, figures, findings, lookedAt } = measured;
  const families: Family[] = [
    ...figures.flatMap(familiesOf),
    {
      name: "findings",
      help: "findings that have not ended, by how grave they are and whether an owner answers for them",
      values: findings.map(({ severity, state, size }) => ({ labels: { severity, state }, value: size })),
    },
    one("rotations_open", "rotations that are open, 1000 at most", measured.rotationsOpen),
    one(
      "rotations_due",
      "credentials whose rotation is due, is not open and was not tried within a day",
      measured.rotationsDue,
    ),
    one("incidents_unsigned", "reports of leaks that owners have not signed off", measured.incidentsUnsigned),
    one("notices_unsent", "notices that a notifier did not take", measured.noticesUnsent),
    one("figures_timestamp_seconds", "as of when all of this is", at / 1_000),
    ...(lookedAt === null
      ? []
      : [one("findings_looked_timestamp_seconds", "when findings were looked for last", lookedAt / 1_000)]),
  ];
  return `${families.map(textOf).join("\n")}\n# EOF\n`;
}

function familiesOf({ name, numerator, denominator, leftOut, what, notCounted }: Figure): Family[] {
  const family = named[name];
  return [
    one(family, what, numerator),
    one(`${family}_of`, `the whole of it: ${what}; not counted: ${notCounted}`, denominator),
    one(`${family}_in_neither`, `known and in neither number: ${notCounted}`, leftOut),
  ];
}

function one(name: string, help: string, value: number): Family {
  return { name, help, values: [{ value }] };
}

function textOf({ name, help, values }: Family): string {
  const lines = values.map(({ labels = {}, value }) => {
    const pairs = Object.entries(labels).map(([label, word]) => `${label}="${word}"`);
    return `rekey_${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`;
  });
  return [`# HELP rekey_${name} ${help}`, `# TYPE rekey_${name} gauge`, ...lines].join("\n");
}

/** Rows of AWS's credential report as users with their keys; what is no such row is named by its line. */
import { parse } from "csv-parse/sync";
import { z } from "zod";
import type { Malformed } from "../../domain/discovery/said.js";
import { RekeyError } from "../../domain/errors.js";
import type { LastUse } from "./aws-iam-report-api.js";

/** An access key as the report has it. The report does not tell its id. */
export interface KeyInReport {
  readonly active: boolean;
  /** When it was made, in milliseconds since the epoch. */
  readonly madeAt: number;
  readonly lastUse: LastUse | null;
}

/** A user, or the root of the account, with the keys that it has. */
export interface UserInReport {
  readonly user: string;
  readonly arn: string;
  readonly keys: readonly KeyInReport[];
}

/** What the report calls the root of the account. */
export const rootUser = "<root_account>";

/** `N/A`, `no_information` and `not_supported` are AWS's words for none. */
const time = z
  .string()
  .default("N/A")
  .transform((text, context) => {
    if (["N/A", "no_information", "not_supported", ""].includes(text)) return null;
    const at = Date.parse(text);
    if (Number.isNaN(at)) context.addIssue({ code: "custom", message: "expected a time" });
    return at;
  });
const word = z
  .string()
  .default("")
  .transform((text) => (text === "N/A" ? "" : text));
const flag = z.enum(["true", "false"]).transform((text) => text === "true");

const row = z.object({
  user: z.string().min(1),
  arn: z.string().startsWith("arn:"),
  access_key_1_active: flag,
  access_key_1_last_rotated: time,
  access_key_1_last_used_date: time,
  access_key_1_last_used_region: word,
  access_key_1_last_used_service: word,
  access_key_2_active: flag,
  access_key_2_last_rotated: time,
  access_key_2_last_used_date: time,
  access_key_2_last_used_region: word,
  access_key_2_last_used_service: word,
});

type Row = z.output<typeof row>;

/** The users, sorted by name, and what could not be read. Throws `unsupported` for a text that is no CSV at all. */
export function usersIn(csv: string): { readonly users: UserInReport[]; readonly malformed: Malformed[] } {
  let records: object[];
  let columns = 0;
  const counted = (head: string[]): string[] => {
    columns = head.length;
    return head;
  };
  try {
    records = parse(csv, { columns: counted, relax_column_count: true, skip_empty_lines: true, bom: true });
  } catch {
    throw new RekeyError("unsupported", "The credential report of AWS is not the CSV that it should be.");
  }
  const users: UserInReport[] = [];
  const malformed: Malformed[] = [];
  for (const [index, record] of records.entries()) {
    const where = `credential report row ${index + 1}`;
    // What is missing of a row would be taken for a key that is none.
    if (Object.keys(record).length < columns) {
      malformed.push({ where, why: "it ends before its last column" });
      continue;
    }
    const { success, data, error } = row.safeParse(record);
    if (success) {
      users.push({ user: data.user, arn: data.arn, keys: keysIn(data) });
      continue;
    }
    const fields = new Set(error.issues.map(({ path }) => path.join(".")));
    malformed.push({
      where,
      why: `it is no row of a credential report, by ${[...fields].join(", ")}`,
    });
  }
  return { users: users.sort((a, b) => (a.user < b.user ? -1 : 1)), malformed };
}

/** A key that is there has a time at which it was made, switched on or off. */
function keysIn(data: Row): KeyInReport[] {
  return ([1, 2] as const).flatMap((number) => {
    const madeAt = data[`access_key_${number}_last_rotated`];
    if (madeAt === null) return [];
    const at = data[`access_key_${number}_last_used_date`];
    const service = data[`access_key_${number}_last_used_service`];
    const region = data[`access_key_${number}_last_used_region`];
    const lastUse = at === null ? null : { at, service, region };
    return [{ active: data[`access_key_${number}_active`], madeAt, lastUse }];
  });
}

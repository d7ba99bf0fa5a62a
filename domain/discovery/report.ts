/** What a reading of a source came to, for people. */
import type { Malformed } from "./said.js";

/** One reading. Times are milliseconds since the epoch. */
export interface ScanReport {
  readonly source: string;
  readonly scan: string;
  readonly startedAt: number;
  /** Null while there is more to read. */
  readonly endedAt: number | null;
  /** Why it broke off; null where it did not. */
  readonly failure: string | null;
  readonly records: number;
  readonly claims: number;
  readonly copies: number;
  readonly malformed: number;
  /** The first of those that could not be read. */
  readonly malformedFirst: readonly Malformed[];
  readonly gaps: readonly string[];
  /** Why owners were not told of what has opened after it; absent where there was nothing to tell, or all were told. */
  readonly untold?: string;
  /** The times that the records themselves bear; null where none does. */
  readonly covered: { readonly from: number; readonly until: number } | null;
}

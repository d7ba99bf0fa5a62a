/**
 * How far a machine's clock may be from the inventory's. Rekey goes by the inventory's (H38); but tokens, certificates
 * and signed documents that other machines look at are judged by theirs, and a clock that is off lets them fail.
 */
import { span } from "./duration.js";
import type { Finding } from "./finding.js";

/** A clock's reading beside the inventory's, all in milliseconds; the inventory was asked between the two readings. */
export interface ClockReading {
  /** Begins a sentence: `This worker's clock`. */
  readonly whose: string;
  readonly before: number;
  readonly inventory: number;
  readonly after: number;
}

const warnMs = 5_000;
const refuseMs = 30_000;

/** What is wrong with the clock, if anything. What the journey to the inventory can explain is not held against it. */
export function clockFindings({ whose, before, inventory, after }: ClockReading): Finding[] {
  const aheadMs = before > inventory ? before - inventory : Math.min(0, after - inventory);
  const apartMs = Math.abs(aheadMs);
  if (apartMs <= warnMs) return [];
  const side = aheadMs > 0 ? "ahead of" : "behind";
  return [
    {
      code: "clock-off",
      severity: apartMs > refuseMs ? "refuse" : "warn",
      sentence: `${whose} is ${span(apartMs)} ${side} the inventory's.`,
      hint: "Keep both machines in time (NTP), and find out which of the two is wrong before one is set.",
    },
  ];
}

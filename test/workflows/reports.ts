/** Reports of leaks, as responders sign them. */
import type { WorkflowHandle } from "@temporalio/client";
import { reportText } from "../../domain/documents.js";
import type { EmergencyReport } from "../../domain/rotation/work.js";
import { expediteUpdate, type Receipt } from "../../workflows/messages.js";
import { digestOf, type House } from "./house.js";
import { type PersonName, signed } from "./people.js";

/** Two who respond to leaks. */
export const both: readonly PersonName[] = ["rashid", "runa"];

/** A report that the responders signed. */
export async function report(
  { installation }: House,
  responders: readonly PersonName[] = both,
  more: Partial<EmergencyReport> = {},
): Promise<EmergencyReport> {
  const ordered = { reason: "seen in a public repository", leaked: ["old"], ...more };
  const digest = digestOf(reportText(ordered));
  const documents = await Promise.all(
    responders.map((person) => signed(person, { installation, says: "emergency", digest })),
  );
  return { documents, evidence: null, ...ordered };
}

/** Reports a leak to a rotation that runs. */
export async function expedite(handle: WorkflowHandle, given: EmergencyReport): Promise<Receipt> {
  return handle.executeUpdate(expediteUpdate, { args: [given] });
}

/** The SQL of an adoption on a real server, without anybody's leave: what `rekey adopt` runs step by step once it was signed. */
import { postgresAdopter } from "../../../adapters/issuers/postgres/adopt-run.js";
import type { PairNames } from "../../../adapters/issuers/postgres/pair.js";
import type { AdopterStep, Call } from "../../../adapters/ports.js";
import type { PgSession } from "../../../adapters/shared/pg.js";
import { RekeyError } from "../../../domain/errors.js";
import { refusals } from "../../../domain/finding.js";

/** Runs what is not done, up to the next step that is a rotation; answers with what was run. */
export async function runAdoption(session: PgSession, pair: PairNames, call: Call): Promise<AdopterStep[]> {
  const adopter = postgresAdopter(session, pair, true);
  const { steps, findings } = await adopter.read(call);
  const [first] = refusals(findings);
  if (first) throw new RekeyError("refused-by-policy", first.sentence);
  const ran: AdopterStep[] = [];
  for (const step of steps) {
    if (step.done) continue;
    if (step.by === "engine") break;
    await adopter.run(step.run, call);
    ran.push(step);
  }
  return ran;
}

/** Undoes everything of which something stands, the last first; answers with what was undone. */
export async function undoAdoption(session: PgSession, pair: PairNames, call: Call): Promise<AdopterStep[]> {
  const adopter = postgresAdopter(session, pair, true);
  const undone: AdopterStep[] = [];
  for (const { id } of [...(await adopter.read(call)).steps].reverse()) {
    const step = (await adopter.read(call)).steps.find((one) => one.id === id);
    if (step === undefined || !step.touched || step.by === "engine") continue;
    await adopter.run(step.undo, call);
    undone.push(step);
  }
  return undone;
}

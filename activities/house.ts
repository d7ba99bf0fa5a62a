/** Dry runs and check-ups: what a rotation would do, what the installation lacks, which credentials are due. */
import { type Finding, refusalOf } from "../domain/finding.js";
import type { Diagnosis, HouseWork } from "../domain/rotation/work.js";
import { dueCredentials, listCredentials, openRotations } from "../inventory/credentials.js";
import { asRekeyError, callWithin, framed } from "./calls.js";
import type { ActivityDeps } from "./deps.js";
import { discoverWork } from "./discover.js";
import { preview } from "./preview.js";
import { acceptRestored } from "./restore.js";
import { takeSignOff } from "./sign-off.js";
import { sourceDiagnoses } from "./source-checks.js";
import { takeStock } from "./stock.js";

/** The activities of the short workflows. None of them changes anything outside. */
export function houseWork(deps: ActivityDeps): HouseWork {
  return {
    ...discoverWork(deps),
    preview: (request) => framed(() => preview(deps, request)),
    takeStock: ({ credential }) => framed(() => takeStock(deps, credential)),
    acceptRestored: ({ document }) => framed(() => acceptRestored(deps, document)),
    diagnose: () => framed(() => diagnose(deps)),
    signOff: ({ credential, document }) => framed(() => takeSignOff(deps, credential, document)),
    openRotations: () => framed(() => openRotations(deps.db)),
    due: ({ policy }) =>
      framed(async () => {
        const due = await dueCredentials(deps.db, deps.now());
        return due.filter((entry) => entry.policy === policy).map((entry) => entry.id);
      }),
  };
}

/** Everything at once, the installation first: what is missing there is missing for every credential. */
async function diagnose(deps: ActivityDeps): Promise<Diagnosis[]> {
  const credentials = await listCredentials(deps.db);
  const [platform, records, notifiers, sources, each] = await Promise.all([
    deps.platform(),
    diagnosis("records", async () => {
      const objection = await deps.restores.objection();
      return objection === null ? [] : [refusalOf(objection)];
    }),
    notifierDiagnoses(deps, credentials[0]?.id),
    sourceDiagnoses(deps),
    Promise.all(
      credentials.map(({ id, name }) =>
        diagnosis(name, async () => (await preview(deps, { credential: id })).findings),
      ),
    ),
  ]);
  return [...platform, records, ...notifiers, ...sources, ...each];
}

/** Notifiers are the estate's, and the same for every credential. */
async function notifierDiagnoses(deps: ActivityDeps, credential: string | undefined): Promise<Diagnosis[]> {
  const systems = credential === undefined ? null : await deps.systems(credential).catch(() => null);
  if (systems === null) return [];
  const names = Object.keys(systems.estate.notifiers);
  return Promise.all(
    systems.notifiers.map((notifier, index) =>
      diagnosis(`notifier ${names[index] ?? index + 1}`, () => notifier.preflight(callWithin())),
    ),
  );
}

/** What it lacks; that it cannot be looked at is one of these things. */
async function diagnosis(subject: string, look: () => Promise<readonly Finding[]>): Promise<Diagnosis> {
  try {
    return { subject, findings: await look() };
  } catch (error) {
    return { subject, findings: [refusalOf(asRekeyError(error))] };
  }
}

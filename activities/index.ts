/** All activities, made from what they need; a worker registers the object as it is. */
import type { HouseWork, RotationWork } from "../domain/rotation/work.js";
import { deliverActivity } from "./deliver.js";
import type { ActivityDeps } from "./deps.js";
import { houseWork } from "./house.js";
import { inHand, systemsInHand } from "./in-hand.js";
import { enableActivity, issueActivity } from "./issue.js";
import { lookActivity } from "./look.js";
import { openActivity } from "./open.js";
import { peopleActivity, recordActivity } from "./people.js";
import { probeActivity } from "./probe.js";
import { proveActivity } from "./prove.js";
import { renewActivity } from "./renew.js";
import { reportActivity } from "./report.js";
import { destroyActivity, disableActivity } from "./revoke.js";
import { seizeActivity } from "./seize.js";
import { verifyActivity } from "./verify.js";

/** The activities by the names that workflows call them. */
export function createActivities(given: ActivityDeps): RotationWork & HouseWork {
  const deps: ActivityDeps = {
    ...given,
    systems: async (credential) => systemsInHand(await given.systems(credential)),
    randomSecret: () => inHand(given.randomSecret()),
  };
  const people = peopleActivity(deps);
  return {
    open: openActivity(deps),
    look: lookActivity(deps),
    seize: seizeActivity(deps),
    issue: issueActivity(deps),
    enable: enableActivity(deps),
    prove: proveActivity(deps),
    probe: probeActivity(deps),
    deliver: deliverActivity(deps),
    renew: renewActivity(deps),
    disable: disableActivity(deps),
    destroy: destroyActivity(deps),
    ask: people,
    turn: people,
    hold: people,
    close: people,
    verify: verifyActivity(deps),
    report: reportActivity(deps),
    record: recordActivity(deps),
    ...houseWork(deps),
  };
}

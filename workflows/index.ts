/** Everything that the worker's workflow bundle holds. */
export { discover, discoverDue } from "./discover.js";
export { acceptRestored, doctor, launch, preview, reconcile, signOff, tend } from "./house.js";
export { rotate } from "./rotate.js";

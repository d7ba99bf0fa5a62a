/** Everything that the worker's workflow bundle holds. */
export { doctor, launch, preview, reconcile, signOff, tend } from "./house.js";
export { rotate } from "./rotate.js";

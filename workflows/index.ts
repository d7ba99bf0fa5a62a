/** Everything that the worker's workflow bundle holds. */
export { doctor, launch, preview, signOff, tend } from "./house.js";
export { rotate } from "./rotate.js";

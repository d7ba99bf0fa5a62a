/** Everything that the worker's workflow bundle holds. */
export { doctor, launch, preview, signOff } from "./house.js";
export { rotate } from "./rotate.js";

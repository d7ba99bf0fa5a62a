/** Everything that the worker's workflow bundle holds. */
export { doctor, launch, preview } from "./house.js";
export { rotate } from "./rotate.js";

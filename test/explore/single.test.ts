/** The exploration of a kind that takes one value at a time, where the issue of the new one is the end of the old one. */
import { holdOnEveryPath } from "./check.js";
import { single } from "./models.js";

holdOnEveryPath([single]);

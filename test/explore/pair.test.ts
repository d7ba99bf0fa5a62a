/** Every path with one pair of slots, two consumers of two instances, and a third version where a leak needs one. */
import { holdOnEveryPath } from "./check.js";
import { pairs } from "./models.js";

holdOnEveryPath(pairs);

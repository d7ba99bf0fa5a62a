/** The exploration of a kind whose versions are checked by others, whose order comes out of its declaration (H28). */
import { holdOnEveryPath } from "./check.js";
import { keys, publicKeys } from "./models.js";

holdOnEveryPath([keys, publicKeys]);

/** Every path with a canary, and with consumers or kinds that know no way back. */
import { holdOnEveryPath } from "./check.js";
import { waves } from "./models.js";

holdOnEveryPath(waves);

/** Every path on which one thing goes wrong and a leak is reported too, at any moment, in the smallest world. */
import { holdOnEveryPath } from "./check.js";
import { alone } from "./models.js";

holdOnEveryPath([alone]);

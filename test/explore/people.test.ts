/** Every path with people in it: owners who sign or do not, readers nobody declared, and somebody else who writes. */
import { holdOnEveryPath } from "./check.js";
import { people } from "./models.js";

holdOnEveryPath(people);

/** Every path on which the store goes away: fences, takeovers and lost answers are settled later, and a leak is revoked in time. */
import { holdOnEveryPath } from "./check.js";
import { away } from "./models.js";

holdOnEveryPath([away]);

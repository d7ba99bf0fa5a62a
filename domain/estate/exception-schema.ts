/** Exceptions as they are written: what an owner takes upon themself until a day, of a credential or of what a source has found (C30). */
import { z } from "zod";
import { type ExceptableCode, exceptable } from "../findings/codes.js";
import { instant, name, sentence } from "./fields.js";

/**
 * What is excepted of one alone: whoever is found next, or the next place at which the value turns up, is nobody whom somebody
 * has taken upon themself (C7).
 */
const ofSomebody: ReadonlySet<string> = new Set<ExceptableCode>([
  "unmapped-reader",
  "unexplained-use",
  "unmapped-copy",
  "last-reading",
  "old-version-read",
]);

/** The field `exceptions` of an entry. */
export function exceptionsField(description: string) {
  return z
    .array(
      z
        .strictObject({
          finding: z.enum(exceptable).describe("Code of the finding that no longer stands in the way."),
          about: sentence(400)
            .optional()
            .describe(
              "The reader, the consumer, the source or the place that it is about; absent: whichever, which readers, uses and copies that nobody has declared never are.",
            ),
          owner: name().describe("Who answers for that."),
          reason: sentence().describe(
            "Why it is right, and what protects in its place until then, in a sentence that an auditor understands.",
          ),
          until: instant().describe("From then on the finding stands in the way again."),
        })
        .refine(({ finding, about }) => about !== undefined || !ofSomebody.has(finding), {
          path: ["about"],
          error: "expected whom or what it is about, as `rekey findings` calls it",
        }),
    )
    .optional()
    .describe(description);
}

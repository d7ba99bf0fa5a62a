/** What a source finds before its first scan, place by place: one that is away does not hide what is wrong with another. */
import { RekeyError } from "../../domain/errors.js";
import { type Finding, refusalOf } from "../../domain/finding.js";

/** Asks each place; a failure of one is a finding about it. Anything but a `RekeyError` is thrown. */
export async function placeFindings<Place extends { readonly name: string }>(
  places: readonly Place[],
  ask: (place: Place) => Promise<Finding[]>,
): Promise<Finding[]> {
  const asked = await Promise.allSettled(places.map(ask));
  return asked.flatMap((answer, index) => {
    if (answer.status === "fulfilled") return answer.value;
    if (!(answer.reason instanceof RekeyError)) throw answer.reason;
    return [{ ...refusalOf(answer.reason), subject: places[index]?.name ?? "" }];
  });
}

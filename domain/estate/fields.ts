/** The small pieces that several sections of the estate share, so that a name or a date is one thing everywhere. */
import { z } from "zod";

const namePattern = /^[a-z][a-z0-9-]{0,62}$/;
const nameExpectation = "expected a name: lower-case letters, digits and dashes, a letter first, at most 63";

/** The name of an entry of a section, and a reference to one. */
export function name() {
  return z.string({ error: nameExpectation }).regex(namePattern, { error: nameExpectation });
}

/** A sentence or a few for people. */
export function sentence(lengthMax = 500) {
  return z.string().min(1).max(lengthMax);
}

const instantPattern =
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,3})?)?(?:Z|[+-][0-9]{2}:[0-9]{2}))?$/;
const instantExpectation =
  "expected a date such as 2027-01-05 (its first moment in UTC) or a time with its offset such as 2027-01-05T18:00:00+01:00";

/** A moment; parsed to ISO 8601 in UTC with milliseconds, so that texts compare as times do. */
export function instant() {
  return z
    .string({ error: instantExpectation })
    .regex(instantPattern, { error: instantExpectation })
    .transform((text, context) => {
      if (isDateOrTime(text)) return new Date(text).toISOString();
      context.addIssue({ code: "custom", message: "expected a day and hour that exist" });
      return z.NEVER;
    });
}

/** The language's own parser takes 30 February for 2 March; zod's formats do not. */
function isDateOrTime(text: string): boolean {
  return z.union([z.iso.date(), z.iso.datetime({ offset: true })]).safeParse(text).success;
}

const addressExpectation = "expected an IP address or a CIDR range, such as 10.0.4.7 or 10.0.4.0/24";

/** An IPv4 or IPv6 address, or a range of them. */
export function address() {
  return z.string({ error: addressExpectation }).refine(isAddress, { error: addressExpectation });
}

const hostPattern = /^(?:\*\.)?[a-z0-9_][a-z0-9_.-]{0,250}$/;
const hostExpectation =
  "expected the name of a host in lower case, such as db1.example.com, *.example.com, or local for a socket; an IP address belongs under `address`";

/** The name of a host, or with `*.` in front of all below it. */
export function host() {
  return z
    .string({ error: hostExpectation })
    .refine((text) => hostPattern.test(text) && !isAddress(text), { error: hostExpectation });
}

function isAddress(text: string): boolean {
  return z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]).safeParse(text).success;
}

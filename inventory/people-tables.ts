/** The tables of migrations 0003 and 0019 as drizzle sees them: what people said, were told and reported, and by what values are known. */

import type { Said } from "../domain/documents.js";
import { inventory, moment } from "./columns.js";
import { bigint, text } from "./orm.js";

/** Signed documents as they came, and what used each of them up. */
export const decisions = inventory.table("decisions", {
  jti: text("jti").primaryKey(),
  rotation: text("rotation"),
  credential: text("credential").notNull(),
  digest: text("digest").notNull(),
  person: text("person").notNull(),
  says: text("says").$type<Said>().notNull(),
  consumer: text("consumer"),
  owners: text("owners").array().notNull(),
  jws: text("jws").notNull(),
  issuedAt: moment("issued_at").notNull(),
  expiresAt: moment("expires_at").notNull(),
  receivedAt: moment("received_at").notNull(),
  burnedAt: moment("burned_at"),
  burnedByRotation: text("burned_by_rotation"),
  burnedByChange: bigint("burned_by_change", { mode: "number" }),
});

/** What was to be told to whom, and when it was. */
export const notices = inventory.table("notices", {
  id: text("id").primaryKey(),
  rotation: text("rotation"),
  kind: text("kind").notNull(),
  recipients: text("recipients").array().notNull(),
  at: moment("at").notNull(),
  sentAt: moment("sent_at"),
});

/** Reported leaks and their later sign-off; never the value. */
export const incidents = inventory.table("incidents", {
  id: text("id").primaryKey(),
  credential: text("credential").notNull(),
  rotation: text("rotation"),
  reason: text("reason").notNull(),
  reportedBy: text("reported_by").notNull(),
  at: moment("at").notNull(),
  matched: text("matched").array().notNull(),
  signOffBy: moment("sign_off_by").notNull(),
  signedOffAt: moment("signed_off_at"),
  signedOffWith: text("signed_off_with"),
});

/** Keyed hashes by which a reported value is recognised. */
export const fingerprints = inventory.table("fingerprints", {
  version: text("version").notNull(),
  credential: text("credential").notNull(),
  hmac: text("hmac").notNull(),
  at: moment("at").notNull(),
});

/** Keyed hashes of values that were live when a rotation looked. */
export const liveValues = inventory.table("live_values", {
  credential: text("credential").notNull(),
  hmac: text("hmac").notNull(),
  firstSeen: moment("first_seen").notNull(),
  lastSeen: moment("last_seen").notNull(),
});

/**
 * Planted bugs, each a patch beside this file, and the cases that have to find them. A harness that finds none of
 * them would also be content with an engine that has them.
 */

/** One planted bug. */
export interface Mutant {
  /** The patch is `<name>.patch`. */
  readonly name: string;
  /** What the patch breaks. */
  readonly breaks: string;
  /** Ids of the cases in which it shows, of which one is enough. */
  readonly cases: readonly string[];
}

/** The planted bugs. */
export const mutants: readonly Mutant[] = [
  {
    name: "fence-removed",
    breaks: "The issuer changes an account whatever tag it carries, so a late write lands.",
    cases: ["postgres-file/back/issue.issuer.enable.1/after-late"],
  },
  {
    name: "promote-without-check-and-set",
    breaks:
      "The store replaces the live document whatever tag it carries, so what is sent again later lands.",
    cases: ["postgres-file/back/deliver.store.promote.1/after-late"],
  },
  {
    name: "others-fields-from-memory",
    breaks: "The store writes the fields of others as they were when it first read the document.",
    cases: ["postgres-file/forward/deliver.store.promote.1/before-store-written"],
  },
  {
    name: "http-fence-removed",
    breaks: "A key at a provider is changed whatever tag it carries.",
    cases: ["http-file/forward/issue.issuer.mint.1/before-late,seize.issuer.seize.1/after-late"],
  },
  {
    name: "intent-after-the-change",
    breaks: "The change is made first, and its intent is written afterwards.",
    cases: ["postgres-file/forward/calm"],
  },
  {
    name: "log-not-awaited",
    breaks: "A change is made although the audit log takes nothing in.",
    cases: ["postgres-file/forward/issue.activity.run.1/before-audit-stopped"],
  },
  {
    name: "hold-copy-missing",
    breaks: "No copy of the old value is kept, so there is nothing to go back to.",
    cases: ["postgres-file/back/calm"],
  },
  {
    name: "sessions-not-ended",
    breaks: "A version is switched off, and its open sessions go on.",
    cases: ["postgres-file/emergency/calm"],
  },
  {
    name: "approval-skipped",
    breaks: "Nobody's signature is waited for.",
    cases: ["postgres-file/signed/calm"],
  },
  {
    name: "seize-skipped",
    breaks: "An unknown outcome is not settled by asking, and nothing is fenced off.",
    cases: [
      "postgres-file/forward/disable.issuer.disable.1/after-timeout",
      "postgres-file/emergency/issue.issuer.enable.1/after-timeout",
    ],
  },
  {
    name: "unknown-taken-for-not-done",
    breaks: "A lost answer counts as nothing having happened.",
    cases: ["postgres-file/forward/issue.issuer.enable.1/after-timeout"],
  },
  {
    // Nobody waits until a time-out of the server's has passed before something is undone: a tag that is raised first
    // makes what was sent harmless, whenever it arrives. So the bug is to go on without raising it.
    name: "undone-before-fenced",
    breaks:
      "After a time-out it is looked at what is there, and gone on without a fence before what may still land.",
    cases: ["postgres-file/forward/issue.issuer.enable.1/before-late"],
  },
  {
    name: "adoption-not-awaited",
    breaks: "The old version is taken away although a consumer is still on it.",
    cases: ["postgres-file/back/calm"],
  },
  {
    name: "drain-not-awaited",
    breaks: "The old version is switched off although somebody is still connected with it.",
    cases: ["postgres-file/signed/calm"],
  },
  {
    name: "drain-without-watermark",
    breaks: "Nobody counts as seen although the engine did not see its own mark in the listing.",
    cases: ["postgres-file/signed/deliver.activity.run.1/before-issuer-blind"],
  },
  {
    name: "reading-not-awaited",
    breaks: "A version is taken away without reading the sources once more.",
    cases: ["postgres-watched/latecomer/calm"],
  },
  {
    name: "failed-reading-taken-for-quiet",
    breaks: "A source that could not be read counts as one in which nobody was seen.",
    cases: ["postgres-watched/stranger/scan_log.source.scan.1/before-error"],
  },
  {
    name: "old-read-not-counted",
    breaks: "A read of the old version by a declared consumer counts as no use of it.",
    cases: ["postgres-watched/pinned/calm"],
  },
  {
    name: "purge-skipped",
    breaks: "Copies of a destroyed version stay in the store.",
    cases: ["postgres-file/forward/calm"],
  },
  {
    name: "another-text-hashed",
    breaks: "The audit log's tree is built of other texts than the entries have.",
    cases: ["postgres-file/forward/calm"],
  },
  {
    name: "value-printed",
    breaks: "A new value is written to the worker's own output.",
    cases: ["postgres-file/forward/calm"],
  },
  {
    name: "proved-at-one-node",
    breaks: "Logins and refusals are proved, and sessions ended, at the primary only.",
    cases: ["postgres-standby/forward/disable.activity.run.1/before-standby-lagging"],
  },
  {
    name: "saved-at-one-node",
    breaks: "Users are saved at the first node only, so a restart of another brings the old password back.",
    cases: ["redis-file/forward/calm"],
  },
  {
    name: "signers-before-verifiers",
    breaks: "A key is signed with although the caches of those who verify do not have it.",
    cases: [
      "jwks-file/forward/calm",
      "jwks-file/signed/calm",
      "jwks-file/back/calm",
      "jwks-file/emergency/calm",
    ],
  },
];

/** Writes docs/reliability.md: what a run of the harness tried, what held, and what nobody has tried yet. */
import type { Figures } from "./tally.js";

const opening = `# Reliability

Written by \`make faults\`; edit \`test/faults/run/report.ts\` instead.

The harness puts faults at the outside calls of a worker and lets an oracle say whether the [invariants](security.md) held. Servers are real (Temporal's development server, PostgreSQL, a Vault and a Redis with a replica for each installation, verifiers of the \`jose\` package, a provider of keys with an HTTP API; for AWS moto's server, which checks keys, signatures and rights), workers are operating-system processes that are killed, frozen and started again, and three services use the credential all the time.

- **Where.** Every call of every adapter, every record in our own database, every activity as Temporal runs it, also of the readings of sources that a rotation waits for: each part of a reading is a call, and each record of it. The list is no list: rotations without a fault are watched, and each call that they make becomes a point. \`test/faults/seams.test.ts\` shows that nothing goes round the seam, and that the product has none.
- **What.** Before and after each call: the worker is killed (SIGKILL), the call fails, the answer is lost after success, the write takes effect after the next step, the call is made twice. A copy that turns up behind a later step may change nothing: the oracle looks right before it and right after. Looks are only killed, failed and silenced. Around each gate: servers stopped, hung and slow, servers that are silent for longer than any call lasts, issuer, store, inventory and audit log read-only, inventory, audit log and the file of Redis's users full, Vault sealed, a log's files away while it is read, inventory, audit log, issuer and store put back to how they were before the rotation, an issuer that shows the engine a listing of sessions in which nobody stands, the worker frozen while another one goes on, the workflow terminated or reset, Temporal's namespace made anew, and somebody else writing their own field of the document. What fails by a restore itself is held against nobody; how it ends is, and what is revoked after it. While nothing can be recorded nothing may change; while the audit log takes nothing in, nothing on the way forward.
- **Which way.** Forward; forward with an owner's signature; back, because a consumer refuses to move; emergency, because the value has leaked; leaked, because a leak is reported while an ordinary rotation is on its way: when its fault is met, or when the new value is delivered. In a world with sources also: somebody whom nobody declared fetches the old value, right after the issue, and the rotation is given up (stranger); or when all consumers have left it and its quiet period runs, and the owner answers for them once the rotation has said who it is (latecomer); or a copy of a declared consumer, which is no stranger, fetches the old version by its number in that time, and once more before the quiet period behind that is over, and then stops (pinned).
- **Who judges.** The oracle reads none of the engine's records. It looks whether each source was read to its end between the delivery and a revocation, by an attempt in which no part failed, and whether whoever only a source shows keeps the old version until somebody has answered for them, and a copy of a consumer until the quiet period after its last fetch is over. It logs in with every value that was ever made, lists accounts with their tags, reads the store, keeps sessions open, asks each consumer for work all the time, has verifiers ask themselves whether a token stays good for as long as it was made to last, reads the file from which a server would take its users after a restart, verifies the audit log of each installation at its end as \`rekey audit verify\` does, against a checkpoint that it kept itself, and searches logs, databases and what people were told for values in plain, encoded and cut forms.

A *world* is one kind of issuer with one store, and stands for a shape of overlap: \`postgres-file\`, \`postgres-folder\` (a file for each field), \`postgres-vault\`, \`postgres-standby\` and \`postgres-pooler\` (everybody comes through PgBouncer) for two accounts, \`postgres-watched\` for what is known of their readers (sessions of the server, and the audit log of the Vault; faults are put at readings, at looks and at what takes a version away, as the rest is that of \`postgres-vault\`), \`redis-file\` for several secrets of one account (a primary and a replica, sessions that show no version), \`iam-secrets-manager\` for several secrets that AWS makes (no compare-and-set, a region that hears of a key later than the others; AWS Secrets Manager is the store), \`jwks-file\` for several keys (signers, and verifiers with caches), \`http-file\` for none (a provider that bears one value at a time: there is no way back, and whoever holds the old value fails until the new one reaches it). \`make faults WORLD=redis-file\` tries one of them.

A failing case prints the one command that repeats it: \`make faults CASE=<id>\`. \`make faults MUTANTS=1\` plants [bugs](planted-bugs.md) in copies of the tree, and says of each by which invariant it was found and in which case. \`make test\` runs a sample.
`;

const open = `## Not tried yet

- In this matrix: an inventory that was restored in other worlds than
  \`postgres-file\` and \`postgres-vault\`; issuers other than
  PostgreSQL, and stores other than \`file\`, that were restored.
- A store that is put back between the last look and a revocation: consumers are on the old value again, and nobody can see it in time.
  Where that was the destroying, what consumers read is dead, and only a person can help: see [operations](operations.md#backup).
- A full disk at issuers and stores, where it needs a disk of its own for each lane. PostgreSQL ends when its own disk is full, which is tried as stopped;
  a provider that sets it read-only before that is tried, and so is Redis that cannot save its users. A store of files answers as one that does not answer.
- A namespace that is made anew while a rotation is just being opened: the run of the lost one wakes up and takes the rotation
  from the one that took it up, and whoever looks for orphans next goes on with it.
- A pooler that shares connections between clients, or has its logins in a list of its own: PgBouncer is tried in session
  mode, where it asks the server. \`test/contract/issuers/postgres-pooler.test.ts\` tries the others.
- Readings by other sources than \`vault-audit\` and \`postgres-activity\`, and faults in a reading that is so long that it is handed on.
- Verifiers that cannot fetch the key set: the doors are between the engine and the servers.
- AWS itself: moto answers for it, in one place. Of a region that is behind, its STS is late, and nothing else.
- Kinds other than those named above: each needs one file in \`test/faults/worlds/\`.
- Two faults at once, except behind a lost answer.
`;

/** The page, from a run's figures. */
export function reliabilityPage(figures: Figures): string {
  const {
    cases,
    matrix,
    strata,
    strataMet,
    missed,
    violations,
    seed,
    invariants,
    faults,
    outcomes,
    worlds,
    minutes,
    kills,
    orders,
  } = figures;
  const rows = invariants.map(({ name, asked, failed }) => `| ${name} | ${asked} | ${failed} |`);
  const listed = (entries: readonly (readonly [string, number])[]) =>
    entries.map(([name, count]) => `| ${name} | ${count} |`).join("\n");
  return `${opening}
## The last run

${cases} distinct cases in ${minutes} minutes with seed ${seed}, one world after the other; the matrix of these worlds has ${matrix} cases. Of ${strata} kinds of case (a fault, at a kind of call, in a direction, of a world; an outage in whatever direction) ${strataMet} were met: changes have their turns most often, kills least. ${violations} violations. ${kills} workers were killed. In ${missed} further cases the point was not reached, and they say nothing. An operator was called ${orders} times, and had it tried again.

| World | Cases |
|---|---|
${listed(worlds)}

| Invariant | Times asked | Did not hold |
|---|---|---|
${rows.join("\n")}

| Fault | Cases |
|---|---|
${listed(faults)}

| Direction and end | Cases |
|---|---|
${listed(outcomes)}

${open}`;
}

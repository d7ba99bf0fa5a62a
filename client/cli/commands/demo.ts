/** `rekey demo`: three services under load while their password is rotated, taken back, and rotated in an emergency. */
import { Option } from "commander";
import { command, option } from "../command.js";

const acts = ["1", "2", "3"];

/** Plays the acts, and answers with 0 only when every count was as it must be. */
export const demo = command<{ store: "file" | "vault"; keep?: boolean; act?: string }>({
  usage: "demo",
  summary: "Watch a live password being rotated under load, in three acts",
  description:
    "1: a rotation with an owner's approval. 2: a service refuses to move, and everything goes back.\n" +
    "3: a leaked value. Leaves nothing running and no file behind, unless --keep is given.",
  options: [
    new Option("--store <kind>", "where the secrets are kept").choices(["file", "vault"]).default("file"),
    option("--keep", "leave its files for a look at them").env("KEEP"),
    new Option("--act <number>", "only this act").choices(acts),
  ],
  examples: [
    ["rekey demo", "all three acts, under a minute"],
    ["rekey demo --store vault --act 3", "the emergency, with a real Vault"],
  ],
  run: (cli, _args, { store, keep, act }) =>
    cli.deps.processes.demo({ store, keep: keep === true, act: act === undefined ? null : Number(act) }),
});

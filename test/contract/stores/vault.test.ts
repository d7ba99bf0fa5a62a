/** The Vault store passes the stores' contract on a real Vault, with no more rights than `rekey grants vault` gives. */
import { storeContract } from "../store.js";
import { vaultWorld } from "./vault-world.js";
import { wiredStoreContract } from "./wired.js";

storeContract("vault", () => vaultWorld());
wiredStoreContract("vault", () => vaultWorld());

// Without PATCH the whole document is written under check-and-set: other rights, the same promises.
storeContract("vault, policy without patch", () =>
  vaultWorld((printed) => printed.replace('"create", "read", "patch"', '"create", "read", "update"')),
);

/** The Vault store passes the stores' contract on a real Vault and a real OpenBao, with no more rights than `rekey grants vault` gives. */
import { vaultMakers } from "../../setup/servers.js";
import { storeContract } from "../store.js";
import { vaultWorld } from "./vault-world.js";
import { wiredStoreContract } from "./wired.js";

for (const maker of vaultMakers) {
  storeContract(maker, () => vaultWorld(maker));
  wiredStoreContract(maker, () => vaultWorld(maker));

  // Without PATCH the whole document is written under check-and-set: other rights, the same promises.
  storeContract(`${maker}, policy without patch`, () =>
    vaultWorld(maker, (printed) =>
      printed.replace('"create", "read", "patch"', '"create", "read", "update"'),
    ),
  );
}

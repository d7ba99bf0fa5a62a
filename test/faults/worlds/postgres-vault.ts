/** Two accounts at PostgreSQL, their document in Vault's KV version 2: check-and-set, and a server of its own. */
import { postgresAccount } from "./postgres-account.js";
import { vaultPlace } from "./vault-place.js";
import type { World, WorldKind } from "./world.js";

/** The world `postgres-vault`. */
export const postgresVault: WorldKind = {
  servers: ["issuer", "store"],
  blinds: true,
  seals: true,
  readOnly: ["issuer", "store"],
  restored: ["issuer"],
  goesOnRestored: true,
  isShared: true,
  async open({ folder, shop, vault }, index): Promise<World> {
    const { first, drop, ...issuerHalf } = await postgresAccount(shop, folder, index);
    const own = await vault(index);
    const { readOnly, serviceEnv, port, throughDoor, ...place } = await vaultPlace(folder, own, index, first);
    return {
      ...issuerHalf,
      ...place,
      seal: own.seal,
      readOnly: { ...issuerHalf.readOnly, store: readOnly },
      serviceEnv: { ...issuerHalf.serviceEnv, ...serviceEnv },
      servers: { ...issuerHalf.servers, store: { host: "127.0.0.1", port } },
      through: (doors) => ({
        issuer: issuerHalf.throughDoors(doors),
        store: throughDoor(doors.store),
      }),
      stop: drop,
    };
  },
};

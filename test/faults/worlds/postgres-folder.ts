/** Two accounts at PostgreSQL, their document in a folder with a file for each field: readers could meet two versions at once. */
import { folderPlace } from "./folder-place.js";
import { postgresAccount } from "./postgres-account.js";
import type { World, WorldKind } from "./world.js";

/** The world `postgres-folder`. */
export const postgresFolder: WorldKind = {
  servers: ["issuer"],
  blinds: true,
  readOnly: ["issuer", "store"],
  restored: ["issuer"],
  isShared: true,
  async open({ folder: base, shop }, index): Promise<World> {
    const { first, drop, ...issuerHalf } = await postgresAccount(shop, base, index);
    const { folder, readOnly, ...place } = await folderPlace(base, index, first);
    return {
      ...issuerHalf,
      ...place,
      readOnly: { ...issuerHalf.readOnly, store: readOnly },
      serviceEnv: { ...issuerHalf.serviceEnv, STORE_FOLDER: folder },
      through: (ports) => ({ issuer: issuerHalf.throughDoors(ports), store: place.store }),
      stop: drop,
    };
  },
};

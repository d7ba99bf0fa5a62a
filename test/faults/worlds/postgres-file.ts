/** Two accounts at PostgreSQL, their document in a file: no server in between, and every copy in plain sight. */
import { filePlace } from "./file-place.js";
import { postgresAccount } from "./postgres-account.js";
import type { ShopServer, World, WorldKind } from "./world.js";

/** The world `postgres-file`. */
export const postgresFile: WorldKind = {
  servers: ["issuer"],
  blinds: true,
  readOnly: ["issuer", "store"],
  restored: ["issuer", "store"],
  goesOnRestored: true,
  isShared: true,
  open: async ({ folder, shop }, index) => openOn(shop, folder, index),
};

/** The world `postgres-standby`: the same with a server behind the first one, which hears of everything later. */
export const postgresStandby: WorldKind = {
  servers: ["issuer", "standby"],
  blinds: true,
  readOnly: ["issuer", "store"],
  restored: ["issuer", "store"],
  isShared: true,
  open: async ({ folder, replicated }, index) => openOn(await replicated(), folder, index),
};

async function openOn(shop: ShopServer, folder: string, index: number): Promise<World> {
  const { first, drop, ...issuerHalf } = await postgresAccount(shop, folder, index);
  const { file, readOnly, backup, ...place } = await filePlace(folder, index, first);
  return {
    ...issuerHalf,
    ...place,
    readOnly: { ...issuerHalf.readOnly, store: readOnly },
    backups: { ...issuerHalf.backups, store: backup },
    serviceEnv: { ...issuerHalf.serviceEnv, STORE_FILE: file },
    through: (ports) => ({ issuer: issuerHalf.throughDoors(ports), store: place.store }),
    stop: drop,
  };
}

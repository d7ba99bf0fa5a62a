/** Two accounts at PostgreSQL, their document in a file: no server in between, and every copy in plain sight. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { postgresAccount } from "./postgres-account.js";
import type { ShopServer, World, WorldKind } from "./world.js";

/** The world `postgres-file`. */
export const postgresFile: WorldKind = {
  servers: ["issuer"],
  open: async ({ folder, shop }, index) => openOn(shop, folder, index),
};

/** The world `postgres-standby`: the same with a server behind the first one, which hears of everything later. */
export const postgresStandby: WorldKind = {
  servers: ["issuer", "standby"],
  open: async ({ folder, replicated }, index) => openOn(await replicated(), folder, index),
};

async function openOn(shop: ShopServer, folder: string, index: number): Promise<World> {
  const { first, drop, ...issuerHalf } = await postgresAccount(shop, index);
  const directory = join(folder, `live-${index}`);
  const stagingDirectory = join(folder, `staging-${index}`);
  await mkdir(directory, { mode: 0o755 });
  await mkdir(stagingDirectory, { mode: 0o700 });
  const file = join(directory, "orders-db.json");
  const store = { kind: "file", directory, stagingDirectory };
  await writeFile(file, JSON.stringify(first), { mode: 0o400 });
  return {
    ...issuerHalf,
    serviceEnv: { ...issuerHalf.serviceEnv, STORE_FILE: file },
    store,
    through: (ports) => ({ issuer: issuerHalf.throughDoors(ports), store }),
    place: { path: "orders-db.json" },
    live: async () => JSON.parse(await readFile(file, "utf8")) as Record<string, string>,
    copies: async () => {
      const entries = await readdir(stagingDirectory, { recursive: true, withFileTypes: true });
      // A draft that a killed writer left behind is a copy, too.
      return entries
        .filter(({ name }) => name.endsWith(".json") || name.includes("rekey-tmp"))
        .filter((entry) => entry.isFile())
        .map(({ name }) => name.replace(/\.json$/, ""))
        .sort();
    },
    stop: drop,
  };
}

/** The store of folders passes the stores' contract on a real disk. */
import { storeContract } from "../store.js";
import { folderWorld } from "./folder-world.js";

storeContract("folder", folderWorld);

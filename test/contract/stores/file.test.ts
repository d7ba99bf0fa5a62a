/** The file store passes the stores' contract on a real disk, plain and encrypted. */
import { storeContract } from "../store.js";
import { fileWorld } from "./file-world.js";

storeContract("file, plain", () => fileWorld("plain"));
storeContract("file, age", () => fileWorld("age"));

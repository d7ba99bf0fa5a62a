/** The Secrets Manager store passes the stores' contract against moto's server. */
import { storeContract } from "../store.js";
import { secretsManagerWorld } from "./aws-secrets-manager-world.js";
import { wiredStoreContract } from "./wired.js";

storeContract("aws-secrets-manager", secretsManagerWorld);
wiredStoreContract("aws-secrets-manager", secretsManagerWorld);

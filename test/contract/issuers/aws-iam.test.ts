/** Access keys of IAM users pass the issuers' contract, and that of issuers that make the values, against moto's server. */
import { issuerContract } from "../issuer.js";
import { mintingContract } from "../minting.js";
import { iamWorld } from "./aws-iam-world.js";

issuerContract("aws-iam", iamWorld);
mintingContract("aws-iam", iamWorld);

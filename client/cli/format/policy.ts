/** By which policy a credential is rotated, and why that one. */
import type { CredentialView } from "../../../inventory/credentials.js";

/** The name where the credential names it itself; otherwise with the class that chose it. */
export function policyText({ policy, policyBy, class: kind }: CredentialView): string {
  return policyBy === undefined ? policy : `${policy}, which takes the class ${kind}`;
}

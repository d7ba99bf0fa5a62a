/**
 * What an identity or its secret can be. The order counts: of what several sources say of one thing, what stands later tells
 * more. An account is what nearly everything can be taken for; a key, a token and a certificate say how it shows itself; a
 * workload's identity, a key that signs and an agent are what only somebody knows who knows the thing itself.
 */
export const credentialClasses = [
  "service-account",
  "api-key",
  "token",
  "certificate",
  "workload-identity",
  "signing-key",
  "agent",
] as const;

/** One of them; rules, intervals and telemetry follow from it (capabilities.md, C5). */
export type CredentialClass = (typeof credentialClasses)[number];

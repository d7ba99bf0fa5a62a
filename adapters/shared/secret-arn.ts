/**
 * What an ARN of AWS Secrets Manager says of the secret's name. It ends in six characters made by chance, which may be left out
 * wherever a secret is asked for by its ARN.
 */

/** Where the secret is, and what it may be called. */
export interface SecretArn {
  readonly region: string;
  readonly account: string;
  /** One name, or two where the end may be either the name's own or made by chance. Never empty. */
  readonly names: readonly string[];
}

/** Null for what is no ARN of a secret. */
export function secretArn(text: string): SecretArn | null {
  const [arn, partition = "", service, region = "", account = "", type, ...rest] = text.split(":");
  const whole = rest.join(":");
  if (arn !== "arn" || !partition.startsWith("aws") || service !== "secretsmanager") return null;
  if (type !== "secret" || whole === "") return null;
  const [, name = "", end = ""] = /^(.*)-([A-Za-z0-9]{6})$/.exec(whole) ?? [];
  if (name === "") return { region, account, names: [whole] };
  // `prod-orders` may be a name; `prod-aB3xYz` hardly is one.
  const isByChance = /[a-z]/.test(end) && /[A-Z]/.test(end);
  return { region, account, names: isByChance ? [name] : [name, whole] };
}

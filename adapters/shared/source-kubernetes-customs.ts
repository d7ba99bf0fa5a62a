/** How single groups of operators' kinds name Secrets, where no custom of many says it: each as the operator's own manual has it. */

/** What counts in one group. */
export interface Custom {
  /** True where a map of `name` and `key` selects a Secret's entry whatever its field is called. */
  readonly selectors?: true;
  /** Fields that hold the name of a Secret as a text. */
  readonly names?: RegExp;
  /** Fields that hold a list of names. */
  readonly lists?: RegExp;
  /** Fields beside `secretName` that name its entry. */
  readonly entries?: readonly string[];
}

const traefik: Custom = {
  names: /^(?:secret|caSecret|certSecret)$/,
  lists: /^(?:rootCAsSecrets|certificatesSecrets)$/,
};
const prometheus: Custom = { selectors: true, lists: /^secrets$/ };
const ansible: Custom = { names: /_secret$/ };

const customs: ReadonlyMap<string, Custom> = new Map<string, Custom>([
  ["monitoring.coreos.com", prometheus],
  ["operator.victoriametrics.com", prometheus],
  // What a store or a generator logs in by; where Secrets are filled has a rule of its own.
  ["external-secrets.io", { selectors: true }],
  ["generators.external-secrets.io", { selectors: true }],
  ["openfaas.com", { lists: /^secrets$/ }],
  ["kafka.strimzi.io", { entries: ["certificate", "key", "password"] }],
  ["postgresql.cnpg.io", { selectors: true }],
  ["traefik.io", traefik],
  ["traefik.containo.us", traefik],
  ["configuration.konghq.com", { lists: /^credentials$/ }],
  ["tower.ansible.com", ansible],
  ["awx.ansible.com", ansible],
]);

const none: Custom = {};

/** The customs of a group; none for one without. */
export function customOf(group: string): Custom {
  return customs.get(group) ?? none;
}

/** The estate that `rekey init` writes: one credential and two consumers, with the reason for each line beside it. */

/** The file's text. It is valid once a person has a key. */
export const starterEstate = `# What exists and what the rules are. Keep it under version control, and review changes like code.
# No secret stands here: where one is needed, write env:NAME, file:/path or vault:path#key.
# \`rekey validate\` checks it, \`rekey schema\` prints a JSON Schema for your editor.
version: 1
installation: my-rekey # its name; an inventory takes the estate of no other one

# Who answers. Persons sign with a key that only they have; teams are lists of persons.
owners:
  alice:
    kind: person
    email: alice@example.com
    keys: [] # the line that \`rekey keygen --as alice\` prints
  orders-team:
    kind: team
    members: [alice]

# Where secrets are kept. Kinds: file, folder, vault, aws-secrets-manager.
stores:
  files:
    kind: file
    directory: /var/lib/rekey/live # consumers read here
    stagingDirectory: /var/lib/rekey/staging # only the engine reads here

# What accepts them. \`rekey grants postgres\` prints what a DBA runs there once.
issuers:
  orders-pg:
    kind: postgres
    host: 127.0.0.1
    port: 5432
    database: orders
    login:
      username: rekey_a
      password: env:REKEY_PG_PASSWORD

# Where the use of credentials is visible. While somebody is seen there whom no consumer accounts for, nothing is rotated.
sources:
  orders-sessions:
    kind: postgres-activity # who is connected
    issuer: orders-pg
    host: 127.0.0.1
    port: 5432
    database: orders
    login:
      username: rekey_a
      password: env:REKEY_PG_PASSWORD
    owner: orders-team
    every: 10m # and whenever somebody asks: \`rekey discover\`

# How patient, how strict, how often. What is left out has a default that suits production.
policies:
  standard:
    interval: 90d # how often; absent: only when somebody asks
    approval:
      quorum: 1 # how many persons have to sign
    quietPeriod: 1h # nobody on the old one for this long before it is switched off
    disableSoak: 1d # how long the old one can still come back

# Whatever uses credentials, and how Rekey sees which version each instance holds.
consumers:
  orders-api:
    purpose: Takes orders and answers for them.
    owner: orders-team
    observe:
      - kind: http-attest # the kit in \`kit/\` answers it
        instances: [http://127.0.0.1:8081] # each on its own, never a balancer
    match:
      applicationName: [orders-api] # how its sessions are recognised at the issuer
    maxPoolLife: 30m
    maxCacheLife: 1m
    cadence: 1m # the longest normal gap between two uses
  orders-report:
    purpose: Counts the orders of a day, every night.
    owner: orders-team
    observe:
      - kind: confirmation # a person looks and confirms
        who: the orders team, after the nightly report
    match:
      applicationName: [orders-report]
    maxPoolLife: 0s
    maxCacheLife: 0s
    cadence: 1d

# The secrets themselves, as logical things.
credentials:
  orders-db:
    class: service-account
    purpose: The orders service's login to its database.
    owner: orders-team
    policy: standard
    issuer: orders-pg
    account:
      group: orders # the role that owns everything
      logins: [orders_a, orders_b] # the two that take turns; \`rekey adopt orders-db\` makes them
    store: files
    place:
      path: orders/db.json
    consumers: [orders-api, orders-report]
`;

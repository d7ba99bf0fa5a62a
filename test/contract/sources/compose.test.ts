/** The source of docker compose files, against files as people write them. */
import { expect, it } from "vitest";
import { compose } from "../../../adapters/sources/compose.js";
import { testMark } from "../../support/mark.js";
import { edgeText, leaked, leakedAddress, sourceContract, thingText } from "../source.js";
import { folderCase, fresh, odd, saidOf } from "./folder-world.js";

const password = fresh("pw");
const token = fresh("tok");

const composeFile = `
name: shop
x-db: &db
  DB_HOST: db
  DB_PASSWORD: ${password}
services:
  api:
    image: shop/api:1
    environment:
      <<: *db
      MODE: production
    secrets:
      - db_password
      - { source: tls_key, target: /run/tls.key }
    env_file: [ config/api.env ]
  worker:
    environment:
      - API_TOKEN=\${API_TOKEN:-${token}}
    build: { context: ., secrets: [npm] }
secrets:
  db_password: { file: ./secrets/db.txt }
  tls_key: { external: true, name: edge-key }
  npm: { environment: NPM_TOKEN }
`;

const api = "reader(workload=compose shop/api)";
const worker = "reader(workload=compose shop/worker)";

sourceContract(
  "compose",
  folderCase({
    kind: compose,
    files: {
      "compose.yaml": composeFile,
      "config/api.env": `SMTP_PASSWORD=${password}\nPORT=80\n`,
      "notes.yaml": "services: { other: { secrets: [no] } }",
    },
    whole: true,
    shown: [
      `${api} uses location(compose shop secrets.db_password) declared`,
      `${api} uses location(compose shop secrets.tls_key) declared`,
      `${api} uses location(repository shop compose.yaml#services.api.environment.DB_PASSWORD) declared`,
      `${api} uses location(repository shop config/api.env) declared`,
      `${api} uses location(repository shop config/api.env#SMTP_PASSWORD) declared`,
      `${worker} uses location(compose shop environment.API_TOKEN) declared`,
      `${worker} uses location(repository shop compose.yaml#services.worker.environment.API_TOKEN) declared`,
      `${worker} uses location(compose shop secrets.npm) declared`,
      "location(compose shop secrets.db_password) depends-on location(repository shop secrets/db.txt) declared",
      "location(compose shop secrets.tls_key) depends-on location(docker secrets edge-key) declared",
      "location(compose shop secrets.npm) depends-on location(compose shop environment.NPM_TOKEN) declared",
    ],
    planted: {
      files: { "mail/docker-compose.yml": "services: { out: { secrets: [smtp] } }" },
      edge: "reader(workload=compose mail/out) uses location(compose mail secrets.smtp) declared",
    },
    spoiled: {
      files: {
        "a/compose.yaml": `services: { api: { environment: [ "PASSWORD=${password}" }`,
        "b/compose.yaml": "services: { api: { secrets: [late] } }",
      },
      edge: "reader(workload=compose b/api) uses location(compose b secrets.late) declared",
    },
    leaking: {
      "leak/compose.yaml": `
include: [ "${leakedAddress}/x.yaml", { path: "https://x.example/x.yaml?sig=${leaked}" } ]
services:
  far: { extends: { file: "${leakedAddress}/y.yaml", service: x } }
  near: { extends: { service: "${leakedAddress}" }, secrets: [ "${leakedAddress}" ] }
  files: { env_file: [ "${leakedAddress}/a.env", "b.env?sig=${leaked}", "/etc/${leakedAddress}" ] }
  mounts: { volumes: [ { type: bind, source: "${leakedAddress}" }, "./b?sig=${leaked}:/b", "${leakedAddress}:/c" ], configs: [ c, d ], label_file: "${leakedAddress}" }
configs: { c: { file: "${leakedAddress}/c" }, d: { external: { name: "${leakedAddress}" } } }
secrets: { s: { file: "${leakedAddress}/s" }, t: { external: { name: "${leakedAddress}" } } }
`,
    },
    odd: {
      files: {
        [`a${odd.file}/compose.yaml`]: `services: { ${odd.text}: { secrets: [ ${odd.text} ], env_file: [ ${odd.text} ] } }`,
        "b/compose.yaml": "services: { api: { secrets: [late] } }",
      },
      edge: "reader(workload=compose b/api) uses location(compose b secrets.late) declared",
    },
    large: (names) => ({ "a/compose.yaml": `services: { api: { secrets: [ ${names} ] } }` }),
    values: [password, token],
  }),
);

it("marks a literal as the same value wherever it stands, in an address too", async () => {
  const { copies } = await saidOf(compose, {
    "compose.yaml": `services:
  a: { environment: { DB_PASSWORD: ${password} } }
  b: { environment: { DATABASE_URL: "postgres://orders:${password}@db:5432/orders?sslmode=require" } }
  c: { command: [ serve, "--api-key=${token}" ] }
  d: { command: "redis-server --requirepass ${password} --port 6379" }
  e: { command: [ redis-server, --requirepass, ${password} ] }
  f: { entrypoint: [ sh, -c, "exec serve --token '${token}' --password=${password}; wait" ] }
  g: { command: [ build, --secret, id=npm, --password, --port, "80" ] }
`,
  });
  expect(copies.map(({ at, mark, literal }) => [thingText(at), mark, literal])).toEqual([
    ["location(repository shop compose.yaml#services.a.environment.DB_PASSWORD)", testMark(password), true],
    ["location(repository shop compose.yaml#services.b.environment.DATABASE_URL)", testMark(password), true],
    ["location(repository shop compose.yaml#services.c.command.1)", testMark(token), true],
    ["location(repository shop compose.yaml#services.d.command)", testMark(password), true],
    ["location(repository shop compose.yaml#services.e.command.2)", testMark(password), true],
    ["location(repository shop compose.yaml#services.f.entrypoint.2)", testMark(token), true],
    ["location(repository shop compose.yaml#services.f.entrypoint.2)", testMark(password), true],
  ]);
});

it("names a literal that is too common to be compared, without a hash", async () => {
  const { claims, copies, listed } = await saidOf(compose, {
    "compose.yaml": "services: { db: { environment: { POSTGRES_PASSWORD: postgres, MYSQL_PASSWORD: abc } } }",
  });
  expect(listed.map(({ thing }) => thingText(thing))).toEqual([
    "location(repository shop compose.yaml#services.db.environment.POSTGRES_PASSWORD)",
    "location(repository shop compose.yaml#services.db.environment.MYSQL_PASSWORD)",
  ]);
  expect(claims.map(edgeText)).toEqual([
    "reader(workload=compose shop/db) uses location(repository shop compose.yaml#services.db.environment.POSTGRES_PASSWORD) declared",
    "reader(workload=compose shop/db) uses location(repository shop compose.yaml#services.db.environment.MYSQL_PASSWORD) declared",
  ]);
  expect(copies.map(({ mark, literal, sentence }) => [mark, literal, sentence])).toEqual([
    ["", true, "a password at services.db.environment.POSTGRES_PASSWORD of compose.yaml"],
    ["", true, "a password at services.db.environment.MYSQL_PASSWORD of compose.yaml"],
  ]);
});

it("takes no reference, path or placeholder for a value", async () => {
  const { claims, copies } = await saidOf(compose, {
    "compose.yaml": `services:
  db:
    environment:
      POSTGRES_PASSWORD_FILE: /run/secrets/db_password
      ADMIN_PASSWORD: /run/secrets/admin
      API_KEY: <your-key>
      SECRET_KEY: changeme-please
      TOKEN_URL: https://login.example.com/oauth/token
      PASSWORD_MIN_LENGTH: "12345678"
`,
  });
  expect(claims).toEqual([]);
  expect(copies).toEqual([]);
});

it("follows extends in the file and in another one, and says what it cannot follow", async () => {
  const { claims, gaps } = await saidOf(compose, {
    "compose.yaml": `include: [ infra.yaml ]
services:
  base: { secrets: [one] }
  near: { extends: base }
  far: { extends: { file: ./common/services.yaml, service: shared } }
  lost: { extends: { file: ../elsewhere.yaml, service: shared } }
`,
    "common/services.yaml": "services: { shared: { extends: { service: deep } }, deep: { secrets: [two] } }",
  });
  expect(claims.map(edgeText).sort()).toEqual(
    [
      "reader(workload=compose shop/base) uses location(compose shop secrets.one) declared",
      "reader(workload=compose shop/far) uses location(compose shop secrets.two) declared",
      "reader(workload=compose shop/near) uses location(compose shop secrets.one) declared",
    ].sort(),
  );
  expect(gaps).toEqual([
    expect.stringContaining("services.lost of compose.yaml extends"),
    expect.stringContaining("What compose.yaml includes (infra.yaml) is not known"),
  ]);
});

it("names an env_file that is not in the folder as a gap", async () => {
  const { claims, gaps } = await saidOf(compose, {
    "compose.yaml": "services: { api: { env_file: { path: /etc/shop/api.env, required: false } } }",
  });
  expect(claims.map(edgeText)).toEqual([
    "reader(workload=compose shop/api) uses location(host of compose shop /etc/shop/api.env) declared",
  ]);
  expect(gaps).toEqual([expect.stringContaining("/etc/shop/api.env, whose content is not known")]);
});

it("knows a service's value again in the middle of its commands", async () => {
  const { claims, copies } = await saidOf(compose, {
    "compose.yaml": `services:
  db:
    environment: { SA_PASSWORD: ${password} }
    healthcheck: { test: [ CMD-SHELL, "sqlcmd -U sa -P ${password} -Q 'SELECT 1'" ] }
  other: { command: "sqlcmd -U sa -P ${token}" }
`,
  });
  expect(copies.map(({ at, mark }) => [thingText(at), mark])).toEqual([
    ["location(repository shop compose.yaml#services.db.environment.SA_PASSWORD)", testMark(password)],
    ["location(repository shop compose.yaml#services.db.healthcheck.test.1)", testMark(password)],
  ]);
  expect(claims.map(edgeText)).toContain(
    "reader(workload=compose shop/db) uses location(repository shop compose.yaml#services.db.healthcheck.test.1) declared",
  );
});

it("repeats nothing of a list's entry that names no variable, and reports it", async () => {
  const shaped = `ghp_${"a1B2".repeat(9)}`;
  const found = await saidOf(compose, {
    "compose.yaml": `services:
  api:
    environment:
      - API_TOKEN
      - "DB_PASSWORD: ${password}"
      - "the password is ${token}=x"
      - ${shaped}
    build: { args: [ { NPM_TOKEN: ${token} } ] }
`,
  });
  expect(found.claims.map(edgeText)).toEqual([
    "reader(workload=compose shop/api) uses location(compose shop environment.API_TOKEN) declared",
  ]);
  const why = (index: number) => `entry ${index} of the list names no variable`;
  expect(found.malformed).toEqual([
    { where: "compose.yaml services.api.environment", why: why(2) },
    { where: "compose.yaml services.api.environment", why: why(3) },
    { where: "compose.yaml services.api.environment", why: why(4) },
    { where: "compose.yaml services.api.build.args", why: why(1) },
  ]);
  for (const value of [password, token, shaped]) expect(JSON.stringify(found)).not.toContain(value);
});

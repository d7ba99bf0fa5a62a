/** What a service reads without a word of its own in `environment`: files and folders that it mounts, configs, hooks, and what fills its variables. */
import { expect, it } from "vitest";
import { compose } from "../../../adapters/sources/compose.js";
import { testMark } from "../../support/mark.js";
import { edgeText, thingText } from "../source.js";
import { type Files, fresh, saidOf } from "./folder-world.js";

const password = fresh("pw");
const token = fresh("tok");

const said = async (files: Files) => {
  const { claims, copies, gaps, malformed } = await saidOf(compose, files);
  return {
    edges: claims.map(edgeText).map((edge) => edge.replace(/ declared$/, "")),
    copies: copies.map(({ at, mark }) => [
      thingText(at).replace(/^location\(repository shop |\)$/g, ""),
      mark,
    ]),
    gaps,
    malformed,
  };
};
const service = (name: string) => `reader(workload=compose shop/${name})`;
const inFile = (path: string) => `location(repository shop ${path})`;
const uses = (name: string, path: string) => `${service(name)} uses ${inFile(path)}`;

it("takes a service for a reader of the files that it mounts, in which a secret stands", async () => {
  const { edges, copies, gaps } = await said({
    "compose.yaml": `services:
  a: { volumes: [ "./secrets/db.txt:/run/db.txt:ro", "./notes.txt:/notes.txt" ] }
  b: { volumes: [ { type: bind, source: config/app.env, target: /app/.env } ] }
  c: { volumes: [ "\${PWD}/conf/redis.conf:/etc/redis.conf", "\${SQL:-./init}:/docker-entrypoint-initdb.d" ] }
  d: { volumes: [ "settings:/settings", "data:/data" ] }
  e: { volumes_from: [ "a:ro" ] }
volumes:
  data: {}
  settings: { driver_opts: { type: none, o: bind, device: ./conf } }
`,
    "secrets/db.txt": `${password}\n`,
    "notes.txt": "how to start it\n",
    "config/app.env": `DB_PASSWORD=${password}\nMODE=test\n`,
    "conf/redis.conf": `# of the cache\nrequirepass ${token}\nport 6379\n`,
    "conf/nginx.conf": "location / {\n  proxy_pass http://backend:8000;\n}\n",
    "init/01.sql": `CREATE USER orders WITH PASSWORD '${password}';\n`,
  });
  expect(edges).toEqual([
    uses("a", "secrets/db.txt"),
    uses("b", "config/app.env"),
    `${inFile("config/app.env#DB_PASSWORD")} stored-in ${inFile("config/app.env")}`,
    uses("c", "conf/redis.conf"),
    `${inFile("conf/redis.conf#requirepass")} stored-in ${inFile("conf/redis.conf")}`,
    uses("c", "init/01.sql"),
    uses("d", "conf/redis.conf"),
    uses("e", "secrets/db.txt"),
  ]);
  expect(copies).toEqual([
    ["secrets/db.txt", testMark(password)],
    ["config/app.env#DB_PASSWORD", testMark(password)],
    ["conf/redis.conf#requirepass", testMark(token)],
    ["init/01.sql", testMark(password)],
  ]);
  expect(gaps).toEqual([]);
});

it("looks into a folder that is mounted, and into no program and no folder that is left out", async () => {
  const { edges } = await said({
    "compose.yaml": `services: { web: { volumes: [ ".:/app" ] } }`,
    "app.yml": `database: { password: ${password} }\n`,
    "src/main.py": `password = "${password}"\n`,
    "node_modules/x/.env": `TOKEN=${token}\n`,
    "deep/er/.env": `TOKEN=${token}\n`,
    "web.config": `<configuration><add key="ApiToken" value="${token}"/><db>Server=db;Password=${password}</db></configuration>`,
    ".pgpass": `db:5432:orders:app:${password}\n`,
  });
  expect(edges.filter((edge) => edge.includes(" uses "))).toEqual(
    [".pgpass", "app.yml", "deep/er/.env", "web.config"].map((path) => uses("web", path)),
  );
});

it("tells of a file in a mount that it cannot read, and not of pictures", async () => {
  const { edges, gaps } = await said({
    "compose.yaml": `services: { web: { volumes: [ "./conf:/conf", "./empty.d:/empty" ] } }`,
    "conf/logo.conf": new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 0]),
    "conf/store.p12": new Uint8Array([0x30, 0x82, 0xff, 0xe0, 0]),
    "conf/large.yml": `x: ${"y".repeat(9_000_000)}`,
  });
  expect(edges).toEqual([uses("web", "conf/store.p12")]);
  expect(gaps).toEqual([
    expect.stringContaining("mounts ./conf with conf/large.yml, whose content is not known: larger than"),
    expect.stringContaining("mounts ./conf with conf/store.p12, whose content is not known: not text"),
    expect.stringContaining("mounts ./empty.d, whose content is not known"),
  ]);
});

it("tells of a mount whose content is not known, and not of what is on every host", async () => {
  const { edges, gaps } = await said({
    "compose.yaml": `services:
  a:
    volumes:
      - /var/run/docker.sock:/var/run/docker.sock
      - /etc/localtime:/etc/localtime:ro
      - ./pgdata:/var/lib/postgresql/data
      - named:/data
      - ~/orders:/data
      - /srv/orders/secrets:/run/orders
      - /srv/orders/conf:/conf
      - ./away/app.yml:/app.yml
      - \${CONF_DIR:?must be set}/x.yml:/x.yml
`,
  });
  expect(edges).toEqual([`${service("a")} uses location(host of compose shop /srv/orders/secrets)`]);
  expect(gaps).toEqual(
    ["/srv/orders/secrets", "/srv/orders/conf", "./away/app.yml", "$CONF_DIR/x.yml"].map((path) =>
      expect.stringContaining(`volumes of compose.yaml mounts ${path}, whose content is not known`),
    ),
  );
});

it("takes a service for a reader of its configs, and finds the values in their lines", async () => {
  const { edges, copies, gaps } = await said({
    "compose.yaml": `configs:
  app: { content: "user=orders\\npassword=${password}\\nurl=\${API_TOKEN}\\n" }
  file: { file: ./app.conf }
  plain: { content: "mode=test" }
  outside: { external: true }
  variable: { environment: DB_PASSWORD }
services:
  a: { configs: [ app, { source: file, target: /etc/app.conf }, plain ] }
  b: { configs: [ outside, variable ] }
`,
    "app.conf": `db_password: "${token}"\n`,
  });
  const config = (name: string) => `location(compose shop configs.${name})`;
  expect(edges).toEqual([
    `${config("app")} depends-on ${inFile("compose.yaml#configs.app.content")}`,
    `${config("app")} depends-on location(compose shop environment.API_TOKEN)`,
    `${inFile("app.conf#db_password")} stored-in ${inFile("app.conf")}`,
    `${config("file")} depends-on ${inFile("app.conf")}`,
    `${config("outside")} depends-on location(docker configs outside)`,
    `${config("variable")} depends-on location(compose shop environment.DB_PASSWORD)`,
    ...["app", "file"].map((name) => `${service("a")} uses ${config(name)}`),
    ...["outside", "variable"].map((name) => `${service("b")} uses ${config(name)}`),
  ]);
  expect(copies).toEqual([
    ["compose.yaml#configs.app.content", testMark(password)],
    ["app.conf#db_password", testMark(token)],
  ]);
  expect(gaps).toEqual([
    expect.stringContaining("configs.outside of compose.yaml is a config of the platform"),
  ]);
});

it("reads hooks, options of volumes, keys of a build and variables inside of commands", async () => {
  const { edges, copies } = await said({
    "compose.yaml": `services:
  a:
    post_start: [ { command: [ seed, "--token=${token}" ], environment: { DB_PASSWORD: ${password} } } ]
    pre_stop: [ { command: bye, environment: [ API_TOKEN ] } ]
  b: { command: "redis-server --requirepass \${REDIS_PASSWORD} --port \${PORT}" }
  c: { volumes: [ "share:/share" ] }
  d: { build: { context: ., ssh: [ default, "git=./deploy.key" ] } }
volumes: { share: { driver_opts: { type: cifs, o: "addr=nas,username=u,password=${password}", device: "//nas/x" } } }
`,
    "deploy.key": `-----BEGIN OPENSSH PRIVATE KEY-----\n${token}\n-----END OPENSSH PRIVATE KEY-----\n`,
  });
  expect(edges).toEqual([
    uses("a", "compose.yaml#services.a.post_start.0.environment.DB_PASSWORD"),
    `${service("a")} uses location(compose shop environment.API_TOKEN)`,
    uses("a", "compose.yaml#services.a.post_start.0.command.1"),
    `${service("b")} uses location(compose shop environment.REDIS_PASSWORD)`,
    uses("c", "compose.yaml#volumes.share.driver_opts.o.2"),
    uses("d", "deploy.key"),
  ]);
  expect(copies.map(([, mark]) => mark).slice(0, 3)).toEqual([
    testMark(password),
    testMark(token),
    testMark(password),
  ]);
});

it("follows a variable to the file beside the project that fills it, whatever it is called", async () => {
  const { edges, copies } = await said({
    "compose.yaml": `x-app: &app { APP: "\${WHERE}", MODE: "\${MODE}" }
x-more: &more { URL: "\${DATABASE_URL}" }
services:
  a: { environment: { <<: [ *app, *more ] } }
  b: { profiles: [debug], environment: { SECRET_KEY: "\${SECRET_KEY:?must be set}" } }
  c: { env_file: [ { path: raw.env, format: raw, required: false } ] }
`,
    ".env": `WHERE=postgres://orders:${password}@db/orders\nMODE=test\nSECRET_KEY=${token}\n`,
    "raw.env": `DB_PASSWORD="${password}"\n`,
  });
  const variable = (name: string) => `location(compose shop environment.${name})`;
  expect(edges).toEqual([
    `${service("a")} uses ${variable("WHERE")}`,
    `${variable("WHERE")} depends-on ${inFile(".env#WHERE")}`,
    `${service("a")} uses ${variable("DATABASE_URL")}`,
    `${service("b")} uses ${variable("SECRET_KEY")}`,
    `${variable("SECRET_KEY")} depends-on ${inFile(".env#SECRET_KEY")}`,
    uses("c", "raw.env"),
    uses("c", "raw.env#DB_PASSWORD"),
  ]);
  expect(copies).toEqual([
    [".env#WHERE", testMark(password)],
    [".env#SECRET_KEY", testMark(token)],
    ["raw.env#DB_PASSWORD", testMark(`"${password}"`)],
  ]);
});

it("puts what is known into a path, and never a value of a secret", async () => {
  const { edges, gaps } = await said({
    "compose.yaml": `services:
  a: { volumes: [ "\${CONF}/app.yml:/app.yml" ] }
  b: { volumes: [ "./\${DB_PASSWORD}:/x" ] }
`,
    ".env": `CONF=./conf\nDB_PASSWORD=${password}\n`,
    "conf/app.yml": `password: ${password}\n`,
  });
  expect(edges.filter((edge) => edge.includes(" uses "))).toEqual([
    uses("a", "conf/app.yml"),
    `${service("b")} uses location(host of compose shop ./$DB_PASSWORD)`,
  ]);
  expect(gaps).toEqual([expect.stringContaining("mounts ./$DB_PASSWORD, whose content is not known")]);
});

it("meets the value of a secret in its file, and says where that is not in the folder", async () => {
  const { copies, gaps } = await said({
    "compose.yaml": `secrets:
  db: { file: ./db }
  json: { file: ./app.json }
  away: { file: ../db }
  gone: { file: ./gone }
services: { a: { secrets: [ { source: db, target: /run/db, mode: 0400 } ] } }
`,
    db: `${password}\n`,
    "app.json": JSON.stringify({ user: "orders", password: token }),
  });
  expect(copies).toEqual([
    ["db", testMark(password)],
    ["app.json#password", testMark(token)],
  ]);
  expect(gaps).toEqual(
    ["away", "gone"].map((name) =>
      expect.stringContaining(`secrets.${name} of compose.yaml is filled from a file, whose`),
    ),
  );
});

it("takes services of included files into the project, with their own folder and variables", async () => {
  const { edges, gaps } = await said({
    "compose.yaml": `include:
  - path: [ infra/db.yaml ]
    env_file: infra/more.env
  - gone.yaml
services: {}
`,
    "infra/db.yaml": `services: { db: { environment: { X: "\${WHERE}", Y: "\${SET}" }, volumes: [ "./db.txt:/run/db_password.txt" ], env_file: db.env } }`,
    ".env": "SET=postgres://orders:first-one@db/orders\n",
    "infra/more.env": `WHERE=postgres://orders:${password}@db/orders\nSET=late\n`,
    "infra/db.env": `DB_PASSWORD=${password}\n`,
    "infra/db.txt": `password=${password}\n`,
  });
  expect(edges).toEqual([
    `${service("db")} uses location(compose shop environment.WHERE)`,
    `location(compose shop environment.WHERE) depends-on ${inFile("infra/more.env#WHERE")}`,
    `${service("db")} uses location(compose shop environment.SET)`,
    `location(compose shop environment.SET) depends-on ${inFile(".env#SET")}`,
    uses("db", "infra/db.env"),
    uses("db", "infra/db.env#DB_PASSWORD"),
    uses("db", "infra/db.txt"),
    `${inFile("infra/db.txt#password")} stored-in ${inFile("infra/db.txt")}`,
  ]);
  expect(gaps).toEqual(["What compose.yaml includes (gone.yaml) is not known: it is not in the folder."]);
});

it("reads tags of merging, and stacks of a swarm", async () => {
  const { edges, malformed } = await said({
    "docker-stack.yml":
      "services: { s: { secrets: !override [ db ], environment: !reset [] } }\nsecrets: { db: { external: true } }",
  });
  expect(malformed).toEqual([]);
  expect(edges).toContain(`${service("s")} uses location(compose shop secrets.db)`);
});

/** Makes a PostgreSQL write down as much as it can, so that what is looked for in its log would be there. */
import pg from "pg";

/** As talkative as PostgreSQL can be made about what is sent to it: lines of its configuration. */
export const talkative = [
  "log_statement = all",
  "log_min_duration_statement = 0",
  "log_min_messages = debug1",
  "log_min_error_statement = debug5",
  "log_connections = on",
  "log_error_verbosity = verbose",
  "log_parameter_max_length_on_error = -1",
];

/** The same for one that runs already; answers with the folder that it keeps its data in. */
export async function makeTalkative(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ data_directory: string }>("SHOW data_directory");
    for (const line of talkative) await client.query(`ALTER SYSTEM SET ${line.replace(/= (.*)/, "= '$1'")}`);
    await client.query("SELECT pg_reload_conf()");
    return rows[0]?.data_directory ?? "";
  } finally {
    await client.end();
  }
}

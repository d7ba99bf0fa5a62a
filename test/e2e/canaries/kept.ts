/** What the engine's own databases keep, read as text: every row of the inventory and the log, and every history with its seals opened. */
import { Client, Connection } from "@temporalio/client";
import type { Payload, PayloadCodec } from "@temporalio/common";
import pg from "pg";
import { isSealed } from "../../../worker/codec.js";

/** Every row of every table that is ours, one a line. */
export async function rowsAsText(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      `SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables
       WHERE table_schema NOT IN ('pg_catalog', 'information_schema')`,
    );
    const texts = [];
    for (const { name } of tables) {
      const { rows } = await client.query<{ row: string }>(`SELECT to_jsonb(t)::text AS row FROM ${name} t`);
      texts.push(`-- ${name}`, ...rows.map(({ row }) => row));
    }
    return texts.join("\n");
  } finally {
    await client.end();
  }
}

/** Leaves a text in a table and in a workflow of its own, unsealed: whoever searches has to find it at both places. */
export async function plantControl(url: string, temporal: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("CREATE TABLE public.control (text text)");
  await client.query("INSERT INTO public.control VALUES ($1)", [text]);
  await client.end();
  await withTemporal(temporal, async (plain) => {
    await plain.workflow.start("nothing", { workflowId: "control", taskQueue: "nowhere", args: [text] });
  });
}

/** Every event of every workflow with its payloads opened, as text. */
export async function historiesAsText(temporal: string, codec: PayloadCodec): Promise<string> {
  return withTemporal(temporal, async (client) => {
    const texts: string[] = [];
    for await (const { workflowId, runId } of client.workflow.list()) {
      const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      texts.push(`-- ${workflowId}`);
      for (const event of events ?? []) {
        texts.push(JSON.stringify(event));
        for (const payload of payloadsIn(event)) {
          // Search attributes are in the clear, for Temporal to search.
          const [opened] = isSealed(payload) ? await codec.decode([payload]) : [payload];
          texts.push(Buffer.from(opened?.data ?? []).toString("utf8"));
        }
      }
    }
    return texts.join("\n");
  });
}

async function withTemporal<T>(address: string, work: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await work(new Client({ connection, namespace: "rekey" }));
  } finally {
    await connection.close();
  }
}

/** Whatever in there has a payload's shape, sealed or not. */
function payloadsIn(value: unknown): Payload[] {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return [];
  const { metadata, data } = value as Payload;
  if (metadata && data instanceof Uint8Array) return [{ metadata, data }];
  return Object.values(value).flatMap(payloadsIn);
}

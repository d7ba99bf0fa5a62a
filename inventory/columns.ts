/** Column types that the tables share, so that a time is milliseconds everywhere in the program and a timestamp everywhere in the database. */
import { customType, pgSchema } from "./orm.js";

/** Name of the schema that holds all tables, so that a database can be shared with others. */
export const schemaName = "rekey_inventory";

/** The schema that holds all tables. */
export const inventory = pgSchema(schemaName);

/** A moment: milliseconds since the epoch here, `timestamp(3) with time zone` there. */
export const moment = customType<{ data: number; driverData: string }>({
  dataType: () => "timestamp(3) with time zone",
  toDriver: (ms) => new Date(ms).toISOString(),
  fromDriver: (text) => Date.parse(text),
});

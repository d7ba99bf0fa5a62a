#!/bin/sh
# Makes or upgrades Temporal's two databases, before the server starts; harmless when nothing is to be done.
set -eu

SQL_PASSWORD=$(cat /run/secrets/temporal-password)
export SQL_PASSWORD

for part in temporal:temporal temporal_visibility:visibility; do
  database=${part%%:*}
  schema=${part#*:}
  tool() { temporal-sql-tool --plugin postgres12 --ep temporal-database -p 5432 -u temporal --db "$database" "$@"; }
  tool create
  # Refused when the version table is there: then the schema is only brought up to date.
  tool setup-schema -v 0.0 || true
  tool update-schema -d "/etc/temporal/schema/postgresql/v12/$schema/versioned"
done

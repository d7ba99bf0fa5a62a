#!/bin/sh
# Has a PgBouncer with a login of its own take up the present one, out of a store of the kind `folder`:
#
#   deliver:
#     kind: command
#     command:
#       - examples/commands/pgbouncer-login.sh
#       - /run/rekey/secrets/orders-pool
#       - /etc/pgbouncer/orders.ini
#       - orders = host=db1.example.com dbname=orders
#       - /run/pgbouncer/pgbouncer.pid
#
# The folder of the credential; a file that pgbouncer.ini has under [databases] by `%include`, with the owner and the
# permissions that PgBouncer needs; the line of the database without its login; PgBouncer's pidfile. All paths are whole.
# The request comes as JSON on standard input; only "deliver" is answered here. 64: cannot do that.
# 75: not now, try again.
set -eu

case $(cat) in
  *'"action":"deliver"'*) ;;
  *) exit 64 ;;
esac

quoted() { sed "s/'/''/g" "$1"; }

# The version that the link leads to now, so that name and password are one version's; the next one takes it away.
cd -P "$1/..data" || exit 75
username=$(quoted username) || exit 75
password=$(quoted password) || exit 75

cp -p "$2" "$2.new"
printf "%s user='%s' password='%s'\n" "$3" "$username" "$password" > "$2.new"
mv "$2.new" "$2"
# RELOAD: connections of the former login are closed as they become free.
kill -HUP "$(cat "$4")" || exit 75

#!/bin/sh
# Tells a process to read its credential again, for consumers that do so on SIGHUP:
#
#   deliver: { kind: command, command: [examples/commands/sighup.sh, /run/orders.pid] }
#
# The request comes as JSON on standard input; only "deliver" is answered here. 64: cannot do that.
# 75: not now, try again.
set -eu

case $(cat) in
  *'"action":"deliver"'*) ;;
  *) exit 64 ;;
esac

kill -HUP "$(cat "$1")" || exit 75

#!/usr/bin/env bash
# Measures what the deletion of so many expired items does to reads, of Gramme and of a server that does nothing else.
#   bench/ttl.sh [items]
# The data is in $BENCH_DATA, by default a new directory in /var/tmp: it should be on the disk that is to be measured.
set -euo pipefail
cd "$(dirname "$0")"
out=$(mktemp -d -p "${BENCH_DATA:-/var/tmp}" gramme-ttl.XXXXXX)
trap 'kill $control $server || true; wait; rm -rf "$out"' EXIT
control= server=
go build -o "$out/" ./ttl ./refs
(cd .. && CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "$out/gramme" ./cmd/gramme)
"$out/refs" serve -kind fasthttp -work echo -addr 127.0.0.1:19311 &
control=$!
"$out/gramme" serve --data "$out/data" --listen 127.0.0.1:19310 --key id:secret &
server=$!
for _ in {1..100}; do
  if (: </dev/tcp/127.0.0.1/19310) 2>/dev/null && (: </dev/tcp/127.0.0.1/19311) 2>/dev/null; then break; fi
  sleep 0.1
done
"$out/ttl" -url http://127.0.0.1:19310 -items "${1:-1000000}" -pid $server -control http://127.0.0.1:19311

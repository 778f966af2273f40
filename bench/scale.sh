#!/usr/bin/env bash
# Measures Gramme as it grows to so many items of 400 bytes, and prints the table of what it should hold.
#   bench/scale.sh [items]
# The data is in $BENCH_DATA, by default a new directory in /var/tmp: it should be on the disk that is to be measured.
set -euo pipefail
cd "$(dirname "$0")"
out=$(mktemp -d -p "${BENCH_DATA:-/var/tmp}" gramme-scale.XXXXXX)
trap 'rm -rf "$out"' EXIT
go build -o "$out/" ./scale ./refs
(cd .. && CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "$out/gramme" ./cmd/gramme)
"$out/refs" serve -kind fasthttp -work echo -addr 127.0.0.1:19311 &
control=$!
trap 'kill $control || true; rm -rf "$out"' EXIT
"$out/scale" -items "${1:-10000000}" -dir "$out" -control http://127.0.0.1:19311 -- "$out/gramme" serve --data "$out/data" ${SERVE_FLAGS:-}

#!/usr/bin/env bash
# Measures Gramme beside the references in interleaved rounds and prints the table of its targets, then what every server did.
#   bench/run.sh [rounds] [config]
# The data is in $BENCH_DATA, by default a new directory in /var/tmp: it should be on the disk that is to be measured.
set -euo pipefail
cd "$(dirname "$0")"
rounds=${1:-5} config=${2:-gramme.json}
out=$(mktemp -d -p "${BENCH_DATA:-/var/tmp}" gramme-bench.XXXXXX)
trap 'rm -rf "$out"' EXIT
go build -o "$out/bin/" ./loadgen ./refs
(cd .. && CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "$out/bin/gramme" ./cmd/gramme)
export REFS=$out/bin/refs GRAMME=$out/bin/gramme DATA=$out/data
mkdir -p "$DATA/refs"
python3 rounds.py "$config" --rounds "$rounds" --out "$out/results.jsonl" --loadgen "$out/bin/loadgen"
cp "$out/results.jsonl" "${RESULTS:-/dev/null}"
python3 rounds.py "$config" --table "$out/results.jsonl"
echo; echo 'bench/scale.sh (make bench-scale) measures what depends on the size of the data.'

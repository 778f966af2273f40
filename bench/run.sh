#!/usr/bin/env bash
# Measures Gramme beside the references in interleaved rounds and prints the table of docs/performance.md.
#   bench/run.sh [rounds] [config]
set -euo pipefail
cd "$(dirname "$0")"
rounds=${1:-3} config=${2:-gramme.json}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
go build -o "$out/bin/" ./loadgen ./refs
(cd .. && CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "$out/bin/gramme" ./cmd/gramme)
export REFS=$out/bin/refs GRAMME=$out/bin/gramme DATA=$out/data
mkdir -p "$DATA/refs"
python3 rounds.py "$config" --rounds "$rounds" --out "$out/results.jsonl" --loadgen "$out/bin/loadgen"
python3 rounds.py --table "$out/results.jsonl"

#!/usr/bin/env bash
# Measures Gramme, dynalite and DynamoDB Local with gramme bench in interleaved rounds, and prints a table.
#   bench/peers.sh [rounds]
# It gets dynalite from npm and DynamoDB Local from Maven Central, into a folder that goes when it ends; what is missing on the
# machine (npm; mvn and java) is left out. The data is in $BENCH_DATA, by default a new directory in /var/tmp.
set -euo pipefail
cd "$(dirname "$0")"
dynalite=4.0.0 local=2.5.2
out=$(mktemp -d -p "${BENCH_DATA:-/var/tmp}" gramme-peers.XXXXXX)
trap 'rm -rf "$out"' EXIT
go build -o "$out/" ./peers
(cd .. && CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o "$out/gramme" ./cmd/gramme)
gramme="$out/gramme serve --listen 127.0.0.1:{port} --key AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
servers=(-server "gramme, in memory=$gramme --memory" -server "gramme, durable=$gramme --data $out/gramme-data")
if command -v npm >/dev/null; then
	mkdir "$out/dynalite" && echo '{"private":true}' >"$out/dynalite/package.json"
	npm install --prefix "$out/dynalite" --no-audit --no-fund --silent "dynalite@$dynalite" >&2
	run="node $out/dynalite/node_modules/dynalite/cli.js --port {port} --createTableMs 0 --deleteTableMs 0"
	servers+=(-server "dynalite $dynalite, in memory=$run" -server "dynalite $dynalite, on disk=$run --path $out/dynalite-data")
fi
if command -v mvn >/dev/null && command -v java >/dev/null; then
	mkdir -p "$out/local" "$out/local-data"
	cat >"$out/local/pom.xml" <<-POM
		<project xmlns="http://maven.apache.org/POM/4.0.0">
		  <modelVersion>4.0.0</modelVersion><groupId>bench</groupId><artifactId>peers</artifactId><version>1</version>
		  <dependencies><dependency><groupId>com.amazonaws</groupId><artifactId>DynamoDBLocal</artifactId><version>$local</version></dependency></dependencies>
		</project>
	POM
	mvn -q -f "$out/local/pom.xml" dependency:copy-dependencies -DoutputDirectory="$out/local/lib" >&2
	run="java -Djava.library.path=$out/local/lib -cp $out/local/lib/* com.amazonaws.services.dynamodbv2.local.main.ServerRunner -sharedDb -port {port}"
	servers+=(-server "DynamoDB Local $local, in memory=$run -inMemory" -server "DynamoDB Local $local, on disk=$run -dbPath $out/local-data")
fi
"$out/peers" -rounds "${1:-3}" ${PEERS_FLAGS:-} "${servers[@]}"

# make test checks everything. Its stages can be run alone.

GO          ?= go
STATICCHECK  = honnef.co/go/tools/cmd/staticcheck@v0.8.2
# Runs, not seconds: go test fails with "context deadline exceeded" when its time ends at an unlucky moment.
FUZZTIME    ?= 8000x
PLATFORMS    = linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
ROUNDS      ?= 5        # of make bench
ITEMS       ?= 10000000 # of make bench-scale
PORTABLE     = darwin/arm64 windows/amd64 # for make test: with the machine's own, each system and processor once
MODULES      = . conformance bench

BUILD_FLAGS  = -trimpath -ldflags='-s -w'

.PHONY: help build test deps lint unit conformance e2e fuzz portable cross bench bench-scale bench-ttl gobench clean
.NOTPARALLEL:

help:
	@sed -n 's/^## //p' Makefile

## build        the binary ./gramme, static
build:
	CGO_ENABLED=0 $(GO) build $(BUILD_FLAGS) -o gramme ./cmd/gramme

## test         everything below, in this order
test: deps lint unit conformance e2e fuzz portable
	@echo 'make test: every stage passed'

## deps         install what the tests need and the machine lacks
deps:
	@scripts/stage deps scripts/deps

## lint         gofmt, go vet and staticcheck, all modules
lint:
	@scripts/stage lint scripts/lint $(STATICCHECK) $(MODULES)

## unit         the tests of all packages, with the race detector; without it those that count allocations, which it changes
unit:
	@scripts/stage unit $(GO) test -race -timeout 10m ./...
	@scripts/stage allocations $(GO) test -timeout 10m -run Alloc ./internal/...

## conformance  the AWS SDK for Go against a server in the same process
conformance:
	@scripts/stage conformance $(GO) test -C conformance -timeout 10m ./...

## e2e          boto3, the AWS CLI and the AWS SDK for JavaScript against the binary
e2e:
	@scripts/stage e2e $(GO) test -tags e2e -count 1 -timeout 10m -v ./tests/e2e

## fuzz         every fuzz target, for FUZZTIME runs (or, as 1m, that time)
fuzz:
	@scripts/stage fuzz scripts/fuzz $(FUZZTIME)

## portable     build the binary for a few other platforms
portable:
	@scripts/stage portable scripts/cross $(PORTABLE)

## cross        build the binary for every platform that is released, into dist/
cross:
	scripts/cross $(PLATFORMS)

## bench        the server beside the references, in ROUNDS interleaved rounds of 160 s: the table of its targets
bench:
	bench/run.sh $(ROUNDS)

## bench-scale  a bulk load of ITEMS items, with reads, starts and memory at sizes on the way
bench-scale:
	bench/scale.sh $(ITEMS)

## bench-ttl    GetItem beside the deletion of a million expired items
bench-ttl:
	bench/ttl.sh

## gobench      Go's benchmarks, with allocations
gobench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

## clean        remove what the other targets made
clean:
	rm -rf gramme dist tests/e2e/js/node_modules

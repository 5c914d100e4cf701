# The commands of the project; each installs nothing by hand and needs only what the README names.
.PHONY: run test bench lint fmt fuzz build

CARGO ?= cargo
# Where results of `make run` lie.
OUTPUT ?= $(CURDIR)/output-data

build:
	$(CARGO) build --release --bin foresight

## Start the engine on embedded defaults with this machine's own logs and syslog as input.
run:
	$(CARGO) run --release --bin foresight -- demo $(OUTPUT) $(RUN_ARGS)

## Format, lints, every test.
test: lint
	sh .ci/needs
	$(CARGO) build --bin foresight
	$(CARGO) test --workspace --no-fail-fast

## Figures as messages/s, ns/message, CPU and memory.
bench: build
	$(CARGO) run --release -p foresight-bench -- $(BENCH_ARGS)

lint:
	sh .ci/lint

fmt:
	$(CARGO) fmt --all

## Each fuzz target for a while; FUZZ_SECONDS sets how long.
FUZZ_SECONDS ?= 60
fuzz:
	$(CARGO) run --release -p foresight-fuzz -- all --seconds $(FUZZ_SECONDS)

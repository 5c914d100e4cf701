# The commands of the project; each installs nothing by hand and needs only what the README names.
.PHONY: run test bench lint fmt fuzz build web libraries

CARGO ?= cargo
# Where results of `make run` lie.
OUTPUT ?= $(CURDIR)/output-data

WEB := engine/admin/web
WEB_SOURCES := $(shell find $(WEB)/src -type f) $(WEB)/index.html $(WEB)/vite.config.js $(WEB)/tsconfig.json

build: libraries web
	$(CARGO) build --release --bin foresight

## What the linker wants beside what Cargo fetches: OpenSSL, for TLS to Kafka's brokers.
libraries:
	sh .ci/needs pkg-config openssl.pc:libssl-dev

## The pages of the web UI, which the program embeds; without them it is built all the same.
web: $(WEB)/dist/app.js

$(WEB)/node_modules/.package-lock.json: $(WEB)/package-lock.json
	sh .ci/needs node:nodejs npm
	cd $(WEB) && npm ci --ignore-scripts --no-audit --no-fund
	touch $@

$(WEB)/dist/app.js: $(WEB)/node_modules/.package-lock.json $(WEB_SOURCES)
	cd $(WEB) && npm run --silent build

## Start the platform on embedded defaults; with KAFKA=host:port submissions go through that broker.
run: libraries web
	$(CARGO) run --release --bin foresight -- demo $(OUTPUT) $(if $(KAFKA),--kafka $(KAFKA)) $(RUN_ARGS)

## Format, lints, every test.
test: libraries web lint
	sh .ci/needs
	$(CARGO) build --workspace --bin foresight
	$(CARGO) test --workspace --no-fail-fast

## Figures as messages/s, ns/message, CPU and memory.
bench: build
	sh .ci/needs wrk nginx:nginx-light java:default-jre-headless mvn:maven
	$(CARGO) run --release -p foresight-bench -- $(BENCH_ARGS)

lint: libraries
	sh .ci/lint

fmt:
	$(CARGO) fmt --all

## Each fuzz target for a while; FUZZ_SECONDS sets how long.
FUZZ_SECONDS ?= 60
fuzz: libraries
	$(CARGO) run --release -p foresight-fuzz -- all --seconds $(FUZZ_SECONDS)

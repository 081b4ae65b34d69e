# Factum's verbs. Each does its own set-up: it says what it installs and builds, then does it.
# Nothing is written into the checkout. Compiled dependencies, test clients and their packages live in
# $XDG_CACHE_HOME/factum (by default ~/.cache/factum), so that a second clone starts warm; `make clean` removes it.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help demo test check bench clean toolchain

export FACTUM_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/factum
export CARGO_TARGET_DIR ?= $(FACTUM_CACHE)/target

started := $(shell date +%s)
# $(call section,TITLE): a heading with the seconds gone by. No commas in TITLE: make would split it there.
section = printf '\n── %s  (%d s so far)\n' "$(1)" "$$(( $$(date +%s) - $(started) ))"
# $(call first,FOLDER,MINUTES): how long the first build takes, while its FOLDER of the target is not there yet.
first = if [ ! -d "$(CARGO_TARGET_DIR)/$(1)" ]; then echo "first build: about $(2) minutes on two cores; later ones take seconds"; fi

define try

Factum starts with the project in examples/movies. In a second terminal, try:

  send an event    curl -i localhost:8080/events/store.orders -H 'content-type: application/json' -d '{"OrderId": 1, "Email": "ada@example.com", "Total": 23.98}'
  follow by HTTP   curl -N localhost:8080/api/v1/topics/store.orders/tail
  follow by Kafka  kcat -b localhost:9092 -t store.orders -C -f '%p/%o %k %s\n'
  by command line  export PATH="$(CARGO_TARGET_DIR)/demo:$$PATH"; factum tail store.orders --from earliest
  read the API     http://localhost:8080/docs

Edit a file below examples/movies and watch it being applied. Ctrl-C stops Factum and drops this run's data.

endef
export try

help:  ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: toolchain  ## build Factum, start it with the sample project and say what to try
	@$(call first,demo,4)
	cargo build --locked --profile demo --package factum-cli
	echo "$$try"
	exec "$(CARGO_TARGET_DIR)/demo/factum" dev examples/movies

test: toolchain  ## install the test clients (said as it happens), then run every test
	@$(call section,test clients: kcat and kafka-python and the Java client and franz-go)
	tests/clients/setup
	$(call section,documentation examples)
	$(call first,debug,6)
	cargo test --locked --workspace --quiet --doc
	$(call section,every other test)
	cargo test --locked --workspace --no-fail-fast --lib --bins --tests

check: toolchain  ## layering, licences, links, format, lints: all that needs no run
	@$(call section,tidy and links)
	$(call first,debug,4)
	cargo xtask tidy
	cargo xtask docs
	$(call section,format)
	cargo fmt --all --check
	$(call section,clippy)
	cargo clippy --locked --workspace --all-targets -- --deny warnings
	$(call section,rustdoc)
	cargo doc --locked --workspace --no-deps --quiet

bench: toolchain  ## build for release, then measure speed and memory on this machine
	@.ci/need python3 python3 "bench/run asks cargo where librdkafka's sources are"
	$(call first,release,8)
	bench/run

clean:  ## remove what the verbs above have cached outside the checkout
	@echo "removing $(FACTUM_CACHE)"
	rm -rf "$(FACTUM_CACHE)"

toolchain:
	@.ci/need cc build-essential "zstd, mimalloc and (for tests) librdkafka are built from C"
	.ci/need cargo "" "install Rust from https://rustup.rs; rust-toolchain.toml then picks the version"

# Factum's verbs. Each does its own set-up: it says what it installs and builds, then does it.
# Builds are in ./target, like those of cargo and of an editor (CARGO_TARGET_DIR names another folder); test clients and
# their packages in $XDG_CACHE_HOME/factum (by default ~/.cache/factum); the console's packages and its build in
# console/node_modules and console/dist. git sees none of it, and `make clean` removes all of it.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help demo console no-console test check bench clean toolchain

export FACTUM_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/factum
target := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)

started := $(shell date +%s)
# $(call section,TITLE): a heading with the seconds gone by. No commas in TITLE: make would split it there.
section = printf '\n── %s  (%d s so far)\n' "$(1)" "$$(( $$(date +%s) - $(started) ))"
# $(call first,FOLDER,VERB): how long the first build takes, while its FOLDER of the target is not there yet. The time is
# the one of CONTRIBUTING.md, which is the only place that states it.
first = if [ ! -d "$(target)/$(1)" ]; then awk -F '|' '$$2 ~ /make $(2)`/ && $$3 ~ /minutes/ { print "first build, on two cores:" $$3 "; later ones take seconds" }' CONTRIBUTING.md; fi

# The console is built again when one of these is newer than its build.
console_sources = crates/http-api/openapi.json $(shell find console/src console/public console/index.html console/*.json console/*.ts -type f 2>/dev/null)

help:  ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: toolchain $(if $(shell command -v npm),console,no-console)  ## build Factum and its console, then run the movies case study
	@$(call section,factum)
	$(call first,demo,demo)
	cargo build --locked --profile demo --package factum-cli
	$(call section,ready)
	exec "$(target)/demo/factum" demo movies --in examples/movies

no-console:
	@echo "npm is missing: the console will be one page that says how to build it (install Node 20.19 or newer; then make demo again)"

console: console/dist/index.html  ## build the console, which the next build of the binary takes in

console/dist/index.html: $(console_sources)
	@$(call section,console)
	.ci/need npm npm "the console is built with Node 20.19 or newer"
	echo "installing the console's packages from the npm registry (a minute the first time), then building it into console/dist"
	cd console
	npm ci --no-audit --no-fund --loglevel=error
	npm run build
	touch dist/index.html

test: toolchain console  ## install the test clients and a browser (said as it happens), then run every test
	@$(call section,test clients: kcat and kafka-python and the Java client and franz-go)
	tests/clients/setup
	$(call section,documentation examples)
	$(call first,debug,test)
	cargo test --locked --workspace --quiet --doc
	.ci/need strace strace "tests trace which syncs come before which answers"
	$(call section,every other test)
	cargo test --locked --workspace --no-fail-fast --lib --bins --tests
	$(call section,the console in a browser)
	.ci/need chromium chromium "the console is tested in it; another browser is named by FACTUM_CHROMIUM"
	# The tests above have built this binary.
	cd console
	FACTUM_BIN="$(target)/debug/factum" FACTUM_CHROMIUM="$${FACTUM_CHROMIUM:-$$(command -v chromium)}" npm test

check: toolchain  ## layering, words, licences, links, format, lints: all that needs no run
	@$(call section,tidy and links)
	$(call first,debug,check)
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
	$(call first,release,bench)
	bench/run

clean:  ## remove what the verbs above have built, installed and cached
	@echo "removing $(target), $(FACTUM_CACHE), console/node_modules and console/dist"
	rm -rf "$(target)" "$(FACTUM_CACHE)" console/node_modules console/dist

toolchain:
	@.ci/need cc build-essential "zstd, mimalloc and (for tests) librdkafka are built from C"
	.ci/need cargo "" "install Rust from https://rustup.rs; rust-toolchain.toml then picks the version"

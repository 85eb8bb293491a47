# `make demo` and `make test` do all of their own set-up.

SWIFT_FLAGS := -c release

.PHONY: help build demo test lint bench bench-decode clean

help:
	@echo "make demo   build, and upgrade a small cluster on the loopback interface"
	@echo "make test   build, and run every test"
	@echo "make build  the program: .build/release/ringbridge"
	@echo "make lint   check the formatting"
	@echo "make bench  the benchmarks"
	@echo "make bench-decode  the decoder against tshark and tcpdump"

build:
	@scripts/setup build
	swift build $(SWIFT_FLAGS) --product ringbridge

demo: build
	.build/release/ringbridge demo

# One configuration for everything: a cold build of the dependencies takes minutes.
test:
	@scripts/setup test
	swift build $(SWIFT_FLAGS) --build-tests
	swift test $(SWIFT_FLAGS) --skip-build

lint:
	swift format lint --strict --recursive Package.swift Sources Tests

bench:
	@scripts/setup build
	swift run $(SWIFT_FLAGS) --package-path Benchmarks Benchmarks

bench-decode: build
	scripts/bench-decode

clean:
	swift package clean

# ipc-gateway. `make help` lists the targets.

SWIFT ?= swift
# Debian and Ubuntu; elsewhere install OpenSSL 3 with its headers, the openssl command, and for the tests Node.js.
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
SOURCES := Package.swift Sources Tests Examples Benchmarks/Package.swift Benchmarks/Sources Fuzzing/Package.swift Fuzzing/Sources
# Sanitizers keep threads and start programs of their own, so they do not work in the gateway's sandbox: TEST_SANDBOX=off.
# Sanitizers keep freed memory and slow everything down: tests about memory and about crowds mean nothing there.
SKIP_CROWDS := --skip CrowdTests --skip WholeWayTests --skip 'AbuseTests/churn' --skip 'AbuseTests/idleCosts' --skip TransferTests --skip StreamTests --skip StormTests --skip 'RecordFloodTests/polite' --skip 'RevocationTests/sideBySide'

# How much longer than usual tests wait for what has to come; it costs nothing where it comes.
export TEST_PATIENCE ?= 4
# Tests of the library wait for tasks, those of the gateway block threads: in one process the latter would leave the
# former no thread to run on.
# The thread sanitizer does not know the locks that these tests have around what they note down, and is too slow for 64 MiB.
SKIP_UNDER_THREAD := --skip '^InteropTests' --skip 'MessageTests' --skip 'BackPressureTests'
SKIP_COMMANDS := --skip '^GatewayTests[.](Call|CallThroughGateway|Listen|Trace|TextForm|CommandLine|Explain|PolicyTools|Node)Tests'
# Each of these fills the machine by itself, or says how soon something has to have happened.
HEAVY_TESTS := '^GatewayTests[.]((Crowd|DetachedCrowd|Flood|HalfOpen|Process|RecordFlood|ReloadCrowd|Storm|Stream|WholeWay)Tests|AbuseTests/idleCosts|RevocationTests/sideBySide|ConnectTests/endingWithoutGateway)'
LIBRARY_TESTS := '^(IPCTests|IPCTransportTests|InteropTests)[.]'

.DEFAULT_GOAL := help
.PHONY: run test build release sanitize sanitize-address sanitize-thread memcheck tls-audit units dashboard-test fuzz install uninstall deb package-test image docker-test docs benchmark benchmark-gateway bench bench-newer-openssl bench-install micro allocations soak newer-openssl fuzz-short format lint clean help dependencies test-dependencies

run: build ## Build, then see it work: certificates, a sample server, the gateway, real calls
	.build/debug/ipc-gateway demo

test: test-dependencies ## Build and run all tests
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build --disable-xctest --filter $(LIBRARY_TESTS)
	$(SWIFT) test --skip-build --disable-xctest --skip $(LIBRARY_TESTS) --skip $(HEAVY_TESTS)
	$(SWIFT) test --skip-build --disable-xctest --no-parallel --filter $(HEAVY_TESTS)
	$(SWIFT) test --package-path Tests/Macros --scratch-path .build-macros --disable-xctest

build: dependencies ## Build for development
	$(SWIFT) build

release: dependencies ## Build for use: .build/release/ipc-gateway, the Swift standard library inside
	$(SWIFT) build -c release --static-swift-stdlib --product ipc-gateway

# Where make install puts things; DESTDIR goes before it.
PREFIX ?= /usr/local
PROGRAM ?= .build/release/ipc-gateway
export PREFIX DESTDIR

$(PROGRAM):
	$(MAKE) release

install: $(PROGRAM) ## Install program, manual pages and completions: PREFIX=/usr/local DESTDIR=
	@packaging/install.sh install $(PROGRAM)

uninstall: ## Remove them again
	@packaging/install.sh uninstall

deb: release ## Build the Debian package into .build/packages
	@packaging/deb.sh $(PROGRAM) .build/packages

package-test: release ## Install and remove the program as its users do
	Tests/packages.sh $(PROGRAM)

docs: dependencies ## Build the library's documentation into .build/documentation
	@mkdir -p .build/documentation
	@for target in IPC IPCTransport; do $(SWIFT) package --allow-writing-to-directory .build/documentation \
		generate-documentation --target $$target --output-path .build/documentation/$$target --warnings-as-errors \
		|| exit 1; done

benchmark: dependencies ## Measure what calls over a Unix socket cost
	$(SWIFT) build -c release --package-path Benchmarks
	Benchmarks/.build/release/ipc-bench

benchmark-gateway: release gateway-bench ## Measure what rules and the audit log cost the gateway, and how fair it is
	$(BENCH) --gateway .build/release/ipc-gateway

BENCH := Benchmarks/.build/release/gateway-bench
COMPARE = $(BENCH) compare --rounds $(ROUNDS) --folder docs/performance
# Rounds of make bench. Five take some twenty-five minutes.
ROUNDS ?= 5

bench: release gateway-bench ## Compare the gateway with what is installed of HAProxy, nginx, stunnel, hitch: docs/performance.md
	$(COMPARE) --title 'Calls and large messages, side by side' --work paced,single,many,pipelined,events,download,upload
	$(COMPARE) --prefix connections --title 'Connections, side by side' --work full,resumed,idle,idle-after-large
	$(COMPARE) --prefix growth --title 'Growth' --growth

# The same binary with a newer OpenSSL, which is brought along: Debian 13's.
bench-newer-openssl: release gateway-bench newer-openssl ## Compare handshakes with OpenSSL 3.5 at run time
	$(COMPARE) --prefix openssl-3.5 --title 'Handshakes with OpenSSL 3.5, side by side' --work full,resumed \
		--candidates ipc-gateway,haproxy,nginx --wrapper .build/openssl-3.5/run

bench-install: ## Install those others from Debian
	@missing=''; \
	for command in haproxy:haproxy nginx:nginx-light hitch:hitch stunnel:stunnel4; do \
		PATH="$$PATH:/usr/sbin" command -v "$${command%%:*}" >/dev/null || missing="$$missing $${command#*:}"; \
	done; \
	[ -e /usr/lib/nginx/modules/ngx_stream_module.so ] || missing="$$missing libnginx-mod-stream"; \
	$(call install,$$missing)

.PHONY: gateway-bench
gateway-bench: dependencies
	@missing=''; command -v taskset >/dev/null || missing=' util-linux'; $(call install,$$missing)
	$(SWIFT) build -c release --package-path Benchmarks --product load
	$(SWIFT) build -c release --package-path Benchmarks --product gateway-bench

micro: dependencies ## Count instructions and allocations of the parts, against Benchmarks/micro-thresholds.txt
	@missing=''; \
	command -v valgrind >/dev/null || missing="$$missing valgrind"; \
	command -v objcopy >/dev/null || missing="$$missing binutils"; \
	$(call install,$$missing)
	$(SWIFT) build -c release --package-path Benchmarks --product micro-bench
	Benchmarks/.build/release/micro-bench $(MICRO_OPTIONS)

allocations: release gateway-bench ## Count the allocations of the gateway for a message: there are none but OpenSSL's
	$(SWIFT) build -c release --package-path Benchmarks --product allocation-counter
	$(BENCH) allocations --gateway .build/release/ipc-gateway

# Seconds, and which faults: SEED=7 draws the same ones again.
SOAK ?= 120

soak: build ## Run the gateway while everything around it fails, SOAK=120 seconds, and check every answer
	@missing=''; command -v prlimit >/dev/null || missing=' util-linux'; $(call install,$$missing)
	$(SWIFT) build --package-path Benchmarks --scratch-path .build-benchmarks --product soak
	.build-benchmarks/debug/soak --seconds $(SOAK) $(if $(SEED),--seed $(SEED))

newer-openssl: ## Put OpenSSL 3.5 of Debian 13 into .build/openssl-3.5, to run programs with it: .build/openssl-3.5/run
	Benchmarks/openssl-3.5.sh

format: ## Format all Swift files
	$(SWIFT) format --in-place --recursive --parallel $(SOURCES)

lint: ## Check formatting and the rules of the house
	$(SWIFT) format lint --strict --recursive --parallel $(SOURCES)
	@if grep -rnE '^ *((public|package|internal|private) )?import ' Sources/IPCProtocol; then \
		echo 'lint: IPCProtocol is sans-I/O and imports nothing' >&2; exit 1; fi
	@if grep -rnwE 'Unsafe[A-Za-z]*|unsafe' --include='*.swift' Sources/IPCProtocol Sources/IPC Sources/GatewayCore; then \
		echo 'lint: no unsafe code where bytes of strangers and rules about them are judged' >&2; exit 1; fi
	@if grep -rnE '(Task\.sleep|usleep\(|Thread\.sleep)' Tests; then \
		echo 'lint: a test waits for a condition with a deadline, it does not sleep' >&2; exit 1; fi
	@if git grep -lE -- '-----BEGIN ([A-Z]+ )?PRIVATE KEY-----' -- ':!*.md' ':!*.swift' ':!Makefile'; then \
		echo 'lint: a private key is committed' >&2; exit 1; fi
	@for script in .ci/run certs/*.sh docker/*.sh packaging/*.sh packaging/debian/p*[tm] Benchmarks/*.sh Fuzzing/*.sh Tests/*.sh; do bash -n "$$script" || exit 1; done
	@echo 'lint: good'

sanitize: sanitize-address sanitize-thread ## Run the tests under the address sanitizer, leaks included, and the thread sanitizer

# Under a sanitizer a test may fail for being slow, and has passed without it. What counts is what the sanitizer says.
sanitize-address: test-dependencies
	$(SWIFT) build --build-tests --sanitize=address $(UNDEFINED) --scratch-path .build-address
	@# Tests of the library leave connections open at their end; that connections are released is tested with weak references.
	$(call sanitized,address,library,--filter $(LIBRARY_TESTS),'ERROR: AddressSanitizer',\
		ASAN_OPTIONS=detect_leaks=0:$(CRASHES):$(call reports,address,library))
	$(call sanitized,address,gateway,--skip $(LIBRARY_TESTS) $(SKIP_CROWDS),'ERROR: (Address|Leak)Sanitizer',TEST_SANDBOX=off \
		ASAN_OPTIONS=quarantine_size_mb=1:thread_local_quarantine_size_kb=16:$(CRASHES):$(call reports,address,gateway) \
		LSAN_OPTIONS=suppressions=$(CURDIR)/Tests/leaks.supp:print_suppressions=0)

# First the library in the tests' own process. Then the gateway in processes of its own: what is said of its threads counts.
sanitize-thread: test-dependencies
	$(SWIFT) build --build-tests --sanitize=thread $(THREAD_FLAGS) --scratch-path .build-thread
	$(call sanitized,thread,library,$(THREAD_FLAGS) --filter $(LIBRARY_TESTS) $(SKIP_UNDER_THREAD),.,\
		TEST_PATIENCE=12 TSAN_OPTIONS=$(THREAD_OPTIONS):$(call reports,thread,library))
	$(call sanitized,thread,gateway,$(THREAD_FLAGS) --filter '^GatewayTests[.]' $(SKIP_CROWDS) $(SKIP_COMMANDS),'ipc-gateway[+]0x',\
		TEST_PATIENCE=12 TEST_SANDBOX=off TSAN_OPTIONS=$(THREAD_OPTIONS):$(call reports,thread,gateway))

# Undefined behaviour in C, which is our shims (CLinux, COpenSSL; module maps' inline functions, too) and some dependencies:
# it traps, which is a report.
UNDEFINED := -Xcc -fsanitize=undefined -Xcc -fsanitize-trap=undefined
# A trap of Swift is a report, too.
CRASHES := handle_sigill=1:handle_abort=1
THREAD_FLAGS := -Xswiftc -DTHREAD_SANITIZER
THREAD_OPTIONS := suppressions=$(CURDIR)/Tests/races.supp:print_suppressions=0:exitcode=0
# Where processes say what the sanitizer found: sanitizer, name of the run.
reports = log_path=$(CURDIR)/.build-$(1)/$(2)/process

# Runs tests under a sanitizer: which, a name, which tests, what makes a report one that counts, variables for the tests.
define sanitized
	@rm -rf .build-$(1)/$(2) && mkdir -p .build-$(1)/$(2)
	-@$(5) timeout 2400 $(SWIFT) test --skip-build --disable-xctest --sanitize=$(1) --scratch-path .build-$(1) $(3) \
		> .build-$(1)/$(2).log 2>&1
	@grep -a '✘ Test .*recorded an issue' .build-$(1)/$(2).log | head -n 20; tail -n 1 .build-$(1)/$(2).log
	@grep -aq 'Test run with' .build-$(1)/$(2).log || { tail -n 50 .build-$(1)/$(2).log; exit 1; }
	@reports="$$(grep -rlaE $(4) .build-$(1)/$(2) || true)"; \
	if [ -n "$$reports" ]; then cat $$reports; echo 'the $(1) sanitizer has something to say about the $(2)' >&2; exit 1; fi
endef

tls-audit: build ## Scan the running gateway with sslscan, testssl.sh, sslyze: only what is configured may be offered
	@missing=''; command -v sslscan >/dev/null || missing=' sslscan'; \
	command -v testssl >/dev/null || missing="$$missing testssl.sh"; \
	command -v ps >/dev/null || missing="$$missing procps"; \
	python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$$missing python3 python3-venv"; $(call install,$$missing)
	Tests/tls-audit.sh

units: ## Check the units for systemd with its own tools
	@missing=''; command -v systemd-analyze >/dev/null || missing=' systemd'; $(call install,$$missing)
	Tests/units.sh

dashboard-test: build ## See the dashboard in a headless Chromium: it loads, updates, and takes names for text
	@missing=''; command -v node >/dev/null || missing="$$missing nodejs"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; $(call install,$$missing)
	node Tests/Dashboard/dashboard.mjs .build/debug/ipc-gateway "$$(command -v chromium)"

memcheck: build ## Run the gateway under valgrind while clients are accepted, denied and refused
	@missing=''; \
	command -v valgrind >/dev/null || missing="$$missing valgrind"; \
	command -v objcopy >/dev/null || missing="$$missing binutils"; \
	$(call install,$$missing)
	Tests/memcheck.sh

# Checks stay in, also those that are gone from a release. The linker of the toolchain: gold fails on the debug information.
FUZZ_FLAGS := -c release --sanitize address -Xswiftc -sanitize=fuzzer -Xswiftc -enable-testing \
	-Xswiftc -assert-config -Xswiftc Debug -Xswiftc -enforce-exclusivity=checked -Xswiftc -use-ld=lld
# Seconds for each target of make fuzz.
TIME ?= 60

fuzz: dependencies ## Fuzz what strangers reach, TIME=60 seconds each target; Fuzzing/README.md
	nice $(SWIFT) build --package-path Fuzzing --scratch-path .build-fuzz $(FUZZ_FLAGS) --product ipc-fuzz
	Fuzzing/run.sh $(TIME)

fuzz-short: ## Fuzz each target for five seconds: what CI has time for
	$(MAKE) fuzz TIME=5

image: ## Build the container image ipc-gateway:local, with docker, podman or buildah
	docker/image.sh $(IMAGE_OPTIONS)

docker-test: ## Build the container image and a package, run the compose files, check what docs/containers.md promises
	@missing=''; python3 -m pip --version >/dev/null 2>&1 || missing=' python3-pip'; $(call install,$$missing)
	docker/test.sh

clean: ## Remove what was built and the demonstration's files
	rm -rf .build .build-address .build-thread .build-macros .build-fuzz .build-benchmarks Fuzzing/corpus Benchmarks/.build .demo

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 20

dependencies:
	@missing=''; \
	[ -e /usr/include/openssl/ssl.h ] || pkg-config --exists 'openssl >= 3.0' 2>/dev/null \
		|| missing="$$missing libssl-dev pkg-config"; \
	command -v openssl >/dev/null || missing="$$missing openssl"; \
	$(call install,$$missing)

test-dependencies: dependencies
	@missing=''; \
	command -v node >/dev/null || missing="$$missing nodejs"; \
	command -v faketime >/dev/null || missing="$$missing faketime"; \
	command -v prlimit >/dev/null || missing="$$missing util-linux"; \
	PATH="$$PATH:/usr/sbin" command -v haproxy >/dev/null || missing="$$missing haproxy"; \
	$(call install,$$missing)

# Installs Debian packages, if there are any to install.
define install
	if [ -n "$(strip $(1))" ]; then \
		command -v apt-get >/dev/null || { echo "install first:$(1)" >&2; exit 1; }; \
		echo "installing$(1)"; \
		$(SUDO) apt-get -qq update && DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get -qq -o Acquire::Retries=3 install -y --no-install-recommends $(1) >/dev/null; \
	fi
endef

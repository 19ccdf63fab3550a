# Every command of the project. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:

export CCACHE_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/shm-operator/ccache
# A clone elsewhere finds what this one compiled.
export CCACHE_BASEDIR ?= $(CURDIR)
export CCACHE_NOHASHDIR ?= 1

.PHONY: help deps deps-build deps-image deps-check deps-fuzz build programs release image test-image test test-unit test-integration test-oldest test-soak test-e2e check format tidy manifests \
        bench bench-webhook bench-admission bench-controller soak soak-admission soak-gitops soak-helm soak-hostile fuzz sanitize demo demo-down clean

help: ## What there is to run
	@grep -E '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

deps: ## Install what building and testing need from Debian
	@scripts/install-deps.sh build cluster

# What users need: no Go, no test cluster.
deps-build:
	@scripts/install-deps.sh build

deps-image:
	@scripts/install-deps.sh build image

deps-check:
	@scripts/install-deps.sh check

deps-fuzz:
	@scripts/install-deps.sh fuzz

build: deps ## Build programs and tests (build/dev)
	@mkdir -p build
	@cmake --preset dev > build/cmake.log || { cat build/cmake.log; exit 1; }
	@cmake --build --preset dev

programs: deps-build ## Build the three programs optimized (build/release)
	@scripts/build-release.sh

release: ## Make dist/ of a clean tree: chart, manifests, image, SBOM, shmctl, checksums (VERSION=1.2.3)
	@scripts/release.sh --check '$(VERSION)'
	$(MAKE) --no-print-directory deps programs
	scripts/release.sh '$(VERSION)'

image: deps-image programs ## Build the image as build/image.tar (shm-operator:dev)
	@deploy/image/build.sh build/image.tar

test: ## Dependencies, build, unit, integration on a real API server, five rounds of the soak, 2,000 pods of the admission soak, end to end with a real kubelet
	@scripts/test.sh unit integration soak e2e

test-unit: ## Unit tests alone
	@scripts/test.sh unit

test-integration: ## Integration tests alone, each on an API server of its own
	@scripts/test.sh integration

test-oldest: ## The integration tests on the oldest Kubernetes that we support
	@scripts/test.sh oldest

test-soak: ## Five rounds of the soak alone
	@scripts/test.sh soak

test-e2e: ## End-to-end tests alone, on a real node
	@scripts/test.sh e2e

check: deps deps-check ## Format, lint, rooms, generated files, charts and manifests
	@scripts/check.sh

fuzz: deps deps-fuzz ## Every fuzzer for FUZZ_SECONDS (600), under ASan and UBSan; the tests run the corpora alone
	@scripts/fuzz.sh

sanitize: deps ## Unit tests, fault table, fuzzers' corpora and integration tests under ASan+UBSan and under TSan
	@scripts/sanitize.sh

bench: bench-webhook bench-admission bench-controller ## All three benchmarks

bench-webhook: deps ## The webhook under load beside controller-runtime, Go maps and its own floor (BENCH_SECONDS=0.2: a short run)
	@scripts/bench.sh

bench-admission: deps ## What the webhook adds to a pod's creation, and how it grows with the pod (BENCH_CREATES=200 BENCH_SECONDS=0.1: a short run)
	@scripts/bench-admission.sh

bench-controller: deps ## The operator with 10,000 InferenceServices beside controller-runtime (tests/bench/README.md: a short run)
	@scripts/bench-controller.sh

test-image: image ## Pack the image twice and look into it: the same bytes, small, no shell, its SBOM
	@tests/image/image_test.py

soak: deps ## SOAK_ROUNDS (100) rounds of faults and operations against a real control plane (SOAK_SEED=1); about 40 minutes
	@scripts/soak.sh

soak-admission: deps ## SOAK_PODS (20000) pods on a real node while webhook, certificates and API server change (SOAK_SEED=1); about 25 minutes
	@scripts/soak-admission.sh

soak-helm: deps ## Installs, upgrades and removes by Helm 3, Helm 4 and kubectl on a real node while pods are created; about 20 minutes
	@scripts/soak-helm.sh

soak-gitops: deps ## Flux and cert-manager on a real node, Argo CD's rules by hand: quiet, put back, served; some 15 minutes
	@scripts/soak-gitops.sh

soak-hostile: deps ## Some 45 attacks on the webhook from the network, while good clients go on; ten minutes
	@scripts/soak-hostile.sh

tidy: deps deps-check ## clang-tidy over core/ (minutes; not yet part of check)
	@cmake --preset dev > /dev/null
	@git ls-files 'core/*.cc' | xargs -P "$$(nproc)" -n 4 clang-tidy --quiet -p build/dev

format: ## Format the C++ sources in place
	@git ls-files '*.cc' '*.h' | xargs clang-format -i

manifests: ## Write deploy/install.yaml, the kustomize overlays, the chart's CRDs and table of values anew
	@scripts/render-manifests.sh

demo: ## From a fresh machine to a pod with a sized /dev/shm
	@scripts/demo.sh

demo-down: ## End what `make demo` started
	@tests/cluster/down

clean: ## End the demo's cluster and remove build/
	@tests/cluster/down
	@rm -rf build

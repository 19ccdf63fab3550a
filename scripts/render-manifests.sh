#!/usr/bin/env bash
# Writes what is generated: the chart's copy of the CRDs and its table of values, and, from the chart,
# deploy/install.yaml and what deploy/base and deploy/overlays are made of.
#
#   scripts/render-manifests.sh           write them anew
#   scripts/render-manifests.sh --check   change nothing; show what differs, and fail if anything does
set -euo pipefail
cd "$(dirname "$0")/.."

chart=charts/shm-operator
namespace=shm-system

Header() {
  cat <<TEXT
# shm-operator $(<VERSION), as the Helm chart installs it with its default values.
# Made by scripts/render-manifests.sh from charts/shm-operator: do not edit.
#
#   sed 's|image: shm-operator:.*|image: REGISTRY/shm-operator:TAG|' install.yaml | kubectl apply --server-side -f -
#
# No registry has the image by the name that is in here. Where it is on the nodes by that name, apply this as it is.
# caBundle is not in here: the operator fills it in, and applying this again leaves it alone.
TEXT
}

Namespace() {
  cat <<TEXT
apiVersion: v1
kind: Namespace
metadata:
  name: $namespace
  labels:
    app.kubernetes.io/name: shm-operator
    app.kubernetes.io/part-of: shm-operator
    pod-security.kubernetes.io/enforce: restricted
    pod-security.kubernetes.io/warn: restricted
TEXT
}

# What only Helm needs is left out: its hooks and the labels that call it the manager.
Chart() {
  "$helm" template shm-operator "$chart" --namespace "$namespace" --no-hooks "$@" |
    sed -e '/^ *helm\.sh\/chart: /d' -e '/^ *app\.kubernetes\.io\/managed-by: Helm$/d' -e '/^# Source: /d'
}

CRDs() {
  local crd
  for crd in crds/*.yaml; do
    echo ---
    cat "$crd"
  done
}

# The namespace and the CRDs come first; the webhook configuration comes last, as in the chart.
Install() {
  Header
  Namespace
  CRDs
  Chart
}

# What deploy/ has that is generated, below the directory $rendered.
Render() {
  local values name
  mkdir -p "$rendered/base"
  Install >"$rendered/install.yaml"
  Namespace >"$rendered/base/namespace.yaml"
  CRDs >"$rendered/base/crds.yaml"
  Chart >"$rendered/base/shm-operator.yaml"
  for values in deploy/overlays/*/values.yaml; do
    name=$(basename "$(dirname "$values")")
    Chart -f "$values" >"$rendered/$name.yaml"
    python3 scripts/kustomize_overlays.py "$rendered/base/shm-operator.yaml" "$values" "$rendered/$name.yaml" "$rendered/overlays/$name"
    rm "$rendered/$name.yaml"
  done
}

Check() {
  local failed=0
  diff -ru crds "$chart/crds" || failed=1
  diff -u deploy/install.yaml "$rendered/install.yaml" || failed=1
  diff -ru -x kustomization.yaml deploy/base "$rendered/base" || failed=1
  diff -ru -x values.yaml deploy/overlays "$rendered/overlays" || failed=1
  [ "$failed" = 0 ] || echo "scripts/render-manifests.sh (make manifests) writes them anew" >&2
  return "$failed"
}

Write() {
  rm -rf "$chart/crds"
  mkdir -p "$chart/crds"
  cp crds/*.yaml "$chart/crds/"
  find deploy/overlays -type f ! -name values.yaml -delete
  cp -r "$rendered/." deploy/
  python3 scripts/chart_readme.py
}

case ${1:-} in
  '' | --check) ;;
  *)
    sed -n '2,6s/^# *//p' "$0" >&2
    exit 2
    ;;
esac

for key in version appVersion; do
  grep -qx "$key: $(<VERSION)" "$chart/Chart.yaml" || {
    echo "$chart/Chart.yaml: $key is not $(<VERSION), as VERSION says" >&2
    exit 1
  }
done

helm=$(tests/cluster/build.sh helm)/helm
rendered=$(mktemp -d)
trap 'rm -rf "$rendered"' EXIT
Render
if [ "${1:-}" = --check ]; then Check; else Write; fi

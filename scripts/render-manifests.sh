#!/usr/bin/env bash
# Writes what is generated: the chart's copy of the CRDs and its table of values, and deploy/install.yaml
# from the chart.
#
#   scripts/render-manifests.sh           write them anew
#   scripts/render-manifests.sh --check   change nothing; show what differs, and fail if anything does
set -euo pipefail
cd "$(dirname "$0")/.."

chart=charts/shm-operator
manifest=deploy/install.yaml
namespace=shm-system

Header() {
  cat <<TEXT
# shm-operator $(<VERSION), as the Helm chart installs it with its default values.
# Made by scripts/render-manifests.sh from charts/shm-operator: do not edit.
#
#   kubectl apply --server-side -f install.yaml
#
# caBundle is not in here: the operator fills it in, and applying this again leaves it alone.
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
  "$helm" template shm-operator "$chart" --namespace "$namespace" --no-hooks |
    sed -e '/^ *helm\.sh\/chart: /d' -e '/^ *app\.kubernetes\.io\/managed-by: Helm$/d' -e '/^# Source: /d'
}

# The namespace and the CRDs come first; the webhook configuration comes last, as in the chart.
Render() {
  local crd
  Header
  for crd in crds/*.yaml; do
    echo ---
    cat "$crd"
  done
  Chart
}

Check() {
  local failed=0
  diff -ru crds "$chart/crds" || failed=1
  diff -u "$manifest" "$rendered" || failed=1
  [ "$failed" = 0 ] || echo "scripts/render-manifests.sh (make manifests) writes them anew" >&2
  return "$failed"
}

Write() {
  rm -rf "$chart/crds"
  mkdir -p "$chart/crds"
  cp crds/*.yaml "$chart/crds/"
  cat "$rendered" >"$manifest"
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
rendered=$(mktemp)
trap 'rm -f "$rendered"' EXIT
Render >"$rendered"
if [ "${1:-}" = --check ]; then Check; else Write; fi

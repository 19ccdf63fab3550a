#!/usr/bin/env bash
# From a clone to pods with a sized /dev/shm, on a Kubernetes node of its own. Leaves it running.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/lib.sh
. scripts/lib.sh

# The node says so, too, but only when Kubernetes has been built.
[ "$(id -u)" = 0 ] || {
  echo "demo: error: must be root: it starts a Kubernetes node, with namespaces, mounts and cgroups of its own" >&2
  exit 1
}
scripts/install-deps.sh build cluster
install_on_test_cluster

demo_dir=deploy/demo
df_shm() { kubectl -n demo exec "$1" -- df -h /dev/shm | awk 'NR == 2 {print $2}'; }
gpus_of() {
  kubectl -n demo get "$1" -o \
    jsonpath='requests {.spec.containers[0].resources.requests.nvidia\.com/gpu}, limits {.spec.containers[0].resources.limits.nvidia\.com/gpu}'
}
first_pod() { kubectl -n demo get pods -l "$1" -o name | head -1; }

say "A plain pod, before"
kubectl apply -f "$demo_dir/namespace.yaml" -f "$demo_dir/plain-pod.yaml"
kubectl -n demo wait --for=condition=Ready pod/plain --timeout=120s
echo "plain pod:                     df -h /dev/shm says $(df_shm pod/plain)"

say "InferenceServices"
kubectl apply -f "$demo_dir/services.yaml"
kubectl -n demo wait --for=condition=Ready inferenceservices.shm-operator.dev --all --timeout=180s
for name in tp2 tp4; do
  pod=$(first_pod "shm-operator.dev/service=$name")
  echo "InferenceService $name:          df -h /dev/shm says $(df_shm "$pod"), nvidia.com/gpu: $(gpus_of "$pod")"
done

say "A Deployment of somebody else's, selected"
kubectl apply -f "$demo_dir/selected.yaml"
kubectl -n demo rollout status deployment/engine --timeout=180s
pod=$(first_pod app=engine)
echo "Deployment engine (selected):  df -h /dev/shm says $(df_shm "$pod"), nvidia.com/gpu: $(gpus_of "$pod")"

kubectl -n demo get inferenceservices.shm-operator.dev
cat <<TEXT

The cluster goes on running. To look around:
  export KUBECONFIG=$KUBECONFIG PATH=$(dirname "$(command -v kubectl)"):\$PATH
  kubectl -n demo get shmisvc,pods
To end it: make demo-down
TEXT

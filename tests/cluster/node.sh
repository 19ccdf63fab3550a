#!/usr/bin/env bash
# The inside of a whole-node cluster: the first process of its namespaces. `up` starts it, nobody else.
#
#   node.sh NAME STATE-DIR BIN-DIR ADDRESS/30 GATEWAY
#
# It keeps etcd, the control plane, containerd, kubelet and kube-proxy running, with a log each in
# STATE-DIR/log, and ends when it is killed; the kernel ends the rest with it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"
# shellcheck source=namespace.sh
. "$here/namespace.sh"

name=$1 state=$2 bin=$3 address=$4 gateway=$5
ip=${address%/*}
pki=$state/pki
socket=/run/containerd/containerd.sock
export PATH=$bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY

# Mounts of our own over what the machine shares, so that nothing is left on it. Sockets go to /run:
# the state directory may be longer than the 107 bytes a socket's path may have.
PrepareMounts() {
  mount -t tmpfs tmpfs /run
  mount -t tmpfs tmpfs /var/log
  mount -t tmpfs tmpfs /var/lib/cni
  mkdir -p /run/netns /run/containerd /run/kubelet /run/sysctl "$state/kubelet"
  mount --bind "$state/kubelet" /run/kubelet
  # kubelet sets these for the whole machine unless it finds them set.
  local setting
  for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
    kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
    [ -e "/proc/sys/${setting%=*}" ] || continue
    echo "${setting#*=}" >"/run/sysctl/$(basename "${setting%=*}")"
    mount --bind "/run/sysctl/$(basename "${setting%=*}")" "/proc/sys/${setting%=*}"
  done
}

HasLink() { ip link show eth0; }

# `up` moves one end of a veth pair in here. Everything without a route of its own goes out of it and
# ends at the machine, which does not forward it.
PrepareNetwork() {
  ip link set lo up
  WaitFor 20 "the network" HasLink
  ip addr add "$address" dev eth0
  ip link set eth0 up
  ip route add default via "$gateway"
  echo 1 >/proc/sys/net/ipv4/ip_forward
}

# The parent of all pod cgroups, which kubelet wants to find.
PrepareCgroups() {
  local root file
  if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
    for file in $(</sys/fs/cgroup/cgroup.controllers); do
      echo "+$file" >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null || Say "no cgroup controller $file"
    done
  fi
  for root in $(CgroupRoots); do
    mkdir -p "$root/$name"
    # Version 1: no process may enter a group whose processors and memory nodes are not set.
    for file in cpuset.cpus cpuset.mems; do
      if [ -f "$root/$file" ] && [ ! -s /sys/fs/cgroup/cgroup.controllers ]; then cat "$root/$file" >"$root/$name/$file"; fi
    done
  done
}

MakePki() {
  MakeCa "$pki"
  MakeServiceAccountKey "$pki"
  MakeCert "$pki" apiserver /CN=kube-apiserver \
    "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:10.96.0.1,IP:$ip"
  MakeCert "$pki" kubelet /O=system:nodes/CN=system:node:node1 "DNS:node1,IP:127.0.0.1,IP:$ip"
  MakeCert "$pki" admin /O=system:masters/CN=admin
  MakeCert "$pki" kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client
  MakeCert "$pki" proxy /CN=system:kube-proxy
  local user
  for user in admin kubelet proxy; do Kubeconfig "https://$ip:6443" "$pki" "$user" >"$state/$user.kubeconfig"; done
  chmod 600 "$state"/*.kubeconfig
}

ContainerdConfig() {
  # An overlay cannot lie on an overlay, as where the state directory is inside a container.
  [ "$(stat -f -c %T "$state")" != overlayfs ] || echo native >"$state/snapshotter"
  cat <<C
version = 3
root = "$state/containerd"
state = "/run/containerd"
[grpc]
address = "$socket"
[plugins.'io.containerd.internal.v1.opt']
path = "$state/opt"
[plugins.'io.containerd.cri.v1.images']
snapshotter = "$(cat "$state/snapshotter" 2>/dev/null || echo overlayfs)"
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = "local/pause:1"
[plugins.'io.containerd.cri.v1.runtime']
# Without CAP_SYS_RESOURCE every sandbox would die of a score that it may not have.
restrict_oom_score_adj = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ["/usr/lib/cni"]
conf_dir = "$state/cni"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
SystemdCgroup = false
C
}

# A pod's link ends at the node itself and not at a bridge, so that the answers of a Service's pods
# pass the node's netfilter on any kernel.
CniConfig() {
  cat <<'C'
{"cniVersion": "1.0.0", "name": "pods", "plugins": [{"type": "ptp", "ipMasq": false, "ipam": {"type": "host-local",
 "dataDir": "/run/cni", "ranges": [[{"subnet": "10.244.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
C
}

KubeletConfig() {
  cat <<C
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
failSwapOn: false
cgroupDriver: cgroupfs
cgroupRoot: /$name
containerRuntimeEndpoint: unix://$socket
authentication: {x509: {clientCAFile: $pki/ca.crt}, anonymous: {enabled: false}, webhook: {enabled: true}}
authorization: {mode: Webhook}
tlsCertFile: $pki/kubelet.crt
tlsPrivateKeyFile: $pki/kubelet.key
clusterDomain: cluster.local
resolvConf: $state/resolv.conf
podLogsDir: $state/pod-logs
volumePluginDir: /run/kubelet/volume-plugins
# Images are imported and cannot be pulled again, and the disk is the developer's.
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
volumeStatsAggPeriod: 5s
C
}

# Every namespace refuses pods that Pod Security `restricted` does, unless its own label says otherwise: what
# we install, and the pods of samples, demo and tests, have to do with that. None is exempt, as none needs it.
AdmissionConfig() {
  cat <<'C'
apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
- name: PodSecurity
  configuration:
    apiVersion: pod-security.admission.config.k8s.io/v1
    kind: PodSecurityConfiguration
    defaults: {enforce: restricted, enforce-version: latest, warn: restricted, warn-version: latest}
C
}

ProxyConfig() {
  cat <<C
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clientConnection: {kubeconfig: $state/proxy.kubeconfig}
hostnameOverride: node1
clusterCIDR: 10.244.0.0/24
conntrack: {maxPerCore: 0, min: 0}
nftables: {minSyncPeriod: 100ms}
C
}

# `Keep NAME COMMAND...`: runs it, again a second after each end, with its output in log/NAME.log.
Keep() {
  local log=$state/log/$1.log
  shift
  while :; do
    "$@" || echo "node.sh: ended with $?, starting it again"
    sleep 1
  done >"$log" 2>&1 </dev/null &
}

StartControlPlane() {
  local etcd=http://127.0.0.1:2379 flags
  Keep etcd etcd --data-dir "$state/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls $etcd --advertise-client-urls $etcd --listen-peer-urls http://127.0.0.1:2380
  mapfile -t flags < <(ApiserverFlags "$pki" $etcd 6443)
  Keep kube-apiserver kube-apiserver "${flags[@]}" --advertise-address="$ip" \
    --admission-control-config-file="$state/admission.yaml" \
    --kubelet-client-certificate="$pki/kubelet-client.crt" --kubelet-client-key="$pki/kubelet-client.key" \
    --kubelet-certificate-authority="$pki/ca.crt" --kubelet-preferred-address-types=InternalIP
}

StartControllers() {
  Keep kube-controller-manager kube-controller-manager --kubeconfig="$state/admin.kubeconfig" \
    --service-account-private-key-file="$pki/sa.key" --root-ca-file="$pki/ca.crt" \
    --cluster-signing-cert-file="$pki/ca.crt" --cluster-signing-key-file="$pki/ca.key" \
    --use-service-account-credentials=true --leader-elect=false --allocate-node-cidrs=false
  Keep kube-scheduler kube-scheduler --kubeconfig="$state/admin.kubeconfig" --leader-elect=false
}

StartNode() {
  Keep kubelet kubelet --config="$state/kubelet.yaml" --kubeconfig="$state/kubelet.kubeconfig" \
    --root-dir=/run/kubelet --hostname-override=node1 --node-ip="$ip"
  Keep kube-proxy kube-proxy --config="$state/proxy.yaml"
}

PrepareMounts
PrepareNetwork
PrepareCgroups
mkdir -p "$state/log" "$state/cni" "$state/pod-logs"
MakePki
AdmissionConfig >"$state/admission.yaml"
StartControlPlane
CniConfig >"$state/cni/10-pods.conflist"
ContainerdConfig >"$state/containerd.toml"
KubeletConfig >"$state/kubelet.yaml"
ProxyConfig >"$state/proxy.yaml"
: >"$state/resolv.conf"
Keep containerd containerd --config "$state/containerd.toml"
WaitFor 60 "containerd" ctr -a $socket version
StartNodeWhenReady() {
  WaitFor 120 "the API server" kubectl --kubeconfig "$state/admin.kubeconfig" get --raw /readyz
  StartControllers
  StartNode
}
for image in "$state"/images/*.tar; do "$here/load-image" --inside "$state" "$image"; done
StartNodeWhenReady
while :; do wait -n || sleep 1; done

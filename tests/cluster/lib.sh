# shellcheck shell=bash
# What the scripts of the test cluster share: messages, waiting, processes, certificates.
# It is sourced; it starts nothing.

Say() { echo "cluster: $*" >&2; }

Die() {
  echo "cluster: error: $*" >&2
  exit 1
}

CacheDir() { echo "${XDG_CACHE_HOME:-$HOME/.cache}/shm-operator"; }

# `Need COMMAND PACKAGE`...: ends with one message that names every missing Debian package.
Need() {
  local missing=
  while [ $# -gt 0 ]; do
    command -v "$1" >/dev/null || [ -e "$1" ] || missing+=" $2"
    shift 2
  done
  [ -z "$missing" ] || Die "missing Debian packages:$missing (scripts/install-deps.sh cluster installs them)"
}

# `WaitFor SECONDS WHAT COMMAND...`: tries the command until it succeeds; fails, saying so, after SECONDS.
WaitFor() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      Say "gave up waiting for $what"
      return 1
    fi
    sleep 0.1
  done
}

# A process: its id and the time it started, so that a number that was given again is not mistaken
# for it. Prints nothing, and fails, for one that has ended.
Identity() {
  local stat
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  local fields
  read -ra fields <<<"${stat##*) }"  # after the name: the state is the first, the start the twentieth
  [ "${fields[0]}" != Z ] && echo "$1 ${fields[19]}"
}

# `Running FILE`: whether the process whose identity FILE holds is still there.
Running() { [ -f "$1" ] && [ "$(Identity "$(cut -d' ' -f1 "$1")")" = "$(<"$1")" ]; }

Ended() { ! Running "$1"; }

# `Kill FILE`: SIGKILL, and back when it has ended. None of what the test clusters run has state to
# save, and kube-apiserver takes up to a minute over SIGTERM.
Kill() {
  ! Running "$1" || kill -KILL "$(cut -d' ' -f1 "$1")" 2>/dev/null || true
  WaitFor 20 "the end of $(basename "$1")" Ended "$1"
}

# Key pairs. `MakeCa DIR` once, then `MakeCert DIR NAME SUBJECT [SAN]`; all are good for a year.
MakeCa() {
  mkdir -p "$1"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=test-cluster-ca -days 365 \
    -keyout "$1/ca.key" -out "$1/ca.crt" 2>/dev/null
}

MakeCert() {
  local dir=$1 name=$2 subject=$3 san=${4:-DNS:$2}
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$subject" \
    -keyout "$dir/$name.key" -out "$dir/$name.csr" 2>/dev/null
  openssl x509 -req -in "$dir/$name.csr" -CA "$dir/ca.crt" -CAkey "$dir/ca.key" -days 365 \
    -set_serial "0x$(openssl rand -hex 8)" -out "$dir/$name.crt" 2>/dev/null \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$san")
  rm "$dir/$name.csr"
}

# The pair that signs service account tokens.
MakeServiceAccountKey() {
  openssl ecparam -genkey -name prime256v1 -noout -out "$1/sa.key" 2>/dev/null
  openssl ec -in "$1/sa.key" -pubout -out "$1/sa.pub" 2>/dev/null
}

# `Kubeconfig SERVER DIR NAME`: prints one with the credentials inside, so that it can be moved about.
Kubeconfig() {
  cat <<K
apiVersion: v1
kind: Config
clusters:
- name: test
  cluster: {server: "$1", certificate-authority-data: $(base64 -w0 "$2/ca.crt")}
users:
- name: $3
  user: {client-certificate-data: $(base64 -w0 "$2/$3.crt"), client-key-data: $(base64 -w0 "$2/$3.key")}
contexts:
- name: test
  context: {cluster: test, user: $3}
current-context: test
K
}

# What kube-apiserver is started with in both kinds of cluster: `ApiserverFlags PKI-DIR ETCD-URL PORT`.
ApiserverFlags() {
  printf '%s\n' --etcd-servers="$2" --secure-port="$3" --allow-privileged=true \
    --tls-cert-file="$1/apiserver.crt" --tls-private-key-file="$1/apiserver.key" --client-ca-file="$1/ca.crt" \
    --service-account-key-file="$1/sa.pub" --service-account-signing-key-file="$1/sa.key" \
    --service-account-issuer=https://kubernetes.default.svc --service-cluster-ip-range=10.96.0.0/16 \
    --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --profiling=false
}

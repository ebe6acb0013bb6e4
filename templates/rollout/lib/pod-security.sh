# Is Pod Security admission on, and is PSP?
# shellcheck shell=sh disable=SC2154 # variables of lib/step.sh

# minor_of_server: sets `minor`
minor_of_server() {
  minor=$(k get --raw /version | sed -n 's/.*"minor": *"\([0-9]*\).*/\1/p')
  [ -n "$minor" ] || die "the server does not tell its version"
}

# need_pod_security: Pod Security admission must be there and on. It refuses labels that are no
# levels, and nothing else does.
need_pod_security() {
  [ "$mode" != undo ] || return 0
  minor_of_server
  if [ "$minor" -lt 23 ]; then
    [ "$forces" = yes ] ||
      die "the server is v1.$minor: Pod Security admission is on from v1.23; upgrade to v1.23 or v1.24 first, or set labels for the upgrade by --force"
    say "the server is v1.$minor: labels do nothing before v1.23"
    return 0
  fi
  if k label --dry-run=server --overwrite namespace kube-system \
    pod-security.kubernetes.io/enforce=no-level >"$work/out" 2>&1; then
    die "Pod Security admission is off: the server takes any value for its labels"
  fi
  grep -q 'must be one of privileged, baseline, restricted' "$work/out" || {
    cat "$work/out" >&2
    die "whether Pod Security admission is on cannot be found out"
  }
}

# try_pod NAMESPACE FILE: asks the server for a pod without making it; the answer is in $work/out
try_pod() {
  k create --dry-run=server --validate=false -o json --namespace="$1" -f "$here/data/$2" >"$work/out" 2>&1
}

# refuses_violations: a pod that violates a namespace's level must be refused
refuses_violations() {
  probed=$(k get namespaces -l pod-security.kubernetes.io/enforce=restricted -o name |
    sed -n 's|^namespace/||;1p')
  if [ -z "$probed" ]; then
    probed=psp2psa-preflight
    k create -f "$here/data/preflight.yaml" --validate=false >"$work/out" 2>&1 ||
      grep -q 'already exists' "$work/out" || {
        cat "$work/out" >&2
        die "namespace $probed, to try Pod Security admission in, cannot be made"
      }
    trap 'k delete namespace psp2psa-preflight --wait=false >/dev/null; rm -rf "$work"' EXIT
  fi
  for pod in privileged-pod.json plain-pod.json; do
    n=0
    # A new namespace's service account takes a moment.
    until try_pod "$probed" "$pod" || ! grep -q 'serviceaccount.*not found' "$work/out" || [ $n -ge 10 ]; do
      n=$((n + 1))
      sleep 1
    done
    if grep -q 'violates PodSecurity' "$work/out"; then
      say "a violating pod is refused in namespace $probed: Pod Security admission is on"
      return 0
    fi
    grep -q '"kind": "Pod"' "$work/out" && ! grep -q '"kubernetes.io/psp"' "$work/out" &&
      die "Pod Security admission does not work: namespace $probed enforces restricted, and takes $pod"
  done
  say "another admission plugin answers first for pods; that it refuses a label that is no level shows that Pod Security admission is on"
}

# psp_in NAMESPACE: `on`, `off`, or `unknown` where something else refuses the pod
psp_in() {
  if try_pod "$1" hardened-pod.json; then
    if grep -q '"kubernetes.io/psp"' "$work/out"; then echo on; else echo off; fi
  elif grep -q 'PodSecurityPolicy: ' "$work/out"; then
    echo on
  else
    echo unknown
  fi
}

# need_psp_off: no pod may go through PSP any more, at none of the API servers that answer in turn
need_psp_off() {
  [ "$mode" != undo ] || return 0
  k get namespaces -o name | sed -n 's|^namespace/||p' >"$work/names"
  is_off=no
  for probed in $(head -n 20 "$work/names") kube-system kube-system kube-system; do
    case $(psp_in "$probed") in
      on)
        cat "$work/out" >&2
        die "pods still go through PodSecurityPolicy: with no policy left, every pod would be refused; see 7-disable-psp.md"
        ;;
      off) is_off=yes ;;
    esac
  done
  [ "$is_off" = yes ] || {
    cat "$work/out" >&2
    die "whether pods still go through PodSecurityPolicy cannot be found out"
  }
}

# has_psp: whether the server still serves PodSecurityPolicies
has_psp() { k get --raw /apis/policy/v1beta1 2>/dev/null | grep -q '"podsecuritypolicies"'; }

# need_psp: there must be policies to get past
need_psp() { [ "$mode" = undo ] || has_psp || die "the server serves no PodSecurityPolicies: there is nothing to get past"; }

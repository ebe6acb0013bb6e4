# Is Pod Security admission on, and is PSP?
# shellcheck shell=sh disable=SC2154 # variables of lib/step.sh

is_on='that it refuses a label that is no level shows that Pod Security admission is on'

minor=

# minor_of_server: sets `minor`; the server is asked once
minor_of_server() {
  [ -z "$minor" ] || return 0
  k get --raw /version >"$work/out" || die "the server does not tell its version"
  minor=$(sed -n 's/.*"minor": *"\([0-9]*\).*/\1/p' "$work/out")
  [ -n "$minor" ] || die "the server does not tell its version"
}

# need_pod_security: Pod Security admission must be there and on, unless labels are set for an upgrade
need_pod_security() {
  minor_of_server
  if [ "$minor" -lt 23 ] && [ "$is_early" = yes ]; then
    say "the server is v1.$minor: labels do nothing before v1.23"
  else
    need_pod_security_now
  fi
}

# need_pod_security_now: as above, whatever the options say. It refuses labels that are no levels, and
# nothing else does so in these words.
need_pod_security_now() {
  minor_of_server
  [ "$minor" -ge 23 ] ||
    die "the server is v1.$minor: Pod Security admission is on from v1.23; upgrade to v1.23 or v1.24 first"
  if k label --dry-run=server --overwrite namespace kube-system \
    pod-security.kubernetes.io/enforce=no-level >"$work/out" 2>&1; then
    die "Pod Security admission is off: the server takes any value for its labels"
  fi
  grep -q 'must be one of privileged, baseline, restricted' "$work/out" ||
    die_of_answer "whether Pod Security admission is on cannot be found out"
}

# try_pod NAMESPACE FILE: asks the server for a pod without making it; the answer is in $work/out
try_pod() {
  k create --dry-run=server --validate=false -o json --namespace="$1" -f "$data/$2" >"$work/out" 2>&1
}

# refuses_violations: a pod that violates a namespace's level must be refused
refuses_violations() {
  mark=psp2psa-preflight
  if [ "$mode" = dry-run ]; then
    say "no pod is tried, as that takes a namespace; $is_on"
    return 0
  fi
  # What a run that was killed has left.
  k delete namespaces -l "$mark" --wait=false >"$work/out" 2>&1 || die_of_answer "$mark: not removed"
  k get namespaces -l "pod-security.kubernetes.io/enforce=restricted,!$mark" -o name >"$work/out" ||
    die "namespaces cannot be listed"
  probed=$(sed -n 's|^namespace/||;1p' "$work/out")
  if [ -z "$probed" ]; then
    probed=$mark-$$
    trap 'kubectl ${context:+--context "$context"} delete namespace "$mark-$$" --ignore-not-found --wait=false >/dev/null; rm -rf "$work"' EXIT
    cat >"$work/probe.yaml" <<END
apiVersion: v1
kind: Namespace
metadata:
  name: $probed
  labels:
    $mark: "yes"
    pod-security.kubernetes.io/enforce: restricted
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: default
  namespace: $probed
END
    k create -f "$work/probe.yaml" --validate=false >"$work/out" 2>&1 ||
      grep -q 'serviceaccounts.*already exists' "$work/out" ||
      die_of_answer "namespace $probed, to try Pod Security admission in, cannot be made"
  fi
  for pod in privileged-pod.json plain-pod.json; do
    n=0
    # The admission plugins hear of a new namespace and service account after a moment.
    until try_pod "$probed" "$pod" || ! grep -q -e 'serviceaccount.*not found' -e 'namespace.*not found' "$work/out" || [ $n -ge 10 ]; do
      n=$((n + 1))
      sleep 1
    done
    if grep -q 'violates PodSecurity' "$work/out"; then
      say "a violating pod is refused in namespace $probed: Pod Security admission is on"
      return 0
    fi
    if grep -q '"kind": "Pod"' "$work/out" && ! grep -q '"kubernetes.io/psp"' "$work/out"; then
      die "Pod Security admission does not work: namespace $probed enforces restricted, and takes $pod"
    fi
  done
  say "another admission plugin answers first for pods; $is_on"
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
  minor_of_server
  if [ "$minor" -ge 25 ]; then return 0; fi
  k get namespaces -o name >"$work/names" || die "namespaces cannot be listed"
  is_off=$forces
  for probed in $(sed -n 's|^namespace/||p' "$work/names" | head -n 20) kube-system kube-system kube-system; do
    case $(psp_in "$probed") in
      on) die_of_answer "pods still go through PodSecurityPolicy: with no policy left, every pod would be refused; see 7-disable-psp.md" ;;
      off) is_off=yes ;;
    esac
  done
  [ "$is_off" = yes ] || die_of_answer "whether pods still go through PodSecurityPolicy cannot be found out; see --force"
}

# has_psp: whether the server still serves PodSecurityPolicies
has_psp() {
  if [ -z "${serves_psp-}" ]; then
    if k get --raw /apis/policy/v1beta1 >"$work/out" 2>&1; then
      serves_psp=no
      if grep -q '"podsecuritypolicies"' "$work/out"; then serves_psp=yes; fi
    elif grep -q -e NotFound -e 'could not find' "$work/out"; then
      serves_psp=no
    else
      die_of_answer "whether the server serves policies cannot be found out"
    fi
  fi
  [ "$serves_psp" = yes ]
}

# need_psp: there must be policies to get past
need_psp() {
  has_psp || die "the server serves no PodSecurityPolicies: there is nothing to get past"
}

# How does a namespace get past PSP?
# shellcheck shell=sh disable=SC2154 # variables of lib/step.sh

bindings=rolebindings.rbac.authorization.k8s.io

# bypass POLICY NAMESPACE LEVEL: lets the namespace's pods use the policy that passes them as they are,
# where the level is enforced
bypass() {
  if ! read_namespace "$2"; then
    say "$2: is gone, left out"
    return 0
  fi
  now=$(now_of enforce)
  [ "$now" = "enforce=$3" ] || is_set "$2" "$now" || [ "$mode" = dry-run ] ||
    die "$2: does not enforce $3, and would be without protection; see step 4"
  cat >"$work/binding.json" <<END
{
  "apiVersion": "rbac.authorization.k8s.io/v1",
  "kind": "RoleBinding",
  "metadata": {"name": "$1", "namespace": "$2"},
  "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "$1"},
  "subjects": [
    {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:serviceaccounts:$2"}
  ]
}
END
  make $bindings "$2" "$1" "$work/binding.json"
}

# is_set NAMESPACE KEY=VALUE: whether this rollout has set it
is_set() { [ -f "$state/labels" ] && grep -qxF -- "$1 $2" "$state/labels"; }

# need_bypass POLICY NAMESPACE...: PSP must not change the namespaces' pods any more
need_bypass() {
  has_psp || return 0
  policy=$1
  shift
  for namespace in "$@"; do
    is_there $bindings "$namespace" "$policy" ||
      die "$namespace: its pods still go through PodSecurityPolicy; see step 5"
  done
}

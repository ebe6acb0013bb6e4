# How does a namespace get past PSP?
# shellcheck shell=sh disable=SC2154 # variables of lib/step.sh

# bypass POLICY NAMESPACE: lets the namespace's pods use the policy that passes them as they are
bypass() {
  if [ "$mode" != undo ]; then
    [ -d "$work/namespaces" ] || read_labels
    if [ ! -f "$work/namespaces/$2" ]; then
      say "$2: is gone, left out"
      return 0
    fi
    case $(now_of "$2" enforce) in
      *-) [ "$forces" = yes ] || die "$2: enforces no level yet, and would be without protection; see step 4, or --force" ;;
    esac
  fi
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
  make rolebindings.rbac.authorization.k8s.io "$2" "$1" "$work/binding.json"
}

# need_bypass: PSP must not change pods any more
need_bypass() {
  [ "$mode" = undo ] || [ -d "$state/5-bypass" ] || ! has_psp || die "pods still go through PodSecurityPolicy; see step 5"
}

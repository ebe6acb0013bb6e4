# Is the cluster still what the plan was made of?
# shellcheck shell=sh disable=SC2154 # variables of lib/step.sh and lib/labels.sh

# need_fresh all|some: of all namespaces, or those of the plan, no namespace, label or pod template may have changed since the plan, but for what this
# rollout has done itself
need_fresh() {
  read_namespaces
  workloads_now >"$work/workloads"
  {
    [ "$1" = some ] || new_namespaces
    changed_labels
    changed_policies
    changed_workloads
  } >"$work/stale"
  if [ -s "$work/stale" ]; then
    sort "$work/stale"
    [ "$forces" = yes ] || die "the cluster has changed since the plan; plan again, or see --force"
  else
    say "the cluster is as the plan has seen it"
  fi
}

# read_namespaces: the names of all, and their pod-security labels without the prefix
read_namespaces() {
  # shellcheck disable=SC2016 # the template's own variables
  k get namespaces -o 'go-template={{range .items}}{{$name := .metadata.name}}{{$name}}{{"\n"}}{{range $key, $value := .metadata.labels}}{{$name}} {{$key}}={{$value}}{{"\n"}}{{end}}{{end}}' >"$work/list" ||
    die "namespaces cannot be listed"
  sed "s# $prefix/# #" "$work/list" | grep -E '^[^ ]*( (enforce|audit|warn)(-version)?=.*)?$' >"$work/namespaces"
  grep -qx kube-system "$work/namespaces" || die "the list of namespaces is not whole"
}

new_namespaces() {
  grep -v ' ' "$work/namespaces" | grep -v '^psp2psa-preflight-' >"$work/names"
  grep -vxF -f "$data/namespaces" "$work/names" | sed 's/.*/namespace &: is not in the plan/' || true
}

# changed_labels: labels that neither the plan nor this rollout knows, and those that are gone
changed_labels() {
  touch "$state/labels"
  awk '
    { key = $0; sub(/=.*/, "", key) }
    FILENAME == ARGV[1] { planned[$1] = 1; next }
    FILENAME == ARGV[2] { known[$0] = 1; was[key] = 1; next }
    FILENAME == ARGV[3] { known[$0] = 1; next }
    NF == 1 { is_there[$1] = 1; next }
    { now[key] = 1 }
    ($1 in planned) && !($0 in known) { print "namespace " $1 ": has " $2 }
    END {
      for (key in was) {
        split(key, words, " ")
        if (words[1] in is_there && !(key in now)) print "namespace " words[1] ": has no " words[2] " any more"
      }
    }
  ' "$data/namespaces" "$data/labels" "$state/labels" "$work/namespaces"
}

# changed_policies: policies that are new, or gone: another one may be selected then
changed_policies() {
  has_psp || return 0
  k get podsecuritypolicies.policy -o name >"$work/found" || die "policies cannot be listed"
  sed -e 's#^[^/]*/##' -e '/psp2psa-bypass$/d' "$work/found" >"$work/policies"
  grep -vxF -f "$data/policies" "$work/policies" | sed 's/.*/policy &: is not in the plan/' || true
  grep -vxF -f "$work/policies" "$data/policies" | sed 's/.*/policy &: is gone/' || true
}

# workloads_now: NAMESPACE KIND NAME REVISION of every workload with a template of its own
workloads_now() {
  of_kind Deployment deployments.apps '{{with .metadata.annotations}}{{with index . "deployment.kubernetes.io/revision"}}{{.}}{{end}}{{end}}'
  # shellcheck disable=SC2016 # the template's own variables
  of_kind DaemonSet daemonsets.apps '{{$revision := .metadata.generation}}{{with .metadata.annotations}}{{with index . "deprecated.daemonset.template.generation"}}{{$revision = .}}{{end}}{{end}}{{$revision}}'
  of_kind StatefulSet statefulsets.apps '{{with .status}}{{with .updateRevision}}{{.}}{{end}}{{end}}'
  of_kind CronJob cronjobs.batch ''
  of_kind ReplicationController replicationcontrollers ''
}

of_kind() {
  k get "$2" --all-namespaces -o "go-template={{range .items}}{{.metadata.namespace}} $1 {{.metadata.name}} $3"'{{"\n"}}{{end}}'
}

# changed_workloads: those that are new, or whose template is another
changed_workloads() {
  awk '
    { key = $1 " " $2 " " $3 }
    FILENAME == ARGV[1] { planned[$1] = 1; next }
    FILENAME == ARGV[2] { known[key] = 1; revision[key] = $4; next }
    !($1 in planned) { next }
    !(key in known) { print $2 " " $3 " in namespace " $1 ": is not in the plan"; next }
    revision[key] != "" && revision[key] != $4 { print key, $4 }
  ' "$data/namespaces" "$data/workloads" "$work/workloads" | while read -r line; do
    case $line in
      *": is not in the plan") printf '%s\n' "$line" ;;
      *)
        # shellcheck disable=SC2086 # names are words
        set -- $line
        is_ours "$@" || printf '%s %s in namespace %s: has another template\n' "$2" "$3" "$1"
        ;;
    esac
  done
}

# is_ours NAMESPACE KIND NAME: whether a step has patched the workload
is_ours() {
  for patched in "$state"/*/"$(printf '%s' "$2" | tr '[:upper:]' '[:lower:]')"s.*."$1.$3.after"; do
    [ -f "$patched" ] && return 0
  done
  return 1
}

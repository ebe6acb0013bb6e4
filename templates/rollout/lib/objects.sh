# How are objects changed, made and removed, and how does all that come back?
# shellcheck shell=sh disable=SC2154 # variables of lib/step.sh

patience=${PSP2PSA_TIMEOUT:-10m}

# in_words RESOURCE NAMESPACE NAME: sets `what`, how the object is called, and `record`, the
# beginning of the names of its files
in_words() {
  what=$1/$3${2:+ in namespace $2}
  case $3 in
    *[!a-z0-9.-]*) record=$own/$1.$(printf '%s' "$2/$3" | cksum | tr -d ' ') ;;
    *) record=$own/$1.${2:+$2.}$3 ;;
  esac
}

# on RESOURCE NAMESPACE NAME VERB [ARGUMENT...]: `kubectl VERB` for one object
on() {
  on_resource=$1 on_namespace=$2 on_name=$3 on_verb=$4
  shift 4
  k "$on_verb" ${on_namespace:+--namespace="$on_namespace"} "$@" -- "$on_resource" "$on_name"
}

# is_there RESOURCE NAMESPACE NAME
is_there() {
  on "$1" "$2" "$3" get -o name --ignore-not-found >"$work/found" || die "$what: cannot be read"
  [ -s "$work/found" ]
}

# field_of RESOURCE: the one field that is changed
field_of() {
  case $1 in
    cronjobs.*) echo spec/jobTemplate/spec/template ;;
    podtemplates) echo template ;;
    *roles.*) echo rules ;;
    *) echo spec/template ;;
  esac
}

# change RESOURCE NAMESPACE NAME TYPE FILE: patches the object's field, and waits for its pods
change() {
  in_words "$1" "$2" "$3"
  path=$(field_of "$1")
  as_path=$(echo "$path" | tr / .)
  if [ "$mode" = undo ]; then
    change_back "$1" "$2" "$3"
    return 0
  fi
  if ! is_there "$1" "$2" "$3"; then
    say "$what: is gone, left out"
    return 0
  fi
  on "$1" "$2" "$3" get -o "jsonpath={.$as_path}" >"$work/before"
  if [ -f "$record.after" ]; then
    keep "$work/now" "$(cat "$work/before")"
    if cmp -s "$work/now" "$record.after"; then
      say "$what: has it already"
      return 0
    fi
  fi
  # Also says whether the server takes it.
  on "$1" "$2" "$3" patch --dry-run=server --type="$4" --patch-file="$here/$5" \
    -o "jsonpath={.$as_path}" >"$work/after" || die "$what: the server refuses $5"
  if cmp -s "$work/before" "$work/after"; then
    say "$what: has it already"
    return 0
  fi
  if [ "$mode" = dry-run ]; then
    say "$what: takes $5"
    return 0
  fi
  mkdir -p "$own"
  [ -f "$record.before" ] || keep "$record.before" "$(cat "$work/before")"
  keep "$record.after" "$(cat "$work/after")"
  on "$1" "$2" "$3" patch --type="$4" --patch-file="$here/$5" >/dev/null || die "$what: not patched"
  say "$what: patched by $5"
  rolled_out "$1" "$2" "$3"
}

# change_back RESOURCE NAMESPACE NAME: puts back what the field was, if nobody has changed it since
change_back() {
  [ -f "$record.before" ] && is_there "$1" "$2" "$3" || return 0
  keep "$work/now" "$(on "$1" "$2" "$3" get -o "jsonpath={.$as_path}")"
  ! cmp -s "$work/now" "$record.before" || return 0
  cmp -s "$work/now" "$record.after" || [ "$forces" = yes ] ||
    die "$what: has been changed since; what was there is in $record.before"
  {
    printf '[{"op":"test","path":"/%s","value":' "$path"
    cat "$work/now"
    printf '},{"op":"replace","path":"/%s","value":' "$path"
    cat "$record.before"
    printf '}]'
  } >"$work/patch"
  on "$1" "$2" "$3" patch --type=json --patch-file="$work/patch" >/dev/null || die "$what: not restored"
  say "$what: restored"
  rolled_out "$1" "$2" "$3"
}

# rolled_out RESOURCE NAMESPACE NAME: waits until the controller has replaced the pods
rolled_out() {
  [ "$waits" = yes ] || return 0
  case $1 in deployments.* | daemonsets.* | statefulsets.*) ;; *) return 0 ;; esac
  case $(on "$1" "$2" "$3" get -o 'jsonpath={.spec.updateStrategy.type}{.spec.paused}') in
    *OnDelete* | *true*)
      say "$what: is paused, or replaces pods only when they are deleted; not waited for"
      return 0
      ;;
  esac
  k rollout status --namespace="$2" --timeout="$patience" "$1/$3" >"$work/out" 2>&1 || {
    cat "$work/out" >&2
    die "$what: its pods do not come up within $patience"
  }
}

# make RESOURCE NAMESPACE NAME FILE: makes the object of FILE where it is not there
make() {
  in_words "$1" "$2" "$3"
  if [ "$mode" = undo ]; then
    printf '%s\n' "$1 ${2:--} $3" >>"$work/made"
    return 0
  fi
  if is_there "$1" "$2" "$3"; then
    [ -f "$record.made" ] || die "$what: is there already, and not from this rollout"
    return 0
  fi
  if [ "$mode" = dry-run ]; then
    k create --dry-run=server --validate=false -f "$4" >/dev/null || die "$what: the server refuses it"
    say "$what: can be made"
    return 0
  fi
  mkdir -p "$own"
  keep "$record.made" "$*"
  k create --validate=false -f "$4" >/dev/null || die "$what: not made"
  say "$what: made"
}

# unmake: removes what `make` has made, the last first
unmake() {
  [ -f "$work/made" ] || return 0
  last_first "$work/made" >"$work/unmake"
  while read -r resource namespace name <&3; do
    [ "$namespace" != - ] || namespace=
    in_words "$resource" "$namespace" "$name"
    [ -f "$record.made" ] || continue
    case $resource in
      podsecuritypolicies.*) has_psp || { say "$what: cannot be removed, as the server serves none any more"; continue; } ;;
    esac
    on "$resource" "$namespace" "$name" delete --ignore-not-found >/dev/null || die "$what: not removed"
    say "$what: removed"
  done 3<"$work/unmake"
}

last_first() { sed -n '1!G;h;$p' "$1"; }

# list_of RESOURCE NAMESPACE: where the API server takes new objects
list_of() {
  case $1 in
    *.policy) echo "/apis/policy/v1beta1/${1%%.*}" ;;
    *) echo "/apis/rbac.authorization.k8s.io/v1${2:+/namespaces/$2}/${1%%.*}" ;;
  esac
}

# remove RESOURCE NAMESPACE NAME: deletes an object, and keeps it to be made again
remove() {
  in_words "$1" "$2" "$3"
  if [ "$mode" = undo ]; then
    printf '%s %s\n' "$(list_of "$1" "$2")" "$record.json" >>"$work/removed"
    return 0
  fi
  if ! is_there "$1" "$2" "$3"; then
    say "$what: is gone already"
    return 0
  fi
  if [ "$mode" = dry-run ]; then
    on "$1" "$2" "$3" delete --dry-run=server >/dev/null || die "$what: the server refuses to delete it"
    say "$what: can be deleted"
    return 0
  fi
  mkdir -p "$own"
  # Without what only a living object has; these stand at the metadata's own indentation.
  on "$1" "$2" "$3" get -o json |
    sed -e '/^        "resourceVersion": "[0-9]*",\{0,1\}$/d' >"$record.json.new"
  [ -s "$record.json.new" ] || die "$what: cannot be read"
  mv -- "$record.json.new" "$record.json"
  on "$1" "$2" "$3" delete >/dev/null || die "$what: not deleted"
  say "$what: deleted; kept in $record.json"
}

# bring_back: makes again what `remove` has deleted, the last first
bring_back() {
  [ -f "$work/removed" ] || return 0
  last_first "$work/removed" >"$work/back"
  while IFS=' ' read -r list file <&3; do
    [ -f "$file" ] || continue
    # As it is: without --raw kubectl would write another last-applied-configuration into it.
    if k create --raw "$list" -f "$file" >"$work/out" 2>&1; then
      say "$file: made again"
    elif ! grep -q 'AlreadyExists\|already exists' "$work/out"; then
      cat "$work/out" >&2
      die "$file: cannot be made again"
    fi
  done 3<"$work/back"
}

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
  in_words "$1" "$2" "$3"
  on "$1" "$2" "$3" get -o name --ignore-not-found >"$work/found" || die "$what: cannot be read"
  [ -s "$work/found" ]
}

# field_of RESOURCE: sets `path`, the one field that is changed
field_of() {
  case $1 in
    cronjobs.*) path=spec/jobTemplate/spec/template ;;
    podtemplates) path=template ;;
    *roles.*) path=rules ;;
    *) path=spec/template ;;
  esac
  as_path=$(echo "$path" | tr / .)
}

# change RESOURCE NAMESPACE NAME TYPE FILE: patches the object's field, and waits for its pods
change() {
  field_of "$1"
  if ! is_there "$1" "$2" "$3"; then
    say "$what: is gone, left out"
    return 0
  fi
  on "$1" "$2" "$3" get -o "jsonpath={.$as_path}" >"$work/before" || die "$what: cannot be read"
  # A JSON patch that has been applied does not fit any more; others can be asked again.
  if [ "$4" = json ] && [ -f "$record.after" ] && [ "$(cat "$work/before")" = "$(cat "$record.after")" ]; then
    say "$what: has it already"
    return 0
  fi
  # Also says whether the server takes it.
  on "$1" "$2" "$3" patch --dry-run=server --type="$4" --patch-file="$here/$5" \
    -o "jsonpath={.$as_path}" >"$work/after" || die "$what: the server refuses $5"
  if cmp -s "$work/before" "$work/after"; then
    say "$what: has it already"
    # Its pods may have been waited for in vain.
    if [ -f "$record.after" ] && [ "$mode" = change ]; then rolled_out "$1" "$2" "$3"; fi
    return 0
  fi
  if [ "$mode" = dry-run ]; then
    say "$what: takes $5"
    return 0
  fi
  mkdir -p "$own"
  [ -f "$record.before" ] || keep "$record.before" "$(cat "$work/before")"
  keep "$record.after" "$(cat "$work/after")"
  keep "$record.object" "$(printf '%s\n' "$1" "$2" "$3")"
  on "$1" "$2" "$3" patch --type="$4" --patch-file="$here/$5" >/dev/null || die "$what: not patched"
  say "$what: patched by $5"
  rolled_out "$1" "$2" "$3"
}

# change_back: every field that is recorded becomes what it was, if nobody has changed it since
change_back() {
  for object in "$own"/*.object; do
    [ -f "$object" ] || continue
    {
      read -r resource
      read -r namespace
      IFS= read -r name
    } <"$object"
    field_of "$resource"
    if is_there "$resource" "$namespace" "$name" && [ -f "$record.before" ]; then
      field_back "$resource" "$namespace" "$name"
    fi
    if [ "$mode" = change ]; then
      rm -f -- "$record.before" "$record.after"
      rm -- "$object"
    fi
  done
}

# field_back RESOURCE NAMESPACE NAME
field_back() {
  keep "$work/now" "$(on "$1" "$2" "$3" get -o "jsonpath={.$as_path}")"
  if ! cmp -s "$work/now" "$record.before"; then
    cmp -s "$work/now" "$record.after" || [ "$forces" = yes ] ||
      die "$what: has been changed since; what was there is in $record.before"
    if [ "$mode" = dry-run ]; then
      say "$what: would be restored"
      return 0
    fi
    {
      printf '[{"op":"test","path":"/%s","value":' "$path"
      cat "$work/now"
      printf '},{"op":"replace","path":"/%s","value":' "$path"
      cat "$record.before"
      printf '}]'
    } >"$work/patch"
    on "$1" "$2" "$3" patch --type=json --patch-file="$work/patch" >/dev/null || die "$what: not restored"
    say "$what: restored"
  fi
  if [ "$mode" = change ]; then rolled_out "$1" "$2" "$3"; fi
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
  k rollout status --namespace="$2" --timeout="$patience" "$1/$3" >"$work/out" 2>&1 ||
    die_of_answer "$what: its pods do not come up within $patience"
}

# make RESOURCE NAMESPACE NAME FILE: makes the object of FILE where it is not there
make() {
  if is_there "$1" "$2" "$3"; then
    if [ ! -f "$own/made" ] || ! grep -qxF -- "$1 ${2:--} $3" "$own/made"; then
      die "$what: is there already, and not from this rollout"
    fi
    return 0
  fi
  if [ "$mode" = dry-run ]; then
    k create --dry-run=server --validate=false -f "$4" >/dev/null || die "$what: the server refuses it"
    say "$what: can be made"
    return 0
  fi
  mkdir -p "$own"
  printf '%s\n' "$1 ${2:--} $3" >>"$own/made"
  k create --validate=false -f "$4" >/dev/null || die "$what: not made"
  say "$what: made"
}

# unmake: removes what `make` has made, the last first
unmake() {
  [ -f "$own/made" ] || return 0
  last_first "$own/made" >"$work/unmake"
  while read -r resource namespace name <&3; do
    [ "$namespace" != - ] || namespace=
    in_words "$resource" "$namespace" "$name"
    case $resource in
      podsecuritypolicies.*)
        if ! has_psp; then
          say "$what: out of reach, as the server serves none any more"
          continue
        fi
        ;;
    esac
    if [ "$mode" = dry-run ]; then
      say "$what: would be removed"
      continue
    fi
    on "$resource" "$namespace" "$name" delete --ignore-not-found >/dev/null || die "$what: not removed"
    say "$what: removed"
  done 3<"$work/unmake"
  [ "$mode" = dry-run ] || rm -- "$own/made"
}

# list_of RESOURCE NAMESPACE: where the API server takes new objects
list_of() {
  case $1 in
    *.policy) echo "/apis/policy/v1beta1/${1%%.*}" ;;
    *) echo "/apis/rbac.authorization.k8s.io/v1${2:+/namespaces/$2}/${1%%.*}" ;;
  esac
}

# remove RESOURCE NAMESPACE NAME [ROLE]: deletes an object, and keeps it to be made again; a role only
# if all of it is about policies still, a binding only if it is still to that ROLE (KIND/NAME)
remove() {
  if ! is_there "$1" "$2" "$3"; then
    say "$what: is gone already"
    return 0
  fi
  is_as_planned "$@" || [ "$forces" = yes ] ||
    die "$what: is not what the plan has seen any more; plan again, or see --force"
  if [ "$mode" = dry-run ]; then
    on "$1" "$2" "$3" delete --dry-run=server >/dev/null || die "$what: the server refuses to delete it"
    say "$what: can be deleted"
    return 0
  fi
  mkdir -p "$own"
  on "$1" "$2" "$3" get -o json >"$work/object" || die "$what: cannot be read"
  # Without what only a living object has; it stands at the metadata's own indentation.
  sed -e '/^        "resourceVersion": "[0-9]*",*$/d' "$work/object" >"$record.json.new"
  mv -- "$record.json.new" "$record.json"
  printf '%s %s\n' "$(list_of "$1" "$2")" "${record##*/}.json" >>"$own/removed"
  on "$1" "$2" "$3" delete >/dev/null || die "$what: not deleted"
  say "$what: deleted; kept in $record.json"
}

# is_as_planned RESOURCE NAMESPACE NAME [ROLE]
is_as_planned() {
  case $1 in
    *bindings.*)
      found=$(on "$1" "$2" "$3" get -o 'jsonpath={.roleRef.kind}/{.roleRef.name}') || die "$what: cannot be read"
      [ "$found" = "$4" ]
      ;;
    *roles.*)
      on "$1" "$2" "$3" get -o 'go-template={{range .rules}}{{range .resources}}{{.}}{{"\n"}}{{end}}{{range .nonResourceURLs}}{{.}}{{"\n"}}{{end}}{{end}}' >"$work/rules" ||
        die "$what: cannot be read"
      ! grep -qvx podsecuritypolicies "$work/rules"
      ;;
    *) return 0 ;;
  esac
}

# bring_back: makes again what `remove` has deleted, the last first
bring_back() {
  [ -f "$own/removed" ] || return 0
  last_first "$own/removed" >"$work/back"
  while IFS=' ' read -r list file <&3; do
    if [ "$mode" = dry-run ]; then
      say "$file: would be made again"
      continue
    fi
    # As it is: without --raw kubectl would write another last-applied-configuration into it.
    if k create --raw "$list" -f "$own/$file" >"$work/out" 2>&1; then
      say "$file: made again"
    elif grep -q 'namespaces.*not found' "$work/out"; then
      say "$file: its namespace is gone, left out"
    elif ! grep -q -e AlreadyExists -e 'already exists' "$work/out"; then
      die_of_answer "$own/$file: cannot be made again"
    fi
  done 3<"$work/back"
  if [ "$mode" = change ]; then
    rm -f -- "$own"/*.json
    rm -- "$own/removed"
  fi
}

# How does a step begin and end, and what does it keep for its undoing?
# shellcheck shell=sh disable=SC2034 # the other files of lib read the options
set -eu
umask 077
LC_ALL=C
export LC_ALL

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
state=${PSP2PSA_STATE:-$here/state}
data=$here/data
context=
mode=change
asks=yes
waits=yes
forces=no
is_early=no
last_wave=

usage() {
  cat <<END
usage: sh $(basename -- "$0") [options]
  --dry-run          ask the server what it would do, and change nothing
  --context NAME     use this context of the kubeconfig
  --yes              do not ask before each wave (steps 4 and 5)
  --wave N           stop after wave N (steps 3 to 6)
  --no-wait          do not wait for rollouts
  --before-upgrade   set labels on a server that is too old to heed them (steps 1, 3 and 4)
  --force            go on where something is not as the plan or the rollout has left it
What was there before a step is kept in ${state}; PSP2PSA_STATE names another place.
END
}

wrong_usage() {
  usage >&2
  exit 2
}

say() {
  printf '%s\n' "$*"
  if [ -d "$state" ]; then
    printf '%s %s: %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$step" "$*" >>"$state/log"
  fi
}
die() {
  say "stopped: $*" >&2
  exit 1
}
# die_of_answer WORD...: with what kubectl has said last
die_of_answer() {
  cat "$work/out" >&2
  die "$@"
}
k() { kubectl ${context:+--context "$context"} "$@"; }

# begin STEP "$@"
begin() {
  enter "$@"
  say "step $step"
}

# begin_undo STEP "$@"
begin_undo() {
  enter "$@"
  if [ ! -d "$own" ]; then
    if [ -f "$state/undone" ] && grep -qxF -- "$step" "$state/undone"; then
      say "step $step is undone already"
      exit 0
    fi
    die "nothing is recorded for this step in $state: it was not done from here; see PSP2PSA_STATE"
  fi
  last=$step
  for done in "$state"/[0-9]-*; do
    if [ -d "$done" ]; then last=${done##*/}; fi
  done
  [ "${last%%-*}" -le "${step%%-*}" ] || die "undo $last first"
  say "undoing step $step"
}

# enter STEP "$@": reads the options, and sees to it that the cluster is the same as before
enter() {
  step=$1
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      --dry-run | --dry-run=server) mode=dry-run ;;
      --yes | -y) asks=no ;;
      --no-wait) waits=no ;;
      --before-upgrade) is_early=yes ;;
      --force) forces=yes ;;
      --context=?*) context=${1#*=} ;;
      --wave=?*) last_wave=${1#*=} ;;
      --context | --wave)
        [ -n "${2-}" ] || wrong_usage
        if [ "$1" = --wave ]; then last_wave=$2; else context=$2; fi
        shift
        ;;
      -h | --help) usage; exit 0 ;;
      *) wrong_usage ;;
    esac
    shift
  done
  case $last_wave in
    '') ;;
    *[!0-9]* | 0*) wrong_usage ;;
    *) case $step in [3456]-*) ;; *) wrong_usage ;; esac ;;
  esac
  command -v kubectl >/dev/null || die "kubectl is not installed"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  mkdir -p "$state"
  own=$state/$step
  cluster=$(k get namespace kube-system -o 'jsonpath={.metadata.uid}') ||
    die "the cluster cannot be asked; is the context right?"
  if [ -f "$state/cluster" ]; then
    [ "$(cat "$state/cluster")" = "$cluster" ] ||
      die "this is another cluster than the one that the rollout began on; see --context"
  else
    keep "$state/cluster" "$cluster"
  fi
}

# need_before STEP: a later step must not have gone further already
need_before() {
  [ ! -d "$state/$1" ] || [ -z "$(ls "$state/$1")" ] || [ "$forces" = yes ] ||
    die "step $1 has gone further already; undo it first"
}

# keep FILE TEXT: writes a whole file or none
keep() {
  printf '%s\n' "$2" >"$1.new"
  mv -- "$1.new" "$1"
}

# finish: the end of a step
finish() {
  if [ "$mode" = dry-run ]; then
    say "step $step: nothing was changed"
    return 0
  fi
  # A step that had nothing to do can be undone, too.
  if [ -f "$here/$step.undo.sh" ]; then mkdir -p "$own"; fi
  if [ -f "$state/undone" ]; then
    grep -vxF -- "$step" "$state/undone" >"$work/undone" || true
    keep "$state/undone" "$(cat "$work/undone")"
  fi
  say "step $step is done"
}

# finish_undo: the end of a step's undoing
finish_undo() {
  if [ "$mode" = dry-run ]; then
    say "step $step: nothing was changed"
    return 0
  fi
  rm -f -- "$own"/*.new
  rmdir -- "$own" || die "not all of step $step is undone; what is left is recorded in $own"
  printf '%s\n' "$step" >>"$state/undone"
  say "step $step is undone"
}

last_first() { sed -n '1!G;h;$p' "$1"; }

#!/bin/sh
# How much memory and time does hostile input take, just below the bounds and beyond them?
#
# Makes the inputs of docs/LIMITS.md that could cost most, runs the program on each, prints a table, and
# fails where a run takes more than its share.
set -eu

usage() {
  cat <<'END'
Usage: benches/limits.sh [--help]

Environment, with the defaults:
  BIN=            the program, instead of building it
  MAX_MB=200      the largest resident memory of a run, in MB
  MAX_SECONDS=3   the longest run; most hold a pod and a Deployment alike

Needs GNU time and Python 3.
END
}

case ${1:-} in
  '') ;;
  --help | -h)
    usage
    exit 0
    ;;
  *)
    usage >&2
    exit 2
    ;;
esac

: "${BIN:=}" "${MAX_MB:=200}" "${MAX_SECONDS:=3}"
cd "$(dirname "$0")/.."
if [ -z "$BIN" ]; then
  cargo build --quiet --release --locked
  BIN=${CARGO_TARGET_DIR:-target}/release/psp2psa
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/psp2psa-limits.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

python3 - "$work" <<'END'
import gzip, json, os, sys

os.chdir(sys.argv[1])
MIB = 1 << 20

NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}
ROLE = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"},
        "rules": [{"apiGroups": ["policy"], "resources": ["podsecuritypolicies"], "verbs": ["use"]}]}
BINDING = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
           "metadata": {"name": "b"},
           "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"},
           "subjects": [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io",
                         "name": "system:serviceaccounts"}]}


def write(name, spec, policy, meta=None):
    """A Deployment and its pod with this spec, and a policy."""
    anything = {"rule": "RunAsAny"}
    fields = {"runAsUser": anything, "seLinux": anything, "fsGroup": anything,
              "supplementalGroups": anything, "volumes": ["*"]}
    head = {"name": "big", "namespace": "a", **(meta or {})}
    items = [
        NAMESPACE, ROLE, BINDING,
        {"apiVersion": "v1", "kind": "Pod", "metadata": head, "spec": spec},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": "a"},
         "spec": {"template": {"metadata": meta or {}, "spec": spec}}},
        {"apiVersion": "policy/v1beta1", "kind": "PodSecurityPolicy", "metadata": {"name": "p"},
         "spec": {**fields, **policy}},
    ]
    with open(name + ".json", "w") as file:
        json.dump({"apiVersion": "v1", "kind": "List", "items": items}, file)


def names(prefix, n):
    return [f"{prefix}_{i}" for i in range(n)]


def container(**context):
    return {"name": "c", "securityContext": context}


def containers(n, **fields):
    return {"containers": [{"name": f"c{i}", **fields} for i in range(n)]}


def volumes(n, **fields):
    return {"containers": [{"name": "c"}],
            "volumes": [{"name": f"v{i}", "hostPath": {"path": f"/p{i}"}} for i in range(n)]}


N = 1000
# As much as the bounds let a pod and a policy list, none of it matching.
write("capabilities-add", {"containers": [container(capabilities={"add": names("A", N)})]},
      {"allowedCapabilities": names("B", 100)})
write("capabilities-drop", {"containers": [container(capabilities={"drop": names("A", N)})]},
      {"requiredDropCapabilities": names("B", 100)})
write("capabilities-of-many", containers(N), {"requiredDropCapabilities": names("A", 100)})
write("containers", containers(N, securityContext={"privileged": True}), {})
write("ports", {"containers": [{"name": "c", "ports": [{"hostPort": i + 1} for i in range(N)]}]},
      {"hostPorts": [{"min": 60000 + i, "max": 60000 + i} for i in range(N)]})
write("ports-of-many", {"containers": [{"name": f"c{i}", "ports": [{"hostPort": j + 1} for j in range(N)]}
                                       for i in range(50)]}, {})
write("volumes", volumes(N), {"allowedHostPaths": [{"pathPrefix": f"/q{i}"} for i in range(N)]})
write("sysctls", {"containers": [{"name": "c"}],
                  "securityContext": {"sysctls": [{"name": f"net.a{i}", "value": "1"} for i in range(N)]}},
      {"allowedUnsafeSysctls": names("net.b", N), "forbiddenSysctls": names("net.c", N)})
write("groups", {"containers": [{"name": "c"}],
                 "securityContext": {"supplementalGroups": list(range(N))}},
      {"supplementalGroups": {"rule": "MustRunAs",
                              "ranges": [{"min": 90000 + i, "max": 90000 + i} for i in range(N)]}})
write("annotations", containers(N), {},
      {"annotations": {f"container.apparmor.security.beta.kubernetes.io/c{i}": "unconfined"
                       for i in range(N)}})
write("long-names", {"containers": [{"name": "c" * 4096, "ports": [{"hostPort": i + 1} for i in range(N)]}]},
      {})

# Objects at the bound, and beyond.
pod = '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{%s}}'
for name, size in [("object-at-the-bound", 16 * MIB - 200), ("object-beyond", 400 * MIB)]:
    with open(name + ".json", "w") as file:
        file.write(pod % ('"x":"' + "x" * size + '"'))
with open("yaml-at-the-bound.yaml", "w") as file:
    file.write("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  x:\n")
    file.write("  - {a: b, c: d}\n" * 100_000)

# Bombs.
with gzip.open("bomb.json.gz", "wb", 6) as file:
    for _ in range(1000):
        file.write(b" " * MIB)
with gzip.open("bomb-of-text.json.gz", "wb", 6) as file:
    file.write(b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"')
    for _ in range(1000):
        file.write(b"x" * MIB)
with gzip.open("bomb-in-bomb.json.gz", "wb", 6) as file:
    with open("bomb.json.gz", "rb") as inner:
        file.write(inner.read())
with open("members.json.gz", "wb") as file:
    member = gzip.compress(b" ")
    file.write(member * (3 * MIB // 2 // len(member)))
with open("documents.yaml", "w") as file:
    file.write("---\n" * (3 * MIB // 8))
with open("aliases.yaml", "w") as file:
    file.write("apiVersion: v1\nkind: List\nitems:\n- &a\n  x: " + "x" * (MIB // 2) + "\n")
    file.write("- *a\n" * 100_000)
END

failures=0
printf '| input | command | seconds | MB |\n| --- | --- | ---: | ---: |\n'
for input in "$work"/*.*; do
  for command in 'check -o json' 'simulate --prepare -o json' plan; do
    code=0
    # shellcheck disable=SC2086 # a command is words
    command time -f '%e %M' -o "$work.time" "$BIN" $command -f "$input" >/dev/null 2>&1 || code=$?
    read -r seconds kilobytes <<END
$(tail -n 1 "$work.time")
END
    rm -f "$work.time"
    megabytes=$((kilobytes / 1024))
    sign=
    case $code in 0 | 3 | 4) ;; *) sign=" (exit code $code)" ;; esac
    if [ "$megabytes" -gt "$MAX_MB" ]; then sign="$sign (too much memory)"; fi
    if [ "${seconds%.*}" -ge "$MAX_SECONDS" ]; then sign="$sign (too slow)"; fi
    [ -z "$sign" ] || failures=$((failures + 1))
    printf '| %s | %s%s | %s | %s |\n' "${input##*/}" "$command" "$sign" "$seconds" "$megabytes"
  done
done
[ "$failures" = 0 ] || { echo "$failures runs take more than their share" >&2; exit 1; }

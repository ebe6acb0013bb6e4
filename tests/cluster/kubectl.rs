//! Does the real kubectl find an API server here, to read from and to write to?

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::fake::{Cluster, Release};
use crate::run::{Home, Said};
use crate::server::{Answer, Server};

/// Writes a kubeconfig for a server into a home.
pub(crate) fn kubeconfig(home: &Home, server: &Server) -> PathBuf {
    home.write_kubeconfig(&server.url(), "", "{}")
}

/// The programs to be tried: the installed one, and those that `KUBECTLS` names besides.
pub(crate) fn kubectls() -> Vec<String> {
    let more = std::env::var("KUBECTLS").unwrap_or_default();
    let more = more.split(':').filter(|it| !it.is_empty()).map(str::to_owned);
    std::iter::once("kubectl".to_owned()).chain(more).collect()
}

/// Runs a kubectl in a home with a kubeconfig.
pub(crate) fn run(program: &str, home: &Home, args: &[&str], input: &str) -> Said {
    let mut child = Command::new(program)
        .args(args)
        .env("HOME", home.path())
        .env("KUBECONFIG", home.path().join(".kube/config"))
        .current_dir(home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kubectl is installed; Debian has it as kubernetes-client");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the installed kubectl against a server.
pub(crate) fn kubectl(server: &Server, args: &[&str]) -> Said {
    let home = Home::new();
    kubeconfig(&home, server);
    run("kubectl", &home, args, "")
}

/// A cluster, and a kubectl to ask it with.
struct Session {
    program: String,
    cluster: Cluster,
    home: Home,
    _server: Server,
}

impl Session {
    fn each(release: Release, check: impl Fn(&Self)) {
        for program in kubectls() {
            let cluster = Cluster::of_dump(release, "demo-1.21.json.gz");
            let server = cluster.serve();
            let home = Home::new();
            kubeconfig(&home, &server);
            check(&Self { program, cluster, home, _server: server });
        }
    }

    fn tries(&self, args: &[&str], input: &str) -> Said {
        run(&self.program, &self.home, args, input)
    }

    fn does(&self, args: &[&str]) -> Said {
        self.does_with(args, "")
    }

    fn does_with(&self, args: &[&str], input: &str) -> Said {
        let said = self.tries(args, input);
        assert_eq!(said.code, 0, "{} {args:?}: {said:?}", self.program);
        said
    }

    fn fails(&self, args: &[&str], error: &str) {
        let said = self.tries(args, "");
        assert!(
            said.code != 0 && said.stderr.contains(error),
            "{} {args:?}: {said:?}",
            self.program
        );
    }

    fn label(&self, namespace: &str, label: &str) -> Value {
        let object = self.cluster.object("Namespace", "", namespace).unwrap();
        object["metadata"]["labels"][format!("pod-security.kubernetes.io/{label}")].clone()
    }
}

const SHOP: &str = "team-web";

#[test]
fn it_reads() {
    Session::each(Release::V1_24, |kubectl| {
        let names = kubectl.does(&["get", "ns", "-o", "name"]).stdout;
        assert!(names.lines().any(|line| line == "namespace/team-web"), "{names}");
        let path = "jsonpath={.metadata.name}";
        assert_eq!(kubectl.does(&["get", "ns", SHOP, "-o", path]).stdout, SHOP);
        let version = kubectl.does(&["get", "--raw", "/version"]).stdout;
        assert!(version.contains("v1.24.17"), "{version}");
        let all: Value = serde_json::from_str(
            &kubectl.does(&["get", "pods,deploy,psp", "-A", "-o", "json"]).stdout,
        )
        .unwrap();
        assert!(all["items"].as_array().unwrap().len() > 80);
        let one = kubectl.does(&[
            "get",
            "psp",
            "--field-selector",
            "metadata.name=restricted",
            "-o",
            "name",
        ]);
        assert!(one.stdout.ends_with("/restricted\n"), "{one:?}");
        kubectl.does(&["get", "pods", "-n", SHOP]);
        kubectl.fails(&["get", "ns", "no-such"], "namespaces \"no-such\" not found");
    });
}

#[test]
fn it_labels_namespaces() {
    let restricted = "pod-security.kubernetes.io/enforce=restricted";
    Session::each(Release::V1_24, |kubectl| {
        let before = kubectl.cluster.objects();
        let said = kubectl.does(&["label", "ns", SHOP, restricted, "--dry-run=server"]);
        assert!(said.stderr.contains("Warning: existing pods in namespace"), "{said:?}");
        assert_eq!(kubectl.cluster.objects(), before);
        kubectl.does(&["label", "ns", SHOP, restricted]);
        assert_eq!(kubectl.label(SHOP, "enforce"), "restricted");
        let revision = || {
            kubectl.cluster.object("Namespace", "", SHOP).unwrap()["metadata"]["resourceVersion"]
                .clone()
        };
        let labelled = revision();
        kubectl.does(&["label", "--overwrite", "ns", SHOP, restricted]);
        assert_eq!(revision(), labelled, "no change is no version");
        kubectl.fails(
            &["label", "ns", SHOP, "a=b", "--resource-version", "1"],
            "the object has been modified",
        );
        let current = labelled.as_str().unwrap().to_owned();
        kubectl.does(&["label", "ns", SHOP, "a=b", "--resource-version", &current]);
        kubectl.fails(
            &["label", "--overwrite", "ns", SHOP, "pod-security.kubernetes.io/enforce=Restricted"],
            "must be one of privileged, baseline, restricted",
        );
        kubectl.does(&["label", "ns", SHOP, "pod-security.kubernetes.io/enforce-", "a-"]);
        assert_eq!(kubectl.cluster.objects(), before);
    });
}

#[test]
fn it_patches_workloads_and_waits_for_them() {
    Session::each(Release::V1_24, |kubectl| {
        let before = kubectl.cluster.objects();
        let deployment = before.iter().find(|it| it["kind"] == "Deployment").unwrap();
        let of = |field: &str| deployment["metadata"][field].as_str().unwrap().to_owned();
        let (namespace, name) = (of("namespace"), of("name"));
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        let patch = json!({"spec": {"template": {"spec": {"containers": [
            {"name": container["name"], "securityContext": {"runAsNonRoot": true}}]}}}});
        let patch = patch.to_string();
        let args = ["patch", "-n", &namespace, "deployment", &name, "--type=strategic", "-p"];
        let all = |more: &[&str]| {
            [&args[..], more].concat().iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()
        };
        let does =
            |args: Vec<String>| kubectl.does(&args.iter().map(String::as_str).collect::<Vec<_>>());
        does(all(&[&patch, "--dry-run=server"]));
        assert_eq!(kubectl.cluster.objects(), before);
        does(all(&[&patch]));
        let new = kubectl.cluster.object("Deployment", &namespace, &name).unwrap();
        let containers = new["spec"]["template"]["spec"]["containers"].as_array().unwrap();
        assert_eq!(containers[0]["image"], container["image"]);
        assert_eq!(containers[0]["securityContext"]["runAsNonRoot"], true);
        assert_eq!(new["status"]["observedGeneration"], new["metadata"]["generation"]);
        kubectl.does(&[
            "rollout",
            "status",
            "-n",
            &namespace,
            "deployment",
            &name,
            "--timeout=20s",
        ]);
        let wait = ["wait", "-n", &namespace, "deployment", &name, "--for=condition=Available"];
        kubectl.does(&wait);
        let undo = json!([
            {"op": "test", "path": "/spec/template/spec/containers/0/name", "value": container["name"]},
            {"op": "remove", "path": "/spec/template/spec/containers/0/securityContext"}]);
        let undo = undo.to_string();
        let undo = ["patch", "-n", &namespace, "deployment", &name, "--type=json", "-p", &undo];
        kubectl.does(&undo);
        assert_eq!(kubectl.cluster.objects(), before);
        let failing = "[{\"op\": \"test\", \"path\": \"/metadata/name\", \"value\": \"other\"}]";
        kubectl.fails(
            &["patch", "-n", &namespace, "deployment", &name, "--type=json", "-p", failing],
            // Debian's says no more than that.
            "The request is invalid",
        );
        for (kind, type_) in [("statefulset", "StatefulSet"), ("daemonset", "DaemonSet")] {
            let one = before.iter().find(|it| it["kind"] == type_).unwrap();
            let of = |field: &str| one["metadata"][field].as_str().unwrap();
            let patch = "{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"a\":\"b\"}}}}}";
            let (namespace, name) = (of("namespace"), of("name"));
            kubectl.does(&["patch", "-n", namespace, kind, name, "-p", patch]);
            kubectl.does(&["rollout", "status", "-n", namespace, kind, name, "--timeout=20s"]);
        }
    });
}

#[test]
fn faults_meet_writes() {
    let cluster = Cluster::of_dump(Release::V1_24, "demo-1.21.json.gz");
    let server = cluster.serve();
    let path = "/api/v1/namespaces/team-web";
    cluster.once_to("PATCH", path, "", Answer::status(500, "InternalError", "no leader"));
    let label = ["label", "ns", SHOP, "a=b"];
    assert!(kubectl(&server, &label).stderr.contains("no leader"));
    cluster.delay("PATCH", path, Duration::from_secs(1), "");
    let started = Instant::now();
    assert_eq!(kubectl(&server, &label).code, 0);
    assert!(started.elapsed() >= Duration::from_secs(1));
    cluster.change("Namespace", "", SHOP, |object| object["metadata"]["labels"]["a"] = "c".into());
    assert!(kubectl(&server, &label).stderr.contains("already has a value (c)"));
}

const BINDING: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: use-it, namespace: made}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: 'system:serviceaccounts:made'}]
";

const POLICY: &str = "apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata: {name: made}
spec:
  volumes: ['*']
  runAsUser: {rule: RunAsAny}
  seLinux: {rule: RunAsAny}
  fsGroup: {rule: RunAsAny}
  supplementalGroups: {rule: RunAsAny}
";

#[test]
fn it_creates_applies_replaces_and_deletes() {
    Session::each(Release::V1_24, |kubectl| {
        let before = kubectl.cluster.objects();
        kubectl.does(&["create", "namespace", "made"]);
        kubectl.fails(&["create", "namespace", "made"], "already exists");
        kubectl.does_with(&["create", "--dry-run=server", "-f", "-"], BINDING);
        assert_eq!(kubectl.cluster.object("RoleBinding", "made", "use-it"), None);
        kubectl.does_with(&["create", "-f", "-"], BINDING);
        kubectl.does_with(&["apply", "-f", "-"], POLICY);
        let changed = POLICY.replace("['*']", "[secret, configMap]");
        kubectl.does_with(&["apply", "-f", "-"], &changed);
        let policy = kubectl.cluster.object("PodSecurityPolicy", "", "made").unwrap();
        assert_eq!(policy["spec"]["volumes"], json!(["secret", "configMap"]));
        kubectl.does_with(&["replace", "-f", "-"], POLICY);
        let policy = kubectl.cluster.object("PodSecurityPolicy", "", "made").unwrap();
        assert_eq!(policy["spec"]["volumes"], json!(["*"]));
        kubectl.does(&["delete", "psp", "made"]);
        kubectl.does(&["delete", "namespace", "made"]);
        assert_eq!(kubectl.cluster.objects(), before);
        kubectl.fails(&["delete", "namespace", "made"], "not found");
        kubectl.does(&["delete", "namespace", "made", "--ignore-not-found"]);
    });
}

#[test]
fn it_applies_on_the_server() {
    Session::each(Release::V1_36, |kubectl| {
        let before = kubectl.cluster.objects();
        let namespace = |level: &str| {
            format!(
                "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {SHOP}\n  labels:\n    \
                 pod-security.kubernetes.io/enforce: {level}\n"
            )
        };
        let apply = |manager: &str, more: &[&str], text: &str| {
            let manager = format!("--field-manager={manager}");
            let args = [&["apply", "--server-side", &manager, "-f", "-"], more].concat();
            kubectl.tries(&args, text)
        };
        let said = apply("psp2psa", &[], &namespace("baseline"));
        assert_eq!(said.code, 0, "{said:?}");
        assert_eq!(kubectl.label(SHOP, "enforce"), "baseline");
        let said = apply("argocd", &[], &namespace("restricted"));
        assert!(said.stderr.contains("conflict with \"psp2psa\""), "{said:?}");
        assert_eq!(kubectl.label(SHOP, "enforce"), "baseline");
        let said = apply("argocd", &["--force-conflicts"], &namespace("restricted"));
        assert_eq!(said.code, 0, "{said:?}");
        let without = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {SHOP}}}\n");
        let said = apply("argocd", &[], &without);
        assert_eq!(said.code, 0, "{said:?}");
        assert_eq!(kubectl.cluster.objects(), before);
    });
}

const POD: &str = "apiVersion: v1
kind: Pod
metadata: {name: probe, namespace: team-web}
spec: {containers: [{name: app, image: registry.example.com/app:1, securityContext: {privileged: true}}]}
";

#[test]
fn admission_answers() {
    Session::each(Release::V1_24, |kubectl| {
        let create = ["create", "--dry-run=server", "-o", "json", "-f", "-"];
        let said = kubectl.does_with(&create, POD);
        let pod: Value = serde_json::from_str(&said.stdout).unwrap();
        assert!(pod["metadata"]["annotations"]["kubernetes.io/psp"].is_string(), "{pod}");
        let nobody = [&create[..], &["--as=nobody-special"]].concat();
        let said = kubectl.tries(&nobody, POD);
        assert!(said.stderr.contains("PodSecurityPolicy: unable to admit pod"), "{said:?}");
        kubectl.cluster.set(|settings| settings.psp = false);
        let said = kubectl.does_with(&create, POD);
        assert!(!said.stdout.contains("kubernetes.io/psp"), "{said:?}");
        kubectl.does(&["label", "ns", SHOP, "pod-security.kubernetes.io/enforce=baseline"]);
        let said = kubectl.tries(&create, POD);
        assert!(said.stderr.contains("violates PodSecurity \"baseline:latest\""), "{said:?}");
        kubectl.cluster.set(|settings| settings.psa = None);
        kubectl.does_with(&create, POD);
    });
}

#[test]
fn who_may_what_is_answered() {
    Session::each(Release::V1_24, |kubectl| {
        let may = |args: &[&str]| {
            let said = kubectl.tries(&[&["auth", "can-i"], args].concat(), "");
            (said.stdout.trim().to_owned(), said.code)
        };
        assert_eq!(may(&["patch", "namespaces"]), ("yes".to_owned(), 0));
        kubectl.cluster.deny("patch", "namespaces");
        kubectl.cluster.deny("create", "podsecuritypolicies.policy");
        assert_eq!(may(&["patch", "namespaces"]).0, "no");
        assert_eq!(may(&["create", "podsecuritypolicies.policy"]).0, "no");
        assert_eq!(may(&["get", "podsecuritypolicies.policy"]).0, "yes");
        kubectl.fails(&["label", "ns", SHOP, "a=b"], "cannot patch resource \"namespaces\"");
    });
}

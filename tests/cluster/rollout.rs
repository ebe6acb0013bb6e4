//! Do the scripts of `plan --out-dir` lead a cluster there and back, step by step?

use serde_json::Value;

use crate::fake::{Cluster, Release};
use crate::kubectl::{kubeconfig, kubectls, run};
use crate::run::{Home, Said};
use crate::server::{Answer, Server};

/// A cluster, its bundle, and a shell to run it in.
struct Rollout {
    kubectl: String,
    cluster: Cluster,
    home: Home,
    _server: Server,
}

impl Rollout {
    /// The bundle of the demo cluster, planned from what the server itself lists.
    fn of(kubectl: &str, release: Release, options: &[&str]) -> Self {
        Self::of_dump("demo-1.21.json.gz", kubectl, release, options)
    }

    fn of_dump(dump: &str, kubectl: &str, release: Release, options: &[&str]) -> Self {
        let cluster = Cluster::of_dump(release, dump);
        let server = cluster.serve();
        let home = Home::new();
        kubeconfig(&home, &server);
        let said =
            home.run(&[&["plan", "--out-dir", "plan", "--wave-size", "7"], options].concat());
        assert!(matches!(said.code, 0 | 3), "{said:?}");
        Self { kubectl: kubectl.to_owned(), cluster, home, _server: server }
    }

    /// One of a few namespaces.
    fn of_some(release: Release) -> Self {
        Self::of("kubectl", release, &["-n", "team-web", "-n", "velero", "-n", "empty-ns"])
    }

    fn tries(&self, step: &str, options: &[&str]) -> Said {
        // `kubectl` is whichever is to be tried.
        let bin = self.home.path().join("bin");
        if !bin.exists() {
            std::fs::create_dir(&bin).unwrap();
            let found = std::env::split_paths(&std::env::var_os("PATH").unwrap())
                .map(|directory| directory.join(&self.kubectl))
                .find(|path| path.exists())
                .expect("kubectl is installed; Debian has it as kubernetes-client");
            std::os::unix::fs::symlink(found, bin.join("kubectl")).unwrap();
        }
        let path = format!("PATH={}:{}", bin.display(), std::env::var("PATH").unwrap());
        let script = format!("plan/rollout/{step}.sh");
        run("env", &self.home, &[&[path.as_str(), "sh", &script], options].concat(), "")
    }

    fn does(&self, step: &str) -> String {
        let said = self.tries(step, &[]);
        assert_eq!(said.code, 0, "{} {step}: {}\n{}", self.kubectl, said.stdout, said.stderr);
        said.stdout
    }

    fn fails(&self, step: &str, options: &[&str], error: &str) {
        let said = self.tries(step, options);
        assert!(said.code != 0 && said.stderr.contains(error), "{step}: {said:?}");
    }

    fn label(&self, namespace: &str, label: &str) -> Value {
        let object = self.cluster.object("Namespace", "", namespace).unwrap();
        object["metadata"]["labels"][format!("pod-security.kubernetes.io/{label}")].clone()
    }
}

#[test]
fn every_step_is_done_and_undone() {
    for kubectl in kubectls() {
        let rollout = Rollout::of(&kubectl, Release::V1_24, &[]);
        let start = rollout.cluster.objects();
        rollout.does("0-preflight");
        assert_same(&rollout.cluster.objects(), &start, "preflight");
        let mut before = vec![start];
        for step in ["1-warn", "2-keep", "4-enforce", "5-bypass", "6-tighten"] {
            rollout.does(step);
            before.push(rollout.cluster.objects());
        }
        rollout.does("3-check");
        assert_eq!(rollout.label("team-web", "enforce"), "baseline");
        assert!(rollout.cluster.object("PodSecurityPolicy", "", "0000-psp2psa-bypass").is_some());

        rollout.fails("8-remove-psp", &[], "pods still go through PodSecurityPolicy");
        rollout.cluster.set(|settings| settings.psp = false);
        for step in ["8-remove-psp", "9-after-psp"] {
            rollout.does(step);
            before.push(rollout.cluster.objects());
        }
        assert!(rollout.cluster.object("PodSecurityPolicy", "", "restricted").is_none());
        let steps = [
            "1-warn",
            "2-keep",
            "4-enforce",
            "5-bypass",
            "6-tighten",
            "8-remove-psp",
            "9-after-psp",
        ];
        for (step, before) in steps.iter().zip(&before).rev() {
            rollout.does(&format!("{step}.undo"));
            assert_same(&rollout.cluster.objects(), before, &format!("{step}.undo"));
        }
    }
}

#[test]
fn labels_of_all_kinds_come_back() {
    // Some of its namespaces have labels already: stricter ones, looser ones, invalid ones.
    let rollout = Rollout::of_dump("demo2-1.21.json.gz", "kubectl", Release::V1_24, &[]);
    let start = rollout.cluster.objects();
    for step in ["1-warn", "3-check", "4-enforce"] {
        rollout.does(step);
    }
    assert!(rollout.cluster.objects() != start);
    for step in ["4-enforce.undo", "1-warn.undo"] {
        rollout.does(step);
    }
    assert_same(&rollout.cluster.objects(), &start, "undone");
}

#[test]
fn a_step_can_be_run_again_and_undone_twice() {
    let rollout = Rollout::of_some(Release::V1_24);
    let start = rollout.cluster.objects();
    for step in ["1-warn", "2-keep", "4-enforce", "5-bypass"] {
        rollout.does(step);
        let after = rollout.cluster.objects();
        rollout.does(step);
        assert_same(&rollout.cluster.objects(), &after, step);
    }
    rollout.fails("1-warn.undo", &[], "undo 5-bypass first");
    rollout.fails("8-remove-psp", &[], "some namespaces only");
    for step in ["5-bypass", "4-enforce", "2-keep", "1-warn"] {
        rollout.does(&format!("{step}.undo"));
        rollout.does(&format!("{step}.undo"));
    }
    assert_same(&rollout.cluster.objects(), &start, "undone");
}

#[test]
fn an_undoing_goes_by_what_is_recorded() {
    let rollout = Rollout::of_some(Release::V1_24);
    let start = rollout.cluster.objects();
    rollout.fails("4-enforce.undo", &[], "nothing is recorded");
    for step in ["1-warn", "2-keep", "4-enforce"] {
        rollout.does(step);
    }
    let done = rollout.cluster.objects();
    // Another plan, of less, in the same directory.
    let said = rollout.home.run(&["plan", "--out-dir", "plan", "--force", "-n", "velero"]);
    assert!(matches!(said.code, 0 | 3), "{said:?}");
    for step in ["4-enforce", "2-keep", "1-warn"] {
        let said = rollout.tries(&format!("{step}.undo"), &["--dry-run"]);
        if step == "4-enforce" {
            assert_eq!(said.code, 0, "{said:?}");
            assert!(said.stdout.contains("would get back"), "{said:?}");
            assert_same(&rollout.cluster.objects(), &done, "dry run of the undoing");
        }
        rollout.does(&format!("{step}.undo"));
    }
    assert_same(&rollout.cluster.objects(), &start, "undone");
}

#[test]
fn what_the_steps_have_done_is_verified() {
    let rollout = Rollout::of_some(Release::V1_24);
    let verify = |stage: &str| {
        let plan = ["verify", "--plan", "plan/plan.json", "--stage", stage];
        let of = ["-n", "team-web", "-n", "velero", "-n", "empty-ns"];
        rollout.home.run(&[&plan[..], &of].concat())
    };
    let said = verify("warn");
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.stdout.contains("team-web"), "{said:?}");
    for (step, stage) in [("1-warn", "warn"), ("4-enforce", "enforce"), ("5-bypass", "bypass")] {
        rollout.does(step);
        let said = verify(stage);
        assert_eq!(said.code, 0, "{step}: {}{}", said.stdout, said.stderr);
    }
}

#[test]
fn a_server_that_does_not_answer_stops_a_step() {
    let rollout = Rollout::of_some(Release::V1_24);
    rollout.does("4-enforce");
    let lost = || Answer::status(503, "ServiceUnavailable", "try again");
    rollout.cluster.always("/api/v1/namespaces/team-web", "", lost());
    rollout.fails("4-enforce", &[], "cannot be read");
    rollout.fails("4-enforce.undo", &[], "cannot be read");
    assert_eq!(rollout.label("team-web", "enforce"), "baseline");
    rollout.cluster.heal();
    rollout.does("4-enforce.undo");
    assert_eq!(rollout.label("team-web", "enforce"), Value::Null);
}

#[test]
fn what_is_another_object_by_now_is_not_removed() {
    let rollout = Rollout::of("kubectl", Release::V1_24, &[]);
    rollout.cluster.set(|settings| settings.psp = false);
    let more = serde_json::json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]});
    rollout.cluster.change("ClusterRole", "", "view-psps", |role| {
        role["rules"].as_array_mut().unwrap().push(more);
    });
    rollout.fails("8-remove-psp", &["--dry-run"], "view-psps: is not what the plan has seen");
    rollout.fails("8-remove-psp", &[], "view-psps: is not what the plan has seen");
    assert!(rollout.cluster.object("ClusterRole", "", "view-psps").is_some());
}

#[test]
fn a_dry_run_changes_nothing() {
    let rollout = Rollout::of_some(Release::V1_24);
    let start = rollout.cluster.objects();
    for step in ["1-warn", "2-keep", "4-enforce"] {
        let said = rollout.tries(step, &["--dry-run"]);
        assert_eq!(said.code, 0, "{said:?}");
        assert!(said.stdout.contains("takes "), "{said:?}");
    }
    assert_same(&rollout.cluster.objects(), &start, "dry run");
}

#[test]
fn a_server_without_pod_security_is_told() {
    let rollout = Rollout::of_some(Release::V1_21);
    for step in ["0-preflight", "1-warn", "4-enforce"] {
        rollout.fails(step, &["--force"], "Pod Security admission is on from v1.23");
    }
    // Labels can be there before the upgrade, but nothing gets past PSP then.
    assert_eq!(rollout.tries("4-enforce", &["--before-upgrade"]).code, 0);
    rollout.fails("5-bypass", &["--force", "--before-upgrade"], "is on from v1.23");
    rollout.does("4-enforce.undo");
    // Of what needs none, and is right with PSP, a server of that time takes all.
    rollout.does("2-keep");
    rollout.does("2-keep.undo");

    let rollout = Rollout::of_some(Release::V1_24);
    rollout.cluster.set(|settings| settings.psa = None);
    rollout.fails("0-preflight", &[], "Pod Security admission is off");
}

#[test]
fn a_cluster_without_psp_takes_the_labels() {
    let rollout = Rollout::of_some(Release::V1_36);
    let start = rollout.cluster.objects();
    for step in ["0-preflight", "1-warn", "3-check", "4-enforce", "6-tighten"] {
        rollout.does(step);
    }
    rollout.fails("5-bypass", &[], "there is nothing to get past");
    assert_eq!(rollout.label("velero", "warn"), "baseline");
    for step in ["6-tighten", "4-enforce", "1-warn"] {
        rollout.does(&format!("{step}.undo"));
    }
    assert_same(&rollout.cluster.objects(), &start, "undone");
}

#[test]
fn what_has_changed_since_the_plan_stops_it() {
    let rollout = Rollout::of_some(Release::V1_24);
    let enforce = "pod-security.kubernetes.io/enforce";
    rollout.cluster.change("Namespace", "", "team-web", |namespace| {
        namespace["metadata"]["labels"][enforce] = "privileged".into();
    });
    rollout.cluster.change("Deployment", "velero", "velero", |deployment| {
        let revision = "deployment.kubernetes.io/revision";
        deployment["metadata"]["annotations"][revision] = "99".into();
    });
    rollout.fails("0-preflight", &[], "has changed since the plan");
    rollout.fails("4-enforce", &[], "team-web: has enforce=privileged");
    assert_eq!(rollout.label("empty-ns", "enforce"), Value::Null, "its wave was not begun");
    assert_eq!(rollout.tries("4-enforce", &["--force"]).code, 0);
    rollout.does("4-enforce.undo");
    assert_eq!(rollout.label("team-web", "enforce"), "privileged");
}

#[test]
fn what_the_preflight_finds_is_named() {
    let rollout = Rollout::of("kubectl", Release::V1_24, &[]);
    let enforce = "pod-security.kubernetes.io/enforce";
    rollout.cluster.change("Namespace", "", "team-web", |namespace| {
        namespace["metadata"]["labels"][enforce] = "privileged".into();
    });
    rollout.cluster.change("Deployment", "velero", "velero", |deployment| {
        let revision = "deployment.kubernetes.io/revision";
        deployment["metadata"]["annotations"][revision] = "99".into();
    });
    rollout.cluster.deny("delete", "podsecuritypolicies.policy");
    let said = rollout.tries("0-preflight", &["--force"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stderr.contains("delete podsecuritypolicies.policy"), "{said:?}");
    for line in [
        "namespace team-web: has enforce=privileged",
        "Deployment velero in namespace velero: has another template",
    ] {
        assert!(said.stdout.lines().any(|it| it == line), "{line}: {said:?}");
    }
    rollout.fails("0-preflight", &[], "you may not do the above");
}

#[test]
fn a_warning_that_the_plan_did_not_foresee_stops_it() {
    let rollout = Rollout::of_some(Release::V1_24);
    let image =
        serde_json::json!([{"name": "x", "image": "x", "securityContext": {"privileged": true}}]);
    let pod =
        rollout.cluster.objects().into_iter().find(|object| {
            object["kind"] == "Pod" && object["metadata"]["namespace"] == "team-web"
        });
    let name = pod.unwrap()["metadata"]["name"].as_str().unwrap().to_owned();
    rollout.cluster.change("Pod", "team-web", &name, |pod| pod["spec"]["containers"] = image);
    rollout.fails("3-check", &[], "the plan did not foresee that");
    rollout.fails("4-enforce", &[], "the plan did not foresee that");
    assert_eq!(rollout.label("team-web", "enforce"), Value::Null);
}

#[test]
fn a_template_that_somebody_else_changes_is_not_undone() {
    let rollout = Rollout::of_some(Release::V1_24);
    rollout.does("2-keep");
    rollout.cluster.change("Deployment", "team-web", "frontend", |deployment| {
        deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "newer".into();
    });
    rollout.fails("2-keep.undo", &[], "has been changed since");
}

#[test]
fn another_cluster_is_refused() {
    let rollout = Rollout::of_some(Release::V1_24);
    rollout.does("1-warn");
    rollout.cluster.change("Namespace", "", "kube-system", |namespace| {
        namespace["metadata"]["uid"] = "another".into();
    });
    rollout.fails("4-enforce", &[], "another cluster");
}

/// Asserts that the objects are the same; what has been deleted and made again has another uid and
/// age.
fn assert_same(found: &[Value], wanted: &[Value], what: &str) {
    let comparable = |objects: &[Value]| -> Vec<String> {
        let object = |object: &Value| {
            let mut object = object.clone();
            for field in ["uid", "creationTimestamp"] {
                object["metadata"].as_object_mut().unwrap().remove(field);
            }
            object.to_string()
        };
        objects.iter().map(object).collect()
    };
    let (found, wanted) = (comparable(found), comparable(wanted));
    let new: Vec<_> = found.iter().filter(|object| !wanted.contains(object)).collect();
    let gone: Vec<_> = wanted.iter().filter(|object| !found.contains(object)).collect();
    assert!(new.is_empty() && gone.is_empty(), "{what}: new {new:#?}, gone {gone:#?}");
}

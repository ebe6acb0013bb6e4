//! Does `apply` change what it says, nothing else, and everything back again?

use std::fs;
#[cfg(unix)]
use std::io::Read as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::fake::{Cluster, Release, WRITES, dump};
use crate::run::{Home, Said};
use crate::server::{Answer, Server};

/// A cluster, its server, and a home in which the program runs.
struct Bench {
    cluster: Cluster,
    server: Server,
    home: Home,
}

const SHOP: &str = "team-web";
/// What Pod Security admission says to a level that there is not.
const NO_LEVEL: &str = "Namespace \"team-web\" is invalid: \
                        metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \
                        \"psp2psa-probe\": must be one of privileged, baseline, restricted";
const SHOP_PATH: &str = "/api/v1/namespaces/team-web";

impl Bench {
    fn new(release: Release) -> Self {
        Self::of(Cluster::of_dump(release, "demo-1.21.json.gz"))
    }

    fn of(cluster: Cluster) -> Self {
        let server = cluster.serve();
        let home = Home::of(&server);
        Self { cluster, server, home }
    }

    fn apply(&self, args: &[&str]) -> Said {
        self.home.run(&[&["apply"], args].concat())
    }

    fn undo_file(&self, stage: &str) -> PathBuf {
        self.home.path().join(format!("psp2psa-undo-{stage}.json"))
    }

    fn undo(&self, stage: &str, more: &[&str]) -> Said {
        let file = format!("psp2psa-undo-{stage}.json");
        self.apply(&[&["--undo", &file, "--yes"], more].concat())
    }

    fn labels(&self, namespace: &str) -> Value {
        let mut labels =
            self.cluster.object("Namespace", "", namespace).unwrap()["metadata"]["labels"].clone();
        labels.as_object_mut().unwrap().retain(|key, _| key.starts_with("pod-security"));
        labels
    }

    fn set_label(&self, namespace: &str, mode: &str, value: &str) {
        self.cluster.change("Namespace", "", namespace, |object| {
            object["metadata"]["labels"][format!("pod-security.kubernetes.io/{mode}")] =
                value.into();
        });
    }

    /// How many requests have changed something, or tried to.
    fn writes(&self) -> Vec<(String, String)> {
        let seen = self.server.seen().into_iter();
        let writes = seen.filter(|seen| seen.method != "GET" && !seen.query.contains("dryRun"));
        writes.map(|seen| (seen.method, seen.path)).collect()
    }

    /// Starts the program, and waits until the server has got so many writes.
    fn start_until(&self, args: &[&str], n_writes: usize) -> std::process::Child {
        let before = self.writes().len();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_psp2psa"));
        command.arg("apply").args(args).current_dir(self.home.path()).env("HOME", self.home.path());
        command.env_remove("KUBECONFIG").stdin(Stdio::null());
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let started = Instant::now();
        while self.writes().len() < before + n_writes {
            assert!(started.elapsed() < Duration::from_mins(1), "no write came");
            thread::sleep(Duration::from_millis(5));
        }
        child
    }
}

/// The results of a report, by name.
fn results(report: &Value) -> Vec<(String, String)> {
    let items = report["items"].as_array().unwrap();
    let text = |item: &Value, field: &str| item[field].as_str().unwrap().to_owned();
    items.iter().map(|item| (text(item, "name"), text(item, "result"))).collect()
}

fn n_of(report: &Value, result: &str) -> usize {
    results(report).iter().filter(|(_, found)| found == result).count()
}

#[test]
fn stages_are_applied_and_undone() {
    // The second has a namespace with wrong labels, which the stages of labels leave out.
    for (file, left_out) in [("demo-1.21.json.gz", 0), ("demo2-1.21.json.gz", 3)] {
        let stages: &[&str] =
            if left_out == 0 { &["warn", "enforce", "bypass"] } else { &["enforce"] };
        let bench = Bench::of(Cluster::of_dump(Release::V1_24, file));
        let before = bench.cluster.objects();
        let mut history = vec![before];
        for &stage in stages {
            let dry = bench.apply(&["--stage", stage, "--dry-run", "-o", "json"]);
            assert_eq!(dry.code, left_out, "{stage} {dry:?}");
            assert!(n_of(&dry.json(), "wouldChange") > 3, "{stage} {dry:?}");
            assert_eq!(bench.cluster.objects(), *history.last().unwrap());
            assert!(!bench.undo_file(stage).exists());
            let said = bench.apply(&["--stage", stage, "--yes", "--wave-size", "4", "-o", "json"]);
            assert_eq!(said.code, left_out, "{stage} {said:?}");
            let n_changed = n_of(&said.json(), "set") + n_of(&said.json(), "made");
            assert_eq!(n_changed, n_of(&dry.json(), "wouldChange"), "{stage}");
            assert_eq!(said.json()["complete"], true);
            history.push(bench.cluster.objects());
            // A second time there is nothing to do.
            let n_writes = bench.writes().len();
            let again = bench.apply(&["--stage", stage, "--yes", "-o", "json"]);
            assert_eq!(n_of(&again.json(), "unchanged"), n_changed, "{stage} {again:?}");
            assert_eq!(bench.writes().len(), n_writes, "{stage}");
        }
        for &stage in stages.iter().rev() {
            assert_eq!(bench.cluster.objects(), history.pop().unwrap());
            let said = bench.undo(stage, &[]);
            assert_eq!(said.code, 0, "{stage} {said:?}");
            assert_eq!(bench.cluster.objects(), *history.last().unwrap(), "{stage}");
            let again = bench.undo(stage, &["-o", "json"]);
            assert_eq!(n_of(&again.json(), "set") + n_of(&again.json(), "deleted"), 0, "{again:?}");
        }
        bench.cluster.assert_expected();
    }
}

#[test]
fn each_stage_sets_its_own_labels() {
    let bench = Bench::new(Release::V1_24);
    bench.apply(&["--stage", "warn", "-n", SHOP, "--yes"]);
    let keys = |labels: Value| labels.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let prefixed = |modes: &[&str]| {
        modes.iter().map(|mode| format!("pod-security.kubernetes.io/{mode}")).collect::<Vec<_>>()
    };
    let warn = ["audit", "audit-version", "warn", "warn-version"];
    assert_eq!(keys(bench.labels(SHOP)), prefixed(&warn));
    bench.apply(&["--stage", "enforce", "-n", SHOP, "--yes"]);
    let all = ["audit", "audit-version", "enforce", "enforce-version", "warn", "warn-version"];
    assert_eq!(keys(bench.labels(SHOP)), prefixed(&all));
    for (method, path) in bench.writes() {
        assert_eq!((method.as_str(), path.as_str()), ("PATCH", SHOP_PATH));
    }
    let managers =
        &bench.cluster.object("Namespace", "", SHOP).unwrap()["metadata"]["managedFields"];
    assert!(managers.as_array().unwrap().iter().any(|it| it["manager"] == "psp2psa"), "{managers}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(bench.undo_file("warn")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_run_that_is_killed_is_gone_on_with_and_undone() {
    for (stage, kill_after) in [("enforce", 1), ("warn", 6), ("bypass", 1), ("bypass", 4)] {
        let bench = Bench::new(Release::V1_24);
        if stage == "bypass" {
            assert_eq!(bench.apply(&["--stage", "enforce", "--yes"]).code, 0);
        }
        let before = bench.cluster.objects();
        let dry = bench.apply(&["--stage", stage, "--dry-run", "-o", "json"]);
        let n_changes = n_of(&dry.json(), "wouldChange");
        // Every write is carried out at once, and answered late.
        for path in paths(&dry.json()) {
            let method = if stage == "bypass" { "POST" } else { "PATCH" };
            bench.cluster.delay(method, &path, Duration::from_millis(150), WRITES);
        }
        let mut child =
            bench.start_until(&["--stage", stage, "--yes", "--wave-size", "4"], kill_after);
        child.kill().unwrap();
        child.wait().unwrap();
        bench.cluster.heal();
        let broken = bench.cluster.objects();
        assert_ne!(broken, before, "{stage} {kill_after}");
        let record = fs::read_to_string(bench.undo_file(stage)).unwrap();
        let copy = bench.home.path().join("copy.json");
        fs::write(&copy, &record).unwrap();
        // Either back at once, …
        let said = bench.apply(&["--undo", "copy.json", "--yes"]);
        assert_eq!(said.code, 0, "{said:?}");
        assert_eq!(bench.cluster.objects(), before, "{stage} {kill_after}");
        // … or on, and then back.
        let mut child =
            bench.start_until(&["--stage", stage, "--yes", "--wave-size", "4"], kill_after);
        child.kill().unwrap();
        child.wait().unwrap();
        let said = bench.apply(&["--stage", stage, "--yes", "-o", "json"]);
        assert_eq!(said.code, 0, "{said:?}");
        let report = said.json();
        let n_done = ["set", "made", "unchanged"].map(|result| n_of(&report, result));
        assert_eq!(n_done.iter().sum::<usize>(), n_changes, "{stage} {report}");
        assert!(n_done[2] >= kill_after.min(n_changes - 1), "{stage} {kill_after} {n_done:?}");
        assert_eq!(bench.undo(stage, &[]).code, 0);
        assert_eq!(bench.cluster.objects(), before, "{stage} {kill_after}");
    }
}

/// The paths that a dry run's changes are written to.
fn paths(report: &Value) -> Vec<String> {
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    let items = report["items"].as_array().unwrap().iter();
    let changed = items.filter(|item| item["result"] == "wouldChange");
    let path = |item: &Value| match item["kind"].as_str().unwrap() {
        "Namespace" => format!("/api/v1/namespaces/{}", item["name"].as_str().unwrap()),
        "RoleBinding" => {
            format!("{rbac}/namespaces/{}/rolebindings", item["namespace"].as_str().unwrap())
        }
        "ClusterRole" => format!("{rbac}/clusterroles"),
        _ => "/apis/policy/v1beta1/podsecuritypolicies".to_owned(),
    };
    changed.map(path).collect()
}

#[cfg(unix)]
#[test]
fn an_interruption_waits_for_the_answer_under_way() {
    let bench = Bench::new(Release::V1_24);
    let before = bench.cluster.objects();
    let dry = bench.apply(&["--stage", "warn", "--dry-run", "-o", "json"]);
    for path in paths(&dry.json()) {
        bench.cluster.delay("PATCH", &path, Duration::from_millis(300), WRITES);
    }
    let child = bench.start_until(&["--stage", "warn", "--yes", "-o", "json"], 2);
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    let output = child.wait_with_output().unwrap();
    bench.cluster.heal();
    assert_eq!(output.status.code(), Some(130));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("interrupted; the same command goes on from here"), "{stderr}");
    assert!(
        stderr.contains("`psp2psa apply --undo psp2psa-undo-warn.json` puts back what was there"),
        "{stderr}"
    );
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((n_of(&report, "set"), &report["complete"]), (2, &json!(false)));
    assert!(n_of(&report, "pending") > 3);
    assert_eq!(bench.writes().len(), 2);
    assert_eq!(bench.apply(&["--stage", "warn", "--yes"]).code, 0);
    assert_eq!(bench.undo("warn", &[]).code, 0);
    assert_eq!(bench.cluster.objects(), before);
}

#[cfg(unix)]
#[test]
fn an_interruption_at_a_question_is_reported() {
    for stage in ["warn", "bypass", "undo"] {
        let bench = Bench::new(Release::V1_24);
        match stage {
            "bypass" => assert_eq!(bench.apply(&["--stage", "enforce", "--yes"]).code, 0),
            "undo" => assert_eq!(bench.apply(&["--stage", "warn", "--yes"]).code, 0),
            _ => {}
        }
        let before = (bench.cluster.objects(), bench.writes().len());
        let args: &[&str] = match stage {
            "undo" => &["--undo", "psp2psa-undo-warn.json"],
            _ => &["--stage", stage],
        };
        let (code, stdout, stderr) = interrupted_at_question(&bench, args);
        assert_eq!(code, Some(130), "{stderr}");
        let tail = "[y/N] \ninterrupted; the same command goes on from here\n";
        assert!(stderr.contains(tail), "{stderr}");
        let report: Value = serde_json::from_str(&stdout).unwrap();
        assert!(n_of(&report, "pending") > 3, "{report}");
        assert_eq!((n_of(&report, "set"), &report["complete"]), (0, &json!(false)));
        assert_eq!((bench.cluster.objects(), bench.writes().len()), before);
    }
}

/// Runs the program on a terminal, and interrupts it at its first question.
#[cfg(unix)]
fn interrupted_at_question(bench: &Bench, args: &[&str]) -> (Option<i32>, String, String) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    let stdin = fs::OpenOptions::new().read(true).write(true).open(name).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_psp2psa"));
    command.arg("apply").args(args).args(["-o", "json"]).current_dir(bench.home.path());
    command.env("HOME", bench.home.path()).env_remove("KUBECONFIG").stdin(stdin);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let mut said = Vec::new();
    while !said.ends_with(b"[y/N] ") {
        let mut byte = [0];
        assert_eq!(stderr.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&said));
        said.push(byte[0]);
    }
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    stderr.read_to_end(&mut said).unwrap();
    let output = child.wait_with_output().unwrap();
    let [stdout, stderr] = [output.stdout, said].map(|text| String::from_utf8(text).unwrap());
    (output.status.code(), stdout, stderr)
}

#[test]
fn warnings_that_were_not_foreseen_stop_it() {
    let bench = Bench::new(Release::V1_24);
    let before = bench.cluster.objects();
    let warns = || {
        let object = json!({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": SHOP}});
        let warning = "299 - \"web-1 (and 2 other pods): hostPort, host namespaces\"";
        let refusal = Answer::status(422, "Invalid", NO_LEVEL);
        // The first dry run is whether a level is refused that there is not.
        bench.cluster.heal().once(SHOP_PATH, "dryRun=All", refusal);
        let answer = Answer::json(200, &object).with_header("Warning", warning);
        bench.cluster.once(SHOP_PATH, "dryRun=All", answer);
    };
    warns();
    let args = ["--stage", "enforce", "--yes", "-n", SHOP];
    let said = bench.apply(&args);
    assert_eq!(said.code, 4, "{said:?}");
    assert!(said.stderr.contains("did not foresee: host namespaces; hostPort"), "{said:?}");
    assert!(said.stdout.contains("team-web  failed"), "{said:?}");
    assert_eq!(bench.cluster.objects(), before);
    assert_eq!(bench.writes(), []);
    assert!(!bench.undo_file("enforce").exists());
    warns();
    assert_eq!(bench.apply(&[&args[..], &["--accept-warnings"]].concat()).code, 0);
    assert_ne!(bench.cluster.objects(), before);
}

#[test]
fn refusals_stop_it_before_anything_of_the_wave_is_changed() {
    let bench = Bench::new(Release::V1_24);
    let before = bench.cluster.objects();
    bench.cluster.deny("patch", "namespaces");
    for stage in ["warn", "enforce"] {
        let said = bench.apply(&["--stage", stage, "--yes", "-o", "json"]);
        assert_eq!(said.code, 4, "{said:?}");
        assert!(
            said.stderr.contains("cannot patch resource \\\"namespaces\\\"")
                || said.stderr.contains("cannot patch resource \"namespaces\""),
            "{said:?}"
        );
        assert!(said.stderr.contains("hint: see with `kubectl auth can-i`"), "{said:?}");
        assert_eq!((n_of(&said.json(), "failed"), n_of(&said.json(), "set")), (1, 0));
    }
    assert_eq!(bench.cluster.objects(), before);
    assert_eq!(bench.writes(), []);
}

#[test]
fn what_others_change_meanwhile_is_seen() {
    // Another label: it goes on with the newer version.
    let bench = Bench::new(Release::V1_24);
    let other = bench.cluster.clone();
    bench.cluster.before("PATCH", SHOP_PATH, WRITES, move || {
        other.change("Namespace", "", SHOP, |object| {
            object["metadata"]["labels"]["team"] = "x".into();
        });
    });
    let said = bench.apply(&["--stage", "warn", "-n", SHOP, "--yes"]);
    assert_eq!(said.code, 0, "{said:?}");
    let labels = bench.cluster.object("Namespace", "", SHOP).unwrap()["metadata"]["labels"].clone();
    assert_eq!(
        (&labels["team"], &labels["pod-security.kubernetes.io/warn"]),
        (&json!("x"), &json!("restricted"))
    );
    // A pod-security label, before the dry run and after it: it stops.
    for query in ["dryRun=All", WRITES] {
        let bench = Bench::new(Release::V1_24);
        let other = bench.cluster.clone();
        bench.cluster.before("PATCH", SHOP_PATH, query, move || {
            other.change("Namespace", "", SHOP, |object| {
                object["metadata"]["labels"]["pod-security.kubernetes.io/warn"] = "baseline".into();
            });
        });
        let said = bench.apply(&["--stage", "warn", "-n", SHOP, "--yes"]);
        assert_eq!(said.code, 4, "{said:?}");
        assert!(
            said.stderr
                .contains("somebody has changed the pod-security labels of namespace `team-web`"),
            "{said:?}"
        );
        assert_eq!(bench.labels(SHOP), json!({"pod-security.kubernetes.io/warn": "baseline"}));
    }
}

#[test]
fn lost_answers_do_no_harm() {
    for stage in ["warn", "bypass"] {
        let bench = Bench::new(Release::V1_24);
        if stage == "bypass" {
            assert_eq!(bench.apply(&["--stage", "enforce", "--yes"]).code, 0);
        }
        let before = bench.cluster.objects();
        let dry = bench.apply(&["--stage", stage, "--dry-run", "-o", "json"]);
        for path in paths(&dry.json()).iter().take(3) {
            let method = if stage == "bypass" { "POST" } else { "PATCH" };
            bench.cluster.lose(method, path, WRITES);
        }
        let said = bench.apply(&["--stage", stage, "--yes"]);
        assert_eq!(said.code, 0, "{stage} {said:?}");
        for path in paths(&dry.json()).iter().take(1) {
            bench.cluster.lose(if stage == "bypass" { "DELETE" } else { "PATCH" }, path, "");
        }
        let said = bench.undo(stage, &[]);
        assert_eq!(said.code, 0, "{stage} {said:?}");
        assert_eq!(bench.cluster.objects(), before);
    }
}

#[test]
fn undo_leaves_what_others_have_set() {
    let bench = Bench::new(Release::V1_24);
    let before = bench.cluster.objects();
    bench.apply(&["--stage", "warn", "--yes"]);
    bench.set_label(SHOP, "warn", "privileged");
    let applied = bench.cluster.objects();
    let said = bench.undo("warn", &[]);
    assert_eq!(said.code, 4, "{said:?}");
    let line = "changed since: team-web: pod-security.kubernetes.io/warn is \"privileged\"; it was \
                absent, and was set to \"restricted\"";
    assert!(said.stderr.contains(line), "{said:?}");
    assert!(said.stderr.contains("hint: look at what is named above; `--force`"), "{said:?}");
    assert_eq!(bench.cluster.objects(), applied);
    assert_eq!(bench.undo("warn", &["--force"]).code, 0);
    assert_eq!(bench.cluster.objects(), before);
}

#[test]
fn what_is_enforced_is_not_undone_while_psp_is_bypassed() {
    let bench = Bench::new(Release::V1_24);
    let mut states = vec![bench.cluster.objects()];
    for stage in ["warn", "enforce", "bypass"] {
        assert_eq!(bench.apply(&["--stage", stage, "--yes"]).code, 0);
        states.push(bench.cluster.objects());
    }
    let n_writes = bench.writes().len();
    for more in [&[][..], &["--dry-run"]] {
        let said = bench.undo("enforce", &[more, &["-o", "json"]].concat());
        assert_eq!(said.code, 4, "{said:?}");
        for text in [
            "PSP is bypassed: RoleBinding team-web/0000-psp2psa-bypass\n",
            "undo the bypass first\nhint: `psp2psa apply --undo psp2psa-undo-bypass.json`",
        ] {
            assert!(said.stderr.contains(text), "{said:?}");
        }
        assert!(n_of(&said.json(), "pending") > 3, "{said:?}");
    }
    // Where it cannot be seen, it is not taken for granted.
    bench.cluster.deny("list", "rolebindings.rbac.authorization.k8s.io");
    assert_eq!(bench.undo("enforce", &[]).code, 4);
    bench.cluster.set(|settings| settings.access.denied.clear());
    assert_eq!(bench.writes().len(), n_writes);
    // Of the warnings nothing depends.
    assert_eq!(bench.undo("warn", &["--dry-run"]).code, 0);
    let said = bench.undo("enforce", &["--force"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stderr.contains("PSP is bypassed: RoleBinding"), "{said:?}");
    // In the right order nobody is asked to force anything.
    assert_eq!(bench.undo("bypass", &[]).code, 0);
    assert_eq!(bench.cluster.objects(), states[1]);
    bench.cluster.assert_expected();
}

#[test]
fn undo_files_are_of_one_cluster_and_one_stage() {
    let bench = Bench::new(Release::V1_24);
    bench.apply(&["--stage", "warn", "-n", SHOP, "--yes"]);
    let file = bench.undo_file("warn");
    let said =
        bench.apply(&["--stage", "enforce", "--yes", "--undo-file", "psp2psa-undo-warn.json"]);
    assert!(said.code == 4 && said.stderr.contains("is of the stage warn"), "{said:?}");
    bench.cluster.change("Namespace", "", "kube-system", |object| {
        object["metadata"]["uid"] = "another".into();
    });
    let labelled = bench.labels(SHOP);
    for said in [bench.undo("warn", &[]), bench.apply(&["--stage", "warn", "--yes"])] {
        assert!(said.code == 4 && said.stderr.contains("is of another cluster"), "{said:?}");
    }
    assert_eq!(bench.labels(SHOP), labelled);
    for bad in ["", "{}", "{\"kind\": \"Plan\"}"] {
        fs::write(&file, bad).unwrap();
        let said = bench.undo("warn", &[]);
        assert!(said.code == 4 && said.stderr.contains("no undo file"), "{said:?}");
        // Nor is it written over.
        assert_eq!(bench.apply(&["--stage", "warn", "--yes"]).code, 4);
        assert_eq!(fs::read_to_string(&file).unwrap(), bad);
    }
    let hostile = json!({"apiVersion": "psp2psa/v1", "kind": "Undo", "stage": "warn", "server": "x",
        "cluster": "another", "objects": [],
        "namespaces": {"../../x": {"uid": "", "labels": {}}}});
    fs::write(&file, hostile.to_string()).unwrap();
    let said = bench.undo("warn", &[]);
    assert!(
        said.code == 4 && said.stderr.contains("what the API server could not have"),
        "{said:?}"
    );
    assert_eq!(bench.undo("enforce", &[]).code, 4);
}

#[test]
fn two_runs_do_not_share_an_undo_file() {
    let bench = Bench::new(Release::V1_24);
    let path = bench.home.path().join(".psp2psa-undo-warn.json.lock");
    let lock = fs::File::create(&path).unwrap();
    lock.lock().unwrap();
    let args = ["--stage", "warn", "-n", SHOP];
    let with = |more: &str| bench.apply(&[&args[..], &[more]].concat());
    let said = with("--yes");
    assert_eq!(said.code, 4, "{said:?}");
    assert!(said.stderr.contains("another run writes `psp2psa-undo-warn.json`"), "{said:?}");
    assert_eq!(bench.writes(), []);
    // Who only looks takes nothing from it.
    assert_eq!(with("--dry-run").code, 0);
    drop(lock);
    assert_eq!(with("--yes").code, 0);
    assert!(!path.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn why_it_has_stopped_is_said_also_where_the_report_cannot_be_written() {
    let bench = Bench::new(Release::V1_24);
    bench.cluster.deny("patch", "namespaces");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_psp2psa"));
    command.args(["apply", "--stage", "warn", "--yes"]);
    command.current_dir(bench.home.path()).env("HOME", bench.home.path()).env_remove("KUBECONFIG");
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = command.stdout(full).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{stderr}");
    assert!(stderr.contains("cannot patch resource \"namespaces\""), "{stderr}");
}

#[test]
fn servers_on_which_a_stage_does_nothing_are_refused() {
    let bench = Bench::new(Release::V1_21);
    let said = bench.apply(&["--stage", "enforce", "--yes"]);
    assert!(
        said.code == 4 && said.stderr.contains("v1.21.2-k3s1, and has no Pod Security"),
        "{said:?}"
    );
    let bench = Bench::new(Release::V1_24);
    bench.cluster.set(|settings| settings.psa = None);
    let said = bench.apply(&["--stage", "warn", "--yes"]);
    assert!(
        said.code == 4 && said.stderr.contains("its Pod Security admission is off"),
        "{said:?}"
    );
    let bench = Bench::new(Release::V1_25);
    let said = bench.apply(&["--stage", "bypass", "--yes"]);
    assert!(said.code == 4 && said.stderr.contains("has no PodSecurityPolicies"), "{said:?}");
    assert_eq!(bench.writes(), []);
}

#[test]
fn nobody_is_let_past_psp_where_nothing_else_judges() {
    // The labels are there, and do nothing.
    let old = Bench::of(labelled(Release::V1_21));
    let said = old.apply(&["--stage", "bypass", "--yes", "-o", "json"]);
    assert!(
        said.code == 4 && said.stderr.contains("v1.21.2-k3s1, and has no Pod Security"),
        "{said:?}"
    );
    let off = Bench::of(labelled(Release::V1_24));
    off.cluster.set(|settings| settings.psa = None);
    for more in ["--yes", "--dry-run"] {
        let said = off.apply(&["--stage", "bypass", more, "-o", "json"]);
        assert!(
            said.code == 4 && said.stderr.contains("its Pod Security admission is off"),
            "{said:?}"
        );
        assert!(n_of(&said.json(), "pending") > 3, "{said:?}");
    }
    for bench in [old, off] {
        assert_eq!(bench.writes(), []);
        assert!(!bench.undo_file("bypass").exists());
    }
}

/// A cluster in which the stage enforce is applied.
fn labelled(release: Release) -> Cluster {
    let bench = Bench::new(Release::V1_24);
    assert_eq!(bench.apply(&["--stage", "enforce", "--yes"]).code, 0);
    Cluster::of(release, bench.cluster.complete())
}

#[test]
fn other_refusals_do_not_prove_that_pod_security_admission_is_on() {
    let webhook = "admission webhook \"guard.example.com\" denied the request: no";
    for (status, reason, message) in [
        (403, "Forbidden", webhook),
        (409, "Conflict", "Operation cannot be fulfilled"),
        (404, "NotFound", "namespaces \"team-web\" not found"),
        (422, "Invalid", "metadata.labels: Invalid value"),
        (400, "BadRequest", "must be one of privileged, baseline, restricted"),
    ] {
        for stage in ["enforce", "bypass"] {
            let bench = Bench::of(match stage {
                "bypass" => labelled(Release::V1_24),
                _ => Cluster::of_dump(Release::V1_24, "demo-1.21.json.gz"),
            });
            bench.cluster.once(SHOP_PATH, "dryRun=All", Answer::status(status, reason, message));
            let said = bench.apply(&["--stage", stage, "-n", SHOP, "--yes", "-o", "json"]);
            assert_eq!(said.code, 4, "{said:?}");
            let why = "error: whether Pod Security admission is on cannot be found out: ";
            assert!(said.stderr.contains(why) && said.stderr.contains(message), "{said:?}");
            assert_eq!(bench.writes(), []);
        }
    }
}

#[test]
fn nobody_is_passed_who_enforces_nothing() {
    let bench = Bench::new(Release::V1_24);
    let said = bench.apply(&["--stage", "bypass", "--yes"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stdout.contains("it does not enforce what is planned"), "{said:?}");
    assert_eq!(bench.writes(), []);
}

#[test]
fn somebody_must_be_there_to_be_asked() {
    let bench = Bench::new(Release::V1_24);
    let said = bench.apply(&["--stage", "warn"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.stderr.contains("hint: add `--yes`"), "{said:?}");
    assert!(bench.server.seen().is_empty());
    assert_eq!(bench.apply(&["--yes"]).code, 2);
}

#[test]
fn hostile_names_are_left_alone() {
    let mut objects = dump("demo-1.21.json.gz");
    for name in ["../../evil", "a\u{1b}[31mb", "x;rm -rf"] {
        objects.push(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
    }
    let bench = Bench::of(Cluster::of(Release::V1_24, objects));
    let said = bench.apply(&["--stage", "warn", "--yes"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stdout.contains("not a name that a namespace can have"), "{said:?}");
    assert!(!said.stdout.contains('\u{1b}') && !said.stderr.contains('\u{1b}'), "{said:?}");
    assert!(bench.server.seen().iter().all(|seen| !seen.path.contains("evil")));
}

//! `simulate --policies`: policies apart from the pods, and answers as they come.

use insta::assert_snapshot;
use serde_json::Value;

use crate::program::{Folder, Run, psp2psa};
use crate::simulate::{ITEMS, LOW_PORTS_POD, POLICIES, ROOT_POD, simulate};

/// `simulate` of standard input, with the policies in a file of their own.
fn simulate_apart(policies: &str, input: &[&str], flags: &str) -> Run {
    let folder = Folder::with(&[("policies.yaml", policies)]);
    folder
        .psp2psa(&format!("simulate --policies policies.yaml -f - {flags}"))
        .input(input.concat())
        .run()
}

/// What `collect` says of a cluster whose server is of that version.
fn snapshot_of(version: &str) -> String {
    format!(
        "---\napiVersion: psp2psa/v1\nkind: Snapshot\nreading: {{server: {{version: {version}}}}}\n"
    )
}

/// The items of a run that prints one a line.
fn lines(run: &Run) -> Vec<Value> {
    run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn policies_apart_answer_as_those_among_the_pods() {
    // Items are numbered in their own input.
    let moved = |report: &mut Value, key: &str| {
        for item in report["items"].as_array_mut().unwrap() {
            item[key].take();
        }
    };
    for flags in ["-o json", "-o json --prepare -n team", "-o json --requester bob"] {
        let mut together = simulate(&[POLICIES, ITEMS], flags).json();
        let mut apart = simulate_apart(POLICIES, &[ITEMS], flags).json();
        assert_eq!(apart["items"][1]["index"], 1);
        for report in [&mut together, &mut apart] {
            moved(report, "index");
            moved(report, "source");
        }
        // The message of what is unreadable says where it stands.
        for report in [&mut together, &mut apart] {
            assert_eq!(report["items"][2]["name"], "broken");
            report["items"][2]["error"].take();
        }
        assert_eq!(apart, together, "{flags}");
    }
    let text = |run: Run| run.stdout.lines().take(6).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        text(simulate_apart(POLICIES, &[ITEMS], "")),
        text(simulate(&[POLICIES, ITEMS], ""))
    );
}

#[test]
fn lines_say_what_the_report_says() {
    let together = simulate(&[POLICIES, ITEMS], "-o jsonl");
    assert_eq!(together.code, 3);
    let report = simulate(&[POLICIES, ITEMS], "-o json").json();
    assert_eq!(Value::from(lines(&together)), report["items"]);

    let apart = simulate_apart(POLICIES, &[ITEMS], "-o jsonl");
    assert_eq!(apart.code, 3);
    let report = simulate_apart(POLICIES, &[ITEMS], "-o json").json();
    assert_eq!(Value::from(lines(&apart)), report["items"]);
    assert_eq!(simulate_apart(POLICIES, &[ITEMS], "-o jsonl --exit-code").code, 1);
}

#[test]
fn pods_among_the_policies_are_passed_over() {
    let cluster = [POLICIES, ITEMS].concat();
    let run = simulate_apart(&cluster, &[ROOT_POD], "-o jsonl");
    let names: Vec<_> = lines(&run).iter().map(|item| item["name"].clone()).collect();
    assert_eq!(names, ["root"]);
    // The pod that cannot be read is said, all the same.
    assert_eq!(run.code, 3);
    assert!(run.stderr.starts_with("error: policies.yaml:"), "{}", run.stderr);
}

#[test]
fn policies_among_the_pods_do_not_count_and_are_named() {
    let open_to_all = POLICIES.replace("name: admins", "name: 'system:serviceaccounts'");
    let account = "---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default}
automountServiceAccountToken: false
";
    let other_role = "---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: leases}
rules:
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: ['*']}
";
    let other = [&open_to_all.replace("hostNetwork: true", "hostIPC: true"), account, other_role];
    let other = other.concat();
    assert_snapshot!(simulate_apart(POLICIES, &[&other, ROOT_POD], "--prepare"));
    // Those that are there just so are not worth a word.
    let run = simulate_apart(POLICIES, &[POLICIES, other_role, ROOT_POD], "--prepare");
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}

#[test]
fn the_server_of_the_policies_decides_about_versions() {
    let of = |version: &str| [POLICIES, &snapshot_of(version)].concat();
    let allowed = |policies: &str, flags: &str| {
        let run =
            simulate_apart(policies, &[LOW_PORTS_POD], &format!("--prepare -o jsonl {flags}"));
        lines(&run)[0]["allowed"].clone()
    };
    assert_eq!(allowed(&of("v1.21"), ""), false);
    assert_eq!(allowed(&of("v1.22"), ""), true);
    assert_eq!(allowed(&of("v1.22"), "--cluster-version v1.21"), false);
    assert_eq!(allowed(POLICIES, ""), true);
}

#[test]
fn policies_that_cannot_be_had_are_a_failure() {
    let run = psp2psa("simulate --policies nope.yaml -f -").input(ROOT_POD).run();
    assert_eq!((run.code, run.stdout.as_str()), (4, ""));
    assert!(run.stderr.contains("nope.yaml"), "{}", run.stderr);
    let run = psp2psa("simulate --policies - -f -").input(ROOT_POD).run();
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert_eq!(psp2psa("simulate --policies nope.yaml").run().code, 2);
}

#[test]
fn what_a_snapshot_could_not_list_is_said() {
    let snapshot = "---
apiVersion: psp2psa/v1
kind: Snapshot
reading: {unlisted: [{kind: PodSecurityPolicy, reason: forbidden}]}
";
    let error = "error: the PodSecurityPolicy objects are missing: forbidden\n";
    let together = simulate(&[POLICIES, snapshot, ROOT_POD], "");
    assert_eq!((together.code, together.stderr.as_str()), (3, error));
    let apart = simulate_apart(&[POLICIES, snapshot].concat(), &[ROOT_POD], "");
    assert_eq!((apart.code, apart.stderr.as_str()), (3, error));
    // The pods may come from a snapshot, too.
    let apart = simulate_apart(POLICIES, &[snapshot, ROOT_POD], "-o jsonl");
    assert_eq!((apart.code, apart.stderr.as_str()), (3, error));
    assert_eq!(lines(&apart).len(), 1);
}

#[test]
fn another_server_among_the_pods_does_not_count_and_is_named() {
    let policies = [POLICIES, &snapshot_of("v1.22")].concat();
    let run = simulate_apart(&policies, &[&snapshot_of("v1.21"), ROOT_POD], "");
    assert_eq!(run.code, 3);
    assert_eq!(
        run.stderr,
        "warning: that the server is of v1.21 does not count, as `--policies` does not say the same\n"
    );
    assert_eq!(simulate_apart(&policies, &[&snapshot_of("v1.22"), ROOT_POD], "").code, 0);
    let flags = "--cluster-version v1.21";
    assert_eq!(simulate_apart(&policies, &[&snapshot_of("v1.21"), ROOT_POD], flags).code, 0);
}

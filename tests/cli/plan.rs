//! `plan`: the main job.

use std::io::Read;

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::program::{Folder, from_yaml, psp2psa};

/// A small cluster whose plan can be checked by hand.
const SHOP: &str = include_str!("shop.yaml");

const DEMO: &str = "plan -f testdata/clusters/demo-1.21.json.gz";
const ENFORCE: &str = "pod-security.kubernetes.io/enforce";

/// The plan of the small cluster, as data.
fn plan(flags: &str) -> Value {
    let run = psp2psa(&format!("plan -f - -o json {flags}")).input(SHOP).run();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{flags}");
    run.json()
}

/// The plan of the small cluster without the objects of which a line says `word`.
fn without(word: &str) -> crate::program::Run {
    let documents = SHOP.split("---\n");
    let rest: Vec<&str> = documents.filter(|document| !document.contains(word)).collect();
    psp2psa("plan -f - -o json").input(rest.join("---\n")).run()
}

fn names(plan: &Value) -> Vec<&str> {
    let namespaces = plan["namespaces"].as_array().unwrap();
    namespaces.iter().map(|namespace| namespace["name"].as_str().unwrap()).collect()
}

/// What a plan says is missing.
fn missing(plan: &Value) -> Vec<&str> {
    let missing = plan["missing"].as_array().unwrap();
    missing.iter().map(|missing| missing["what"].as_str().unwrap()).collect()
}

fn demo(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(format!("testdata/clusters/{name}")).unwrap();
    flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn the_json_report_is_a_contract() {
    assert_snapshot!(psp2psa("plan -f - -o json").input(SHOP).run());
}

#[test]
fn every_report_of_the_small_cluster() {
    for format in ["table", "wide", "markdown", "script", "patches", "diff"] {
        let run = psp2psa("plan -f - -o").arg(format).input(SHOP).run();
        assert_snapshot!(format!("small_cluster_{format}"), run);
    }
}

#[test]
fn yaml_says_the_same_as_json() {
    for dump in ["demo-1.21.yaml", "demo2-1.21.json.gz"] {
        let plan = |format| psp2psa(&format!("plan -f testdata/clusters/{dump} -o {format}"));
        assert_eq!(from_yaml(&plan("yaml").stdout()), plan("json").json(), "{dump}");
    }
}

#[test]
fn the_form_of_the_input_does_not_matter() {
    for (json, yaml) in
        [("demo-1.21.json.gz", "demo-1.21.yaml"), ("demo2-1.21.json.gz", "demo2-1.21.yaml.gz")]
    {
        let plan = |dump| psp2psa(&format!("plan -f testdata/clusters/{dump} -o json")).stdout();
        assert!(plan(json) == plan(yaml), "{json}");
    }
}

/// The objects of a demo cluster in another order, as lines, dealt out to three files of a folder.
fn dealt(dump: &str, rng: &mut fastrand::Rng) -> Folder {
    let list: Value = serde_json::from_slice(&demo(dump)).unwrap();
    let mut lines: Vec<String> =
        list["items"].as_array().unwrap().iter().map(ToString::to_string).collect();
    rng.shuffle(&mut lines);
    let mut files = [const { Vec::new() }; 3];
    for line in lines {
        files[rng.usize(..files.len())].push(line);
    }
    let folder = Folder::new();
    for (name, lines) in ["a", "b", "c"].iter().zip(&files) {
        folder.write(&format!("dump/{name}.json"), lines.join("\n"));
    }
    folder
}

#[test]
fn the_order_of_the_input_does_not_matter() {
    let mut rng = fastrand::Rng::with_seed(1);
    for (dump, format) in [
        ("demo-1.21.json.gz", "html"),
        ("demo-1.21.json.gz", "diff"),
        ("demo2-1.21.json.gz", "json"),
        ("demo2-1.21.json.gz", "script"),
    ] {
        let given = psp2psa(&format!("plan -o {format} -f testdata/clusters/{dump}")).stdout();
        let folder = dealt(dump, &mut rng);
        let shuffled = folder.psp2psa(&format!("plan -o {format} -f dump -R")).stdout();
        assert!(given == shuffled, "{dump} as {format}");
        let stream = ["c", "a", "b"].map(|name| folder.read(&format!("dump/{name}.json")));
        let stream = stream.join("\n");
        let shuffled = psp2psa(&format!("plan -o {format} -f -")).input(stream).stdout();
        assert!(given == shuffled, "{dump} as {format} by standard input");
    }
}

#[test]
fn the_order_of_the_files_does_not_matter() {
    // Which file shows an object is part of the plan, so only their order may differ.
    let folder = dealt("demo2-1.21.json.gz", &mut fastrand::Rng::with_seed(2));
    for format in ["json", "html"] {
        let plan = |files: &str| folder.psp2psa(&format!("plan -o {format} {files}")).run().stdout;
        let given = plan("-f dump/a.json -f dump/b.json -f dump/c.json");
        assert!(given.len() > 10_000, "{given}");
        assert!(given == plan("-f dump/c.json -f dump/a.json -f dump/b.json"), "{format}");
    }
}

#[test]
fn a_dump_in_parts_is_one_dump() {
    let folder = Folder::new();
    for (number, document) in SHOP.split("---\n").enumerate() {
        folder.write(&format!("dump/{}/{number}.yaml", number % 2), document);
    }
    let parts = folder.psp2psa("plan -f dump -R -o json").stdout();
    assert_eq!(parts, psp2psa("plan -f - -o json").input(SHOP).stdout());
}

#[test]
fn namespaces_are_chosen_by_name() {
    assert_eq!(names(&plan("")), ["kube-system", "shop", "vacant"]);
    let chosen = plan("-n vacant -n shop");
    assert_eq!(names(&chosen), ["shop", "vacant"]);
    assert_eq!(chosen["summary"]["namespaces"], 2);
    let run = psp2psa("plan -f - -n nope -o json").input(SHOP).run();
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (3, "warning: namespace `nope` is not in the input\n")
    );
    assert_eq!(run.json()["namespaces"], json!([]));
}

#[test]
fn namespaces_are_chosen_by_label() {
    for (selector, want) in [
        ("team=web", &["shop"][..]),
        ("team", &["shop"]),
        ("!team", &["kube-system", "vacant"]),
        ("team!=web", &["kube-system", "vacant"]),
    ] {
        assert_eq!(names(&plan(&format!("-l {selector}"))), want, "{selector}");
    }
    let run = psp2psa("plan -f - -o json -l").arg("team in (web, db)").input(SHOP).run();
    assert_eq!(names(&run.json()), ["shop"]);
    for (flags, named) in [("-l team -n vacant", " named by `-n`"), ("-l team=web,team=db", "")] {
        let run = psp2psa(&format!("plan -f - -o json {flags}")).input(SHOP).run();
        assert_eq!(names(&run.json()), [""; 0]);
        let said = format!("warning: no namespace{named} has labels that match the selector\n");
        assert_eq!((run.code, run.stderr), (0, said));
    }
}

#[test]
fn warn_and_audit_can_be_set() {
    let plan = plan("--warn baseline --audit privileged --pss-version v1.28");
    let labels = &plan["namespaces"][1]["labels"];
    let want = json!({
        "pod-security.kubernetes.io/enforce": "baseline",
        "pod-security.kubernetes.io/enforce-version": "v1.28",
        "pod-security.kubernetes.io/warn": "baseline",
        "pod-security.kubernetes.io/warn-version": "v1.28",
        "pod-security.kubernetes.io/audit": "privileged",
        "pod-security.kubernetes.io/audit-version": "v1.28",
    });
    assert_eq!(*labels, want);
}

#[test]
fn empty_namespaces_enforce_nothing_unless_told() {
    let vacant = |flags: &str| plan(flags)["namespaces"][2].clone();
    let untold = vacant("");
    assert_eq!((&untold["evidence"], &untold["enforce"]), (&json!("none"), &Value::Null));
    assert_eq!(untold["labels"].get(ENFORCE), None);
    let told = vacant("--empty-namespaces restricted");
    assert_eq!(
        (&told["evidence"], &told["labels"][ENFORCE]),
        (&json!("none"), &json!("restricted"))
    );
    // The level is for namespaces without workloads only.
    assert_eq!(plan("--empty-namespaces restricted")["namespaces"][1]["enforce"], "baseline");
}

#[test]
fn system_namespaces_are_labelled_only_if_told() {
    let labelled = |flags: &str| {
        let patches = psp2psa(&format!("plan -f - -o patches {flags}")).input(SHOP).stdout();
        let documents = patches.split("---\n").skip(1);
        let name = |document| from_yaml(document)["metadata"]["name"].as_str().unwrap().to_owned();
        documents.map(name).collect::<Vec<_>>()
    };
    assert_eq!(labelled(""), ["shop", "vacant"]);
    assert_eq!(labelled("--include-system"), ["kube-system", "shop", "vacant"]);
    assert_eq!(labelled("--system-namespace shop"), ["vacant"]);
    assert_eq!(plan("--system-namespace shop")["summary"]["system"], 2);
}

#[test]
fn patches_are_namespaces_with_the_planned_labels() {
    let plan = psp2psa(&format!("{DEMO} -o json")).json();
    let patches = psp2psa(&format!("{DEMO} -o patches")).stdout();
    let patches: Vec<Value> = patches.split("---\n").skip(1).map(from_yaml).collect();
    let namespaces = plan["namespaces"].as_array().unwrap();
    let want: Vec<Value> = namespaces
        .iter()
        .filter(|namespace| namespace["system"] == json!(false))
        .map(|namespace| {
            let metadata = json!({"name": namespace["name"], "labels": namespace["labels"]});
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        })
        .collect();
    assert_eq!(patches, want);
}

#[test]
fn lost_hardening_is_shown_with_its_policy_field() {
    let diff = psp2psa("plan -f - -n shop -o diff").input(SHOP).stdout();
    let line = "+spec.containers[name=app].securityContext.runAsNonRoot: true  # hardened: \
                spec.runAsUser.rule\n";
    assert!(diff.contains(line), "{diff}");
    let plan = plan("");
    let lost = plan["namespaces"][1]["workloads"][0]["lost"].as_array().unwrap();
    let fields: Vec<_> = lost.iter().map(|lost| lost["policyField"].as_str().unwrap()).collect();
    assert_eq!(
        fields,
        ["spec.allowPrivilegeEscalation", "spec.requiredDropCapabilities", "spec.runAsUser.rule"]
    );
}

#[test]
fn what_is_lost_is_a_finding_where_asked_for() {
    let code = |flags: &str| psp2psa(&format!("plan -f - {flags}")).input(SHOP).run().code;
    assert_eq!(code(""), 0);
    assert_eq!(code("--exit-code"), 1);
    assert_eq!(code("--exit-code -n vacant"), 0);
}

#[test]
fn what_only_explains_does_not_count_as_a_finding() {
    // The templates say what PSP would write, and only a controller may use the policy.
    let hardened = "securityContext: {allowPrivilegeEscalation: false, runAsNonRoot: true, \
                    capabilities: {drop: [ALL]}}";
    let subject =
        "{apiGroup: rbac.authorization.k8s.io, kind: Group, name: 'system:serviceaccounts'}";
    let controller = "{kind: ServiceAccount, name: replicaset-controller, namespace: kube-system}";
    let dump = SHOP
        .replace("{name: app, image: nginx}", &format!("{{name: app, image: nginx, {hardened}}}"))
        .replace(subject, controller);
    let run = |flags: &str| psp2psa(&format!("plan -f - {flags}")).input(dump.as_str()).run();
    let plan = run("-o json").json();
    let kinds = plan["findings"].as_array().unwrap().iter().map(|finding| &finding["kind"]);
    assert_eq!(kinds.collect::<Vec<_>>(), ["admittedByControllersGrant"]);
    assert_eq!(run("--exit-code").code, 0);
}

#[test]
fn labels_that_are_too_strict_are_a_conflict() {
    let label = |level: &str| {
        let labels = format!("{{team: web, {ENFORCE}: {level}}}");
        let dump = SHOP.replace("{team: web}", &labels);
        psp2psa("plan -f - -n shop -o script --exit-code").input(dump).run()
    };
    assert_snapshot!(label("restricted"));
    // PSA reads a level that it does not know as restricted.
    assert_snapshot!(label("'Baseline'"));
}

#[test]
fn a_dump_without_a_kind_is_incomplete() {
    for (word, what) in [
        ("kind: PodSecurityPolicy", "PodSecurityPolicies"),
        ("kind: ClusterRoleBinding", "roles and bindings"),
        ("kind: Namespace", "Namespaces"),
        ("kind: Pod\n", "Pods"),
    ] {
        let run = without(word);
        assert_eq!((run.code, run.stderr.as_str()), (3, ""), "{word}");
        let plan = run.json();
        assert_eq!(missing(&plan), [what], "{word}");
        assert_eq!(plan["complete"], false, "{word}");
        assert!(names(&plan).contains(&"shop"), "{word}");
    }
}

#[test]
fn the_namespace_of_a_pod_is_planned_without_its_object() {
    let dump = SHOP.replace("metadata: {name: shop, labels: {team: web}}", "metadata: {name: x}");
    let run = psp2psa("plan -f - -o json").input(dump).run();
    let plan = run.json();
    assert_eq!(names(&plan), ["kube-system", "shop", "vacant", "x"]);
    assert_eq!(plan["namespaces"][1]["enforce"], "baseline");
    assert_eq!(plan["namespaces"][1]["complete"], false);
    assert_eq!(run.code, 3);
}

#[test]
fn an_unreadable_object_makes_its_namespace_incomplete() {
    let broken = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: bad, namespace: shop}\n\
                  spec: {containers: 7}\n";
    let plan =
        |flags: &str| psp2psa(&format!("plan -f - {flags}")).input([SHOP, broken].concat()).run();
    assert_snapshot!(plan("-o table"));
    let shop = plan("-o json").json()["namespaces"][1].clone();
    assert_eq!((&shop["name"], &shop["complete"]), (&json!("shop"), &json!(false)));
    let has_label = |run: &str| run.contains("\nlabel shop ");
    let (left_out, labelled) = (plan("-o script"), plan("-o script --allow-incomplete"));
    assert!(!has_label(&left_out.stdout), "{}", left_out.stdout);
    assert!(left_out.stdout.contains("\n# shop: left out: incomplete input: stdin:"));
    assert!(left_out.stdout.contains("\nlabel vacant "), "the others are not concerned");
    assert!(has_label(&labelled.stdout));
    assert_eq!((left_out.code, labelled.code), (3, 3));
}

#[test]
fn a_file_that_cannot_be_read_makes_the_plan_incomplete() {
    let folder = Folder::with(&[("shop.yaml", SHOP)]);
    assert_snapshot!(folder.psp2psa("plan -f shop.yaml -f nope.yaml -o script").run());
}

#[test]
fn a_bundle_holds_every_report() {
    let folder = Folder::with(&[("shop.yaml", SHOP)]);
    let run = folder.psp2psa("plan -f shop.yaml --out-dir out/plan").run();
    assert_snapshot!(run);
    for (format, file) in [
        ("table", "plan.txt"),
        ("json", "plan.json"),
        ("yaml", "plan.yaml"),
        ("script", "labels.sh"),
        ("patches", "namespaces.yaml"),
        ("diff", "plan.diff"),
        ("html", "plan.html"),
        ("markdown", "plan.md"),
    ] {
        let printed = folder.psp2psa("plan -f shop.yaml -o").arg(format).stdout();
        assert_eq!(folder.read(&format!("out/plan/{file}")), printed, "{format}");
    }
    let files = std::fs::read_dir(folder.path("out/plan")).unwrap().count();
    // And patches, their script, their kustomization, the policy that some need first, the
    // rollout, and what is for Git.
    assert_eq!(files, 8 + 6, "no temporary file is left behind");
}

#[test]
fn one_format_can_be_written_alone() {
    let folder = Folder::with(&[("shop.yaml", SHOP)]);
    folder.psp2psa("plan -f shop.yaml -o wide --out-dir wide").run();
    let wide = folder.psp2psa("plan -f shop.yaml -o wide").stdout();
    assert_eq!(folder.read("wide/plan.txt"), wide);
    assert_eq!(std::fs::read_dir(folder.path("wide")).unwrap().count(), 1);
    folder.psp2psa("plan -f shop.yaml -o script --out-dir scripts").run();
    assert!(folder.path("scripts/rollout/0-preflight.sh").exists());
    assert!(folder.path("scripts/labels.sh").exists());
    assert!(!folder.path("scripts/plan.html").exists());
}

#[test]
fn a_bundle_never_overwrites_unless_forced() {
    let folder =
        Folder::with(&[("shop.yaml", SHOP), ("out/mine.txt", ""), ("out/plan.txt", "old")]);
    assert_snapshot!(folder.psp2psa("plan -f shop.yaml --out-dir out").run());
    assert_eq!(folder.read("out/plan.txt"), "old");
    let forced = folder.psp2psa("plan -f shop.yaml --out-dir out --force").run();
    assert_eq!(forced.code, 0);
    assert!(folder.read("out/plan.txt").starts_with("NAMESPACE"));
    assert_eq!(folder.read("out/mine.txt"), "");
}

#[test]
fn a_directory_that_cannot_be_made_is_a_failure() {
    let folder = Folder::with(&[("shop.yaml", SHOP), ("out", "a file")]);
    assert_snapshot!(folder.psp2psa("plan -f shop.yaml --out-dir out").run());
}

#[test]
#[cfg(unix)]
fn files_of_a_bundle_are_as_readable_as_any_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::with(&[("shop.yaml", SHOP)]);
    folder.psp2psa("plan -f shop.yaml --out-dir out").run();
    let mode = |name| std::fs::metadata(folder.path(name)).unwrap().permissions().mode();
    assert_eq!(mode("out/labels.sh"), mode("shop.yaml"));
}

#[test]
fn what_kubectl_label_will_warn_of_is_told() {
    // Finished pods count for the server's warnings, though not for the level.
    let finished = "---
apiVersion: v1
kind: Pod
metadata: {name: done, namespace: shop}
spec: {hostPID: true, containers: [{name: app}]}
status: {phase: Succeeded}
";
    let input = [SHOP, finished].concat();
    let plan = psp2psa("plan -f - -o json").input(&*input).run().json();
    let shop = plan["namespaces"].as_array().unwrap().iter().find(|it| it["name"] == "shop");
    let shop = shop.unwrap();
    assert_eq!(shop["enforce"], "baseline");
    let headline = "existing pods in namespace \"shop\" violate the new PodSecurity enforce level \
                    \"baseline:v1.25\"";
    assert_eq!(shop["labelWarnings"], json!([headline, "done: host namespaces"]));
    let script = psp2psa("plan -f - -o script").input(&*input).run().stdout;
    assert!(script.contains("\n# The server will warn: done: host namespaces\n"), "{script}");
    let explained = psp2psa("explain ns/shop -f -").input(&*input).run().stdout;
    assert!(explained.contains("done: host namespaces"), "{explained}");
}

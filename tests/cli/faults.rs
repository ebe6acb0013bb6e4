//! What if the disk is full, the user somebody else, the program interrupted, or the input odd?
//!
//! What a closed pipe and a full standard output do is in `streams`; what clusters do wrong is tested
//! beside the API server.

#![cfg(unix)]

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::program::{Folder, binary};

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/clusters/demo-1.21.json.gz");

const POD: &str =
    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"name\":\"web\"},\"spec\":{}}\n";

const UNDO: &str = r#"{"apiVersion":"psp2psa/v1","kind":"Undo","stage":"warn","undone":false,
"server":"http://127.0.0.1","cluster":"uid","namespaces":{},"objects":[]}"#;

const NAMESPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: team-payments\n";

/// The subcommands that write files, with what stands in the folder before.
const WRITING: [(&str, &[(&str, &str)]); 5] = [
    ("collect -o new.json", &[]),
    ("collect -o old.json", &[("old.json", "before")]),
    ("collect -o new/", &[]),
    ("plan --out-dir .", &[]),
    ("plan --edit . --yes", &[("ns.yaml", NAMESPACE)]),
];

/// A command line for `sh`, in a folder, with `$0` for the program and `$1` for the demo dump.
fn sh(folder: &Folder, line: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(line).arg(binary()).arg(DEMO).current_dir(folder.path(""));
    command.env("HOME", "/nonexistent").env_remove("KUBECONFIG");
    command
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The files in a folder, those below included, without the program's own when it ends well.
fn files(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            files.extend(self::files(&path).into_iter().map(|below| format!("{name}/{below}")));
        } else {
            files.push(name);
        }
    }
    files.sort();
    files
}

#[test]
fn a_file_that_does_not_fit_is_not_there() {
    for (arguments, before) in WRITING {
        let folder = Folder::with(before);
        // A limit of no bytes stands for the full disk; without the trap it would be a signal.
        let line = format!("trap '' XFSZ; ulimit -f 0; exec \"$0\" {arguments} -f \"$1\"");
        let output = sh(&folder, &line).output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(4), "{arguments}: {said}");
        assert!(said.contains("cannot be written: File too large"), "{arguments}: {said}");
        let names: Vec<_> = before.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(files(&folder.path("")), names, "{arguments}");
        for (name, text) in before {
            assert_eq!(folder.read(name), *text, "{arguments}");
        }
    }
}

/// Whether the tests run as root, for whom permissions do not hold.
fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout == b"0\n"
}

/// What begins a command line so that permissions hold: nothing, or what makes root nobody. `None`
/// where that cannot be done here, which is said.
fn without_rights() -> Option<&'static str> {
    if !is_root() {
        return Some("");
    }
    let nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups ";
    let folder = Folder::new();
    make_open(&folder.path(""));
    let line = format!("{nobody}\"$0\" check -f \"$1\" >/dev/null");
    let is_able = sh(&folder, &line).output().is_ok_and(|output| output.status.success());
    if !is_able {
        let _ = writeln!(std::io::stderr(), "skipped: root cannot become nobody here");
    }
    is_able.then_some(nobody)
}

fn make_open(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
}

#[test]
fn a_directory_that_may_not_be_written_stays_as_it_is() {
    let Some(prefix) = without_rights() else { return };
    for (arguments, before) in WRITING {
        let folder = Folder::with(before);
        fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o555)).unwrap();
        let line = format!("exec {prefix}\"$0\" {arguments} -f \"$1\"");
        let output = sh(&folder, &line).output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(4), "{arguments}: {said}");
        assert!(said.contains("cannot be written: Permission denied"), "{arguments}: {said}");
        for (name, text) in before {
            assert_eq!(folder.read(name), *text, "{arguments}");
        }
        make_open(&folder.path(""));
    }
}

#[test]
fn nobody_can_plan_and_collect() {
    let Some(prefix) = without_rights() else { return };
    let folder = Folder::new();
    make_open(&folder.path(""));
    let line = format!(
        "unset HOME; {prefix}\"$0\" plan -o json -f \"$1\" >plan.json && \
         exec {prefix}\"$0\" collect -o out.json.gz -f \"$1\""
    );
    let output = sh(&folder, &line).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(files(&folder.path("")), ["out.json.gz", "plan.json"]);
}

#[test]
fn what_may_not_be_read_is_named_and_the_rest_is_read() {
    let Some(prefix) = without_rights() else { return };
    let folder = Folder::with(&[("d/a.json", "{}"), ("d/b.json", POD), ("d/c/x.json", POD)]);
    for name in ["", "d"] {
        make_open(&folder.path(name));
    }
    for name in ["d/a.json", "d/c"] {
        fs::set_permissions(folder.path(name), fs::Permissions::from_mode(0o000)).unwrap();
    }
    let line = format!("exec {prefix}\"$0\" check -R -f d");
    let output = sh(&folder, &line).output().unwrap();
    fs::set_permissions(folder.path("d/c"), fs::Permissions::from_mode(0o755)).unwrap();
    let denied =
        |name: &str| format!("error: `{name}` cannot be opened: Permission denied (os error 13)\n");
    let mut said: Vec<_> = stderr(&output).lines().map(|line| format!("{line}\n")).collect();
    said.sort();
    assert_eq!((output.status.code(), said), (Some(3), vec![denied("d/a.json"), denied("d/c")]));
    assert!(String::from_utf8(output.stdout).unwrap().contains("web"));
}

#[test]
fn a_kubeconfig_that_may_not_be_read_is_named() {
    let Some(prefix) = without_rights() else { return };
    let folder = Folder::with(&[("home/.kube/config", "{}")]);
    fs::set_permissions(folder.path("home/.kube"), fs::Permissions::from_mode(0o000)).unwrap();
    make_open(&folder.path(""));
    let line = format!("HOME=\"$PWD/home\" exec {prefix}\"$0\" plan");
    let output = sh(&folder, &line).output().unwrap();
    make_open(&folder.path("home/.kube"));
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("home/.kube/config` cannot be read: Permission denied"), "{said}");
}

#[test]
fn without_a_home_there_is_no_kubeconfig() {
    let folder = Folder::new();
    for line in ["HOME=/dev/null exec \"$0\" plan", "exec \"$0\" plan"] {
        let output = sh(&folder, line).env_remove("KUBERNETES_SERVICE_HOST").output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(4), "{line}: {said}");
        let want = "error: there is no kubeconfig, and this is not a pod";
        assert!(said.starts_with(want), "{line}: {said}");
    }
}

#[test]
fn no_directory_for_temporary_files_is_needed() {
    let folder = Folder::new();
    let line = "TMPDIR=/nonexistent exec \"$0\" collect -o out.json -f \"$1\"";
    assert!(sh(&folder, line).output().unwrap().status.success());
    assert_eq!(folder.names(), ["out.json"]);
}

/// What a command line leaves in a folder where nobody stops it, and how long it takes.
fn run_to_its_end(line: &str) -> (Folder, Duration) {
    let folder = Folder::new();
    let start = Instant::now();
    assert!(sh(&folder, line).output().unwrap().status.success());
    (folder, start.elapsed())
}

#[test]
fn a_signal_at_any_time_leaves_nothing_half_written() {
    let line = "exec \"$0\" collect -o out.json -f \"$1\"";
    let (reference, whole) = run_to_its_end(line);
    let want = reference.read("out.json");
    for (signal, number) in [("INT", 2), ("TERM", 15), ("HUP", 1)] {
        for step in 0..8 {
            let folder = Folder::with(&[("out.json", "before")]);
            let mut child = sh(&folder, line).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(whole * step / 7);
            let id = child.id().to_string();
            // It may have ended by now.
            let _ = Command::new("kill").args([&format!("-{signal}"), &id]).output().unwrap();
            let status = child.wait().unwrap();
            let is_ended = status.signal() == Some(number) || status.code() == Some(128 + number);
            assert!(is_ended || status.success(), "{signal}: {status}");
            assert_eq!(folder.names(), ["out.json"], "{signal}");
            let found = folder.read("out.json");
            assert!(found == "before" || found == want, "{signal}");
            assert!(found == want || !status.success(), "{signal}");
        }
    }
}

#[test]
fn a_signal_at_any_time_leaves_whole_files_of_a_bundle() {
    let line = "exec \"$0\" plan --out-dir out -f \"$1\"";
    let (reference, whole) = run_to_its_end(line);
    for step in 0..8 {
        let folder = Folder::new();
        let mut child = sh(&folder, line).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole * step / 7);
        let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).output().unwrap();
        child.wait().unwrap();
        for file in files(&folder.path("")) {
            let [found, want] = [&folder, &reference].map(|it| fs::read(it.path(&file)).ok());
            assert!(found == want, "{file}");
        }
    }
}

#[test]
fn the_exit_code_says_which_signal_it_was() {
    // A server that never answers: the first signal waits for the answer, the second does not.
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = Folder::with(&[("undo.json", UNDO)]);
    folder.write(
        "config",
        format!(
            r#"{{"apiVersion":"v1","kind":"Config","current-context":"c",
            "clusters":[{{"name":"c","cluster":{{"server":"http://{}"}}}}],
            "contexts":[{{"name":"c","context":{{"cluster":"c","user":"u"}}}}],
            "users":[{{"name":"u","user":{{}}}}]}}"#,
            server.local_addr().unwrap()
        ),
    );
    for (ignored, signal, code) in
        [("", "INT", 130), ("", "TERM", 143), ("", "HUP", 129), ("trap '' HUP;", "TERM", 143)]
    {
        let line =
            format!("{ignored} exec \"$0\" apply --undo undo.json --yes --kubeconfig config");
        let mut child = sh(&folder, &line).stderr(Stdio::null()).spawn().unwrap();
        let id = child.id().to_string();
        let (_connection, _) = server.accept().unwrap();
        // What is ignored from the start, as under nohup, stays so.
        let signals = if ignored.is_empty() { vec![signal] } else { vec!["HUP", "HUP", signal] };
        while child.try_wait().unwrap().is_none() {
            for signal in &signals {
                let _ = Command::new("kill").args([&format!("-{signal}"), &id]).output().unwrap();
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        assert_eq!(child.wait().unwrap().code(), Some(code), "{ignored} {signal}");
        assert_eq!(folder.names(), ["config", "undo.json"]);
    }
}

#[test]
fn a_named_pipe_is_read_as_it_comes() {
    let folder = Folder::with(&[("pod.json", POD)]);
    let line = "mkfifo pods.json; { cat pod.json; sleep 0.2; cat pod.json; } >pods.json & \
                exec \"$0\" check -o jsonl -f pods.json";
    let output = sh(&folder, line).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 2);
    let line = "gzip -c pod.json >pods.json & exec \"$0\" check -o jsonl -f pods.json -f pod.json";
    let output = sh(&folder, line).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 2);
}

#[test]
fn a_terminal_is_not_waited_for() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap().into_string().unwrap();
    for command in ["plan", "check", "simulate"] {
        let stdin = fs::File::open(&name).unwrap();
        let output = Command::new(binary()).args([command, "-f", "-"]).stdin(stdin).output();
        let output = output.unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).starts_with("error: standard input is a terminal\nhint: pipe"));
    }
}

#[test]
fn links_to_nothing_and_to_themselves_are_named() {
    let folder = Folder::with(&[("d/b.json", POD)]);
    symlink("nowhere", folder.path("d/a.json")).unwrap();
    symlink("c.json", folder.path("d/c.json")).unwrap();
    symlink("..", folder.path("d/up")).unwrap();
    let output = sh(&folder, "exec \"$0\" check -R -f d").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(
        stderr(&output),
        "error: `d/a.json` cannot be opened: No such file or directory (os error 2)\n\
         error: `d/c.json` cannot be opened: Too many levels of symbolic links (os error 40)\n"
    );
    assert_eq!(String::from_utf8(output.stdout).unwrap().matches("web").count(), 1);
}

#[test]
fn a_file_that_changes_while_it_is_read_is_no_accident() {
    let folder = Folder::new();
    let text = POD.repeat(20_000);
    let path = folder.path("pods.json");
    fs::write(&path, &text).unwrap();
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut length = 0;
            while !is_done.load(Ordering::Relaxed) {
                length = (length * 7 + 10_007) % text.len();
                let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
                file.set_len(length as u64).unwrap();
                fs::write(&path, &text).unwrap();
            }
        });
        for _ in 0..10 {
            let output = sh(&folder, "exec \"$0\" check -f pods.json").output().unwrap();
            let said = stderr(&output);
            assert!(matches!(output.status.code(), Some(0 | 3 | 4)), "{said}");
            assert!(!said.contains("panicked"), "{said}");
        }
        is_done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn the_answer_knows_neither_language_nor_time_nor_terminal() {
    let folder = Folder::new();
    for arguments in ["plan", "plan -o json", "plan -o html", "plan -o script --allow-incomplete"] {
        let answer = |variables: &str| {
            let line = format!("exec env {variables} \"$0\" {arguments} -f \"$1\"");
            let output = sh(&folder, &line).output().unwrap();
            (output.status.code(), output.stdout, output.stderr)
        };
        let want = answer("LC_ALL=C TZ=UTC COLUMNS=80");
        assert_eq!(want.0, Some(0));
        for variables in [
            "LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 TZ=Pacific/Kiritimati",
            "LC_ALL=en_US.UTF-8 TZ=America/St_Johns COLUMNS=20 LINES=1",
            "LC_ALL=ja_JP.SJIS TZ=:nowhere COLUMNS=400 TERM=dumb",
            "-u LANG -u LC_ALL -u TZ -u PATH -u TERM COLUMNS=0 NO_COLOR=1 CLICOLOR_FORCE=1",
        ] {
            assert_eq!(answer(variables), want, "{arguments}: {variables}");
        }
    }
}

#[test]
fn help_fits_every_terminal() {
    let folder = Folder::new();
    for width in [1_usize, 20, 21, 40, 80, 100, 101, 250, 400, 70_000] {
        for command in ["", "plan", "apply", "collect"] {
            let line = format!("COLUMNS={width} exec \"$0\" {command} --help");
            let output = sh(&folder, &line).output().unwrap();
            assert!(output.status.success(), "{width} {command}: {}", stderr(&output));
            let text = String::from_utf8(output.stdout).unwrap();
            assert!(text.contains("Usage: psp2psa"), "{width} {command}");
            assert!(text.contains("--help"), "{width} {command}");
            // Narrower ones break options; the kubectl lines of the program's own help stay whole.
            if width >= 80 && !command.is_empty() {
                let widest = text.lines().map(|line| line.chars().count()).max();
                assert!(widest <= Some(width.min(100)), "{width} {command}: {widest:?}");
            }
        }
    }
}

#[test]
fn names_of_files_need_not_be_utf_8() {
    let folder = Folder::new();
    let name = |start: &str, end: &str| {
        let bytes = [start.as_bytes(), b"\xff\xfe\x1b[2J", end.as_bytes()].concat();
        OsStr::from_bytes(&bytes).to_owned()
    };
    let run = |arguments: &[&OsStr]| {
        let mut command = Command::new(binary());
        command.args(arguments).current_dir(folder.path("")).output().unwrap()
    };
    let os = OsStr::new;
    fs::write(folder.path("").join(name("a", ".json")), POD).unwrap();
    let read = run(&[os("check"), os("-f"), &name("a", ".json")]);
    assert!(read.status.success(), "{}", stderr(&read));
    assert_eq!(read.stdout, run(&[os("check"), os("-f"), os(".")]).stdout);
    let missing = run(&[os("check"), os("-f"), &name("b", ".json")]);
    assert_eq!(missing.status.code(), Some(4));
    assert!(
        stderr(&missing).starts_with("error: `b\u{fffd}\u{fffd}\\u{1b}[2J.json` cannot be opened")
    );
    for (arguments, output) in [
        (["collect", "-f", DEMO, "-o"], name("c", ".json")),
        (["plan", "-f", DEMO, "--out-dir"], name("d", "")),
    ] {
        let mut all: Vec<_> = arguments.iter().map(|word| os(word)).collect();
        all.push(&output);
        let written = run(&all);
        assert!(written.status.success(), "{}", stderr(&written));
        assert!(folder.path("").join(&output).exists());
        assert!(!written.stderr.contains(&0x1b), "{}", stderr(&written));
    }
}

#[test]
fn closed_streams_are_no_files_of_ours() {
    let folder = Folder::new();
    for closed in [">&-", "2>&-", "<&- >&- 2>&-"] {
        let line = format!("exec \"$0\" collect -o out.json -f \"$1\" {closed}");
        assert!(sh(&folder, &line).output().unwrap().status.success(), "{closed}");
        // Nothing that was printed has got into the file.
        let list: serde_json::Value = serde_json::from_str(&folder.read("out.json")).unwrap();
        assert_eq!(list["kind"], "List", "{closed}");
    }
    let output = sh(&folder, "exec \"$0\" check -f - <&-").output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(stderr(&output).starts_with("error: `stdin` holds no object\n"));
}

#[test]
fn a_pipe_in_a_directory_is_not_waited_for() {
    let folder = Folder::with(&[("d/web.json", POD)]);
    assert!(Command::new("mkfifo").arg(folder.path("d/x.yaml")).status().unwrap().success());
    let run = folder.psp2psa("check -f d").run();
    assert_eq!(
        (run.code, run.stderr.as_str()),
        (3, "error: `d/x.yaml` cannot be opened: it is not a file\n")
    );
    assert!(run.stdout.contains("web"), "{run:?}");
}

#[test]
fn a_file_is_written_behind_a_link_and_replaces_nothing_else() {
    let folder = Folder::with(&[("a.json", POD), ("store/old.json", "before")]);
    symlink("store/old.json", folder.path("latest.json")).unwrap();
    assert_eq!(folder.psp2psa("collect -f a.json -o latest.json").run().code, 0);
    assert!(fs::symlink_metadata(folder.path("latest.json")).unwrap().is_symlink());
    assert!(folder.read("store/old.json").contains("Snapshot"));
    assert!(Command::new("mkfifo").arg(folder.path("pipe.json")).status().unwrap().success());
    for (name, why) in [
        ("pipe.json", "it is not a file"),
        ("none/a.json", "No such file or directory (os error 2)"),
    ] {
        let run = folder.psp2psa("collect -f a.json -o").arg(name).run();
        let said = format!("error: `{name}` cannot be written: {why}\n");
        assert_eq!((run.code, run.stderr.as_str()), (4, said.as_str()));
    }
}

#[test]
fn a_bundle_does_not_leave_its_directory() {
    for top in ["rollout", "gitops", "patches"] {
        let folder = Folder::with(&[
            ("a.json", POD),
            ("elsewhere/README.md", "before"),
            ("elsewhere/.written", "gitops/default/web.yaml\npatches/default/web.yaml\n"),
        ]);
        fs::create_dir(folder.path("out")).unwrap();
        symlink("../elsewhere", folder.path("out").join(top)).unwrap();
        let run = folder.psp2psa("plan -f a.json --out-dir out --force").run();
        let said = format!("`out/{top}` cannot be written: a link or a file stands there");
        assert!(run.code == 4 && run.stderr.contains(&said), "{run:?}");
        assert_eq!(folder.read("elsewhere/README.md"), "before");
        assert!(folder.path("elsewhere/.written").exists(), "{top}");
    }
}

#[test]
fn an_edited_file_stays_its_owners() {
    use std::os::unix::fs::MetadataExt as _;
    if !is_root() {
        return;
    }
    let folder = Folder::with(&[("git/ns.yaml", NAMESPACE)]);
    let path = folder.path("git/ns.yaml");
    std::os::unix::fs::chown(&path, Some(65_534), Some(65_534)).unwrap();
    let run = folder.psp2psa("plan --edit git --yes -f").arg(DEMO).run();
    assert_ne!(folder.read("git/ns.yaml"), NAMESPACE, "{run:?}");
    let found = fs::metadata(&path).unwrap();
    assert_eq!((found.uid(), found.gid()), (65_534, 65_534));
}

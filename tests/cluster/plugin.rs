//! Is it a kubectl plugin, and do its manifests hold what they promise?

use std::path::{Path, PathBuf};

use assert_cmd::Command;

use crate::run::{Home, said};

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The binary under the plugin's name, in a directory of its own.
#[cfg(unix)]
fn plugin(home: &Home) -> PathBuf {
    let path = home.path().join("kubectl-psp2psa");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_psp2psa"), &path).unwrap();
    path
}

#[cfg(unix)]
#[test]
fn a_plugin_speaks_of_kubectl() {
    let home = Home::new();
    let path = plugin(&home);
    let run = |args: &[&str]| {
        said(Command::new(&path).args(args).env("HOME", home.path()).env_remove("KUBECONFIG"))
    };
    let help = run(&["plan", "--help"]).stdout;
    assert!(help.contains("Usage: kubectl psp2psa plan"), "{help}");
    assert!(help.contains("\n  kubectl psp2psa plan -f cluster.json\n"), "{help}");
    let help = run(&["--help"]).stdout;
    assert!(help.contains("Usage: kubectl psp2psa <COMMAND>"), "{help}");
    for line in help.lines() {
        assert!(!line.trim_start().starts_with("psp2psa "), "{line}");
    }
    let wrong = run(&["plan", "--nonsense"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("Usage: kubectl psp2psa plan"), "{wrong:?}");
    run(&["plan"]).assert_fails("no kubeconfig", "`kubectl psp2psa --help`");
}

#[cfg(unix)]
#[test]
fn kubectl_completes_the_plugin() {
    let home = Home::new();
    plugin(&home);
    std::fs::create_dir(home.path().join("dumps")).unwrap();
    let complete = |words: &[&str]| {
        let mut command = Command::new(root("packaging/kubectl_complete-psp2psa"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut paths = vec![home.path().to_owned()];
        paths.extend(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(paths).unwrap()).current_dir(home.path());
        let said = said(command.args(words));
        assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{said:?}");
        said.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let has = |lines: &[String], start: &str| lines.iter().any(|line| line.starts_with(start));
    let lines = complete(&[""]);
    assert!(has(&lines, "plan\tFind the strictest"), "{lines:?}");
    assert!(has(&lines, "collect\t") && !has(&lines, "__complete"), "{lines:?}");
    assert_eq!(lines.last().unwrap(), ":4");
    assert!(has(&complete(&["plan", "--pss"]), "--pss-version\t"));
    assert!(has(&complete(&["plan", "-o", ""]), "script"));
    assert_eq!(complete(&["plan", "-f", "du"]), ["dumps/", ":6"]);
}

#[test]
fn the_cluster_role_is_the_documented_one() {
    let documented = std::fs::read_to_string(root("docs/rbac.yaml")).unwrap();
    let home = Home::new();
    assert_eq!(home.run(&["plan", "--show-rbac"]).stdout, documented);
    assert_eq!(home.run(&["collect", "--show-rbac"]).stdout, documented);
    assert!(!documented.contains("secrets") && !documented.contains("configmaps"));
}

#[test]
fn the_job_passes_restricted_by_our_own_check() {
    let path = root("docs/job.yaml");
    let home = Home::new();
    let checked =
        home.run(&["check", "-f", path.to_str().unwrap(), "--level", "restricted", "-o", "json"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    let items = checked.json()["items"].clone();
    let job = items.as_array().unwrap().iter().find(|item| item["kind"] == "Job").unwrap();
    assert_eq!(job["level"], "restricted");
    let text = std::fs::read_to_string(path).unwrap();
    for line in ["readOnlyRootFilesystem: true", "runAsNonRoot: true", "name: psp2psa"] {
        assert!(text.contains(line), "{line}");
    }
}

/// The rules of krew, `internal/index/validation/validate.go` and its guide for plugins.
#[cfg(target_os = "linux")]
#[test]
fn the_krew_manifest_is_what_krew_takes() {
    let home = Home::new();
    let archive = |platform: &str| {
        concat!("psp2psa-", env!("CARGO_PKG_VERSION"), "-PLATFORM.tar.gz")
            .replace("PLATFORM", platform)
    };
    for platform in ["linux-amd64", "linux-amd64-musl", "darwin-arm64"] {
        std::fs::write(home.path().join(archive(platform)), "").unwrap();
    }
    let run = said(
        Command::new(root("packaging/release.sh"))
            .arg("krew")
            .env("DIST", home.path())
            .env("SOURCE_DATE_EPOCH", "0")
            .env("URL", "https://example.com/v1/")
            .env("HOMEPAGE", "https://example.com"),
    );
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    let text = std::fs::read_to_string(home.path().join("psp2psa.yaml")).unwrap();
    assert!(!text.contains('@'), "{text}");
    let manifest: serde_json::Value = serde_yaml::from_str(&text).unwrap();
    assert_eq!(manifest["apiVersion"], "krew.googlecontainertools.github.com/v1alpha2");
    assert_eq!(manifest["kind"], "Plugin");
    assert_eq!(manifest["metadata"]["name"], "psp2psa");
    let spec = &manifest["spec"];
    assert_eq!(spec["version"], concat!("v", env!("CARGO_PKG_VERSION")));
    assert_eq!(spec["homepage"], "https://example.com");
    let short = spec["shortDescription"].as_str().unwrap();
    assert!(short.len() <= 50 && !short.contains(['\n', '\r']), "{short}");
    // The digest of nothing, as all archives here are.
    let sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let platform = |os: &str, arch: &str| {
        serde_json::json!({
            "selector": { "matchLabels": { "os": os, "arch": arch } },
            "uri": format!("https://example.com/v1/{}", archive(&format!("{os}-{arch}"))),
            "sha256": sha256,
            "bin": "kubectl-psp2psa",
        })
    };
    let expected = [platform("linux", "amd64"), platform("darwin", "arm64")];
    assert_eq!(spec["platforms"], serde_json::json!(expected));
    let sums = std::fs::read_to_string(home.path().join("SHA256SUMS")).unwrap();
    assert!(sums.contains(&format!("{sha256}  {}\n", archive("linux-amd64-musl"))), "{sums}");
}

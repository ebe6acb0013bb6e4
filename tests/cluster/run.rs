//! Starts the program with a home of its own.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

use crate::server::Server;

/// A home directory, and what the program says in it.
pub(crate) struct Home(pub(crate) TempDir);

/// What a run has said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Asserts a failure that is one line and a hint.
    pub(crate) fn assert_fails(&self, error: &str, hint: &str) {
        assert_eq!(self.code, 4, "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        let lines: Vec<_> = self.stderr.lines().collect();
        let [first, second] = lines.as_slice() else { panic!("{self:?}") };
        assert!(first.starts_with("error: ") && first.contains(error), "{self:?}");
        assert!(second.starts_with("hint: ") && second.contains(hint), "{self:?}");
    }
}

impl Home {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// A home whose kubeconfig names a server that wants no login.
    pub(crate) fn of(server: &Server) -> Self {
        let home = Self::new();
        home.write_kubeconfig(&server.url(), "", "{}");
        home
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes `.kube/config`; `cluster` and `user` are YAML to go into their places.
    pub(crate) fn write_kubeconfig(&self, url: &str, cluster: &str, user: &str) -> PathBuf {
        let directory = self.path().join(".kube");
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("config");
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: test\n\
             contexts: [{{name: test, context: {{cluster: test, user: jo}}}}]\n\
             clusters: [{{name: test, cluster: {{server: '{url}'{cluster}}}}}]\n\
             users: [{{name: jo, user: {user}}}]\n"
        );
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::cargo_bin("psp2psa").unwrap();
        command.env("HOME", self.path()).current_dir(self.path());
        for name in ["KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"] {
            command.env_remove(name);
        }
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
            command.env_remove(name).env_remove(name.to_ascii_lowercase());
        }
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Said {
        said(self.command().args(args))
    }
}

pub(crate) fn said(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

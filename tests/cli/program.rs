//! How does a test run the program, and what does it see of the run?

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

/// A run to be, with arguments as a shell would split them at blanks.
pub(crate) fn psp2psa(arguments: &str) -> Program {
    let mut command = assert_cmd::Command::new(binary());
    // No cluster of the developer's is to be found.
    command.env("HOME", "/nonexistent").env_remove("KUBECONFIG");
    command.env_remove("KUBERNETES_SERVICE_HOST");
    // clap would lay out help to this width.
    command.env_remove("COLUMNS").args(arguments.split_whitespace());
    Program { command }
}

/// The program itself.
pub(crate) fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_psp2psa"))
}

/// A run to be.
pub(crate) struct Program {
    command: assert_cmd::Command,
}

impl Program {
    /// Adds an argument, blanks and all.
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Gives the program its standard input.
    pub(crate) fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.command.write_stdin(input);
        self
    }

    /// Runs the program to its end.
    pub(crate) fn run(mut self) -> Run {
        let output = self.command.output().unwrap();
        Run {
            code: output.status.code().expect("no signal ends the program"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the program, which must find nothing to complain about, and gives its standard output.
    pub(crate) fn stdout(self) -> String {
        let run = self.run();
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        run.stdout
    }

    /// As [`Self::stdout`], as data.
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.stdout()).unwrap()
    }
}

/// What a run came to; displayed for snapshots.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Standard output as data, whatever the exit code.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, stdout, stderr } = self;
        write!(f, "exit code: {code}\n--- stdout ---\n{stdout}--- stderr ---\n{stderr}")
    }
}

/// A directory of its own for a test; the program runs in it, so messages show plain file names.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// A folder with these files.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self::new();
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, and the directories above it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The names of the files in the folder, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let name = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.unwrap().file_name().into_string().unwrap()
        };
        let mut names: Vec<_> = entries.map(name).collect();
        names.sort();
        names
    }

    /// A run in this folder.
    pub(crate) fn psp2psa(&self, arguments: &str) -> Program {
        let mut program = psp2psa(arguments);
        program.command.current_dir(self.0.path());
        program
    }
}

/// Reads a report in YAML as data.
pub(crate) fn from_yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

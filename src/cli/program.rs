//! Under which name has the user called us?
//!
//! Installed as `kubectl-psp2psa` the program is a plugin, and `kubectl psp2psa` is what has been
//! typed: help, errors and hints then say so.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::OnceLock;

use clap::Command;

/// The name of the program as the user types it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Program {
    /// `psp2psa`.
    Itself,
    /// `kubectl psp2psa`.
    Plugin,
}

impl Program {
    /// The name that this process was started by.
    pub(super) fn current() -> Self {
        static CURRENT: OnceLock<Program> = OnceLock::new();
        *CURRENT.get_or_init(|| Self::of(std::env::args_os().next().as_deref()))
    }

    /// The name that a process was started by.
    pub(super) fn of(argv0: Option<&OsStr>) -> Self {
        let stem = argv0.and_then(|path| Path::new(path).file_stem()).unwrap_or_default();
        // On a file system that permits no dashes, kubectl looks for underscores.
        if stem == "kubectl-psp2psa" || stem == "kubectl_psp2psa" {
            Self::Plugin
        } else {
            Self::Itself
        }
    }

    /// The command line under this name.
    pub(super) fn named(self, command: Command) -> Command {
        match self {
            Self::Itself => command,
            Self::Plugin => {
                let command = command.bin_name("kubectl psp2psa").display_name("kubectl psp2psa");
                renamed(command).mut_subcommands(renamed)
            }
        }
    }

    /// A text with the program's name in commands to be typed.
    pub(super) fn say(self, text: &str) -> String {
        match self {
            Self::Itself => text.to_owned(),
            Self::Plugin => text.replace("`psp2psa ", "`kubectl psp2psa "),
        }
    }
}

/// The examples behind a command's help, with the plugin's name.
fn renamed(mut command: Command) -> Command {
    let rename = |text: String| {
        let lines = text.lines().map(|line| {
            let command = line.trim_start();
            let indent = &line[..line.len() - command.len()];
            match command.strip_prefix("psp2psa ") {
                Some(rest) => format!("{indent}kubectl psp2psa {rest}"),
                None => line
                    .replace("| psp2psa ", "| kubectl psp2psa ")
                    .replace("<(psp2psa ", "<(kubectl psp2psa "),
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    if let Some(text) = command.get_after_help().map(ToString::to_string) {
        command = command.after_help(rename(text));
    }
    if let Some(text) = command.get_after_long_help().map(ToString::to_string) {
        command = command.after_long_help(rename(text));
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_name_decides() {
        let of = |path: &str| Program::of(Some(OsStr::new(path)));
        assert_eq!(of("/usr/bin/kubectl-psp2psa"), Program::Plugin);
        assert_eq!(of("kubectl-psp2psa.exe"), Program::Plugin);
        assert_eq!(of("./psp2psa"), Program::Itself);
        assert_eq!(of("/opt/kubectl-psp2psa/psp2psa"), Program::Itself);
        assert_eq!(Program::of(None), Program::Itself);
    }
}

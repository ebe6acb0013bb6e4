//! Why can a cluster not be read, and what should be tried next?

use std::error::Error;
use std::path::PathBuf;

use crate::objects::source::printable;

/// Why nothing could be read from a cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// There is no kubeconfig, and the program does not run in a cluster.
    #[error("there is no kubeconfig, and this is not a pod of a cluster")]
    NoKubeconfig,
    /// A kubeconfig that was asked for is not there.
    #[error("the kubeconfig `{}` cannot be read: {reason}", printable(&.path.to_string_lossy()))]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The kubeconfig names no current context, and no context was asked for.
    #[error("the kubeconfig has no current context")]
    NoContext,
    /// The kubeconfig lacks what was asked for.
    #[error("the kubeconfig has no {what} `{}`", printable(.name))]
    Unknown {
        /// `context`, `cluster` or `user`.
        what: &'static str,
        /// Its name.
        name: String,
        /// The names that it has.
        known: Vec<String>,
    },
    /// The kubeconfig, or the pod's service account, is wrong.
    #[error("the login to the cluster is not usable: {reason}")]
    Login {
        /// What is wrong with it.
        reason: String,
    },
    /// The program that a kubeconfig names for the login has failed.
    #[error("the login helper `{}` of the kubeconfig failed: {reason}", printable(.command))]
    Helper {
        /// The program.
        command: String,
        /// What went wrong.
        reason: String,
        /// What the kubeconfig advises where it is not installed.
        install_hint: Option<String>,
    },
    /// The server does not accept who we are.
    #[error("the server `{server}` does not accept the login: {reason}")]
    Unauthorized {
        /// Its address.
        server: String,
        /// The server's text.
        reason: String,
    },
    /// The server's certificate is not to be trusted.
    #[error("the certificate of the server `{server}` is not trusted: {reason}")]
    Certificate {
        /// Its address.
        server: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The server does not answer.
    #[error("the server `{server}` cannot be reached: {reason}")]
    Unreachable {
        /// Its address.
        server: String,
        /// What went wrong.
        reason: String,
    },
    /// Something else than an API server answers.
    #[error("`{server}` does not answer as a Kubernetes API server: {reason}")]
    NotKubernetes {
        /// Its address.
        server: String,
        /// What came instead.
        reason: String,
    },
    /// The server answers with an error.
    #[error("the server `{server}` answers with an error: {reason}")]
    Failing {
        /// Its address.
        server: String,
        /// Its text.
        reason: String,
    },
    /// The server lets the user list nothing.
    #[error("the server `{server}` lets you list nothing that is needed: {reason}")]
    NothingListed {
        /// Its address.
        server: String,
        /// The first refusal.
        reason: String,
    },
    /// The system does not give what is needed to run.
    #[error("reading from a cluster cannot be started")]
    Start(#[source] std::io::Error),
}

impl ClusterError {
    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NoKubeconfig => "give a dump with `-f FILE` (see `psp2psa --help` for the kubectl \
                 lines that make one), or a cluster with `--kubeconfig` or KUBECONFIG"
                .to_owned(),
            Self::Kubeconfig { .. } => "check `--kubeconfig` and KUBECONFIG".to_owned(),
            Self::NoContext => {
                "choose one with `--context`, or with `kubectl config use-context`".to_owned()
            }
            Self::Unknown { what, known, .. } if known.is_empty() => {
                format!("it has no {what} at all; check `--kubeconfig` and KUBECONFIG")
            }
            Self::Unknown { known, .. } => {
                let known: Vec<_> = known.iter().map(|name| printable(name)).collect();
                format!("it has {}", known.join(", "))
            }
            Self::Login { .. } => "see whether `kubectl version` works".to_owned(),
            Self::Helper { install_hint: Some(hint), .. } => {
                printable(hint.trim()).replace("\\u{a}", " ")
            }
            Self::Helper { .. } => "run it by hand, or log in again".to_owned(),
            Self::Unauthorized { .. } => {
                "the login may have expired: log in again, then see whether `kubectl auth can-i list \
                 pods` answers"
                    .to_owned()
            }
            Self::Certificate { .. } => "check the cluster's certificate-authority in the kubeconfig, \
                 and whether a proxy stands between"
                .to_owned(),
            Self::Unreachable { .. } => {
                "check the cluster's address in the kubeconfig, VPN and proxy settings; see whether \
                 `kubectl version` works"
                    .to_owned()
            }
            Self::NotKubernetes { .. } => "check the cluster's address in the kubeconfig; a proxy or \
                 login page may be answering (HTTPS_PROXY, NO_PROXY, proxy-url)"
                .to_owned(),
            Self::Failing { .. } => "try again later, or with `--chunk-size 100`".to_owned(),
            Self::NothingListed { .. } => {
                "`psp2psa plan --show-rbac` prints the ClusterRole that is needed".to_owned()
            }
            Self::Start(_) => "check the limits of processes and threads".to_owned(),
        }
    }
}

/// The text of the innermost cause: those around it only say that something failed.
pub(super) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    one_line(&cause.to_string())
}

/// A text from elsewhere, fit to stand in one line of ours.
pub(super) fn one_line(text: &str) -> String {
    const MAX_CHARS: usize = 300;
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    printable(&text).into_owned()
}

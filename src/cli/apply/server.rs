//! Is Pod Security admission on?
//!
//! Where it is off, labels do nothing; and where PSP is bypassed besides, nobody judges pods at all.

use serde_json::json;

use super::super::errors::CliError;
use super::session::{Session, hint, namespace};
use crate::cluster::{Mode, WriteError};
use crate::objects::snapshot::Snapshot;
use crate::objects::source::printable;
use crate::psa::policy::ENFORCE_LABEL;

/// The first minor version whose servers have Pod Security admission on.
const FIRST_MINOR: u32 = 23;

/// A level that there is not, and what Pod Security admission says to such.
///
/// Upstream: k8s.io/pod-security-admission/api/helpers.go, ParseLevel.
const PROBE: &str = "psp2psa-probe";
const ANSWER: &str = "must be one of privileged, baseline, restricted";

/// Asks the server for a namespace's label with a level that there is not, in a dry run.
///
/// # Errors
/// Unless Pod Security admission refuses it. A refusal for any other reason says nothing.
pub(super) fn check(
    session: &Session<'_>,
    snapshot: &Snapshot,
    probed: &str,
) -> Result<(), CliError> {
    let is_off = |message: String| {
        let hint = "without it nothing judges pods but PSP: upgrade to v1.23 or newer first, or turn \
                    the admission plugin PodSecurity on";
        Err(CliError::Stopped { message, hint: hint.to_owned() })
    };
    if let Some(server) = &snapshot.server
        && server.version.minor() < FIRST_MINOR
    {
        let version = printable(&server.git_version);
        return is_off(format!("the server is {version}, and has no Pod Security admission"));
    }
    let patch = json!({"metadata": {"labels": {ENFORCE_LABEL: PROBE}}});
    match session.writer.patch(namespace(probed), &patch, Mode::DryRun) {
        Ok(_) => {
            let why =
                "the server takes any value for a level, so that its Pod Security admission is off";
            is_off(why.to_owned())
        }
        Err(WriteError::Invalid(message)) if message.contains(ANSWER) => Ok(()),
        Err(WriteError::Cluster(error)) => Err(error.into()),
        Err(error) => Err(CliError::Stopped {
            message: format!(
                "whether Pod Security admission is on cannot be found out: namespace `{}`: {error}",
                printable(probed)
            ),
            hint: hint(&error).to_owned(),
        }),
    }
}

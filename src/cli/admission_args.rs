//! How is Pod Security admission set up in the cluster?

use std::path::PathBuf;

use super::errors::{self, CliError};
use super::files::shown;
use crate::migrate::Options;
use crate::psa::configuration::{Configuration, PLUGIN};
use crate::sources;

/// The cluster's configuration of the admission plugin, which no API gives.
#[derive(Debug, clap::Args)]
pub(super) struct AdmissionArgs {
    /// Judge by this PodSecurityConfiguration of the cluster: its defaults and exemptions
    ///
    /// The file that the API server's --admission-control-config-file names, or a
    /// PodSecurityConfiguration alone. Without it, namespaces without labels are taken to enforce
    /// nothing, and nothing to be exempt.
    #[arg(long, value_name = "FILE")]
    admission_config: Option<PathBuf>,
}

impl AdmissionArgs {
    /// The options with what the file says.
    pub(super) fn over(&self, options: Options) -> Result<Options, CliError> {
        let Some(file) = &self.admission_config else { return Ok(options) };
        let read = sources::read_admission_config(file)?;
        if read.is_none() {
            errors::say(&format!(
                "warning: `{}` has nothing for the plugin {PLUGIN}, so that the cluster has its defaults",
                shown(file)
            ));
        }
        let configuration =
            Configuration { server: options.configuration.server, ..read.unwrap_or_default() };
        Ok(Options { configuration, is_configured: true, ..options })
    }
}

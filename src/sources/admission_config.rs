//! How does a cluster's PodSecurityConfiguration get here?
//!
//! It is no object of the API: the API server reads it from the file of its flag
//! `--admission-control-config-file`, or from another one that this file names.

#![expect(clippy::disallowed_methods, reason = "this is where the file is opened")]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::yaml::parse_strictly;
use crate::objects::source::printable;
use crate::psa::configuration::{
    Configuration, ConfigurationError, PluginConfiguration, plugin_configuration,
};

/// Why a configuration cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum AdmissionConfigError {
    /// The file cannot be read.
    #[error("`{}` cannot be read", printable(&.file.to_string_lossy()))]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not YAML.
    #[error("`{}`{}: {reason}", printable(&.file.to_string_lossy()), at(*line))]
    Syntax {
        /// The file.
        file: PathBuf,
        /// The line, from 1, where it is known.
        line: Option<usize>,
        /// What is wrong.
        reason: String,
    },
    /// No server would take the configuration.
    #[error("`{}` is no configuration that a server takes: {}", printable(&.file.to_string_lossy()), listed(errors))]
    Invalid {
        /// The file.
        file: PathBuf,
        /// What is wrong; never empty.
        errors: Vec<ConfigurationError>,
    },
}

fn at(line: Option<usize>) -> String {
    line.map_or(String::new(), |line| format!(", line {line}"))
}

fn listed(errors: &[ConfigurationError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Reads a PodSecurityConfiguration, alone or in an AdmissionConfiguration, which may name another file
/// for it. `None` for an AdmissionConfiguration that has nothing for Pod Security admission.
///
/// # Errors
/// Where a file cannot be read, or no server would take it.
pub fn read_admission_config(file: &Path) -> Result<Option<Configuration>, AdmissionConfigError> {
    let path = match plugin(file)? {
        PluginConfiguration::Here(configuration) => return Ok(Some(*configuration)),
        PluginConfiguration::Nowhere => return Ok(None),
        PluginConfiguration::InFile(path) => path,
    };
    let file = file.parent().unwrap_or(Path::new("")).join(path);
    match plugin(&file)? {
        PluginConfiguration::Here(configuration) => Ok(Some(*configuration)),
        // The server reads no further AdmissionConfiguration there.
        PluginConfiguration::Nowhere | PluginConfiguration::InFile(_) => {
            let problem = "must be PodSecurityConfiguration".to_owned();
            let errors = vec![ConfigurationError { field: "kind".to_owned(), problem }];
            Err(AdmissionConfigError::Invalid { file, errors })
        }
    }
}

fn plugin(file: &Path) -> Result<PluginConfiguration, AdmissionConfigError> {
    let named = || file.to_owned();
    let text = fs::read_to_string(file)
        .map_err(|source| AdmissionConfigError::Read { file: named(), source })?;
    let document = parse_strictly(&text)
        .map_err(|(line, reason)| AdmissionConfigError::Syntax { file: named(), line, reason })?;
    plugin_configuration(&document)
        .map_err(|errors| AdmissionConfigError::Invalid { file: named(), errors })
}

//! What does a PodSecurityConfiguration say, alone or within an AdmissionConfiguration?
//!
//! Upstream: `staging/src/k8s.io/pod-security-admission/admission/api/load` and `…/validation`,
//! `staging/src/k8s.io/apiserver/pkg/admission/config.go` (v1.37). Differs: unknown fields of the
//! AdmissionConfiguration are errors too, and so is a second entry of the plugin; the server passes over
//! both.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::names::{not_a_label, not_a_subdomain};
use super::{Configuration, Exemptions, GROUP, PLUGIN};
use crate::level::Level;
use crate::psa::policy::{Mode, Policy, PolicyVersion};
use crate::quote::quoted;

/// The versions in which a PodSecurityConfiguration is read.
const VERSIONS: [&str; 3] = ["v1", "v1beta1", "v1alpha1"];

/// The `apiVersion`s of an AdmissionConfiguration.
const ADMISSION_VERSIONS: [&str; 2] = ["apiserver.config.k8s.io/v1", "apiserver.k8s.io/v1alpha1"];

/// Something that is wrong with a configuration: the field, and what it is, in the server's words where
/// it has some.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", if field.is_empty() { String::new() } else { format!("{field}: ") })]
pub struct ConfigurationError {
    /// The path of the field; empty for the whole.
    pub field: String,
    /// What is wrong.
    pub problem: String,
}

impl ConfigurationError {
    fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }

    fn invalid(field: impl Into<String>, value: &str, why: &str) -> Self {
        Self::new(field, format!("Invalid value: {}: {why}", quoted(value)))
    }
}

/// Where the plugin's configuration is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PluginConfiguration {
    /// Here.
    Here(Box<Configuration>),
    /// In another file, by its path: relative to the directory of this one.
    InFile(String),
    /// Nowhere: the AdmissionConfiguration has nothing for the plugin, so that nothing is configured.
    Nowhere,
}

/// Reads a document that is a PodSecurityConfiguration, or an AdmissionConfiguration with one.
///
/// # Errors
/// Everything for which the server would not start, in its order.
pub fn plugin_configuration(
    document: &Value,
) -> Result<PluginConfiguration, Vec<ConfigurationError>> {
    let mut errors = Vec::new();
    let found = if document["kind"] == "AdmissionConfiguration" {
        of_admission(document, &mut errors)
    } else {
        PluginConfiguration::Here(Box::new(configuration("", document, &mut errors)))
    };
    if errors.is_empty() { Ok(found) } else { Err(errors) }
}

fn of_admission(document: &Value, errors: &mut Vec<ConfigurationError>) -> PluginConfiguration {
    let Some(map) = object("", document, &["apiVersion", "kind", "plugins"], errors) else {
        return PluginConfiguration::Nowhere;
    };
    check_api_version("", map, &ADMISSION_VERSIONS.map(str::to_owned), errors);
    let nothing = Vec::new();
    let plugins = match map.get("plugins") {
        None | Some(Value::Null) => &nothing,
        Some(Value::Array(plugins)) => plugins,
        Some(_) => {
            errors.push(ConfigurationError::new("plugins", "expected a list"));
            &nothing
        }
    };
    let mut found = None;
    for (index, plugin) in plugins.iter().enumerate() {
        let field = format!("plugins[{index}]");
        let of_plugin = object(&field, plugin, &["name", "path", "configuration"], errors);
        let Some(plugin) = of_plugin.filter(|it| it.get("name").is_some_and(|it| it == PLUGIN))
        else {
            continue;
        };
        if found.is_some() {
            let problem = format!("Duplicate value: {}", quoted(PLUGIN));
            errors.push(ConfigurationError::new(format!("{field}.name"), problem));
            continue;
        }
        found = Some(of_entry(&field, plugin, errors));
    }
    found.unwrap_or(PluginConfiguration::Nowhere)
}

/// What an entry of `plugins` gives; what is embedded comes before a path.
fn of_entry(
    field: &str,
    plugin: &Map<String, Value>,
    errors: &mut Vec<ConfigurationError>,
) -> PluginConfiguration {
    if let Some(embedded) = plugin.get("configuration").filter(|it| !it.is_null()) {
        let field = format!("{field}.configuration");
        return PluginConfiguration::Here(Box::new(configuration(&field, embedded, errors)));
    }
    match text(&format!("{field}.path"), plugin.get("path"), errors) {
        "" => PluginConfiguration::Nowhere,
        path => PluginConfiguration::InFile(path.to_owned()),
    }
}

/// Reads a PodSecurityConfiguration that stands at `at`.
fn configuration(
    at: &str,
    document: &Value,
    errors: &mut Vec<ConfigurationError>,
) -> Configuration {
    let fields = ["apiVersion", "kind", "defaults", "exemptions"];
    let Some(map) = object(at, document, &fields, errors) else {
        return Configuration::default();
    };
    match map.get("kind") {
        Some(kind) if kind == "PodSecurityConfiguration" => {
            check_api_version(at, map, &VERSIONS.map(|it| format!("{GROUP}/{it}")), errors);
        }
        _ => {
            let problem = "must be PodSecurityConfiguration, or AdmissionConfiguration for a whole \
                           file";
            errors.push(ConfigurationError::new(below(at, "kind"), problem));
            return Configuration::default();
        }
    }
    let defaults = defaults(&below(at, "defaults"), map.get("defaults"), errors);
    let exemptions = exemptions(&below(at, "exemptions"), map.get("exemptions"), errors);
    Configuration { defaults, exemptions, ..Configuration::default() }
}

fn check_api_version(
    at: &str,
    map: &Map<String, Value>,
    known: &[String],
    errors: &mut Vec<ConfigurationError>,
) {
    let is_known = |it: &Value| it.as_str().is_some_and(|it| known.iter().any(|known| known == it));
    if !map.get("apiVersion").is_some_and(is_known) {
        let problem = format!("must be one of {}", known.join(", "));
        errors.push(ConfigurationError::new(below(at, "apiVersion"), problem));
    }
}

/// Reads the defaults, which are reported in the order of the server's validation.
fn defaults(at: &str, value: Option<&Value>, errors: &mut Vec<ConfigurationError>) -> Policy {
    let mut policy = Policy::PRIVILEGED;
    let names: Vec<String> =
        Mode::ALL.iter().flat_map(|mode| [mode.to_string(), format!("{mode}-version")]).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let Some(map) = given(value).and_then(|value| object(at, value, &names, errors)) else {
        return policy;
    };
    for mode in [Mode::Enforce, Mode::Warn, Mode::Audit] {
        let of_mode = policy.of_mut(mode);
        let field = below(at, mode.as_str());
        match text(&field, map.get(mode.as_str()), errors) {
            "" => {}
            level => match level.parse::<Level>() {
                Ok(level) => of_mode.level = level,
                Err(why) => {
                    errors.push(ConfigurationError::invalid(field, level, &why.to_string()));
                }
            },
        }
        let field = below(at, &format!("{mode}-version"));
        let version = text(&field, map.get(&format!("{mode}-version")), errors);
        if let Some(version) = PolicyVersion::parsed(version) {
            of_mode.version = version;
        } else if !version.is_empty() {
            let why = "must be \"latest\" or \"v1.x\"";
            errors.push(ConfigurationError::invalid(field, version, why));
        }
    }
    policy
}

fn exemptions(at: &str, value: Option<&Value>, errors: &mut Vec<ConfigurationError>) -> Exemptions {
    let fields = ["usernames", "namespaces", "runtimeClasses"];
    let nothing = Map::new();
    let map = given(value).and_then(|value| object(at, value, &fields, errors));
    let map = map.unwrap_or(&nothing);
    let mut names = |field: &str, problem: fn(&str) -> Option<String>| {
        exempt(&below(at, field), map.get(field), problem, errors)
    };
    Exemptions {
        namespaces: names("namespaces", not_a_label),
        runtime_classes: names("runtimeClasses", not_a_subdomain),
        usernames: names("usernames", |_| None),
    }
}

/// A list of names of which each is given once.
fn exempt(
    at: &str,
    value: Option<&Value>,
    problem: fn(&str) -> Option<String>,
    errors: &mut Vec<ConfigurationError>,
) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let items = match given(value) {
        None => return names,
        Some(Value::Array(items)) => items,
        Some(_) => {
            errors.push(ConfigurationError::new(at, "expected a list"));
            return names;
        }
    };
    for (index, item) in items.iter().enumerate() {
        let field = format!("{at}[{index}]");
        let n_errors = errors.len();
        let name = text(&field, Some(item), errors);
        if errors.len() > n_errors {
            continue;
        }
        if let Some(why) = problem(name) {
            errors.push(ConfigurationError::invalid(field, name, &why));
        } else if name.is_empty() {
            errors.push(ConfigurationError::new(field, "Required value"));
        } else if !names.insert(name.to_owned()) {
            let problem = format!("Duplicate value: {}", quoted(name));
            errors.push(ConfigurationError::new(field, problem));
        }
    }
    names
}

/// An object with no other fields than these.
fn object<'v>(
    at: &str,
    value: &'v Value,
    fields: &[&str],
    errors: &mut Vec<ConfigurationError>,
) -> Option<&'v Map<String, Value>> {
    let Value::Object(map) = value else {
        errors.push(ConfigurationError::new(at, "expected an object"));
        return None;
    };
    let unknown: BTreeSet<&str> =
        map.keys().map(String::as_str).filter(|key| !fields.contains(key)).collect();
    for field in unknown {
        let problem = format!("unknown field {}", quoted(&below(at, field)));
        errors.push(ConfigurationError::new("", problem));
    }
    Some(map)
}

/// A text; empty where there is none.
fn text<'v>(at: &str, value: Option<&'v Value>, errors: &mut Vec<ConfigurationError>) -> &'v str {
    match given(value) {
        None => "",
        Some(Value::String(text)) => text,
        Some(_) => {
            errors.push(ConfigurationError::new(at, "expected a string"));
            ""
        }
    }
}

fn given(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| !value.is_null())
}

fn below(at: &str, field: &str) -> String {
    if at.is_empty() { field.to_owned() } else { format!("{at}.{field}") }
}

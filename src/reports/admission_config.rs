//! `admission-config`: the cluster's defaults and exemptions as the API server reads them.

use std::fmt::Write as _;

use serde::Serialize;

use super::yaml;
use crate::migrate::admission_config::Proposal;
use crate::migrate::plan::Plan;
use crate::objects::source::printable;
use crate::psa::configuration::{Exemptions, PLUGIN, api_version};
use crate::psa::policy::{Mode, Policy};
use crate::version::Version;

/// The whole file that the API server reads.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdmissionConfiguration {
    api_version: &'static str,
    kind: &'static str,
    plugins: [Plugin; 1],
}

#[derive(Debug, Serialize)]
struct Plugin {
    name: &'static str,
    configuration: PodSecurityConfiguration,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PodSecurityConfiguration {
    api_version: String,
    kind: &'static str,
    defaults: Policy,
    exemptions: Exemptions,
}

const API_VERSION: &str = "apiserver.config.k8s.io/v1";

impl AdmissionConfiguration {
    /// The configuration in the form that the server reads.
    #[must_use]
    pub fn of(proposal: &Proposal, server: Option<Version>) -> Self {
        let configuration = PodSecurityConfiguration {
            api_version: api_version(server),
            kind: "PodSecurityConfiguration",
            defaults: proposal.defaults,
            exemptions: proposal.exemptions(),
        };
        Self {
            api_version: API_VERSION,
            kind: "AdmissionConfiguration",
            plugins: [Plugin { name: PLUGIN, configuration }],
        }
    }
}

/// The configuration as YAML, with what to do with it and the reason for each value as comments.
#[must_use]
pub fn commented(plan: &Plan, proposal: &Proposal, server: Option<Version>) -> String {
    let mut text = String::new();
    head(&mut text, plan, server);
    let defaults = proposal.defaults;
    line(&mut text, 0, &format!("apiVersion: {API_VERSION}"));
    line(&mut text, 0, "kind: AdmissionConfiguration");
    line(&mut text, 0, "plugins:");
    line(&mut text, 0, &format!("- name: {PLUGIN}"));
    line(&mut text, 1, "configuration:");
    line(&mut text, 2, &format!("apiVersion: {}", api_version(server)));
    line(&mut text, 2, "kind: PodSecurityConfiguration");
    comment(&mut text, 2, "What holds in namespaces without labels, such as new ones.");
    line(&mut text, 2, "defaults:");
    comment(&mut text, 3, &format!("{}: {}.", defaults.enforce.level, proposal.why));
    below_the_default(&mut text, proposal);
    for mode in Mode::ALL {
        let policy = defaults.of(mode);
        line(&mut text, 3, &format!("{mode}: {}", policy.level));
        line(&mut text, 3, &format!("{mode}-version: {}", policy.version));
    }
    comment(&mut text, 2, "What is not judged at all; labels there do nothing.");
    line(&mut text, 2, "exemptions:");
    list(&mut text, "usernames", proposal.usernames.iter().map(|name| (name, "exempt already")));
    let namespaces = proposal.exempt.iter();
    list(&mut text, "namespaces", namespaces.map(|exempt| (&exempt.name, exempt.reason.as_str())));
    let classes = proposal.runtime_classes.iter().map(|name| (name, "exempt already"));
    list(&mut text, "runtimeClasses", classes);
    text
}

fn head(text: &mut String, plan: &Plan, server: Option<Version>) {
    comment(
        text,
        0,
        &format!(
            "Defaults and exemptions of Pod Security admission, by `psp2psa admission-config`; judged by \
         the Pod Security Standards {}.",
            plan.pss_version
        ),
    );
    comment(text, 0, "");
    comment(
        text,
        0,
        "1. Set the labels of the plan first (`psp2psa plan -o script`): without them the \
                      default holds in the namespaces that they are for.",
    );
    comment(text, 0, "2. Look at what it does: `psp2psa plan --admission-config FILE`.");
    comment(
        text,
        0,
        "3. Put the file beside the API server, give its path with \
                      --admission-control-config-file, and restart the server. Each API server needs \
                      it. If one is there already, merge the entry of plugins.",
    );
    comment(
        text,
        0,
        "4. Where that cannot be done, as in managed clouds: `psp2psa admission-config \
                      --managed`.",
    );
    match server.map(Version::minor) {
        Some(minor @ ..=21) => comment(
            text,
            0,
            &format!(
                "The server is v1.{minor}, which has no Pod Security admission: this is for v1.23 and later."
            ),
        ),
        Some(22) => {
            comment(text, 0, "The server is v1.22: the feature gate PodSecurity has to be on.");
        }
        Some(_) => {}
        None => comment(
            text,
            0,
            "The server's version is not known: for v1.23 and v1.24 write v1beta1 \
                                  instead of v1 below, or give --cluster-version.",
        ),
    }
    for missing in &plan.missing {
        let what = printable(&missing.what);
        comment(text, 0, &format!("The input is incomplete, so this is uncertain: {what}."));
    }
}

/// What holds by labels, and where nobody knows what the default will meet.
fn below_the_default(text: &mut String, proposal: &Proposal) {
    if !proposal.labelled_below.is_empty() {
        let names = proposal.labelled_below.iter();
        let names: Vec<String> =
            names.map(|(name, level)| format!("{} ({level})", printable(name))).collect();
        comment(text, 3, &format!("Below it, by the plan's labels: {}.", names.join(", ")));
    }
    if !proposal.unknown.is_empty() {
        let names: Vec<_> = proposal.unknown.iter().map(|name| printable(name)).collect();
        comment(
            text,
            3,
            &format!(
                "No workloads were seen in these, so the default will hold: {}. Label them if something \
             runs there at times.",
                names.join(", ")
            ),
        );
    }
}

/// A list of names with the reason of each.
fn list<'p>(text: &mut String, field: &str, names: impl Iterator<Item = (&'p String, &'p str)>) {
    let start = text.len();
    for (name, reason) in names {
        comment(text, 3, reason);
        line(text, 3, &format!("- {}", yaml::to_string(name).trim_end()));
    }
    let items = text.split_off(start);
    if items.is_empty() {
        line(text, 3, &format!("{field}: []"));
    } else {
        line(text, 3, &format!("{field}:"));
        text.push_str(&items);
    }
}

fn line(text: &mut String, depth: usize, content: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{:width$}{content}", "", width = 2 * depth);
}

/// The width that comments keep to, in characters.
const WIDTH: usize = 100;

/// Writes a comment, on as many lines as it takes; the lines of a list's item stand below its text.
pub(super) fn comment(text: &mut String, depth: usize, content: &str) {
    let content = printable(content);
    let width = WIDTH.saturating_sub(2 * depth + 2);
    let is_marker = |word: &str| word == "-" || word.ends_with('.') && word.len() == 2;
    let marker = content.split(' ').next().filter(|word| is_marker(word));
    let indent = " ".repeat(marker.map_or(0, |marker| marker.len() + 1));
    let mut current = String::new();
    for word in content.split(' ') {
        let is_full = current.chars().count() + 1 + word.chars().count() > width;
        if is_full && !current.is_empty() {
            line(text, depth, &format!("# {current}"));
            current.clone_from(&indent);
        } else if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(word);
    }
    line(text, depth, format!("# {current}").trim_end());
}

//! Do the labels of a namespace ask for what the API server would hold it to, whatever they say?
//!
//! The answers are held against a second reading of the rules, which works by other means.

use std::collections::BTreeMap;

use psp2psa::level::Level;
use psp2psa::objects::selector::Selector;
use psp2psa::psa::policy::{LevelVersion, Mode, Policy, PolicyVersion, policy_of_labels};
use psp2psa::version::Version;

use super::bytes::Bytes;

const LEVELS: &[&str] = &["privileged", "baseline", "restricted"];
const VERSIONS: &[&str] = &["latest", "v1.0", "v1.25", "v1.99", "v1.01", "v2.0", "v1.4294967296"];
const KEYS: &[&str] =
    &["enforce", "enforce-version", "audit", "audit-version", "warn", "warn-version", "exempt"];

/// Reads the labels that the bytes make.
pub fn run(bytes: &[u8]) {
    let mut bytes = Bytes::new(bytes);
    let defaults = Policy {
        enforce: default_of(&mut bytes),
        audit: default_of(&mut bytes),
        warn: default_of(&mut bytes),
    };
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    for key in KEYS {
        let known = if key.ends_with("-version") { VERSIONS } else { LEVELS };
        if let Some(value) = bytes.maybe(|it| it.text(known)) {
            labels.insert(format!("pod-security.kubernetes.io/{key}"), value);
        }
    }
    let found = policy_of_labels(&labels, &defaults);
    assert_is_as_expected(&labels, &defaults, &found.0);
    let wrong: Vec<_> = labels.iter().filter(|(key, value)| !is_valid(key, value)).collect();
    assert_eq!(found.1.len(), wrong.len(), "{labels:?}");
    for (key, value) in wrong {
        assert!(found.1.iter().any(|it| it.label == key && it.value == *value), "{key}={value}");
    }
    for error in &found.1 {
        // The API server's words are on one line.
        assert!(!error.to_string().contains('\n'), "{error}");
    }

    // What Pod Security admission does not read does not count.
    labels.insert(bytes.text(&["pod-security.kubernetes.io/enforced"]) + "x", bytes.text(LEVELS));
    assert_eq!(policy_of_labels(&labels, &defaults), found, "{labels:?}");

    let selector = bytes.text(&["a=b", "a in (b,c),!d", "a notin (b)"]);
    if let Ok(selector) = selector.parse::<Selector>() {
        let _ = selector.selects(&labels);
    }
}

fn default_of(bytes: &mut Bytes<'_>) -> LevelVersion {
    let version = bytes.maybe(|it| Version::v1(it.below(40).into()));
    let version = version.map_or(PolicyVersion::Latest, PolicyVersion::Version);
    LevelVersion { level: bytes.pick(&Level::ALL), version }
}

fn is_valid(key: &str, value: &str) -> bool {
    match key.trim_start_matches("pod-security.kubernetes.io/") {
        "enforce" | "audit" | "warn" => LEVELS.contains(&value),
        "enforce-version" | "audit-version" | "warn-version" => version(value).is_some(),
        _ => true,
    }
}

/// The version of a text: what is printed as it was written.
fn version(value: &str) -> Option<PolicyVersion> {
    if value == "latest" {
        return Some(PolicyVersion::Latest);
    }
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    let version = Version::v1(digits.strip_prefix('1')?.parse().ok()?);
    (version.to_string() == value).then_some(PolicyVersion::Version(version))
}

fn assert_is_as_expected(labels: &BTreeMap<String, String>, defaults: &Policy, found: &Policy) {
    let label = |key: &str| labels.get(key).map(String::as_str);
    for mode in Mode::ALL {
        let (default, found) = (defaults.of(mode), found.of(mode));
        let valid = |value| Level::ALL.into_iter().find(|level| level.as_str() == value);
        let own = match (label(mode.level_label()), mode) {
            (None, _) => default.level,
            (Some(value), Mode::Enforce) => valid(value).unwrap_or(Level::Restricted),
            (Some(value), _) => valid(value).unwrap_or(Level::Privileged),
        };
        let own_version = match label(mode.version_label()) {
            None => default.version,
            Some(value) => version(value).unwrap_or(PolicyVersion::Latest),
        };
        let enforce = label(Mode::Enforce.level_label()).and_then(valid);
        let follows = mode == Mode::Warn && label(mode.level_label()).is_none();
        let followed = enforce.filter(|enforce| follows && *enforce > own);
        assert_eq!(found.level, followed.unwrap_or(own), "{mode}: {labels:?}");
        let is_followed = followed.is_some() && label(mode.version_label()).is_none();
        let enforced = label(Mode::Enforce.version_label());
        let want = match (is_followed, enforced) {
            (false, _) => own_version,
            (true, None) => defaults.enforce.version,
            (true, Some(value)) => version(value).unwrap_or(PolicyVersion::Latest),
        };
        assert_eq!(found.version, want, "{mode}: {labels:?}");
        assert_eq!(PolicyVersion::parsed(&found.version.to_string()), Some(found.version));
    }
}

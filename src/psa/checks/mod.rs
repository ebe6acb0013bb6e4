//! Which checks make up the Pod Security Standards, and from which version on?
//!
//! [`CHECKS`] is the whole answer. A check is one file: what the standard demands, the revisions
//! it went through, and a function for each. Nothing registers itself from elsewhere.

mod allow_privilege_escalation;
mod app_armor_profile;
mod capabilities_baseline;
mod capabilities_restricted;
mod host_namespaces;
mod host_path_volumes;
mod host_ports;
mod host_probes_and_host_lifecycle;
mod privileged;
mod proc_mount;
mod proc_mount_restricted;
mod restricted_volumes;
mod run_as_non_root;
mod run_as_user;
mod se_linux_options;
mod seccomp_profile_baseline;
mod seccomp_profile_restricted;
mod sysctls;
mod windows_host_process;

use crate::level::Level;
use crate::objects::pod::PodTemplateSpec;
use crate::version::Version;

/// Every check, in the order in which violations are reported: baseline by id, then restricted by
/// id, bytewise.
///
/// Upstream: `policy/registry.go`, `populate` (v1.37).
pub const CHECKS: &[Check] = &[
    app_armor_profile::CHECK,
    capabilities_baseline::CHECK,
    host_namespaces::CHECK,
    host_path_volumes::CHECK,
    host_ports::CHECK,
    host_probes_and_host_lifecycle::CHECK,
    privileged::CHECK,
    proc_mount::CHECK,
    se_linux_options::CHECK,
    seccomp_profile_baseline::CHECK,
    sysctls::CHECK,
    windows_host_process::CHECK,
    allow_privilege_escalation::CHECK,
    capabilities_restricted::CHECK,
    proc_mount_restricted::CHECK,
    restricted_volumes::CHECK,
    run_as_non_root::CHECK,
    run_as_user::CHECK,
    seccomp_profile_restricted::CHECK,
];

/// A check of the Pod Security Standards, through all versions.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Upstream's id, such as `runAsNonRoot`.
    pub id: &'static str,
    /// The most lenient level that includes the check: baseline or restricted.
    pub level: Level,
    /// What the check has been, oldest first; never empty.
    pub revisions: &'static [Revision],
}

/// What a check is from one version until the next revision.
#[derive(Debug, Clone, Copy)]
pub struct Revision {
    /// The first version of this revision.
    pub from: Version,
    /// Judges a pod, exactly as given.
    pub run: fn(&PodTemplateSpec) -> CheckResult,
    /// The ids of the baseline checks that restricted leaves out in favour of this one.
    pub overrides: &'static [&'static str],
}

/// A check's answer for one pod. Passing costs no allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckResult {
    /// The pod meets the demand.
    Passed,
    /// The pod does not.
    Failed {
        /// Upstream's reason: what was found, in a few words.
        reason: &'static str,
        /// Upstream's detail: values and the names of containers.
        detail: String,
    },
}

impl Check {
    /// The revision in force at a version; `None` where the check came later.
    #[must_use]
    pub fn revision_at(&self, version: Version) -> Option<&'static Revision> {
        self.revisions.iter().rev().find(|revision| revision.from <= version)
    }
}

/// The check of that id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Check> {
    CHECKS.iter().find(|check| check.id == id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_the_order_is_upstreams() {
        assert!(CHECKS.is_sorted_by(|a, b| (a.level, a.id) < (b.level, b.id)));
        let ids: BTreeSet<_> = CHECKS.iter().map(|check| check.id).collect();
        assert_eq!(ids.len(), CHECKS.len());
        assert!(CHECKS.iter().all(|check| check.level != Level::Privileged));
    }

    #[test]
    fn revisions_strictly_increase_and_are_known() {
        for check in CHECKS {
            assert!(!check.revisions.is_empty(), "{}", check.id);
            assert!(check.revisions.is_sorted_by(|a, b| a.from < b.from), "{}", check.id);
            assert!(check.revisions.iter().all(|it| it.from <= Version::LATEST), "{}", check.id);
        }
    }

    #[test]
    fn restricted_overrides_baseline_only() {
        for check in CHECKS {
            for id in check.revisions.iter().flat_map(|revision| revision.overrides) {
                assert_eq!(check.level, Level::Restricted, "{}", check.id);
                assert_eq!(find(id).map(|check| check.level), Some(Level::Baseline), "{id}");
            }
        }
    }

    #[test]
    fn every_file_is_in_the_table_under_its_id() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/psa/checks");
        let files: BTreeSet<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|file| file != "mod.rs")
            .collect();
        let expected: BTreeSet<_> = CHECKS.iter().map(|check| file_name(check.id)).collect();
        assert_eq!(files, expected);
    }

    #[test]
    fn every_check_is_documented() {
        let docs = include_str!("../../../docs/checks.md");
        let headings: Vec<_> = docs.lines().filter_map(|line| line.strip_prefix("### ")).collect();
        let ids: Vec<_> = CHECKS.iter().map(|check| check.id).collect();
        assert_eq!(headings, ids);
    }

    /// `seLinuxOptions` stands in `se_linux_options.rs`.
    fn file_name(id: &str) -> String {
        let mut name = String::new();
        for character in id.chars() {
            if character.is_ascii_uppercase() {
                name.push('_');
            }
            name.push(character.to_ascii_lowercase());
        }
        name + ".rs"
    }
}

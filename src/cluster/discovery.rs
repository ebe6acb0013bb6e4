//! Which version is the server, and which kinds does it serve?

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::kinds::ListedKind;
use super::request::{Contact, RequestError, Requester};
use crate::objects::server::Server;
use crate::version::Version;

/// Groups whose versions serve a kind in some releases only.
const CHANGING: &[&str] = &["batch/v1", "batch/v1beta1", "policy/v1beta1"];

/// The answer to `/version`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct VersionInfo {
    git_version: String,
}

#[derive(Deserialize)]
struct GroupList {
    #[serde(default)]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    #[serde(default)]
    versions: Vec<GroupVersion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupVersion {
    group_version: String,
}

#[derive(Deserialize)]
struct ResourceList {
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
}

/// What a server serves, as far as it says so.
#[derive(Debug, Default)]
pub(super) struct Served {
    /// The groups with their versions; `None` where the server does not say.
    groups: Option<BTreeSet<String>>,
    /// The resources of those that differ from release to release.
    resources: BTreeMap<String, BTreeSet<String>>,
}

impl Served {
    /// The versions of a kind's group by which the kind may be listed, the preferred first.
    pub(super) fn versions_of(&self, kind: &ListedKind) -> Vec<&'static str> {
        let is_served = |version: &&&str| {
            if kind.group.is_empty() {
                return true;
            }
            let group_version = format!("{}/{version}", kind.group);
            let has_group =
                self.groups.as_ref().is_none_or(|groups| groups.contains(&group_version));
            let resources = self.resources.get(&group_version);
            has_group && resources.is_none_or(|resources| resources.contains(kind.resource))
        };
        kind.versions.iter().filter(is_served).copied().collect()
    }
}

/// Asks the server what it is and serves. What it does not let us know is found out by listing.
pub(super) async fn discover(
    requester: &Requester,
) -> Result<(Option<Version>, String, Served), RequestError> {
    let info = allowed(requester.get_json::<VersionInfo>("/version", Contact::First).await)?;
    let git_version = info.map(|info| info.git_version).unwrap_or_default();
    let mut served = Served::default();
    let groups = allowed(requester.get_json::<GroupList>("/apis", Contact::Later).await)?;
    if let Some(groups) = groups {
        let versions = groups.groups.into_iter().flat_map(|group| group.versions);
        served.groups = Some(versions.map(|version| version.group_version).collect());
    }
    for group_version in CHANGING {
        let is_there = served.groups.as_ref().is_some_and(|groups| groups.contains(*group_version));
        // Where v1 has CronJobs already, v1beta1 is not asked.
        let has_cronjobs =
            served.resources.get("batch/v1").is_some_and(|batch| batch.contains("cronjobs"));
        if !is_there || (*group_version == "batch/v1beta1" && has_cronjobs) {
            continue;
        }
        let path = format!("/apis/{group_version}");
        let list = allowed(requester.get_json::<ResourceList>(&path, Contact::Later).await)?;
        if let Some(list) = list {
            let names = list.resources.into_iter().map(|resource| resource.name).collect();
            served.resources.insert((*group_version).to_owned(), names);
        }
    }
    Ok((minor_of(&git_version), git_version, served))
}

/// What a server may refuse to say without harm.
fn allowed<T>(answer: Result<T, RequestError>) -> Result<Option<T>, RequestError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(RequestError::Status(status)) if matches!(status.code, 403 | 404) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The minor version of `v1.21.2-k3s1`.
fn minor_of(git_version: &str) -> Option<Version> {
    let minor = git_version.strip_prefix("v1.")?;
    let digits = minor.bytes().take_while(u8::is_ascii_digit).count();
    minor[..digits].parse().ok().map(Version::v1)
}

/// The server as a plan speaks of it; `None` where its version is not known.
pub(super) fn server(
    version: Option<Version>,
    git_version: &str,
    serves_psp: bool,
) -> Option<Server> {
    Some(Server { version: version?, git_version: git_version.into(), serves_psp })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_vendors_are_read() {
        for (text, minor) in
            [("v1.21.2-k3s1", 21), ("v1.24.17-eks-1-24", 24), ("v1.36.0+rke2r1", 36)]
        {
            assert_eq!(minor_of(text), Some(Version::v1(minor)));
        }
        for text in ["", "v2.1.0", "v1.x"] {
            assert_eq!(minor_of(text), None);
        }
    }
}

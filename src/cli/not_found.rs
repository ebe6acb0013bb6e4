//! What might have been meant by a name that the input does not hold?

use std::collections::BTreeSet;

use super::errors::CliError;
use super::explain::Kind;
use crate::objects::snapshot::Snapshot;
use crate::objects::source::printable;

/// How many suggestions an error makes.
const MAX_SUGGESTIONS: usize = 3;

/// The least letters of a name that is looked for within others.
const MIN_PART: usize = 3;

/// An object that can be explained.
struct Candidate {
    namespace: String,
    kind: Kind,
    name: String,
}

/// The error for a name that the input does not hold, with the nearest names that it does.
pub(super) fn not_found(snapshot: &Snapshot, kind: Kind, namespace: &str, name: &str) -> CliError {
    let candidates = candidates(snapshot);
    let own = snapshot.namespaces.keys().map(ToString::to_string);
    let of_objects = candidates.iter().map(|candidate| candidate.namespace.clone());
    let namespaces: BTreeSet<String> = own.chain(of_objects).collect();
    let (message, mut near) = if kind == Kind::Namespace {
        let message = format!("namespace `{}` is not in the input", printable(name));
        (message, nearest(name, &namespaces))
    } else {
        let message = format!(
            "{} `{}` is not in the input, in namespace `{}`",
            kind.name(),
            printable(name),
            printable(namespace)
        );
        (message, suggestions(&candidates, &namespaces, kind, namespace, name))
    };
    near.truncate(MAX_SUGGESTIONS);
    let near: Vec<String> = near.iter().map(|near| format!("`{}`", printable(near))).collect();
    let hint = match near.as_slice() {
        [] => "`psp2psa plan -o json` names everything that the input holds".to_owned(),
        near => format!("did you mean {}?", near.join(" or ")),
    };
    CliError::Usage { message, hint }
}

/// What to say instead, the likeliest first: the same name elsewhere or of another kind; else another
/// namespace, where that one is not there; else names that are spelled alike, or are part of each other, the nearest place first.
fn suggestions(
    candidates: &[Candidate],
    namespaces: &BTreeSet<String>,
    kind: Kind,
    namespace: &str,
    name: &str,
) -> Vec<String> {
    let is_here = |candidate: &Candidate| candidate.namespace == namespace;
    let instead = |candidate: &Candidate| {
        let place = format!("-n {}", candidate.namespace);
        let object = format!("{}/{}", candidate.kind.name().to_lowercase(), candidate.name);
        match (candidate.kind == kind, candidate.name == name, is_here(candidate)) {
            (true, true, _) => place,
            (true, false, true) => candidate.name.clone(),
            (_, _, true) => object,
            (..) => format!("{object} {place}"),
        }
    };
    let all = |is_meant: &dyn Fn(&Candidate) -> bool| -> Vec<String> {
        let mut found: Vec<&Candidate> = candidates.iter().filter(|it| is_meant(it)).collect();
        // Stable: by namespace, kind and name where equally near.
        found.sort_by_key(|it| (it.kind != kind, !is_here(it)));
        found.into_iter().map(instead).collect()
    };
    let same = all(&|candidate| candidate.name == name);
    if !same.is_empty() {
        return same;
    }
    if !namespaces.contains(namespace) {
        let alike = nearest(namespace, namespaces);
        if !alike.is_empty() {
            return alike.iter().map(|namespace| format!("-n {namespace}")).collect();
        }
    }
    let of_kind = candidates.iter().filter(|it| it.kind == kind && is_here(it));
    let near = nearest(name, &of_kind.map(|it| it.name.clone()).collect());
    if !near.is_empty() {
        return near;
    }
    let names: BTreeSet<String> = candidates.iter().map(|it| it.name.clone()).collect();
    let alike = nearest(name, &names);
    let is_part = |part: &str, whole: &str| part.len() >= MIN_PART && whole.contains(part);
    let mut near = all(&|it| is_here(it) && alike.contains(&it.name));
    near.extend(all(&|it| is_part(&it.name, name) || is_part(name, &it.name)));
    near.extend(all(&|it| alike.contains(&it.name)));
    let mut told = BTreeSet::new();
    near.retain(|suggestion| told.insert(suggestion.clone()));
    near
}

/// Every workload and pod, sorted.
fn candidates(snapshot: &Snapshot) -> Vec<Candidate> {
    let workloads = snapshot.workloads.keys().map(|(namespace, kind, name)| Candidate {
        namespace: namespace.to_string(),
        kind: Kind::Workload(*kind),
        name: name.to_string(),
    });
    let pods = snapshot.pods.iter().map(|pod| Candidate {
        namespace: pod.namespace.to_string(),
        kind: Kind::Pod,
        name: pod.name.to_string(),
    });
    let mut all: Vec<Candidate> = workloads.chain(pods).collect();
    all.sort_by(|a, b| {
        (&a.namespace, a.kind.name(), &a.name).cmp(&(&b.namespace, b.kind.name(), &b.name))
    });
    all
}

/// The names that are spelled most alike, the nearest first.
pub(super) fn nearest(name: &str, names: &BTreeSet<String>) -> Vec<String> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let near = similar::get_close_matches(name, &names, MAX_SUGGESTIONS, 0.6);
    near.into_iter().map(str::to_owned).collect()
}

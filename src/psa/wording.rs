//! How does Pod Security admission word its findings?
//!
//! Upstream writes quotes around values without escaping them, which is kept here: users compare
//! our texts with a real API server's.

use std::fmt;

use crate::objects::pod::{Container, PodSecurityContext, PodTemplateSpec, SecurityContext};

/// `one` for exactly one thing, else `many`.
///
/// Upstream: `policy/helpers.go`, `pluralize` (v1.37).
pub(super) fn plural<'a>(count: usize, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

/// The values in quotes, not escaped: `"a", "b"`.
///
/// Upstream: `policy/helpers.go`, `joinQuote` (v1.37).
pub(super) fn quoted_list(values: impl IntoIterator<Item = impl fmt::Display>) -> String {
    let mut list = String::new();
    for value in values {
        let separator = if list.is_empty() { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = fmt::Write::write_fmt(&mut list, format_args!("{separator}\"{value}\""));
    }
    list
}

/// The pod and the containers that break a rule; without offenders it holds no memory.
///
/// Containers are in the order in which the API server visits them, neither sorted nor
/// deduplicated.
#[derive(Debug, Default)]
pub(super) struct Offenders<'a> {
    /// Whether the pod itself breaks the rule.
    pub(super) is_pod: bool,
    /// The names of the containers that do.
    pub(super) containers: Vec<&'a str>,
}

impl<'a> Offenders<'a> {
    /// The containers for which `is_bad` holds.
    pub(super) fn containers(
        pod: &'a PodTemplateSpec,
        mut is_bad: impl FnMut(&'a Container) -> bool,
    ) -> Self {
        let containers = pod.spec.all_containers().filter(|container| is_bad(container));
        let containers = containers.map(|container| container.name.as_str()).collect();
        Self { is_pod: false, containers }
    }

    /// Whoever sets a value that `is_bad`; where nothing is set, nothing is bad.
    pub(super) fn setters<T>(
        pod: &'a PodTemplateSpec,
        of_pod: impl Fn(&'a PodSecurityContext) -> Option<T>,
        of_container: impl Fn(&'a SecurityContext) -> Option<T>,
        mut is_bad: impl FnMut(T) -> bool,
    ) -> Self {
        let is_pod = pod.spec.security_context.as_deref().and_then(of_pod).is_some_and(&mut is_bad);
        let offenders = Self::containers(pod, |container| {
            container.security_context.as_deref().and_then(&of_container).is_some_and(&mut is_bad)
        });
        Self { is_pod, ..offenders }
    }

    /// Whether nobody breaks the rule.
    pub(super) fn is_empty(&self) -> bool {
        !self.is_pod && self.containers.is_empty()
    }
}

/// Prints `pod and containers "a", "b"`, or the part of it that applies.
impl fmt::Display for Offenders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_pod {
            f.write_str("pod")?;
        }
        if self.is_pod && !self.containers.is_empty() {
            f.write_str(" and ")?;
        }
        if !self.containers.is_empty() {
            let noun = plural(self.containers.len(), "container", "containers");
            write!(f, "{noun} {}", quoted_list(&self.containers))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offenders_read_as_upstream_writes_them() {
        let cases = [
            (true, vec![], "pod"),
            (false, vec!["a"], r#"container "a""#),
            (false, vec!["b", "a", "a"], r#"containers "b", "a", "a""#),
            (true, vec!["a"], r#"pod and container "a""#),
            (true, vec!["b", "a\"b"], r#"pod and containers "b", "a"b""#),
        ];
        for (is_pod, containers, expected) in cases {
            assert_eq!(Offenders { is_pod, containers }.to_string(), expected);
        }
    }
}

//! Which names can be exempt?

/// What is wrong with the name of a namespace.
///
/// Upstream: `staging/src/k8s.io/apimachinery/pkg/util/validation/validation.go`, `IsDNS1123Label`.
pub(super) fn not_a_label(name: &str) -> Option<String> {
    let mut problems = Vec::new();
    if name.len() > 63 {
        problems.push("must be no more than 63 characters");
    }
    if !is_label(name) {
        problems.push(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', \
             and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', \
             regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
        );
    }
    (!problems.is_empty()).then(|| problems.join(", "))
}

/// What is wrong with the name of a runtime class.
///
/// Upstream: as for [`not_a_label`], `IsDNS1123Subdomain`.
pub(super) fn not_a_subdomain(name: &str) -> Option<String> {
    let mut problems = Vec::new();
    if name.len() > 253 {
        problems.push("must be no more than 253 characters");
    }
    if !name.split('.').all(is_label) {
        problems.push(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' \
             or '.', and must start and end with an alphanumeric character (e.g. 'example.com', \
             regex used for validation is \
             '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        );
    }
    (!problems.is_empty()).then(|| problems.join(", "))
}

/// Whether a namespace can have this name; a configuration with any other is refused.
#[must_use]
pub fn is_namespace_name(name: &str) -> bool {
    not_a_label(name).is_none()
}

fn is_label(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.bytes().all(|byte| is_plain(byte) || byte == b'-')
        && text.bytes().next().is_some_and(is_plain)
        && text.bytes().next_back().is_some_and(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_length() {
        let label = |n| not_a_label(&"a".repeat(n)).is_none();
        assert_eq!([1, 62, 63, 64, 65].map(label), [true, true, true, false, false]);
        let subdomain = |n| not_a_subdomain(&"a".repeat(n)).is_none();
        assert_eq!([1, 252, 253, 254, 255].map(subdomain), [true, true, true, false, false]);
        assert!(is_namespace_name("kube-system"));
        assert!(!is_namespace_name("kube.system") && !is_namespace_name(""));
    }
}

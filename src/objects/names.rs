//! Which names could the API server have given out?
//!
//! Names come from the input, and input is not trusted: what could not be a name is never put into
//! a command or a request.

/// Whether the API server could have a namespace of that name (a DNS label).
#[must_use]
pub fn is_namespace_name(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    bytes.len() <= 63
        && is_inner(*first)
        && is_inner(*last)
        && bytes.iter().all(|byte| is_inner(*byte) || *byte == b'-')
}

/// Whether the API server could have a workload of that name (a DNS subdomain).
#[must_use]
pub fn is_object_name(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_namespace_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_dns_labels_are_namespaces() {
        assert!(is_namespace_name("kube-system"));
        let long = "a".repeat(64);
        for bad in ["", "-x", "x-", "a.b", "A", "$(x)", "a\nb", long.as_str()] {
            assert!(!is_namespace_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn only_dns_subdomains_are_objects() {
        assert!(is_object_name("web.v1-2") && !is_object_name("web..x") && !is_object_name("-f"));
    }
}

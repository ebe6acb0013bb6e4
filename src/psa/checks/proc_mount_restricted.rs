//! Restricted: no container sees more of `/proc`, in a user namespace or not.
//!
//! Restricted fields: `securityContext.procMount` of every container, unset or `Default`. The check
//! keeps restricted as it was when baseline let pods with `spec.hostUsers: false` go.
//!
//! Upstream: `policy/check_procMount_restricted.go` (v1.37).

use super::{Check, Revision, proc_mount};
use crate::level::Level;
use crate::version::Version;

pub(super) const CHECK: Check = Check {
    id: "procMount_restricted",
    level: Level::Restricted,
    revisions: &[
        // The rule that baseline had before this version.
        Revision { from: Version::v1(35), run: proc_mount::v1_0, overrides: &["procMount"] },
    ],
};

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::psa::testing::{assert_rows, with_context};

    #[test]
    fn answers() {
        let mut in_user_namespace = with_context(&json!({ "procMount": "Unmasked" }));
        in_user_namespace["hostUsers"] = json!(false);
        let detail = r#"container "a" must not set securityContext.procMount to "Unmasked""#;
        assert_rows(
            &CHECK,
            [
                ("default", 35, with_context(&json!({ "procMount": "Default" })), None),
                ("user namespace", 35, in_user_namespace, Some(("procMount", detail))),
            ],
        );
    }
}

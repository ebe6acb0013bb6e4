//! Who may do what?
//!
//! Everyone may do everything that a test does not deny.

use serde_json::{Value, json};

use crate::discovery::Target;
use crate::protobuf;
use crate::server::{Answer, Seen};

/// What tests deny.
#[derive(Clone, Default)]
pub(crate) struct Access {
    /// Verb and qualified resource; nobody may.
    pub(crate) denied: Vec<(&'static str, &'static str)>,
    /// Who may do nothing.
    pub(crate) denied_users: Vec<&'static str>,
}

/// Who asks.
pub(crate) fn user_of(seen: &Seen) -> &str {
    seen.header("impersonate-user").unwrap_or("kubernetes-admin")
}

/// The groups of who asks.
pub(crate) fn groups_of(seen: &Seen) -> Vec<String> {
    if seen.header("impersonate-user").is_none() {
        return vec!["system:masters".to_owned(), "system:authenticated".to_owned()];
    }
    let groups = seen.headers.iter().filter(|(name, _)| name == "impersonate-group");
    groups.map(|(_, group)| group.clone()).chain(["system:authenticated".to_owned()]).collect()
}

impl Access {
    fn allows(&self, user: &str, verb: &str, resource: &str) -> bool {
        !self.denied_users.contains(&user) && !self.denied.contains(&(verb, resource))
    }

    /// The answer to a request that is denied.
    pub(crate) fn refusal(&self, seen: &Seen, target: &Target) -> Option<Answer> {
        let verb = match (seen.method.as_str(), &target.name) {
            ("GET", Some(_)) => "get",
            ("GET", None) => "list",
            ("POST", _) => "create",
            ("PUT", _) => "update",
            ("DELETE", _) => "delete",
            _ => "patch",
        };
        let (user, resource) = (user_of(seen), target.resource.qualified());
        if self.allows(user, verb, &resource) {
            return None;
        }
        let name = target.name.as_ref().map(|name| format!(" \"{name}\"")).unwrap_or_default();
        // Of a Namespace the API server says that it is in itself.
        let within = match target.resource.kind {
            "Namespace" => &target.name,
            _ => &target.namespace,
        };
        let scope = within.as_ref().map_or("at the cluster scope".to_owned(), |name| {
            format!("in the namespace \"{name}\"")
        });
        let (plural, group) = (target.resource.plural, target.resource.group());
        let message = format!(
            "{resource}{name} is forbidden: User \"{user}\" cannot {verb} resource \"{plural}\" in \
             API group \"{group}\" {scope}"
        );
        Some(target.failure(403, "Forbidden", target.name.as_deref().unwrap_or_default(), &message))
    }
}

/// Answers a SelfSubjectAccessReview.
pub(crate) fn self_review(seen: &Seen, access: &Access) -> Answer {
    let mut review: Value = protobuf::object(&seen.body).unwrap();
    let attributes = &review["spec"]["resourceAttributes"];
    let of = |field: &str| attributes[field].as_str().unwrap_or_default();
    let resource = match of("group") {
        "" => of("resource").to_owned(),
        group => format!("{}.{group}", of("resource")),
    };
    let is_allowed = access.allows(user_of(seen), of("verb"), &resource);
    review["status"] = json!({"allowed": is_allowed});
    Answer::json(201, &review)
}

//! `admission-config --managed`: how do new namespaces get a level where the API server cannot be
//! configured?

use std::fmt::Write as _;

use super::admission_config::comment;
use crate::level::Level;
use crate::migrate::admission_config::Proposal;
use crate::objects::names::is_namespace_name;
use crate::psa::policy::ENFORCE_LABEL;
use crate::version::Version;

/// The first server that serves ValidatingAdmissionPolicies in `v1`.
const FIRST_WITH_POLICIES: Version = Version::v1(30);

/// A ValidatingAdmissionPolicy that guards the enforce label of namespaces; for older servers advice, as
/// comments, so that `kubectl apply` of it does nothing.
#[must_use]
pub fn guard(proposal: &Proposal, server: Option<Version>) -> String {
    let mut text = String::new();
    let enforce = proposal.defaults.enforce;
    match server.filter(|server| *server < FIRST_WITH_POLICIES) {
        Some(server) => advice(&mut text, proposal, server),
        None => policy(&mut text, proposal, enforce.level),
    }
    text
}

fn advice(text: &mut String, proposal: &Proposal, server: Version) {
    let enforce = proposal.defaults.enforce;
    let mut say = |content: &str| comment(text, 0, content);
    say(&format!(
        "The server is {server}. From {FIRST_WITH_POLICIES} on it can guard the labels of namespaces \
         itself: `psp2psa admission-config --managed --cluster-version {FIRST_WITH_POLICIES}` prints the \
         ValidatingAdmissionPolicy. Until then:"
    ));
    say("");
    say(&format!(
        "- Give new namespaces their labels where they are made (the chart, the template, the operator, \
         the GitOps repository): {ENFORCE_LABEL}={}, {ENFORCE_LABEL}-version={}, and \
         pod-security.kubernetes.io/warn=restricted.",
        enforce.level, enforce.version,
    ));
    say(
        "- Let only those make or change namespaces who may decide what runs in them: verbs create, \
         update and patch on namespaces (RBAC).",
    );
    say("- Look regularly for namespaces without a level: kubectl get namespaces -l \
         '!pod-security.kubernetes.io/enforce'");
    say(
        "- A validating webhook (of a policy engine, or Kubernetes' own pod-security-webhook, which takes \
         a PodSecurityConfiguration) can ask for the same.",
    );
}

fn policy(text: &mut String, proposal: &Proposal, level: Level) {
    let allowed: Vec<&str> =
        Level::ALL.into_iter().filter(|it| *it >= level).map(Level::as_str).collect();
    let mut say = |content: &str| comment(text, 0, content);
    say(&format!(
        "For clusters whose API server cannot be configured: every new namespace has to say which level \
         it enforces, {level} at least, and nobody takes the label off or sets a looser level afterwards. Needs \
         {FIRST_WITH_POLICIES}."
    ));
    say(&format!("{level}: {}.", proposal.why));
    say("");
    say(
        "- Changes that leave the label as it is are let through, so nothing happens to namespaces that \
         are there.",
    );
    say(
        "- Who may do more than that (set privileged, set a looser level, take the label off) has the verb \
         loosen-pod-security on namespaces; cluster-admin has it.",
    );
    say("- It guards the level, not the version that the label pins.");
    say("- To see first whom it would refuse, write [Warn, Audit] for [Deny].");
    let names = proposal.exempt.iter().map(|exempt| exempt.name.as_str());
    let names: Vec<String> =
        names.filter(|name| is_namespace_name(name)).map(|name| format!("'{name}'")).collect();
    let allowed: Vec<String> = allowed.iter().map(|level| format!("'{level}'")).collect();
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        r#"apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: psp2psa-namespace-level
spec:
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - apiGroups: [""]
      apiVersions: [v1]
      operations: [CREATE, UPDATE]
      # Labels come with these subresources too.
      resources: [namespaces, namespaces/status, namespaces/finalize]
  matchConditions:
  - name: not-exempt
    expression: >-
      !(object.metadata.name in [{exempt}])
  variables:
  - name: level
    expression: >-
      has(object.metadata.labels) && '{ENFORCE_LABEL}' in object.metadata.labels
      ? object.metadata.labels['{ENFORCE_LABEL}'] : ''
  - name: oldLevel
    expression: >-
      request.operation == 'UPDATE' && has(oldObject.metadata.labels) && '{ENFORCE_LABEL}' in oldObject.metadata.labels
      ? oldObject.metadata.labels['{ENFORCE_LABEL}'] : ''
  - name: isLooser
    expression: >-
      (variables.oldLevel == 'restricted' && variables.level != 'restricted')
      || (variables.oldLevel == 'baseline' && !(variables.level in ['baseline', 'restricted']))
  validations:
  - expression: >-
      (variables.level in [{allowed}] && !variables.isLooser)
      || (request.operation == 'UPDATE' && variables.level == variables.oldLevel)
      || authorizer.group('').resource('namespaces').name(object.metadata.name).check('loosen-pod-security').allowed()
    message: the namespace must have the label {ENFORCE_LABEL}={level} or a stricter level, and none looser than before
    reason: Forbidden
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: psp2psa-namespace-level
spec:
  policyName: psp2psa-namespace-level
  validationActions: [Deny]
"#,
        exempt = names.join(", "),
        allowed = allowed.join(", "),
    );
}

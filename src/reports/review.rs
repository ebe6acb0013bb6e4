//! `review`: what the migration guide leaves to the admin, to be read.

use std::collections::BTreeMap;

use super::outline::Outline;
use crate::migrate::policies::UsedBy;
use crate::objects::meta::Name;
use crate::rollout::label_access::{LabelAccess, LabelHolder, Reach};
use crate::rollout::removal::{Left, Removal, Wanted, Why};
use crate::rollout::review::{LeftOver, Review, WhyLeftOver};
use crate::rollout::template_drift::{Difference, TemplateDrift};

/// How many names a line lists before it only counts.
const MAX_NAMES: usize = 10;

/// The review in the order of the guide's steps.
#[must_use]
pub fn outline(review: &Review) -> Outline {
    let mut outline = Outline::default();
    outline.heading(1, "What the migration guide leaves to you");
    if !review.missing.is_empty() {
        outline.heading(2, "What the input lacks");
        for missing in &review.missing {
            outline.item(0, format!("{}: {}", missing.what, missing.why));
        }
    }
    label_access(&mut outline, &review.label_access);
    template_drift(&mut outline, &review.template_drift);
    left_over(&mut outline, &review.left_over_policies);
    removal(&mut outline, &review.removal);
    outline
}

fn label_access(outline: &mut Outline, access: &LabelAccess) {
    outline.heading(2, "Who may change the labels of namespaces (step 1)");
    let (built_in, others): (Vec<_>, Vec<_>) =
        access.holders.iter().partition(|holder| holder.built_in);
    if others.is_empty() {
        outline.item(0, "nobody but what Kubernetes comes with, as far as the input shows");
    } else {
        let header = ["SUBJECT", "MAY", "NAMESPACES", "THROUGH"];
        let mut rows = vec![header.map(str::to_owned).to_vec()];
        rows.extend(others.into_iter().map(row));
        outline.table(rows);
    }
    let mut built_in: Vec<String> = built_in.into_iter().map(subject).collect();
    built_in.dedup();
    if !built_in.is_empty() {
        let names = listed(&built_in);
        outline.item(0, format!("by roles and bindings that Kubernetes comes with: {names}"));
    }
    outline.item(0, "members of the group system:masters may always, whatever RBAC says");
    outline.item(
        0,
        "a RoleBinding reaches the namespace that it stands in: requests for a Namespace are \
         authorised there",
    );
    outline.item(
        0,
        "who may bind or escalate roles, or write bindings to such roles, can grant it to themselves",
    );
    if access.widened_roles.is_empty() {
        outline.item(0, "the roles admin and edit do not allow it");
    }
    for role in &access.widened_roles {
        outline.item(
            0,
            format!("! the role {role} allows it here, which Kubernetes' own does not: see what it aggregates"),
        );
    }
    if let Some(rancher) = &access.rancher {
        outline.item(
            0,
            "Rancher: its webhook refuses pod-security labels to everybody who does not hold the \
             verb updatepsa on projects of management.cattle.io, so that kubectl label can fail \
             though RBAC allows it",
        );
        if rancher.updatepsa.is_empty() {
            outline.item(1, "nobody holds it, as far as the input shows");
        }
        for holder in &rancher.updatepsa {
            outline.item(1, holder.clone());
        }
    }
}

fn row(holder: &LabelHolder) -> Vec<String> {
    let mark = if holder.everybody { "! everybody: " } else { "" };
    let verbs: Vec<&str> = holder.verbs.iter().copied().collect();
    let through = holder.through.map(|part| format!(" namespaces/{part}")).unwrap_or_default();
    let namespaces = match &holder.reach {
        Reach::All => "all".to_owned(),
        Reach::Only(names) => listed(&names.iter().map(ToString::to_string).collect::<Vec<_>>()),
    };
    vec![
        format!("{mark}{}", subject(holder)),
        format!("{}{through}", verbs.join(", ")),
        namespaces,
        format!("{} → {} → {}", holder.binding, holder.role, holder.rule),
    ]
}

fn subject(holder: &LabelHolder) -> String {
    format!("{} {}", holder.kind, holder.name)
}

fn template_drift(outline: &mut Outline, drift: &[TemplateDrift]) {
    outline.heading(2, "Pods that differ from their templates, and who did it (step 2c)");
    if drift.is_empty() {
        outline.item(0, "none, as far as the input shows");
        return;
    }
    for workload in drift {
        outline.item(0, named(&workload.workload));
        for line in told(&workload.differences) {
            outline.item(1, line);
        }
        if !workload.added_containers.is_empty() {
            let names = workload.added_containers.join(", ");
            outline.item(1, format!("containers that the template does not have: {names}"));
        }
    }
}

/// A line for each field with the same values by the same author, and the containers that have them.
fn told(differences: &[Difference]) -> Vec<String> {
    let mut by_place: BTreeMap<(String, &str, &str), Vec<String>> = BTreeMap::new();
    for difference in differences {
        let (place, field) = place_and_field(&difference.path);
        let value = match &difference.value {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => "gone".to_owned(),
        };
        by_place.entry((author(difference), field, place)).or_default().push(value);
    }
    let mut lines: BTreeMap<(String, &str, Vec<String>), Vec<&str>> = BTreeMap::new();
    for ((author, field, place), values) in by_place {
        lines.entry((author, field, values)).or_default().push(place);
    }
    lines
        .into_iter()
        .map(|((author, field, values), places)| {
            let (values, places) = (values.join(", "), places.join(", "));
            let places = if places.is_empty() { places } else { format!(" in {places}") };
            format!("{field}: {values}{places}  ({author})")
        })
        .collect()
}

fn author(difference: &Difference) -> String {
    let author = match (&difference.policy, difference.policy_field) {
        (Some(policy), Some(field)) => format!("{policy}: {field}"),
        (Some(policy), None) => format!("{policy}, by a field that is not known"),
        (None, _) => "not PSP: a webhook, or a controller".to_owned(),
    };
    if difference.assumed { format!("{author}, as it seems") } else { author }
}

/// The container of a path, empty for the pod, and the field in it.
fn place_and_field(path: &str) -> (&str, &str) {
    let in_container = path
        .split_once("ontainers[name=")
        .and_then(|(_, rest)| rest.split_once("].securityContext."));
    if let Some(place_and_field) = in_container {
        return place_and_field;
    }
    let app_armor = path
        .strip_prefix("metadata.annotations[container.apparmor.security.beta.kubernetes.io/")
        .and_then(|rest| rest.strip_suffix(']'));
    match app_armor {
        Some(container) => (container, "AppArmor annotation"),
        None => ("", path),
    }
}

fn named(workload: &UsedBy) -> String {
    let UsedBy { namespace, kind, name, pods } = workload;
    let pods = if *pods == 1 { "1 pod".to_owned() } else { format!("{pods} pods") };
    format!("{kind} {namespace}/{name}, {pods}")
}

fn left_over(outline: &mut Outline, policies: &[LeftOver]) {
    outline.heading(2, "Policies that nothing is made by");
    if policies.is_empty() {
        outline.item(0, "none");
        return;
    }
    let header = ["POLICY", "WHY", "OWNER"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    for policy in policies {
        let why = match policy.why {
            WhyLeftOver::Broken => "takes no part in admission".to_owned(),
            WhyLeftOver::GrantedToNobody => "granted to nobody".to_owned(),
            WhyLeftOver::NeverUsed if policy.shadowed_by.is_empty() => {
                "no workload or pod uses it".to_owned()
            }
            WhyLeftOver::NeverUsed => {
                format!(
                    "wherever it could be used, another wins: {}",
                    policy.shadowed_by.join(", ")
                )
            }
        };
        let owner = policy.owner.clone().unwrap_or_else(|| "-".to_owned());
        rows.push(vec![policy.name.to_string(), why, owner]);
    }
    outline.table(rows);
}

fn removal(outline: &mut Outline, removal: &Removal) {
    outline.heading(2, "What goes with PSP (step 5, after it is switched off)");
    let policies: Vec<String> = removal.policies.iter().map(|it| it.name.to_string()).collect();
    match policies.len() {
        0 => outline.item(0, "no policies but those of others"),
        n => outline.item(0, format!("{n} policies: {}", policies.join(", "))),
    }
    for role in &removal.roles {
        outline.item(0, format!("{}: {}", role.object, role.rules.join("; ")));
        aggregated_into(outline, &role.aggregated_into);
    }
    for binding in &removal.bindings {
        let nobody = if binding.subjects == 0 { ", without subjects" } else { "" };
        outline.item(0, format!("{} (to {}{nobody})", binding.object, binding.role));
    }
    if !removal.mixed_roles.is_empty() {
        outline.heading(2, "Roles that allow other things too: only these rules go");
        outline.command(
            "A JSON patch for each, and the one that undoes it, are in ",
            "psp2psa review -o json",
            " under removal.mixedRoles.",
        );
        for role in &removal.mixed_roles {
            outline.item(0, format!("{}: {}", role.object, role.rules.join("; ")));
            aggregated_into(outline, &role.aggregated_into);
        }
    }
    let (harmless, owned): (Vec<&Left>, Vec<&Left>) =
        removal.left.iter().partition(|left| left.wanted == Wanted::Nothing);
    if !owned.is_empty() {
        outline.heading(2, "What is left to its owners");
        let header = ["OBJECT", "OWNER", "WANTED"];
        let mut rows = vec![header.map(str::to_owned).to_vec()];
        rows.extend(owned.into_iter().map(left_row));
        outline.table(rows);
    }
    if !harmless.is_empty() {
        outline.heading(2, "Roles that allow the use of policies along with all else");
        outline.paragraph("They name no policies, and are harmless once there are none.");
        for left in harmless {
            outline.item(0, format!("{}: {}", left.object, left.rules.join("; ")));
        }
    }
    if !removal.dangling.is_empty() {
        outline.heading(2, "Bindings that look like PSP, to roles that are not in the input");
        for binding in &removal.dangling {
            outline.item(0, format!("{} (to {})", binding.object, binding.role));
        }
    }
}

fn aggregated_into(outline: &mut Outline, roles: &[Name]) {
    if !roles.is_empty() {
        let names: Vec<String> = roles.iter().map(ToString::to_string).collect();
        outline.item(1, format!("these aggregate it and change with it: {}", listed(&names)));
    }
}

fn left_row(left: &Left) -> Vec<String> {
    let owner = left.owner.clone().unwrap_or_default();
    let owner = match left.why {
        Why::Owned | Why::Inseparable => owner,
        Why::Bootstrap => "the API server, which puts it back when it starts".to_owned(),
        Why::Aggregated if left.sources.is_empty() => {
            "the controller that aggregates roles into it".to_owned()
        }
        Why::Aggregated => {
            let sources: Vec<String> = left.sources.iter().map(ToString::to_string).collect();
            format!("filled in from {}: change these", listed(&sources))
        }
    };
    let rules = left.rules.join("; ");
    let wanted = match left.wanted {
        Wanted::Delete => "to be deleted".to_owned(),
        Wanted::Change => format!("to lose: {rules}"),
        Wanted::Nothing => "nothing".to_owned(),
    };
    vec![left.object.to_string(), owner, wanted]
}

/// Names with commas between, of many only the first.
fn listed(names: &[String]) -> String {
    match names.len().checked_sub(MAX_NAMES) {
        Some(n_more) if n_more > 0 => {
            format!("{} and {n_more} more", names[..MAX_NAMES].join(", "))
        }
        _ => names.join(", "),
    }
}

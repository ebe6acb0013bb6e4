//! What is each PodSecurityPolicy worth: who may use it, who does, and for what?

mod scope;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::grant::GrantPath;
use super::plan::{NamespacePlan, Plan, PolicyPlan, WorkloadPlan};
use super::simulation::Simulation;
use super::translate;
use crate::objects::meta::Name;
use crate::objects::pod::{PodTemplateSpec, SecurityContext};
use crate::objects::snapshot::Snapshot;
use crate::objects::workload::WorkloadKind;
use crate::psp::{Policy, Via};
use crate::rbac::{ALL_SERVICE_ACCOUNTS, AUTHENTICATED, Holder, User};
use crate::version::Version;

/// The report on policies.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyReport {
    /// The version of the standards that levels are judged by.
    pub pss_version: Version,
    /// Whether the input held everything that the answers depend on.
    pub complete: bool,
    /// The policies, in the order in which PSP looks at them.
    pub policies: Vec<PolicyDetail>,
}

/// Everything about one policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyDetail {
    /// What the plan says of it.
    #[serde(flatten)]
    pub plan: PolicyPlan,
    /// The tool that would put it back: Helm, an add-on manager.
    pub managed_by: Option<Name>,
    /// Who may use it, and through what.
    pub grants: Vec<PolicyGrant>,
    /// The service accounts that may use it by their own right, by namespace; `None` where that was
    /// not asked for.
    pub service_accounts: Option<BTreeMap<Name, Vec<String>>>,
    /// The workloads that it admits: by their pods' annotation, or by simulation.
    pub used_by: Vec<UsedBy>,
    /// The demands that no level can make, with the workloads that they do something for.
    pub relied_on: Vec<ReliedOn>,
    /// The namespaces in which it admits some workloads while others may not use it: a level cannot
    /// tell them apart.
    pub per_subject: Vec<PerSubject>,
    /// Whether it admits no workload at all.
    pub never_used: bool,
    /// For a policy that is never used: those that win wherever it could be used.
    pub shadowed_by: Vec<Name>,
    /// Whether it refuses the `seccompProfile` that `restricted` asks for, so that templates cannot
    /// be mended while it is in use.
    pub forbids_seccomp_profile: bool,
    /// Whether its `MustRunAsNonRoot` admits pods that set a user and leave `runAsNonRoot` unset, which
    /// `restricted` refuses; its level leaves them out of account.
    pub may_leave_run_as_non_root_unset: bool,
}

/// Who may use a policy, and through what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyGrant {
    /// The namespace that it holds in; `None` for every one.
    pub namespace: Option<Name>,
    /// From the subject to the rule.
    #[serde(flatten)]
    pub path: GrantPath,
    /// Why it reaches the pods of everybody; `None` if it does not.
    pub reaches_everybody: Option<&'static str>,
}

/// A workload that a policy admits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UsedBy {
    /// The namespace.
    pub namespace: Name,
    /// The kind.
    pub kind: &'static str,
    /// The name.
    pub name: String,
    /// How many unfinished pods the workload has.
    pub pods: usize,
}

/// A demand that no level can make, and who relies on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReliedOn {
    /// The field of the policy.
    pub field: &'static str,
    /// The workloads into whose pods it writes, or whose values it checks, whether they have pods now
    /// or not.
    pub workloads: Vec<UsedBy>,
}

/// A namespace in which a policy holds for some workloads only, by the rights of their subjects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PerSubject {
    /// The namespace.
    pub namespace: Name,
    /// The workloads that it admits there.
    pub used_by: Vec<UsedBy>,
    /// The workloads that another policy admits there, and that may not use it.
    pub not_usable_by: Vec<UsedBy>,
}

/// Describes the policies of a plan over all namespaces; with `name`, that one alone and with the
/// service accounts that may use it.
#[must_use]
pub fn report(
    plan: &Plan,
    snapshot: &Snapshot,
    simulation: &Simulation<'_>,
    name: Option<&str>,
) -> PolicyReport {
    let workloads: Vec<(&NamespacePlan, &WorkloadPlan)> = plan
        .namespaces
        .iter()
        .flat_map(|namespace| namespace.workloads.iter().map(move |workload| (namespace, workload)))
        .collect();
    let chosen =
        plan.policies.iter().filter(|policy| name.is_none_or(|name| *policy.name == *name));
    let policies = chosen
        .map(|policy| {
            let accounts = name.map(|_| service_accounts(&policy.name, plan, snapshot, simulation));
            detail(policy, &workloads, snapshot, simulation, accounts)
        })
        .collect();
    PolicyReport { pss_version: plan.pss_version, complete: plan.complete, policies }
}

fn detail(
    plan: &PolicyPlan,
    workloads: &[(&NamespacePlan, &WorkloadPlan)],
    snapshot: &Snapshot,
    simulation: &Simulation<'_>,
    service_accounts: Option<BTreeMap<Name, Vec<String>>>,
) -> PolicyDetail {
    let name = &plan.name;
    let users: Vec<_> =
        workloads.iter().copied().filter(|(_, workload)| is_used_by(name, workload)).collect();
    let relied_on = plan
        .not_expressible
        .iter()
        .map(|field| ReliedOn {
            field,
            workloads: users
                .iter()
                .filter(|(_, workload)| relies_on(workload, name, field))
                .map(|(namespace, workload)| used_by(namespace, workload))
                .collect(),
        })
        .collect();
    let policy = simulation.policy(name);
    let object = snapshot.policies.get(name);
    let shadowed_by = match policy {
        Some(policy) if users.is_empty() => shadowed_by(policy, workloads, simulation),
        _ => Vec::new(),
    };
    PolicyDetail {
        plan: plan.clone(),
        managed_by: object.and_then(|policy| policy.managed_by.clone()),
        grants: grants(name, simulation),
        service_accounts,
        used_by: users.iter().map(|(namespace, workload)| used_by(namespace, workload)).collect(),
        relied_on,
        per_subject: scope::per_subject(name, &users, simulation),
        never_used: users.is_empty() && plan.pods == 0,
        shadowed_by,
        forbids_seccomp_profile: policy.is_some_and(forbids_seccomp_profile),
        may_leave_run_as_non_root_unset: object
            .is_some_and(|policy| policy.spec.run_as_user.rule == "MustRunAsNonRoot"),
    }
}

/// Whether a policy admits a workload: by its pods' annotation, or by simulation.
pub(crate) fn is_used_by(policy: &Name, workload: &WorkloadPlan) -> bool {
    workload.policy_in_use.contains(policy) || workload.policy_simulated.as_ref() == Some(policy)
}

pub(crate) fn used_by(namespace: &NamespacePlan, workload: &WorkloadPlan) -> UsedBy {
    UsedBy {
        namespace: namespace.name.clone(),
        kind: workload.kind,
        name: workload.name.clone(),
        pods: workload.pods,
    }
}

/// Whether a field of a policy writes into a workload's pods, or checks a value that they have.
pub(crate) fn relies_on(workload: &WorkloadPlan, policy: &Name, field: &str) -> bool {
    let field = field.strip_suffix(".ranges").unwrap_or(field);
    let writes = workload.states.all_changes().any(|change| {
        let of_field = change.policy_field.is_some_and(|written_by| written_by.starts_with(field));
        change.policy == *policy && of_field
    });
    writes || has_value_for(&workload.states.authored, field)
}

fn has_value_for(pod: &PodTemplateSpec, field: &str) -> bool {
    let spec = &pod.spec;
    let of_pod = spec.security_context.as_ref();
    let has_volume = |source: &str| {
        spec.volumes.iter().flat_map(|volume| &volume.sources).any(|it| it.field() == source)
    };
    let has = |is_set: fn(&SecurityContext) -> bool| {
        spec.all_containers().any(|it| it.security_context.as_deref().is_some_and(is_set))
    };
    match field {
        "spec.allowedCSIDrivers" => has_volume("csi"),
        "spec.allowedFlexVolumes" => has_volume("flexVolume"),
        "spec.allowedHostPaths" => has_volume("hostPath"),
        "spec.forbiddenSysctls" => of_pod.is_some_and(|context| !context.sysctls.is_empty()),
        "spec.fsGroup" => of_pod.is_some_and(|context| context.fs_group.is_some()),
        "spec.hostPorts" => {
            spec.all_containers().any(|it| it.ports.iter().any(|port| port.host_port != 0))
        }
        "spec.readOnlyRootFilesystem" => has(|it| it.read_only_root_filesystem.is_some()),
        "spec.runAsGroup" => {
            has(|it| it.run_as_group.is_some())
                || of_pod.is_some_and(|context| context.run_as_group.is_some())
        }
        "spec.runAsUser" => {
            has(|it| it.run_as_user.is_some())
                || of_pod.is_some_and(|context| context.run_as_user.is_some())
        }
        "spec.runtimeClass" => spec.runtime_class_name.is_some(),
        "spec.supplementalGroups" => {
            of_pod.is_some_and(|context| context.supplemental_groups.is_some())
        }
        _ => false,
    }
}

/// The policies that win over another wherever that may be used and would admit the pod.
fn shadowed_by(
    policy: &Policy,
    workloads: &[(&NamespacePlan, &WorkloadPlan)],
    simulation: &Simulation<'_>,
) -> Vec<Name> {
    let mut winners = BTreeSet::new();
    for (namespace, workload) in workloads {
        let Some(winner) = &workload.policy_simulated else { continue };
        let requester =
            WorkloadKind::from_kind(workload.kind).and_then(|kind| simulation.requester_of(kind));
        let account = &workload.service_account;
        let may_use =
            simulation.may_use(policy.name(), &namespace.name, account, requester.as_ref());
        if may_use && !winners.contains(winner) {
            let mut pod = (*workload.states.authored).clone();
            policy.mutate(&mut pod);
            if policy.validate(&pod).is_empty() {
                winners.insert(winner.clone());
            }
        }
    }
    winners.into_iter().collect()
}

/// Whether a policy refuses a pod for the profile that `restricted` asks for.
fn forbids_seccomp_profile(policy: &Policy) -> bool {
    let errors_of = |mut pod: PodTemplateSpec| {
        policy.mutate(&mut pod);
        policy.validate(&pod)
    };
    let hardened = translate::hardened_pod();
    let mut without = hardened.clone();
    for container in &mut without.spec.containers {
        if let Some(context) = &mut container.security_context {
            context.seccomp_profile = None;
        }
    }
    let without = errors_of(without);
    errors_of(hardened).iter().any(|error| !without.contains(error))
}

fn grants(policy: &Name, simulation: &Simulation<'_>) -> Vec<PolicyGrant> {
    let holders = simulation.holders_of(policy);
    let mut grants: Vec<PolicyGrant> = holders
        .iter()
        .map(|holder| PolicyGrant {
            namespace: holder.namespace.cloned(),
            path: GrantPath::of(via(holder), &holder.grant),
            reaches_everybody: reaches_everybody(holder, simulation),
        })
        .collect();
    grants.sort();
    grants.dedup();
    grants
}

/// By whose right the holder uses a policy in the end: groups may be both.
fn via(holder: &Holder<'_>) -> Via {
    match holder.subject.kind.as_str() {
        "User" => Via::Requester,
        "Group" if holder.subject.name == AUTHENTICATED => Via::Requester,
        _ => Via::ServiceAccount,
    }
}

/// Why a grant reaches everybody's pods, in the namespace that it holds in.
fn reaches_everybody(holder: &Holder<'_>, simulation: &Simulation<'_>) -> Option<&'static str> {
    let subject = holder.subject;
    let controllers =
        || WorkloadKind::ALL.into_iter().filter_map(|kind| simulation.requester_of(kind));
    let is_controller = |user: &User| controllers().any(|controller| controller.name == user.name);
    match subject.kind.as_str() {
        "Group" if subject.name == AUTHENTICATED => {
            Some("everybody who makes pods is a member, controllers included")
        }
        "Group" if subject.name == ALL_SERVICE_ACCOUNTS => {
            Some("every service account is a member, those of the controllers included")
        }
        "Group" if controllers().any(|controller| controller.groups.contains(&subject.name)) => {
            Some("the controllers' accounts are members, and they make everybody's pods")
        }
        "ServiceAccount" | "User" => {
            let user = match holder.subject_namespace {
                Some(namespace) => User::service_account(namespace, &subject.name),
                None => User::authenticated(&subject.name),
            };
            is_controller(&user).then_some("a controller that makes everybody's pods")
        }
        _ => None,
    }
}

/// The service accounts that may use a policy by their own right, by namespace.
fn service_accounts(
    policy: &Name,
    plan: &Plan,
    snapshot: &Snapshot,
    simulation: &Simulation<'_>,
) -> BTreeMap<Name, Vec<String>> {
    let mut accounts: BTreeMap<&Name, BTreeSet<&str>> = BTreeMap::new();
    for (namespace, account) in snapshot.service_accounts.keys() {
        accounts.entry(namespace).or_default().insert(account);
    }
    for namespace in &plan.namespaces {
        let of_namespace = accounts.entry(&namespace.name).or_default();
        of_namespace.extend(namespace.workloads.iter().map(|it| it.service_account.as_str()));
    }
    let may_use =
        |namespace: &Name, account: &str| simulation.may_use(policy, namespace, account, None);
    accounts
        .into_iter()
        .map(|(namespace, accounts)| {
            let usable = accounts.into_iter().filter(|account| may_use(namespace, account));
            (namespace.clone(), usable.map(str::to_owned).collect::<Vec<_>>())
        })
        .filter(|(_, accounts)| !accounts.is_empty())
        .collect()
}

//! Where does a policy hold for some of a namespace's workloads, and not for others?
//!
//! PSP goes by the subject: the service account of a pod, and whoever makes it. PSS knows namespaces
//! only, so that one level will have to do for all of them.

use super::{PerSubject, used_by};
use crate::migrate::plan::{NamespacePlan, WorkloadPlan};
use crate::migrate::simulation::Simulation;
use crate::objects::meta::Name;
use crate::objects::workload::WorkloadKind;

/// The namespaces of a policy's users in which other workloads may not use it, in the order of
/// `users`, which are sorted by namespace.
pub(super) fn per_subject(
    policy: &Name,
    users: &[(&NamespacePlan, &WorkloadPlan)],
    simulation: &Simulation<'_>,
) -> Vec<PerSubject> {
    users
        .chunk_by(|(one, _), (other, _)| one.name == other.name)
        .filter_map(|users| {
            let (namespace, _) = users.first()?;
            let is_kept_out =
                |workload: &WorkloadPlan| is_kept_out(policy, namespace, workload, simulation);
            let named = |workload: &WorkloadPlan| used_by(namespace, workload);
            let workloads = namespace.workloads.iter();
            let scope = PerSubject {
                namespace: namespace.name.clone(),
                // Pods may run by a right that has been taken away since.
                used_by: users
                    .iter()
                    .map(|(_, workload)| *workload)
                    .filter(|workload| !is_kept_out(workload))
                    .map(named)
                    .collect(),
                not_usable_by: workloads
                    .filter(|workload| is_kept_out(workload))
                    .map(named)
                    .collect(),
            };
            (!scope.used_by.is_empty() && !scope.not_usable_by.is_empty()).then_some(scope)
        })
        .collect()
}

/// Whether another policy admits a workload, and this one may not be used for it. Who makes bare pods
/// is not known, so nothing can be said of them.
fn is_kept_out(
    policy: &Name,
    namespace: &NamespacePlan,
    workload: &WorkloadPlan,
    simulation: &Simulation<'_>,
) -> bool {
    let requester =
        WorkloadKind::from_kind(workload.kind).and_then(|kind| simulation.requester_of(kind));
    let Some(requester) = requester else { return false };
    workload.policy_simulated.as_ref().is_some_and(|other| other != policy) && {
        let account = &workload.service_account;
        !simulation.may_use(policy, &namespace.name, account, Some(&requester))
    }
}

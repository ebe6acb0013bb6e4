//! By which versions is judged, and who makes pods?

use std::collections::BTreeSet;
use std::num::NonZero;
use std::thread;

use crate::migrate::Options;
use crate::objects::server::Server;
use crate::objects::snapshot::Snapshot;
use crate::psa::configuration::Configuration;
use crate::version::Version;

/// What decides about answers besides the objects, the same for every subcommand that plans.
#[derive(Debug, clap::Args)]
pub(super) struct JudgeArgs {
    /// Judge by this version of the Pod Security Standards: v1.N or latest
    ///
    /// A plan's labels pin it. The default is the server's, but at least v1.25; it is v1.25 where
    /// the server is not known.
    #[arg(long, value_name = "VERSION")]
    pss_version: Option<Version>,

    /// Take the cluster for one of this version: v1.N
    ///
    /// The default is the server's, and v1.24 where it is not known.
    #[arg(long, value_name = "VERSION")]
    cluster_version: Option<Version>,

    /// The user who makes every controller's pods, where the controller manager runs without
    /// --use-service-account-credentials; without this each controller has an account of its own
    #[arg(long, value_name = "USER")]
    controllers_user: Option<String>,
}

impl JudgeArgs {
    /// Whether the user says which version of the standards to judge by.
    pub(super) fn names_pss_version(&self) -> bool {
        self.pss_version.is_some()
    }

    /// The version of the server; `None` where neither the user nor the input says.
    pub(super) fn server_version(&self, snapshot: &Snapshot) -> Option<Version> {
        self.cluster_version.or_else(|| snapshot.server_version())
    }

    /// The options of a plan of the snapshot, with no wish about what to recommend.
    pub(super) fn options(&self, snapshot: &Snapshot) -> Options {
        let server = snapshot.server.as_ref();
        Options {
            pss_version: self.pss_version.unwrap_or_else(|| default_pss_version(server)),
            configuration: Configuration {
                server: self.server_version(snapshot).map(|it| it.max(FIRST_WITH_POD_SECURITY)),
                ..Configuration::default()
            },
            is_configured: false,
            cluster_version: self.server_version(snapshot).unwrap_or(Version::LAST_WITH_PSP),
            controllers_user: self.controllers_user.clone(),
            system_namespaces: BTreeSet::new(),
            warn: None,
            audit: None,
            empty_namespaces: None,
            n_threads: thread::available_parallelism().map_or(1, NonZero::get),
        }
    }
}

/// The first server on which labels do something unasked; those of earlier ones are set after an upgrade.
const FIRST_WITH_POD_SECURITY: Version = Version::v1(23);

/// The version that labels are pinned to unless the user says otherwise: what comes after PSP, or
/// what the cluster is at already.
fn default_pss_version(server: Option<&Server>) -> Version {
    let first = Version::v1(25);
    server.map_or(first, |server| server.version.clamp(first, Version::LATEST))
}

//! Which cluster is meant, and who are we there?
//!
//! The answer is kubectl's: `--kubeconfig`, else the files of `KUBECONFIG`, else
//! `~/.kube/config`, else the service account of the pod that the program runs in.

#![expect(clippy::disallowed_methods, reason = "this is where the cluster's environment is read")]

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use kube::config::{Config, KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::errors::{ClusterError, one_line, root_cause};
use super::login;

/// How kubectl's flags choose the cluster and the user.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// `--kubeconfig`.
    pub kubeconfig: Option<PathBuf>,
    /// `--context`.
    pub context: Option<String>,
    /// `--cluster`.
    pub cluster: Option<String>,
    /// `--user`.
    pub user: Option<String>,
    /// `--as`.
    pub impersonate: Option<String>,
    /// `--as-group`.
    pub impersonate_groups: Vec<String>,
    /// `--request-timeout`: how long one request may take; `None` for no limit but that on silence.
    pub request_timeout: Option<Duration>,
}

/// A cluster to speak to.
pub(super) struct Connection {
    pub(super) client: kube::Client,
    /// The server's address.
    pub(super) server: String,
    pub(super) accepts_gzip: bool,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("server", &self.server).finish_non_exhaustive()
    }
}

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Makes the client. Runs the login helper where there is one. Must be called within a runtime.
pub(super) async fn connect(target: &Target) -> Result<Connection, ClusterError> {
    let mut config = match load(target)? {
        Some(kubeconfig) => from_kubeconfig(kubeconfig, target).await?,
        None => in_cluster()?,
    };
    config.connect_timeout =
        Some(target.request_timeout.map_or(CONNECT_TIMEOUT, |limit| limit.min(CONNECT_TIMEOUT)));
    // Requests are repeated here, where the body is read too.
    config.default_retry = false;
    if let Some(user) = &target.impersonate {
        config.auth_info.impersonate = Some(user.clone());
    }
    if !target.impersonate_groups.is_empty() {
        config.auth_info.impersonate_groups = Some(target.impersonate_groups.clone());
    }
    let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
    let accepts_gzip = !config.disable_compression;
    let client = kube::Client::try_from(config).map_err(|error| match &error {
        kube::Error::RustlsTls(_) | kube::Error::Auth(_) => {
            ClusterError::Login { reason: root_cause(&error) }
        }
        _ => ClusterError::Login { reason: one_line(&error.to_string()) },
    })?;
    Ok(Connection { client, server, accepts_gzip })
}

/// The kubeconfig; `None` where there is none and the pod's own account is to be used.
fn load(target: &Target) -> Result<Option<Kubeconfig>, ClusterError> {
    if let Some(path) = &target.kubeconfig {
        return read(path).map(Some);
    }
    let paths: Vec<PathBuf> = match std::env::var_os("KUBECONFIG").filter(|list| !list.is_empty()) {
        Some(list) => split(&list),
        None => std::env::home_dir().map(|home| home.join(".kube/config")).into_iter().collect(),
    };
    let mut merged: Option<Kubeconfig> = None;
    // As for kubectl, a file of the list may be missing; one that may not be looked at is a fault.
    for path in paths.iter().filter(|path| !is_missing(path)) {
        let next = read(path)?;
        merged = Some(match merged {
            Some(earlier) => earlier.merge(next).map_err(|error| ClusterError::Kubeconfig {
                path: path.clone(),
                reason: one_line(&error.to_string()),
            })?,
            None => next,
        });
    }
    let names_one = target.context.is_some() || target.cluster.is_some() || target.user.is_some();
    match merged {
        Some(kubeconfig) => Ok(Some(kubeconfig)),
        None if !names_one && std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() => Ok(None),
        None => Err(ClusterError::NoKubeconfig),
    }
}

/// Whether there is no such file, for sure.
fn is_missing(path: &Path) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    let found = path.metadata();
    found.is_err_and(|error| matches!(error.kind(), NotFound | NotADirectory))
}

fn split(list: &OsString) -> Vec<PathBuf> {
    std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty()).collect()
}

fn read(path: &Path) -> Result<Kubeconfig, ClusterError> {
    Kubeconfig::read_from(path).map_err(|error| ClusterError::Kubeconfig {
        path: path.to_owned(),
        reason: match &error {
            KubeconfigError::ReadConfig(error, _) => error.to_string(),
            // The parser's text quotes the file, and that holds tokens.
            KubeconfigError::Parse(_) => "it is no kubeconfig".to_owned(),
            _ => one_line(&error.to_string()),
        },
    })
}

async fn from_kubeconfig(kubeconfig: Kubeconfig, target: &Target) -> Result<Config, ClusterError> {
    check(&kubeconfig, target)?;
    let proxy = explicit_proxy(&kubeconfig, target);
    let options = KubeConfigOptions {
        context: target.context.clone(),
        cluster: target.cluster.clone(),
        user: target.user.clone(),
    };
    let unusable = |error: KubeconfigError| ClusterError::Login { reason: root_cause(&error) };
    let mut config =
        Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(unusable)?;
    // kube matches NO_PROXY against the proxy's own address, so proxies are chosen here.
    config.proxy_url = match proxy.or_else(|| proxy_of_environment(&config.cluster_url)) {
        Some(proxy) => Some(proxy.parse().map_err(|_| ClusterError::Login {
            reason: "the address of the proxy is none".to_owned(),
        })?),
        None => None,
    };
    login::run_helper(&mut config.auth_info)?;
    Ok(config)
}

fn in_cluster() -> Result<Config, ClusterError> {
    Config::incluster().map_err(|error| ClusterError::Login {
        reason: format!("the pod's service account: {}", one_line(&error.to_string())),
    })
}

/// Whether the kubeconfig has what was asked for; kube itself would go on without a user.
fn check(kubeconfig: &Kubeconfig, target: &Target) -> Result<(), ClusterError> {
    let unknown = |what, name: &str, known: Vec<String>| {
        Err(ClusterError::Unknown { what, name: name.to_owned(), known })
    };
    let current = kubeconfig.current_context.clone().filter(|name| !name.is_empty());
    let Some(name) = target.context.clone().or(current) else {
        return Err(ClusterError::NoContext);
    };
    let named = kubeconfig.contexts.iter().find(|context| context.name == name);
    let Some(context) = named.and_then(|named| named.context.as_ref()) else {
        let known = kubeconfig.contexts.iter().map(|context| context.name.clone()).collect();
        return unknown("context", &name, known);
    };
    let cluster = target.cluster.as_ref().unwrap_or(&context.cluster);
    if kubeconfig.clusters.iter().all(|named| named.name != *cluster) {
        let known = kubeconfig.clusters.iter().map(|named| named.name.clone()).collect();
        return unknown("cluster", cluster, known);
    }
    let user = target.user.as_ref().or(context.user.as_ref()).filter(|user| !user.is_empty());
    if let Some(user) = user
        && kubeconfig.auth_infos.iter().all(|named| named.name != *user)
    {
        let known = kubeconfig.auth_infos.iter().map(|named| named.name.clone()).collect();
        return unknown("user", user, known);
    }
    Ok(())
}

/// `proxy-url` of the cluster, which counts whatever the environment says.
fn explicit_proxy(kubeconfig: &Kubeconfig, target: &Target) -> Option<String> {
    let context_name = target.context.as_ref().or(kubeconfig.current_context.as_ref())?;
    let context = kubeconfig.contexts.iter().find(|named| named.name == *context_name)?;
    let cluster_name =
        target.cluster.clone().or_else(|| context.context.as_ref().map(|c| c.cluster.clone()))?;
    let cluster = kubeconfig.clusters.iter().find(|named| named.name == cluster_name)?;
    cluster.cluster.as_ref()?.proxy_url.clone().filter(|proxy| !proxy.is_empty())
}

/// The proxy that the environment asks for; addresses of this machine never go through one.
///
/// Upstream: Go's `golang.org/x/net/http/httpproxy`, `useProxy`.
fn proxy_of_environment(server: &Uri) -> Option<String> {
    let host = server.host()?.trim_start_matches('[').trim_end_matches(']');
    let is_loopback =
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if is_loopback || Matcher::from_env().intercept(server).is_none() {
        return None;
    }
    // The matcher has taken the password out of the address, where kube looks for it.
    let names = match server.scheme_str() {
        Some("http") => ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
        _ => ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
    };
    let proxy = names
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
    Some(if proxy.contains("://") { proxy } else { format!("http://{proxy}") })
}

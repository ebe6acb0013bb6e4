//! Which cluster shall be read, and as whom?

use std::path::PathBuf;
use std::time::Duration;

use crate::cluster::{Request, Target};

/// Where the flags stand in the help; those behind them must not follow.
const HEADING: &str = "Cluster, where no -f is given";

/// kubectl's flags, with kubectl's meanings. Those that choose a cluster do not go together with `-f`;
/// how to read one does not matter then.
#[derive(Debug, clap::Args)]
pub(super) struct ClusterArgs {
    /// Use this kubeconfig file, instead of KUBECONFIG or ~/.kube/config
    #[arg(help_heading = HEADING, long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// Use this context of the kubeconfig, instead of the current one
    #[arg(help_heading = HEADING, long, value_name = "NAME")]
    context: Option<String>,

    /// Use this cluster of the kubeconfig, instead of the context's
    #[arg(help_heading = HEADING, long, value_name = "NAME")]
    cluster: Option<String>,

    /// Use this user of the kubeconfig, instead of the context's
    #[arg(help_heading = HEADING, long, value_name = "NAME")]
    user: Option<String>,

    /// Ask the server as this user, whom you must be allowed to impersonate
    #[arg(help_heading = HEADING, long = "as", value_name = "USER")]
    impersonate: Option<String>,

    /// Ask the server as a member of this group; may be given several times
    #[arg(help_heading = HEADING, long = "as-group", value_name = "GROUP", requires = "impersonate")]
    impersonate_groups: Vec<String>,

    /// Give up a request after this time: 30s, 5m, 1m30s, or a number of seconds; 0 waits as long as
    /// the server is not silent
    #[arg(help_heading = HEADING, long, value_name = "TIME", default_value = "0", value_parser = duration)]
    request_timeout: Duration,

    /// Ask for so many objects at a time; 0 asks for all at once
    #[arg(help_heading = HEADING, long, value_name = "N", default_value_t = 500)]
    chunk_size: u32,
}

impl ClusterArgs {
    /// The flag that says which cluster, if one is given: beside files it would be passed over, and who
    /// gives both may take the one's answer for the other's.
    pub(super) fn chosen(&self) -> Option<&'static str> {
        [
            (self.kubeconfig.is_some(), "--kubeconfig"),
            (self.context.is_some(), "--context"),
            (self.cluster.is_some(), "--cluster"),
            (self.user.is_some(), "--user"),
            (self.impersonate.is_some(), "--as"),
        ]
        .into_iter()
        .find_map(|(is_given, flag)| is_given.then_some(flag))
    }

    /// What to read.
    pub(super) fn request(&self, namespaces: &[String]) -> Request {
        let mut namespaces = namespaces.to_vec();
        namespaces.sort();
        namespaces.dedup();
        Request {
            target: Target {
                kubeconfig: self.kubeconfig.clone(),
                context: self.context.clone(),
                cluster: self.cluster.clone(),
                user: self.user.clone(),
                impersonate: self.impersonate.clone(),
                impersonate_groups: self.impersonate_groups.clone(),
                request_timeout: Some(self.request_timeout).filter(|limit| !limit.is_zero()),
            },
            namespaces,
            page_size: self.chunk_size,
            with_events: false,
        }
    }
}

/// A time as kubectl takes it: Go's form of a duration, or seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is not a time such as 30s, 5m or 1m30s");
    if let Ok(seconds) = text.parse() {
        return Ok(Duration::from_secs(seconds));
    }
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
        let (number, behind) = rest.split_at(digits);
        let letters = behind.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, behind) = behind.split_at(letters);
        let seconds = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(wrong()),
        };
        total += number.parse::<f64>().map_err(|_| wrong())? * seconds;
        rest = behind;
    }
    Duration::try_from_secs_f64(total).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_kubectl_reads_them() {
        for (text, millis) in
            [("0", 0), ("30", 30_000), ("1m30s", 90_000), ("1.5s", 1500), ("200ms", 200)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)));
        }
        for text in ["x", "-1s", "5d", "1.2.3s", "s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}

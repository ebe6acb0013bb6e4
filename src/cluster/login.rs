//! How is the program run that a kubeconfig names for the login?
//!
//! kube runs it three times for one client: for the connection, for the certificate and for its
//! expiry. A helper may ask the user for a second factor, or take seconds, so it is run here, once,
//! and kube is given what it said.

use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use serde::Deserialize;

use super::errors::{ClusterError, one_line};

/// The part of a helper's answer that is used.
#[derive(Deserialize)]
struct ExecCredential {
    status: Option<ExecStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExecStatus {
    token: Option<String>,
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

/// Runs the helper, if there is one, and puts its answer into its place.
///
/// Upstream: `staging/src/k8s.io/client-go/plugin/pkg/client/auth/exec/exec.go` (v1.24).
pub(super) fn run_helper(user: &mut AuthInfo) -> Result<(), ClusterError> {
    let Some(exec) = user.exec.take() else { return Ok(()) };
    let command = exec.command.clone().unwrap_or_default();
    let failed = |reason: String, install_hint: Option<String>| ClusterError::Helper {
        command: command.clone(),
        reason,
        install_hint,
    };
    let output = prepared(&exec, &command)
        .output()
        .map_err(|error| failed(error.to_string(), exec.install_hint.clone()))?;
    if !output.status.success() {
        // What it wrote to standard error has been shown, or is its last word here; standard output
        // may hold a token.
        let last = String::from_utf8_lossy(&output.stderr);
        let last = last.lines().rev().find(|line| !line.trim().is_empty()).map(one_line);
        let reason = match last {
            Some(last) => format!("{}: {last}", output.status),
            None => output.status.to_string(),
        };
        return Err(failed(reason, None));
    }
    // Helpers may answer in YAML, as client-go reads both.
    let text = String::from_utf8_lossy(&output.stdout);
    let credential: Option<ExecCredential> = serde_yaml::from_str(&text).ok();
    let Some(status) = credential.and_then(|credential| credential.status) else {
        return Err(failed("its answer is no ExecCredential with a status".to_owned(), None));
    };
    let has_certificate =
        status.client_certificate_data.is_some() && status.client_key_data.is_some();
    if status.token.is_none() && !has_certificate {
        return Err(failed("its answer has no token and no certificate".to_owned(), None));
    }
    if let Some(token) = status.token {
        user.token = Some(token.into());
    }
    if let (Some(certificate), Some(key)) = (status.client_certificate_data, status.client_key_data)
    {
        // In a kubeconfig the data are base64 of what the helper gives as PEM.
        user.client_certificate_data = Some(STANDARD.encode(certificate));
        user.client_key_data = Some(STANDARD.encode(key).into());
    }
    Ok(())
}

fn prepared(exec: &ExecConfig, command: &str) -> Command {
    let is_interactive = exec.interactive_mode != Some(ExecInteractiveMode::Never);
    let mut prepared = Command::new(command);
    prepared.args(exec.args.iter().flatten());
    for variable in exec.env.iter().flatten() {
        if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
            prepared.env(name, value);
        }
    }
    let mut spec = serde_json::json!({ "interactive": is_interactive });
    if exec.provide_cluster_info
        && let Some(cluster) = &exec.cluster
    {
        spec["cluster"] = serde_json::to_value(cluster).unwrap_or_default();
    }
    let info = serde_json::json!({
        "apiVersion": exec.api_version,
        "kind": "ExecCredential",
        "spec": spec,
    });
    prepared.env("KUBERNETES_EXEC_INFO", info.to_string());
    for name in exec.drop_env.iter().flatten() {
        prepared.env_remove(name);
    }
    if is_interactive {
        prepared.stdin(Stdio::inherit()).stderr(Stdio::inherit());
    } else {
        prepared.stdin(Stdio::null()).stderr(Stdio::piped());
    }
    prepared.stdout(Stdio::piped());
    prepared
}

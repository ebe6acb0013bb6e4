//! Which cluster, and as whom?

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use crate::fake::{Cluster, Release};
use crate::run::Home;
use crate::server::Server;

/// A certificate authority, and what it has signed: certificate and key in PEM.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    /// A server's configuration; `wants_login` asks for a client certificate of this authority.
    fn server_config(&self, wants_login: bool) -> ServerConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if wants_login {
            let mut roots = RootCertStore::empty();
            roots
                .add(CertificateDer::from_pem_slice(self.certificate.as_bytes()).unwrap())
                .unwrap();
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let (certificate, key) = self.sign("127.0.0.1");
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        builder.with_single_cert(vec![certificate], key).unwrap()
    }

    fn cluster_yaml(&self) -> String {
        format!(", certificate-authority-data: {}", STANDARD.encode(&self.certificate))
    }
}

fn cluster() -> Cluster {
    let namespace = serde_json::json!({"kind": "Namespace", "metadata": {"name": "shop"}});
    Cluster::of(Release::V1_24, vec![namespace])
}

fn serve(config: ServerConfig) -> Server {
    let cluster = cluster();
    Server::https(config, move |seen| cluster.answer(seen))
}

#[test]
fn a_client_certificate_logs_in() {
    let authority = Authority::new();
    let server = serve(authority.server_config(true));
    let home = Home::new();
    let (certificate, key) = authority.sign("jo");
    let user = format!(
        "{{client-certificate-data: {}, client-key-data: {}}}",
        STANDARD.encode(certificate),
        STANDARD.encode(key)
    );
    home.write_kubeconfig(&server.url(), &authority.cluster_yaml(), &user);
    let said = home.run(&["plan", "-o", "json"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(said.json()["namespaces"][0]["name"], "shop");

    // Without it there is no login.
    home.write_kubeconfig(&server.url(), &authority.cluster_yaml(), "{}");
    let said = home.run(&["plan"]);
    assert_eq!(said.code, 4, "{said:?}");
    assert_eq!(said.stderr.lines().count(), 2, "{said:?}");
}

#[test]
fn a_certificate_of_another_authority_is_not_trusted() {
    let server = serve(Authority::new().server_config(false));
    let home = Home::new();
    home.write_kubeconfig(&server.url(), &Authority::new().cluster_yaml(), "{}");
    home.run(&["plan"]).assert_fails("certificate", "certificate-authority");
}

#[cfg(unix)]
fn write_helper(home: &Home, script: &str) -> String {
    use std::os::unix::fs::PermissionsExt;

    let path = home.path().join("helper");
    std::fs::write(&path, format!("#!/bin/sh\necho run >> {}.log\n{script}\n", path.display()))
        .unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

#[cfg(unix)]
fn user_with_helper(path: &str) -> String {
    format!(
        "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: {path}, \
         interactiveMode: Never, env: [{{name: TOKEN, value: s3cret}}]}}}}"
    )
}

#[cfg(unix)]
#[test]
fn a_helper_gives_a_token_and_is_run_once() {
    let authority = Authority::new();
    let server = serve(authority.server_config(false));
    let home = Home::new();
    let path = write_helper(
        &home,
        r#"case "$KUBERNETES_EXEC_INFO" in *client.authentication.k8s.io/v1*) ;; *) exit 3 ;; esac
printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}' "$TOKEN""#,
    );
    home.write_kubeconfig(&server.url(), &authority.cluster_yaml(), &user_with_helper(&path));
    let said = home.run(&["plan"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(server.seen().iter().all(|seen| seen.header("authorization") == Some("Bearer s3cret")));
    assert_eq!(std::fs::read_to_string(format!("{path}.log")).unwrap(), "run\n");
}

#[cfg(unix)]
#[test]
fn a_helper_gives_a_certificate() {
    let authority = Authority::new();
    let server = serve(authority.server_config(true));
    let home = Home::new();
    let (certificate, key) = authority.sign("jo");
    let answer = serde_json::json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {"clientCertificateData": certificate, "clientKeyData": key},
    });
    std::fs::write(home.path().join("answer"), answer.to_string()).unwrap();
    let path = write_helper(&home, "cat \"$HOME/answer\"");
    home.write_kubeconfig(&server.url(), &authority.cluster_yaml(), &user_with_helper(&path));
    let said = home.run(&["plan"]);
    assert_eq!(said.code, 0, "{said:?}");
}

#[cfg(unix)]
#[test]
fn a_helper_that_fails_is_named_and_its_token_is_not() {
    let home = Home::new();
    let path = write_helper(&home, "echo s3cret; echo 'session expired' >&2; exit 1");
    home.write_kubeconfig("https://127.0.0.1:1", "", &user_with_helper(&path));
    let said = home.run(&["plan"]);
    said.assert_fails("session expired", "log in again");
    assert!(!said.stderr.contains("s3cret"));

    home.write_kubeconfig("https://127.0.0.1:1", "", &user_with_helper("/no/such/helper"));
    home.run(&["plan"]).assert_fails("/no/such/helper", "run it by hand");
}

#[test]
fn impersonation_is_asked_for() {
    let server = cluster().serve();
    let said =
        Home::of(&server).run(&["plan", "--as", "ann", "--as-group", "ops", "--as-group", "dev"]);
    assert_eq!(said.code, 0, "{said:?}");
    for seen in server.seen() {
        assert_eq!(seen.header("impersonate-user"), Some("ann"));
        let groups: Vec<_> =
            seen.headers.iter().filter(|header| header.0 == "impersonate-group").collect();
        assert_eq!(groups.len(), 2);
    }
}

#[test]
fn what_the_kubeconfig_lacks_is_said() {
    let home = Home::new();
    home.run(&["plan"]).assert_fails("there is no kubeconfig", "-f FILE");
    home.run(&["plan", "--kubeconfig", "none"]).assert_fails("`none`", "--kubeconfig");
    let path = home.write_kubeconfig("http://127.0.0.1:1", "", "{}");
    home.run(&["plan", "--context", "prod"]).assert_fails("no context `prod`", "it has test");
    home.run(&["plan", "--cluster", "prod"]).assert_fails("no cluster `prod`", "it has test");
    home.run(&["plan", "--user", "ann"]).assert_fails("no user `ann`", "it has jo");
    std::fs::write(&path, "clusters: [token: s3cret").unwrap();
    let said = home.run(&["plan"]);
    said.assert_fails("it is no kubeconfig", "--kubeconfig");
    assert!(!said.stderr.contains("s3cret"));
    std::fs::write(&path, "apiVersion: v1\nkind: Config\n").unwrap();
    home.run(&["plan"]).assert_fails("no current context", "--context");
}

#[test]
fn kubeconfigs_of_the_environment_are_merged() {
    let server = cluster().serve();
    let home = Home::of(&server);
    let (a, b) = (home.path().join("a"), home.path().join("b"));
    std::fs::write(&a, "current-context: other\n").unwrap();
    std::fs::write(
        &b,
        format!(
            "contexts: [{{name: other, context: {{cluster: other, user: ''}}}}]\n\
             clusters: [{{name: other, cluster: {{server: '{}'}}}}]\ncurrent-context: wrong\n",
            server.url()
        ),
    )
    .unwrap();
    let list = std::env::join_paths([a, home.path().join("missing"), b]).unwrap();
    let said = crate::run::said(home.command().env("KUBECONFIG", list).arg("plan"));
    assert_eq!(said.code, 0, "{said:?}");
}

#[test]
fn a_proxy_of_the_kubeconfig_is_used() {
    // A proxy that answers itself, for http servers as for CONNECT.
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = proxy.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        use std::io::{BufRead, BufReader, Write};
        let (mut stream, _) = proxy.accept().unwrap();
        let mut line = String::new();
        BufReader::new(stream.try_clone().unwrap()).read_line(&mut line).unwrap();
        stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").unwrap();
        line
    });
    let home = Home::new();
    let proxy_url = format!(", proxy-url: 'http://{address}'");
    home.write_kubeconfig("https://kube.example.invalid:6443", &proxy_url, "{}");
    let said = home.run(&["plan"]);
    assert_eq!(said.code, 4, "{said:?}");
    assert_eq!(said.stderr.lines().count(), 2, "{said:?}");
    assert!(thread.join().unwrap().starts_with("CONNECT kube.example.invalid:6443"));
}

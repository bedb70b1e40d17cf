//! From a kubeconfig to a client: which context, which credential, and what is not accepted.
//!
//! Credential plugins never become interactive here, as they would draw on the screen and take keys; a context that
//! switches certificate checks off, or speaks plain HTTP beyond loopback, is refused.

use std::error::Error as StdError;
use std::sync::Arc;

use base64::Engine as _;
use jiff::Timestamp;
use kube::client::AuthError;
use kube::config::{AuthInfo, ExecInteractiveMode, KubeConfigOptions, Kubeconfig, KubeconfigError};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::ExposeSecret;

use crate::backend::error::{ApiError, first_line};
use crate::backend::http::classify::chain;
use crate::backend::tls;
use crate::config::Kubernetes;
use crate::model::snapshot::Layer;

/// A client that is ready, and what is known of its credential without asking anybody.
#[derive(Clone)]
pub struct Access {
    /// kube's client, without its retry layer: a write must go out once.
    pub client: kube::Client,
    /// The API server's URL.
    pub url: Arc<str>,
    /// The certificate authorities of the context (DER); `None` is the system's.
    pub authorities: Option<Vec<Vec<u8>>>,
    /// The context's name.
    pub context: Arc<str>,
    /// When the credential ends, where the kubeconfig tells (client certificate, token).
    pub ends: Option<Timestamp>,
}

/// Reads the kubeconfig and makes the client; runs a credential plugin if the context has one, so it may block.
pub async fn open(settings: &Kubernetes) -> Result<Access, ApiError> {
    let mut kubeconfig = read(settings)?;
    let context = chosen(settings, &kubeconfig)?;
    for user in &mut kubeconfig.auth_infos {
        if let Some(exec) = user.auth_info.as_mut().and_then(|info| info.exec.as_mut()) {
            exec.interactive_mode = Some(ExecInteractiveMode::Never);
        }
    }
    let options = KubeConfigOptions { context: Some(context.clone()), cluster: None, user: None };
    let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|e| unusable(settings, &e))?;
    config.default_retry = false;
    config.connect_timeout = Some(settings.timeout.min(std::time::Duration::from_secs(10)));
    let url: Arc<str> = config.cluster_url.to_string().trim_end_matches('/').into();
    acceptable(&config, &context)?;
    let ends = ends(&config.auth_info);
    let authorities = config.root_cert.clone();
    let client = tokio::task::spawn_blocking(move || kube::Client::try_from(config))
        .await
        .map_err(|error| ApiError::new(Layer::Config, error.to_string()))?
        .map_err(|error| credential(&error))?;
    Ok(Access { client, url, authorities, context: context.into(), ends })
}

fn read(settings: &Kubernetes) -> Result<Kubeconfig, ApiError> {
    let read = match &settings.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    read.map_err(|error| unusable(settings, &error))
}

/// A context as the file names it.
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its cluster's name.
    pub cluster: String,
    /// Its user's name.
    pub user: String,
    /// Whether it is the one of these settings.
    pub used: bool,
}

/// Every context of the kubeconfig, in its order.
pub fn contexts(settings: &Kubernetes) -> Result<Vec<Listed>, ApiError> {
    let kubeconfig = read(settings)?;
    let ours = chosen(settings, &kubeconfig)?;
    let listed = |named: &kube::config::NamedContext| {
        let context = named.context.clone().unwrap_or_default();
        let user = context.user.unwrap_or_default();
        Listed { used: named.name == ours, name: named.name.clone(), cluster: context.cluster, user }
    };
    Ok(kubeconfig.contexts.iter().map(listed).collect())
}

/// The credential plugin of the configured context, where it has one.
pub fn plugin(settings: &Kubernetes) -> Option<kube::config::ExecConfig> {
    let kubeconfig = read(settings).ok()?;
    let context = chosen(settings, &kubeconfig).ok()?;
    let named = kubeconfig.contexts.iter().find(|named| named.name == context)?;
    let user = named.context.as_ref()?.user.clone()?;
    let found = kubeconfig.auth_infos.into_iter().find(|named| named.name == user)?;
    found.auth_info?.exec
}

/// The configured context, else the file's current one; a name that is not there is answered with those that are.
fn chosen(settings: &Kubernetes, kubeconfig: &Kubeconfig) -> Result<String, ApiError> {
    let known: Vec<&str> = kubeconfig.contexts.iter().map(|context| context.name.as_str()).collect();
    let wanted = settings.context.as_deref().or(kubeconfig.current_context.as_deref()).unwrap_or_default();
    if known.contains(&wanted) {
        return Ok(wanted.to_owned());
    }
    let what = if wanted.is_empty() {
        "no context is configured, and the kubeconfig has no current one".to_owned()
    } else {
        format!("the kubeconfig has no context `{wanted}`")
    };
    let hint = format!("set `context` to one of: {}", known.join(", "));
    Err(ApiError::new(Layer::Config, what).hint(hint))
}

fn unusable(settings: &Kubernetes, error: &KubeconfigError) -> ApiError {
    let file = settings.kubeconfig.as_ref().map_or("the kubeconfig".to_owned(), |p| p.display().to_string());
    ApiError::new(Layer::Config, format!("{file} cannot be used"))
        .raw(chain(error).last().map(ToString::to_string).unwrap_or_default())
        .hint("check the `kubeconfig` setting with `kubectl config view --kubeconfig FILE`")
}

fn acceptable(config: &kube::Config, context: &str) -> Result<(), ApiError> {
    let refuse = |what: String, hint: &str| Err(ApiError::new(Layer::Config, what).hint(hint));
    if config.accept_invalid_certs {
        return refuse(
            format!("context {context} switches certificate checks off (insecure-skip-tls-verify)"),
            "give the cluster's CA in `certificate-authority-data` instead",
        );
    }
    let host = config.cluster_url.host().unwrap_or_default();
    let loopback = matches!(host, "localhost" | "::1" | "[::1]") || host.starts_with("127.");
    if config.cluster_url.scheme_str() != Some("https") && !loopback {
        return refuse(
            format!(
                "context {context} speaks plain HTTP to {host}, so the credential could be read on the way"
            ),
            "use an https:// server",
        );
    }
    Ok(())
}

/// Why there is no credential; a plugin's own words stand beside it, its arguments never.
pub fn credential(error: &kube::Error) -> ApiError {
    let auth = chain(error).find_map(|cause| cause.downcast_ref::<AuthError>());
    match auth {
        Some(AuthError::AuthExecStart(why)) => {
            ApiError::new(Layer::Config, "the credential plugin of the kubeconfig cannot be started")
                .raw(why.to_string())
                .hint("install it on this machine (often `kubectl` with the `oidc-login` plugin)")
        }
        Some(AuthError::AuthExecRun { out, .. }) => {
            ApiError::new(Layer::Auth, "the credential plugin failed, perhaps because it wants a login")
                .raw(first_line(&String::from_utf8_lossy(&out.stderr)))
                .hint("log in once with kubectl in a shell, then refresh")
        }
        Some(other) => ApiError::new(Layer::Auth, "the credential cannot be used").raw(other.to_string()),
        None => ApiError::new(Layer::Config, "the context cannot be used").raw(
            chain(error as &(dyn StdError + 'static)).last().map(ToString::to_string).unwrap_or_default(),
        ),
    }
}

/// When a client certificate or a token ends, as far as it says so itself.
fn ends(auth: &AuthInfo) -> Option<Timestamp> {
    let certificate = match (&auth.client_certificate_data, &auth.client_certificate) {
        (Some(data), _) => base64::engine::general_purpose::STANDARD.decode(data).ok(),
        (None, Some(path)) => std::fs::read(path).ok(),
        (None, None) => None,
    };
    let certificate = certificate.and_then(|pem| CertificateDer::from_pem_slice(&pem).ok());
    let token = match (&auth.token, &auth.token_file) {
        (Some(token), _) => Some(token.expose_secret().to_owned()),
        (None, Some(path)) => std::fs::read_to_string(path).ok(),
        (None, None) => None,
    };
    let both = [certificate.and_then(|der| tls::not_after(&der)), token.as_deref().and_then(token_ends)];
    both.into_iter().flatten().min()
}

/// The `exp` of a JSON web token; `None` for any other token.
pub fn token_ends(token: &str) -> Option<Timestamp> {
    let claims = token.trim().split('.').nth(1)?;
    let claims =
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    Timestamp::from_second(claims.get("exp")?.as_i64()?).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use crate::model::row::Domain;

    use super::*;

    fn settings(yaml: &str, context: Option<&str>) -> (tempfile::NamedTempFile, Kubernetes) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(yaml.as_bytes()).unwrap();
        let settings = Kubernetes {
            name: "test".into(),
            kubeconfig: Some(file.path().to_owned()),
            context: context.map(str::to_owned),
            domain: Domain::Unknown,
            timeout: Duration::from_secs(1),
        };
        (file, settings)
    }

    fn kubeconfig(cluster: &str, user: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: lab\ncontexts:\n- name: lab\n  context: {{cluster: c, user: u}}\n\
             clusters:\n- name: c\n  cluster: {{{cluster}}}\nusers:\n- name: u\n  user: {user}\n"
        )
    }

    async fn refused(yaml: &str, context: Option<&str>) -> ApiError {
        let (_file, settings) = settings(yaml, context);
        open(&settings).await.err().unwrap()
    }

    #[tokio::test]
    async fn what_cannot_be_used_says_why_and_what_to_do() {
        let https = "server: \"https://192.0.2.10:6443\"";
        let plugin = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin, args: [--secret=hunter2]}}";
        let failing = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, 'echo please log in >&2; exit 1; hunter2'], interactiveMode: IfAvailable}}";
        let cases = [
            (kubeconfig(https, "{token: hunter2}"), Some("prod"), Layer::Config, "no context `prod`"),
            (
                kubeconfig(&format!("{https}, insecure-skip-tls-verify: true"), "{}"),
                None,
                Layer::Config,
                "insecure-skip-tls-verify",
            ),
            (kubeconfig("server: \"http://192.0.2.10:8080\"", "{}"), None, Layer::Config, "plain HTTP"),
            (kubeconfig(https, plugin), None, Layer::Config, "cannot be started"),
            (kubeconfig(https, failing), None, Layer::Auth, "please log in"),
            ("clusters: [".to_owned(), None, Layer::Config, "cannot be used"),
        ];
        for (yaml, context, layer, words) in cases {
            let error = refused(&yaml, context).await;
            let text = error.to_string();
            assert_eq!(error.fault.layer, layer, "{text}");
            assert!(text.contains(words), "{text}");
            assert!(!error.fault.hint.is_empty() && !format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[tokio::test]
    async fn the_configured_context_wins_and_a_token_tells_its_end() {
        let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(r#"{"exp":1800000000}"#);
        let yaml = kubeconfig("server: \"https://192.0.2.10:6443\"", &format!("{{token: a.{claims}.c}}"));
        let (_file, settings) = settings(&yaml, None);
        let access = open(&settings).await.unwrap();
        assert_eq!((&*access.context, &*access.url), ("lab", "https://192.0.2.10:6443"));
        assert_eq!(access.ends.map(Timestamp::as_second), Some(1_800_000_000));
    }
}

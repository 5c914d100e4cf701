//! The keys of the web UI.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use admin::archive::Limits;
use admin::{Options, Role, Root};

use super::section::Section;

/// Where alerts, owners and the audit log are kept, below `output_path`.
const STATE_DIR: &str = "admin";

/// What the operator set for the web UI; `None` without an address.
pub(super) fn read(section: &mut Section, output_path: &Path) -> Option<Options> {
    let listen = section.utf8("admin_listen").map(|text| text.parse());
    let mut paths = ["admin_users", "admin_certificate", "admin_key"]
        .map(|name| section.utf8(name).map(PathBuf::from));
    let [users, certificate, key] = &mut paths;
    let url = section.utf8("admin_url");
    let proxy_header = section.utf8("admin_proxy_header");
    let proxies = section.utf8("admin_proxies").unwrap_or_default();
    let role = section.choice("admin_proxy_role", "none");
    let metrics_token = section.utf8("admin_metrics_token");
    let outputs = roots(section, "admin_outputs");
    let lake = roots(section, "admin_lake");
    let history = Limits {
        days: u32::try_from(section.number_or_default("admin_history_days")).unwrap_or(u32::MAX),
        bytes: section.number_or_default("admin_history_bytes"),
    };
    let listen = match listen? {
        Ok(listen) => listen,
        Err(_) => {
            let message = "admin_listen must be an address and a port".to_string();
            section.unusable("admin_listen", message, "such as 127.0.0.1:5580".into());
            return None;
        }
    };
    let mut options = Options::new(listen, output_path.join(STATE_DIR));
    options.url = url;
    options.users = users.take();
    options.tls = certificate.take().zip(key.take());
    options.proxy_role = Role::from_word(role);
    options.metrics_token = metrics_token;
    (options.outputs, options.lake) = (outputs, lake);
    options.history = history;
    if let Some(name) = proxy_header {
        match name.parse() {
            Ok(name) => options.proxy_header = Some(name),
            Err(_) => section.unusable(
                "admin_proxy_header",
                "admin_proxy_header must be the name of a header".into(),
                String::new(),
            ),
        }
    }
    let addresses: Result<Vec<IpAddr>, _> = proxies.split_whitespace().map(str::parse).collect();
    match addresses {
        Ok(addresses) => options.proxies = addresses,
        Err(_) => section.unusable(
            "admin_proxies",
            "admin_proxies must be addresses with spaces between".into(),
            "such as 127.0.0.1 ::1".into(),
        ),
    }
    if let Err(reason) = options.check() {
        let key = reason.split(' ').next().unwrap_or_default();
        let key = if key == "admin_url" {
            key
        } else {
            "admin_listen"
        };
        section.unusable(key, reason.clone(), String::new());
    }
    Some(options)
}

fn roots(section: &mut Section, name: &str) -> Vec<Root> {
    let text = section.utf8(name).unwrap_or_default();
    let parts = text.split(';').filter(|part| !part.trim().is_empty());
    let root = |part: &str| {
        let (name, path) = part.split_once('=')?;
        Some(Root {
            name: name.trim().into(),
            path: path.trim().into(),
        })
    };
    let found: Option<Vec<Root>> = parts.map(root).collect();
    found.unwrap_or_else(|| {
        let message = format!("{name} must be <name>=<path>, with ; between");
        section.unusable(name, message, "such as results=/data/results".into());
        Vec::new()
    })
}

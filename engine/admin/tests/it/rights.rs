//! Nothing is reached without the right to it.

use std::collections::BTreeSet;

use admin::Role;
use admin::routes::ROUTES;

use crate::support::{PASSWORD, Site};

const ROLES: [Role; 4] = [Role::Anyone, Role::Viewer, Role::Author, Role::Operator];

/// A path that leads to the handler of a route.
fn example(path: &str) -> String {
    let path = path
        .replace("/assets/{name}", "/assets/none")
        .replace("{name}", "analysis.a");
    match path.as_str() {
        "/api/v1/matcher" | "/api/v1/messages" | "/api/v1/watch" => path + "?expression=TRUE",
        "/api/v1/payload" | "/api/v1/graph" | "/api/v1/graph.csv" => path + "?id=a/b/c",
        "/api/v1/graph/past" => path + "?id=a/b/c&from=0&until=1",
        "/api/v1/outputs/file" => path + "?root=none&path=none",
        _ => path,
    }
}

fn body(path: &str) -> &'static str {
    match path {
        "/api/v1/login" => r#"{"name":"nobody","password":"x"}"#,
        "/api/v1/trial" | "/api/v1/deploy" => {
            r#"{"kind":"analysis","name":"b","config":"","source":""}"#
        }
        "/api/v1/silences/begin" => r#"{"expression":"TRUE","minutes":5,"reason":"a test"}"#,
        "/api/v1/silences/end" => r#"{"id":"none"}"#,
        _ => "",
    }
}

#[test]
fn every_route_asks_for_its_role() {
    let site = Site::with_users();
    for role in ROLES {
        for route in ROUTES {
            // Each time a new session: one of the routes ends it.
            let name = (role > Role::Anyone).then(|| role.word());
            let client = site.client(name);
            let path = example(route.path);
            let answer = match route.method {
                "GET" => client.get(&path),
                _ => client.post(&path, body(route.path)),
            };
            let what = format!("{} {path} as {}: {answer:?}", route.method, role.word());
            if role < route.needs {
                let denied = if role == Role::Anyone { 401 } else { 403 };
                assert_eq!(answer.status, denied, "{what}");
                assert!(answer.json()["error"].is_string(), "{what}");
            } else if role == Role::Anyone && route.path == "/api/v1/login" {
                assert_eq!(
                    answer.json()["error"],
                    "name or password is wrong",
                    "{what}"
                );
            } else if route.path.ends_with("/stop") || route.path.ends_with("/restart") {
                // Only operators may change the plugin of nobody.
                let expected = if role == Role::Operator { 200 } else { 403 };
                assert_eq!(answer.status, expected, "{what}");
            } else {
                assert!(
                    ![401, 403, 405, 421, 500].contains(&answer.status)
                        || route.path == "/api/v1/login",
                    "{what}"
                );
            }
            assert_eq!(
                answer.header("x-content-type-options"),
                Some("nosniff"),
                "{what}"
            );
            let policy = answer.header("content-security-policy").expect("a policy");
            assert!(
                policy.contains("default-src 'none'") && !policy.contains("script-src 'unsafe"),
                "{what}"
            );
        }
    }
}

#[test]
fn every_change_needs_the_token_and_our_own_page() {
    let site = Site::with_users();
    for route in ROUTES.iter().filter(|route| route.method == "POST") {
        if route.needs == Role::Anyone {
            continue;
        }
        let client = site.client(Some("operator"));
        let (path, token) = (example(route.path), client.token.clone());
        let denied = |headers: &[(&str, &str)]| {
            let answer = client.send("POST", &path, headers, body(route.path));
            assert_eq!(answer.status, 403, "{path} {headers:?}");
        };
        denied(&[]);
        denied(&[("x-foresight-token", "guessed")]);
        denied(&[
            ("x-foresight-token", &token),
            ("origin", "https://evil.example"),
        ]);
        denied(&[
            ("x-foresight-token", &token),
            ("sec-fetch-site", "cross-site"),
        ]);
    }
    assert!(site.engine.told.lock().expect("free").is_empty());
}

#[test]
fn the_description_is_that_of_the_routes() {
    let text = include_str!("../../openapi.json");
    let document: serde_json::Value = serde_json::from_str(text).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let described = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods");
        methods.iter().map(move |(method, operation)| {
            let role = operation["x-role"].as_str().unwrap_or_default();
            format!("{} {path} {role}", method.to_uppercase())
        })
    });
    let described: BTreeSet<String> = described.collect();
    let routes = ROUTES.iter();
    let routes: BTreeSet<String> = routes
        .map(|route| format!("{} {} {}", route.method, route.path, route.needs.word()))
        .collect();
    assert_eq!(described, routes);
    // Every reference leads somewhere.
    for part in text.split("#/components/schemas/").skip(1) {
        let name = part.split('"').next().expect("a name");
        assert!(
            document["components"]["schemas"][name].is_object(),
            "{name}"
        );
    }
}

#[test]
fn authors_change_only_what_is_theirs() {
    let site = Site::with_users();
    let author = site.client(Some("author"));
    let deploy = |kind: &str, name: &str| {
        let body = format!("{{\"kind\":\"{kind}\",\"name\":\"{name}\",\"config\":\"\"}}");
        author.post("/api/v1/deploy", &body).status
    };
    assert_eq!(deploy("analysis", "a"), 403, "that of nobody");
    assert_eq!(deploy("output", "new"), 403, "outputs reach files");
    assert_eq!(deploy("analysis", "new"), 200);
    assert_eq!(site.owners.of("analysis.new").as_deref(), Some("author"));
    assert_eq!(
        author.post("/api/v1/plugins/analysis.new/stop", "").status,
        200
    );
    site.owners.set("analysis.new", "another").expect("written");
    assert_eq!(deploy("analysis", "new"), 403, "given away");
    for name in ["../x", "a/b", ".x", "", "a b", "<b>"] {
        assert_eq!(deploy("analysis", name), 422, "{name}");
    }
    let told = site.engine.told.lock().expect("free").clone();
    assert_eq!(told, ["deploy new false", "Stop analysis.new"]);
    let files = |client: &crate::support::Client| {
        client.get("/api/v1/plugins/analysis.a").json()["files"]["config"].clone()
    };
    assert_eq!(files(&author), "private: false");
    let operator = site.client(Some("operator"));
    assert_eq!(files(&operator), "private: true");
    let entries = operator.get("/api/v1/audit").json();
    let first = &entries["entries"].as_array().expect("entries")[0];
    assert_eq!(first["action"], "login");
    assert!(entries.to_string().contains("analysis.new"));
}

#[test]
fn a_store_with_an_owner_is_for_the_owner() {
    let site = Site::with_users();
    let (lake, own, public) = ("s3://b/", "s3://b/own/", "s3://b/public/");
    for (name, seen, status) in [
        ("viewer", vec![lake, public], 404),
        ("author", vec![lake, own, public], 200),
        ("operator", vec![lake, own, public], 200),
    ] {
        let client = site.client(Some(name));
        let stores = client.get("/api/v1/lake").json()["stores"].clone();
        let stores = stores.as_array().expect("stores").iter();
        let addresses: Vec<_> = stores.map(|store| store["address"].clone()).collect();
        assert_eq!(addresses, seen, "{name}");
        let listed = client.get("/api/v1/lake?store=output.own%20s3://b/own/");
        assert_eq!(listed.status, status, "{name}");
    }
    // A plugin that was given to somebody by the web UI.
    site.owners.set("output.lake", "another").expect("written");
    let viewer = site.client(Some("viewer"));
    let stores = viewer.get("/api/v1/lake").json()["stores"].clone();
    assert_eq!(stores.as_array().map(Vec::len), Some(1), "{stores}");
}

#[test]
fn a_session_ends_with_the_logout() {
    let site = Site::with_users();
    let client = site.client(Some("viewer"));
    assert_eq!(client.get("/api/v1/overview").status, 200);
    assert_eq!(client.post("/api/v1/logout", "").status, 200);
    assert_eq!(client.get("/api/v1/overview").status, 401);
    let login = format!("{{\"name\":\"viewer\",\"password\":\"{PASSWORD}\"}}");
    let answer = client.send("POST", "/api/v1/login", &[], &login);
    let cookie = answer.header("set-cookie").expect("a cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
    let forged = client.send(
        "POST",
        "/api/v1/login",
        &[("origin", "https://evil.example")],
        &login,
    );
    assert_eq!(forged.status, 403);
}

#[test]
fn without_users_only_our_own_names_are_answered() {
    let site = Site::start(|_, _| {});
    let client = site.client(None);
    assert_eq!(client.get("/api/v1/overview").status, 200);
    let rebound = client.send("GET", "/api/v1/overview", &[("host", "evil.example")], "");
    assert_eq!(rebound.status, 421);
}

#[test]
fn a_scraper_has_a_token_of_its_own() {
    let site = Site::start(|options, dir| {
        let file = dir.join("users");
        std::fs::write(&file, "").expect("written");
        options.users = Some(file);
        options.metrics_token = Some("scrape".into());
    });
    let client = site.client(None);
    let ask = |path: &str, token: &str| {
        client
            .send("GET", path, &[("authorization", token)], "")
            .status
    };
    assert_eq!(ask("/metrics", "Bearer scrape"), 200);
    assert_eq!(ask("/metrics", "Bearer wrong"), 401);
    assert_eq!(ask("/api/v1/overview", "Bearer scrape"), 401);
}

#[test]
fn off_loopback_it_does_not_start_without_a_login() {
    let options = admin::Options::new("0.0.0.0:0".parse().expect("an address"), "state".into());
    assert!(options.check().is_err());
}

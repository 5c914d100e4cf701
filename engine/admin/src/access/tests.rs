//! Who is let in, as whom, and what a foreign page cannot do.

use axum::http::{HeaderName, HeaderValue};

use super::*;

fn home() -> IpAddr {
    IpAddr::from([127, 0, 0, 1])
}

fn options() -> Options {
    Options::new("127.0.0.1:1".parse().expect("an address"), "state".into())
}

fn access(options: Options) -> Access {
    let users = Users::open(options.users.as_deref()).expect("readable");
    Access::new(Arc::new(options), users)
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pairs = pairs.iter().map(|(name, value)| {
        let value = HeaderValue::from_str(value).expect("a value");
        (HeaderName::from_static(name), value)
    });
    pairs.collect()
}

#[test]
fn without_users_this_machine_is_the_operator() {
    let access = access(options());
    for host in ["localhost:1", "127.0.0.1", "[::1]:8080"] {
        let caller = access.identify(&headers(&[("host", host)]), home());
        assert_eq!(caller.expect("ours").role, Role::Operator);
    }
    for host in [
        "evil.example",
        "evil.example:1",
        "127.0.0.1.evil.example",
        "",
    ] {
        let caller = access.identify(&headers(&[("host", host)]), home());
        assert_eq!(caller, Err(Denied::Host), "{host}");
    }
}

#[test]
fn a_proxy_is_believed_only_from_its_address() {
    let mut options = options();
    options.proxy_header = Some(HeaderName::from_static("x-user"));
    options.proxies = vec![home()];
    options.proxy_role = Some(Role::Viewer);
    let access = access(options);
    let named = headers(&[("x-user", "ann")]);
    let caller = access.identify(&named, home()).expect("named");
    assert_eq!((caller.name.as_str(), caller.role), ("ann", Role::Viewer));
    let elsewhere = access.identify(&named, [192, 0, 2, 1].into());
    assert_eq!(elsewhere.expect("nobody").role, Role::Anyone);
    let mut twice = named.clone();
    twice.append("x-user", HeaderValue::from_static("root"));
    assert_eq!(
        access.identify(&twice, home()).expect("nobody").role,
        Role::Anyone
    );
    let odd = headers(&[("x-user", "a b<c>")]);
    assert_eq!(
        access.identify(&odd, home()).expect("nobody").role,
        Role::Anyone
    );
}

#[test]
fn a_session_is_found_by_its_cookie() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let line = users::line("ann", Role::Author, "correct horse").expect("good");
    std::fs::write(file.path(), line).expect("written");
    let mut options = options();
    options.users = Some(file.path().into());
    let access = access(options);
    let id = access.sessions.begin("ann");
    let cookie = format!("other=1; {COOKIE}={id}");
    let caller = access
        .identify(&headers(&[("cookie", &cookie)]), home())
        .expect("known");
    assert_eq!((caller.name.as_str(), caller.role), ("ann", Role::Author));
    assert!(
        caller.may_change(Some("ann"))
            && !caller.may_change(Some("bob"))
            && !caller.may_change(None)
    );
    let gone = access.sessions.begin("bob");
    let cookie = format!("{COOKIE}={gone}");
    let caller = access.identify(&headers(&[("cookie", &cookie)]), home());
    assert_eq!(caller.expect("nobody").role, Role::Anyone, "bob is no user");
}

#[test]
fn a_foreign_page_can_change_nothing() {
    let access = access(options());
    let host = ("host", "127.0.0.1:1");
    let caller = access.identify(&headers(&[host]), home()).expect("ours");
    let token = ("x-foresight-token", caller.token.as_str());
    let permit = |method: Method, pairs: &[(&'static str, &str)]| {
        access.permit(&caller, Role::Operator, &method, &headers(pairs))
    };
    let ours = ("origin", "http://127.0.0.1:1");
    assert_eq!(permit(Method::POST, &[host, token, ours]), Ok(()));
    assert_eq!(permit(Method::POST, &[host, token]), Ok(()));
    assert_eq!(permit(Method::GET, &[host]), Ok(()));
    let denied = Err(Denied::Foreign);
    assert_eq!(permit(Method::POST, &[host, ours]), denied);
    assert_eq!(permit(Method::DELETE, &[host, ours]), denied);
    assert_eq!(
        permit(Method::POST, &[host, ("x-foresight-token", "x")]),
        denied
    );
    for origin in ["http://evil.example", "null", "http://127.0.0.1:2"] {
        assert_eq!(
            permit(Method::POST, &[host, token, ("origin", origin)]),
            denied
        );
    }
    let site = ("sec-fetch-site", "cross-site");
    assert_eq!(permit(Method::POST, &[host, token, site]), denied);
}

#[test]
fn each_role_may_do_what_those_before_it_may() {
    let access = access(options());
    let roles = [Role::Anyone, Role::Viewer, Role::Author, Role::Operator];
    for (n, role) in roles.into_iter().enumerate() {
        let caller = Caller {
            name: "x".into(),
            role,
            token: String::new(),
            address: home(),
        };
        for (m, needs) in roles.into_iter().enumerate() {
            let permitted = access.permit(&caller, needs, &Method::GET, &HeaderMap::new());
            assert_eq!(permitted.is_ok(), n >= m, "{role:?} {needs:?}");
        }
    }
}

//! Tests of `submission.rs`: paths, clients, and the message that is made.

use hyper::Request;
use schemas::message::{FieldValue, Message};

use super::super::test_settings;
use super::*;

fn parts(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).expect("a request").into_parts().0
}

#[test]
fn escapes_are_replaced_or_refused() {
    for (path, expected) in [
        ("/a%20b", Some(&b"/a b"[..])),
        ("/%ff%C3%a4", Some(b"/\xff\xc3\xa4")),
        ("/%2", None),
        ("/%", None),
        ("/%g0", None),
        ("/%00", None),
        ("/%+1", None),
    ] {
        assert_eq!(decode(path).as_deref(), expected, "{path}");
    }
}

#[test]
fn the_first_check_that_fails_answers() {
    let settings = test_settings("max_content_size = 10, max_uri_size = 20, namespaces = {'a'}");
    let length = &[("content-length", "11")][..];
    let long = "/submit/a/12345678901234567890";
    for (method, uri, headers, exact, expected) in [
        ("DELETE", long, &[][..], None, Refusal::Method),
        ("POST", long, &[], None, Refusal::NoLength),
        ("POST", long, length, None, Refusal::NoLength),
        ("POST", long, length, Some(11), Refusal::UriTooLong),
        ("PUT", "/x", length, Some(11), Refusal::ContentTooLong),
        ("PUT", "/x", length, Some(1), Refusal::Unknown),
        ("PUT", "/submit/b/c", length, Some(1), Refusal::Unknown),
        ("PUT", "/submit/a", length, Some(1), Refusal::Unknown),
    ] {
        let parts = parts(method, uri, headers);
        assert_eq!(check(&parts, exact, &settings), Err(expected), "{uri}");
    }
    let accepted = check(&parts("PUT", "/submit/%61/c?q", length), Some(1), &settings);
    let path = b"/submit/a/c".to_vec();
    assert_eq!(
        accepted,
        Ok(Accepted {
            content_length: 1,
            path
        })
    );
}

#[test]
fn the_nearest_proxy_names_the_client() {
    let peer = IpAddr::from([127, 0, 0, 1]);
    let named = IpAddr::from([2, 2, 2, 2]);
    for (headers, expected) in [
        (vec![], peer),
        (vec![("x-forwarded-for", "1.1.1.1, 2.2.2.2")], named),
        (
            vec![
                ("x-forwarded-for", "1.1.1.1"),
                ("x-forwarded-for", "2.2.2.2"),
            ],
            named,
        ),
        (vec![("x-forwarded-for", "unknown")], peer),
    ] {
        let parts = parts("POST", "/", &headers);
        assert_eq!(client(peer, &parts.headers, ClientIp::Forwarded), expected);
        assert_eq!(client(peer, &parts.headers, ClientIp::Peer), peer);
    }
}

#[test]
fn the_message_has_its_fields_in_order() {
    let settings = test_settings("type = 'raw', headers = {'DNT', 'X-Many'}");
    let headers = [
        ("x-many", "1"),
        ("dnt", "0"),
        ("x-many", "2"),
        ("cookie", "c"),
    ];
    let parts = parts("POST", "/submit/a/b?q=%20", &headers);
    let long = Bytes::from(vec![7; 300]);
    let submission = Submission {
        peer: IpAddr::from([1, 2, 3, 4]),
        parts: &parts,
        path: b"/submit/a/b",
        content: &[Bytes::from_static(b"ab"), long.clone()],
    };
    let origin = Origin {
        hostname: b"host".to_vec(),
        pid: 7,
    };
    let mut frame = FrameBuf::new();
    encode(&mut frame, &submission, &settings, &origin, &[9; 16]);
    let message = Message::decode(frame.message_bytes()).expect("a message");
    assert_eq!((message.uuid, message.pid), (Some([9; 16]), Some(7)));
    assert_eq!(message.type_.as_deref(), Some(&b"raw"[..]));
    let fields: Vec<(String, Vec<u8>)> = message
        .fields
        .into_iter()
        .map(|field| {
            let name = String::from_utf8(field.name).expect("text");
            let (FieldValue::String(mut values) | FieldValue::Bytes(mut values)) = field.value
            else {
                panic!("{name} is a number");
            };
            (name, values.remove(0))
        })
        .collect();
    let text = |name: &str, value: &str| (name.to_string(), value.as_bytes().to_vec());
    let expected = [
        text("remote_addr", "1.2.3.4"),
        text("uri", "/submit/a/b"),
        text("args", "q=%20"),
        text("protocol", "HTTP/1.1"),
        text("DNT", "0"),
        text("X-Many", "1, 2"),
        ("content".to_string(), [&b"ab"[..], &long].concat()),
    ];
    assert_eq!(fields, expected);
}

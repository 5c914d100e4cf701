//! `output/http.lua`: what is sent, what is given up, what is tried again.

use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};

use e2e::{Certificates, Site, dead_letters, frame, messages};
use schemas::message::{Field, Message};

use e2e::receiver::{OK, Receiver, Request};

fn sample(n: usize, payload: &str) -> Message {
    let mut message = Message::new([n as u8; 16], 1_700_000_000_000_000_000 + n as i64);
    message.type_ = Some(b"sample".to_vec());
    message.payload = Some(payload.as_bytes().to_vec());
    message.fields.push(Field::string("n", n.to_string()));
    message
}

/// A site that sends messages with these payloads to an address and collects the dead letters.
fn send(site: Site, payloads: &[&str], url: &str, cfg: &str) -> Site {
    let all = payloads.iter().enumerate();
    let bytes: Vec<u8> = all
        .flat_map(|(n, payload)| frame(&sample(n, payload)))
        .collect();
    let input = site.write("in.heka", bytes);
    let input = format!(
        "instruction_limit = 0\ninput_filename = \"{}\"",
        input.display()
    );
    let cfg = format!(
        "message_matcher = \"Type == 'sample'\"\nurl = '{url}'\nasync_buffer_size = 1000\nticker_interval = 1\n\
         dead_letter = true\nretry_delay_ms = 10\n{cfg}"
    );
    site.ours("input/heka_file.lua", "in", &input)
        .ours("output/http.lua", "http", &cfg)
        .collect("letters", "Type == 'foresight.dead_letter'")
}

/// Runs the engine until so many dead letters are there; a replay would end their reader first.
fn until_letters(site: &Site, n: usize) {
    let letters = site.path("letters.heka");
    let mut engine = site.start();
    engine.until("the dead letters are there", || {
        site.exists("letters.heka") && messages(&letters).len() == n
    });
    engine.stop();
}

fn bodies(receiver: &Receiver) -> Vec<Vec<u8>> {
    receiver.look(|seen| seen.taken.values().cloned().collect())
}

fn url(receiver: &Receiver) -> String {
    format!("http://{}/in?key=hush", receiver.address)
}

#[test]
fn a_message_that_is_refused_is_kept_and_the_others_arrive() {
    let receiver = Receiver::start(|request, _| {
        let has = |word: &[u8]| request.body.windows(word.len()).any(|part| part == word);
        match (has(b"huge"), has(b"bad")) {
            (true, _) => "413 Content Too Large\r\n",
            (_, true) => "422 Unprocessable Content\r\n",
            _ => OK,
        }
    });
    let payloads = ["one", "bad", "two", "huge", "three"];
    let site = send(Site::new(), &payloads, &url(&receiver), "");
    until_letters(&site, 2);
    let arrived: Vec<u8> = bodies(&receiver).concat();
    assert_eq!(arrived.iter().filter(|byte| **byte == 0x1e).count(), 3);
    let mut letters = dead_letters(&site.path("letters.heka"));
    letters.sort();
    let framed = |n: usize| frame(&sample(n, payloads[n]));
    assert_eq!(letters.len(), 2, "{}", site.log());
    assert!(letters[0].0.contains("413 "), "{}", letters[0].0);
    assert!(
        framed(3).ends_with(&letters[0].1),
        "the bytes are the original ones"
    );
    assert!(letters[1].0.contains("422 "), "{}", letters[1].0);
    assert!(
        framed(1).ends_with(&letters[1].1),
        "the bytes are the original ones"
    );
    assert!(
        !site.log().contains("hush"),
        "what the address hides is not logged"
    );
}

#[test]
fn what_may_pass_is_tried_again_and_the_wait_is_the_servers() {
    let receiver = Receiver::start(|_, n| match n {
        0 => "503 Service Unavailable\r\nRetry-After: 1\r\n",
        1 => "429 Too Many Requests\r\n",
        2 => "401 Unauthorized\r\n",
        3 => "404 Not Found\r\n",
        4 => "302 Found\r\nLocation: /elsewhere\r\n",
        _ => OK,
    });
    let site = send(
        Site::new(),
        &["one", "two"],
        &url(&receiver),
        "options = { retry_ms = 1 }",
    );
    site.replay().expect(0);
    assert_eq!(
        receiver.look(|seen| (seen.n_requests, seen.taken.len())),
        (6, 1)
    );
    assert!(!site.exists("letters.heka") || messages(&site.path("letters.heka")).is_empty());
    assert!(
        site.log().contains("attempts failed, the last: "),
        "{}",
        site.log()
    );
}

#[test]
fn a_request_is_what_the_configuration_says() {
    static N_GOOD: AtomicUsize = AtomicUsize::new(0);
    let is_good = |request: &Request| {
        request.head.starts_with("put /in?key=hush ")
            && request.header("content-type") == Some("text/x-raw")
            && request.header("content-encoding") == Some("gzip")
            && request.header("x-source") == Some("here")
            && request.header("x-api-key") == Some("open sesame")
            && request.header("authorization") == Some("basic yw5uom9wzw4gc2vzyw1l")
    };
    let receiver = Receiver::start(move |request, _| {
        N_GOOD.fetch_add(usize::from(is_good(request)), Ordering::Relaxed);
        OK
    });
    let site = Site::new();
    site.write("secret", "open sesame\n");
    let cfg = "encoder_module = 'encoders.payload'\noptions = { batch_count = 1, method = 'PUT', compression = 'gzip', \
        content_type = 'text/x-raw', headers = { ['X-Source'] = 'here' }, secret_headers = { ['X-Api-Key'] = 'file:secret' }, \
        user = 'ann', password = 'file:secret' }";
    let site = send(site, &["one", "two\nlines", "three"], &url(&receiver), cfg);
    site.replay().expect(0);
    assert_eq!(N_GOOD.load(Ordering::Relaxed), 3);
    let mut texts: Vec<String> = bodies(&receiver)
        .iter()
        .map(|body| {
            let mut text = String::new();
            flate2::read::GzDecoder::new(&body[..])
                .read_to_string(&mut text)
                .expect("gzip");
            text
        })
        .collect();
    texts.sort();
    assert_eq!(texts, ["one", "three", "two\nlines"]);
    for text in [site.log(), site.read("output/output.http.rtc")] {
        assert!(!text.contains("sesame"), "{text}");
    }
}

fn over_tls(receiver: &Receiver, cafile: &Certificates) -> Site {
    let address = format!("https://{}/in", receiver.address);
    let cfg = format!(
        "encoder_module = 'encoders.json'\noptions = {{ attempts = 2, retry_ms = 1, cafile = '{}' }}",
        cafile.path("ca.pem").display()
    );
    send(Site::new(), &["one", "two"], &address, &cfg)
}

#[test]
fn json_goes_over_tls_to_a_server_that_is_known() {
    let certificates = Certificates::new();
    let receiver = Receiver::start_tls(&certificates, |_, _| OK);
    let site = over_tls(&receiver, &certificates);
    site.replay().expect(0);
    let text = String::from_utf8(bodies(&receiver).concat()).expect("JSON is text");
    for payload in ["\"one\"", "\"two\""] {
        assert_eq!(text.matches(payload).count(), 1, "{text}");
    }
    assert!(!site.exists("letters.heka") || messages(&site.path("letters.heka")).is_empty());
}

#[test]
fn nothing_goes_to_a_server_that_nobody_vouches_for_or_that_speaks_no_tls() {
    let (own, other) = (Certificates::new(), Certificates::new());
    for receiver in [
        Receiver::start_tls(&other, |_, _| OK),
        Receiver::start(|_, _| OK),
    ] {
        let site = over_tls(&receiver, &own);
        until_letters(&site, 2);
        assert_eq!(receiver.look(|seen| seen.taken.len()), 0);
    }
}

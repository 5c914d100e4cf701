//! A broker that wants TLS, a certificate and a password.

use e2e::certificates::Certificates;
use e2e::kafka::{Broker, PASSWORD, USER};
use e2e::{Site, payloads};

use crate::{counts, repeated};

const N: u64 = 1_000;

/// Injects numbers.
const NUMBERS: &str = r#"
function process_message()
    for n = 1, read_config("n_max") do inject_message({ Type = "number", Payload = tostring(n) }) end
    return 0
end
"#;

/// Properties of a client, with another password than the right one where `password` says so.
fn properties(certificates: &Certificates, password: &str) -> String {
    let path = |name| certificates.path(name).display().to_string();
    format!(
        "['security.protocol'] = 'SASL_SSL', ['sasl.mechanism'] = 'SCRAM-SHA-512',
        ['sasl.username'] = '{USER}', ['sasl.password'] = '{password}', ['ssl.ca.location'] = '{}',
        ['ssl.certificate.location'] = '{}', ['ssl.key.location'] = '{}'",
        path("ca.pem"),
        path("leaf.pem"),
        path("leaf.key")
    )
}

fn from(address: &str, properties: &str) -> Site {
    let cfg = format!(
        "message_matcher = \"Type == 'number'\" async_buffer_size = 1000 ticker_interval = 1 brokerlist = '{address}'
        topic_constant = 'numbers' producer_conf = {{ {properties} }}"
    );
    Site::new()
        .input("numbers", &format!("n_max = {N}"), NUMBERS)
        .ours("output/kafka.lua", "kafka", &cfg)
}

#[test]
fn messages_go_through_tls_with_a_password() {
    let certificates = Certificates::new();
    let password = certificates.path("password");
    std::fs::write(&password, format!("{PASSWORD}\n")).expect("written");
    let properties = properties(&certificates, &format!("file:{}", password.display()));
    let broker = Broker::secured(certificates);
    let address = broker.secured_address();
    let site = from(&address, &properties);
    site.replay().expect(0);
    assert!(!site.read("output/output.kafka.rtc").contains(PASSWORD));
    let cfg = format!(
        "instruction_limit = 0 brokerlist = '{address}' topics = {{ 'numbers' }} start = 'earliest'
        consumer_conf = {{ ['group.id'] = 'g', {properties} }}"
    );
    let to = Site::new()
        .ours("input/kafka.lua", "kafka", &cfg)
        .collect("all", "Type == 'number'");
    let mut sink = to.start();
    let all = || counts(&payloads(&to.path("all.heka")));
    sink.until("all is there", || all().len() as u64 >= N);
    sink.stop();
    repeated(&all(), N);
}

#[test]
fn a_wrong_password_and_an_unknown_authority_are_told() {
    let certificates = Certificates::new();
    let wrong = properties(&certificates, "wrong");
    let others = Certificates::new();
    let unknown = properties(&others, PASSWORD);
    let broker = Broker::secured(certificates);
    for (properties, text) in [
        (wrong, "Authentication failed"),
        (unknown, "certificate verify failed"),
    ] {
        let site = from(&broker.secured_address(), &properties);
        let mut engine = site.start();
        engine.until_log(text);
        engine.stop();
    }
}

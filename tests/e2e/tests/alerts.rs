//! `kill -9` while alerts wait and are throttled: every one is told after the restart, and what was told is not told anew.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use e2e::receiver::{OK, Receiver, Request};
use e2e::{Engine, Site};
use serde_json::Value;

/// Five numbers a second; the last one is the checkpoint.
const NUMBERS: &str = r#"
local n
function process_message(checkpoint)
    n = n or checkpoint or 0
    for i = 1, 5 do
        n = n + 1
        inject_message({ Type = "number", Fields = { n = n } }, n)
    end
    return 0
end
"#;

/// An alert of its own for each number, and one that comes with all of them.
const WATCH: &str = r#"
require "string"
local alert = require "heka.alert"
function process_message()
    local n = read_message("Fields[n]")
    alert.send(string.format("once %d", n), "a number came", "", 0)
    alert.send("storm", "numbers come", "", 0)
    return 0
end
function timer_event() end
"#;

/// What the receiver was told: the notification's name, and the ids of its alerts.
type Told = Vec<(String, Vec<String>)>;

/// A receiver that can be out of order.
struct Desk {
    receiver: Receiver,
    works: Arc<AtomicBool>,
    told: Arc<Mutex<Told>>,
}

impl Desk {
    fn start() -> Desk {
        let works = Arc::new(AtomicBool::new(false));
        let told = Arc::new(Mutex::new(Told::new()));
        let (open, taken) = (works.clone(), told.clone());
        let answer = move |request: &Request, _| {
            if !open.load(Ordering::Acquire) {
                return "503 Service Unavailable\r\n";
            }
            let notification = notification(request);
            let mut told = taken.lock().unwrap_or_else(PoisonError::into_inner);
            told.push(notification);
            OK
        };
        Desk {
            receiver: Receiver::start(answer),
            works,
            told,
        }
    }

    fn told(&self) -> Told {
        let told = self.told.lock();
        told.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The numbers that were told.
    fn numbers(&self) -> BTreeSet<u64> {
        let told = self.told().into_iter().flat_map(|(_, ids)| ids);
        told.filter_map(|id| id.strip_prefix("once ")?.parse().ok())
            .collect()
    }

    /// The notifications of the storm, each once.
    fn storms(&self) -> BTreeSet<String> {
        let told = self.told().into_iter();
        told.filter(|(_, ids)| ids.iter().any(|id| id == "storm"))
            .map(|(name, _)| name)
            .collect()
    }
}

fn notification(request: &Request) -> (String, Vec<String>) {
    let body: Value = serde_json::from_slice(&request.body).expect("a document");
    let alerts = body["alerts"].as_array().expect("a list");
    let ids = alerts.iter().map(|alert| text(&alert["id"]));
    (text(&body["notification"]), ids.collect())
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn site(desk: &Desk) -> Site {
    let url = format!("http://{}/alerts", desk.receiver.address);
    let channel = format!(
        "{{ kind = 'webhook', url = '{url}', group_wait = 1, group_by = 'id', retry_max = 1 }}"
    );
    Site::new()
        .input("numbers", "ticker_interval = 1", NUMBERS)
        .analysis(
            "watch",
            "message_matcher = \"Type == 'number'\"\nprocess_message_inject_limit = 2\n\
             alert = { modules = { channels = {} } }",
            WATCH,
        )
        .ours(
            "output/alert.lua",
            "alerts",
            &format!(
                "message_matcher = \"Type == 'alert'\"\nticker_interval = 1\npreserve_data = true\n\
                 alert = {{ channels = {{ hook = {channel} }} }}"
            ),
        )
}

/// What the output says of itself.
fn status(site: &Site) -> Value {
    let text = site.read("output/admin/alerting/output.alerts.json");
    serde_json::from_str(&text).unwrap_or_default()
}

fn waiting(site: &Site) -> u64 {
    status(site)["channels"][0]["waiting"].as_u64().unwrap_or(0)
}

/// How often the storm came.
fn storm_count(site: &Site) -> u64 {
    let status = status(site);
    let alerts = status["alerts"].as_array().cloned().unwrap_or_default();
    let storm = alerts.iter().find(|alert| alert["id"] == "storm");
    storm.and_then(|alert| alert["count"].as_u64()).unwrap_or(0)
}

/// Waits until what the output knows now is in its preserved state: its place has moved on twice.
fn until_saved(engine: &mut Engine, site: &Site) {
    for _ in 0..2 {
        let place = || site.checkpoint("analysis->output.alerts");
        let before = place();
        engine.until("the state of the output is saved", || place() != before);
    }
}

#[test]
fn alerts_survive_kills_and_throttling_does_too() {
    let desk = Desk::start();
    let site = site(&desk);
    // The receiver is out of order: alerts pile up over two kills.
    let mut piled = 0;
    for _ in 0..2 {
        let mut engine = site.start();
        engine.until("more alerts wait", || waiting(&site) >= piled + 10);
        until_saved(&mut engine, &site);
        piled = waiting(&site);
        engine.kill();
    }
    // It works again, and the engine is killed in the middle of telling.
    desk.works.store(true, Ordering::Release);
    let mut engine = site.start();
    engine.until("some alerts were told", || desk.numbers().len() >= 3);
    engine.kill();
    let mut engine = site.start();
    engine.until("the storm was told", || {
        !desk.storms().is_empty() && desk.numbers().len() as u64 >= piled
    });
    until_saved(&mut engine, &site);
    let storms = desk.storms();
    engine.kill();
    // What was told is not told anew, though it still comes.
    let engine_count = storm_count(&site);
    let mut engine = site.start();
    engine.until("the storm went on", || {
        storm_count(&site) >= engine_count + 20
    });
    let last = |site: &Site| -> u64 {
        let place = site.checkpoint("input.numbers");
        place.and_then(|n| n.parse().ok()).unwrap_or(0)
    };
    let until = last(&site);
    engine.until("every number was told", || {
        (1..=until).all(|n| desk.numbers().contains(&n))
    });
    engine.kill();
    assert_eq!(desk.storms(), storms, "throttling was forgotten");
    // A kill in the middle of telling repeats what was not yet known to be told, and that only.
    assert!(storms.len() <= 2, "{storms:?}");
    let n_told = desk
        .told()
        .iter()
        .filter(|(_, ids)| ids[0] != "storm")
        .count() as u64;
    assert!(n_told >= until, "{n_told} of {until}");
}

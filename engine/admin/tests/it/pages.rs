//! What the answers say.

use schemas::frame;
use schemas::message::{Field, Message};

use crate::support::Site;

fn framed(message: &Message) -> Vec<u8> {
    let bytes = message.to_bytes();
    let (header, len) = frame::header(bytes.len());
    [&header[..len], &bytes].concat()
}

fn payload(kind: &str, name: &str, text: &str) -> Vec<u8> {
    let mut message = Message::new([1; 16], 1);
    message.type_ = Some(b"inject_payload".to_vec());
    message.logger = Some(b"analysis.<img src=x onerror=alert(1)>".to_vec());
    message.payload = Some(text.into());
    message.fields = vec![
        Field::string("payload_type", kind),
        Field::string("payload_name", name),
    ];
    framed(&message)
}

const CBUF: &str = "{\"time\":0,\"rows\":2,\"columns\":1,\"seconds_per_row\":60,\"column_info\":[{\"name\":\"<b>\",\"unit\":\"n\"}]}\n1\n2\n";

#[test]
fn payloads_are_listed_and_shown() {
    let site = Site::start(|_, _| {});
    let client = site.client(None);
    let queue = admin::engine::Queue::Analysis;
    site.feed.take_block(queue, &payload("cbuf", "g", CBUF));
    site.feed
        .take_block(queue, &payload("html", "page", "<script>alert(1)</script>"));
    let list = client.get("/api/v1/payloads").json();
    let list = list["payloads"].as_array().expect("a list").clone();
    assert_eq!(list.len(), 2);
    let id = |n: usize| {
        let id = list[n]["id"].as_str().expect("an id");
        id.replace('%', "%25")
    };
    let graph = client
        .get(&format!("/api/v1/graph?id={}&since=60", id(0)))
        .json();
    assert_eq!(graph["values"], serde_json::json!([[2]]));
    assert_eq!(graph["columns"][0]["name"], "<b>");
    let csv = client.get(&format!("/api/v1/graph.csv?id={}", id(0)));
    assert!(
        csv.header("content-disposition")
            .expect("a name")
            .starts_with("attachment")
    );
    let html = client.get(&format!("/api/v1/payload?id={}", id(1)));
    let policy = html.header("content-security-policy").expect("a policy");
    assert!(
        policy.starts_with("sandbox; default-src 'none'"),
        "{policy}"
    );
    assert_eq!(
        client.get(&format!("/api/v1/graph?id={}", id(1))).status,
        422
    );
}

#[test]
fn what_was_kept_is_shown_without_a_payload() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let begin = now.expect("after 1970").as_secs() / 60 * 60 - 600;
    let graph = CBUF.replace("\"time\":0", &format!("\"time\":{begin}"));
    let site = Site::start(|_, dir| {
        let archive = admin::archive::Archive::open(&dir.join("graphs"), Default::default());
        let graph = admin::cbuf::parse(graph.as_bytes()).expect("a graph");
        let kept = archive.keep("a.b/cbuf/g", &graph, begin as i64);
        kept.expect("kept");
    });
    let client = site.client(None);
    let past = |id: &str| {
        let path = format!("/api/v1/graph/past?id={id}&from=0&until={}", begin + 999);
        client.get(&path).json()
    };
    let kept = past("a.b/cbuf/g");
    assert_eq!(
        kept["values"],
        serde_json::json!([[1]]),
        "the newest row may still change"
    );
    assert_eq!((&kept["time"], &kept["rows"]), (&begin.into(), &1.into()));
    assert_eq!(past("a.b/cbuf/other")["rows"], 0);
}

#[test]
fn links_of_alerts_lead_to_the_page() {
    let site = Site::start(|_, _| {});
    let client = site.client(None);
    let leads = |path: &str| {
        let answer = client.get(path);
        assert_eq!(answer.status, 303, "{answer:?}");
        answer.header("location").expect("a place").to_owned()
    };
    assert_eq!(
        leads("/dashboard_output/graphs/analysis.a_b.g.html"),
        "/#/dashboard/graphs/analysis.a_b.g.html"
    );
    assert_eq!(
        leads("/dashboard_output/analysis.a.t.tsv"),
        "/#/dashboard/analysis.a.t.tsv"
    );
    assert_eq!(
        leads("/dashboard_output/%0d%0Ax:%20y%2F.."),
        "/#/dashboard/%0D%0Ax%3A%20y%2F.."
    );
}

#[test]
fn events_begin_with_the_overview() {
    let site = Site::start(|_, _| {});
    let client = site.client(None);
    let answer = client.get("/api/v1/events");
    assert!(
        answer.body.contains("event: overview\ndata: {"),
        "{answer:?}"
    );
    let watch = client.get("/api/v1/watch?expression=TRUE&limit=1");
    assert!(watch.body.contains("event: counts"), "{watch:?}");
}

#[test]
fn an_expression_is_explained_and_searched_with() {
    let site = Site::start(|_, _| {});
    let client = site.client(None);
    let good = client
        .get("/api/v1/matcher?expression=Type%20%3D%3D%20'a'")
        .json();
    assert_eq!(
        (&good["ok"], &good["text"]),
        (&true.into(), &"Type == 'a'".into())
    );
    let wrong = client.get("/api/v1/matcher?expression=Type%20%3D").json();
    assert_eq!(wrong["ok"], false);
    assert!(wrong["offset"].is_number() && wrong["expected"].is_string());
    let found = client.get("/api/v1/messages?expression=TRUE").json();
    assert_eq!(
        found["messages"][0]["time"],
        "2017-07-14T02:40:00.123456789Z"
    );
    assert_eq!(
        found["messages"][0]["message"]["Payload"],
        "<script>alert(1)</script>"
    );
    assert_eq!(
        client.get("/api/v1/messages?expression=nonsense").status,
        422
    );
}

#[test]
fn a_trial_runs_on_recorded_messages() {
    let site = Site::start(|_, _| {});
    let client = site.client(None);
    let plugin = |config: &str, kind: &str| {
        format!("{{\"kind\":\"{kind}\",\"name\":\"new\",\"config\":\"{config}\",\"source\":\"\"}}")
    };
    let report = client.post("/api/v1/trial", &plugin("", "analysis")).json();
    assert_eq!(
        (&report["processed"], &report["offered"]),
        (&1.into(), &1.into())
    );
    assert_eq!(report["messages"].as_array().expect("a list").len(), 1);
    assert_eq!(
        client
            .post("/api/v1/trial", &plugin("wrong", "analysis"))
            .status,
        422
    );
    assert_eq!(
        client.post("/api/v1/trial", &plugin("", "output")).status,
        409
    );
    assert_eq!(client.post("/api/v1/trial", "{").status, 400);
}

#[test]
fn files_of_outputs_are_shown() {
    let site = Site::start(|options, dir| {
        std::fs::write(dir.join("x.html"), "<b>").expect("written");
        let root = admin::Root {
            name: "results".into(),
            path: dir.into(),
        };
        options.outputs = vec![root.clone()];
        options.lake = vec![root];
    });
    let client = site.client(None);
    for path in ["/api/v1/outputs", "/api/v1/lake"] {
        assert_eq!(client.get(path).json()["roots"][0]["name"], "results");
        let listing = client.get(&format!("{path}?root=results")).json();
        assert!(listing["entries"].to_string().contains("x.html"));
    }
    let lake = client.get("/api/v1/lake").json();
    assert_eq!(lake["stores"][0]["address"], "s3://b/");
    let store = |name: &str| client.get(&format!("/api/v1/lake?store={name}&path=a&after=x"));
    let listed = store("output.lake%20s3://b/").json();
    assert_eq!(listed["next"], "a behind x");
    assert_eq!((store("down").status, store("other").status), (502, 404));
    let file = client.get("/api/v1/outputs/file?root=results&path=x.html");
    assert!(
        file.header("content-security-policy")
            .expect("a policy")
            .starts_with("sandbox")
    );
    assert_eq!(
        client
            .get("/api/v1/outputs/file?root=results&path=../x")
            .status,
        422
    );
    assert_eq!(client.get("/api/v1/lake?root=other").status, 404);
}

#[test]
fn what_is_not_there_is_told() {
    let site = Site::start(|_, _| {});
    let client = site.client(None);
    assert_eq!(client.get("/").status, 200);
    for path in ["/nothing", "/api/v1/nothing"] {
        assert_eq!(client.get(path).json()["error"], "there is nothing here");
    }
    assert_eq!(client.get("/api/v1/plugins/analysis.none").status, 404);
    assert_eq!(
        client.send("DELETE", "/api/v1/plugins", &[], "").status,
        405
    );
    assert!(client.get("/metrics").body.contains("foresight_plugin_up"));
    assert!(client.get("/api/v1/history").json()["series"]["times_ms"].is_array());
}

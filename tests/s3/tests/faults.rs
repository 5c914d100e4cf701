//! A spool under load with a bad network before its store: cut connections, lost and late answers, errors, expired
//! credentials, an outage, and restarts in the middle. Every message is in the store exactly once.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use output::courier::{Courier, Pace};
use output::destination::{Destination, Outlook};
use output::packing::Packing;
use output::runtime::{Patience, runtime};
use output::s3::{Bucket, Credentials, PART_SIZE_MIN, Settings};
use output::spool::{Naming, Options, Owner, Spool, now_s};
use s3server::{ACCESS_KEY, Proxy, SECRET_KEY, Server};
use sandbox::MessagePlace;
use sandbox::append_file::Frames;
use stdx::seed::Random;

/// Messages of a run.
const MESSAGES: u64 = 20_000;

/// One request in so many meets a fault.
const ONE_IN: u64 = 4;

struct Site {
    folder: tempfile::TempDir,
    proxy: Proxy,
    _server: Server,
}

impl Site {
    fn new(seed: u64) -> Site {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("s3/lake")).expect("made");
        std::fs::create_dir_all(folder.path().join("queues/input")).expect("made");
        std::fs::write(folder.path().join("queues/input/0.log"), vec![0; 1 << 20])
            .expect("written");
        let keys =
            format!("aws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n");
        std::fs::write(folder.path().join("keys"), keys).expect("written");
        let server = Server::start(&folder.path().join("s3"), 0).expect("it listens");
        Site {
            proxy: Proxy::start(server.address(), seed).expect("it listens"),
            folder,
            _server: server,
        }
    }

    fn courier(&self) -> Courier {
        let mut settings = Settings::new("s3://lake").expect("a good address");
        settings.endpoint = Some(format!("http://{}", self.proxy.address()));
        settings.path_style = true;
        settings.credentials = Credentials::File(self.folder.path().join("keys"));
        settings.part_size = PART_SIZE_MIN;
        settings.timeout = Duration::from_secs(5);
        let runtime = runtime().expect("threads");
        let bucket: Arc<dyn Destination> = Arc::new(runtime.block_on(Bucket::open(&settings)));
        let mut pace = Pace {
            gives_up: Outlook::Refused,
            ..Pace::default()
        };
        pace.retry.first = Duration::from_millis(5);
        pace.retry.longest = Duration::from_millis(200);
        Courier::new(runtime, bucket, pace)
    }

    fn open(&self, packing: Packing) -> Spool {
        let options = Options {
            dir: self.folder.path().join("batch"),
            journal: self.folder.path().join("queues/lake.spool"),
            queues: Some(self.folder.path().join("queues")),
            naming: Naming::Stamped,
            owner: Owner {
                host: "h".into(),
                pid: 1,
            },
            roll_size: 40_000,
            roll_age_s: 3600,
            handles_max: 5,
            sync: false,
            frames: Frames::Lines,
            packing,
        };
        Spool::open(options, Some(self.courier()))
            .expect("opened")
            .0
    }
}

/// All lines of all objects, with how often each is there.
fn lines(folder: &Path, packing: Packing) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(folder).expect("readable").flatten() {
            let name = item.file_name().to_string_lossy().into_owned();
            if item.path().is_dir() {
                folders.push(item.path());
            } else if !name.starts_with('.') {
                assert_eq!(name.ends_with(".zst"), packing == Packing::Zstd, "{name}");
                let bytes = std::fs::read(item.path()).expect("readable");
                for line in bytes
                    .split(|byte| *byte == b'\n')
                    .filter(|line| !line.is_empty())
                {
                    *counts
                        .entry(String::from_utf8_lossy(line).into_owned())
                        .or_default() += 1;
                }
            }
        }
    }
    counts
}

#[test]
fn faults_of_every_kind_neither_lose_nor_repeat_a_message() {
    let mut random = Random::from_seed(18);
    let site = Site::new(19);
    site.proxy.faults.set_one_in(ONE_IN);
    let (mut delivered, mut at) = (0, 0);
    let mut spool = site.open(Packing::None);
    while at < MESSAGES {
        // One large message now and then goes up in parts.
        let padding = if random.one_in(4000) { 6 << 20 } else { 60 };
        let record = format!("message {at} {}\n", "x".repeat(padding));
        let place = MessagePlace {
            in_analysis: false,
            segment: 0,
            offset: at,
        };
        let group = format!("day+kind{}", random.below(8));
        spool
            .write(&group, record.as_bytes(), Some(place))
            .expect("written");
        at += 1;
        if random.one_in(200) {
            spool.tick(now_s(), random.one_in(10)).expect("committed");
            delivered = at;
            spool.carrier().expect("a store").settle();
        }
        if random.one_in(2000) {
            site.proxy.faults.set_down(random.one_in(2));
            drop(spool);
            spool = site.open(Packing::None);
            at = delivered;
        }
    }
    spool.tick(now_s(), true).expect("finished");
    site.proxy.faults.set_down(false);
    let runtime = runtime().expect("threads");
    let carrier = spool.carrier().expect("a store");
    assert_eq!(carrier.wait(runtime, &Patience::endless()), []);
    assert_eq!(carrier.pending(), 0);
    assert!(
        site.proxy.faults.count() > 20,
        "{} faults",
        site.proxy.faults.count()
    );
    let found = lines(&site.folder.path().join("s3/lake"), Packing::None);
    let repeated: Vec<_> = found
        .iter()
        .filter(|(_, n)| **n != 1)
        .map(|(line, n)| (&line[..20], n))
        .collect();
    assert!(repeated.is_empty(), "{repeated:?}");
    assert_eq!(found.len() as u64, MESSAGES);
    let left = std::fs::read_dir(site.folder.path().join("batch"))
        .expect("there")
        .count();
    assert_eq!(left, 0, "what the store has is removed");
}

#[test]
fn credentials_that_expire_are_renewed_without_a_restart() {
    let site = Site::new(20);
    let keys = site.folder.path().join("keys");
    let good = std::fs::read(&keys).expect("there");
    std::fs::write(
        &keys,
        "aws_access_key_id = old\naws_secret_access_key = old\n",
    )
    .expect("written");
    let mut spool = site.open(Packing::Zstd);
    spool.write("a", b"one\n", None).expect("written");
    spool.tick(now_s(), true).expect("finished");
    let carrier = spool.carrier().expect("a store");
    while carrier.troubles().count < 2 {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(
        !carrier.troubles().last.contains("old"),
        "{}",
        carrier.troubles().last
    );
    assert_eq!(carrier.pending(), 1);
    std::fs::write(&keys, good).expect("written");
    assert_eq!(
        carrier.wait(runtime().expect("threads"), &Patience::endless()),
        []
    );
    assert_eq!(
        lines(&site.folder.path().join("s3/lake"), Packing::Zstd).len(),
        1
    );
}

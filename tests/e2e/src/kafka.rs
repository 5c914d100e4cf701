//! A real Apache Kafka for tests and benchmarks: one broker in a process of its own, and clients to look into it.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Header, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tempfile::TempDir;

use crate::certificates::Certificates;
use crate::{free_port, wait_until};

/// Partitions of every topic; topics are made when they are first written to.
pub const PARTITIONS: i32 = 4;

/// Nothing takes this long but a hang.
const DEADLINE: Duration = Duration::from_secs(60);

/// One wait for a record.
const LOOK: Duration = Duration::from_millis(100);

/// The Java of the broker: started soon rather than fast later, in little memory.
const JAVA: [&str; 4] = [
    "java",
    "-Xmx384m",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
];

/// A broker. It ends with the value, and its data with it.
pub struct Broker {
    folder: TempDir,
    jars: PathBuf,
    port: u16,
    /// Where clients are told to find it.
    advertised: u16,
    secured: Option<Secured>,
    child: Option<Child>,
}

/// A listener that speaks TLS, wants a certificate of its clients, and a password by SCRAM.
struct Secured {
    port: u16,
    certificates: Certificates,
}

/// The only user of a secured listener.
pub const USER: &str = "engine";
/// Its password.
pub const PASSWORD: &str = "a secret of the tests";

/// What a record holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it lies.
    pub partition: i32,
    /// What it was sent with.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Vec<u8>,
    /// In their order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Milliseconds since 1970.
    pub time: Option<i64>,
}

impl Default for Broker {
    fn default() -> Self {
        Broker::start()
    }
}

impl Broker {
    /// Starts a broker and waits until it answers.
    ///
    /// # Panics
    /// When Java or the broker cannot be had.
    pub fn start() -> Broker {
        Broker::behind(|port| port)
    }

    /// As [`Broker::start`], with something between it and its clients, which listens on the port that `between` makes of the
    /// broker's own.
    ///
    /// # Panics
    /// As [`Broker::start`].
    pub fn behind(between: impl FnOnce(u16) -> u16) -> Broker {
        let port = free_port();
        Broker::first(port, between(port), None)
    }

    /// As [`Broker::start`], with another listener beside the plain one; see [`Broker::secured_address`].
    ///
    /// # Panics
    /// As [`Broker::start`].
    pub fn secured(certificates: Certificates) -> Broker {
        let (port, secured) = (free_port(), free_port());
        let secured = Secured {
            port: secured,
            certificates,
        };
        Broker::first(port, port, Some(secured))
    }

    fn first(port: u16, advertised: u16, secured: Option<Secured>) -> Broker {
        let mut broker = Broker {
            folder: tempfile::tempdir().expect("a folder"),
            jars: jars(),
            port,
            advertised,
            secured,
            child: None,
        };
        broker.configure();
        let user = format!("SCRAM-SHA-512=[name={USER},password={PASSWORD}]");
        let format = ["format", "-t", "Zm9yZXNpZ2h0LXRlc3RzIQ", "-S", &user, "-c"];
        let output = broker.java("kafka.tools.StorageTool", &format).output();
        let output = output.expect("java runs: apt-get install default-jre-headless");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the broker's storage: {text}");
        broker.resume();
        broker
    }

    fn configure(&self) {
        let (port, advertised, controller) = (self.port, self.advertised, free_port());
        let data = self.folder.path().join("data");
        let (listener, settings) = self
            .secured
            .as_ref()
            .map_or_else(Default::default, |secured| {
                let listener = format!(",SECURED://127.0.0.1:{}", secured.port);
                (listener, secured.settings(self.folder.path()))
            });
        let text = format!(
            "process.roles=broker,controller\nnode.id=1\n\
             controller.quorum.voters=1@127.0.0.1:{controller}\n\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}{listener}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{advertised}{listener}\n\
             controller.listener.names=CONTROLLER\nlog.dirs={}\n\
             offsets.topic.num.partitions=1\noffsets.topic.replication.factor=1\n\
             transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n\
             group.initial.rebalance.delay.ms=0\ngroup.min.session.timeout.ms=1000\n\
             num.partitions={PARTITIONS}\n{settings}",
            data.display()
        );
        std::fs::write(self.settings(), text).expect("the folder is writable");
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join("server.properties")
    }

    /// A Java program of Kafka's; it dies with the thread that starts it.
    fn java(&self, class: &str, args: &[&str]) -> Command {
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL"])
            .args(JAVA)
            .arg("-cp")
            .arg(self.jars.join("*"))
            .arg(class)
            .args(args)
            .arg(self.settings())
            .stdin(Stdio::null());
        command
    }

    /// Starts the broker again, with its data and at its address.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn resume(&mut self) {
        let log = std::fs::File::create(self.folder.path().join("log")).expect("writable");
        let errors = log.try_clone().expect("a file has two handles");
        let child = self
            .java("kafka.Kafka", &[])
            .stdout(log)
            .stderr(errors)
            .spawn();
        self.child = Some(child.expect("java runs"));
        let port = self.port;
        wait_until("the broker listens", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        let client: BaseProducer = self.client().create().expect("a client");
        wait_until("the broker answers", || {
            let answer = client.client().fetch_metadata(None, Duration::from_secs(1));
            answer.is_ok_and(|metadata| !metadata.brokers().is_empty())
        });
    }

    /// Ends the broker as a crash would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Fails only when it has ended, which is what is wanted.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// What engines call it.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.advertised)
    }

    /// Where a broker's secured listener is.
    ///
    /// # Panics
    /// When it has none.
    pub fn secured_address(&self) -> String {
        let secured = self.secured.as_ref().expect("made by Broker::secured");
        format!("localhost:{}", secured.port)
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.address());
        config
    }

    /// A producer that reports nothing; see [`put`].
    pub fn producer(&self) -> BaseProducer {
        self.client()
            .set("linger.ms", "5")
            .set("acks", "all")
            .create()
            .expect("a producer")
    }

    /// Hands the first `n` records of a topic, in the order of each partition, to `take`.
    ///
    /// # Panics
    /// When there never are so many.
    pub fn receive(&self, topic: &str, n: usize, mut take: impl FnMut(&BorrowedMessage<'_>)) {
        let consumer: BaseConsumer = self
            .client()
            .set("group.id", "looks-only")
            .set("enable.auto.commit", "false")
            .create()
            .expect("a consumer");
        let mut list = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            list.add_partition_offset(topic, partition, Offset::Beginning)
                .expect("a valid offset");
        }
        consumer.assign(&list).expect("assigned");
        let deadline = Instant::now() + DEADLINE;
        let mut n_seen = 0;
        while n_seen < n {
            assert!(Instant::now() < deadline, "{n_seen} of {n} records came");
            if let Some(Ok(message)) = consumer.poll(LOOK) {
                take(&message);
                n_seen += 1;
            }
        }
    }

    /// The values of all records that a topic has now.
    ///
    /// # Panics
    /// When they cannot be had.
    pub fn everything(&self, topic: &str) -> Vec<Vec<u8>> {
        let client: BaseConsumer = self.client().create().expect("a client");
        let marks =
            (0..PARTITIONS).map(|partition| client.fetch_watermarks(topic, partition, DEADLINE));
        let n: i64 = marks
            .map(|marks| marks.map_or(0, |(low, high)| high - low))
            .sum();
        let mut values = Vec::new();
        self.receive(topic, n as usize, |message| {
            values.push(message.payload().unwrap_or_default().to_vec());
        });
        values
    }

    /// The first `n` records of a topic, partition by partition.
    ///
    /// # Panics
    /// When there never are.
    pub fn records(&self, topic: &str, n: usize) -> Vec<Record> {
        let mut records = Vec::new();
        self.receive(topic, n, |message| records.push(record(&message.detach())));
        records.sort_by_key(|record| record.partition);
        records
    }
}

impl Secured {
    /// Its part of the broker's settings; what a broker wants in one file is written to `folder`.
    fn settings(&self, folder: &Path) -> String {
        let read = |name| std::fs::read_to_string(self.certificates.path(name)).expect("a file");
        let leaf = folder.join("leaf.pem");
        std::fs::write(&leaf, read("leaf.key") + &read("leaf.pem"))
            .expect("the folder is writable");
        let prefix = "listener.name.secured";
        format!(
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_SSL\n\
             {prefix}.ssl.keystore.type=PEM\n{prefix}.ssl.keystore.location={}\n\
             {prefix}.ssl.truststore.type=PEM\n{prefix}.ssl.truststore.location={}\n\
             {prefix}.ssl.client.auth=required\n{prefix}.sasl.enabled.mechanisms=SCRAM-SHA-512\n\
             {prefix}.scram-sha-512.sasl.jaas.config=\
             org.apache.kafka.common.security.scram.ScramLoginModule required;\n",
            leaf.display(),
            self.certificates.path("ca.pem").display()
        )
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

fn record(message: &rdkafka::message::OwnedMessage) -> Record {
    use rdkafka::message::Headers;
    let headers = message.headers().into_iter().flat_map(|headers| {
        headers
            .iter()
            .map(|header| (header.key.to_string(), header.value.unwrap_or(b"").to_vec()))
            .collect::<Vec<_>>()
    });
    Record {
        partition: message.partition(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().unwrap_or_default().to_vec(),
        headers: headers.collect(),
        time: message.timestamp().to_millis(),
    }
}

/// Hands a record with a header over, however long the queue is full.
pub fn put(producer: &BaseProducer, topic: &str, key: &str, value: &[u8]) {
    let header = Header {
        key: "from",
        value: Some("test"),
    };
    let headers = OwnedHeaders::new().insert(header);
    send(
        producer,
        BaseRecord::to(topic)
            .key(key)
            .payload(value)
            .headers(headers),
    );
}

/// As [`put`], for a value alone.
pub fn put_value(producer: &BaseProducer, topic: &str, value: &[u8]) {
    send(producer, BaseRecord::<str, [u8]>::to(topic).payload(value));
}

fn send(producer: &BaseProducer, mut record: BaseRecord<'_, str, [u8]>) {
    while let Err((_, back)) = producer.send(record) {
        record = back;
        producer.poll(Duration::from_millis(1));
    }
}

/// Waits until all that was handed over has arrived.
///
/// # Panics
/// When it does not.
pub fn flush(producer: &BaseProducer) {
    producer.flush(DEADLINE).expect("all records arrive");
}

/// Apache Kafka's jars, fetched at the first time.
fn jars() -> PathBuf {
    let fetch = Path::new(env!("CARGO_MANIFEST_DIR")).join("kafka/fetch");
    let output = Command::new("sh").arg(fetch).output().expect("a shell");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "this test needs Apache Kafka from Maven Central: {errors}"
    );
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

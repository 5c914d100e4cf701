//! Producers: messages to topics, and which of them have arrived.
//!
//! librdkafka sends in the background. The plugin's calls hand messages over and take reports in, so that Lua code runs
//! on its own thread only. A message that carries a sequence id is acknowledged when all that was sent under this id has
//! arrived, or failed for good; unless the owner sets a time, a message is tried for ever. Where the plugin keeps dead letters,
//! what failed for good is one: the message as it was, held until its reports are in.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext};
use sandbox::DeadLetter;
use sandbox::native::{Call, Class, Error, Function, Object, ObjectMut, Type, function};

use crate::lines::Lines;
use crate::settings::{self, Properties, Room};
use crate::{check_count, closing};

/// How long a producer that is dropped tries to send what it has.
const FLUSH_AT_END: Duration = Duration::from_secs(1);
/// How long a producer that is dropped is waited for.
const END_MAX: Duration = Duration::from_secs(2);
/// How long the calls of a plugin that has to stop may wait for reports, all together; with the end of its clients that is
/// less than the engine gives a plugin.
const GRACE: Duration = Duration::from_secs(5);
/// Longest wait of `flush`: half of the time after which the engine takes a call for stuck.
const FLUSH_MAX: Duration = Duration::from_secs(5);
/// One step of a wait: librdkafka's call lasts as long, whatever happens meanwhile.
const STEP: Duration = Duration::from_millis(5);
/// How long a message waits for room in a full queue before the plugin is told, and the steps of that wait. To be told
/// costs more: the engine sleeps before it tries again.
const FULL_WAIT: Duration = Duration::from_secs(1);
const FULL_STEP: Duration = Duration::from_millis(1);
/// Most clients of one producer: one for each different configuration of topics.
const CLIENTS_MAX: usize = 16;
/// What librdkafka holds for each topic that was ever named, in bytes, about.
const PER_TOPIC: usize = 4 * 1024;
/// Longest name of a topic in bytes; librdkafka's.
const TOPIC_MAX: usize = 512;
/// Most headers of a message.
const HEADERS_MAX: usize = 256;

/// What is returned for messages that were not taken: the system's numbers for errors on Linux.
const QUEUE_FULL: i64 = 105;
const TOO_LARGE: i64 = 90;
const UNKNOWN_TOPIC: i64 = 2;
const UNKNOWN_PARTITION: i64 = 3;

/// What came of one message.
struct Report {
    /// Under which id it was sent.
    sequence: u64,
    /// Why it failed for good, if it did.
    failure: Option<String>,
}

/// What the callbacks of all clients of a producer write.
#[derive(Default)]
struct Reports {
    lines: Lines,
    /// Guards the reports that the plugin has not taken in yet.
    new: Mutex<Vec<Report>>,
}

/// The context of one client.
struct Reporter(Arc<Reports>);

impl ClientContext for Reporter {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        self.0.lines.log(level, facility, text);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        let text = String::from_utf8_lossy(statistics).into_owned();
        self.0.lines.add(6, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.lines.error(&error, reason);
    }
}

impl ProducerContext for Reporter {
    /// The sequence id plus one; 0 for a message without.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, id: usize) {
        let failure = result.as_ref().err().map(|(error, message)| {
            let code = error.rdkafka_error_code().map_or(0, |code| code as i32);
            let (topic, len) = (message.topic(), message.payload_len());
            let text = format!("{error}: {len} bytes to {topic}");
            self.0
                .lines
                .add(3, format!("delivery error\t{code}\t{text}"));
            text
        });
        if id == 0 {
            return;
        }
        let mut new = self.0.new.lock().unwrap_or_else(PoisonError::into_inner);
        new.push(Report {
            sequence: id as u64 - 1,
            failure,
        });
    }
}

/// A client of librdkafka with the configuration of topics that it was made with.
struct Client {
    topic_conf: Properties,
    native: BaseProducer<Reporter>,
    room: Room,
    is_used: bool,
}

/// What was sent under one sequence id and has not been acknowledged.
#[derive(Default)]
struct Open {
    n_under_way: u32,
    n_failed: u32,
    /// The message, where the plugin keeps dead letters.
    original: Option<Box<[u8]>>,
    /// Why something failed for good.
    reason: Option<String>,
}

impl Open {
    /// Bytes of the message that are held.
    fn held(&self) -> usize {
        self.original.as_ref().map_or(0, |message| message.len())
    }
}

/// A producer of a plugin.
pub struct Producer {
    properties: Properties,
    clients: Vec<Client>,
    /// The clients of all topics that were ever made; none for those that were destroyed.
    topics: BTreeMap<String, Option<usize>>,
    reports: Arc<Reports>,
    open: HashMap<u64, Open>,
    /// Acknowledgements that Lua code was not told yet.
    ready: VecDeque<(u64, Open)>,
    /// Whether what fails for good is kept.
    keeps_originals: bool,
    /// The size of all messages that are held, in bytes.
    n_held: usize,
    /// The highest sequence id so far.
    newest: u64,
    /// When the first call after a stop came.
    stopping: Option<Instant>,
    /// Where a value without a string of its own is written out.
    buffer: Vec<u8>,
}

const METHODS: &[(&str, Function)] = &[
    ("create_topic", function(create_topic)),
    ("destroy_topic", function(destroy_topic)),
    ("flush", function(flush)),
    ("has_topic", function(has_topic)),
    ("poll", function(poll)),
    ("send", function(send)),
];

impl Object for Producer {
    fn class() -> Class {
        Class {
            name: "mozsvc.kafka_producer",
            methods: METHODS,
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        let names: usize = self.topics.keys().map(String::len).sum();
        let clients: usize = self
            .clients
            .iter()
            .map(|client| client.room.counted())
            .sum();
        clients + self.topics.len() * PER_TOPIC + names
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        end(std::mem::take(&mut self.clients));
    }
}

/// Ends clients; what they have is sent before, if that is soon done.
fn end(clients: Vec<Client>) {
    closing::within(END_MAX, move || {
        let until = Instant::now() + FLUSH_AT_END;
        for client in clients {
            while client.native.in_flight_count() > 0 && Instant::now() < until {
                client.native.poll(STEP);
            }
        }
    });
}

/// `producer(brokers[, conf])`: a producer.
pub fn new(call: &mut Call<'_>) -> Result<usize, Error> {
    check_count(call, 1, 2)?;
    let brokers = call.check_bytes(1)?;
    let mut properties = settings::read(call, 2)?;
    settings::check(&properties)?;
    settings::drop_old_offsets(&mut properties);
    settings::add_brokers(&mut properties, brokers)?;
    let mut producer = Producer {
        properties,
        clients: Vec::new(),
        topics: BTreeMap::new(),
        reports: Arc::default(),
        open: HashMap::new(),
        ready: VecDeque::new(),
        keeps_originals: call.keeps_dead_letters()?,
        n_held: 0,
        newest: 0,
        stopping: None,
        buffer: Vec::new(),
    };
    producer.add_client(call, Properties::new(), "rd_kafka_new")?;
    call.push_object(producer)?;
    Ok(1)
}

impl Producer {
    /// Adds a client with this configuration of topics; its index.
    fn add_client(
        &mut self,
        call: &Call<'_>,
        topic_conf: Properties,
        what: &str,
    ) -> Result<usize, Error> {
        let room = Room::new(call, self.keeps_originals)?;
        let mut properties = self.properties.clone();
        properties.extend(topic_conf.clone());
        let sets_time = ["message.timeout.ms", "delivery.timeout.ms"]
            .iter()
            .any(|name| properties.contains_key(*name));
        if !sets_time {
            properties.insert("message.timeout.ms".into(), "0".into());
        }
        for line in room.bound_producer(&mut properties) {
            call.log(6, &line);
        }
        let context = Reporter(Arc::clone(&self.reports));
        let native =
            settings::make(&properties, context).map_err(|why| settings::not_made(what, &why))?;
        self.clients.push(Client {
            topic_conf,
            native,
            room,
            is_used: false,
        });
        Ok(self.clients.len() - 1)
    }

    /// Makes room for one client more: the first was made before anything was known of topics.
    fn prepare_client(&mut self) -> Result<(), Error> {
        match &self.clients[..] {
            [only] if !only.is_used => end(std::mem::take(&mut self.clients)),
            clients if clients.len() == CLIENTS_MAX => {
                return Err(Error::new(format!(
                    "rd_kafka_topic_new failed: more than {CLIENTS_MAX} different configurations of topics"
                )));
            }
            _ => {}
        }
        Ok(())
    }

    /// Bytes of messages that may be held: as much as may stand in the queues.
    fn held_max(&self) -> usize {
        let queues = self.clients.iter().map(|client| client.room.queue);
        queues.sum::<Option<usize>>().unwrap_or(usize::MAX)
    }

    fn client_of(&self, topic: &str) -> Option<usize> {
        self.topics.get(topic).copied().flatten()
    }

    /// Serves all clients, for `patience` if something is under way, and takes their reports in.
    fn serve(&mut self, call: &Call<'_>, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let mut step = Duration::ZERO;
        loop {
            self.clients
                .iter()
                .for_each(|client| client.native.poll(step));
            self.reports.lines.drain(call);
            let n_under_way = self.n_under_way();
            if n_under_way == 0 || Instant::now() >= until {
                self.take_reports(call.has_message());
                return n_under_way == 0;
            }
            step = STEP;
        }
    }

    fn n_under_way(&self) -> i32 {
        let counts = self
            .clients
            .iter()
            .map(|client| client.native.in_flight_count());
        counts.sum()
    }

    /// How long a call may wait for reports: not at all, unless the plugin has to stop.
    fn patience(&mut self, call: &Call<'_>) -> Duration {
        if call.running() {
            return Duration::ZERO;
        }
        let since = *self.stopping.get_or_insert_with(Instant::now);
        GRACE.saturating_sub(since.elapsed())
    }

    /// Takes new reports in. While a message is processed its own id is held back, because the engine does not know yet
    /// that it is under way.
    fn take_reports(&mut self, has_message: bool) {
        let mut new = self
            .reports
            .new
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let reports = std::mem::take(&mut *new);
        drop(new);
        for Report { sequence, failure } in reports {
            let Some(open) = self.open.get_mut(&sequence) else {
                continue;
            };
            open.n_under_way -= 1;
            open.n_failed += u32::from(failure.is_some());
            open.reason = failure.or(open.reason.take());
            if !(has_message && sequence == self.newest) {
                self.acknowledge_if_done(sequence);
            }
        }
        if !has_message {
            self.acknowledge_if_done(self.newest);
        }
    }

    fn acknowledge_if_done(&mut self, sequence: u64) {
        let is_done = |open: &Open| open.n_under_way == 0;
        if self.open.get(&sequence).is_some_and(is_done)
            && let Some(open) = self.open.remove(&sequence)
        {
            self.ready.push_back((sequence, open));
        }
    }

    /// Notes that something of the message is sent under this id.
    fn note_sent(&mut self, call: &Call<'_>, sequence: u64, n: u32) {
        if sequence > self.newest {
            let before = std::mem::replace(&mut self.newest, sequence);
            self.acknowledge_if_done(before);
        }
        let open = self.open.entry(sequence).or_default();
        open.n_under_way += n;
        if self.keeps_originals && n > 0 && open.original.is_none() {
            open.original = call.with_message(|view| view.bytes().into());
            self.n_held += open.held();
        }
    }

    /// Hands a message to librdkafka; 0, or why it was not taken.
    fn send(
        &mut self,
        call: &Call<'_>,
        client: usize,
        record: Record<'_>,
        sequence: Option<u64>,
    ) -> Result<i64, Error> {
        let Record { payload, key, .. } = record;
        let longest = self.clients[client].room.queue.unwrap_or(usize::MAX);
        if payload.len() + key.map_or(0, <[u8]>::len) > longest {
            // It would never fit into the queue.
            return Ok(TOO_LARGE);
        }
        let id = sequence.map_or(0, |sequence| sequence as usize + 1);
        let mut message = BaseRecord {
            topic: record.topic,
            partition: Some(record.partition),
            payload: Some(payload),
            key,
            timestamp: record.timestamp,
            headers: record.headers,
            delivery_opaque: id,
        };
        let client = &mut self.clients[client];
        client.is_used = true;
        let until = Instant::now() + FULL_WAIT;
        let refused = loop {
            match client.native.send(message) {
                Ok(()) => break None,
                Err((error, back))
                    if is_full(&error) && call.running() && Instant::now() < until =>
                {
                    // What has arrived leaves the queue only when its reports are taken.
                    client.native.poll(FULL_STEP);
                    message = back;
                }
                Err((error, _)) => break Some(error),
            }
        };
        if let Some(error) = refused {
            return number_of(&error);
        }
        sequence
            .into_iter()
            .for_each(|id| self.note_sent(call, id, 1));
        Ok(0)
    }
}

fn is_full(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull)
}

/// What a refused message returns; an error for what no second try and no other message can change.
fn number_of(error: &KafkaError) -> Result<i64, Error> {
    match error.rdkafka_error_code() {
        Some(RDKafkaErrorCode::QueueFull) => Ok(QUEUE_FULL),
        Some(RDKafkaErrorCode::MessageSizeTooLarge) => Ok(TOO_LARGE),
        Some(RDKafkaErrorCode::UnknownTopic | RDKafkaErrorCode::UnknownTopicOrPartition) => {
            Ok(UNKNOWN_TOPIC)
        }
        Some(RDKafkaErrorCode::UnknownPartition) => Ok(UNKNOWN_PARTITION),
        _ => Err(Error::new(format!("send failed: {error}"))),
    }
}

/// A message before it is sent.
struct Record<'a> {
    topic: &'a str,
    partition: i32,
    payload: &'a [u8],
    key: Option<&'a [u8]>,
    headers: Option<OwnedHeaders>,
    timestamp: Option<i64>,
}

fn check_producer<'a>(
    call: &Call<'a>,
    least: usize,
    most: usize,
) -> Result<ObjectMut<'a, Producer>, Error> {
    let producer = call.check_object_mut::<Producer>(1)?;
    check_count(call, least, most)?;
    Ok(producer)
}

/// The name of a topic at argument 2, up to its first NUL.
fn check_topic<'a>(call: &Call<'a>) -> Result<&'a str, Error> {
    let name = call.check_bytes(2)?;
    let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
    std::str::from_utf8(name).map_err(|_| Error::new("invalid topic"))
}

/// `producer:create_topic(topic[, conf])`
fn create_topic(call: &mut Call<'_>) -> Result<usize, Error> {
    drop(check_producer(call, 2, 3)?);
    let topic = check_topic(call)?;
    let conf = settings::read(call, 3)?;
    let mut producer = check_producer(call, 2, 3)?;
    if producer.client_of(topic).is_some() {
        return Ok(0);
    }
    settings::check_topic(&conf)?;
    if topic.is_empty() || topic.len() > TOPIC_MAX {
        let text = "rd_kafka_topic_new failed: Local: Invalid argument or configuration";
        return Err(Error::new(text));
    }
    call.check_memory(PER_TOPIC)?;
    let same = |client: &Client| client.topic_conf == conf;
    let client = match producer.clients.iter().position(same) {
        Some(client) => client,
        None => {
            producer.prepare_client()?;
            drop(producer);
            call.recount(1)?;
            producer = check_producer(call, 2, 3)?;
            producer.add_client(call, conf, "rd_kafka_topic_new")?
        }
    };
    producer.clients[client].is_used = true;
    producer.topics.insert(topic.to_string(), Some(client));
    drop(producer);
    call.recount(1)?;
    Ok(0)
}

/// `producer:has_topic(topic)`
fn has_topic(call: &mut Call<'_>) -> Result<usize, Error> {
    check_count(call, 2, 2)?;
    let producer = call.check_object::<Producer>(1)?;
    let is_there = producer.client_of(check_topic(call)?).is_some();
    call.push_bool(is_there)?;
    Ok(1)
}

/// `producer:destroy_topic(topic)`
fn destroy_topic(call: &mut Call<'_>) -> Result<usize, Error> {
    check_count(call, 2, 2)?;
    let mut producer = call.check_object_mut::<Producer>(1)?;
    // librdkafka remembers the topic, so it stays counted.
    if let Some(client) = producer.topics.get_mut(check_topic(call)?) {
        *client = None;
    }
    Ok(0)
}

/// `producer:send(topic, partition, sequence_id, message[, key[, headers[, timestamp]]])`: 0, or why it was not taken.
fn send(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut producer = check_producer(call, 5, 8)?;
    let topic = check_topic(call)?;
    let client = producer.client_of(topic).ok_or("invalid topic")?;
    let partition = call.check_integer(3)? as i32;
    let sequence = call.light_at(4);
    if sequence.is_none() && !call.is_nil(4) {
        return Err(call.type_error(4, "lightuserdata"));
    }
    if let Some(id) = sequence.filter(|_| producer.keeps_originals) {
        drop(producer);
        if let Some(refused) = wait_to_hold(call, id)? {
            call.push_number(refused as f64)?;
            return Ok(1);
        }
        producer = check_producer(call, 5, 8)?;
    }
    let mut buffer = std::mem::take(&mut producer.buffer);
    buffer.clear();
    let payload = match call.type_of(5) {
        Type::String => call.check_bytes(5)?,
        Type::Userdata => {
            match call.write_zero_copy(5, &mut buffer) {
                Some(written) => written.map_err(Error::new)?,
                None => return Err(Error::argument(5, "no zero copy support")),
            }
            if buffer.is_empty() {
                // There is nothing to send, so it has arrived.
                sequence
                    .into_iter()
                    .for_each(|id| producer.note_sent(call, id, 0));
                call.push_number(0.0)?;
                return Ok(1);
            }
            &buffer[..]
        }
        _ => return Err(call.type_error(5, "string or userdata")),
    };
    let record = Record {
        topic,
        partition,
        payload,
        key: call.opt_bytes(6)?,
        headers: headers(call)?,
        timestamp: call.opt_integer(8)?,
    };
    call.charge(u32::try_from(payload.len() / 16 + 64).unwrap_or(u32::MAX))?;
    let answer = producer.send(call, client, record, sequence)?;
    producer.buffer = buffer;
    call.push_number(answer as f64)?;
    Ok(1)
}

/// Waits a little until the current message can be held beside those under way, unless it already is; the answer of `send`
/// when it cannot.
fn wait_to_hold(call: &mut Call<'_>, sequence: u64) -> Result<Option<i64>, Error> {
    let len = call.with_message(|view| view.bytes().len()).unwrap_or(0);
    let until = Instant::now() + FULL_WAIT;
    loop {
        let mut producer = call.check_object_mut::<Producer>(1)?;
        let most = producer.held_max();
        let is_held = producer
            .open
            .get(&sequence)
            .is_some_and(|open| open.original.is_some());
        if is_held || len <= most.saturating_sub(producer.n_held) {
            return Ok(None);
        }
        if len > most {
            return Ok(Some(TOO_LARGE));
        }
        if !call.running() || Instant::now() >= until {
            return Ok(Some(QUEUE_FULL));
        }
        producer.serve(call, FULL_STEP);
        drop(producer);
        acknowledge(call)?;
    }
}

/// The headers in the table at argument 7, by name.
fn headers(call: &mut Call<'_>) -> Result<Option<OwnedHeaders>, Error> {
    if call.is_none_or_nil(7) {
        return Ok(None);
    }
    call.check_table(7)?;
    let mut pairs: Vec<(String, Vec<u8>)> = Vec::new();
    call.for_each(7, |call| {
        let name = call.bytes_at(-2).map(String::from_utf8_lossy);
        let (Some(name), Some(value)) = (name, call.text_at(-1)) else {
            return Err(Error::argument(7, "names and texts expected"));
        };
        if name.contains('\0') || pairs.len() == HEADERS_MAX {
            return Err(Error::argument(7, "too many headers, or a NUL in a name"));
        }
        let name = name.into_owned();
        call.charge(u32::try_from(name.len() + value.len()).unwrap_or(u32::MAX))?;
        call.check_memory(value.len())?;
        pairs.push((name, value));
        Ok(())
    })?;
    pairs.sort();
    let headers = OwnedHeaders::new_with_capacity(pairs.len());
    Ok(Some(pairs.iter().fold(headers, |headers, (key, value)| {
        headers.insert(Header {
            key,
            value: Some(value),
        })
    })))
}

/// `producer:poll()`: acknowledges what has arrived. When the plugin has to stop it waits for what is under way.
fn poll(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut producer = check_producer(call, 1, 1)?;
    let patience = producer.patience(call);
    producer.serve(call, patience);
    drop(producer);
    acknowledge(call)?;
    Ok(0)
}

/// `producer:flush(timeout)`: waits up to so many milliseconds; true when nothing is under way any more.
fn flush(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut producer = check_producer(call, 2, 2)?;
    let timeout = Duration::from_millis(call.check_integer(2)?.max(0) as u64).min(FLUSH_MAX);
    let until = Instant::now() + timeout;
    let is_done = loop {
        // In pieces, so that a stop is noticed.
        let left = until.saturating_duration_since(Instant::now());
        let piece = left.min(Duration::from_millis(100));
        let patience = match call.running() {
            true => piece,
            false => producer.patience(call).min(piece),
        };
        if producer.serve(call, patience) {
            break true;
        }
        if patience.is_zero() {
            break false;
        }
    };
    drop(producer);
    acknowledge(call)?;
    call.push_bool(is_done)?;
    Ok(1)
}

/// Tells `update_checkpoint`, as the plugin has it, what has arrived, and keeps what failed for good.
fn acknowledge(call: &mut Call<'_>) -> Result<(), Error> {
    loop {
        // The function may use the producer, so it is given back each time.
        let mut producer = call.check_object_mut::<Producer>(1)?;
        let Some((sequence, open)) = producer.ready.pop_front() else {
            return Ok(());
        };
        producer.n_held -= open.held();
        drop(producer);
        if let (Some(message), Some(reason)) = (&open.original, &open.reason) {
            call.dead_letter(DeadLetter::Message(message), reason);
        }
        call.acknowledge(sequence, u64::from(open.n_failed))?;
    }
}

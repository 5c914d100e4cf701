//! Consumers: messages of topics, alone or as a member of a group.
//!
//! Offsets are committed by us and never by librdkafka: first the plugin has asked for the next message, then what it
//! injected is safe in the engine's queue, then the offset goes to the broker. The same happens before a partition is
//! given away, so that the next member goes on just behind.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{
    BaseConsumer, CommitMode, Consumer as _, ConsumerContext, RebalanceProtocol,
};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};
use sandbox::Intake;
use sandbox::native::{Call, Class, Error, Function, Object, ObjectMut, Type, function};

use crate::lines::Lines;
use crate::offsets::{Offsets, Place};
use crate::settings::{self, Properties, Room};
use crate::{check_count, closing};

/// How long `receive` waits for a message, as in the public module.
const WAIT: Duration = Duration::from_secs(1);
/// A stop is noticed this soon.
const SLICE: Duration = Duration::from_millis(50);
/// Offsets are committed so often unless `auto.commit.interval.ms` says otherwise.
const COMMIT_EVERY: Duration = Duration::from_secs(1);
/// How long the queue may take to make safe what was injected; beyond it the commit is left for the next time.
const SAFE_WITHIN: Duration = Duration::from_secs(3);
/// How long one question to the broker about offsets may take.
const ASK_WITHIN: Duration = Duration::from_secs(1);
/// How long a consumer that is dropped is waited for: it commits and leaves its group.
const END_MAX: Duration = Duration::from_secs(3);
/// How long nothing more is fetched once the queue of fetched messages is full, in milliseconds, unless the owner says so.
const FULL_BACKOFF_MS: u64 = 10;
/// Most topics of a consumer.
const TOPICS_MAX: usize = 10_000;
/// Most partitions that a log line names.
const NAMED_MAX: usize = 20;

/// What the callbacks of a client need.
struct Context {
    lines: Lines,
    /// Guards how far the partitions are read.
    offsets: Mutex<Offsets>,
    /// The engine's queue; none where the plugin is no input.
    intake: Option<Arc<dyn Intake>>,
    /// Whether offsets are committed without the plugin's saying so.
    commits_itself: bool,
    /// Where partitions begin that the group has no offset of, in milliseconds since 1970.
    start_ms: Option<i64>,
    /// Guards partitions that are ours once their start is found.
    unresolved: Mutex<Option<TopicPartitionList>>,
    /// Guards what the last commit failed with, so that it is said once.
    commit_error: Mutex<Option<KafkaError>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        self.lines.log(level, facility, text);
    }

    fn stats_raw(&self, statistics: &[u8]) {
        let text = String::from_utf8_lossy(statistics).into_owned();
        self.lines.add(6, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.lines.error(&error, reason);
    }
}

impl ConsumerContext for Context {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        what: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        let done = match what {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => self.gain(consumer, list),
            _ => self.lose(consumer, list),
        };
        if let Err(error) = done {
            self.lines
                .add(3, format!("kafka: rebalance failed: {error}"));
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, list: &TopicPartitionList) {
        let mut last = lock(&self.commit_error);
        let Err(error) = result else {
            *last = None;
            return;
        };
        // Nothing to commit is no failure.
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::NoOffset) {
            return;
        }
        lock(&self.offsets).take_back(&places_of(list));
        if last.as_ref() != Some(&error) {
            self.lines
                .add(4, format!("kafka: offsets were not committed: {error}"));
            *last = Some(error);
        }
    }
}

impl Context {
    /// Partitions are ours from now on.
    fn gain(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList) -> KafkaResult<()> {
        self.lines
            .add(6, format!("kafka: assigned {}", names_of(list)));
        if self.start_ms.is_some() && list.count() > 0 {
            *lock(&self.unresolved) = Some(list.clone());
            self.resolve(consumer);
            return Ok(());
        }
        assign(consumer, list)
    }

    /// Partitions have to be given away: what is done of them is committed first, unless it is too late.
    fn lose(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList) -> KafkaResult<()> {
        let is_lost = consumer.assignment_lost();
        let verb = if is_lost { "lost" } else { "revoked" };
        self.lines
            .add(6, format!("kafka: {verb} {}", names_of(list)));
        if self.commits_itself && !is_lost {
            self.commit(consumer, CommitMode::Sync);
        }
        let mut offsets = lock(&self.offsets);
        for element in list.elements() {
            offsets.forget(element.topic(), element.partition());
        }
        drop(offsets);
        *lock(&self.unresolved) = None;
        match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_unassign(list),
            _ => consumer.unassign(),
        }
    }

    /// Commits what is done and safe; false when it is not safe in time.
    fn commit(&self, consumer: &BaseConsumer<Self>, mode: CommitMode) -> bool {
        let due = lock(&self.offsets).due();
        if due.is_empty() {
            return true;
        }
        let is_safe = |intake: &Arc<dyn Intake>| intake.commit(intake.appended(), SAFE_WITHIN);
        if !self.intake.as_ref().is_none_or(is_safe) {
            let text = "kafka: offsets were not committed: the queue is not safe in time";
            self.lines.add(4, text.into());
            return false;
        }
        // Before the answer, which may come at once.
        lock(&self.offsets).commit(&due);
        let list = list_of(&due);
        if let Err(error) = consumer.commit(&list, mode) {
            self.commit_callback(Err(error), &list);
        }
        true
    }

    /// Finds where the partitions that wait for it begin, and takes them; they go on waiting while no broker answers.
    fn resolve(&self, consumer: &BaseConsumer<Self>) {
        let Some(mut list) = lock(&self.unresolved).take() else {
            return;
        };
        let found = self.find_start(consumer, &mut list);
        match found.and_then(|()| assign(consumer, &list)) {
            Ok(()) => {
                let text = format!("kafka: found the start of {}", names_of(&list));
                self.lines.add(6, text);
            }
            Err(error) => {
                let text = format!("kafka: where to start is not known yet: {error}");
                self.lines.add(4, text);
                *lock(&self.unresolved) = Some(list);
            }
        }
    }

    /// Gives the partitions that the group has no offset of the offset of the start.
    fn find_start(
        &self,
        consumer: &BaseConsumer<Self>,
        list: &mut TopicPartitionList,
    ) -> KafkaResult<()> {
        let Some(start_ms) = self.start_ms else {
            return Ok(());
        };
        let mut times = TopicPartitionList::new();
        for element in consumer
            .committed_offsets(list.clone(), ASK_WITHIN)?
            .elements()
        {
            element.error()?;
            if element.offset() == Offset::Invalid {
                let time = Offset::Offset(start_ms);
                times.add_partition_offset(element.topic(), element.partition(), time)?;
            }
        }
        if times.count() == 0 {
            return Ok(());
        }
        for element in consumer.offsets_for_times(times, ASK_WITHIN)?.elements() {
            element.error()?;
            let (topic, partition) = (element.topic(), element.partition());
            let offset = match element.offset() {
                // None is as young: the next one that comes. As a number, so that it stands before one does.
                Offset::End => {
                    let (_, end) = consumer.fetch_watermarks(topic, partition, ASK_WITHIN)?;
                    Offset::Offset(end)
                }
                offset => offset,
            };
            list.set_partition_offset(topic, partition, offset)?;
        }
        Ok(())
    }
}

fn assign(consumer: &BaseConsumer<Context>, list: &TopicPartitionList) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_assign(list),
        _ => consumer.assign(list),
    }
}

fn places_of(list: &TopicPartitionList) -> Vec<Place> {
    let raw = |offset: Offset| offset.to_raw().unwrap_or(-1);
    let elements = list.elements();
    let place = elements
        .iter()
        .map(|at| (at.topic().to_string(), at.partition(), raw(at.offset())));
    place.collect()
}

fn list_of(places: &[Place]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(places.len());
    for (topic, partition, offset) in places {
        list.add_partition_offset(topic, *partition, Offset::Offset(*offset))
            .expect("offsets of messages are valid");
    }
    list
}

fn names_of(list: &TopicPartitionList) -> String {
    let elements = list.elements();
    let name = |at: &rdkafka::topic_partition_list::TopicPartitionListElem<'_>| {
        format!("{}:{}", at.topic(), at.partition())
    };
    let names: Vec<String> = elements.iter().take(NAMED_MAX).map(name).collect();
    match elements.len() {
        0 => "no partitions".into(),
        n if n > NAMED_MAX => format!("{} and {} more", names.join(" "), n - NAMED_MAX),
        _ => names.join(" "),
    }
}

/// A consumer of a plugin.
pub struct Consumer {
    /// Always there until the consumer is dropped.
    native: Option<BaseConsumer<Context>>,
    room: Room,
    every: Duration,
    committed: Instant,
    /// Why no more messages are given: one was taken and could not be handed over.
    broken: Option<String>,
}

const METHODS: &[(&str, Function)] =
    &[("commit", function(commit)), ("receive", function(receive))];

impl Object for Consumer {
    fn class() -> Class {
        Class {
            name: "mozsvc.kafka_consumer",
            methods: METHODS,
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        self.room.counted()
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        // It leaves its group and commits what is done; the newest message may not be.
        let native = self.native.take();
        closing::within(END_MAX, move || drop(native));
    }
}

impl Consumer {
    fn native(&self) -> &BaseConsumer<Context> {
        self.native.as_ref().expect("is there until the drop")
    }
}

/// `consumer(brokers, topics, conf[, topic_conf[, start_ms]])`: a consumer.
pub fn new(call: &mut Call<'_>) -> Result<usize, Error> {
    check_count(call, 3, 5)?;
    let brokers = call.check_bytes(1)?;
    call.check_table(2)?;
    if call.raw_len(2) == 0 {
        return Err(Error::argument(2, "the topics array is empty"));
    }
    call.check_table(3)?;
    let mut properties = settings::read(call, 3)?;
    settings::check(&properties)?;
    if !properties.contains_key("group.id") {
        return Err(Error::new("group.id must be set"));
    }
    let topic_conf = settings::read(call, 4)?;
    settings::check_topic(&topic_conf)?;
    let start_ms = call.opt_integer(5)?;
    settings::add_brokers(&mut properties, brokers)?;
    let topics = topics(call)?;
    let room = Room::new(call, false)?;
    for line in room.bound_consumer(&mut properties) {
        call.log(6, &line);
    }
    // librdkafka's own second is long where little memory holds little: then most of the time nothing comes.
    let backoff = properties.entry("fetch.queue.backoff.ms".into());
    backoff.or_insert_with(|| FULL_BACKOFF_MS.to_string());
    let (commits_itself, every) = take_commits(&mut properties, topic_conf);
    let context = Context {
        lines: Lines::default(),
        offsets: Mutex::default(),
        intake: call.intake(),
        commits_itself,
        start_ms,
        unresolved: Mutex::default(),
        commit_error: Mutex::default(),
    };
    let native: BaseConsumer<Context> = settings::make(&properties, context)
        .map_err(|why| settings::not_made("rd_kafka_new", &why))?;
    subscribe(&native, &topics)?;
    call.push_object(Consumer {
        native: Some(native),
        room,
        every,
        committed: Instant::now(),
        broken: None,
    })?;
    Ok(1)
}

/// Turns librdkafka's own commits off; whether there are to be any, and how often.
fn take_commits(properties: &mut Properties, topic_conf: Properties) -> (bool, Duration) {
    let given = properties.get("enable.auto.commit");
    let given = given.map(|text| text.to_ascii_lowercase());
    let commits = !matches!(given.as_deref(), Some("false" | "f" | "0"));
    let interval = "auto.commit.interval.ms";
    let given = topic_conf
        .get(interval)
        .or_else(|| properties.get(interval));
    let every = given.and_then(|text| text.parse().ok());
    properties.extend(topic_conf);
    settings::drop_old_offsets(properties);
    properties.remove("auto.commit.enable");
    properties.remove(interval);
    properties.insert("enable.auto.commit".into(), "false".into());
    properties.insert("enable.auto.offset.store".into(), "false".into());
    (commits, every.map_or(COMMIT_EVERY, Duration::from_millis))
}

/// A topic with a partition, or all of a topic.
type Wanted = (String, Option<i32>);

/// The topics in the table at argument 2.
fn topics(call: &mut Call<'_>) -> Result<Vec<Wanted>, Error> {
    let mut topics = Vec::new();
    call.for_each(2, |call| {
        if call.type_of(-2) != Type::Number || call.type_of(-1) != Type::String {
            return Err(Error::bare("topics must be an array of strings"));
        }
        call.charge(1)?;
        let text = String::from_utf8_lossy(call.bytes_at(-1).unwrap_or_default()).into_owned();
        if text.contains('\0') || topics.len() == TOPICS_MAX {
            return Err(Error::bare("too many topics, or a NUL in a name"));
        }
        topics.push(match text.split_once(':') {
            Some((topic, partition)) => (topic.to_string(), Some(partition_of(partition)?)),
            None => (text, None),
        });
        Ok(())
    })?;
    Ok(topics)
}

/// The number that a text begins with, as C reads it.
fn partition_of(text: &str) -> Result<i32, Error> {
    let text = text.trim_start();
    let (is_negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let digits = digits.chars().map_while(|digit| digit.to_digit(10));
    let number = digits.fold(0i64, |number, digit| {
        number.saturating_mul(10).saturating_add(i64::from(digit))
    });
    match i32::try_from(number) {
        Ok(0) => Ok(0),
        _ if is_negative => Err(Error::bare("invalid topic partition < 0")),
        Ok(number) => Ok(number),
        Err(_) => Err(Error::bare("invalid topic partition > INT32_MAX")),
    }
}

/// Joins the group, or takes the named partitions if any is named.
fn subscribe(consumer: &BaseConsumer<Context>, topics: &[Wanted]) -> Result<(), Error> {
    if topics.iter().all(|(_, partition)| partition.is_none()) {
        let names: Vec<&str> = topics.iter().map(|(topic, _)| topic.as_str()).collect();
        return consumer
            .subscribe(&names)
            .map_err(|error| Error::bare(format!("rd_kafka_subscribe failed: {error}")));
    }
    let mut list = TopicPartitionList::new();
    for (topic, partition) in topics {
        list.add_partition(topic, partition.unwrap_or(-1));
    }
    let context = consumer.context();
    if context.start_ms.is_some() {
        *lock(&context.unresolved) = Some(list);
        return Ok(());
    }
    consumer
        .assign(&list)
        .map_err(|error| Error::bare(format!("rd_kafka_assign failed: {error}")))
}

fn check_consumer<'a>(call: &Call<'a>) -> Result<ObjectMut<'a, Consumer>, Error> {
    let consumer = call.check_object_mut::<Consumer>(1)?;
    check_count(call, 1, 1)?;
    Ok(consumer)
}

/// `consumer:receive()`: message, topic, partition, key, offset, timestamp and headers, or nothing within a second.
fn receive(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut consumer = check_consumer(call)?;
    if let Some(why) = &consumer.broken {
        return Err(Error::new(why.clone()));
    }
    lock(&consumer.native().context().offsets).finish();
    commit_if_due(&mut consumer);
    let until = Instant::now() + WAIT;
    loop {
        let native = consumer.native();
        let context = native.context();
        context.resolve(native);
        let polled = native.poll(SLICE);
        context.lines.drain(call);
        match polled {
            Some(Ok(message)) => {
                let pushed = push_message(call, &message);
                let (topic, partition, offset) =
                    (message.topic(), message.partition(), message.offset());
                if let Err(error) = pushed {
                    let len = message.payload_len();
                    let text = format!(
                        "topic: {topic} partition: {partition} offset: {offset}: a message of {len} bytes does not fit \
                         into memory_limit"
                    );
                    drop(message);
                    consumer.broken = Some(text);
                    return Err(error);
                }
                lock(&context.offsets).receive(topic, partition, offset);
                return Ok(7);
            }
            Some(Err(error)) => check_error(&error)?,
            None => {}
        }
        if !call.running() || Instant::now() >= until {
            (0..7).try_for_each(|_| call.push_nil())?;
            return Ok(7);
        }
    }
}

/// Raises what the public module raises, and what will not end; all else was logged and is tried again by librdkafka.
fn check_error(error: &KafkaError) -> Result<(), Error> {
    let is_final = matches!(error, KafkaError::MessageConsumptionFatal(_))
        || matches!(
            error.rdkafka_error_code(),
            Some(RDKafkaErrorCode::UnknownPartition | RDKafkaErrorCode::UnknownTopic)
        );
    match is_final {
        true => Err(Error::bare(format!("kafka err: {error}"))),
        false => Ok(()),
    }
}

fn commit_if_due(consumer: &mut Consumer) {
    let native = consumer.native();
    if !native.context().commits_itself || consumer.committed.elapsed() < consumer.every {
        return;
    }
    native.context().commit(native, CommitMode::Async);
    consumer.committed = Instant::now();
}

/// Pushes the seven results.
fn push_message(call: &mut Call<'_>, message: &BorrowedMessage<'_>) -> Result<(), Error> {
    call.charge(u32::try_from(message.payload_len() / 16 + 64).unwrap_or(u32::MAX))?;
    let payload = message.payload().unwrap_or_default();
    call.check_memory(payload.len())?;
    call.push_bytes(payload)?;
    call.push_bytes(message.topic())?;
    call.push_number(f64::from(message.partition()))?;
    match message.key().filter(|key| !key.is_empty()) {
        Some(key) => call.push_bytes(key)?,
        None => call.push_nil()?,
    }
    call.push_number(message.offset() as f64)?;
    match message.timestamp().to_millis() {
        Some(time) => call.push_number(time as f64)?,
        None => call.push_nil()?,
    }
    let Some(headers) = message.headers().filter(|headers| headers.count() > 0) else {
        return call.push_nil();
    };
    call.push_table(0, headers.count())?;
    for header in headers.iter() {
        call.charge(16)?;
        call.push_bytes(header.value.unwrap_or_default())?;
        call.raw_set_field(-2, header.key)?;
    }
    Ok(())
}

/// `consumer:commit()`: all messages received so far are done. True, or nil and the reason.
fn commit(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut consumer = check_consumer(call)?;
    let native = consumer.native();
    let context = native.context();
    lock(&context.offsets).finish();
    let is_safe = context.commit(native, CommitMode::Async);
    context.lines.drain(call);
    consumer.committed = Instant::now();
    drop(consumer);
    if is_safe {
        call.push_bool(true)?;
        return Ok(1);
    }
    call.push_nil()?;
    call.push_bytes("not safe in the queue yet")?;
    Ok(2)
}

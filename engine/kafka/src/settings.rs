//! The settings of a client: librdkafka's properties from Lua tables, what is refused, and what keeps a client within the
//! plugin's memory.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::KafkaError;
use rdkafka::{ClientConfig, ClientContext};
use sandbox::native::{Call, Error, Type};
use stdx::secret::Secret;

/// Properties by name.
pub type Properties = BTreeMap<String, String>;

/// Most properties in a table; librdkafka knows fewer.
const PROPERTIES_MAX: usize = 256;

/// Properties that would bring code, programs or listeners into the engine.
const REFUSED: [&str; 5] = [
    "plugin.library.paths",
    "sasl.kerberos.kinit.cmd",
    "ssl.engine.location",
    "test.mock.broker.rtt",
    "test.mock.num.brokers",
];

/// Properties that nobody should see; a configuration may say where they are instead.
const SECRETS: [&str; 6] = [
    "sasl.oauthbearer.client.secret",
    "sasl.password",
    "ssl.certificate.pem",
    "ssl.key.password",
    "ssl.key.pem",
    "ssl.keystore.password",
];

/// Offsets are always kept by the broker, as in the public module.
const OF_OLD_OFFSETS: [&str; 3] = [
    "offset.store.method",
    "offset.store.path",
    "offset.store.sync.interval.ms",
];

/// What may stand in the configuration of a topic; librdkafka itself tells its two kinds apart only in C.
const OF_TOPICS: [&str; 20] = [
    "acks",
    "auto.commit.enable",
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "compression.codec",
    "compression.level",
    "compression.type",
    "consume.callback.max.messages",
    "delivery.timeout.ms",
    "enable.auto.commit",
    "message.timeout.ms",
    "msg_order_cmp",
    "offset.store.method",
    "offset.store.path",
    "offset.store.sync.interval.ms",
    "partitioner",
    "produce.offset.report",
    "queuing.strategy",
    "request.required.acks",
    "request.timeout.ms",
];

/// Least memory for a client's queue, in bytes: one message of Kafka's usual limit does not fit into less.
const QUEUE_MIN: usize = 256 * 1024;
/// What a client holds beside its queue, in bytes: threads, buffers, what it knows of the brokers.
const FIXED: usize = 128 * 1024;
/// What librdkafka keeps of each message beside its bytes, at least.
const PER_MESSAGE: usize = 512;

/// Most clients that could not be made, in the life of the process: the crate loses the memory of their configuration.
const FAILED_MAX: usize = 1_000;
static N_FAILED: AtomicUsize = AtomicUsize::new(0);

/// What a client may hold in its queue.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// In bytes; none where the plugin has no memory limit.
    pub queue: Option<usize>,
    /// Whether as much is held beside it: the messages of what is in the queue.
    pub holds_originals: bool,
}

impl Room {
    /// Half of what the plugin has left; with what is held beside the queue, two thirds.
    ///
    /// # Errors
    /// When that is too little.
    pub fn new(call: &Call<'_>, holds_originals: bool) -> Result<Room, Error> {
        let n_parts = 2 + usize::from(holds_originals);
        call.check_memory(n_parts * (QUEUE_MIN + FIXED))?;
        let part = call.memory_left().map(|left| left / n_parts);
        match part.map(|part| part.saturating_sub(FIXED)) {
            Some(queue) if queue < QUEUE_MIN => Err(Error::memory()),
            queue => Ok(Room {
                queue,
                holds_originals,
            }),
        }
    }

    /// What is counted to the plugin's memory for a client, in bytes.
    pub fn counted(&self) -> usize {
        FIXED + self.queue.unwrap_or(0) * (1 + usize::from(self.holds_originals))
    }

    /// Lowers the sizes of a producer's queue to the room; says which the owner had set higher.
    pub fn bound_producer(&self, properties: &mut Properties) -> Vec<String> {
        let mut lowered = Vec::new();
        if let Some(queue) = self.queue {
            let mut cap = |name, usual, most| lowered.extend(lower(properties, name, usual, most));
            cap("queue.buffering.max.kbytes", 1_048_576, queue / 1024);
            cap("queue.buffering.max.messages", 100_000, queue / PER_MESSAGE);
        }
        lowered
    }

    /// As [`Room::bound_producer`], for what a consumer fetches ahead. The sizes of a request follow by themselves.
    pub fn bound_consumer(&self, properties: &mut Properties) -> Vec<String> {
        let mut lowered = Vec::new();
        if let Some(queue) = self.queue {
            let mut cap = |name, usual, most| lowered.extend(lower(properties, name, usual, most));
            cap("queued.max.messages.kbytes", 65_536, queue / 1024);
            cap("queued.min.messages", 100_000, queue / PER_MESSAGE);
        }
        lowered
    }
}

/// Sets a number that is missing, unlimited or too high to the most it may be; the text for the log if the owner had set it.
fn lower(properties: &mut Properties, name: &str, usual: usize, most: usize) -> Option<String> {
    let given = properties.get(name).map(|text| text.parse::<i64>());
    let is_fine = |n: i64| n > 0 && n as u64 <= most as u64;
    match given {
        Some(Ok(n)) if is_fine(n) => None,
        None => {
            properties.insert(name.into(), usual.min(most).to_string());
            None
        }
        Some(n) => {
            properties.insert(name.into(), most.to_string());
            let found = n.map_or_else(|_| "no number".into(), |n| n.to_string());
            Some(format!(
                "{name} = {most} instead of {found}, to stay within memory_limit"
            ))
        }
    }
}

/// The properties in the table at `i`; none for nil and nothing.
///
/// # Errors
/// When the value is no table, or what is in it no property.
pub fn read(call: &mut Call<'_>, i: i32) -> Result<Properties, Error> {
    let mut properties = Properties::new();
    if call.is_none_or_nil(i) {
        return Ok(properties);
    }
    call.check_table(i)?;
    call.for_each(i, |call| {
        if call.type_of(-2) != Type::String {
            let found = call.type_name(-2);
            return Err(Error::bare(format!("invalid config key type: {found}")));
        }
        let name = String::from_utf8_lossy(call.bytes_at(-2).unwrap_or_default()).into_owned();
        let value = match call.type_of(-1) {
            Type::String => {
                String::from_utf8_lossy(call.bytes_at(-1).unwrap_or_default()).into_owned()
            }
            Type::Number => whole_number(call.number_at(-1).unwrap_or(f64::NAN)),
            Type::Boolean => call.is_true(-1).to_string(),
            other => {
                let found = other.name();
                return Err(Error::bare(format!("invalid config value type: {found}")));
            }
        };
        call.charge(u32::try_from(name.len() + value.len()).unwrap_or(u32::MAX))?;
        let value = revealed(&name, value)?;
        properties.insert(name, value);
        match properties.len() > PROPERTIES_MAX {
            true => Err(Error::bare("too many config keys")),
            false => Ok(()),
        }
    })?;
    Ok(properties)
}

/// The secret itself where the value of a secret property says where it is: `file:<path>` or `env:<NAME>`.
fn revealed(name: &str, value: String) -> Result<String, Error> {
    match Secret::from_text(&value) {
        Ok(secret) if SECRETS.contains(&name) => {
            let found = secret.read();
            found.map_err(|why| Error::bare(format!("Failed to set {name} : {why}")))
        }
        _ => Ok(value),
    }
}

/// A number as librdkafka reads it: without what follows the decimal point.
fn whole_number(number: f64) -> String {
    match number.is_finite() {
        true => (number as i64).to_string(),
        false => number.to_string(),
    }
}

/// Fails at the first property that librdkafka or we refuse.
///
/// # Errors
/// With the public module's text.
pub fn check(properties: &Properties) -> Result<(), Error> {
    for (name, value) in properties {
        if REFUSED.contains(&name.as_str()) {
            return Err(refused(name, value, "not allowed in a plugin"));
        }
        let single = Properties::from([(name.clone(), value.clone())]);
        config(&single)
            .create_native_config()
            .map_err(|error| match error {
                KafkaError::ClientConfig(_, why, _, _) => refused(name, value, &why),
                other => refused(name, value, &other.to_string()),
            })?;
    }
    Ok(())
}

/// As [`check`], for the configuration of a topic.
///
/// # Errors
/// As [`check`]; for what is no property of a topic too.
pub fn check_topic(properties: &Properties) -> Result<(), Error> {
    let stranger = |name: &&String| !OF_TOPICS.contains(&name.as_str());
    if let Some(name) = properties.keys().find(stranger) {
        let why = format!("No such configuration property: \"{name}\"");
        return Err(refused(name, &properties[name], &why));
    }
    check(properties)
}

fn refused(name: &str, value: &str, why: &str) -> Error {
    if SECRETS.contains(&name) {
        return Error::bare(format!("Failed to set {name} : {why}"));
    }
    Error::bare(format!("Failed to set {name} = {value} : {why}"))
}

/// The properties in the form that makes clients.
pub fn config(properties: &Properties) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.extend(properties.clone());
    let level = properties
        .get("log_level")
        .and_then(|level| level.parse().ok());
    config.set_log_level(level_of(level.unwrap_or(6)));
    config
}

/// Makes a client.
///
/// # Errors
/// librdkafka's words when the properties do not go together.
pub fn make<C, T>(properties: &Properties, context: C) -> Result<T, String>
where
    C: ClientContext,
    T: FromClientConfigAndContext<C>,
{
    if N_FAILED.load(Ordering::Relaxed) >= FAILED_MAX {
        return Err("too many clients could not be made".into());
    }
    let made = T::from_config_and_context(&config(properties), context);
    made.map_err(|error| {
        N_FAILED.fetch_add(1, Ordering::Relaxed);
        match error {
            KafkaError::ClientCreation(why) | KafkaError::ClientConfig(_, why, _, _) => why,
            other => other.to_string(),
        }
    })
}

/// The error for a client that could not be made by the function `what` of librdkafka.
pub fn not_made(what: &str, why: &str) -> Error {
    Error::new(format!("{what} failed: {why}"))
}

fn level_of(severity: u8) -> RDKafkaLogLevel {
    match severity {
        0..=3 => RDKafkaLogLevel::Error,
        4 => RDKafkaLogLevel::Warning,
        5 => RDKafkaLogLevel::Notice,
        6 => RDKafkaLogLevel::Info,
        _ => RDKafkaLogLevel::Debug,
    }
}

/// Takes the brokers into the properties, beside those that are there, and gives the client our name if it has none.
///
/// # Errors
/// `invalid broker list` when not a single broker is named.
pub fn add_brokers(properties: &mut Properties, list: &[u8]) -> Result<(), Error> {
    let list = String::from_utf8_lossy(list);
    let protocol = properties.get("security.protocol");
    let protocol = protocol.map_or("plaintext", String::as_str);
    let is_broker = |entry: &&str| match entry.split_once("://") {
        Some((scheme, host)) => scheme.eq_ignore_ascii_case(protocol) && !host.is_empty(),
        None => !entry.is_empty(),
    };
    let mut brokers: Vec<&str> = list.split(',').map(str::trim).filter(is_broker).collect();
    if brokers.is_empty() {
        return Err(Error::new("invalid broker list"));
    }
    let (old, older) = (
        properties.remove("bootstrap.servers"),
        properties.remove("metadata.broker.list"),
    );
    brokers.extend(old.as_deref());
    brokers.extend(older.as_deref());
    let brokers = brokers.join(",");
    properties.insert("bootstrap.servers".into(), brokers);
    properties
        .entry("client.id".into())
        .or_insert("foresight".into());
    Ok(())
}

/// Takes out what the public module overrides.
pub fn drop_old_offsets(properties: &mut Properties) {
    properties.retain(|name, _| !OF_OLD_OFFSETS.contains(&name.as_str()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(pairs: &[(&str, &str)]) -> Properties {
        let own = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        pairs.iter().map(own).collect()
    }

    #[test]
    fn sizes_are_lowered_to_the_room() {
        let room = Room {
            queue: Some(1 << 20),
            holds_originals: false,
        };
        let mut unset = Properties::new();
        assert!(room.bound_producer(&mut unset).is_empty());
        assert_eq!(unset["queue.buffering.max.kbytes"], "1024");
        assert_eq!(unset["queue.buffering.max.messages"], "2048");
        let mut low = properties(&[("queued.max.messages.kbytes", "1000")]);
        assert!(room.bound_consumer(&mut low).is_empty());
        assert_eq!(low["queued.max.messages.kbytes"], "1000");
        let mut high = properties(&[("queued.max.messages.kbytes", "65536")]);
        let said =
            "queued.max.messages.kbytes = 1024 instead of 65536, to stay within memory_limit";
        assert_eq!(room.bound_consumer(&mut high), [said]);
        for odd in ["0", "-1", "99999999999999999999", "x"] {
            let mut odd = properties(&[("queue.buffering.max.messages", odd)]);
            assert_eq!(room.bound_producer(&mut odd).len(), 1);
            assert_eq!(odd["queue.buffering.max.messages"], "2048");
        }
    }

    #[test]
    fn without_a_limit_the_sizes_are_the_owners() {
        let room = Room {
            queue: None,
            holds_originals: false,
        };
        let mut unset = Properties::new();
        assert!(room.bound_producer(&mut unset).is_empty() && unset.is_empty());
    }

    #[test]
    fn brokers_are_gathered() {
        let list = |text: &str, start: &[(&str, &str)]| {
            let mut properties = properties(start);
            let found = add_brokers(&mut properties, text.as_bytes());
            found.ok().map(|()| properties["bootstrap.servers"].clone())
        };
        assert_eq!(list("a:1, b", &[]).as_deref(), Some("a:1,b"));
        assert_eq!(
            list("a", &[("bootstrap.servers", "c")]).as_deref(),
            Some("a,c")
        );
        assert_eq!(list("PLAINTEXT://a", &[]).as_deref(), Some("PLAINTEXT://a"));
        for wrong in ["", " , ,", "ssl://a", "plaintext://"] {
            assert_eq!(list(wrong, &[]), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_are_whole() {
        assert_eq!(whole_number(3.9), "3");
        assert_eq!(whole_number(9e15), "9000000000000000");
        assert_eq!(whole_number(f64::NAN), "NaN");
    }
}

//! Files that inputs read, made from a seed: an access log and a stream of framed messages.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use schemas::encode::Encoder;
use schemas::frame::FrameBuf;
use stdx::seed::Random;

/// Everything is made from this seed, so that all runs on all machines read the same bytes.
const SEED: u64 = 0x5eed_f05e;

const METHODS: &[&str] = &[
    "GET", "GET", "GET", "GET", "GET", "GET", "POST", "POST", "HEAD", "PUT", "OPTIONS",
];
const STATUSES: &[u16] = &[
    200, 200, 200, 200, 200, 200, 204, 206, 301, 302, 304, 304, 400, 403, 404, 404, 499, 500, 502,
];
const WORDS: &[&str] = &[
    "api",
    "v1",
    "v2",
    "users",
    "static",
    "images",
    "css",
    "js",
    "blog",
    "2026",
    "archive",
    "search",
    "cart",
    "checkout",
    "product",
    "index.html",
    "logo.svg",
    "app.min.js",
    "feed.xml",
    "%E2%82%AC-prices",
    "robots.txt",
];
const KEYS: &[&str] = &["q", "page", "utm_source", "id", "session", "lang", "sort"];
const REFERERS: &[&str] = &[
    "https://www.example.com/",
    "https://search.example.org/results",
    "http://news.example.net/item",
    "https://blog.example.com/2026/11/a-long-title-of-a-post-about-nothing",
    "android-app://com.example.mail/",
];
const AGENTS: &[(&str, &str)] = &[
    (
        "Mozilla/5.0 (X11; Linux x86_64; rv:",
        ".0) Gecko/20100101 Firefox/128.0",
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/",
        ".0.0.0 Safari/537.36",
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_",
        " like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    ),
    (
        "Mozilla/5.0 (compatible; Crawler/",
        ".1; +https://crawler.example.com/bot.html)",
    ),
    ("curl/8.", ".1"),
    ("python-requests/2.", ".0"),
];
/// What scanners and broken clients send where a request line belongs.
const BROKEN_REQUESTS: &[&str] = &["-", "", "\\x16\\x03\\x01\\x02\\x00", "GET /", "QUIT"];
const MONTHS: &[&str] = &[
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// An access log of nginx in the combined format with `lines` lines, in `folder`; made once.
///
/// # Errors
/// When the file system refuses.
pub fn access_log(folder: &Path, lines: u64) -> Result<PathBuf> {
    make(&folder.join(format!("access-{lines}.log")), |out| {
        let mut random = Random::from_seed(SEED);
        for line in 0..lines {
            access_line(out, &mut random, line)?;
        }
        Ok(())
    })
}

/// `count` framed messages of about 220 bytes with a payload and six fields, in `folder`; made once.
///
/// # Errors
/// When the file system refuses.
pub fn frames(folder: &Path, count: u64) -> Result<PathBuf> {
    make(&folder.join(format!("frames-{count}.log")), |out| {
        let mut random = Random::from_seed(SEED);
        let mut frame = FrameBuf::new();
        for number in 0..count {
            frame.clear();
            encode_message(&mut Encoder::new(frame.message()), &mut random, number);
            out.write_all(frame.finish())?;
        }
        Ok(())
    })
}

/// What the items of a JSON document are.
#[derive(Clone, Copy, Debug)]
pub enum Document {
    /// Objects as logs have them.
    Records,
    /// Numbers alone.
    Numbers,
    /// Texts alone.
    Texts,
}

impl Document {
    fn name(self) -> &'static str {
        match self {
            Document::Records => "records",
            Document::Numbers => "numbers",
            Document::Texts => "texts",
        }
    }
}

/// A JSON array of at least `len` bytes, and hardly more, in `folder`; made once.
///
/// # Errors
/// When the file system refuses.
pub fn document(folder: &Path, document: Document, len: usize) -> Result<PathBuf> {
    let name = format!("{}-{len}.json", document.name());
    make(&folder.join(name), |out| {
        let mut random = Random::from_seed(SEED);
        let mut text = String::new();
        while text.len() < len {
            text.push(if text.is_empty() { '[' } else { ',' });
            match document {
                Document::Records => text.push_str(&record(&mut random)),
                Document::Numbers => text.push_str(&number(&mut random)),
                Document::Texts => {
                    let n_words = 1 + random.below(12);
                    text.push_str(&format!("{:?}", words(&mut random, n_words)));
                }
            }
        }
        text.push(']');
        Ok(out.write_all(text.as_bytes())?)
    })
}

fn record(random: &mut Random) -> String {
    format!(
        "{{\"timestamp\":{},\"hostname\":\"{}\",\"severity\":{},\"pid\":{},\"request\":{{\"method\":\"GET\",\
         \"path\":\"/{}\",\"status\":{},\"bytes\":{},\"duration\":{}.{:03}}},\"user_agent\":\"{}\",\
         \"tags\":[\"{}\",\"{}\"],\"ok\":true,\"error\":null}}",
        1_700_000_000 + random.below(1_000_000),
        words(random, 1),
        random.below(8),
        random.below(65_536),
        words(random, 1),
        200 + random.below(300),
        random.below(1_000_000),
        random.below(10),
        random.below(1_000),
        words(random, 6),
        words(random, 1),
        words(random, 1),
    )
}

fn number(random: &mut Random) -> String {
    match random.one_in(2) {
        true => random.below(1_000_000).to_string(),
        false => format!("{}.{}", random.below(10_000), random.below(100_000_000)),
    }
}

/// Words of 3 to 11 small letters, between blanks.
fn words(random: &mut Random, n_words: u64) -> String {
    let mut text = String::new();
    for i in 0..n_words {
        if i > 0 {
            text.push(' ');
        }
        for _ in 0..3 + random.below(9) {
            text.push(char::from(b'a' + random.below(26) as u8));
        }
    }
    text
}

/// Writes aside and renames, so that a run which was cut off leaves no short file behind.
fn make(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<PathBuf> {
    if !path.exists() {
        let aside = path.with_extension("part");
        let mut out = BufWriter::new(File::create(&aside)?);
        write(&mut out)?;
        out.into_inner()?.sync_all()?;
        fs::rename(aside, path)?;
    }
    Ok(path.to_owned())
}

fn access_line(out: &mut dyn Write, random: &mut Random, line: u64) -> Result<()> {
    address(out, random)?;
    match random.one_in(12) {
        true => write!(out, " - user{} ", random.below(5000))?,
        false => write!(out, " - - ")?,
    }
    time(out, line)?;
    write!(out, " \"")?;
    request(out, random)?;
    let status = *pick(random, STATUSES);
    let digits = random.below(7);
    write!(
        out,
        "\" {status} {} \"",
        random.below(10u64.pow(digits as u32))
    )?;
    match random.one_in(3) {
        true => write!(out, "-")?,
        false => write!(out, "{}", pick(random, REFERERS))?,
    }
    let (before, after) = pick(random, AGENTS);
    Ok(writeln!(
        out,
        "\" \"{before}{}{after}\"",
        random.below(130)
    )?)
}

fn address(out: &mut dyn Write, random: &mut Random) -> Result<()> {
    let mut octet = || random.below(256);
    let [a, b, c, d] = [octet(), octet(), octet(), octet()];
    match random.one_in(8) {
        true => write!(out, "2001:db8:{a:x}:{b:x}::{c:x}{d:02x}")?,
        false => write!(out, "{a}.{b}.{c}.{d}")?,
    }
    Ok(())
}

/// Five lines a second, through days and months.
fn time(out: &mut dyn Write, line: u64) -> Result<()> {
    let second = line / 5;
    let day = second / 86_400;
    let month = MONTHS[(day / 28 % 12) as usize];
    let (hour, minute) = (second / 3600 % 24, second / 60 % 60);
    Ok(write!(
        out,
        "[{:02}/{month}/2026:{hour:02}:{minute:02}:{:02} +0100]",
        day % 28 + 1,
        second % 60
    )?)
}

fn request(out: &mut dyn Write, random: &mut Random) -> Result<()> {
    if random.one_in(200) {
        return Ok(write!(out, "{}", pick(random, BROKEN_REQUESTS))?);
    }
    write!(out, "{} ", pick(random, METHODS))?;
    for _ in 0..=random.below(4) {
        write!(out, "/{}", pick(random, WORDS))?;
    }
    if random.one_in(3) {
        let mut separator = '?';
        for _ in 0..=random.below(3) {
            write!(
                out,
                "{separator}{}={:x}",
                pick(random, KEYS),
                random.below(1 << 40)
            )?;
            separator = '&';
        }
    }
    Ok(write!(
        out,
        " HTTP/{}",
        if random.one_in(4) { "1.1" } else { "2.0" }
    )?)
}

fn encode_message(message: &mut Encoder, random: &mut Random, number: u64) {
    let mut uuid = [0; 16];
    uuid[..8].copy_from_slice(&random.bits().to_le_bytes());
    uuid[8..].copy_from_slice(&random.bits().to_le_bytes());
    message.uuid(&uuid);
    message.timestamp(1_600_000_000_000_000_000 + number as i64 * 1000);
    message.type_(b"access");
    message.logger(b"input.generate");
    message.payload(b"GET main.css, served in 12 ms");
    message.pid(4711);
    message.hostname(b"bench.local");
    message.bool_field(b"cached", random.one_in(2));
    message.string_field(
        b"host",
        format!("web-{:02}.example", random.below(40)).as_bytes(),
    );
    message.string_field(b"method", pick(random, METHODS).as_bytes());
    message.string_field(b"path", format!("/{}", pick(random, WORDS)).as_bytes());
    message.double_field(b"status", f64::from(*pick(random, STATUSES)));
    message.double_field(b"duration", random.below(10_000) as f64 / 1e6);
}

fn pick<'a, T>(random: &mut Random, from: &'a [T]) -> &'a T {
    &from[random.below(from.len() as u64) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_log_with_nine_parts_per_line() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = access_log(folder.path(), 2000).expect("written");
        let text = fs::read_to_string(&path).expect("it is text");
        fs::remove_file(&path).expect("removed");
        let again = access_log(folder.path(), 2000).expect("written");
        assert_eq!(text, fs::read_to_string(again).expect("it is text"));
        assert_eq!(text.lines().count(), 2000);
        assert!(
            text.lines().all(|line| line.matches('"').count() == 6),
            "three quoted parts"
        );
    }

    #[test]
    fn documents_are_arrays_of_the_promised_size() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for kind in [Document::Records, Document::Numbers, Document::Texts] {
            let path = document(folder.path(), kind, 10_000).expect("written");
            let text = fs::read_to_string(path).expect("it is text");
            assert!((10_000..10_500).contains(&text.len()), "{}", text.len());
            assert!(text.starts_with('[') && text.ends_with(']'));
        }
    }

    #[test]
    fn frames_hold_valid_messages_of_the_promised_size() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = frames(folder.path(), 500).expect("written");
        let block = fs::read(path).expect("readable");
        let mut count = 0;
        for record in schemas::frame::records(&block) {
            schemas::view::validate(record.message).expect("a valid message");
            count += 1;
        }
        assert_eq!(count, 500);
        let mean = block.len() / 500;
        assert!((210..=230).contains(&mean), "mean size is {mean}");
    }
}

//! An attack program: its header line, and the source it stands for.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};

/// Most bytes a source may grow to; a mistyped repetition must not fill the disk.
const SOURCE_MAX: usize = 64 << 20;

/// What a program is given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// It is the source of a plugin of this kind.
    Plugin(sandbox::Kind),
    /// It is a state file, restored into an innocent plugin.
    State,
    /// It is a plugin configuration.
    Config,
}

/// How a program must end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expectation {
    /// By an error that contains one of these texts; `*` is any error.
    Contained(Vec<String>),
    /// By itself.
    Harmless,
    /// In one of the two ways.
    Either,
}

/// What differs from the default way to run a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// `log_level=N`: the level given to the sandbox, 7 for `print`.
    pub log_level: u8,
    /// `memory=BYTES`: the memory limit, by default that of the engine.
    pub memory: usize,
    /// `injects=N`: messages that one call may inject, by default 0 and 10 as in the engine.
    pub injects: Option<u32>,
    /// `restricted=false`: the plugin may set all headers.
    pub restricted: bool,
    /// `payload=BYTES`: length of the payload, of letters `a`, of each message.
    pub payload: usize,
    /// `modules`: the search path of `require` has the folder `modules/` and the Lua modules of the engine.
    pub modules: bool,
    /// `timer_first`: the timer event comes before the first message.
    pub timer_first: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            log_level: 3,
            memory: 8 << 20,
            injects: None,
            restricted: true,
            payload: 20,
            modules: false,
            timer_first: false,
        }
    }
}

/// One attack program.
#[derive(Debug, Clone)]
pub struct Program {
    /// Name of its file without `.lua`.
    pub name: String,
    /// The class of attacks it belongs to.
    pub class: String,
    /// What it is given to.
    pub target: Target,
    /// How it must end.
    pub expectation: Expectation,
    /// How it is run.
    pub options: Options,
    /// The bytes that are run.
    pub source: Vec<u8>,
}

impl Program {
    /// Reads the program at `path`.
    pub fn read(path: &Path) -> Result<Program> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path
            .file_stem()
            .context("a program needs a name")?
            .to_string_lossy()
            .into_owned();
        Program::parse(name, &bytes).with_context(|| format!("in the header of {}", path.display()))
    }

    fn parse(name: String, bytes: &[u8]) -> Result<Program> {
        let (first, rest) = split_line(bytes);
        let (_about, body) = split_line(rest);
        let header = std::str::from_utf8(first)?;
        let header = header
            .strip_prefix("-- attack: ")
            .context("expected '-- attack: '")?;
        let mut parts = header.split('|').map(str::trim);
        let class = parts.next().context("expected a class")?.to_owned();
        let target = target(parts.next().context("expected a kind")?)?;
        let expectation = expectation(parts.next().context("expected an expectation")?)?;
        let (options, form) = options(parts.next().unwrap_or(""))?;
        let source = match form {
            Form::AsIs => bytes.to_vec(),
            Form::Expand => expand(bytes)?,
            Form::Body => expand(body)?,
        };
        Ok(Program {
            name,
            class,
            target,
            expectation,
            options,
            source,
        })
    }
}

/// How the file is turned into the source.
enum Form {
    /// It is the source.
    AsIs,
    /// `expand`: repetitions are written out.
    Expand,
    /// `body`: the same, without the two lines of the header.
    Body,
}

fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|&b| b == b'\n') {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[]),
    }
}

fn target(text: &str) -> Result<Target> {
    Ok(match text {
        "analysis" => Target::Plugin(sandbox::Kind::Analysis),
        "output" => Target::Plugin(sandbox::Kind::Output),
        "input" => Target::Plugin(sandbox::Kind::Input),
        "state" => Target::State,
        "config" => Target::Config,
        other => bail!("unknown kind '{other}'"),
    })
}

fn expectation(text: &str) -> Result<Expectation> {
    match text {
        "harmless" => Ok(Expectation::Harmless),
        "either" => Ok(Expectation::Either),
        _ => {
            let texts = text
                .strip_prefix("contained: ")
                .context("expected 'contained: TEXT'")?;
            Ok(Expectation::Contained(
                texts.split(" / ").map(str::to_owned).collect(),
            ))
        }
    }
}

fn options(text: &str) -> Result<(Options, Form)> {
    let mut options = Options::default();
    let mut form = Form::AsIs;
    for option in text
        .split(',')
        .map(str::trim)
        .filter(|option| !option.is_empty())
    {
        let (key, value) = option.split_once('=').unwrap_or((option, ""));
        match key {
            "log_level" => options.log_level = value.parse()?,
            "memory" => options.memory = value.parse()?,
            "injects" => options.injects = Some(value.parse()?),
            "restricted" => options.restricted = value.parse()?,
            "payload" => options.payload = value.parse()?,
            "modules" => options.modules = true,
            "timer_first" => options.timer_first = true,
            "expand" => form = Form::Expand,
            "body" => form = Form::Body,
            _ => bail!("unknown option '{key}'"),
        }
    }
    Ok((options, form))
}

/// Writes out every `@@N:TEXT@@` as N times TEXT, in which `\xHH` is a byte.
fn expand(mut bytes: &[u8]) -> Result<Vec<u8>> {
    let mut source = Vec::new();
    while let Some(start) = find(bytes, b"@@") {
        source.extend_from_slice(&bytes[..start]);
        let rest = &bytes[start + 2..];
        let end = find(rest, b"@@").ok_or_else(|| anyhow!("a repetition without end"))?;
        let colon = find(rest, b":").filter(|&colon| colon < end);
        let Some(colon) = colon else {
            // The text between two repetitions, such as the 1 in "@@9:(@@1@@9:)@@", is not one.
            bail!("a repetition without ':'");
        };
        let times: usize = std::str::from_utf8(&rest[..colon])?.parse()?;
        let text = unescape(&rest[colon + 1..end])?;
        if source.len() + times * text.len() > SOURCE_MAX {
            bail!("the source would be longer than {SOURCE_MAX} bytes");
        }
        source.extend_from_slice(&text.repeat(times));
        bytes = &rest[end + 2..];
    }
    source.extend_from_slice(bytes);
    Ok(source)
}

fn unescape(text: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        if rest.starts_with(b"\\x") && rest.len() >= 4 {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&rest[2..4])?, 16)?);
            rest = &rest[4..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    Ok(bytes)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Program> {
        Program::parse("p".to_owned(), text.as_bytes())
    }

    #[test]
    fn reads_the_header() {
        let program = parse(
            "-- attack: loops | output | contained: a b / c | log_level=7, modules\n-- x\ny\n",
        )
        .unwrap();
        assert_eq!(program.class, "loops");
        assert_eq!(program.target, Target::Plugin(sandbox::Kind::Output));
        assert_eq!(
            program.expectation,
            Expectation::Contained(vec!["a b".into(), "c".into()])
        );
        assert_eq!(program.options.log_level, 7);
        assert!(program.options.modules);
        assert!(program.source.starts_with(b"-- attack"));
    }

    #[test]
    fn writes_out_repetitions() {
        let program =
            parse("-- attack: a | state | either | body\n-- x\na@@3:(@@1@@2:\\x00)@@b\n").unwrap();
        assert_eq!(program.source, b"a(((1\0)\0)b\n");
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for text in [
            "",
            "-- attack: a | what | either",
            "-- attack: a | state | maybe",
            "-- attack: a | state | either | sometimes",
            "-- attack: a | state | either | body\n\n@@x:y@@",
            "-- attack: a | state | either | body\n\n@@9",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}

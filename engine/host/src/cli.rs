//! The command line: Foresight's own, and exactly Hindsight's when called by one of its programs' names.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use admin::Role;
use input::inspect::Inspector;
use input::send::{self, Header, Sender};
use stdx::size::Size;

use crate::cat::{self, Form};
use crate::check;
use crate::compact;
use crate::config::{Faults, LogFormat, Main};
use crate::demo::{DemoOptions, demo};
use crate::log;
use crate::run::{Mode, RunOptions, run};

/// The port of the demonstration: above those that need privileges, 514 being syslog's.
const DEMO_PORT: u16 = 5514;
/// The port of the demonstration for submissions.
const DEMO_EDGE_PORT: u16 = 8080;
/// Submissions a second of the demonstration: enough to see something move, and little for a disk.
const DEMO_RATE: u32 = 20;

/// Seconds to the first fault of the demonstration: enough to learn what is usual, and soon enough to be seen.
const DEMO_FAULT_AFTER: u32 = 90;

/// The port of the demonstration's web UI.
const ADMIN_PORT: u16 = 5580;

/// The least memory of a compaction: a few batches of values, and the codecs.
const BUDGET_MIN: Size = Size(16 << 20);

/// What a wrong command line or configuration returns, as with Hindsight.
const FAILURE: u8 = 1;

#[derive(Debug, Parser)]
#[command(
    name = "foresight",
    version,
    about = "Stream processing with Lua plugins in sandboxes"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run until told to stop by SIGINT or SIGTERM
    Run(RunArgs),
    /// Run until the inputs have ended and everything is delivered; timers follow the data's own time
    ///
    /// The exit code is the sum of 1 for a fault of the system and 2, 4 or 8 if an input, analysis or output
    /// plugin was terminated.
    Replay(RunArgs),
    /// Show the engine at work on this machine's own log files and on syslog sent to a local port
    Demo {
        /// Where everything is put
        #[arg(default_value = "foresight-demo")]
        output: PathBuf,
        /// The port for submissions by HTTP on 127.0.0.1; the next free one is taken
        #[arg(long, default_value_t = DEMO_EDGE_PORT)]
        port: u16,
        /// The port for syslog over UDP and TCP on 127.0.0.1; the next free one is taken
        #[arg(long, default_value_t = DEMO_PORT)]
        syslog_port: u16,
        /// Submissions a second that a crowd of made-up clients posts; 0 for none
        #[arg(long, default_value_t = DEMO_RATE)]
        rate: u32,
        /// Seconds until the first fault of these clients, which raises an alert
        #[arg(long, default_value_t = DEMO_FAULT_AFTER)]
        fault_after: u32,
        /// A broker of Kafka through which raw submissions go to the loader; without it they go through the queue
        #[arg(long, value_name = "HOST:PORT")]
        kafka: Option<String>,
        /// The port of the web UI on 127.0.0.1; the next free one is taken
        #[arg(long, default_value_t = ADMIN_PORT)]
        admin_port: u16,
        /// Finest level that is logged, 0 to 7 as with run
        #[arg(long, default_value_t = log::DEFAULT_LEVEL, value_parser = clap::value_parser!(u8).range(0..=7))]
        log_level: u8,
    },
    /// Print a line for the file that admin_users names; the password is read from the standard input
    User {
        /// The name
        name: String,
        /// viewer, author or operator
        #[arg(value_parser = role)]
        role: Role,
    },
    /// Show the messages of a queue's segment or any other file of framed Heka messages
    Cat(CatArgs),
    /// Make large Parquet files of the small ones of a lake; exit code 1 if something is wrong with one
    Compact(CompactArgs),
    /// Report every fault of a configuration and its plugins without running them; exit code 1 if there is one
    Check {
        /// The main configuration
        cfg: PathBuf,
    },
    /// Describe every key of the configuration files, as Markdown
    Keys,
    /// Post files, or their lines, as submissions; exit code 1 unless each was taken
    Send(SendArgs),
    /// Show or save what is posted to a local port, ungzipped and pretty
    Inspect(InspectArgs),
}

#[derive(Debug, Args)]
struct CompactArgs {
    /// The lake: a folder, or s3://bucket/prefix
    ///
    /// AWS_ENDPOINT_URL_S3 names a server other than AWS; credentials come from wherever AWS's own programs find them.
    store: String,
    /// Only partitions whose keys begin so, such as day=2026-11-
    #[arg(long, default_value = "", hide_default_value = true)]
    prefix: String,
    /// Small files become one up to this size
    #[arg(long, value_name = "SIZE", default_value = "128 MiB")]
    target_size: Size,
    /// What a small file is smaller than [default: half of the target]
    #[arg(long, value_name = "SIZE")]
    small: Option<Size>,
    /// So many small files whose schemas fit become one; fewer stay
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(2..))]
    min_files: u16,
    /// Only files that were put at least so long ago: longer than an output takes to go on after a crash
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = age)]
    older_than: Duration,
    /// Memory to work with, about
    #[arg(long, value_name = "SIZE", default_value = "256 MiB", value_parser = budget)]
    budget: Size,
    /// uncompressed, snappy, gzip, brotli, lz4 or zstd
    #[arg(long, default_value = "zstd")]
    compression: String,
    /// Only tell what would be done
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
struct SendArgs {
    /// Where to; {id} becomes a new UUID in each submission
    url: String,
    /// The files, - for the standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Each line is a submission, not each file
    #[arg(short, long)]
    lines: bool,
    /// Gzip the bodies
    #[arg(short = 'z', long)]
    gzip: bool,
    /// A further header, as Name: value
    #[arg(short = 'H', long = "header", value_parser = send::header)]
    headers: Vec<Header>,
    /// Submissions a second [default: as many as go]
    #[arg(short, long)]
    rate: Option<f64>,
    /// Submissions under way at once
    #[arg(short, long, default_value_t = 8)]
    concurrency: usize,
    /// Send everything so many times
    #[arg(long, default_value_t = 1)]
    repeat: u64,
    /// How often a submission is tried that gets no answer, or one that says to come later
    #[arg(long, default_value_t = 5)]
    attempts: u32,
    /// Seconds until an answer must have come
    #[arg(long, default_value_t = 30)]
    timeout: u64,
    /// Show rates once a second
    #[arg(long)]
    progress: bool,
}

#[derive(Debug, Args)]
struct InspectArgs {
    /// The address
    #[arg(long, default_value = "127.0.0.1")]
    address: std::net::IpAddr,
    /// The port
    #[arg(short, long, default_value_t = 8080)]
    port: u16,
    /// Show bodies as they came
    #[arg(short, long)]
    raw: bool,
    /// Show the heads too
    #[arg(short = 'H', long)]
    headers: bool,
    /// Save the bodies in this folder as report<N>.json
    #[arg(short, long)]
    save: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// The main configuration
    cfg: PathBuf,
    /// Finest level that is logged: 0 panic, 1 alert, 2 crit, 3 error, 4 warning, 5 notice, 6 info, 7 debug
    #[arg(long, default_value_t = log::DEFAULT_LEVEL, value_parser = clap::value_parser!(u8).range(0..=7))]
    log_level: u8,
    /// Form of the log lines: foresight, hindsight or json [default: what the configuration says, or foresight]
    #[arg(long, value_parser = log_format)]
    log_format: Option<LogFormat>,
    /// Show rates and lag once a second
    #[arg(long)]
    progress: bool,
}

/// `-h` is the Heka form, as with lsb_heka_cat, so help is only `--help`.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
struct CatArgs {
    /// The file, - for the standard input, or s3://bucket/key; with a / at its end all objects that begin so
    ///
    /// AWS_ENDPOINT_URL_S3 names a server other than AWS; credentials come from wherever AWS's own programs find them.
    file: PathBuf,
    /// Show the messages as text (the default)
    #[arg(short = 't', long, group = "form")]
    text: bool,
    /// Only count the messages
    #[arg(short = 'c', long, group = "form")]
    count: bool,
    /// Show the messages as a Heka protobuf stream
    #[arg(short = 'h', long, group = "form")]
    heka: bool,
    /// Show each message as a JSON object on a line
    #[arg(short = 'j', long, group = "form")]
    json: bool,
    /// Go on as the file grows, and with the segments that follow it
    #[arg(short, long)]
    follow: bool,
    /// Only the last N messages (of those that match)
    #[arg(short = 'n', long, value_name = "N")]
    tail: Option<usize>,
    /// Only messages that this message_matcher expression wants
    #[arg(short, long, default_value = "TRUE", hide_default_value = true)]
    matcher: String,
    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,
}

fn role(word: &str) -> Result<Role, String> {
    Role::from_word(word).ok_or_else(|| "expected viewer, author or operator".to_string())
}

/// Prints the line for a user whose password comes by the standard input, which shows it if it is a terminal.
fn user(name: &str, role: Role) -> ExitCode {
    if io::stdin().is_terminal() {
        eprintln!("password (it is shown; better is: foresight user NAME ROLE < FILE):");
    }
    let mut password = String::new();
    let line = io::stdin()
        .read_line(&mut password)
        .map_err(|error| error.to_string())
        .and_then(|_| admin::user_line(name, role, password.trim_end_matches(['\r', '\n'])));
    match line {
        Ok(line) => {
            print(&(line + "\n"));
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::from(FAILURE)
        }
    }
}

fn log_format(word: &str) -> Result<LogFormat, String> {
    LogFormat::from_word(word).ok_or_else(|| "expected foresight, hindsight or json".to_string())
}

/// Does what the arguments, of which the first is the program's name, ask for.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    let name = args
        .first()
        .and_then(|arg| Path::new(arg).file_name())
        .and_then(OsStr::to_str);
    match name {
        Some("hindsight") => hindsight(&args, Mode::Run),
        Some("hindsight_cli") => hindsight(&args, Mode::Replay),
        Some("lsb_heka_cat") => lsb_heka_cat(&args),
        _ => foresight(&args),
    }
}

fn foresight(args: &[OsString]) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors, and nothing is left to do if they cannot be printed.
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::from(FAILURE)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match cli.command {
        Command::Run(args) => run_or_replay(args, Mode::Run),
        Command::Replay(args) => run_or_replay(args, Mode::Replay),
        Command::Demo {
            output,
            port,
            syslog_port,
            rate,
            fault_after,
            kafka,
            admin_port,
            log_level,
        } => show_demo(DemoOptions {
            output,
            port,
            syslog_port,
            rate,
            fault_after,
            kafka,
            admin_port,
            log_level,
            show_progress: true,
        }),
        Command::User { name, role } => user(&name, role),
        Command::Cat(args) => show(&args.options(), args.count),
        Command::Compact(args) => compact(args),
        Command::Check { cfg } => {
            let report = check::check(&cfg);
            print(&report.to_string());
            if report.faults.is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(FAILURE)
            }
        }
        Command::Keys => {
            print(&crate::config::keys::markdown());
            ExitCode::SUCCESS
        }
        Command::Send(args) => send(args),
        Command::Inspect(args) => inspect(args),
    }
}

fn send(args: SendArgs) -> ExitCode {
    let sender = Sender {
        url: args.url,
        files: args.files,
        lines: args.lines,
        gzip: args.gzip,
        headers: args.headers,
        rate: args.rate,
        concurrency: args.concurrency,
        repeat: args.repeat,
        attempts: args.attempts,
        timeout: Duration::from_secs(args.timeout),
        progress: args.progress,
    };
    match sender.run() {
        Ok(outcome) => {
            print(&outcome.to_string());
            match outcome.all_taken() {
                true => ExitCode::SUCCESS,
                false => ExitCode::from(FAILURE),
            }
        }
        Err(error) => fail(&error),
    }
}

/// A number of seconds, or of what stands behind it: s, m, h or d.
fn age(text: &str) -> Result<Duration, String> {
    let wrong = || format!("'{text}' is no duration (expected for example 90s, 30m, 1h or 2d)");
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = number.checked_mul(seconds).ok_or_else(wrong)?;
    Ok(Duration::from_secs(seconds))
}

/// The memory of a compaction.
fn budget(text: &str) -> Result<Size, String> {
    let size: Size = text.parse().map_err(|error| format!("{error}"))?;
    match size >= BUDGET_MIN {
        true => Ok(size),
        false => Err(format!("expected at least {BUDGET_MIN}")),
    }
}

fn compact(args: CompactArgs) -> ExitCode {
    let options = compact::Options {
        store: args.store,
        prefix: args.prefix,
        target_size: args.target_size.0,
        small: args.small.map_or(args.target_size.0 / 2, |small| small.0),
        min_files: args.min_files.into(),
        older_than: args.older_than,
        memory: usize::try_from(args.budget.0).unwrap_or(usize::MAX),
        compression: args.compression,
        dry_run: args.dry_run,
    };
    match compact::compact(&options, &mut io::stdout(), &mut io::stderr()) {
        Ok(summary) => {
            print(&format!("{summary}\n"));
            match summary.n_faults {
                0 => ExitCode::SUCCESS,
                _ => ExitCode::from(FAILURE),
            }
        }
        Err(trouble) => fail(&trouble.to_string()),
    }
}

fn inspect(args: InspectArgs) -> ExitCode {
    let inspector = Inspector {
        listen: (args.address, args.port).into(),
        raw: args.raw,
        headers: args.headers,
        save: args.save,
    };
    match inspector.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

fn fail(error: &str) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(FAILURE)
}

/// Prints to a reader that may have gone.
fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

fn run_or_replay(args: RunArgs, mode: Mode) -> ExitCode {
    let loaded = Main::load(&args.cfg);
    let configured = loaded.as_ref().ok().and_then(|main| main.log_format);
    let format = args.log_format.or(configured).unwrap_or_default();
    let show_progress = args.progress || (mode == Mode::Replay && io::stderr().is_terminal());
    start(
        &args.cfg,
        loaded,
        mode,
        args.log_level,
        format,
        show_progress,
    )
}

fn show_demo(options: DemoOptions) -> ExitCode {
    log::init(options.log_level, LogFormat::default());
    match demo(options) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(FAILURE)
        }
    }
}

fn start(
    cfg: &Path,
    loaded: Result<Main, Faults>,
    mode: Mode,
    log_level: u8,
    format: LogFormat,
    show_progress: bool,
) -> ExitCode {
    log::init(log_level, format);
    let config = match loaded {
        Ok(config) => config,
        Err(faults) => {
            report_faults(cfg, &faults, format);
            return ExitCode::from(FAILURE);
        }
    };
    for notice in &config.notices {
        tracing::warn!(target: "config_parser", "{notice}");
    }
    ExitCode::from(run(RunOptions {
        config,
        mode,
        log_level,
        show_progress,
    }))
}

/// One line for each fault; in Hindsight's form with its words alone.
fn report_faults(cfg: &Path, faults: &Faults, format: LogFormat) {
    for fault in &faults.0 {
        if format == LogFormat::Hindsight {
            tracing::error!(target: "config_parser", "loading {} failed: {}", cfg.display(), fault.message);
        } else {
            tracing::error!(target: "config_parser", "{}", fault.one_line());
        }
    }
}

impl CatArgs {
    fn options(&self) -> cat::Options {
        let form = match self {
            CatArgs { count: true, .. } => Form::Count,
            CatArgs { heka: true, .. } => Form::Heka,
            CatArgs { json: true, .. } => Form::Json,
            _ => Form::Text,
        };
        cat::Options {
            file: self.file.clone(),
            form,
            matcher: self.matcher.clone(),
            tail: self.tail,
            follow: self.follow,
        }
    }
}

/// Shows messages, then how many there were: on the standard output if that is all that was asked for.
fn show(options: &cat::Options, counts_on_stdout: bool) -> ExitCode {
    let mut stdout = io::stdout().lock();
    match cat::cat(options, &mut stdout, &mut io::stderr(), &|| true) {
        Ok(counts) if counts_on_stdout => {
            let _ = writeln!(stdout, "{counts}");
            ExitCode::SUCCESS
        }
        Ok(counts) => {
            eprintln!("{counts}");
            ExitCode::SUCCESS
        }
        Err(error) if error.is_broken_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(FAILURE)
        }
    }
}

/// `hindsight <cfg> [loglevel]` and `hindsight_cli <cfg> [loglevel]`.
fn hindsight(args: &[OsString], mode: Mode) -> ExitCode {
    let Some((cfg, log_level)) = hindsight_args(args) else {
        let name = args
            .first()
            .map(|name| name.to_string_lossy())
            .unwrap_or_default();
        eprintln!("usage: {name} <cfg> [loglevel]");
        return ExitCode::from(FAILURE);
    };
    let loaded = Main::load(&cfg);
    let configured = loaded.as_ref().ok().and_then(|main| main.log_format);
    start(
        &cfg,
        loaded,
        mode,
        log_level,
        configured.unwrap_or(LogFormat::Hindsight),
        false,
    )
}

fn hindsight_args(args: &[OsString]) -> Option<(PathBuf, u8)> {
    match args {
        [_, cfg] => Some((cfg.into(), log::DEFAULT_LEVEL)),
        [_, cfg, level] => Some((cfg.into(), hindsight_level(level))),
        _ => None,
    }
}

/// The digits at the begin, as C's `atoi` reads them: none are 0, and what is out of range is the default.
fn hindsight_level(arg: &OsStr) -> u8 {
    let text = arg.to_string_lossy();
    let text = text.trim_start();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    if end == 0 {
        return 0;
    }
    let level = digits[..end].parse().unwrap_or(u8::MAX);
    if level > 7 || (negative && level > 0) {
        log::DEFAULT_LEVEL
    } else {
        level
    }
}

/// The usage of lsb_heka_cat, which has been this for years and appears in scripts' logs.
const CAT_USAGE: &str = "[-t|-c|-h] [-m message_matcher] [-f] [-n #] <FILE>
  -t show the messages as text (default)
  -c show the number of messages only
  -h show the messages as a Heka protobuf stream
  -f go on as the file grows
  -n show the last # messages only
  -m message_matcher expression (default \"TRUE\")
  FILE is the name of a file, or - for the standard input";

fn lsb_heka_cat(args: &[OsString]) -> ExitCode {
    match lsb_heka_cat_args(&args[1..]) {
        Some(options) => show(&options, options.form == Form::Count),
        None => {
            let name = args
                .first()
                .map(|name| name.to_string_lossy())
                .unwrap_or_default();
            eprintln!("usage: {name} {CAT_USAGE}");
            ExitCode::from(FAILURE)
        }
    }
}

/// Reads the arguments as `getopt("tchfn:m:")` does: flags may be joined, a value may follow its flag directly.
fn lsb_heka_cat_args(args: &[OsString]) -> Option<cat::Options> {
    let mut files = Vec::new();
    let (mut form, mut follow, mut tail, mut matcher) =
        (Form::Text, false, None, "TRUE".to_string());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let text = arg.to_str();
        if text == Some("--") {
            files.extend(args.by_ref());
            break;
        }
        let Some(flags) = text
            .filter(|text| *text != "-")
            .and_then(|text| text.strip_prefix('-'))
        else {
            files.push(arg);
            continue;
        };
        let mut rest = flags;
        while let Some(flag) = rest.chars().next() {
            rest = &rest[flag.len_utf8()..];
            match flag {
                't' => form = Form::Text,
                'c' => form = Form::Count,
                'h' => form = Form::Heka,
                'f' => follow = true,
                'n' | 'm' => {
                    let joined = std::mem::take(&mut rest);
                    let value = if joined.is_empty() {
                        args.next()?.to_str()?
                    } else {
                        joined
                    };
                    match flag {
                        'n' => tail = Some(value.parse().ok()?),
                        _ => matcher = unescape(value),
                    }
                }
                _ => return None,
            }
        }
    }
    let [file] = files.as_slice() else {
        return None;
    };
    Some(cat::Options {
        file: file.into(),
        form,
        matcher,
        tail,
        follow,
    })
}

/// Undoes the escapes of a Lua string, which lsb_heka_cat does before it reads a matcher.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some(other) => out.push(other),
            None => out.push('\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn os(args: &[&str]) -> Vec<OsString> {
        args.iter().map(OsString::from).collect()
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn run_has_hindsights_default_level() {
        let cli = Cli::try_parse_from(["foresight", "run", "a.cfg"]).expect("it is enough");
        let Command::Run(args) = cli.command else {
            panic!("it says run")
        };
        assert_eq!(
            (args.cfg.as_path(), args.log_level, args.log_format),
            (Path::new("a.cfg"), 6, None)
        );
        let words = [
            "foresight",
            "replay",
            "a.cfg",
            "--log-level",
            "7",
            "--log-format",
            "json",
        ];
        let Command::Replay(args) = Cli::try_parse_from(words).expect("it is right").command else {
            panic!("it says replay")
        };
        assert_eq!(
            (args.log_level, args.log_format),
            (7, Some(LogFormat::Json))
        );
        for bad in [
            vec!["foresight", "run"],
            vec!["foresight", "run", "a", "--log-level", "8"],
            vec!["foresight"],
        ] {
            assert!(Cli::try_parse_from(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn cat_takes_short_and_long_flags() {
        let words = [
            "foresight",
            "cat",
            "-c",
            "-f",
            "-n",
            "5",
            "-m",
            "FALSE",
            "0.log",
        ];
        let Command::Cat(args) = Cli::try_parse_from(words).expect("it is right").command else {
            panic!("it says cat")
        };
        let options = args.options();
        assert_eq!(
            (options.form, options.follow, options.tail),
            (Form::Count, true, Some(5))
        );
        assert_eq!(options.matcher, "FALSE");
        assert!(Cli::try_parse_from(["foresight", "cat", "-t", "-c", "a"]).is_err());
        let heka = Cli::try_parse_from(["foresight", "cat", "-h", "a"]).expect("it is right");
        assert!(matches!(
            heka.command,
            Command::Cat(CatArgs { heka: true, .. })
        ));
    }

    #[test]
    fn compact_takes_sizes_and_durations() {
        let words = ["foresight", "compact", "s3://lake/a", "--older-than", "90m"];
        let more = ["--target-size", "1 GiB", "--min-files", "2", "--dry-run"];
        let parsed = Cli::try_parse_from(words.iter().chain(&more));
        let Command::Compact(args) = parsed.expect("it is right").command else {
            panic!("it says compact")
        };
        assert_eq!((args.target_size, args.small), (Size(1 << 30), None));
        assert_eq!(args.older_than, Duration::from_secs(5400));
        assert_eq!((args.budget, args.dry_run), (Size(256 << 20), true));
        for (text, seconds) in [("0", 0), ("7s", 7), ("1h", 3600), ("2d", 172_800)] {
            assert_eq!(age(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for bad in ["", "h", "1w", "-1s", "1.5h", "99999999999999999999d"] {
            assert!(age(bad).is_err(), "{bad}");
        }
        for bad in [["--min-files", "1"], ["--budget", "1 MiB"]] {
            assert!(
                Cli::try_parse_from(words.iter().chain(&bad)).is_err(),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn hindsights_arguments() {
        assert_eq!(
            hindsight_args(&os(&["hindsight", "a.cfg"])),
            Some(("a.cfg".into(), 6))
        );
        assert_eq!(hindsight_args(&os(&["hindsight"])), None);
        assert_eq!(hindsight_args(&os(&["hindsight", "a", "1", "2"])), None);
        let cases = [
            ("7", 7),
            ("0", 0),
            ("8", 6),
            ("-1", 6),
            ("abc", 0),
            ("3x", 3),
            (" 4", 4),
            ("+5", 5),
            ("999", 6),
            ("", 0),
        ];
        for (arg, level) in cases {
            assert_eq!(hindsight_level(OsStr::new(arg)), level, "{arg}");
        }
    }

    #[test]
    fn lsb_heka_cats_arguments() {
        let parse = |args: &[&str]| lsb_heka_cat_args(&os(args));
        let options = parse(&[
            "-hfn3",
            "a.log",
            "-m",
            r"Type == \'x\' && Payload == 'a\nb'",
        ])
        .expect("right");
        assert_eq!(
            (options.form, options.follow, options.tail),
            (Form::Heka, true, Some(3))
        );
        assert_eq!(options.matcher, "Type == 'x' && Payload == 'a\nb'");
        assert_eq!(parse(&["-"]).map(|options| options.file), Some("-".into()));
        assert_eq!(
            parse(&["--", "-x"]).map(|options| options.file),
            Some("-x".into())
        );
        for bad in [
            &[][..],
            &["a", "b"],
            &["-x", "a"],
            &["-n", "-1", "a"],
            &["-n", "x", "a"],
            &["a", "-m"],
        ] {
            assert!(parse(bad).is_none(), "{bad:?}");
        }
    }
}

//! The `http_edge` module: an HTTP server that makes one message of each submission, and says 200 when it is safe.
//!
//! An input plugin makes an edge of a list of listeners ([`settings::Settings`]) and lets it serve for ever. Lua code
//! sees no submission: threads of the edge's own append to the queue. The order of checks, limits and status codes are
//! those of the public HTTP edge specification of Mozilla's data platform and of its nginx module.

mod certificates;
mod commit;
mod counters;
mod namespaces;
mod rate;
mod server;
mod settings;
mod submission;
mod table;
mod tee;

use std::sync::Arc;
use std::time::Duration;

use sandbox::native::{Call, Class, Error, Function, Object, Registry, function};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};

use self::certificates::Certificates;
use self::commit::Committer;
use self::counters::Counters;
use self::rate::Limiter;
use self::server::Server;
use self::settings::Settings;
use self::submission::Origin;
use self::table::Table;
use self::tee::Tee;

/// Most listeners of one plugin.
const LISTENERS_MAX: i64 = 64;
/// Threads that serve connections, at most: the work is small, the sync of the queue is what takes time.
const THREADS_MAX: usize = 4;
/// How often a serving edge looks whether it has to stop.
const LOOK: Duration = Duration::from_millis(50);
/// How long a stop waits for tasks that were cut off.
const CUT: Duration = Duration::from_secs(1);
/// Longest queue of connections that wait to be accepted, in the kernel.
const BACKLOG: i32 = 4_096;

/// Offers `http_edge` to input plugins.
pub fn register(registry: &mut Registry) {
    registry.add_io("http_edge", function(open));
}

fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(&[("new", function(new)), ("keys", function(keys))])?;
    Ok(1)
}

/// Listeners that do not listen yet.
struct Edge {
    listeners: Vec<Settings>,
}

const METHODS: &[(&str, Function)] = &[("serve", function(serve))];

impl Object for Edge {
    fn class() -> Class {
        Class {
            name: "http_edge",
            methods: METHODS,
            metamethods: &[],
        }
    }
}

/// `keys()`: the names of all settings of a listener.
fn keys(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_table(settings::KEYS.len(), 0)?;
    for (i, key) in (1..).zip(settings::KEYS) {
        call.push_bytes(key)?;
        call.raw_set_index(-2, i)?;
    }
    Ok(1)
}

/// `new(listeners)`: checks the settings.
fn new(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_table(1)?;
    call.push_config("max_message_size")?;
    let max_message = call.number_at(-1).unwrap_or(f64::MAX) as u64;
    call.pop(1);
    let n = call.raw_len(1) as i64;
    if !(1..=LISTENERS_MAX).contains(&n) {
        let text = format!("1 to {LISTENERS_MAX} listeners expected, found {n}");
        return Err(Error::argument(1, text));
    }
    let mut listeners = Vec::new();
    for i in 1..=n {
        call.raw_get_index(1, i)?;
        let at = call.top();
        let table = Table::new(call, at, format!("listener {i}"))?;
        let settings = Settings::read(table, max_message)?;
        if let Some(files) = &settings.tls {
            Certificates::load(files)
                .map_err(|error| Error::new(format!("listener {i}: {error}")))?;
        }
        listeners.push(settings);
        call.pop(1);
    }
    call.push_object(Edge { listeners })?;
    Ok(1)
}

/// `edge:serve()`: serves until the plugin is stopped.
fn serve(call: &mut Call<'_>) -> Result<usize, Error> {
    let listeners = call.check_object::<Edge>(1)?.listeners.clone();
    let intake = call
        .intake()
        .ok_or_else(|| Error::new("only an input plugin can serve"))?;
    let origin = origin(call)?;
    let text = |error: std::io::Error| Error::new(format!("cannot start: {error}"));
    let committer = Arc::new(Committer::start(Arc::clone(&intake)).map_err(text)?);
    let runtime = runtime().map_err(text)?;
    let (stop, stopped) = watch::channel(false);
    let mut servers = Vec::new();
    let mut tasks = Vec::new();
    for settings in listeners {
        let listen = settings.listen;
        let fail = |error: &dyn std::fmt::Display| Error::new(format!("{listen}: {error}"));
        let _inside = runtime.enter();
        let socket = bind(listen).map_err(|error| fail(&error))?;
        let server = Arc::new(Server {
            limiter: Limiter::new(&settings),
            tee: tee(&settings).map_err(|error| fail(&error))?,
            tls: match &settings.tls {
                Some(files) => Some(Certificates::load(files).map_err(|error| fail(&error))?),
                None => None,
            },
            buffered: Semaphore::new(settings.max_buffered.min(Semaphore::MAX_PERMITS)),
            counters: Counters::default(),
            settings,
            origin: origin.clone(),
            intake: Arc::clone(&intake),
            committer: Arc::clone(&committer),
        });
        let at = socket.local_addr().map_err(|error| fail(&error))?;
        call.log(6, &format!("listening on {at}"));
        tasks.push(runtime.spawn(server::serve(Arc::clone(&server), socket, stopped.clone())));
        servers.push((at, server));
    }
    while call.running() && tasks.iter().all(|task| !task.is_finished()) {
        std::thread::sleep(LOOK);
    }
    // The receivers may have gone already.
    let _gone = stop.send(true);
    for task in tasks {
        runtime
            .block_on(task)
            .map_err(|error| Error::new(format!("a listener ended: {error}")))?;
    }
    runtime.shutdown_timeout(CUT);
    for (at, server) in &servers {
        call.log(6, &format!("{at}: {}", server.counters.text()));
        for line in server.tee.iter().flat_map(Tee::report) {
            call.log(6, &line);
        }
    }
    Ok(0)
}

fn runtime() -> std::io::Result<Runtime> {
    let n_cores = std::thread::available_parallelism().map_or(1, usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(n_cores.min(THREADS_MAX))
        .thread_name("edge")
        .enable_all()
        .build()
}

fn bind(listen: std::net::SocketAddr) -> std::io::Result<TcpListener> {
    let domain = socket2::Domain::for_address(listen);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&listen.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

fn tee(settings: &Settings) -> std::io::Result<Option<Tee>> {
    if settings.tee.is_empty() {
        return Ok(None);
    }
    Tee::new(&settings.tee).map(Some)
}

fn origin(call: &mut Call<'_>) -> Result<Origin, Error> {
    call.push_config("Hostname")?;
    let hostname = call.text_at(-1).unwrap_or_default();
    call.push_config("Pid")?;
    let pid = call.number_at(-1).unwrap_or(0.0) as i64;
    call.pop(2);
    Ok(Origin { hostname, pid })
}

/// The settings that a listener gets from these Lua entries.
#[cfg(test)]
fn test_settings(entries: &str) -> Settings {
    use std::sync::Mutex;
    /// Guards what the last call of `keep` was given.
    static KEPT: Mutex<Vec<Settings>> = Mutex::new(Vec::new());
    fn keep(call: &mut Call<'_>) -> Result<usize, Error> {
        let kept = call.check_object::<Edge>(1)?.listeners.clone();
        *KEPT.lock().expect("no test panics here") = kept;
        Ok(0)
    }
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let code = format!("require 'keep'(require 'http_edge'.new{{ {{ {entries} }} }})");
    fn open_keep(call: &mut Call<'_>) -> Result<usize, Error> {
        call.push_function(function(keep))?;
        Ok(1)
    }
    crate::test_plugin::load_with(sandbox::Kind::Input, &code, |registry| {
        registry.add_io("keep", function(open_keep));
    })
    .unwrap_or_else(|error| panic!("{error}"));
    KEPT.lock().expect("no test panics here").remove(0)
}

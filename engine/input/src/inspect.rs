//! The developer's inspector: an HTTP server that shows or saves what is posted to it, ungzipped and pretty.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use flate2::read::MultiGzDecoder;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

/// Longest body that is read, in bytes, and how long it may get when it is ungzipped.
const BODY_MAX: usize = 64 << 20;
const UNGZIPPED_MAX: u64 = 256 << 20;

/// What the inspector does with what comes.
#[derive(Clone, Debug)]
pub struct Inspector {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Bodies are shown as they came, neither ungzipped nor made pretty.
    pub raw: bool,
    /// The heads are shown too.
    pub headers: bool,
    /// Bodies are saved in this folder, as `report<N>.json`, and not printed.
    pub save: Option<PathBuf>,
}

impl Inspector {
    /// Serves until the process ends.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub fn run(self) -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let socket = TcpListener::bind(self.listen).await?;
            say(format_args!("listening on http://{}", socket.local_addr()?));
            let (inspector, n_seen) = (Arc::new(self), Arc::new(AtomicU64::new(0)));
            loop {
                let (stream, _) = socket.accept().await?;
                let (inspector, n_seen) = (Arc::clone(&inspector), Arc::clone(&n_seen));
                let service = service_fn(move |request| {
                    let (inspector, n_seen) = (Arc::clone(&inspector), Arc::clone(&n_seen));
                    async move { Ok::<_, Infallible>(inspector.answer(request, &n_seen).await) }
                });
                tokio::spawn(async move {
                    let mut http = http1::Builder::new();
                    let http = http.timer(TokioTimer::new());
                    // A client that breaks off is no concern of the inspector's.
                    let _ended = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        })
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        n_seen: &AtomicU64,
    ) -> Response<Full<Bytes>> {
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            return answer(StatusCode::OK, "text/html", "<html>POST here</html>");
        }
        let (parts, body) = request.into_parts();
        match Limited::new(body, BODY_MAX).collect().await {
            Ok(body) => {
                let n = n_seen.fetch_add(1, Ordering::Relaxed) + 1;
                self.show(n, &parts, &body.to_bytes());
                answer(StatusCode::OK, "text/plain", "OK")
            }
            Err(error) => {
                say(format_args!("a body was not read: {error}"));
                answer(
                    StatusCode::BAD_REQUEST,
                    "text/plain",
                    "the body was not read",
                )
            }
        }
    }

    fn show(&self, n: u64, parts: &Parts, body: &[u8]) {
        let now = humantime(SystemTime::now());
        let (method, uri, len) = (&parts.method, &parts.uri, body.len());
        let mut text = format!("{now} Received submission #{n}: {method} {uri}, {len} bytes.");
        let shown = if self.raw {
            body.to_vec()
        } else {
            pretty(&parts.headers, body).unwrap_or_else(|why| {
                text.push_str(&format!(" Shown as it came: {why}."));
                body.to_vec()
            })
        };
        if self.headers {
            for (name, value) in &parts.headers {
                text.push_str(&format!("\n{name}: {}", value.as_bytes().escape_ascii()));
            }
        }
        match &self.save {
            Some(folder) => {
                let path = folder.join(format!("report{n}.json"));
                match std::fs::write(&path, &shown) {
                    Ok(()) => text.push_str(&format!(" Saved in {}", path.display())),
                    Err(error) => {
                        text.push_str(&format!(" Not saved in {}: {error}", path.display()))
                    }
                }
                say(format_args!("{text}"));
            }
            None => say(format_args!("{text}\n{}", String::from_utf8_lossy(&shown))),
        }
    }
}

/// Nobody may be reading any more, which is no reason to end.
fn say(text: std::fmt::Arguments<'_>) {
    let _nobody_reads = writeln!(std::io::stdout(), "{text}");
}

fn answer(status: StatusCode, kind: &'static str, text: &'static str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

/// The body without gzip, and indented if it is JSON.
fn pretty(headers: &HeaderMap, body: &[u8]) -> Result<Vec<u8>, String> {
    let gzipped = headers
        .get(CONTENT_ENCODING)
        .is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"gzip"))
        || body.starts_with(&[0x1f, 0x8b]);
    let plain = if gzipped {
        ungzip(body)?
    } else {
        body.to_vec()
    };
    let value: serde_json::Value =
        serde_json::from_slice(&plain).map_err(|error| format!("not JSON: {error}"))?;
    serde_json::to_vec_pretty(&value).map_err(|error| error.to_string())
}

fn ungzip(body: &[u8]) -> Result<Vec<u8>, String> {
    let mut plain = Vec::new();
    let mut decoder = MultiGzDecoder::new(body).take(UNGZIPPED_MAX + 1);
    decoder
        .read_to_end(&mut plain)
        .map_err(|error| format!("not gzip: {error}"))?;
    if plain.len() as u64 > UNGZIPPED_MAX {
        return Err(format!("longer than {UNGZIPPED_MAX} bytes when ungzipped"));
    }
    Ok(plain)
}

/// Seconds since 1970 with milliseconds: enough to tell submissions apart.
fn humantime(time: SystemTime) -> String {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or_else(
        |_| "0".into(),
        |since| format!("{:.3}", since.as_secs_f64()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(plain).expect("memory");
        encoder.finish().expect("memory")
    }

    #[test]
    fn gzipped_json_becomes_pretty() {
        let body = gzip(br#"{"b":1,"a":[2]}"#);
        let shown = pretty(&HeaderMap::new(), &body).expect("JSON");
        assert_eq!(shown, b"{\n  \"b\": 1,\n  \"a\": [\n    2\n  ]\n}");
    }

    #[test]
    fn what_cannot_be_made_pretty_says_why() {
        let headers = HeaderMap::new();
        assert!(
            pretty(&headers, b"{")
                .expect_err("cut")
                .starts_with("not JSON")
        );
        let gzipped = gzip(b"{}");
        let cut = pretty(&headers, &gzipped[..gzipped.len() - 3]);
        assert!(cut.expect_err("cut").starts_with("not gzip"));
    }

    #[test]
    fn bombs_are_not_unpacked() {
        let zeros = vec![0; 1 << 20];
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        for _ in 0..=UNGZIPPED_MAX >> 20 {
            encoder.write_all(&zeros).expect("memory");
        }
        let bomb = encoder.finish().expect("memory");
        assert!(
            ungzip(&bomb)
                .expect_err("too long")
                .starts_with("longer than")
        );
    }
}

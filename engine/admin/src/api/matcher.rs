//! Expressions: what they mean, and which messages they match, recorded and live.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use matcher::Matcher;
use matcher::expr::{Node, Tree};
use schemas::view::Index;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, App, Problem, blocking, event, event_stream, events, json_text};
use crate::engine::Queue;
use crate::text;
use crate::watch::Watch;

/// Longest expression that a page sends, bytes.
const EXPRESSION_MAX: usize = 16 << 10;

/// Messages that one answer has at most.
const MESSAGES_MAX: usize = 500;

/// How much of the newest part of a queue is searched, bytes.
const SEARCHED: u64 = 64 << 20;

/// A search ends after this.
const SEARCH_TIME: Duration = Duration::from_secs(5);

/// A look sends its counts this often though nothing matches.
const COUNTS_EVERY: Duration = Duration::from_secs(1);

/// Messages that one event has at most.
const GATHERED_MAX: usize = 20;

/// What is asked for.
#[derive(Deserialize)]
pub struct Asked {
    expression: String,
    #[serde(default)]
    queue: Queue,
    limit: Option<usize>,
}

/// What an expression means, or where it is wrong.
pub async fn describe(Query(asked): Query<Asked>) -> Response {
    if asked.expression.len() > EXPRESSION_MAX {
        return Problem::wrong("the expression is too long").into_response();
    }
    let described = match Matcher::parse(&asked.expression) {
        Ok(matcher) => {
            let warnings: Vec<String> =
                matcher.warnings().iter().map(ToString::to_string).collect();
            let text = text::shown(&matcher.tree().to_bytes());
            json!({ "ok": true, "text": text, "tree": tree(matcher.tree()), "warnings": warnings })
        }
        Err(error) => json!({
            "ok": false,
            "offset": error.offset,
            "character": error.character,
            "found": error.found,
            "expected": error.expected,
            "hint": error.hint,
        }),
    };
    Json(described).into_response()
}

/// The tree as nested JSON. Its nodes stand in postfix order, so a stack does without recursion.
fn tree(tree: &Tree) -> Value {
    let mut made: Vec<Value> = Vec::new();
    for node in tree.nodes() {
        let new = match node {
            Node::Test(test) => json!({ "test": text::shown(&test.to_bytes()) }),
            Node::And(left, right) => json!({ "and": [made[*left].take(), made[*right].take()] }),
            Node::Or(left, right) => json!({ "or": [made[*left].take(), made[*right].take()] }),
        };
        made.push(new);
    }
    made.pop().unwrap_or_default()
}

fn parse(expression: &str) -> Answer<Matcher> {
    if expression.len() > EXPRESSION_MAX {
        return Err(Problem::wrong("the expression is too long"));
    }
    Matcher::parse(expression)
        .map_err(|error| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error))
}

/// The newest messages of a queue that match, at most `limit`, oldest first, bare.
pub fn search(
    app: &App,
    queue: Queue,
    matcher: &Matcher,
    limit: usize,
) -> Answer<(Vec<Vec<u8>>, u64)> {
    let mut found = VecDeque::new();
    let (mut index, mut seen) = (Index::default(), 0);
    let until = Instant::now() + SEARCH_TIME;
    app.engine.recorded(queue, SEARCHED, &mut |message| {
        seen += 1;
        if index.outline(message).is_ok() && matcher.matches(&index.view(message)) {
            if found.len() >= limit {
                found.pop_front();
            }
            found.push_back(message.to_vec());
        }
        seen % 256 != 0 || Instant::now() < until
    })?;
    Ok((found.into(), seen))
}

/// The newest recorded messages that match, newest first.
pub async fn recorded(State(app): State<Arc<App>>, Query(asked): Query<Asked>) -> Answer {
    let matcher = parse(&asked.expression)?;
    let limit = asked.limit.unwrap_or(50).clamp(1, MESSAGES_MAX);
    let searched = move || search(&app, asked.queue, &matcher, limit);
    let (found, seen) = blocking(searched).await??;
    let list: Vec<String> = found
        .iter()
        .rev()
        .map(|message| message_json(message))
        .collect();
    Ok(json_text(format!(
        "{{\"seen\":{seen},\"messages\":[{}]}}",
        list.join(",")
    )))
}

/// A message as JSON, with its time as text in front: JavaScript has no integers of 64 bits.
pub fn message_json(message: &[u8]) -> String {
    let mut index = Index::default();
    if index.parse(message).is_err() {
        return "{\"time\":\"\",\"message\":{}}".into();
    }
    let view = index.view(message);
    let (mut time, mut json) = (Vec::new(), Vec::new());
    schemas::text::write_timestamp(view.timestamp(), &mut time).expect("a Vec takes any bytes");
    schemas::json::write_message(&view, &mut json).expect("a Vec takes any bytes");
    let (time, json) = (text::shown(&time), text::shown(&json));
    format!("{{\"time\":\"{time}\",\"message\":{json}}}")
}

struct Look {
    watch: Watch,
    until: Instant,
    left: usize,
}

/// Messages that match, as they come.
pub async fn watch(State(app): State<Arc<App>>, Query(asked): Query<Asked>) -> Answer {
    let matcher = parse(&asked.expression)?;
    let watch = app.feed.watches.begin(asked.queue, matcher);
    let watch = watch.ok_or_else(|| {
        Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too many pages watch messages already",
        )
    })?;
    let look = Look {
        watch,
        until: Instant::now() + events::STREAM_TIME,
        left: asked.limit.unwrap_or(usize::MAX),
    };
    Ok(event_stream(stream::unfold(look, look_on)))
}

async fn look_on(mut look: Look) -> Option<(Result<Bytes, std::convert::Infallible>, Look)> {
    if look.left == 0 || Instant::now() > look.until {
        return None;
    }
    let mut messages = Vec::new();
    let at_once = GATHERED_MAX.min(look.left);
    let gather = look.watch.messages.recv_many(&mut messages, at_once);
    let _or_only_counts = tokio::time::timeout(COUNTS_EVERY, gather).await;
    look.left -= messages.len();
    let mut out = String::new();
    for message in &messages {
        out.push_str(&event("message", &message_json(message)));
    }
    let counts = &look.watch.counts;
    let json = json!({
        "seen": counts.seen.load(Ordering::Relaxed),
        "matched": counts.matched.load(Ordering::Relaxed),
        "left_out": counts.left_out.load(Ordering::Relaxed),
    });
    out.push_str(&event("counts", &json.to_string()));
    Some((Ok(Bytes::from(out)), look))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_shown_as_a_tree() {
        let matcher = Matcher::parse("Type == 'a' && (Pid == 1 || TRUE)").expect("an expression");
        let shown = tree(matcher.tree());
        assert_eq!(shown["and"][0]["test"], "Type == 'a'");
        assert_eq!(shown["and"][1]["or"][1]["test"], "TRUE");
    }

    #[test]
    fn what_is_no_message_is_shown_as_none() {
        assert_eq!(message_json(b"\xff\xff"), "{\"time\":\"\",\"message\":{}}");
        let mut message = schemas::message::Message::new([1; 16], 1_500_000_000_000_000_001);
        message.payload = Some(b"</script>\n\xff".to_vec());
        let json: Value = serde_json::from_str(&message_json(&message.to_bytes())).expect("JSON");
        assert_eq!(json["message"]["Timestamp"], 1_500_000_000_000_000_001_i64);
    }
}

//! Who has logged in: random ids, tokens against forged requests, and their end.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A session ends so long after the login.
pub const LIFETIME: Duration = Duration::from_secs(12 * 3600);

/// A session ends when nothing was asked for so long.
const IDLE: Duration = Duration::from_secs(2 * 3600);

/// Sessions at once; then the one that was used longest ago ends.
const SESSIONS_MAX: usize = 1_000;

/// Random bytes of an id or token.
const RANDOM: usize = 32;

/// One session.
#[derive(Debug, Clone)]
pub struct Session {
    /// The user.
    pub name: String,
    /// What a page must send with every change.
    pub token: String,
    begun: Instant,
    used: Instant,
}

/// All sessions by id.
#[derive(Default)]
pub struct Sessions {
    /// Guards the map.
    all: Mutex<HashMap<String, Session>>,
}

impl Sessions {
    /// Begins one; the answer is its id.
    pub fn begin(&self, name: &str) -> String {
        let id = random();
        self.insert(id.clone(), name);
        id
    }

    /// The session of this id, if it has not ended.
    pub fn find(&self, id: &str) -> Option<Session> {
        let mut all = self.all.lock().expect("nothing panics under this lock");
        let now = Instant::now();
        all.retain(|_, session| now - session.used < IDLE && now - session.begun < LIFETIME);
        let session = all.get_mut(id)?;
        session.used = now;
        Some(session.clone())
    }

    /// Ends one.
    pub fn end(&self, id: &str) {
        self.all
            .lock()
            .expect("nothing panics under this lock")
            .remove(id);
    }

    /// The token of somebody who needs no login, always the same while it is used.
    pub fn token_of(&self, name: &str) -> String {
        if let Some(session) = self.find(name) {
            return session.token;
        }
        self.insert(name.to_owned(), name)
    }

    fn insert(&self, id: String, name: &str) -> String {
        let now = Instant::now();
        let token = random();
        let session = Session {
            name: name.into(),
            token: token.clone(),
            begun: now,
            used: now,
        };
        let mut all = self.all.lock().expect("nothing panics under this lock");
        if all.len() >= SESSIONS_MAX {
            let oldest = all.iter().min_by_key(|(_, session)| session.used);
            if let Some(id) = oldest.map(|(id, _)| id.clone()) {
                all.remove(&id);
            }
        }
        all.insert(id, session);
        token
    }
}

/// Random text that nobody can guess.
pub fn random() -> String {
    use base64::Engine;
    let mut bytes = [0; RANDOM];
    getrandom::fill(&mut bytes).expect("the system has random bytes");
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// Compares secrets in a time that says nothing about where they differ.
pub fn equal(a: &str, b: &str) -> bool {
    let differences = a.bytes().zip(b.bytes()).map(|(a, b)| a ^ b);
    a.len() == b.len() && !a.is_empty() && differences.fold(0, |all, one| all | one) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_lives_until_it_is_ended() {
        let sessions = Sessions::default();
        let id = sessions.begin("ann");
        let session = sessions.find(&id).expect("it has begun");
        assert_eq!(session.name, "ann");
        assert!(session.token.len() > 40 && session.token != id);
        sessions.end(&id);
        assert!(sessions.find(&id).is_none());
    }

    #[test]
    fn sessions_are_limited() {
        let sessions = Sessions::default();
        let first = sessions.begin("first");
        for _ in 0..SESSIONS_MAX {
            sessions.begin("more");
        }
        assert!(sessions.find(&first).is_none());
    }

    #[test]
    fn secrets_are_compared() {
        assert!(equal("abc", "abc"));
        assert!(!equal("abc", "abd") && !equal("abc", "ab") && !equal("", ""));
        let sessions = Sessions::default();
        assert_eq!(sessions.token_of("x"), sessions.token_of("x"));
        assert_ne!(sessions.token_of("x"), sessions.token_of("y"));
    }
}

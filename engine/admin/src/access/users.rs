//! The file of users: `name:role:hash` on each line, with hashes by argon2id; and the login with its limits.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};

use super::Role;

/// Longest name of a user, bytes.
const NAME_MAX: usize = 64;

/// Longest password, bytes, so that nobody makes us hash megabytes.
pub const PASSWORD_MAX: usize = 1_024;

/// Largest file of users, bytes.
const FILE_MAX: u64 = 1 << 20;

/// Failed logins from one address or for one name that are answered at once ...
const FREE_FAILURES: u32 = 5;

/// ... after which each further one makes the next wait twice as long, up to this.
const WAIT_MAX: Duration = Duration::from_secs(900);

/// A failure is forgotten after so long.
const FORGOTTEN: Duration = Duration::from_secs(3_600);

/// Addresses and names that are remembered for failed logins.
const REMEMBERED_MAX: usize = 10_000;

/// How often the file is looked at for changes.
const LOOK_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
struct User {
    role: Role,
    hash: String,
}

#[derive(Default)]
struct Known {
    users: HashMap<String, User>,
    changed: Option<SystemTime>,
    looked: Option<Instant>,
}

struct Failures {
    count: u32,
    last: Instant,
}

/// Those who may log in.
pub struct Users {
    file: Option<PathBuf>,
    /// Guards what was read of the file; it is read again when it changes.
    known: Mutex<Known>,
    /// Guards the failed logins by address and name.
    failures: Mutex<HashMap<String, Failures>>,
    /// Compared with when there is no such user, so that the answer takes as long.
    nobody: String,
}

/// Why a login failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The name or the password.
    #[error("name or password is wrong")]
    Wrong,
    /// There were too many failures before.
    #[error("too many failed logins; try again in {0} s")]
    Wait(u64),
}

/// Whether this can be the name of a user.
pub fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-@".contains(c);
    !name.is_empty() && name.len() <= NAME_MAX && name.chars().all(plain)
}

/// The line of the file for a user.
///
/// # Errors
/// The name or password cannot be used.
pub fn line(name: &str, role: Role, password: &str) -> Result<String, String> {
    if !is_name(name) {
        return Err("a name has 1 to 64 letters, digits, dots, dashes, underscores or @".into());
    }
    if !(8..=PASSWORD_MAX).contains(&password.len()) {
        return Err(format!("a password has 8 to {PASSWORD_MAX} bytes"));
    }
    Ok(format!("{name}:{}:{}", role.word(), hash(password)))
}

fn hash(password: &str) -> String {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).expect("the system has random bytes");
    let salt = SaltString::encode_b64(&salt).expect("16 bytes make a salt");
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt);
    hash.expect("the length was looked at").to_string()
}

impl Users {
    /// Those in `file`; without one there are none.
    ///
    /// # Errors
    /// The file cannot be read, or a line is wrong.
    pub fn open(file: Option<&Path>) -> Result<Users, String> {
        let users = Users {
            file: file.map(Path::to_path_buf),
            known: Mutex::default(),
            failures: Mutex::default(),
            nobody: hash("nobody has this password"),
        };
        if let Some(file) = file {
            let known = read(file)?;
            *users.known.lock().expect("nothing panics under this lock") = known;
        }
        Ok(users)
    }

    /// What a user may do; `None` if there is no such user.
    pub fn role(&self, name: &str) -> Option<Role> {
        self.find(name).map(|user| user.role)
    }

    /// Compares the password. Takes tens of milliseconds and 19 MiB, by intention.
    ///
    /// # Errors
    /// See [`LoginError`].
    pub fn log_in(&self, name: &str, password: &str, address: IpAddr) -> Result<Role, LoginError> {
        let keys = [format!("from {address}"), format!("name {name}")];
        self.wait(&keys)?;
        let user = self.find(name);
        let hash = user.as_ref().map_or(&self.nobody, |user| &user.hash);
        let hash = PasswordHash::new(hash).map_err(|_| LoginError::Wrong)?;
        let is_short = password.len() <= PASSWORD_MAX;
        let is_right = is_short
            && Argon2::default()
                .verify_password(password.as_bytes(), &hash)
                .is_ok();
        match user.filter(|_| is_right) {
            Some(user) => {
                self.failures().retain(|key, _| !keys.contains(key));
                Ok(user.role)
            }
            None => {
                self.failed(keys);
                Err(LoginError::Wrong)
            }
        }
    }

    fn failures(&self) -> std::sync::MutexGuard<'_, HashMap<String, Failures>> {
        self.failures
            .lock()
            .expect("nothing panics under this lock")
    }

    fn wait(&self, keys: &[String]) -> Result<(), LoginError> {
        let failures = self.failures();
        let waits = keys.iter().filter_map(|key| failures.get(key)).map(|past| {
            let more = past.count.saturating_sub(FREE_FAILURES).min(16);
            let wait = Duration::from_secs((1 << more) - 1).min(WAIT_MAX);
            wait.saturating_sub(past.last.elapsed())
        });
        match waits.max().unwrap_or_default() {
            Duration::ZERO => Ok(()),
            wait => Err(LoginError::Wait(wait.as_secs() + 1)),
        }
    }

    fn failed(&self, keys: [String; 2]) {
        let mut failures = self.failures();
        if failures.len() >= REMEMBERED_MAX {
            failures.retain(|_, past| past.last.elapsed() < FORGOTTEN);
        }
        if failures.len() >= REMEMBERED_MAX {
            // Somebody tries with many names; those from one address still wait.
            failures.retain(|key, _| key.starts_with("from "));
        }
        for key in keys {
            let past = failures.entry(key).or_insert(Failures {
                count: 0,
                last: Instant::now(),
            });
            past.count += 1;
            past.last = Instant::now();
        }
    }

    fn find(&self, name: &str) -> Option<User> {
        let mut known = self.known.lock().expect("nothing panics under this lock");
        if let Some(file) = &self.file
            && known.looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY)
        {
            known.looked = Some(Instant::now());
            let changed = std::fs::metadata(file).and_then(|metadata| metadata.modified());
            if changed.ok() != known.changed {
                match read(file) {
                    Ok(new) => *known = new,
                    Err(error) => {
                        tracing::error!(target: "admin", "{error}; the users stay as they were")
                    }
                }
            }
        }
        known.users.get(name).cloned()
    }
}

fn read(file: &Path) -> Result<Known, String> {
    let at = file.display();
    let metadata = std::fs::metadata(file).map_err(|error| format!("reading {at}: {error}"))?;
    if metadata.len() > FILE_MAX {
        return Err(format!("{at} is larger than {FILE_MAX} bytes"));
    }
    let text = std::fs::read_to_string(file).map_err(|error| format!("reading {at}: {error}"))?;
    let mut users = HashMap::new();
    for (idx, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let number = idx + 1;
        let wrong =
            || format!("{at}:{number}: expected <name>:<viewer|author|operator>:<argon2 hash>");
        let mut parts = line.trim().splitn(3, ':');
        let (Some(name), Some(role), Some(hash)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        let role = Role::from_word(role).ok_or_else(wrong)?;
        if !is_name(name) || PasswordHash::new(hash).is_err() {
            return Err(wrong());
        }
        let hash = hash.to_owned();
        users.insert(name.to_owned(), User { role, hash });
    }
    Ok(Known {
        users,
        changed: metadata.modified().ok(),
        looked: Some(Instant::now()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> IpAddr {
        IpAddr::from([127, 0, 0, 1])
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("written");
        file
    }

    #[test]
    fn a_user_logs_in_with_the_right_password_only() {
        let line = line("ann", Role::Author, "correct horse").expect("good");
        let file = file(&format!("# users\n\n{line}\n"));
        let users = Users::open(Some(file.path())).expect("readable");
        assert_eq!(users.role("ann"), Some(Role::Author));
        assert_eq!(
            users.log_in("ann", "correct horse", home()),
            Ok(Role::Author)
        );
        for (name, password) in [("ann", "wrong"), ("bob", "correct horse"), ("ann", "")] {
            assert_eq!(users.log_in(name, password, home()), Err(LoginError::Wrong));
        }
    }

    #[test]
    fn many_failures_make_the_next_wait() {
        let users = Users::open(None).expect("none");
        let mut last = Ok(Role::Viewer);
        for _ in 0..=FREE_FAILURES + 1 {
            last = users.log_in("ann", "x", home());
        }
        assert!(matches!(last, Err(LoginError::Wait(_))), "{last:?}");
        let elsewhere = IpAddr::from([192, 0, 2, 1]);
        assert!(matches!(
            users.log_in("ann", "x", elsewhere),
            Err(LoginError::Wait(_))
        ));
        assert_eq!(users.log_in("bob", "x", elsewhere), Err(LoginError::Wrong));
    }

    #[test]
    fn a_wrong_file_is_refused_with_its_line() {
        for text in [
            "ann",
            "ann:viewer",
            "ann:king:x",
            "ann:viewer:plain",
            "a b:viewer:x",
        ] {
            let file = file(&format!("\n{text}\n"));
            let error = Users::open(Some(file.path())).err().expect("wrong");
            assert!(error.contains(":2: expected <name>"), "{error}");
        }
        assert!(Users::open(Some(Path::new("/nowhere"))).is_err());
        assert!(line("a b", Role::Viewer, "long enough").is_err());
        assert!(line("ann", Role::Viewer, "short").is_err());
    }
}

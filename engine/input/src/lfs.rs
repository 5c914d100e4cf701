//! The `lfs` module: what files and folders there are, and which file a name stands for now.

use std::fs::{self, Metadata, ReadDir};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sandbox::native::{Call, Class, Error, Function, Object, Registry, function};

const FUNCTIONS: &[(&str, Function)] = &[
    ("attributes", function(attributes)),
    ("currentdir", function(currentdir)),
    ("dir", function(dir)),
    ("link", function(link)),
    ("lock_dir", function(lock_dir)),
    ("mkdir", function(mkdir)),
    ("rmdir", function(rmdir)),
    ("symlinkattributes", function(symlink_attributes)),
    ("touch", function(touch)),
];

/// Offers `lfs` to input and output plugins. `chdir` is not there: the folder belongs to the whole program. Nor are `lock` and
/// `unlock`: locks on files belong to the program too, which would free them whenever it closes the file elsewhere.
pub fn register(registry: &mut Registry) {
    registry.add_io("lfs", function(open));
}

fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(FUNCTIONS)?;
    call.push_bytes("LuaFileSystem 1.6.3")?;
    call.raw_set_field(-2, "_VERSION")?;
    Ok(1)
}

fn path_at<'a>(call: &Call<'a>, i: i32) -> Result<&'a Path, Error> {
    Ok(Path::new(std::ffi::OsStr::from_bytes(call.check_bytes(i)?)))
}

/// Pushes nil, the words and the number of an error.
fn push_failure(call: &mut Call<'_>, what: &str, error: &io::Error) -> Result<usize, Error> {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or("");
    call.push_nil()?;
    call.push_bytes(format!("{what}{text}"))?;
    call.push_integer(error.raw_os_error().unwrap_or(libc::EINVAL).into())?;
    Ok(3)
}

fn push_outcome(call: &mut Call<'_>, outcome: io::Result<()>) -> Result<usize, Error> {
    match outcome {
        Ok(()) => {
            call.push_bool(true)?;
            Ok(1)
        }
        Err(error) => push_failure(call, "", &error),
    }
}

fn attributes(call: &mut Call<'_>) -> Result<usize, Error> {
    let path = path_at(call, 1)?;
    answer(call, path, fs::metadata(path))
}

fn symlink_attributes(call: &mut Call<'_>) -> Result<usize, Error> {
    let path = path_at(call, 1)?;
    answer(call, path, fs::symlink_metadata(path))
}

/// One attribute as it goes to Lua.
enum Attribute {
    Text(&'static str),
    Number(f64),
    Permissions(u32),
}

type Getter = fn(&Metadata) -> Attribute;

const ATTRIBUTES: &[(&str, Getter)] = &[
    ("mode", |m| Attribute::Text(mode(m))),
    ("dev", |m| Attribute::Number(m.dev() as f64)),
    ("ino", |m| Attribute::Number(m.ino() as f64)),
    ("nlink", |m| Attribute::Number(m.nlink() as f64)),
    ("uid", |m| Attribute::Number(m.uid().into())),
    ("gid", |m| Attribute::Number(m.gid().into())),
    ("rdev", |m| Attribute::Number(m.rdev() as f64)),
    ("access", |m| Attribute::Number(m.atime() as f64)),
    ("modification", |m| Attribute::Number(m.mtime() as f64)),
    ("change", |m| Attribute::Number(m.ctime() as f64)),
    ("size", |m| Attribute::Number(m.size() as f64)),
    ("permissions", |m| Attribute::Permissions(m.mode())),
    ("blocks", |m| Attribute::Number(m.blocks() as f64)),
    ("blksize", |m| Attribute::Number(m.blksize() as f64)),
];

fn mode(metadata: &Metadata) -> &'static str {
    let kind = metadata.file_type();
    match () {
        () if kind.is_file() => "file",
        () if kind.is_dir() => "directory",
        () if kind.is_symlink() => "link",
        () if kind.is_socket() => "socket",
        () if kind.is_fifo() => "named pipe",
        () if kind.is_char_device() => "char device",
        () if kind.is_block_device() => "block device",
        () => "other",
    }
}

/// `attributes(path[, name or table])`
fn answer(
    call: &mut Call<'_>,
    path: &Path,
    metadata: io::Result<Metadata>,
) -> Result<usize, Error> {
    let metadata = match metadata {
        Ok(metadata) => metadata,
        Err(error) => {
            let what = format!("cannot obtain information from file '{}': ", path.display());
            return push_failure(call, &what, &error);
        }
    };
    if let Some(wanted) = call.bytes_at(2).map(<[u8]>::to_vec) {
        let found = ATTRIBUTES
            .iter()
            .find(|(name, _)| name.as_bytes() == wanted);
        let Some((_, get)) = found else {
            let wanted = String::from_utf8_lossy(&wanted);
            return Err(Error::argument(
                2,
                format!("invalid attribute name '{wanted}'"),
            ));
        };
        push_attribute(call, get(&metadata))?;
        return Ok(1);
    }
    match call.is_none_or_nil(2) {
        true => call.push_table(0, ATTRIBUTES.len())?,
        false => {
            call.check_table(2)?;
            call.push_value(2)?;
        }
    }
    for (name, get) in ATTRIBUTES {
        push_attribute(call, get(&metadata))?;
        call.raw_set_field(-2, name)?;
    }
    Ok(1)
}

fn push_attribute(call: &mut Call<'_>, attribute: Attribute) -> Result<(), Error> {
    match attribute {
        Attribute::Text(text) => call.push_bytes(text),
        Attribute::Number(number) => call.push_number(number),
        Attribute::Permissions(mode) => {
            let letters = b"rwxrwxrwx".iter().enumerate();
            let text: Vec<u8> = letters
                .map(|(i, &c)| if mode >> (8 - i) & 1 == 1 { c } else { b'-' })
                .collect();
            call.push_bytes(text)
        }
    }
}

/// A folder being listed. The names `.` and `..` come first, as the C library gives them.
struct Listing {
    entries: Option<ReadDir>,
    dots: u8,
}

const LISTING_METHODS: &[(&str, Function)] =
    &[("close", function(close)), ("next", function(next))];

impl Object for Listing {
    fn class() -> Class {
        Class {
            name: "directory metatable",
            methods: LISTING_METHODS,
            metamethods: &[],
        }
    }

    fn descriptors(&self) -> usize {
        usize::from(self.entries.is_some())
    }
}

/// `dir(path)`: an iterator and its state, for a `for` loop.
fn dir(call: &mut Call<'_>) -> Result<usize, Error> {
    let path = path_at(call, 1)?;
    let entries = fs::read_dir(path).map_err(|error| {
        let text = error.to_string();
        let text = text.split(" (os error").next().unwrap_or("");
        Error::new(format!("cannot open {}: {text}", path.display()))
    })?;
    call.push_function(function(next))?;
    call.push_object(Listing {
        entries: Some(entries),
        dots: 0,
    })?;
    Ok(2)
}

fn next(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut listing = call.check_object_mut::<Listing>(1)?;
    let dots = listing.dots;
    let Some(entries) = &mut listing.entries else {
        return Err(Error::argument(1, "closed directory"));
    };
    if dots < 2 {
        listing.dots += 1;
        call.push_bytes([".", ".."][usize::from(dots)])?;
        return Ok(1);
    }
    match entries.next() {
        Some(Ok(entry)) => call.push_bytes(entry.file_name().as_bytes())?,
        Some(Err(error)) => return Err(Error::new(error.to_string())),
        None => {
            listing.entries = None;
            drop(listing);
            call.recount(1)?;
            call.push_nil()?;
        }
    }
    Ok(1)
}

fn close(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_object_mut::<Listing>(1)?.entries = None;
    call.recount(1)?;
    Ok(0)
}

fn currentdir(call: &mut Call<'_>) -> Result<usize, Error> {
    match std::env::current_dir() {
        Ok(path) => {
            call.push_bytes(path.as_os_str().as_bytes())?;
            Ok(1)
        }
        Err(error) => push_failure(call, "", &error),
    }
}

fn mkdir(call: &mut Call<'_>) -> Result<usize, Error> {
    let made = fs::create_dir(path_at(call, 1)?);
    push_outcome(call, made)
}

fn rmdir(call: &mut Call<'_>) -> Result<usize, Error> {
    let removed = fs::remove_dir(path_at(call, 1)?);
    push_outcome(call, removed)
}

/// `link(old, new[, symbolic])`
fn link(call: &mut Call<'_>) -> Result<usize, Error> {
    let (old, new) = (path_at(call, 1)?, path_at(call, 2)?);
    let linked = match call.is_true(3) {
        true => std::os::unix::fs::symlink(old, new),
        false => fs::hard_link(old, new),
    };
    push_outcome(call, linked)
}

const LOCK_METHODS: &[(&str, Function)] = &[("free", function(free))];

/// The lock of a folder; it is free again when the object is gone.
struct Lock(Option<PathBuf>);

impl Lock {
    fn free(&mut self) {
        if let Some(path) = self.0.take() {
            // Whoever removed it before wanted it gone as well.
            let _ = fs::remove_file(path);
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.free();
    }
}

impl Object for Lock {
    fn class() -> Class {
        Class {
            name: "lock metatable",
            methods: LOCK_METHODS,
            metamethods: &[],
        }
    }
}

fn free(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_object_mut::<Lock>(1)?.free();
    Ok(0)
}

/// `lock_dir(path[, seconds])`: a lock that others honour, made of a link in the folder. One that is older than so many
/// seconds was left behind and is taken over.
fn lock_dir(call: &mut Call<'_>) -> Result<usize, Error> {
    let path = path_at(call, 1)?.join("lockfile.lfs");
    let stale = call.opt_number(2)?.unwrap_or(f64::INFINITY);
    let make = || std::os::unix::fs::symlink("lock", &path);
    let mut made = make();
    if made
        .as_ref()
        .is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists)
        && age(&path) > stale
    {
        made = fs::remove_file(&path).and_then(|()| make());
    }
    match made {
        Ok(()) => {
            call.push_object(Lock(Some(path)))?;
            Ok(1)
        }
        Err(error) => push_failure(call, "", &error),
    }
}

/// Seconds since a link was made; 0 when nobody knows.
fn age(path: &Path) -> f64 {
    let made = fs::symlink_metadata(path).and_then(|link| link.modified());
    let age = made
        .ok()
        .and_then(|made| SystemTime::now().duration_since(made).ok());
    age.map_or(0.0, |age| age.as_secs_f64())
}

/// `touch(path[, accessed[, modified]])`
fn touch(call: &mut Call<'_>) -> Result<usize, Error> {
    let path = path_at(call, 1)?;
    let time = |seconds: f64| {
        let since = std::time::Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default();
        std::time::SystemTime::UNIX_EPOCH + since
    };
    let now = std::time::SystemTime::now();
    let accessed = call.opt_number(2)?.map(time);
    let modified = call.opt_number(3)?.map(time);
    let times = fs::FileTimes::new()
        .set_accessed(accessed.unwrap_or(now))
        .set_modified(modified.or(accessed).unwrap_or(now));
    let touched = fs::File::open(path).and_then(|file| file.set_times(times));
    push_outcome(call, touched)
}

#[cfg(test)]
mod tests;

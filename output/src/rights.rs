//! Who may read and write what an output delivers: personal and public prefixes, and what goes with each object.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::destination::check_key;

/// The longest name of an owner, in bytes.
const OWNER_MAX: usize = 64;

/// Tags of an object, at most; S3's own limit, as are the lengths.
pub const TAGS_MAX: usize = 10;
const TAG_NAME_MAX: usize = 128;
const TAG_VALUE_MAX: usize = 256;

/// The canned access control lists of S3's objects.
const ACLS: [&str; 7] = [
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-full-control",
    "bucket-owner-read",
    "private",
    "public-read",
    "public-read-write",
];

/// The longest list of groups that is read, in bytes.
const GROUPS_MAX: u64 = 4 << 20;

/// What goes with the objects of a bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectRights {
    /// A canned access control list.
    pub acl: Option<String>,
    /// Tags, in the form of a query, for the rules of the bucket.
    pub tags: Option<String>,
}

/// Who may do what in a folder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileRights {
    /// The mode of files.
    pub file_mode: Option<u32>,
    /// The mode of folders that are made.
    pub folder_mode: Option<u32>,
    /// The group of both, by number.
    pub group: Option<u32>,
}

impl ObjectRights {
    /// Whether the access control list lets everybody read, or everybody with an account.
    pub fn is_public(&self) -> bool {
        matches!(
            self.acl.as_deref(),
            Some("authenticated-read" | "public-read" | "public-read-write")
        )
    }
}

impl FileRights {
    /// Gives a file or folder its group, then its mode.
    ///
    /// # Errors
    /// The system's, such as that the group is none of ours.
    pub fn apply(&self, path: &Path, mode: Option<u32>) -> io::Result<()> {
        if let Some(group) = self.group {
            std::os::unix::fs::chown(path, None, Some(group))?;
        }
        match mode {
            Some(mode) => std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)),
            None => Ok(()),
        }
    }
}

/// Fills in a prefix: `{owner}` and `{plugin}` stand for the plugin's owner and name. The prefix stays inside of its store.
///
/// # Errors
/// When it names an owner and there is none; when it could leave the store, or means something unknown.
pub fn prefix(template: &str, owner: Option<&str>, plugin: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
    let is_name = |name: &str| {
        !name.starts_with('.')
            && name.len() <= OWNER_MAX
            && !name.is_empty()
            && name.chars().all(is_plain)
    };
    let mut filled = template.replace("{plugin}", plugin);
    if template.contains("{owner}") {
        let owner =
            owner.ok_or("prefix has {owner}, but the plugin's configuration has no owner")?;
        if !is_name(owner) {
            return Err(
                "owner must have 1 to 64 letters, digits, '.', '_', '-', '@', not begin with '.'"
                    .into(),
            );
        }
        filled = filled.replace("{owner}", owner);
    }
    if filled.contains(['{', '}']) {
        return Err("prefix may have {owner} and {plugin} in braces, nothing else".into());
    }
    let is_inside = check_key(&filled).is_ok() && !filled.contains(['\\', '\n']);
    match is_inside {
        true => Ok(filled),
        false => Err(
            "prefix must not begin or end with '/', and have no part that is empty, '.' or '..'"
                .into(),
        ),
    }
}

/// A canned access control list of this name.
///
/// # Errors
/// Which ones there are.
pub fn acl(name: &str) -> Result<String, String> {
    match ACLS.contains(&name) {
        true => Ok(name.to_owned()),
        false => Err(format!("acl must be one of {}", ACLS.join(", "))),
    }
}

/// Tags in the form of a query.
///
/// # Errors
/// When there are too many, or one is too long or has letters that S3 does not take.
pub fn tags(pairs: &[(String, String)]) -> Result<String, String> {
    let is_good = |c: char| c.is_alphanumeric() || " +-=._:/@".contains(c);
    let fits = |(name, value): &(String, String)| {
        !name.is_empty()
            && name.chars().count() <= TAG_NAME_MAX
            && value.chars().count() <= TAG_VALUE_MAX
            && name.chars().chain(value.chars()).all(is_good)
    };
    if pairs.len() > TAGS_MAX || !pairs.iter().all(fits) {
        return Err(
            "tags must be at most 10, of letters, digits, spaces and + - = . _ : / @".into(),
        );
    }
    let texts = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
    Ok(texts.collect::<Vec<_>>().join("&"))
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => out.push(byte as char),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A mode as `chmod` takes it: three or four octal digits.
///
/// # Errors
/// What was expected.
pub fn mode(text: &str) -> Result<u32, String> {
    let is_mode = (3..=4).contains(&text.len()) && text.bytes().all(|b| (b'0'..=b'7').contains(&b));
    let mode = is_mode.then(|| u32::from_str_radix(text, 8).ok()).flatten();
    mode.ok_or_else(|| "three or four octal digits in a string, such as '0640'".into())
}

/// The number of a group, by its name in `/etc/group` or as a number.
///
/// # Errors
/// When there is none of this name.
pub fn group(name: &str) -> Result<u32, String> {
    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    let path = Path::new("/etc/group");
    let text = std::fs::metadata(path).and_then(|found| match found.len() > GROUPS_MAX {
        true => Err(io::ErrorKind::FileTooLarge.into()),
        false => std::fs::read_to_string(path),
    });
    let text = text.map_err(|error| format!("/etc/group: {error}"))?;
    group_in(&text, name).ok_or_else(|| format!("there is no group {name:?}"))
}

fn group_in(text: &str, name: &str) -> Option<u32> {
    text.lines().find_map(|line| {
        let mut parts = line.split(':');
        (parts.next()? == name).then(|| parts.nth(1)?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_filled_in_and_stays_inside() {
        let filled = |template: &str| prefix(template, Some("ann@x"), "job.1");
        assert_eq!(
            filled("users/{owner}/{plugin}/data").as_deref(),
            Ok("users/ann@x/job.1/data")
        );
        assert_eq!(filled("public").as_deref(), Ok("public"));
        for bad in [
            "", "/a", "a/", "../a", "a/../b", "a//b", ".", "{user}", "a}", "a\0b", "a\\..\\b",
        ] {
            assert!(filled(bad).is_err(), "{bad:?}");
        }
        for owner in [
            None,
            Some(""),
            Some(".."),
            Some("a/b"),
            Some(".x"),
            Some("{plugin}"),
        ] {
            assert!(prefix("{owner}", owner, "job").is_err(), "{owner:?}");
        }
    }

    #[test]
    fn rights_are_checked() {
        assert_eq!(acl("public-read").as_deref(), Ok("public-read"));
        assert!(acl("public").is_err());
        assert_eq!((mode("0640"), mode("2750")), (Ok(0o640), Ok(0o2750)));
        for bad in ["", "64", "rw-r-----", "0648", "00640", "+640"] {
            assert!(mode(bad).is_err(), "{bad}");
        }
        let pairs = [
            ("who".to_owned(), "ann b".to_owned()),
            ("x".to_owned(), "ä&".to_owned()),
        ];
        assert_eq!(tags(&pairs[..1]).as_deref(), Ok("who=ann%20b"));
        assert!(tags(&pairs).is_err(), "an ampersand");
        assert!(tags(&vec![pairs[0].clone(); TAGS_MAX + 1]).is_err());
        let text = "root:x:0:\nstaff:x:50:ann,bob\nbroken\n";
        assert_eq!(
            (group_in(text, "staff"), group_in(text, "bob")),
            (Some(50), None)
        );
        assert_eq!(group("7"), Ok(7));
        assert!(group("no such group").is_err());
    }
}

//! What every destination and every store promises, checked for a folder, for s3s and for moto.

use std::path::Path;
use std::sync::Arc;

use output::destination::{Body, Failure, Piece, Store};
use output::directory::Directory;
use output::rights::ObjectRights;
use output::runtime::runtime;
use output::s3::{Bucket, Credentials, PART_SIZE_MIN, Settings};
use s3server::{ACCESS_KEY, Moto, SECRET_KEY, Server};

fn credentials(folder: &Path) -> Credentials {
    let file = folder.join("credentials");
    let text = format!("aws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n");
    std::fs::write(&file, text).expect("the folder is writable");
    Credentials::File(file)
}

fn bucket(endpoint: String, credentials: Credentials) -> Arc<dyn Store> {
    bucket_with(endpoint, credentials, ObjectRights::default())
}

fn bucket_with(endpoint: String, credentials: Credentials, rights: ObjectRights) -> Arc<dyn Store> {
    let mut settings = Settings::new("s3://lake/some/prefix").expect("a good address");
    settings.endpoint = Some(endpoint);
    settings.path_style = true;
    settings.credentials = credentials;
    settings.part_size = PART_SIZE_MIN;
    settings.rights = rights;
    Arc::new(
        runtime()
            .expect("threads")
            .block_on(Bucket::open(&settings)),
    )
}

struct Tried<'t> {
    store: &'t dyn Store,
    folder: &'t Path,
}

impl Tried<'_> {
    fn put(&self, key: &str, bytes: &[u8]) -> Result<(), Failure> {
        let body = Body::Bytes(bytes.into());
        runtime()
            .expect("threads")
            .block_on(self.store.put(key, &body))
    }

    fn put_file(&self, key: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.folder.join("body");
        std::fs::write(&path, bytes).expect("the folder is writable");
        runtime()
            .expect("threads")
            .block_on(self.store.put(key, &Body::File(path)))
    }

    fn read(
        &self,
        key: &str,
        from: u64,
        len: u64,
        version: Option<&str>,
    ) -> Result<Piece, Failure> {
        runtime()
            .expect("threads")
            .block_on(self.store.read(key, from, len, version))
    }

    /// All keys, page by page.
    fn list(&self, prefix: &str, after: &str) -> Vec<(String, u64)> {
        let (mut all, mut after) = (Vec::new(), after.to_owned());
        loop {
            let page = runtime()
                .expect("threads")
                .block_on(self.store.list(prefix, &after))
                .expect("listed");
            all.extend(
                page.entries
                    .into_iter()
                    .map(|entry| (entry.key, entry.size)),
            );
            match all.last() {
                Some((last, _)) if !page.is_last => after.clone_from(last),
                _ => return all,
            }
        }
    }

    fn keys(&self, prefix: &str, after: &str) -> Vec<String> {
        self.list(prefix, after)
            .into_iter()
            .map(|(key, _)| key)
            .collect()
    }

    fn everything(&self) {
        self.objects_come_back();
        self.keys_are_listed_in_order();
        // moto answers the last request of an upload in parts with 200 and an element that S3 does not know,
        // CompleteMultipartUploadResponse for CompleteMultipartUploadResult, which the SDK takes for an error without a code:
        // then the store is asked whether the object is there.
        self.large_files_come_back_whole();
        self.failures_are_told();
        self.what_was_removed_is_gone();
    }

    fn objects_come_back(&self) {
        let bytes: Vec<u8> = (0..=255).collect();
        for key in ["plain", "a/b=c/d e+f", "umlaut/ä.x", "deep/1/2/3/4/5"] {
            for _ in 0..2 {
                self.put(key, &bytes).expect("twice the same is no failure");
            }
            let piece = self.read(key, 0, 1000, None).expect("there");
            assert_eq!(piece.bytes, bytes, "{key}");
            let middle = self
                .read(key, 10, 5, Some(&piece.version))
                .expect("still that one");
            assert_eq!(middle.bytes, &bytes[10..15], "{key}");
            for behind in [256, 1000] {
                assert_eq!(
                    self.read(key, behind, 5, None).expect("the end").bytes,
                    b"",
                    "{key}"
                );
            }
        }
        self.put("plain", b"new").expect("replaced");
        assert_eq!(
            self.read("plain", 0, 10, None).expect("there").bytes,
            b"new"
        );
        self.put_file("empty", b"").expect("an empty object");
        assert_eq!(self.read("empty", 0, 10, None).expect("there").bytes, b"");
    }

    fn keys_are_listed_in_order(&self) {
        let keys = ["order/a", "order/a.b", "order/a/b", "order/a0", "order/b/c"];
        // A file and a folder of the same name cannot be side by side on a disk.
        let keys: Vec<&str> = keys.into_iter().filter(|key| *key != "order/a").collect();
        for key in keys.iter().rev() {
            self.put(key, key.as_bytes()).expect("put");
        }
        assert_eq!(self.keys("order/", ""), keys);
        assert_eq!(self.keys("order/a", "order/a.b"), ["order/a/b", "order/a0"]);
        assert_eq!(self.keys("order/b/c", ""), ["order/b/c"]);
        assert_eq!(self.keys("nothing/", ""), [""; 0]);
        let sizes = self.list("order/a.b", "");
        assert_eq!(sizes, [("order/a.b".to_owned(), 9)]);
    }

    fn large_files_come_back_whole(&self) {
        // Three parts, the last of them short.
        let len = 2 * PART_SIZE_MIN as u32 / 4 + 1000;
        let bytes: Vec<u8> = (0..len)
            .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
            .collect();
        for key in ["large/file", "large/bytes"] {
            match key {
                "large/file" => self.put_file(key, &bytes),
                _ => self.put(key, &bytes),
            }
            .expect("put");
            let piece = self.read(key, 0, u64::MAX / 2, None).expect("there");
            assert!(
                piece.bytes == bytes,
                "{key}: {} of {} bytes",
                piece.bytes.len(),
                bytes.len()
            );
        }
        assert_eq!(self.keys("large/", "").len(), 2);
    }

    fn what_was_removed_is_gone(&self) {
        let remove = |key: &str| {
            let runtime = runtime().expect("threads");
            runtime.block_on(self.store.remove(key))
        };
        for key in ["gone/a", "gone/b"] {
            self.put(key, key.as_bytes()).expect("put");
        }
        for _ in 0..2 {
            remove("gone/a").expect("twice is no failure");
            assert_eq!(self.keys("gone/", ""), ["gone/b"]);
        }
        remove("never/was").expect("nothing is no failure");
        assert!(self.read("gone/a", 0, 1, None).expect_err("gone").lasts());
        self.put("gone/a", b"new").expect("put again");
        assert_eq!(self.keys("gone/", ""), ["gone/a", "gone/b"]);
        assert!(remove("../x").expect_err("a bad key").lasts());
    }

    fn failures_are_told(&self) {
        for bad in ["", "../x", "a//b"] {
            assert!(self.put(bad, b"x").expect_err("a bad key").lasts());
        }
        assert!(
            self.read("missing", 0, 1, None)
                .expect_err("not there")
                .lasts()
        );
        self.put("version", b"one").expect("put");
        let version = self.read("version", 0, 3, None).expect("there").version;
        self.put("version", b"other").expect("replaced");
        assert!(
            self.read("version", 0, 3, Some(&version))
                .expect_err("replaced")
                .lasts()
        );
        let missing = Body::File(self.folder.join("no such file"));
        let outcome = runtime()
            .expect("threads")
            .block_on(self.store.put("x", &missing));
        assert!(outcome.expect_err("nothing to put").lasts());
    }
}

#[test]
fn a_folder_is_a_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Directory::new(folder.path().join("store"));
    let tried = Tried {
        store: &store,
        folder: folder.path(),
    };
    tried.everything();
}

#[test]
fn a_bucket_of_s3s_is_a_store() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("s3/lake")).expect("made");
    let server = Server::start(&folder.path().join("s3"), 0).expect("it listens");
    let endpoint = format!("http://{}", server.address());
    let store = bucket(endpoint.clone(), credentials(folder.path()));
    let tried = Tried {
        store: &*store,
        folder: folder.path(),
    };
    tried.everything();

    // With other credentials nothing is taken; the reason is told, and the secret is not.
    let file = folder.path().join("wrong");
    std::fs::write(
        &file,
        "aws_access_key_id = other\naws_secret_access_key = hush\n",
    )
    .expect("written");
    let wrong = bucket(endpoint, Credentials::File(file.clone()));
    let body = Body::Bytes(Arc::new([1]));
    let failure = runtime()
        .expect("threads")
        .block_on(wrong.put("x", &body))
        .expect_err("refused");
    assert!(
        !failure.lasts() && !failure.reason.contains("hush"),
        "{failure:?}"
    );
    // They are read again for each request.
    let Credentials::File(right) = credentials(folder.path()) else {
        panic!("they are in a file");
    };
    std::fs::copy(right, file).expect("copied");
    runtime()
        .expect("threads")
        .block_on(wrong.put("x", &body))
        .expect("taken now");
}

#[test]
fn a_bucket_of_moto_is_a_store() {
    let folder = tempfile::tempdir().expect("a folder");
    let moto = Moto::start();
    let store = bucket(
        format!("http://{}", moto.address()),
        credentials(folder.path()),
    );
    let tried = Tried {
        store: &*store,
        folder: folder.path(),
    };
    tried.everything();
    what_goes_with_objects_is_there(&moto, folder.path());
    // More than a page.
    for n in 0..1005 {
        tried.put(&format!("pages/{n:04}"), b"").expect("put");
    }
    assert_eq!(tried.keys("pages/", "").len(), 1005);
}

/// Lists and tags go with small objects, and with those that go up in parts.
fn what_goes_with_objects_is_there(moto: &Moto, folder: &Path) {
    let rights = ObjectRights {
        acl: Some("public-read".into()),
        tags: Some("who=ann%20b".into()),
    };
    let endpoint = format!("http://{}", moto.address());
    let store = bucket_with(endpoint, credentials(folder), rights);
    for (name, len) in [("small", 1), ("large", PART_SIZE_MIN as usize + 1)] {
        let body = Body::Bytes(vec![b'x'; len].into());
        let put = runtime().expect("threads").block_on(store.put(name, &body));
        put.expect("put");
        let tags = moto.ask("GET", &format!("/lake/some/prefix/{name}?tagging"));
        let has_tag = tags.contains("<Key>who</Key>") && tags.contains("<Value>ann b</Value>");
        assert!(has_tag, "{name}: {tags}");
        let list = moto.ask("GET", &format!("/lake/some/prefix/{name}?acl"));
        assert!(list.contains("groups/global/AllUsers"), "{name}: {list}");
    }
}

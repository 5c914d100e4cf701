//! `luasql.postgres` against a real PostgreSQL: a private cluster of Debian's server on a free port of the loopback interface.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use e2e::{Certificates, free_port};
use modules::Setup;
use sandbox::{Answer, Checkpoint, Kind};

/// Where Debian puts the programs of each version.
const PROGRAMS: &str = "/usr/lib/postgresql";

/// A server that ends with the test, and its data with it.
struct Cluster {
    folder: tempfile::TempDir,
    programs: PathBuf,
    port: u16,
}

fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir(PROGRAMS).ok()?;
    let folders = versions.flatten().map(|version| version.path().join("bin"));
    folders
        .filter(|folder| folder.join("initdb").exists())
        .max()
}

/// Installs the server if it is missing.
fn installed() -> PathBuf {
    if let Some(found) = programs() {
        return found;
    }
    let _ = Command::new("apt-get")
        .args(["install", "-y", "--no-install-recommends", "postgresql"])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .output();
    programs().expect("this test needs PostgreSQL: apt-get install postgresql")
}

fn must(output: std::io::Result<Output>, what: &str) {
    let output = output.unwrap_or_else(|error| panic!("{what}: {error}"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {text}");
}

impl Cluster {
    fn start(certificates: Option<&Certificates>) -> Cluster {
        let cluster = Cluster {
            folder: tempfile::tempdir().expect("a folder"),
            programs: installed(),
            port: free_port(),
        };
        must(
            Command::new("chown")
                .arg("postgres")
                .arg(cluster.folder.path())
                .output(),
            "chown",
        );
        std::fs::write(cluster.folder.path().join("password"), "se'cret").expect("written");
        let folder = cluster.folder.path().display().to_string();
        let password = format!("--pwfile={folder}/password");
        let arguments = [
            "-D",
            &cluster.data(),
            "-U",
            "tester",
            "-A",
            "scram-sha-256",
            &password,
            "-E",
            "UTF8",
            "--no-sync",
            "--locale=C",
        ];
        must(cluster.as_postgres("initdb", &arguments), "initdb");
        let mut options = format!(
            "-p {} -k '' -c listen_addresses=127.0.0.1 -c fsync=off",
            cluster.port
        );
        if let Some(certificates) = certificates {
            for (from, to) in [("leaf.pem", "server.crt"), ("leaf.key", "server.key")] {
                let to = Path::new(&cluster.data()).join(to);
                std::fs::copy(certificates.path(from), &to).expect("copied");
                must(
                    Command::new("chown").arg("postgres").arg(&to).output(),
                    "chown",
                );
                must(Command::new("chmod").arg("600").arg(&to).output(), "chmod");
            }
            options.push_str(" -c ssl=on");
        }
        cluster.control("start", &["-o", &options, "-l", &format!("{folder}/log")]);
        cluster
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// PostgreSQL does not run as root.
    fn as_postgres(&self, program: &str, arguments: &[&str]) -> std::io::Result<Output> {
        Command::new("runuser")
            .args(["-u", "postgres", "--"])
            .arg(self.programs.join(program))
            .args(arguments)
            .current_dir("/")
            .output()
    }

    fn control(&self, what: &str, more: &[&str]) {
        let fixed = ["-D", &self.data(), "-w", "-s", what];
        // The server must not inherit pipes, or they would never end.
        let status = Command::new("runuser")
            .args(["-u", "postgres", "--"])
            .arg(self.programs.join("pg_ctl"))
            .args([&fixed[..], more].concat())
            .current_dir("/")
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status();
        assert!(status.is_ok_and(|status| status.success()), "pg_ctl {what}");
    }

    /// Runs code in which `con` is a connection and `env` its environment.
    fn check(&self, code: &str) -> modules::Plugin {
        let port = self.port;
        let source = format!(
            r#"
            require "string"; require "table"
            local env = require "luasql.postgres".postgres()
            local source = "host=127.0.0.1 port={port} user=tester password='se\\'cret' dbname=postgres"
            local con = assert(env:connect(source))
            {code}
        "#
        );
        Setup::new(Kind::Output)
            .run(&source)
            .unwrap_or_else(|error| panic!("{error}"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.as_postgres(
            "pg_ctl",
            &["-D", &self.data(), "-m", "immediate", "-s", "stop"],
        );
    }
}

#[test]
fn everything_that_luasql_has() {
    let cluster = Cluster::start(None);
    statements(&cluster);
    transactions(&cluster);
    limits(&cluster);
    a_stop_ends_a_statement(&cluster);
    a_server_that_vanishes(&cluster);
}

fn statements(cluster: &Cluster) {
    cluster.check(r#"
        assert(tostring(con):find("^PostgreSQL connection") and tostring(env):find("^PostgreSQL environment"))
        assert(con:execute("CREATE TABLE t (n integer, name varchar(20), note text)") == 0)
        assert(con:execute("INSERT INTO t VALUES (1, 'one', NULL), (2, 'two', 'x')") == 2)
        local text = "it's a \\ \1 \195\164"
        assert(con:escape(text) == "it''s a \\ \1 \195\164" and con:escape("a\0b") == "a")
        assert(con:execute("INSERT INTO t VALUES (3, 'three', '" .. con:escape(text) .. "')") == 1)
        local cur = assert(con:execute("SELECT n, name, note FROM t ORDER BY n"))
        assert(tostring(cur):find("^PostgreSQL cursor"))
        assert(cur:numrows() == 3)
        assert(table.concat(cur:getcolnames(), ",") == "n,name,note")
        assert(table.concat(cur:getcoltypes(), ",") == "int4,varchar (20),text")
        local n, name, note = cur:fetch()
        assert(n == "1" and name == "one" and note == nil)
        local row = cur:fetch({}, "an")
        assert(row[1] == "2" and row.n == "2" and row.name == "two" and row[3] == "x" and row.note == "x")
        row = cur:fetch(row, "a")
        assert(row[1] == "2" and row.note == text)
        assert(cur:fetch() == nil)
        assert(cur:close() == false, "it is closed after the last row")
        local ok, err = pcall(cur.fetch, cur)
        assert(not ok and err:find("LuaSQL: cursor is closed", 1, true), err)
        cur = con:execute("SELECT 1 WHERE false")
        assert(cur:numrows() == 0 and cur:fetch({}) == nil)
        assert(con:execute("UPDATE t SET n = n + 1 WHERE n > 1") == 2)
        assert(con:execute("SELECT 1; SELECT 2"):fetch() == "2", "the last of several")
        assert(con:execute("") == 0)
        local none
        none, err = con:execute("SELECT * FROM nowhere")
        assert(none == nil and err:find("^LuaSQL: error executing statement. PostgreSQL: ERROR:  relation \"nowhere\" does not exist"), err)
        none, err = con:execute("SELECT '\255'")
        assert(none == nil and err:find("invalid byte sequence", 1, true), err)
        none, err = con:execute("SELECT '\0'")
        assert(none == nil, err)
        assert(con:execute("SELECT 1"):fetch() == "1", "an error leaves the connection as it was")
        for _, wrong in ipairs { {}, true, print } do assert(not pcall(con.execute, con, wrong)) end
        assert(not pcall(con.execute, env, "SELECT 1"))
        none, err = env:connect("host=127.0.0.1 port=1 connect_timeout=5")
        assert(none == nil and err:find("^LuaSQL: error connecting to database. PostgreSQL: "), err)
        none, err = env:connect((source:gsub("password=%S+", "password=wrong")))
        assert(none == nil and err:find("password authentication failed", 1, true), err)
        none, err = env:connect("nonsense=1")
        assert(none == nil and err:find('invalid connection option "nonsense"', 1, true), err)
        local port = source:match("port=(%d+)")
        local other = assert(env:connect("postgres", "tester", "se'cret", "127.0.0.1", port))
        assert(other:close() == true and other:close() == false)
        ok, err = pcall(other.execute, other, "SELECT 1")
        assert(not ok and err:find("LuaSQL: connection is closed", 1, true), err)
        assert(env:close() == true and env:close() == false)
        ok, err = pcall(env.connect, env, source)
        assert(not ok and err:find("LuaSQL: environment is closed", 1, true), err)
    "#);
}

fn transactions(cluster: &Cluster) {
    cluster.check(
        r#"
        local other = assert(env:connect(source))
        local function count() return other:execute("SELECT count(*) FROM tr"):fetch() end
        assert(con:execute("CREATE TABLE tr (n integer)"))
        assert(con:commit() and con:rollback())
        assert(con:setautocommit(false))
        assert(con:execute("INSERT INTO tr VALUES (1)") == 1 and count() == "0")
        assert(con:rollback() and con:execute("INSERT INTO tr VALUES (2)") == 1)
        assert(con:commit() and count() == "1")
        assert(con:execute("INSERT INTO tr VALUES (3)") == 1)
        assert(con:setautocommit(true) and count() == "1")
        assert(con:execute("INSERT INTO tr VALUES (4)") == 1 and count() == "2")
    "#,
    );
}

fn limits(cluster: &Cluster) {
    cluster.check(r#"
        local none, err = con:execute("SELECT repeat('x', 1000) || i FROM generate_series(1, 1000000) i")
        assert(none == nil and err:find("not enough memory", 1, true), err)
        assert(con:execute("SELECT 1"):fetch() == "1")
        local cur = con:execute("SELECT i, repeat('y', 100) FROM generate_series(1, 20000) i")
        local n, row = 0, {}
        while cur:fetch(row, "n") do
            n = n + 1
            assert(row[1] == tostring(n) and #row[2] == 100)
        end
        assert(n == 20000)
        local large = string.rep("z", 4e6)
        assert(#con:execute("SELECT '" .. large .. "'"):fetch() == #large)
    "#);
}

fn a_stop_ends_a_statement(cluster: &Cluster) {
    let source = format!(
        r#"
        local con = assert(require "luasql.postgres".postgres():connect(
            "host=127.0.0.1 port={} user=tester password='se\\'cret' dbname=postgres"))
        function process_message()
            local none, err = con:execute("SELECT pg_sleep(100000)")
            return 0, err
        end
    "#,
        cluster.port
    );
    let mut plugin = Setup::new(Kind::Input)
        .run(&source)
        .unwrap_or_else(|error| panic!("{error}"));
    plugin.sandbox.handle().stop();
    let expected = Answer::Status {
        code: 0,
        message: Some(b"LuaSQL: error executing statement. PostgreSQL: timeout".to_vec()),
    };
    assert_eq!(plugin.sandbox.process_input(&Checkpoint::None), expected);
}

/// Public plugins look for these words to connect again.
fn a_server_that_vanishes(cluster: &Cluster) {
    cluster.check(r#"
        local other = assert(env:connect(source))
        local pid = con:execute("SELECT pg_backend_pid()"):fetch()
        assert(other:execute("SELECT pg_terminate_backend(" .. pid .. ")"))
        local none, first = con:execute("SELECT 1")
        assert(none == nil, "the connection is gone")
        local again, second = con:execute("SELECT 1")
        assert(again == nil and second:find("connection not open", 1, true), second)
        assert(first:find("EOF detected", 1, true) or first:find("connection not open", 1, true), first)
        con = assert(env:connect(source))
        assert(con:execute("SELECT 1"):fetch() == "1")
    "#);
}

#[test]
fn connections_over_tls() {
    let certificates = Certificates::new();
    let cluster = Cluster::start(Some(&certificates));
    let ca = certificates.path("ca.pem").display().to_string();
    let strangers = Certificates::new();
    let stranger = strangers.path("ca.pem").display().to_string();
    cluster.check(&format!(
        r#"
        local function safe(more)
            local c, err = env:connect(source .. " " .. more)
            if not c then return nil, err end
            return c:execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"):fetch()
        end
        assert(safe("") == "t", "it is used when it is there")
        assert(safe("sslmode=disable") == "f")
        assert(safe("sslmode=require") == "t")
        assert(safe("sslmode=verify-ca sslrootcert={ca}") == "t")
        assert(safe("sslmode=verify-full sslrootcert={ca}") == "t")
        local none, err = safe("sslmode=verify-ca sslrootcert={stranger}")
        assert(none == nil and err:find("invalid peer certificate", 1, true), err)
    "#
    ));
}

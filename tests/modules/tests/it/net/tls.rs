//! `ssl` and `ssl.https` against OpenSSL, against themselves, and against peers that speak no TLS.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use e2e::{Certificates, free_port};
use modules::Setup;
use sandbox::{Answer, Checkpoint, Kind};

use super::peers::{check, run, serve};

/// A program of OpenSSL's, ended with the test.
struct OpenSsl(Child);

impl Drop for OpenSsl {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl OpenSsl {
    fn start(arguments: &[&str]) -> OpenSsl {
        let child = Command::new("openssl")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        OpenSsl(child.expect("this test needs the program openssl: apt-get install openssl"))
    }

    /// A server with these certificates.
    fn server(certificates: &Certificates, more: &[&str]) -> (OpenSsl, u16) {
        let port = free_port();
        let (accept, cert) = (format!("127.0.0.1:{port}"), text(certificates, "leaf.pem"));
        let key = text(certificates, "leaf.key");
        let fixed = ["s_server", "-accept", &accept, "-cert", &cert, "-key", &key];
        let mut server = OpenSsl::start(&[&fixed, more].concat());
        // It says ACCEPT when it listens.
        let mut output = BufReader::new(server.0.stdout.take().expect("piped"));
        let mut line = String::new();
        while !line.starts_with("ACCEPT") {
            line.clear();
            assert!(
                output.read_line(&mut line).expect("text") > 0,
                "the server did not start"
            );
        }
        std::thread::spawn(move || drain(output));
        (server, port)
    }
}

fn drain(mut output: BufReader<ChildStdout>) {
    let _ = output.read_to_end(&mut Vec::new());
}

fn text(certificates: &Certificates, name: &str) -> String {
    certificates.path(name).display().to_string()
}

#[test]
fn an_openssl_server_is_spoken_to() {
    let certificates = Certificates::new();
    for (option, version, protocol) in [
        ("-tls1_2", "TLSv1.2", "tlsv1_2"),
        ("-tls1_3", "TLSv1.3", "tlsv1"),
    ] {
        let (_server, port) = OpenSsl::server(&certificates, &[option, "-rev"]);
        check(
            port,
            &format!(
                r#"
            local ssl = require "ssl"
            local params = {{ mode = "client", protocol = "{protocol}", cafile = "{ca}", verify = "peer", options = "all" }}
            local c = assert(ssl.wrap(assert(socket.connect("127.0.0.1", PORT)), params))
            c:settimeout(20)
            assert(tostring(c):find("^SSL connection: "))
            assert(c:info() == nil and c:getpeercertificate() == nil)
            local ok, err = c:receive()
            assert(ok == nil and err == "closed", "nothing before the handshake")
            c:sni("localhost")
            assert(c:dohandshake())
            assert(c:getsniname() == "localhost" and c:want() == "nothing" and c:getpeerverification())
            local info = c:info()
            assert(info.protocol == "{version}" and info.bits >= 128 and info.encryption, info.protocol)
            assert(c:info("protocol") == "{version}" and c:info("cipher") == info.cipher)
            assert(c:send("abc\n") == 4)
            assert(c:receive() == "cba")
            assert(c:send("xx123\nyy", 3, 6) == 6)
            assert(c:receive(2) == "32" and c:dirty() and c:receive() == "1")
            local long = string.rep("0123456789", 1000)
            assert(c:send(long .. "\n") == #long + 1)
            assert(c:receive() == long:reverse())
            local x = c:getpeercertificate()
            local cn
            for _, part in ipairs(x:subject()) do if part.name == "commonName" then cn = part.value end end
            assert(cn == "leaf")
            assert(x:issuer()[#x:issuer()].value == "authority")
            assert(#x:digest() == 40 and #x:digest("sha256") == 64 and x:serial():find("^%x+$"))
            assert(x:validat(1.8e9) and not x:validat(0))
            assert(x:notbefore() == "Jan  1 00:00:00 1975 GMT")
            assert(x:extensions()["2.5.29.17"].dNSName[1] == "localhost")
            assert(x:pem() == ssl.loadcertificate(x:pem()):pem())
            local none, why = x:digest("md5")
            assert(none == nil and why:find("not supported"))
            assert(#c:getpeerchain() == 1 and c:getpeercertificate(2) == nil)
            assert(c:getpeername() == "127.0.0.1")
            assert(c:getstats() > 10000)
            assert(c:close() == 1)
        "#,
                ca = text(&certificates, "ca.pem")
            ),
        );
    }
}

#[test]
fn a_certificate_that_is_not_good_is_refused() {
    let (certificates, strangers) = (Certificates::new(), Certificates::new());
    let (_server, port) = OpenSsl::server(&certificates, &["-rev"]);
    check(
        port,
        &format!(
            r#"
        local ssl = require "ssl"
        local function shake(cafile, verify, name)
            local params = {{ mode = "client", protocol = "any", cafile = cafile, verify = verify }}
            local c = assert(ssl.wrap(assert(socket.connect("127.0.0.1", PORT)), params))
            if name then c:sni(name) end
            local ok, err = c:dohandshake()
            if not ok then
                local again, why = c:dohandshake()
                assert(again == false and why == "closed")
                again, why = c:send("x")
                assert(again == nil and why == "closed")
            end
            local verified = c:getpeerverification()
            c:close()
            return ok, err, verified
        end
        local ok, err, verified = shake("{strangers}", "peer")
        assert(ok == false and err:find("certificate verify failed", 1, true), err)
        ok, err = shake("{ca}", "peer", "example.com")
        assert(ok == false and err:find("certificate verify failed", 1, true), err)
        ok, err, verified = shake("{ca}", "peer")
        assert(ok and verified, err)
        ok, err, verified = shake("{ca}", "peer", "127.0.0.1")
        assert(ok and verified, err)
        ok, err, verified = shake(nil, "none", "example.com")
        assert(ok and not verified, err)
        ok, err, verified = shake(nil, nil)
        assert(ok and not verified, err)
    "#,
            ca = text(&certificates, "ca.pem"),
            strangers = text(&strangers, "ca.pem")
        ),
    );
}

/// A plugin that serves one TLS connection; the client is OpenSSL's.
#[test]
fn an_openssl_client_is_served() {
    let certificates = Certificates::new();
    let announced = Announced::new();
    let plugin = std::thread::spawn({
        let params = certificates.params("server");
        let listen = announced.listen();
        move || {
            run(
                0, &format!(r#"
                local ssl = require "ssl"
                {listen}
                local refused = ssl.wrap(server:accept(), ssl.newcontext({params}))
                refused:settimeout(20)
                local ok, err = refused:dohandshake()
                assert(ok == false or refused:receive() == nil, "no certificate was shown")
                refused:close()
                local c = ssl.wrap(server:accept(), {params})
                c:settimeout(20)
                assert(c:dohandshake())
                assert(c:getsniname() == "localhost" and c:getalpn() == nil and c:getpeerverification())
                assert(c:receive() == "from openssl")
                assert(c:send("from the plugin\n") == 16)
                local rest, why = c:receive("*a")
                assert(rest == "", why)
                c:close()
            "#)).map(drop)
        }
    });
    let connect = format!("127.0.0.1:{}", announced.port());
    let ca = text(&certificates, "ca.pem");
    let fixed = [
        "s_client",
        "-connect",
        &connect,
        "-CAfile",
        &ca,
        "-verify_return_error",
        "-servername",
        "localhost",
        "-quiet",
    ];
    let mut bare = OpenSsl::start(&fixed);
    let _ = bare.0.wait();
    let (cert, key) = (
        text(&certificates, "leaf.pem"),
        text(&certificates, "leaf.key"),
    );
    let mut client = OpenSsl::start(&[&fixed[..], &["-cert", &cert, "-key", &key]].concat());
    let mut input = client.0.stdin.take().expect("piped");
    input.write_all(b"from openssl\n").expect("open");
    let mut said = String::new();
    BufReader::new(client.0.stdout.take().expect("piped"))
        .read_line(&mut said)
        .expect("text");
    assert_eq!(said, "from the plugin\n");
    client.0.kill().expect("running");
    plugin
        .join()
        .expect("no panic")
        .unwrap_or_else(|error| panic!("{error}"));
}

/// Lua code that listens on a free port as `server` and tells it, and what waits to be told.
struct Announced(tempfile::TempDir);

impl Announced {
    fn new() -> Announced {
        Announced(tempfile::tempdir().expect("a folder"))
    }

    fn listen(&self) -> String {
        let path = self.0.path().join("port").display().to_string();
        format!(
            "local io, os = require 'io', require 'os'
             local server = assert(socket.bind('127.0.0.1', 0))
             local f = io.open('{path}.new', 'w')
             f:write((select(2, server:getsockname())))
             f:close()
             os.rename('{path}.new', '{path}')\n"
        )
    }

    fn port(&self) -> u16 {
        loop {
            if let Ok(port) = std::fs::read_to_string(self.0.path().join("port")) {
                return port.parse().expect("a port");
            }
            std::thread::yield_now();
        }
    }
}

#[test]
fn both_sides_in_one_plugin_without_waiting() {
    let certificates = Certificates::new();
    check(
        0,
        &format!(
            r#"
        local ssl = require "ssl"
        local server = assert(socket.bind("127.0.0.1", 0))
        local _, port = server:getsockname()
        local a = assert(socket.connect("127.0.0.1", port))
        local b = server:accept()
        a:settimeout(0)
        b:settimeout(0)
        local plain = a
        a = assert(ssl.wrap(a, {client}))
        b = assert(ssl.wrap(b, assert(ssl.newcontext({server}))))
        assert(tostring(plain):find("^closed"), "the plain socket is closed")
        local none, why = plain:receive()
        assert(none == nil and why == "closed")
        local ok, err = b:dohandshake()
        assert(ok == false and err == "wantread" and b:want() == "read", err)
        local done_a, done_b, rounds = false, false, 0
        while not (done_a and done_b) do
            rounds = rounds + 1
            assert(rounds < 1000)
            if not done_a then done_a, err = a:dohandshake(); assert(done_a or err == "wantread", err) end
            if not done_b then done_b, err = b:dohandshake(); assert(done_b or err == "wantread", err) end
            socket.select({{ not done_a and a or nil, not done_b and b or nil }}, nil, 0.01)
        end
        local nothing, partial
        nothing, err, partial = a:receive(5)
        assert(nothing == nil and err == "wantread" and partial == "")
        -- More than both kernels hold: the sender has to try again with what was not taken.
        local data = string.rep("0123456789abcdef", 500000)
        local at, got, stuck = 1, {{}}, false
        while at <= #data do
            local sent, problem, last = a:send(data, at)
            assert(sent or problem == "wantwrite", problem)
            at = (sent or last) + 1
            if problem then
                stuck = true
                local piece, why, part = b:receive(1e6)
                assert(piece or why == "wantread", why)
                got[#got + 1] = piece or part
            end
        end
        assert(stuck, "it never had to wait")
        while true do
            local piece, why, part = b:receive(1e6)
            got[#got + 1] = piece or part
            if not piece then break end
        end
        assert(table.concat(got) == data)
        -- Two records wait: the second is seen though the kernel has nothing more.
        assert(b:send("one\n") and b:send("two\n"))
        assert(socket.select({{ a }}, nil, 5)[1] == a)
        assert(a:receive() == "one")
        local ready = socket.select({{ a }}, nil, 5)
        assert(ready[1] == a and a:receive() == "two")
        a:close()
        ready = socket.select({{ b }}, nil, 5)
        assert(ready[1] == b)
        nothing, err = b:receive()
        assert(nothing == nil and err == "closed", err)
    "#,
            client = certificates.params("client"),
            server = certificates.params("server")
        ),
    );
}

#[test]
fn a_try_again_with_other_data_is_an_error() {
    let certificates = Certificates::new();
    // A peer that takes no more after the handshake.
    let announced = Announced::new();
    let server = format!(
        "{} local c = assert(require 'ssl'.wrap(server:accept(), {})) assert(c:dohandshake()) kept = c",
        announced.listen(),
        certificates.params("server")
    );
    let peer = std::thread::spawn(move || check(0, &server));
    let port = announced.port();
    check(
        port,
        &format!(
            r#"
        local c = assert(require "ssl".wrap(assert(socket.connect("127.0.0.1", PORT)), {client}))
        assert(c:dohandshake())
        c:settimeout(0)
        local block, sent, err, last = string.rep("x", 1e6)
        repeat sent, err, last = c:send(block) until err
        assert(err == "wantwrite" and last < #block, err)
        sent, err, last = c:send("y")
        assert(sent == nil and err == "bad write retry" and last == 0, err)
    "#,
            client = certificates.params("client")
        ),
    );
    drop(peer.join().expect("no panic"));
}

#[test]
fn parameters_are_checked() {
    check(
        0,
        r#"
        local ssl = require "ssl"
        local function fails(params, expected)
            local context, err = ssl.newcontext(params)
            assert(context == nil and err:find(expected, 1, true), err)
        end
        fails({}, "invalid mode (nil)")
        fails({ mode = "both" }, "invalid mode (both)")
        fails({ mode = "client", protocol = "sslv3" }, "invalid protocol (sslv3)")
        fails({ mode = "client", options = { "all", "nothing" } }, "invalid option (nothing)")
        fails({ mode = "client", verify = "maybe" }, "invalid verify option (maybe)")
        fails({ mode = "client", options = { "no_tlsv1_2", "no_tlsv1_3" } }, "no protocol version is left")
        fails({ mode = "client", ciphers = "RC4" }, "error setting cipher list")
        fails({ mode = "client", cafile = "/does/not/exist", verify = "peer" }, "error loading CA locations (/does/not/exist: ")
        fails({ mode = "client", key = "/k" }, "a key needs its certificate")
        fails({ mode = "server" }, "a server needs a certificate and a key")
        fails({ mode = "client", alpn = "" }, "invalid ALPN name")
        assert(ssl.newcontext { mode = "client", protocol = "tlsv1", options = { "all", "no_sslv3" }, verify = "none",
            ciphers = "ALL:!ADH:@STRENGTH", alpn = { "h2", "http/1.1" } })
        assert(ssl.newcontext { mode = "client", verify = "peer" }, "the system's authorities")
        for _, wrong in ipairs { { mode = "client", protocol = {} }, { mode = "client", verify = 1 }, { mode = "client", cafile = true } } do
            assert(not pcall(ssl.newcontext, wrong))
        end
        for _, wrong in ipairs { 1, "x", false } do
            assert(not pcall(ssl.newcontext, wrong))
            assert(not pcall(ssl.wrap, wrong, { mode = "client" }))
        end
        assert(not pcall(ssl.wrap, socket.tcp(), { mode = "client" }), "not connected")
        assert(not pcall(ssl.wrap, socket.tcp(), 7))
        for _, method in ipairs { "dohandshake", "info", "sni", "getalpn", "want", "getpeercertificate" } do
            local s = socket.tcp()
            local ok, err = pcall(s[method], s, 1)
            assert(not ok and err:find("SSL connection expected, got tcp{master}", 1, true), err)
        end
        local none, err = ssl.loadcertificate("x")
        assert(none == nil and err:find("error loading certificate", 1, true))
        assert(ssl.config.protocols.any and ssl.config.options.no_ticket)
    "#,
    );
}

#[test]
fn who_speaks_no_tls_is_told_so() {
    let port = serve(|n, mut stream| {
        let _ = match n {
            0 => stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
            1 => stream.write_all(&[0x16, 3, 3, 0xff, 0xff, 1, 2, 3]),
            _ => Ok(()),
        };
    });
    check(
        port,
        r#"
        local ssl = require "ssl"
        for i = 1, 3 do
            local c = ssl.wrap(assert(socket.connect("127.0.0.1", PORT)), { mode = "client" })
            local ok, err = c:dohandshake()
            assert(ok == false and err ~= "wantread", err)
        end
    "#,
    );
}

#[test]
fn a_stop_ends_a_handshake() {
    let port = serve(|_, stream| {
        std::thread::spawn(move || {
            let mut rest = Vec::new();
            let _ = (&stream).read_to_end(&mut rest);
        });
    });
    let mut plugin = check(
        port,
        r#"
        local c = require "ssl".wrap(assert(socket.connect("127.0.0.1", PORT)), { mode = "client" })
        function process_message()
            local ok, err = c:dohandshake()
            return 0, err
        end
    "#,
    );
    plugin.sandbox.handle().stop();
    let expected = Answer::Status {
        code: 0,
        message: Some(b"timeout".to_vec()),
    };
    assert_eq!(plugin.sandbox.process_input(&Checkpoint::None), expected);
}

#[test]
fn https() {
    let certificates = Certificates::new();
    let (_server, port) = OpenSsl::server(&certificates, &["-www"]);
    check(
        port,
        &format!(
            r#"
        local https, ltn12 = require "ssl.https", require "ltn12"
        local body, err = https.request("https://localhost:PORT/")
        assert(body == nil and err:find("certificate verify failed", 1, true), err)
        local parts = {{}}
        local one, code, headers, status = https.request {{
            url = "https://localhost:PORT/", cafile = "{ca}", sink = ltn12.sink.table(parts),
        }}
        assert(one == 1 and code == 200 and status:find("^HTTP/1.0 200"), code)
        assert(table.concat(parts):find("Ciphers supported"))
        one, err = https.request {{ url = "https://127.0.0.1:PORT/", cafile = "{ca}" }}
        assert(one == 1, err)
        one, err = https.request {{ url = "https://localhost:PORT/", verify = "none" }}
        assert(one == 1, err)
        https.cfg.verify = "none"
        body, code = https.request("https://127.0.0.1:PORT/")
        assert(body:find("Ciphers supported") and code == 200, code)
        body, code = require "socket.http".request("https://127.0.0.1:PORT/")
        assert(body:find("Ciphers supported") and code == 200, code)
        body, err = https.request {{ url = "https://127.0.0.1:PORT/", proxy = "http://x" }}
        assert(body == nil and err == "proxy not supported")
        body, err = https.request {{ url = "https://127.0.0.1:PORT/", create = socket.tcp }}
        assert(body == nil and err == "create function not permitted")
        body, err = https.request("")
        assert(body == nil and err == "invalid url", err)
    "#,
            ca = text(&certificates, "ca.pem")
        ),
    );
}

#[test]
fn mail_over_starttls_needs_an_answer_that_is_safe() {
    // What is said in the same packet as the answer to STARTTLS must not pass for what was said over TLS.
    let port = serve(|_, mut stream| {
        let mut reader = BufReader::new(stream.try_clone().expect("a copy"));
        let mut line = String::new();
        let _ = stream.write_all(b"220 x\r\n");
        let _ = reader.read_line(&mut line);
        let _ = stream.write_all(b"250 STARTTLS\r\n");
        let _ = reader.read_line(&mut line);
        let _ = stream.write_all(b"220 go\r\n250 evil\r\n250 evil\r\n");
        let _ = reader.read_to_end(&mut Vec::new());
    });
    let outcome = Setup::new(Kind::Output).run(&format!(r#"
        local smtp = require "socket.smtp"
        smtp.TIMEOUT = 0.2
        local ok, err = smtp.send {{ from = "<a@b>", rcpt = "<c@d>", server = "127.0.0.1", port = {port},
            starttls = {{ mode = "client" }}, source = smtp.message {{ body = "x" }} }}
        assert(ok == nil and err == "wantread", err)
    "#));
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

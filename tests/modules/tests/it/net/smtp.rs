//! `socket.smtp` against a server that writes down what it is told.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;

use super::peers::{Heard, check, serve};

/// Speaks SMTP on one connection and notes each line; `refuse` is the beginning of a command that is not taken.
fn speak(stream: TcpStream, extensions: &str, refuse: &str, noted: &Heard) {
    let mut writer = stream.try_clone().expect("a copy");
    let mut say = move |text: &str| drop(writer.write_all(text.as_bytes()));
    say("220-hello\r\n220 there\r\n");
    let (mut in_data, mut secrets) = (false, 0);
    for line in BufReader::new(stream).split(b'\n') {
        let Ok(line) = line else { return };
        let line = String::from_utf8_lossy(&line).into_owned();
        noted
            .lock()
            .expect("no panic")
            .push(line.replace('\r', "\\r"));
        let line = line.trim_end();
        match line {
            "." if in_data => {
                in_data = false;
                say("250 taken\r\n");
            }
            _ if in_data => {}
            _ if secrets > 0 => {
                secrets -= 1;
                say(if secrets > 0 {
                    "334 next\r\n"
                } else {
                    "235 known\r\n"
                });
            }
            _ if !refuse.is_empty() && line.starts_with(refuse) => say("550-no\r\n550 never\r\n"),
            _ if line.starts_with("EHLO") => say(extensions),
            "AUTH LOGIN" => {
                secrets = 2;
                say("334 who\r\n");
            }
            _ if line.starts_with("AUTH PLAIN") => say("235 known\r\n"),
            "DATA" => {
                in_data = true;
                say("354 go on\r\n");
            }
            "QUIT" => say("221 bye\r\n"),
            _ => say("250 ok\r\n"),
        }
    }
}

/// A server of SMTP; what it was told.
pub fn server(extensions: &'static str, refuse: &'static str) -> (u16, Heard) {
    let heard = Heard::default();
    let noted = Arc::clone(&heard);
    let port = serve(move |_, stream| speak(stream, extensions, refuse, &noted));
    (port, heard)
}

const PLAIN: &str = "250-me\r\n250 SIZE\r\n";

#[test]
fn a_mail_arrives_as_it_is() {
    let (port, heard) = server(PLAIN, "");
    check(
        port,
        r#"
        local smtp = require "socket.smtp"
        assert(smtp.send {
            from = "<a@example.com>", rcpt = { "<b@example.com>", "<c@example.com>" }, server = "127.0.0.1", port = PORT,
            domain = "here.example.com",
            source = smtp.message {
                headers = { Subject = "An\r\n alert", date = "today" },
                body = "first\n.second\r\n..third\r\n",
            },
        })
    "#,
    );
    let heard = heard.lock().expect("no panic");
    let commands = [
        "EHLO here.example.com\\r",
        "MAIL FROM:<a@example.com>\\r",
        "RCPT TO:<b@example.com>\\r",
        "RCPT TO:<c@example.com>\\r",
        "DATA\\r",
    ];
    assert_eq!(heard[..5], commands);
    for header in [
        "Subject: An\\r",
        " alert\\r",
        "Date: today\\r",
        "MIME-Version: 1.0\\r",
        "X-Mailer: LuaSocket 3.0\\r",
        "Content-Type: text/plain; charset=\"iso-8859-1\"\\r",
    ] {
        assert!(
            heard.iter().any(|line| line == header),
            "{header} in {heard:?}"
        );
    }
    let end = heard.len() - 7;
    assert_eq!(
        heard[end..],
        [
            "\\r",
            "first\\r",
            "..second\\r",
            "...third\\r",
            "\\r",
            ".\\r",
            "QUIT\\r"
        ]
    );
}

#[test]
fn parts_of_a_mail() {
    let (port, heard) = server(PLAIN, "");
    check(
        port,
        r#"
        local smtp, ltn12, mime = require "socket.smtp", require "ltn12", require "mime"
        local attached = ltn12.source.chain(ltn12.source.string("\0\1\2"), mime.encode("base64"))
        assert(smtp.send {
            from = "<a@b>", rcpt = "<c@d>", server = "127.0.0.1", port = PORT,
            source = smtp.message {
                headers = { subject = "parts" },
                body = {
                    preamble = "for old readers",
                    { body = "text" },
                    { headers = { ["content-type"] = "application/octet-stream", ["content-transfer-encoding"] = "BASE64" }, body = attached },
                    epilogue = "the end",
                },
            },
        })
        local deep = { body = "x" }
        for i = 1, 50 do deep = { body = { deep } } end
        local ok, err = pcall(smtp.message, deep)
        assert(not ok and err == "mail nested too deeply", err)
        ok, err = pcall(smtp.message, { headers = { subject = "x\r\nBcc: evil" }, body = "" })
        assert(not ok and err == "invalid header 'subject'", err)
    "#,
    );
    let heard = heard.lock().expect("no panic").join("\n");
    let boundary = heard
        .split("boundary=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a boundary");
    assert_eq!(heard.matches(&format!("--{boundary}\\r")).count(), 2);
    assert!(heard.contains(&format!("--{boundary}--\\r")));
    for text in [
        "multipart/mixed; boundary",
        "for old readers\\r",
        "text\\r",
        "AAEC\\r",
        "the end\\r",
        "Content-Transfer-Encoding: BASE64\\r",
    ] {
        assert!(heard.contains(text), "{text} in {heard}");
    }
}

#[test]
fn the_server_wants_to_know_who_sends() {
    let code = r#"
        local smtp = require "socket.smtp"
        local ok, err = smtp.send {
            from = "<a@b>", rcpt = "<c@d>", server = "127.0.0.1", port = PORT, user = "me", password = "secret",
            source = smtp.message { body = "x" },
        }
    "#;
    let (port, heard) = server("250-me\r\n250 AUTH PLAIN LOGIN\r\n", "");
    check(port, &format!("{code} assert(ok, err)"));
    assert_eq!(
        heard.lock().expect("no panic")[1..4],
        ["AUTH LOGIN\\r", "bWU=\\r", "c2VjcmV0\\r"]
    );
    let (port, heard) = server("250-AUTH=PLAIN\r\n250 x\r\n", "");
    check(port, &format!("{code} assert(ok, err)"));
    assert_eq!(
        heard.lock().expect("no panic")[1],
        "AUTH PLAIN AG1lAHNlY3JldA==\\r"
    );
    let (port, heard) = server("250 AUTH CRAM-MD5\r\n", "");
    check(
        port,
        &format!("{code} assert(ok == nil and err == 'authentication not supported', err)"),
    );
    assert!(!heard.lock().expect("no panic").join(" ").contains("secret"));
}

#[test]
fn refusals_are_told() {
    for refused in ["MAIL", "RCPT", "DATA", "EHLO"] {
        let (port, _) = server(PLAIN, refused);
        check(
            port,
            r#"
            local smtp = require "socket.smtp"
            local ok, err = smtp.send { from = "<a@b>", rcpt = "<c@d>", server = "127.0.0.1", port = PORT,
                source = smtp.message { body = "x" } }
            assert(ok == nil and err == "550-no\n550 never", err)
            ok, err = smtp.send { from = "<a@b>\r\nRCPT TO:<evil@x>", rcpt = "<c@d>", server = "127.0.0.1", port = PORT,
                source = smtp.message { body = "x" } }
            assert(ok == nil and (err == "line break in a command" or err == "550-no\n550 never"), err)
        "#,
        );
    }
}

#[test]
fn hostile_servers() {
    let port = serve(|n, mut stream| {
        let said = match n {
            0 => b"what\r\n".to_vec(),
            1 => b"220-x\r\n".repeat(5000),
            2 => vec![b'2'; 1 << 20],
            _ => Vec::new(),
        };
        let _ = stream.write_all(&said);
    });
    check(
        port,
        r#"
        local smtp = require "socket.smtp"
        for _, expected in ipairs { "invalid server reply", "server reply too long", "too long", "closed" } do
            local ok, err = smtp.send { from = "<a@b>", rcpt = "<c@d>", server = "127.0.0.1", port = PORT,
                source = smtp.message { body = "x" } }
            assert(ok == nil and err == expected, err)
        end
    "#,
    );
}

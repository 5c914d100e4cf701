//! Sockets on the loopback interface, with both peers in the same plugin.

use sandbox::Kind;

use crate::test_plugin::{error_of, load, run};

/// A connected pair: `server`, `client` and `peer`, the server's end of it.
const PAIR: &str = "
    local server = assert(socket.bind('127.0.0.1', 0))
    local ip, port, family = server:getsockname()
    assert(ip == '127.0.0.1' and type(port) == 'number' and family == 'inet')
    local client = assert(socket.connect(ip, port))
    server:settimeout(10) client:settimeout(10)
    local peer = assert(server:accept()) peer:settimeout(10)
";

fn run_with_pair(code: &str) {
    run(&format!("{PAIR} {code}"));
}

#[test]
fn names_and_classes() {
    run_with_pair(
        "assert(tostring(server):find('^tcp{server}: ') and tostring(client):find('^tcp{client}: '))
        assert(tostring(socket.tcp()):find('^tcp{master}: ') and tostring(socket.udp()):find('^udp{unconnected}: '))
        local a, ap = client:getpeername() assert(a == ip and ap == port)
        local b, bp = peer:getpeername() local c, cp = client:getsockname() assert(b == c and bp == cp)
        assert(client:getfd() > 2 and client:close() == 1 and client:getfd() == -1)
        assert(tostring(client):find('^closed: '))
        local ok, why = client:send('x') assert(ok == nil and why == 'closed')
        assert(_G.socket == socket and package.loaded == nil)",
    );
}

#[test]
fn data_goes_both_ways() {
    run_with_pair(
        "assert(client:send('one\\r\\ntwo\\n') == 9)
        assert(peer:receive() == 'one' and peer:receive('*l') == 'two')
        assert(peer:send('abcdef', 2, 4) == 4 and client:receive(3) == 'bcd')
        assert(peer:send('abcdef', -2) == 6 and client:receive(2) == 'ef')
        client:send('rest') client:shutdown('send')
        assert(peer:receive('*a') == 'rest')
        local data, why, partial = peer:receive() assert(data == nil and why == 'closed' and partial == '')
        local received, sent, age = peer:getstats() assert(received == 13 and sent == 5 and age >= 0)
        assert(peer:setstats(1, 2) == 1 and peer:getstats() == 1)",
    );
}

#[test]
fn what_came_before_a_failure_is_handed_out() {
    run_with_pair(
        "client:send('half a li') peer:settimeout(0.05)
        local data, why, partial = peer:receive() assert(data == nil and why == 'timeout' and partial == 'half a li')
        client:send('ne\\n') assert(peer:receive('*l', partial) == 'half a line')
        client:send('123') local data, why, partial = peer:receive(5)
        assert(data == nil and why == 'timeout' and partial == '123')
        client:send('45') assert(peer:receive(5, partial) == '12345')
        client:send('end') client:close()
        local data, why, partial = peer:receive(10) assert(data == nil and why == 'closed' and partial == 'end')",
    );
}

#[test]
fn select_tells_what_is_ready() {
    run_with_pair(
        "local r, w, why = socket.select({peer}, {}, 0) assert(#r == 0 and #w == 0 and why == 'timeout')
        local r, w, why = socket.select(nil, {client}, 1) assert(w[1] == client and w[client] == 1 and why == nil)
        client:send('a\\nb\\n')
        local r = socket.select({server, peer}, nil, 10) assert(#r == 1 and r[1] == peer and r[peer] == 1)
        assert(peer:receive() == 'a' and peer:dirty())
        -- The second line is in the buffer, where the kernel does not see it.
        local r = socket.select({server, peer}, nil, 0) assert(r[1] == peer)
        assert(peer:receive() == 'b' and not peer:dirty())
        local other = socket.connect(ip, port)
        local r = socket.select({server, peer}, nil, 10) assert(r[1] == server and server:accept())",
    );
    assert!(error_of("socket.select({5}, nil, 0)").contains("socket expected, got number"));
}

#[test]
fn timeouts_and_refusals() {
    run("local server = socket.bind('127.0.0.1', 0) server:settimeout(0)
        local c, why = server:accept() assert(c == nil and why == 'timeout')
        local ip, port = server:getsockname() server:close()
        local c, why = socket.connect(ip, port) assert(c == nil and why == 'connection refused')
        local t = socket.tcp() t:settimeout(5, 't') local a, b = t:gettimeout() assert(a == -1 and b == 5)
        local ok, why = t:connect(ip, port) assert(ok == nil and why == 'connection refused')
        local s = socket.bind('127.0.0.1', 0) local _, port = s:getsockname()
        local other = socket.tcp()
        local ok, why = other:bind('127.0.0.1', port) assert(ok == nil and why == 'address already in use')
        local c, why = socket.connect('no such host', 1) assert(c == nil and why == 'host not found')
        local start = socket.gettime() socket.sleep(0.01) assert(socket.gettime() > start)");
}

#[test]
fn a_master_becomes_server_or_client() {
    run("local s = socket.tcp() assert(s:setoption('reuseaddr', true) == 1)
        assert(s:bind('*', 0) == 1 and s:listen(5) == 1 and tostring(s):find('tcp{server}', 1, true))
        local _, port = s:getsockname()
        local c = socket.tcp() assert(c:connect('localhost', port) == 1)
        assert(s:accept() and tostring(c):find('tcp{client}', 1, true))");
    assert!(error_of("socket.tcp():accept()").contains("tcp{server} expected, got tcp{master}"));
    assert!(error_of("socket.tcp():receive()").contains("tcp{client} expected, got tcp{master}"));
    assert!(error_of("socket.tcp():connect('x', 70000)").contains("port out of range"));
    assert!(error_of("socket.tcp().connect('x')").contains("socket expected, got string"));
}

#[test]
fn options() {
    run_with_pair(
        "for _, name in ipairs{'keepalive', 'tcp-nodelay', 'reuseaddr'} do
            assert(client:setoption(name, true) == 1) assert(client:getoption(name) == true, name)
        end
        assert(client:setoption('linger', {on = true, timeout = 2}) == 1)
        local l = client:getoption('linger') assert(l.on == true and l.timeout == 2)
        assert(client:setoption('recv-buffer-size', 16384) == 1 and client:getoption('recv-buffer-size') >= 16384)
        assert(client:getoption('error') == nil)
        assert(socket.udp():setoption('broadcast', true) == 1)
        local ok, e = pcall(client.setoption, client, 'colour', true)
        assert(not ok and e:find(\"unsupported option 'colour'\", 1, true))",
    );
}

#[test]
fn datagrams() {
    run("local a, b = socket.udp(), socket.udp()
        assert(a:setsockname('127.0.0.1', 0) == 1 and b:setsockname('127.0.0.1', 0) == 1)
        a:settimeout(10) b:settimeout(10)
        local ip, port = a:getsockname()
        assert(b:sendto('one', ip, port) == 1)
        local data, from, from_port = a:receivefrom() local _, b_port = b:getsockname()
        assert(data == 'one' and from == '127.0.0.1' and from_port == b_port)
        assert(b:setpeername(ip, port) == 1 and tostring(b):find('udp{connected}', 1, true))
        assert(b:send('') == 1 and a:receive() == '')
        b:send(('x'):rep(20000)) assert(#a:receive() == 20000)
        b:send('abcdef') assert(a:receive(3) == 'abc')
        a:settimeout(0) local data, why = a:receive() assert(data == nil and why == 'timeout')
        assert(b:setpeername('*') == 1 and tostring(b):find('udp{unconnected}', 1, true))");
    assert!(
        error_of("socket.udp():send('x')")
            .contains("udp{connected} expected, got udp{unconnected}")
    );
}

#[test]
fn unix_sockets() {
    let folder = tempfile::tempdir().expect("a folder");
    run(&format!(
        "local path = '{}/s' local unix = require 'socket.unix'
        local s = assert(unix()) assert(s:bind(path) == 1 and s:listen() == 1)
        local c = unix.stream() assert(c:connect(path) == 1) local p = s:accept()
        c:send('hello\\n') assert(p:receive() == 'hello' and tostring(p):find('unix{{client}}', 1, true))
        local d, e = socket.unix.udp(), socket.unix.dgram()
        assert(d:bind(path .. 'd') == 1 and e:sendto('data', path .. 'd') == 1)
        local data, from = d:receivefrom() assert(data == 'data' and from == '')
        assert(e:setsockname(path .. 'e') == 1 and e:setpeername(path .. 'd') == 1 and e:send('more') == 1)
        local data, from = d:receivefrom() assert(data == 'more' and from == path .. 'e')
        local ok, why = unix():connect(path .. 'none') assert(ok == nil and why == 'No such file or directory')",
        folder.path().display()
    ));
}

#[test]
fn names_are_resolved() {
    run("assert(socket.dns.toip('127.0.0.1') == '127.0.0.1')
        local ip, all = socket.dns.toip('localhost') assert(ip == '127.0.0.1' and all.ip[1] == ip and all.name == 'localhost')
        assert(socket.dns.getaddrinfo('127.0.0.1')[1].family == 'inet' and #socket.dns.gethostname() > 0)
        local ip, why = socket.dns.toip('no such host') assert(ip == nil and why == 'host not found')");
}

#[test]
fn try_and_protect() {
    run("local closed = 0
        local try = socket.newtry(function() closed = closed + 1 end)
        local f = socket.protect(function(fail) local a, b = try(not fail and 1, 'why') return a, b end)
        local a, b = f(false) assert(a == 1 and b == 'why' and closed == 0)
        local a, b = f(true) assert(a == nil and b == 'why' and closed == 1)
        local g = socket.protect(function() socket.try(nil, 'reason') end)
        local a, b = g() assert(a == nil and b == 'reason')
        local ok, e = pcall(socket.protect(function() error('own', 0) end)) assert(not ok and e == 'own')
        assert(socket.skip(1, 'a', 'b', 'c') == 'b' and select('#', socket.skip(5, 'a')) == 0)");
}

#[test]
fn analysis_has_no_sockets() {
    let refused = load(Kind::Analysis, "")
        .map(|_| ())
        .expect_err("no io either");
    assert!(
        refused.contains("disabled") || refused.contains("not found"),
        "{refused}"
    );
}

#[test]
fn a_stop_ends_every_wait() {
    let mut plugin = run("local server = socket.bind('127.0.0.1', 0)
        function process_message()
            local c, why = server:accept()
            local r, w, select_why = socket.select({server})
            socket.sleep(1e9)
            return 0, why .. ' ' .. select_why
        end");
    plugin.handle().stop();
    let answer = plugin.process_input(&sandbox::Checkpoint::None);
    let expected = sandbox::Answer::Status {
        code: 0,
        message: Some(b"timeout timeout".to_vec()),
    };
    assert_eq!(answer, expected);
}

#[test]
fn what_is_received_is_bounded_by_memory() {
    let error = run_flood();
    assert!(
        error.contains("too long") || error.contains("not enough memory"),
        "{error}"
    );
}

/// A peer that sends more than the plugin has room for, without any line end.
fn run_flood() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let flood = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().expect("a peer");
        let block = vec![b'x'; 1 << 20];
        while std::io::Write::write_all(&mut peer, &block).is_ok() {}
    });
    let error = error_of(&format!(
        "local c = socket.connect('127.0.0.1', {port}) local data, why = c:receive('*l') c:close() error(why, 0)"
    ));
    flood.join().expect("it ends when the plugin does");
    error
}

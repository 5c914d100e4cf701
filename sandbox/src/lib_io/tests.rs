//! The io library as plugins use it, and what reaches the kernel when.

use crate::lib_io::flush_all;
use crate::lib_string::test_state::{error_of, run, state, try_in};
use crate::limits::Limits;
use crate::sandbox::Kind;

/// Runs a chunk with a fresh folder in the global `folder`.
fn run_in_folder(code: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    run(&format!("folder = '{}/' {code}", folder.path().display()));
    folder
}

#[test]
fn files_written_and_read() {
    run_in_folder(
        "local f = assert(io.open(folder .. 'a', 'w'))
        assert(io.type(f) == 'file' and tostring(f):find('^file %(0x'))
        assert(f:write('one\\n', 2, ' ', 2.5, '\\nlast') == true)
        assert(f:seek('cur') == 14 and f:close() == true)
        assert(io.type(f) == 'closed file' and tostring(f) == 'file (closed)' and io.type(5) == nil)
        local f = io.open(folder .. 'a')
        assert(f:read() == 'one') assert(f:read('*n', '*n') == 2)
        assert(f:read('*l') == '' and f:read(2) == 'la' and f:read('*a') == 'st' and f:read('*a') == '')
        assert(f:read('*l') == nil and f:read(0) == nil and f:read(1) == nil)
        assert(f:seek('set', 4) == 4 and f:read(1, 3) == '2') f:close()
        local lines = {} for line in io.lines(folder .. 'a') do lines[#lines + 1] = line end
        assert(table.concat(lines, '|') == 'one|2 2.5|last')
        local f = io.open(folder .. 'a') local it = f:lines()
        assert(it() == 'one' and it() == '2 2.5' and it() == 'last' and it() == nil) f:close()
        assert(not pcall(it))",
    );
}

#[test]
fn default_files() {
    run_in_folder(
        "assert(io.output() == io.stdout and io.input() == io.stdin)
        io.output(folder .. 'b') assert(io.write('x', 1, '\\ny') == true) assert(io.flush() == true)
        assert(io.close() == true)
        io.input(folder .. 'b') assert(io.read() == 'x1' and io.read('*a') == 'y')
        io.input(folder .. 'b') for line in io.lines() do assert(line == 'x1' or line == 'y') end
        io.close(io.input())",
    );
}

#[test]
fn failures_are_values() {
    run("local f, e, code = io.open('/no/such/file')
        assert(f == nil and e == '/no/such/file: No such file or directory' and code == 2)
        local f, e, code = io.open('/tmp', 'w')
        assert(f == nil and e == '/tmp: Is a directory' and code == 21)
        local f, e, code = io.open('/tmp/x', 'rw')
        assert(f == nil and e == '/tmp/x: Invalid argument' and code == 22)
        local f = io.open('/dev/full', 'w') f:setvbuf('no')
        local ok, e, code = f:write('x')
        assert(ok == nil and e == 'No space left on device' and code == 28)
        local ok, e = io.stdout:close() assert(ok == nil and e == 'cannot close standard file')
        local f = io.open('/dev/null', 'r') local ok, e, code = f:write('x') assert(ok == true)
        local ok, e, code = f:flush() assert(ok == nil and e == 'Bad file descriptor' and code == 9)");
}

#[test]
fn misuse_is_an_error() {
    assert_eq!(
        error_of("io.open('/dev/null'):read('*x')"),
        "test:1: bad argument #1 to 'read' (invalid format)"
    );
    assert_eq!(
        error_of("io.open('/dev/null'):read('x')"),
        "test:1: bad argument #1 to 'read' (invalid option)"
    );
    let closed = error_of("local f = io.open('/dev/null') f:close() f:read()");
    assert_eq!(closed, "test:1: attempt to use a closed file");
    let write = error_of("io.open('/dev/null', 'w'):write('a', {})");
    assert_eq!(
        write,
        "test:1: bad argument #2 to 'write' (number, string or userdata expected)"
    );
    let lines = error_of("io.lines('/no/such/file')");
    assert_eq!(
        lines,
        "test:1: bad argument #1 to 'lines' (/no/such/file: No such file or directory)"
    );
    assert!(error_of("io.stdout.write('x', 'y')").contains("FILE* expected, got string"));
    assert!(
        error_of("local t = {} for i = 1, 2000 do t[i] = io.open('/dev/null') end")
            .contains("more than 1536 descriptors are open (descriptor_limit)")
    );
}

#[test]
fn programs() {
    run("local p = io.popen('echo one; echo two') assert(p:read('*a') == 'one\\ntwo\\n' and p:close() == true)
        local n = 0 for line in io.popen('seq 1000'):lines() do n = n + 1 end assert(n == 1000)
        local f = io.tmpfile() f:write('x') f:seek('set') assert(f:read('*a') == 'x')
        local p, e, code = io.popen('true', 'x') assert(p == nil and code == 22)");
}

#[test]
fn the_host_can_flush_everything() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = state(Kind::Output, Limits::default());
    let code = format!(
        "a = io.open('{0}/a', 'w') a:write('kept') b = append_file.open('{0}/b') b:write('also')",
        folder.path().display()
    );
    try_in(&state, &code).expect("it runs");
    let read = |name| std::fs::read(folder.path().join(name)).expect("there");
    assert_eq!((read("a"), read("b")), (vec![], vec![]));
    state
        .with_call(flush_all)
        .unwrap_or_else(|_| panic!("flushed"));
    assert_eq!((read("a"), read("b")), (b"kept".to_vec(), b"also".to_vec()));
}

#[test]
fn closing_the_state_loses_nothing() {
    let folder = run_in_folder("f = io.open(folder .. 'a', 'w') f:write('kept')");
    assert_eq!(
        std::fs::read(folder.path().join("a")).expect("there"),
        b"kept"
    );
}

#[test]
fn reading_is_bounded_by_memory() {
    let state = state(
        Kind::Output,
        Limits {
            memory: 2 << 20,
            ..Limits::default()
        },
    );
    for code in [
        "return io.open('/dev/zero'):read('*a')",
        "return io.open('/dev/zero'):read(1e12)",
        "return io.open('/dev/zero'):read('*l')",
    ] {
        let error = try_in(&state, code).expect_err(code);
        assert!(error.ends_with("not enough memory"), "{error}");
    }
}

#[test]
fn files_that_only_grow() {
    let folder = run_in_folder(
        "local path = folder .. 'out'
        local f = io.open(path, 'w') f:write('one\\ntorn') f:close()
        local f = assert(append_file.open(path, {frames = 'lines'}))
        assert(f:size() == 4 and f:write('two', 2, '\\n') == true and f:size() == 9)
        assert(f:rotate(path .. '.1') == true and f:size() == 0)
        local ok, e = f:rotate(path .. '.1') assert(ok == nil and e == 'File exists')
        assert(f:write('three\\n') and f:sync() == true and f:flush() == true and f:close() == true)
        assert(not pcall(f.write, f, 'x'))
        assert(append_file.write_whole(folder .. 'whole', 'content') == true)
        local f, e = append_file.open('/no/such/file') assert(f == nil and e:find('No such file', 1, true))
        local ok, e = pcall(append_file.open, path, {frames = 'x'}) assert(not ok and e:find(\"frames must be\", 1, true))",
    );
    let read = |name| {
        String::from_utf8(std::fs::read(folder.path().join(name)).expect("there")).expect("text")
    };
    assert_eq!(read("out.1"), "one\ntwo2\n");
    assert_eq!(read("out"), "three\n");
    assert_eq!(read("out.torn"), "torn");
    assert_eq!(read("whole"), "content");
}

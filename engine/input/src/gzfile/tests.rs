//! `gzfile` on whole, damaged and growing files.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::test_plugin::run;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

fn header(path: &Path) -> String {
    format!("require 'gzfile' local file = '{}' ", path.display())
}

/// Runs code with the name of a file that has these bytes.
fn run_with(bytes: &[u8], code: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file.gz");
    std::fs::write(&path, bytes).expect("written");
    run(&(header(&path) + LINES + code));
}

/// Gathers lines.
const LINES: &str = "
    local function gather(iterator) local lines = {} for line in iterator do lines[#lines + 1] = line end return lines end
    local function joined(iterator) return table.concat(gather(iterator), '|') end ";

#[test]
fn lines_of_compressed_and_plain_files() {
    let text = b"line one\n\na\0b\n0123456789 and more\nlast";
    for bytes in [
        gzip(text),
        text.to_vec(),
        [gzip(&text[..12]), gzip(b""), gzip(&text[12..])].concat(),
    ] {
        run_with(
            &bytes,
            "local f = assert(gzfile.open(file))
            assert(joined(f:lines()) == 'line one\\n|\\n|a\\0b\\n|0123456789 and more\\n|last')
            f = gzfile.open(file, 'r', 1) assert(joined(f:lines(10)) == 'line one\\n|\\n|a\\0b\\n|0123456789|last')
            f:close() assert(joined(f:lines()) == '') f:close()
            f = gzfile.open(file) assert(joined(f:lines_tail(true)) == 'line one||a\\0b|0123456789 and more')
            f = gzfile.open(file) assert(joined(f:lines_tail()) == 'line one\\n|\\n|a\\0b\\n|0123456789 and more\\n')
            assert(#gzfile.string(file) == 38 and gzfile.string(file, nil, nil, 38))
            local ok, err = pcall(gzfile.string, file, nil, nil, 37) assert(err == 'max_bytes exceeded', err)",
        );
    }
    run_with(
        b"",
        "assert(gzfile.string(file) == '' and joined(gzfile.open(file):lines()) == '')",
    );
    run_with(
        &gzip(b""),
        "assert(gzfile.string(file) == '' and joined(gzfile.open(file):lines()) == '')",
    );
    let long = b"0123456789".repeat(100_000);
    run_with(
        &gzip(&long),
        "assert(#gather(gzfile.open(file):lines())[1] == 1000000)",
    );
    run_with(
        &gzip(&b"x".repeat(1_100_000)),
        "assert(#gather(gzfile.open(file):lines())[1] == 1048576)",
    );
}

#[test]
fn positions_are_those_of_the_expanded_text() {
    let text: Vec<u8> = (0..200_000)
        .flat_map(|i| format!("{i:08}\n").into_bytes())
        .collect();
    run_with(
        &gzip(&text),
        "local f = gzfile.open(file)
        assert(f:seek('set', 900000) == 900000 and f:lines()() == '00100000\\n')
        assert(f:seek('cur') == 900009 and f:seek('cur', -9) == 900000 and f:lines()() == '00100000\\n')
        assert(f:seek() == 0 and f:lines()() == '00000000\\n' and f:seek('cur', 9) == 18)
        assert(f:seek('set', 1e9) == 1800000 and f:lines()() == nil)
        local none, why = f:seek('set', -1) assert(none == nil and type(why) == 'string')
        none, why = f:seek('cur', -1e18) assert(none == nil)
        assert(not pcall(f.seek, f, 'end')) f:close() assert(f:seek() == nil)",
    );
}

#[test]
fn a_damaged_file_gives_its_good_lines_and_an_error_with_the_place() {
    let mut bytes = gzip(
        &(0..50_000)
            .flat_map(|i| format!("{}\n", i * 7919).into_bytes())
            .collect::<Vec<u8>>(),
    );
    let whole = bytes.clone();
    let at = bytes.len() / 2;
    bytes[at..at + 20].fill(0xff);
    let code = "local n = 0
        local ok, err = pcall(function() for line in gzfile.open(file):lines() do n = n + 1 end end)
        assert(not ok and n > 1000 and err:find('file.gz: .*%(at compressed byte %d+%)'), n .. tostring(err))
        local ok, text = pcall(gzfile.string, file) assert(not ok and text:find('at compressed byte', 1, true))
        ok, err = pcall(gather, gzfile.open(file):lines_tail()) ";
    run_with(
        &bytes,
        &format!("{code} assert(not ok and err:find('gzfile error: ', 1, true))"),
    );
    // Cut off: an error, but not for who waits for more.
    run_with(&whole[..at], &format!("{code} assert(ok)"));
    // A wrong checksum.
    let mut bytes = whole;
    let checksum = bytes.len() - 8;
    bytes[checksum] ^= 1;
    run_with(&bytes, code);
    // What follows the last member is left out.
    let garbage = [gzip(b"text"), b"\0\0garbage".to_vec()].concat();
    run_with(&garbage, "assert(gzfile.string(file) == 'text')");
}

#[test]
fn lines_tail_follows_a_growing_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log.gz");
    let text: Vec<u8> = (0..30_000)
        .flat_map(|i| format!("{}\n", i * 7919).into_bytes())
        .collect();
    let bytes = [gzip(&text), gzip(b"another member\n")].concat();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let more = folder.path().join("hex");
    std::fs::write(&more, hex).expect("written");
    run(&format!(
        "{} local hex = io.open('{}'):read('*a')
        local bytes = string.gsub(hex, '..', function(pair) return string.char(tonumber(pair, 16)) end)
        local out = io.open(file, 'w') local f = gzfile.open(file) local n, last = 0
        for i = 1, #bytes, 1000 do
            out:write(string.sub(bytes, i, i + 999)) out:flush()
            for line in f:lines_tail() do
                assert(line == (n < 30000 and n * 7919 .. '\\n' or 'another member\\n'))
                n = n + 1
            end
        end
        assert(n == 30001, n)",
        header(&path),
        more.display()
    ));
}

#[test]
fn members_without_text_and_long_headers_are_passed_over() {
    let mut named = vec![0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3];
    named.extend_from_slice(&[b'x'; 200_000]);
    named.push(0);
    named.extend_from_slice(&gzip(b"named\n")[10..]);
    let bytes = [gzip(b"").repeat(1000), named, gzip(b"last\n")].concat();
    run_with(
        &bytes,
        "assert(joined(gzfile.open(file, 'rb', 100):lines()) == 'named\\n|last\\n')
        assert(gzfile.string(file, 'rb', 100) == 'named\\nlast\\n')
        local f = gzfile.open(file, 'rb', 100) assert(f:seek('set', 6) == 6 and f:lines()() == 'last\\n')",
    );
}

#[test]
fn arguments_are_checked() {
    let cases = [
        (
            "gzfile.open()",
            "bad argument #1 to 'open' (string expected, got no value)",
        ),
        ("gzfile.open({})", "string expected, got table"),
        (
            "gzfile.open('x', {})",
            "bad argument #2 to 'open' (string expected, got table)",
        ),
        (
            "gzfile.open('x', 'rb', 's')",
            "bad argument #3 to 'open' (number expected, got string)",
        ),
        ("gzfile.open('x', 'rb', 0)", "buffer_size must be > 0"),
        (
            "gzfile.open('x', 'rb', 1, 1)",
            "incorrect number of arguments",
        ),
        ("gzfile.string('x', 'rb', 1, 0)", "max_bytes must be > 0"),
        ("gzfile.string('/none')", "open failed"),
        (
            "gzfile.open(file):close(1)",
            "incorrect number of arguments",
        ),
        (
            "gzfile.open(file):lines('foo')",
            "number expected, got string",
        ),
        ("gzfile.open(file):lines(0)", "max_bytes must be > 0"),
        ("gzfile.open(file):seek('end')", "invalid option 'end'"),
        (
            "gzfile.open(file).close({})",
            "mozsvc.gzfile expected, got table",
        ),
    ];
    for (code, wanted) in cases {
        run_with(
            b"text",
            &format!(
                "local ok, err = pcall(function() {code} end) assert(not ok and err:find([==[{wanted}]==], 1, true), err)"
            ),
        );
    }
    run_with(
        b"text",
        "for _, name in ipairs{'/none', '/tmp', '/dev/zero'} do
            local none, why = gzfile.open(name) assert(none == nil and why == 'open failed') end
        for _, mode in ipairs{'w', 'ab', 'r+', ''} do assert(gzfile.open(file, mode) == nil) end
        assert(gzfile.string(file) == 'text')",
    );
}

#[test]
fn a_bomb_stops_at_the_memory_limit() {
    // 256 MiB of zeros, where a plugin may have 32.
    run_with(
        &gzip(&vec![0; 256 << 20]),
        "local ok, err = pcall(gzfile.string, file, nil, nil, 1e9) assert(not ok and err == 'not enough memory', err)
        ok, err = pcall(gzfile.open(file):lines(2e9)) assert(not ok and err == 'not enough memory', err)
        ok, err = pcall(gzfile.open(file):lines_tail()) assert(not ok and err == 'not enough memory', err)
        assert(#gzfile.open(file):lines()() == 1048576)",
    );
}

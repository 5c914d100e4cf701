//! The small native modules under their limits: what would grow or last without end is stopped.

use modules::Setup;
use sandbox::{Kind, Limits};

/// Runs a main chunk with these limits; what it raised.
fn run(memory: usize, instructions: u64, source: &str) -> Result<(), String> {
    let mut setup = Setup::new(Kind::Input);
    setup.limits = Limits {
        memory,
        instructions,
        ..setup.limits
    };
    let prelude = "require 'string' local zlib, zstd, snappy = require 'zlib', require 'zstd', require 'snappy' ";
    setup.run(&format!("{prelude}{source}")).map(drop)
}

/// Makes `bomb`, about ten kilobytes that stand for ten megabytes, without ever having these.
const BOMB: &str = "
    local deflate, zeros, parts = zlib.deflate(9, 31), string.rep('\\0', 65536), {}
    for i = 1, 160 do parts[i] = deflate(zeros) end
    parts[161] = deflate()
    local bomb = table.concat(parts)
    assert(#bomb < 20000, #bomb) ";

#[test]
fn a_small_gzip_that_stands_for_megabytes_stops_at_the_memory_limit() {
    let source = format!(
        "require 'table' {BOMB}
        local ok, err = pcall(zlib.inflate(31), bomb)
        assert(not ok and err == 'not enough memory', err)
        -- Piece by piece it can be read.
        local inflate, total = zlib.inflate(), 0
        for i = 1, #bomb, 100 do total = total + #inflate(string.sub(bomb, i, i + 99)) collectgarbage() end
        assert(total == 160 * 65536, total)"
    );
    run(8 << 20, 0, &source).expect("the error was caught");
}

#[test]
fn frames_that_stand_for_megabytes_stop_at_the_memory_limit() {
    let source = "
        local frame = zstd.compress(string.rep('\\0', 2^20)) frame = string.rep(frame, 100)
        local ok, err = pcall(zstd.decompress, frame) assert(not ok and err == 'not enough memory', err)
        ok, err = pcall(zstd.decompress, frame, 1000) assert(not ok and err:find('max exceeded', 1, true), err)
        ok, err = pcall(snappy.uncompress, '\\255\\255\\255\\255\\15' .. string.rep('\\0', 2^20))
        assert(not ok and err == 'not enough memory', err)
        ok, err = pcall(snappy.uncompress, '\\255\\255\\255\\255\\15\\0') assert(not ok and err:find('snappy: ', 1, true), err)
        ok, err = pcall(require('openssl').random, 1e9) assert(not ok and err == 'not enough memory', err)
        ok, err = pcall(require('struct').pack, string.rep('c0', 1000), unpack((function()
            local t = {} for i = 1, 1000 do t[i] = string.rep('x', 2^16) end return t end)()))
        assert(not ok and err == 'not enough memory', err)";
    run(16 << 20, 0, source).expect("the errors were caught");
}

/// Streams that are forgotten count until they are collected, so that none can gather outside of the limit.
#[test]
fn streams_count_to_the_plugins_memory() {
    let hoard = "local kept = {} for i = 1, 1000 do kept[i] = zlib.deflate() end";
    let error = run(8 << 20, 0, hoard).expect_err("300 megabytes");
    assert!(error.contains("not enough memory"), "{error}");
    let forget = "for i = 1, 1000 do zlib.deflate() zlib.inflate() end";
    run(8 << 20, 0, forget).expect("they are collected");
}

#[test]
fn long_work_is_ended_by_the_instruction_limit() {
    let text = "local text = string.rep('0123456789abcdef', 2^18) ";
    for work in [
        "while true do zlib.deflate(9)(text, 'finish') end",
        "local packed = zlib.deflate(9)(text, 'finish') while true do zlib.inflate()(packed) end",
        "while true do zlib.crc32()(text) end",
        "while true do zstd.compress(text, 19) end",
        "local packed = zstd.compress(text) while true do zstd.decompress(packed) end",
        "while true do snappy.compress(text) end",
        "local packed = snappy.compress(text) while true do snappy.uncompress(packed) end",
        "local digest = require('openssl').digest while true do digest.digest('sha512', text) end",
        "local hmac = require('openssl').hmac while true do hmac.hmac('sha1', text, text) end",
        "local random = require('openssl').random while true do random(2^20) end",
        "local hash = require('xxhash').h64 while true do hash(text) end",
        "local size = require('struct').size local format = string.rep('b', 2^20) while true do size(format) end",
    ] {
        let source = format!("{text} {work}");
        let error = run(256 << 20, 1_000_000, &source).expect_err(work);
        assert!(
            error.contains("instruction_limit exceeded"),
            "{work}: {error}"
        );
    }
}

#[test]
fn files_are_for_inputs_and_outputs_only() {
    for module in [
        "gzfile",
        "lfs",
        "maxminddb",
        "geoip",
        "geoip.city",
        "geoip.country",
    ] {
        let source = format!("require '{module}'");
        let error = Setup::new(Kind::Analysis)
            .run(&source)
            .map(drop)
            .expect_err(module);
        assert!(error.contains("not found"), "{error}");
        Setup::new(Kind::Output).run(&source).expect("outputs may");
    }
}

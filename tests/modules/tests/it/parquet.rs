//! A thousand writers in one plugin: what they take is counted, and the limit holds.

use modules::Setup;
use sandbox::Kind;

/// A plugin with `n` writers of 50 columns, and a hundred rows in each.
fn writers(n: usize, memory: usize) -> Result<f64, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let source = format!(
        r#"local parquet = require "parquet"
        local schema = parquet.schema("s")
        for i = 1, 50 do schema:add_column("c" .. i, "optional", i % 2 == 0 and "binary" or "int64") end
        schema:finalize()
        local record = {{}}
        for i = 1, 50 do record["c" .. i] = i % 2 == 0 and "text" .. i or i end
        local writers, total = {{}}, 0
        for i = 1, {n} do
            local writer = parquet.writer("{folder}/" .. i, schema)
            for _ = 1, 100 do writer:dissect_record(record) end
            total = total + writer:memory()
            writers[i] = writer
        end
        for _, writer in ipairs(writers) do writer:close() end
        error("per writer " .. total / {n}, 0)"#,
        folder = folder.path().display()
    );
    let mut setup = Setup::new(Kind::Output);
    setup.limits.memory = memory;
    let text = match setup.run(&source) {
        Ok(_) => panic!("the plugin ends with an error"),
        Err(text) => text,
    };
    match text.strip_prefix("per writer ") {
        Some(number) => Ok(number.parse().expect("it is a number")),
        None => Err(text),
    }
}

#[test]
fn a_thousand_writers_are_counted() {
    let each = writers(1_000, 256 << 20).expect("there is room");
    // 100 rows of 25 numbers and 25 short texts: 100 KB at most with levels, and the columns themselves.
    assert!((60_000.0..160_000.0).contains(&each), "{each}");
}

#[test]
fn rows_become_row_groups_early_where_memory_is_short_for_many_writers() {
    let each = writers(50, 4 << 20).expect("the largest make room for the others");
    assert!(each < 100_000.0, "{each}");
}

/// What the reference page and the manual of `output/s3_parquet.lua` say: a thousand open partitions in 16 MiB.
#[test]
fn a_thousand_writers_share_a_budget() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = format!(
        r#"local parquet = require "parquet"
        parquet.budget(8 * 1024 * 1024)
        local schema = parquet.schema("s")
        for i = 1, 50 do schema:add_column("c" .. i, "optional", i % 2 == 0 and "binary" or "int64") end
        schema:finalize()
        local record = {{}}
        for i = 1, 50 do record["c" .. i] = i % 2 == 0 and "text" .. i or i end
        local writers, most = {{}}, 0
        for i = 1, 1000 do writers[i] = parquet.writer("{folder}/" .. i, schema) end
        local _, idle = parquet.budget()
        for row = 1, 20 do
            for _, writer in ipairs(writers) do
                writer:dissect_record(record)
                local budget, memory = parquet.budget()
                if memory > most then most = memory end
            end
        end
        assert(most <= 8 * 1024 * 1024, most)
        for _, writer in ipairs(writers) do
            local n, max = writer:rowgroups()
            assert(n > 0 and n <= 20 and max == 400, n)
            writer:close()
        end
        error("idle " .. idle / 1000, 0)"#,
        folder = folder.path().display()
    );
    let mut setup = Setup::new(Kind::Output);
    setup.limits.memory = 16 << 20;
    let Err(text) = setup.run(&source) else {
        panic!("the plugin ends with an error");
    };
    let idle = text
        .strip_prefix("idle ")
        .expect("it is what an empty writer takes");
    let idle: f64 = idle.parse().expect("it is a number");
    assert!(idle < 600.0, "{idle}");
}

#[test]
fn a_record_that_uses_the_writer_it_goes_into_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = format!(
        r#"local parquet, string = require "parquet", require "string"
        local schema = parquet.schema("s")
        schema:add_column("c", "required", "int64")
        schema:finalize()
        local writer = parquet.writer("{folder}/a", schema)
        local other = parquet.writer("{folder}/b", schema)
        local record = setmetatable({{}}, {{ __index = function() return writer:memory() end }})
        local ok, err = pcall(writer.dissect_record, writer, record)
        assert(not ok and string.find(err, "in use"), err)
        parquet.budget(0)
        writer:dissect_record(setmetatable({{}}, {{ __index = function()
            other:dissect_record {{ c = 1 }}
            return 2
        end }}))
        writer:close()
        other:close()
        error("done", 0)"#,
        folder = folder.path().display()
    );
    assert_eq!(
        Setup::new(Kind::Output).run(&source).err().as_deref(),
        Some("done")
    );
}

//! The run directory of the crash tests: numbers from an input, counted by analysis plugins, kept by four outputs.

use e2e::Site;

/// What makes one crash test differ from another.
pub struct Scenario {
    /// For the report.
    pub name: &'static str,
    /// Settings of the main configuration.
    pub settings: &'static [(&'static str, &'static str)],
    /// Whether the whole queues are there at the end, so that everything can be counted again.
    pub keeps_queues: bool,
    /// Messages between two pauses of a millisecond; 0 for none.
    pub burst: u32,
}

/// Injects 1, 2, 3, ... with the number as its checkpoint.
const NUMBERS: &str = r#"
    local socket = require "socket"
    local burst = read_config("burst")
    local msg = { Type = "num", Fields = { n = { value = 0, value_type = 2 } } }
    function process_message(checkpoint)
        local n = checkpoint or 0
        while is_running() do
            n = n + 1
            msg.Timestamp = nil
            msg.Fields.n.value = n
            msg.Payload = "num " .. n
            inject_message(msg, n)
            if burst > 0 and n % burst == 0 then socket.sleep(0.001) end
        end
        return 0
    end
"#;

/// Counts and sums in preserved state, and injects the running figures with each message.
const COUNT: &str = r#"
    count, sum, last, jumps = 0, 0, 0, 0
    local msg = { Type = "count", Fields = {} }
    function process_message()
        local n = read_message("Fields[n]")
        count = count + 1
        sum = (sum + n * count) % 2^40
        if n ~= last + 1 then jumps = jumps + 1 end
        last = n
        if read_config("silent") then return 0 end
        msg.Fields.k, msg.Fields.sum, msg.Fields.n = count, sum, n
        msg.Payload = "count " .. count .. " " .. sum
        inject_message(msg)
        return 0
    end
    function timer_event() end
"#;

/// An output with state of its own, whose lines and state must agree.
const KEEPER: &str = r#"
    local file = assert(require "foresight.append_file".open(read_config("file"), { frames = "lines" }))
    count = 0
    function process_message()
        count = count + 1
        assert(file:write(count, " ", read_message("Fields[n]"), "\n"))
        return 0
    end
    function timer_event() end
"#;

/// Makes the run directory.
pub fn site(scenario: &Scenario) -> Site {
    let mut site = Site::new().set("output_size", "1000000");
    for (key, value) in scenario.settings {
        site = site.set(key, *value);
    }
    let count = "message_matcher = \"Type == 'num'\"\npreserve_data = true\nprocess_message_inject_limit = 1";
    let to = |name: &str| {
        format!(
            "message_matcher = \"TRUE\"\noutput_file = \"{}\"",
            site.path(name).display()
        )
    };
    let (lines, frames) = (to("lines"), to("frames.heka"));
    let keeper = format!(
        "message_matcher = \"Type == 'num'\"\nread_queue = \"input\"\npreserve_data = true\nfile = \"{}\"",
        site.path("kept").display()
    );
    site.input(
        "numbers",
        &format!("instruction_limit = 0\nburst = {}", scenario.burst),
        NUMBERS,
    )
    .analysis("count", count, COUNT)
    .analysis(
        "silent",
        &format!("{count}\nsilent = true\npreserve_interval = 2"),
        COUNT,
    )
    .ours("output/log_file.lua", "lines", &lines)
    .ours("output/heka_file.lua", "frames", &frames)
    .output("keeper", &keeper, KEEPER)
}

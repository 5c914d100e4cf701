-- Entries of slow query logs.
local string, table = require "string", require "table"

local function show(v)
    if type(v) ~= "table" then return type(v) == "string" and string.format("%q", v) or tostring(v) end
    local parts = {}
    for k, x in pairs(v) do parts[#parts + 1] = tostring(k) .. "=" .. show(x) end
    table.sort(parts)
    return "{" .. table.concat(parts, ",") .. "}"
end

local function same(found, expected, what)
    local f, e = show(found), show(expected)
    if f ~= e then error(string.format("%s:\n found    %s\n expected %s", tostring(what), f, e), 2) end
end

local mysql = require "lpeg.mysql"

local function s(value) return { value = value, representation = "s" } end
local function bytes(value) return { value = value, representation = "B" } end

local query = "# Query_time: 1.250000  Lock_time: 0.000100 Rows_sent: 3  Rows_examined: 700\n"
local statement = "SET timestamp=1773267255;\nSELECT ';' FROM t\nWHERE a = 1;\n"
local common = { Query_time = s(1.25), Lock_time = s(0.0001), Rows_sent = 3, Rows_examined = 700,
                 timestamp = "1773267255000000000", sql = "SELECT ';' FROM t\nWHERE a = 1;\n" }
local function with(more)
    local all = {}
    for k, v in pairs(common) do all[k] = v end
    for k, v in pairs(more) do all[k] = v end
    return all
end

same(mysql.short_slow_query_grammar:match(query .. statement), common)
same(mysql.slow_query_grammar:match("# Time: 260311 22:14:15\n# User@Host: app[app] @ Db1.example.com [192.0.2.7]\n" .. query .. statement),
    with{ Username = "app", Host = "db1.example.com", Host_ip = "192.0.2.7" })
same(mysql.slow_query_grammar:match("# Time: 2026-03-11T22:14:15.123456Z\n# User@Host: root[root] @ localhost []  Id:     8\n"
        .. query .. "use shop;\n" .. statement),
    with{ Username = "root", Host = "localhost", Connection_id = 8 })
same(mysql.slow_query_grammar:match("# User@Host: a[b] @  [::1]\n" .. query
        .. "SET last_insert_id=5,insert_id=6,timestamp=1773267255;\n# administrator command: Quit;\nSELECT 1;"),
    { Username = "b", Host = "", Host_ip = "::1", Query_time = s(1.25), Lock_time = s(0.0001), Rows_sent = 3,
      Rows_examined = 700, Last_insert = 5, Insert_id = 6, timestamp = "1773267255000000000", sql = "SELECT 1;" })

local thread = "# Thread_id: 12  Schema: shop  QC_hit: Yes\n"
local plan = "# Full_scan: Yes  Full_join: No  Tmp_table: Yes  Tmp_table_on_disk: No\n"
    .. "# Filesort: Yes  Filesort_on_disk: No  Merge_passes: 3\n"
local planned = { Full_scan = "Yes", Full_join = "No", Tmp_table = "Yes", Tmp_table_on_disk = "No", Filesort = "Yes",
                  Filesort_on_disk = "No", Merge_passes = 3, Thread_id = 12, Schema = "shop", QC_hit = "Yes" }
same(mysql.mariadb_short_slow_query_grammar:match(thread .. query .. statement),
    with{ Thread_id = 12, Schema = "shop", QC_hit = "Yes" })
same(mysql.mariadb_short_slow_query_grammar:match(thread .. query .. plan .. statement), with(planned))
planned.Rows_affected, planned.Bytes_sent, planned.Username, planned.Host, planned.Host_ip = 0, bytes(77), "u", "", "10.0.0.1"
same(mysql.mariadb_slow_query_grammar:match("# User@Host: u[u] @  [10.0.0.1]\n" .. thread .. query
    .. "# Rows_affected: 0  Bytes_sent: 77\n" .. plan .. statement), with(planned))

same(mysql.percona_slow_query_grammar:match("# User@Host: u[u] @ h [10.0.0.1]  Id:    42\n"
        .. "# Schema: shop  Last_errno: 0  Killed: 1\n"
        .. "# Query_time: 1.250000  Lock_time: 0.000100  Rows_sent: 3  Rows_examined: 700  Rows_affected: 2  Rows_read: 9\n"
        .. "# Bytes_sent: 5  Tmp_tables: 1  Tmp_disk_tables: 2  Tmp_table_sizes: 30\n# Stored routine: shop.total\n"
        .. "# QC_Hit: No" .. string.sub(plan, 2):gsub("^ ", "  ")
        .. "#   InnoDB_IO_r_ops: 1  InnoDB_IO_r_bytes: 2  InnoDB_IO_r_wait: 0.5\n"
        .. "#   InnoDB_rec_lock_wait: 0.25  InnoDB_queue_wait: 0.125\n#   InnoDB_pages_distinct: 6\n" .. statement),
    with{ Username = "u", Host = "h", Host_ip = "10.0.0.1", Connection_id = 42, Schema = "shop", Last_errno = 0, Killed = 1,
          Rows_affected = 2, Rows_read = 9, Bytes_sent = bytes(5), Tmp_tables = 1, Tmp_disk_tables = 2,
          Tmp_table_sizes = bytes(30), Stored_routine = "shop.total", QC_hit = "No", Full_scan = "Yes", Full_join = "No",
          Tmp_table = "Yes", Tmp_table_on_disk = "No", Filesort = "Yes", Filesort_on_disk = "No", Merge_passes = 3,
          InnoDB_IO_r_ops = 1, InnoDB_IO_r_bytes = bytes(2), InnoDB_IO_r_wait = s(0.5), InnoDB_rec_lock_wait = s(0.25),
          InnoDB_queue_wait = s(0.125), InnoDB_pages_distinct = 6 })

local all = { "slow_query_grammar", "short_slow_query_grammar", "mariadb_slow_query_grammar",
              "mariadb_short_slow_query_grammar", "percona_slow_query_grammar" }
for _, name in ipairs(all) do
    for _, text in ipairs{ "", "\0", query, query .. "SET timestamp=1;\nSELECT 1", string.rep("# Time: x\n", 50000),
                           query .. "SET timestamp=1;\n" .. string.rep(";", 500000) .. "x" } do
        same(mysql[name]:match(text), nil, name)
    end
end
same(#mysql.short_slow_query_grammar:match(query .. "SET timestamp=1;\n" .. string.rep("x", 1000000) .. ";\n").sql, 1000002)

-- This Source Code Form is subject to the terms of the Mozilla Public
-- License, v. 2.0. If a copy of the MPL was not distributed with this
-- file, You can obtain one at https://mozilla.org/MPL/2.0/.

--[[
# MySQL: grammars for the slow query log

    # User@Host: app[app] @ db01.example.com [127.0.0.1]
    # Query_time: 2.964652  Lock_time: 0.000050 Rows_sent: 251  Rows_examined: 9773
    SET timestamp=1399500744;
    SELECT * FROM widget WHERE id = 10;

## Grammars

Each matches one entry, of several lines, and captures a table.

| grammar | entries of |
|---|---|
| `slow_query_grammar` | MySQL |
| `short_slow_query_grammar` | MySQL, without the lines up to `User@Host` |
| `mariadb_slow_query_grammar` | MariaDB |
| `mariadb_short_slow_query_grammar` | MariaDB, without the lines up to `User@Host` |
| `percona_slow_query_grammar` | Percona Server |

Members have the names of the log: `Query_time` and `Lock_time` are `{ value = 2.964652, representation = "s" }`,
sizes such as `Bytes_sent` are `{ value = 272, representation = "B" }`, counts are numbers, answers are "Yes" or "No".
Others: `Username`, `Host`, `Host_ip`, `Connection_id`, `Last_insert`, `Insert_id`, `timestamp` (the text of
nanoseconds) and `sql`, the statement to the end of its last line.
--]]

local l    = require "lpeg"
local form = require "lpeg.form"
local ip   = require "lpeg.ip_address"

local P, R, S, Cc, Cg, Cs, Ct = l.P, l.R, l.S, l.Cc, l.Cg, l.Cs, l.Ct
local tonumber = tonumber

local M = {}
setfenv(1, M)

local digits = R"09"^1

local function unit(value, representation)
    return Ct(Cg(value / tonumber, "value") * Cg(Cc(representation), "representation"))
end

local types = {
    s       = unit(digits * ("." * digits)^-1, "s"),
    B       = unit(digits, "B"),
    answer  = P"Yes" + "No",
    host    = ip.hostname^-1,
    address = (1 - P"]")^1,
    name    = (R("az", "AZ", "09") + S"-._~$")^0,
    ns      = Cs(digits * Cc"000000000"),
    white   = S" \t"^1,
}

local function lines(text)
    return form.build(text, types)
end

local plan = "  Full_scan: {Full_scan:answer}  Full_join: {Full_join:answer}  Tmp_table: {Tmp_table:answer}"
    .. "  Tmp_table_on_disk: {Tmp_table_on_disk:answer}\n# Filesort: {Filesort:answer}"
    .. "  Filesort_on_disk: {Filesort_on_disk:answer}  Merge_passes: {Merge_passes:int}{*}\n"

local header = lines"# Time: {*}\n"^0
    * lines("# User@Host: {*}[{Username}]{:white}@{:white}{Host:host}{?{:white}}[{?{Host_ip:address}}]"
         .. "{?{:white}Id:{:white}{Connection_id:int}}{?{:white}}\n")

local query = lines("# Query_time: {Query_time:s}{:white}Lock_time: {Lock_time:s}{:white}Rows_sent: {Rows_sent:int}"
         .. "{:white}Rows_examined: {Rows_examined:int}{?{:white}}\n")

local statement = lines"use {*}\n"^0
    * lines"SET {?last_insert_id={Last_insert:int},}{?insert_id={Insert_id:int},}timestamp={timestamp:ns};\n"
    * lines"# administrator command: {*}\n"^0
    * Cg((P(1) - P";" * (P"\n" + -1))^0 * ";" * P"\n"^-1, "sql")

local mariadb_thread = lines"# Thread_id: {Thread_id:int}  Schema: {Schema:name}  QC_hit: {QC_hit:answer}\n"
local mariadb_rows   = lines"# Rows_affected: {Rows_affected:int}{?  Bytes_sent: {Bytes_sent:B}}\n"
local mariadb_plan   = lines("#" .. plan:sub(2))
local mariadb_rest   = mariadb_thread * query * mariadb_rows^-1 * mariadb_plan^0 * statement

local percona_info = lines("# {?Thread_id: {Thread_id:int}  }Schema: {Schema:name}  Last_errno: {Last_errno:int}"
    .. "  Killed: {Killed:int}\n")
local percona_query = lines("# Query_time: {Query_time:s}  Lock_time: {Lock_time:s}  Rows_sent: {Rows_sent:int}"
    .. "  Rows_examined: {Rows_examined:int}  Rows_affected: {Rows_affected:int}{?  Rows_read: {Rows_read:int}}\n")
local percona_memory = lines("# Bytes_sent: {Bytes_sent:B}{?  Tmp_tables: {Tmp_tables:int}"
    .. "  Tmp_disk_tables: {Tmp_disk_tables:int}  Tmp_table_sizes: {Tmp_table_sizes:B}}\n")
local percona_routine = lines"# Stored routine: {Stored_routine:name}\n"
local percona_plan = lines("# QC_Hit: {QC_hit:answer}" .. plan)
local percona_innodb = lines("#   InnoDB_IO_r_ops: {InnoDB_IO_r_ops:int}  InnoDB_IO_r_bytes: {InnoDB_IO_r_bytes:B}"
    .. "  InnoDB_IO_r_wait: {InnoDB_IO_r_wait:s}\n#   InnoDB_rec_lock_wait: {InnoDB_rec_lock_wait:s}"
    .. "  InnoDB_queue_wait: {InnoDB_queue_wait:s}\n#   InnoDB_pages_distinct: {InnoDB_pages_distinct:int}\n")

slow_query_grammar       = Ct(header * query * statement)
short_slow_query_grammar = Ct(query * statement)

mariadb_slow_query_grammar       = Ct(header * mariadb_rest)
mariadb_short_slow_query_grammar = Ct(mariadb_rest)

percona_slow_query_grammar = Ct(header * percona_info^0 * percona_query * percona_memory^0 * percona_routine^0
    * percona_plan^0 * percona_innodb^0 * statement)

return M

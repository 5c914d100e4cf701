---@meta
-- Types of the modules that plugins compute with.

---@class circular_buffer.buffer
local buffer = {}
---@param ns number
---@param column integer
---@param value number
---@return number?
function buffer:add(ns, column, value) end
---@param ns number
---@param column integer
---@param value number
---@return number?
function buffer:set(ns, column, value) end
---@param ns number
---@param column integer
---@return number?
function buffer:get(ns, column) end
---@param ns number
---@param column integer
---@return number?
function buffer:get_delta(ns, column) end
---@param column integer
---@param start_ns? number
---@param end_ns? number
---@return number[]?
function buffer:get_range(column, start_ns, end_ns) end
---@param column integer
---@param start_ns? number
---@param end_ns? number
---@return number[]?
function buffer:get_range_delta(column, start_ns, end_ns) end
---@return integer rows
---@return integer columns
---@return integer seconds_per_row
function buffer:get_configuration() end
---@return number ns
function buffer:current_time() end
---@param column integer
---@param name string
---@param unit? string
---@param aggregation? "sum"|"min"|"max"|"none"
---@return integer column
function buffer:set_header(column, name, unit, aggregation) end
---@param column integer
---@return string name
---@return string unit
---@return string aggregation
function buffer:get_header(column) end
---@param ns number
---@param column integer
---@param kind "info"|"alert"
---@param text string
---@param delta? boolean
function buffer:annotate(ns, column, kind, text, delta) end
---@param format "cbuf"|"cbufd"
---@return circular_buffer.buffer
function buffer:format(format) end
function buffer:reset_delta() end
---@param text string
function buffer:fromstring(text) end

---@class circular_buffer
circular_buffer = {}
---@param rows integer
---@param columns integer
---@param seconds_per_row integer
---@return circular_buffer.buffer
function circular_buffer.new(rows, columns, seconds_per_row) end
---@return string
function circular_buffer.version() end

---@class hyperloglog.sketch
local sketch = {}
---@param key string|number
---@return boolean altered
function sketch:add(key) end
---@return integer
function sketch:count() end
---@param other hyperloglog.sketch
---@return hyperloglog.sketch
function sketch:merge(other) end
function sketch:clear() end
---@param bytes string
function sketch:fromstring(bytes) end

---@class hyperloglog
hyperloglog = {}
---@return hyperloglog.sketch
function hyperloglog.new() end
---@param first hyperloglog.sketch
---@param second hyperloglog.sketch
---@param ... hyperloglog.sketch
---@return integer
function hyperloglog.count(first, second, ...) end
---@return string
function hyperloglog.version() end

---@class bloom_filter.filter
local bloom = {}
---@param key string|number
---@return boolean added
function bloom:add(key) end
---@param key string|number
---@return boolean found
function bloom:query(key) end
---@return integer
function bloom:count() end
function bloom:clear() end
---@param count integer
---@param bits string
function bloom:fromstring(count, bits) end

---@class bloom_filter
bloom_filter = {}
---@param items integer
---@param probability number
---@return bloom_filter.filter
function bloom_filter.new(items, probability) end
---@return string
function bloom_filter.version() end

---@class cuckoo_filter.filter
local cuckoo = {}
---@param key string|number
---@return boolean added
function cuckoo:add(key) end
---@param key string|number
---@return boolean found
function cuckoo:query(key) end
---@param key string|number
---@return boolean deleted
function cuckoo:delete(key) end
---@return integer
function cuckoo:count() end
function cuckoo:clear() end
---@param count integer
---@param buckets string
---@param version integer
function cuckoo:fromstring(count, buckets, version) end

---@class cuckoo_filter
cuckoo_filter = {}
---@param items integer
---@return cuckoo_filter.filter
function cuckoo_filter.new(items) end
---@return string
function cuckoo_filter.version() end

---@class cuckoo_filter_expire.filter
local expire = {}
---@param key string|number
---@param ns number
---@return boolean added
---@return integer? intervals
function expire:add(key, ns) end
---@param key string|number
---@return boolean found
---@return integer? interval
function expire:query(key) end
---@param key string|number
---@return boolean deleted
function expire:delete(key) end
---@return integer
function expire:count() end
---@return number ns
---@return integer interval
function expire:current_interval() end
function expire:clear() end

---@class cuckoo_filter_expire
cuckoo_filter_expire = {}
---@param items integer
---@param minutes integer?
---@return cuckoo_filter_expire.filter
function cuckoo_filter_expire.new(items, minutes) end
---@return string
function cuckoo_filter_expire.version() end

---@class sax.object
local object = {}
---@param values number|number[]
function object:add(values) end
---@return sax.object
function object:get_word() end
function object:clear() end

---@class sax
sax = {word = {}, window = {}}
---@param a sax.object
---@param b sax.object
---@return number? distance
---@return number? above
---@return number? below
function sax.mindist(a, b) end
---@return string
function sax.version() end
---@param n integer
---@param w integer
---@param c integer
---@return sax.object
function sax.window.new(n, w, c) end
---@param series string|number[]
---@param w_or_c integer
---@param c? integer
---@return sax.object
function sax.word.new(series, w_or_c, c) end

---@class streaming_algorithms.cm_sketch.sketch
local counts = {}
---@param key string|number
---@param n? integer
---@return integer estimate
function counts:update(key, n) end
---@param key string|number
---@return integer estimate
function counts:point_query(key) end
---@return integer
function counts:item_count() end
---@return integer
function counts:unique_count() end
function counts:clear() end
---@param bytes string
function counts:fromstring(bytes) end

---@class streaming_algorithms.matrix.matrix
local matrix = {}
---@param row integer
---@param column integer
---@param number number
---@return number
function matrix:add(row, column, number) end
---@param row integer
---@param column integer
---@param number number
---@return number
function matrix:set(row, column, number) end
---@param row integer
---@param column integer
---@return number
function matrix:get(row, column) end
---@param row integer
---@return number[]
function matrix:get_row(row) end
---@param row integer
function matrix:clear_row(row) end
---@param row integer
---@return number
function matrix:sum(row) end
---@param row integer
---@param match? "max"|"min"
---@return number? coefficient
---@return integer? row
function matrix:pcc(row, match) end
---@param other streaming_algorithms.matrix.matrix
---@param op? "add"|"set"
function matrix:merge(other, op) end
---@return integer rows
---@return integer columns
function matrix:get_configuration() end
---@param bytes string
function matrix:fromstring(bytes) end

---@class streaming_algorithms.p2.markers
local markers = {}
---@param number number
---@return number? estimate
function markers:add(number) end
---@param marker integer
---@return number
function markers:estimate(marker) end
---@param marker integer
---@return integer
function markers:count(marker) end
function markers:clear() end
---@param bytes string
function markers:fromstring(bytes) end

---@class streaming_algorithms.running_stats.stats
local stats = {}
---@param number number
---@return number mean
function stats:add(number) end
---@return number
function stats:avg() end
---@return number
function stats:count() end
---@return number
function stats:sd() end
---@return number
function stats:usd() end
---@return number
function stats:variance() end
function stats:clear() end
---@param bytes string
function stats:fromstring(bytes) end

---@class streaming_algorithms.time_series.series
local series = {}
---@param ns number
---@param value integer
---@return integer?
function series:add(ns, value) end
---@param ns number
---@param value integer
---@return integer?
function series:set(ns, value) end
---@param ns number
---@return integer?
function series:get(ns) end
---@param ns number?
---@param n integer
---@return integer[]?
function series:get_range(ns, n) end
---@param ns number?
---@param n integer
---@param statistic? "sum"|"min"|"max"|"avg"|"sd"|"usd"
---@param include_zero? boolean
---@return number? value
---@return integer? rows
function series:stats(ns, n, statistic, include_zero) end
---@param ns number?
---@param n integer
---@param m integer
---@param percent number
---@param result? "anomaly"|"anomaly_current"|"mp"|"mpi"
---@return number|number[]|nil
---@return number? percent
---@return number? distance
function series:matrix_profile(ns, n, m, percent, result) end
---@param other streaming_algorithms.time_series.series
---@param op? "add"|"set"
function series:merge(other, op) end
---@return number ns
function series:current_time() end
---@return integer rows
---@return number ns_per_row
function series:get_configuration() end
---@param bytes string
function series:fromstring(bytes) end

---@class streaming_algorithms
streaming_algorithms = {cm_sketch = {}, matrix = {}, p2 = {}, running_stats = {}, time_series = {}}
---@param epsilon number
---@param delta number
---@return streaming_algorithms.cm_sketch.sketch
function streaming_algorithms.cm_sketch.new(epsilon, delta) end
---@param rows integer
---@param columns integer
---@param kind? "int"|"float"
---@return streaming_algorithms.matrix.matrix
function streaming_algorithms.matrix.new(rows, columns, kind) end
---@param p number
---@return streaming_algorithms.p2.markers
function streaming_algorithms.p2.quantile(p) end
---@param buckets integer
---@return streaming_algorithms.p2.markers
function streaming_algorithms.p2.histogram(buckets) end
---@return streaming_algorithms.running_stats.stats
function streaming_algorithms.running_stats.new() end
---@param rows integer
---@param ns_per_row number
---@return streaming_algorithms.time_series.series
function streaming_algorithms.time_series.new(rows, ns_per_row) end

# Writes the rows of lake.lua with pyarrow on one core, and prints how long the processor took.
import sys, time, pyarrow as pa, pyarrow.parquet as pq
folder, n_rows, n_group = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
pa.set_cpu_count(1)
pa.set_io_thread_count(1)
channels, countries = ["release", "beta", "nightly", "esr"], ["DE", "US", "FR", "BR", "IN", "CN", "JP"]
schema = pa.schema([
    pa.field("id", pa.int64(), False), pa.field("time", pa.int64(), False), pa.field("client", pa.string(), False),
    ("channel", pa.string()), ("country", pa.string()), ("value", pa.float64()), pa.field("ok", pa.bool_(), False),
    ("tags", pa.list_(pa.string())),
])
rows = [{
    "id": i, "time": 1700000000000000 + i * 1000, "client": "client-%08d" % (i * 7919 % 1000003),
    "channel": channels[i % 4], "country": countries[i % 7] if i % 10 else None, "value": i * 0.25, "ok": i % 3 == 0,
    "tags": ["a%d" % (i % 5), "b%d" % (i % 11)],
} for i in range(1, n_group + 1)]


def write(name, tables):
    start = time.process_time()
    with pq.ParquetWriter("%s/%s.parquet" % (folder, name), schema, compression="zstd", compression_level=3) as writer:
        for _ in range(n_rows // n_group):
            writer.write_table(tables(), row_group_size=n_group)
    return (time.process_time() - start) / n_rows * 1e9


table = pa.Table.from_pylist(rows, schema)
for _ in range(2):
    of_rows, of_table = write("rows", lambda: pa.Table.from_pylist(rows, schema)), write("table", lambda: table)
print("parquet=%.17g" % of_rows)
print("table=%.17g" % of_table)
count = lambda name: pq.ParquetFile("%s/%s.parquet" % (folder, name)).metadata.num_rows
assert count("ours") == count("rows") == n_rows
ours, theirs = (next(pq.ParquetFile("%s/%s.parquet" % (folder, name)).iter_batches(n_group)).to_pylist() for name in ("ours", "rows"))
assert ours == theirs == rows

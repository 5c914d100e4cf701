decoders_moz_ingest_common = {
    sub_decoders = {
        telemetry = "decoders.moz_ingest.telemetry",
        ["*"]     = "decoders.moz_ingest.json",
    },
    error_on_missing_sub_decoder = true,
    city_db_file = [[@root@/places.mmdb]], -- knows the addresses of the producer; put a real one in its place
    cf_items = 100000,
}
decoders_moz_ingest_telemetry = { schema_path = [[@root@/schemas/telemetry]] }
decoders_moz_ingest_json      = { namespace_path = [[@root@/schemas]], user_agent_transform = true }

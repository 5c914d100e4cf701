//! `geoip.city` and `geoip.country` on a database of today's form.

use crate::maxminddb::tests::{places, run_with};
use crate::test_plugin::error_of;

fn with_places(code: &str) {
    run_with(&places(), code);
}

#[test]
fn the_old_names_are_answered() {
    with_places(
        "local db = assert(require('geoip.city').open(file, 1, 1))
        assert(db:query_by_addr('192.0.2.1', 'city') == 'Sampleton')
        local code, name, lat = db:query_by_addr('192.0.2.1', 'country_code', 'country_name', 'latitude')
        assert(code == 'XA' and name == 'Examplia' and lat == 47.25)
        local all = db:query_by_addr('192.0.2.1')
        assert(all.region == 'SA' and all.postal_code == '98354' and all.metro_code == 819 and all.dma_code == 819)
        assert(all.area_code == 0 and all.continent_code == 'NA' and all.longitude == -122.5 and all.country_code3 == nil)
        assert(db:query_by_ipnum(192 * 2^24 + 2 * 2^8 + 9, 'country_code') == 'XA')
        local code, city, lat = db:query_by_addr('198.51.100.200', 'country_code', 'city', 'latitude')
        assert(code == 'XB' and city == '' and lat == 0)
        local none, why = db:query_by_addr('203.0.113.1', 'city') assert(none == nil and why == 'not found')
        none, why = db:query_by_addr('no address') assert(none == nil and why == 'not found')
        none, why = db:query_by_ipnum(-1) assert(none == nil and why == 'not found')",
    );
    with_places(
        "local db = assert(require('geoip.country').open(file))
        assert(db:query_by_addr('192.0.2.1', 'code') == 'XA' and db:query_by_addr('192.0.2.1').name == 'Examplia')
        assert(db:charset() == require('geoip').UTF8) db:set_charset(1)",
    );
}

#[test]
fn errors_are_those_of_the_old_module() {
    with_places(
        "local db = assert(require('geoip.city').open(file))
        local ok, err = pcall(db.query_by_addr, db, '192.0.2.1', 'colour') assert(err:find(\"invalid option 'colour'\", 1, true), err)
        db:close() db:close()
        ok, err = pcall(db.query_by_addr, db, '192.0.2.1') assert(err == 'lua-geoip error: attempted to use closed city db', err)
        local none, why = require('geoip.city').open('/none') assert(none == nil and why:find('failed to open database file', 1, true))",
    );
    assert!(error_of("require('geoip.city').open()").contains("string expected"));
}

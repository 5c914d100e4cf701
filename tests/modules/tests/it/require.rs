//! Each native module can be required and sets its global.

use modules::Setup;
use sandbox::Kind;

#[test]
fn every_native_module_loads() {
    let registry = host::run::modules();
    let source: String = registry
        .names()
        .map(|name| format!("local m = require '{name}'; assert(type(m) ~= 'nil', '{name}')\n"))
        .collect();
    if let Err(error) = Setup::new(Kind::Input).run(&source) {
        panic!("{error}");
    }
}

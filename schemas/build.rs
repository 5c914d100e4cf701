//! Makes the Rust types of `proto/heka.proto`, without needing a `protoc` program.

fn main() {
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::compile(["proto/heka.proto"], ["proto"])
        .unwrap_or_else(|error| panic!("proto/heka.proto does not compile: {error}"));
    prost_build::Config::new()
        .compile_fds(descriptors)
        .unwrap_or_else(|error| panic!("cannot write the types of proto/heka.proto: {error}"));
}

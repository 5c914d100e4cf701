//! `foresight-s3 <folder> [port]`: serves the folder as S3 on the loopback until it is ended; a bucket is a folder in it.

use std::process::ExitCode;

use s3server::{ACCESS_KEY, SECRET_KEY, Server};

/// The port unless told otherwise: that of other servers of this kind.
const PORT: u16 = 9000;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (folder, port) = (
        args.next(),
        args.next().map_or(Ok(PORT), |port| port.parse()),
    );
    let (Some(folder), Ok(port)) = (folder, port) else {
        eprintln!("usage: foresight-s3 <folder> [port]");
        return ExitCode::FAILURE;
    };
    match Server::start(folder.as_ref(), port) {
        Ok(server) => {
            println!("http://{} {ACCESS_KEY} {SECRET_KEY}", server.address());
            server.serve_for_ever()
        }
        Err(error) => {
            eprintln!("{folder}: {error}");
            ExitCode::FAILURE
        }
    }
}

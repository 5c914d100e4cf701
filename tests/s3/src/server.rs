//! Serves a folder as S3: s3s speaks the protocol, s3s-fs keeps objects as files.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::{ACCESS_KEY, SECRET_KEY};

/// Threads of a server.
const THREADS: usize = 2;

/// How long the listener rests after the system had no socket for it.
const REST: Duration = Duration::from_millis(50);

/// A running server; it ends with the value.
pub struct Server {
    runtime: Runtime,
    address: SocketAddr,
}

impl Server {
    /// Serves `folder`, which is made, on a port of the loopback; port 0 takes a free one.
    ///
    /// # Errors
    /// The system's.
    pub fn start(folder: &Path, port: u16) -> io::Result<Server> {
        std::fs::create_dir_all(folder)?;
        let files =
            FileSystem::new(folder).map_err(|error| io::Error::other(format!("{error:?}")))?;
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .enable_all()
            .build()?;
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", port)))?;
        let address = listener.local_addr()?;
        runtime.spawn(accept(listener, service));
        Ok(Server { runtime, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the process ends.
    pub fn serve_for_ever(self) -> ! {
        self.runtime.block_on(std::future::pending::<()>());
        unreachable!("what is pending never ends")
    }
}

async fn accept(listener: TcpListener, service: S3Service) {
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            tokio::time::sleep(REST).await;
            continue;
        };
        let service = service.clone();
        tokio::spawn(async move {
            let connection = hyper::server::conn::http1::Builder::new();
            // A client that breaks off is its own affair.
            let _ = connection
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}

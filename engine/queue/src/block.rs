//! Whole records that several readers share without copying, and the recycling of their memory.

use crate::position::Position;
use std::fmt;
use std::sync::{Arc, Mutex};

/// Buffers that are ready to be used again, so that a busy queue does not ask the kernel for fresh memory all the
/// time. Those that are given back beyond this number are freed: 16 chunks are as many as the intake and the tail
/// can drop at about the same time.
const POOL_BUFFERS_MAX: usize = 16;
/// Buffers that have grown beyond this, for an unusually long record, are freed rather than kept.
const POOL_BUFFER_BYTES_MAX: usize = 2 << 20;

/// A stack of buffers; the last one given back, still in the cache, is taken first.
#[derive(Default)]
pub(crate) struct Pool {
    /// Guards the buffers.
    buffers: Mutex<Vec<Vec<u8>>>,
}

impl Pool {
    /// A buffer, recycled if there is one; it may still have bytes.
    pub fn take(&self) -> Vec<u8> {
        self.lock().pop().unwrap_or_default()
    }

    /// Takes a buffer back.
    pub fn give(&self, buffer: Vec<u8>) {
        let mut buffers = self.lock();
        if buffers.len() < POOL_BUFFERS_MAX && buffer.capacity() <= POOL_BUFFER_BYTES_MAX {
            buffers.push(buffer);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
        self.buffers
            .lock()
            .expect("no code panics while it holds the buffers")
    }
}

/// Some bytes of one segment. Its memory goes back to its pool when the last owner lets go.
pub(crate) struct Chunk {
    /// Where its first byte is.
    pub base: Position,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Where its memory goes; small chunks, which were copied to size, have none.
    pub pool: Option<Arc<Pool>>,
}

impl Chunk {
    /// The place behind its last byte.
    pub fn end(&self) -> Position {
        self.base.plus(self.bytes.len() as u64)
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.take() {
            pool.give(std::mem::take(&mut self.bytes));
        }
    }
}

/// One or more whole records that follow each other in the queue. Clones share the bytes.
#[derive(Clone)]
pub struct Block {
    chunk: Arc<Chunk>,
    from: usize,
    to: usize,
}

impl Block {
    /// The part `from..to` of `chunk`.
    pub(crate) fn new(chunk: Arc<Chunk>, from: usize, to: usize) -> Block {
        assert!(
            from <= to && to <= chunk.bytes.len(),
            "a block lies inside its chunk"
        );
        Block { chunk, from, to }
    }

    /// The records, one behind the other.
    pub fn bytes(&self) -> &[u8] {
        &self.chunk.bytes[self.from..self.to]
    }

    /// Where the first record begins.
    pub fn start(&self) -> Position {
        self.chunk.base.plus(self.from as u64)
    }

    /// The place behind the last record.
    pub fn end(&self) -> Position {
        self.chunk.base.plus(self.to as u64)
    }

    /// The place of the byte `offset` of [`Block::bytes`].
    pub fn position(&self, offset: usize) -> Position {
        self.start().plus(offset as u64)
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({}..{})", self.start(), self.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_when_the_last_owner_lets_go() {
        let pool = Arc::new(Pool::default());
        let bytes = Vec::with_capacity(100);
        let address = bytes.as_ptr();
        let chunk = Chunk {
            base: Position::new(1, 10),
            bytes,
            pool: Some(Arc::clone(&pool)),
        };
        let block = Block::new(Arc::new(chunk), 0, 0);
        let other = block.clone();
        drop(block);
        assert_eq!(pool.take().capacity(), 0, "somebody still has it");
        drop(other);
        let recycled = pool.take();
        assert_eq!(recycled.as_ptr(), address);
    }

    #[test]
    fn a_block_knows_its_place() {
        let chunk = Chunk {
            base: Position::new(1, 10),
            bytes: b"abcdef".to_vec(),
            pool: None,
        };
        assert_eq!(chunk.end(), Position::new(1, 16));
        let block = Block::new(Arc::new(chunk), 2, 5);
        assert_eq!(
            (block.bytes(), block.start(), block.end()),
            (&b"cde"[..], Position::new(1, 12), Position::new(1, 15))
        );
        assert_eq!(block.position(1), Position::new(1, 13));
        assert_eq!(format!("{block:?}"), "Block(1:12..1:15)");
    }

    #[test]
    fn the_pool_has_a_limit() {
        let pool = Pool::default();
        (0..100).for_each(|_| pool.give(Vec::with_capacity(1)));
        assert_eq!(pool.lock().len(), POOL_BUFFERS_MAX);
    }
}

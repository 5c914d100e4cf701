//! Which of these plugins want this message? Reads the input queue in batches and sorts them by plugin.

use std::sync::Arc;

use matcher::{Matcher, MatcherIndex, Scratch};
use queue::{Block, Position, Reader};
use schemas::view::Index;

use crate::analysis_plugin::AnalysisPlugin;

/// At most this many bytes of the queue are routed as one batch while few plugins are loaded, so that what the router
/// has looked at is still in the processor's cache when the plugins look at it.
const BATCH_BYTES_FEW: usize = 512 << 10;

/// Each plugin that is loaded adds so much, for several messages: a Lua state that is fetched into the processor's cache
/// for a single message costs many times what the message does.
const BATCH_BYTES_PER_PLUGIN: usize = 4 << 10;

/// No batch is larger, however many plugins there are.
const BATCH_BYTES_MAX: usize = 32 << 20;

/// At most this many blocks make one batch; bounds the work when blocks are tiny.
const BATCH_BLOCKS_MAX: usize = 1024;

/// So much of a message is fetched ahead: most are shorter.
const PREFETCH_BYTES: usize = 256;

/// A stretch of the input queue that plugins work on together.
pub struct Batch {
    blocks: Vec<Block>,
    start: Position,
    end: Position,
}

impl Batch {
    /// A batch of one block, cut at `end`.
    pub fn of_block(block: Block, end: Position) -> Batch {
        let start = block.start();
        Batch {
            blocks: vec![block],
            start,
            end,
        }
    }

    /// The messages before the end of the batch that `matcher` wants.
    pub fn matching(&self, matcher: &Matcher) -> Vec<Hit> {
        let mut index = Index::default();
        let mut hits = Vec::new();
        for (number, block) in self.blocks.iter().enumerate() {
            let start = block.start();
            let inside = |offset: usize| {
                Position {
                    segment: start.segment,
                    offset: start.offset + offset as u64,
                } < self.end
            };
            let records = schemas::frame::records(block.bytes());
            for record in records.take_while(|record| inside(record.offset)) {
                let wanted = index.outline(record.message).is_ok()
                    && matcher.matches(&index.view(record.message));
                if wanted {
                    let hit = MessageHit {
                        block: number as u32,
                        offset: record.offset as u32,
                    };
                    hits.push(Hit::Message(hit));
                }
            }
        }
        hits
    }

    /// Where the first message begins.
    pub fn start(&self) -> Position {
        self.start
    }

    /// Where the last message ends.
    pub fn end(&self) -> Position {
        self.end
    }

    /// The framed and the bare bytes of a routed message, and the position behind it.
    pub fn message(&self, hit: &MessageHit) -> Option<(&[u8], &[u8], Position)> {
        let block = self.blocks.get(hit.block as usize)?;
        let bytes = block.bytes().get(hit.offset as usize..)?;
        let record = schemas::frame::records(bytes).next()?;
        let start = block.start();
        let behind = start.offset + u64::from(hit.offset) + record.framed.len() as u64;
        Some((
            record.framed,
            record.message,
            Position {
                segment: start.segment,
                offset: behind,
            },
        ))
    }
}

impl Batch {
    /// Has the processor fetch the message of a hit that comes soon.
    pub fn prefetch(&self, hit: &Hit) {
        let Hit::Message(hit) = hit else { return };
        let block = self.blocks.get(hit.block as usize);
        if let Some(bytes) = block.and_then(|block| block.bytes().get(hit.offset as usize..)) {
            sandbox::prefetch(&bytes[..bytes.len().min(PREFETCH_BYTES)]);
        }
    }
}

/// Where a message lies in its batch.
#[derive(Debug, Clone, Copy)]
pub struct MessageHit {
    block: u32,
    offset: u32,
}

/// What a plugin has to do next within a batch.
#[derive(Debug, Clone, Copy)]
pub enum Hit {
    /// Process this message.
    Message(MessageHit),
    /// The data's clock has passed the plugin's timer: nanoseconds.
    Tick(i64),
}

/// Collects the hits of one batch, plugin by plugin.
#[derive(Default)]
struct Sorted {
    hits: Vec<Vec<Hit>>,
    touched: Vec<u32>,
}

impl Sorted {
    fn push(&mut self, id: u32, hit: Hit) {
        let hits = &mut self.hits[id as usize];
        if hits.is_empty() {
            self.touched.push(id);
        }
        hits.push(hit);
    }
}

/// Timers that follow the Timestamp of the messages (replay).
#[derive(Default)]
struct DataTimers {
    /// Whether the tick at time 0 was given.
    has_begun: bool,
    now: i64,
    next_due: i64,
}

/// Reads the queue and knows every plugin in step with it.
pub struct Router {
    reader: Reader,
    position: Position,
    plugins: Vec<Option<Arc<AnalysisPlugin>>>,
    /// Places of `plugins` that nobody has.
    free: Vec<usize>,
    index: MatcherIndex,
    index_stale: bool,
    sorted: Sorted,
    scratch: Scratch,
    wanted: Vec<u32>,
    view_index: Index,
    data_timers: Option<DataTimers>,
    messages: u64,
    matching: std::time::Duration,
}

/// What routing found to do.
pub enum Routed {
    /// Work was handed to `schedule`.
    Work,
    /// The end of the queue is reached.
    Nothing,
}

impl Router {
    /// A router without plugins at the position of `reader`; with `data_timers` it drives timers by Timestamp.
    pub fn new(reader: Reader, data_timers: bool) -> Router {
        Router {
            position: reader.position(),
            reader,
            plugins: Vec::new(),
            free: Vec::new(),
            index: MatcherIndex::default(),
            index_stale: false,
            sorted: Sorted::default(),
            scratch: Scratch::default(),
            wanted: Vec::new(),
            view_index: Index::default(),
            data_timers: data_timers.then(DataTimers::default),
            messages: 0,
            matching: std::time::Duration::ZERO,
        }
    }

    /// Everything before this place has been handed out.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The reader, for its retention floor.
    pub fn reader(&mut self) -> &mut Reader {
        &mut self.reader
    }

    /// The greatest Timestamp seen, if the router drives timers by it; nanoseconds.
    pub fn data_time(&self) -> Option<i64> {
        self.data_timers.as_ref().map(|timers| timers.now)
    }

    /// Messages routed and the time it took.
    pub fn measured(&self) -> (u64, std::time::Duration) {
        (self.messages, self.matching)
    }

    /// The plugins that are loaded.
    pub fn plugins(&self) -> impl Iterator<Item = &Arc<AnalysisPlugin>> {
        self.plugins.iter().flatten()
    }

    /// Adds a plugin; its place in the table is its id.
    pub fn add(&mut self, plugin: Arc<AnalysisPlugin>) {
        let id = self.free.pop().unwrap_or_else(|| {
            self.plugins.push(None);
            self.sorted.hits.push(Vec::new());
            self.plugins.len() - 1
        });
        self.plugins[id] = Some(plugin);
        self.index_stale = true;
        if let Some(timers) = &mut self.data_timers {
            timers.next_due = 0;
        }
    }

    /// Removes the plugin with this name.
    pub fn remove(&mut self, name: &str) -> Option<Arc<AnalysisPlugin>> {
        let is_it = |slot: &Option<Arc<AnalysisPlugin>>| {
            slot.as_ref().is_some_and(|plugin| plugin.name() == name)
        };
        let id = self.plugins.iter().position(is_it)?;
        self.index_stale = true;
        self.free.push(id);
        self.plugins[id].take()
    }

    /// Routes the next batch, if there is one, and hands each plugin its share.
    ///
    /// `schedule` is called once for every plugin that has work now and had none before.
    pub fn route(
        &mut self,
        schedule: &mut impl FnMut(&Arc<AnalysisPlugin>),
    ) -> Result<Routed, queue::ReadError> {
        if self.index_stale {
            self.rebuild_index();
        }
        let blocks = self.read_blocks()?;
        let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else {
            // Nothing came, but the reader may have gone over to the next, empty segment.
            self.position = self.position.max(self.reader.position());
            return Ok(Routed::Nothing);
        };
        let (start, end) = (first.start(), last.end());
        let began = std::time::Instant::now();
        for (number, block) in blocks.iter().enumerate() {
            self.sort_block(number as u32, block);
        }
        self.matching += began.elapsed();
        let batch = Arc::new(Batch { blocks, start, end });
        for id in self.sorted.touched.drain(..) {
            let hits = &mut self.sorted.hits[id as usize];
            let Some(plugin) = &self.plugins[id as usize] else {
                continue;
            };
            // The next batch will need about as much room.
            let next = Vec::with_capacity(hits.len().min(1024));
            if plugin.hand_over(batch.clone(), std::mem::replace(hits, next)) {
                schedule(plugin);
            }
        }
        self.position = end;
        Ok(Routed::Work)
    }

    fn rebuild_index(&mut self) {
        let plugins = self.plugins.iter().enumerate();
        let live = plugins.filter_map(|(id, slot)| Some((id as u32, slot.as_ref()?.matcher())));
        self.index = MatcherIndex::build(live);
        self.index_stale = false;
    }

    fn read_blocks(&mut self) -> Result<Vec<Block>, queue::ReadError> {
        let mut blocks = Vec::new();
        let mut bytes = 0;
        let wanted = self.plugins.len() * BATCH_BYTES_PER_PLUGIN;
        let bytes_max = wanted.clamp(BATCH_BYTES_FEW, BATCH_BYTES_MAX);
        while bytes < bytes_max && blocks.len() < BATCH_BLOCKS_MAX {
            let Some(block) = self.reader.try_next()? else {
                break;
            };
            bytes += block.bytes().len();
            blocks.push(block);
        }
        Ok(blocks)
    }

    fn sort_block(&mut self, number: u32, block: &Block) {
        if self.plugins.iter().all(Option::is_none) {
            return;
        }
        self.begin_data_time();
        let look_inside = self.index.needs_message() || self.data_timers.is_some();
        for record in schemas::frame::records(block.bytes()) {
            self.messages += 1;
            let hit = Hit::Message(MessageHit {
                block: number,
                offset: record.offset as u32,
            });
            if !look_inside {
                self.index
                    .always()
                    .iter()
                    .for_each(|&id| self.sorted.push(id, hit));
                continue;
            }
            // A record that is no message can be wanted by nobody; the queue reports damage, decoding is not its work.
            if self.view_index.outline(record.message).is_err() {
                continue;
            }
            self.wanted.clear();
            let view = self.view_index.view(record.message);
            let timestamp = view.timestamp();
            self.index
                .matching(&view, &mut self.scratch, &mut self.wanted);
            for &id in &self.wanted {
                self.sorted.push(id, hit);
            }
            // After the message, as a live timer that comes due while a message is processed.
            self.advance_data_time(timestamp);
        }
    }

    /// In a replay: the first tick, at time 0. Plugins of Hindsight have nothing to do before the first message, and that
    /// is when it calls their timers.
    fn begin_data_time(&mut self) {
        let Some(timers) = &mut self.data_timers else {
            return;
        };
        if std::mem::replace(&mut timers.has_begun, true) {
            return;
        }
        for (id, plugin) in self.plugins.iter().enumerate() {
            if plugin
                .as_ref()
                .is_some_and(|plugin| plugin.data_timer_due(0))
            {
                self.sorted.push(id as u32, Hit::Tick(0));
            }
        }
    }

    /// In a replay: gives a tick to every plugin whose timer the data's clock has now passed.
    fn advance_data_time(&mut self, timestamp: i64) {
        let Some(timers) = &mut self.data_timers else {
            return;
        };
        if timestamp <= timers.now {
            return;
        }
        timers.now = timestamp;
        if timestamp < timers.next_due {
            return;
        }
        timers.next_due = i64::MAX;
        for (id, plugin) in self.plugins.iter().enumerate() {
            let Some(plugin) = plugin else { continue };
            if plugin.data_timer_due(timestamp) {
                self.sorted.push(id as u32, Hit::Tick(timestamp));
            }
            timers.next_due = timers.next_due.min(plugin.data_timer_next());
        }
    }
}

//! A pattern that was read once, for those who match it again and again.
//!
//! It gives the same answers as reading the pattern anew each time does, several times as fast: the items lie in a list, and
//! where an item cannot take what the next one needs, as in `[^"]*"`, nothing is kept to be tried again.

use memchr::{memchr, memrchr};

use super::{
    BATCH, Budget, Captures, Exceeded, LOOPED_PER_STEP, MAX_CAPTURES, MAX_LENGTH, POSITION, Set,
    Single, Slot, item_end, until_zero,
};

/// Longer patterns are not prepared, so that nobody keeps much memory in them.
const LENGTH_MAX: usize = 256;

/// Items that keep places to be tried again; more are not prepared.
const FRAMES_MAX: usize = 16;

/// One item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    /// This byte.
    Byte(u8),
    /// One byte of a set.
    One(u8),
    /// `x?`
    Optional(u8, Follow),
    /// `x*`
    Any(u8, Follow),
    /// `x+`
    Some(u8, Follow),
    /// `x-`
    Shortest(u8, Follow),
    /// `(`, the capture with this number.
    Open(u8),
    /// The `)` of this capture.
    Close(u8),
    /// `()`
    Position(u8),
    /// `$` at the end.
    End,
}

/// What must stand behind a quantified item, as far as that is plain to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follow {
    /// Nothing is known.
    Anything,
    /// This byte.
    Byte(u8),
    /// Something that the item itself cannot take, so that only one place can be right: where its run ends.
    Other,
    /// Nothing: the pattern ends here.
    Nothing,
}

/// A pattern, ready to be matched.
#[derive(Debug, Clone)]
pub struct Prepared {
    items: Box<[Item]>,
    sets: Box<[Set]>,
    /// Matches at the first place only.
    anchored: bool,
    /// The bytes a match can begin with, if it cannot be empty.
    first: Option<Single>,
    captures: usize,
}

/// A place to go on from when the rest of the pattern does not match.
#[derive(Debug, Clone, Copy, Default)]
struct Frame {
    item: u32,
    /// The rest was tried here.
    at: u32,
    /// The rest may begin here at the earliest.
    low: u32,
}

impl Prepared {
    /// Prepares a pattern as [`super::find_at`] reads it. `None` for one that is malformed, too long, or has items that look
    /// back or around (`%1`, `%b`, `%f`): these are read anew each time.
    pub fn new(pattern: &[u8]) -> Option<Prepared> {
        let pattern = until_zero(pattern);
        let (pattern, anchored) = match pattern.strip_prefix(b"^") {
            Some(rest) => (rest, true),
            None => (pattern, false),
        };
        if pattern.len() > LENGTH_MAX {
            return None;
        }
        let mut draft = Draft::default();
        let mut p = 0;
        while p < pattern.len() {
            p = draft.read(pattern, p)?;
        }
        if !draft.open.is_empty() || draft.captures > MAX_CAPTURES || draft.frames > FRAMES_MAX {
            return None;
        }
        draft.look_ahead();
        // `.*` at the start reaches everything from the first place, or nothing from any.
        let reaches_all = matches!(pattern, [b'.', b'*' | b'-', ..]);
        Some(Prepared {
            first: draft.first(),
            anchored: anchored || reaches_all,
            items: draft.items.into(),
            sets: draft.sets.into(),
            captures: draft.captures,
        })
    }

    /// Bytes of memory it keeps.
    pub fn memory(&self) -> usize {
        size_of::<Prepared>() + size_of_val(&*self.items) + size_of_val(&*self.sets)
    }

    /// Finds the first match at or after `init` and writes it to `found`; false if there is none.
    ///
    /// # Errors
    /// When the budget is used up.
    pub fn find(
        &self,
        subject: &[u8],
        init: usize,
        budget: &mut impl Budget,
        found: &mut Captures,
    ) -> Result<bool, Exceeded> {
        if init > subject.len() || subject.len() > MAX_LENGTH {
            return Ok(false);
        }
        let mut run = Run {
            prepared: self,
            subject,
            slots: &mut found.slots.all,
            frames: [Frame::default(); FRAMES_MAX],
            depth: 0,
            pending: 1,
            budget,
        };
        let place = run.search(init)?;
        let pending = run.pending;
        budget.charge(pending)?;
        let Some((start, end)) = place else {
            return Ok(false);
        };
        (found.start, found.end, found.slots.level) = (start, end, self.captures);
        Ok(true)
    }

    #[inline(always)]
    fn set(&self, idx: u8) -> &Set {
        &self.sets[usize::from(idx)]
    }
}

/// A pattern while it is read.
#[derive(Default)]
struct Draft {
    items: Vec<Item>,
    sets: Vec<Set>,
    /// Captures that are not closed yet.
    open: Vec<u8>,
    captures: usize,
    frames: usize,
}

impl Draft {
    /// Reads the item at `p`; where the next begins.
    fn read(&mut self, pattern: &[u8], p: usize) -> Option<usize> {
        let capture = self.captures as u8;
        match pattern[p..] {
            [b'(', b')', ..] => {
                self.captures += 1;
                self.items.push(Item::Position(capture));
                Some(p + 2)
            }
            [b'(', ..] => {
                self.captures += 1;
                self.open.push(capture);
                self.items.push(Item::Open(capture));
                Some(p + 1)
            }
            [b')', ..] => {
                self.items.push(Item::Close(self.open.pop()?));
                Some(p + 1)
            }
            [b'$'] => {
                self.items.push(Item::End);
                Some(p + 1)
            }
            [b'%', b'b' | b'f' | b'0'..=b'9', ..] => None,
            _ => self.read_single(pattern, p),
        }
    }

    /// Reads an item that stands for single bytes, with its quantifier.
    fn read_single(&mut self, pattern: &[u8], p: usize) -> Option<usize> {
        let end = item_end(pattern, p).ok()?;
        let single = Single::of(&pattern[p..end]);
        let quantifier = pattern.get(end).copied();
        if let (Single::Byte(byte), None | Some(0..=b')' | b',' | b'.'..=b'>' | b'@'..)) =
            (single, quantifier)
        {
            self.items.push(Item::Byte(byte));
            return Some(end);
        }
        let set = self.add_set(single)?;
        let item = match quantifier {
            Some(b'?') => Item::Optional(set, Follow::Anything),
            Some(b'*') => Item::Any(set, Follow::Anything),
            Some(b'+') => Item::Some(set, Follow::Anything),
            Some(b'-') => Item::Shortest(set, Follow::Anything),
            _ => {
                self.items.push(Item::One(set));
                return Some(end);
            }
        };
        self.items.push(item);
        self.frames += 1;
        Some(end + 1)
    }

    fn add_set(&mut self, single: Single) -> Option<u8> {
        let mut set = Set::default();
        (0..=u8::MAX)
            .filter(|byte| single.matches(*byte))
            .for_each(|byte| set.add_range(byte, byte));
        let known = self.sets.iter().position(|other| other.0 == set.0);
        let idx = known.unwrap_or_else(|| {
            self.sets.push(set);
            self.sets.len() - 1
        });
        u8::try_from(idx).ok()
    }

    /// Finds out what must follow each quantified item.
    fn look_ahead(&mut self) {
        for i in 0..self.items.len() {
            let behind = self.items[i + 1..]
                .iter()
                .find(|item| !matches!(item, Item::Open(_) | Item::Close(_) | Item::Position(_)));
            let behind = behind.copied();
            if let Item::Optional(set, _)
            | Item::Any(set, _)
            | Item::Some(set, _)
            | Item::Shortest(set, _) = self.items[i]
            {
                let follow = self.follow(set, behind);
                self.items[i] = match self.items[i] {
                    Item::Optional(..) => Item::Optional(set, follow),
                    Item::Any(..) => Item::Any(set, follow),
                    Item::Some(..) => Item::Some(set, follow),
                    _ => Item::Shortest(set, follow),
                };
            }
        }
    }

    fn follow(&self, set: u8, behind: Option<Item>) -> Follow {
        let set = self.sets[usize::from(set)];
        match behind {
            None => Follow::Nothing,
            Some(Item::End) => Follow::Other,
            Some(Item::Byte(byte)) if !set.contains(byte) => Follow::Other,
            Some(Item::Byte(byte)) => Follow::Byte(byte),
            Some(Item::One(other) | Item::Some(other, _)) => {
                let other = self.sets[usize::from(other)];
                let common = set.0.iter().zip(other.0).any(|(a, b)| a & b != 0);
                if common {
                    Follow::Anything
                } else {
                    Follow::Other
                }
            }
            _ => Follow::Anything,
        }
    }

    /// What a match must begin with.
    fn first(&self) -> Option<Single> {
        let first = self
            .items
            .iter()
            .find(|item| !matches!(item, Item::Open(_) | Item::Close(_) | Item::Position(_)));
        match first {
            Some(Item::Byte(byte)) => Some(Single::Byte(*byte)),
            Some(Item::One(set) | Item::Some(set, _)) => {
                Some(Single::Set(self.sets[usize::from(*set)]))
            }
            _ => None,
        }
    }
}

/// One search.
struct Run<'r, B> {
    prepared: &'r Prepared,
    subject: &'r [u8],
    slots: &'r mut [Slot; MAX_CAPTURES],
    frames: [Frame; FRAMES_MAX],
    depth: usize,
    /// Steps not yet charged.
    pending: u32,
    budget: &'r mut B,
}

impl<B: Budget> Run<'_, B> {
    #[inline(always)]
    fn step(&mut self, steps: usize) -> Result<(), Exceeded> {
        self.pending = self.pending.saturating_add(steps as u32);
        if self.pending >= BATCH {
            self.budget.charge(self.pending)?;
            self.pending = 0;
        }
        Ok(())
    }

    /// Start and end of the first match.
    fn search(&mut self, init: usize) -> Result<Option<(usize, usize)>, Exceeded> {
        if self.prepared.anchored {
            return Ok(self.attempt(init)?.map(|end| (init, end)));
        }
        let mut s = init;
        loop {
            if let Some(first) = &self.prepared.first {
                let skipped = first.next_in(&self.subject[s..]);
                self.step(skipped.unwrap_or(self.subject.len() - s) / first.per_step())?;
                let Some(skipped) = skipped else {
                    return Ok(None);
                };
                s += skipped;
            }
            if let Some(end) = self.attempt(s)? {
                return Ok(Some((s, end)));
            }
            if s == self.subject.len() {
                return Ok(None);
            }
            s += 1;
        }
    }

    /// Matches at `s`; the end of the match.
    fn attempt(&mut self, s: usize) -> Result<Option<usize>, Exceeded> {
        self.depth = 0;
        let (mut i, mut s) = (0, s);
        while let Some(item) = self.prepared.items.get(i) {
            self.step(1)?;
            let next = match self.take(*item, i, s)? {
                Some(s) => Some((i + 1, s)),
                None => self.back_up()?,
            };
            match next {
                Some(next) => (i, s) = next,
                None => return Ok(None),
            }
        }
        Ok(Some(s))
    }

    /// Matches item `i` at `s`; where the next begins.
    #[inline(always)]
    fn take(&mut self, item: Item, i: usize, s: usize) -> Result<Option<usize>, Exceeded> {
        let here = self.subject.get(s).copied();
        let set = |set: u8| self.prepared.set(set);
        Ok(match item {
            Item::Byte(byte) => (here == Some(byte)).then_some(s + 1),
            Item::One(of) => here.filter(|byte| set(of).contains(*byte)).map(|_| s + 1),
            Item::End => (s == self.subject.len()).then_some(s),
            Item::Open(which) => {
                self.slots[usize::from(which)].start = s as u32;
                Some(s)
            }
            Item::Close(which) => {
                let slot = &mut self.slots[usize::from(which)];
                slot.len = s as u32 - slot.start;
                Some(s)
            }
            Item::Position(which) => {
                let (start, len) = (s as u32, POSITION);
                self.slots[usize::from(which)] = Slot { start, len };
                Some(s)
            }
            Item::Optional(of, follow) => {
                if here.is_some_and(|byte| set(of).contains(byte)) {
                    self.give_back(i, follow, s, s + 1)
                } else {
                    Some(s)
                }
            }
            Item::Any(of, follow) => {
                let end = self.run(of, s)?;
                self.give_back(i, follow, s, end)
            }
            Item::Some(of, follow) => {
                let end = self.run(of, s)?;
                if end == s {
                    None
                } else {
                    self.give_back(i, follow, s + 1, end)
                }
            }
            Item::Shortest(of, follow) => self.shortest(i, of, follow, s)?,
        })
    }

    /// Where the run of bytes of a set that begins at `s` ends.
    #[inline(always)]
    fn run(&mut self, set: u8, s: usize) -> Result<usize, Exceeded> {
        let set = self.prepared.set(set);
        let rest = &self.subject[s..];
        let taken = rest.iter().position(|byte| !set.contains(*byte));
        let taken = taken.unwrap_or(rest.len());
        self.step(taken / LOOPED_PER_STEP)?;
        Ok(s + taken)
    }

    /// The last place from `low` to `high` where the rest of the pattern can begin; those before are kept.
    #[inline(always)]
    fn give_back(&mut self, i: usize, follow: Follow, low: usize, high: usize) -> Option<usize> {
        let at = match follow {
            Follow::Other | Follow::Nothing => return Some(high),
            Follow::Anything => high,
            Follow::Byte(byte) => {
                let last = (high + 1).min(self.subject.len());
                low + memrchr(byte, &self.subject[low..last])?
            }
        };
        if at > low {
            self.keep(i, at, low);
        }
        Some(at)
    }

    /// The first place from `s` on where the rest of the pattern can begin; those behind are kept.
    fn shortest(
        &mut self,
        i: usize,
        of: u8,
        follow: Follow,
        s: usize,
    ) -> Result<Option<usize>, Exceeded> {
        let at = match follow {
            Follow::Nothing => return Ok(Some(s)),
            Follow::Other => return self.run(of, s).map(Some),
            Follow::Anything => s,
            Follow::Byte(byte) => {
                let set = self.prepared.set(of);
                let rest = &self.subject[s..];
                let end = memchr(byte, rest).filter(|end| {
                    // All bytes before must be of the set.
                    set.0 == [u64::MAX; 4] || rest[..*end].iter().all(|byte| set.contains(*byte))
                });
                self.step(end.unwrap_or(rest.len()) / LOOPED_PER_STEP)?;
                let Some(end) = end else {
                    return Ok(None);
                };
                s + end
            }
        };
        self.keep(i, at, at);
        Ok(Some(at))
    }

    #[inline(always)]
    fn keep(&mut self, i: usize, at: usize, low: usize) {
        // Each item keeps one frame at most, and there are no more such items than frames.
        self.frames[self.depth] = Frame {
            item: i as u32,
            at: at as u32,
            low: low as u32,
        };
        self.depth += 1;
    }

    /// The next way to go on from what was kept: an item and a place.
    fn back_up(&mut self) -> Result<Option<(usize, usize)>, Exceeded> {
        while self.depth > 0 {
            self.step(1)?;
            self.depth -= 1;
            let Frame { item, at, low } = self.frames[self.depth];
            let (i, at, low) = (item as usize, at as usize, low as usize);
            let next = match self.prepared.items[i] {
                Item::Shortest(of, follow) => match self.subject.get(at) {
                    Some(byte) if self.prepared.set(of).contains(*byte) => {
                        self.shortest(i, of, follow, at + 1)?
                    }
                    _ => None,
                },
                Item::Optional(_, follow) | Item::Any(_, follow) | Item::Some(_, follow) => {
                    self.step((at - low) / LOOPED_PER_STEP / 8)?;
                    self.give_back(i, follow, low, at - 1)
                }
                _ => None,
            };
            if let Some(at) = next {
                return Ok(Some((i + 1, at)));
            }
        }
        Ok(None)
    }
}

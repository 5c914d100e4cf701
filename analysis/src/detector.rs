//! Detectors: they take one value after the other and say how strange each is, in bounded memory and with preserved state.
//!
//! Each gives a *score*: its statistic divided by its threshold, with the sign of the deviation, so that 1 is where an alert
//! begins whatever the detector. After an alert there is none for the refractory period.

mod cusum;
mod gap;
mod histogram;
mod likelihood;
pub mod lua;
mod mann_whitney;
mod rate;
mod ring;
mod robust;
mod seasonal;
mod shape;

pub use histogram::{HistogramChange, bhattacharyya, pearson};
pub use mann_whitney::{RankSum, rank_sum};

use crate::binding::take;

/// Nanoseconds of a second.
const SECOND: f64 = 1e9;

/// The longest window of values that a detector may keep.
pub const WINDOW_MAX: f64 = 4096.0;

/// Larger values could not be squared and summed.
const VALUE_MAX: f64 = 1e100;

/// The most detectors that one consensus may have.
pub const MEMBERS_MAX: usize = 16;

/// A parameter of a kind of detectors.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// Its value when nothing is said.
    pub default: f64,
    /// The smallest value allowed.
    pub min: f64,
    /// The largest value allowed.
    pub max: f64,
    /// Whether it has to be a whole number.
    pub whole: bool,
}

impl Param {
    const fn whole(name: &'static str, default: f64, min: f64, max: f64) -> Param {
        Param {
            name,
            default,
            min,
            max,
            whole: true,
        }
    }

    const fn real(name: &'static str, default: f64, min: f64, max: f64) -> Param {
        Param {
            whole: false,
            ..Param::whole(name, default, min, max)
        }
    }

    /// Whether the parameter may have this value.
    pub fn allows(&self, value: f64) -> bool {
        (self.min..=self.max).contains(&value) && (!self.whole || value.fract() == 0.0)
    }
}

/// What every detector has: seconds without another alert, and the direction that counts (1 up, -1 down, 0 both).
const COMMON: [Param; 2] = [
    Param::real("refractory", 3600.0, 0.0, 1e9),
    Param::whole("direction", 0.0, -1.0, 1.0),
];

/// A statistic over a series.
pub(crate) trait Algorithm: Send {
    /// Takes a finite value and gives its score, positive for upwards; 0 while too little is known.
    fn add(&mut self, ns: i64, value: f64) -> f64;

    /// Between which values the newest one was normal, the least and the greatest, where the statistic can say so.
    fn bounds(&self) -> Option<[f64; 2]> {
        None
    }

    /// Forgets all values.
    fn clear(&mut self);

    /// Bytes it holds outside of itself.
    fn memory(&self) -> usize;

    /// Steps of work that one value may take, about as many as numbers looked at.
    fn cost(&self) -> usize;

    /// Writes what it knows, without its parameters.
    fn write(&self, out: &mut Writer<'_>);

    /// Takes over what was written by one with the same parameters; `None` when it is something else.
    fn read(&mut self, from: &mut Reader<'_>) -> Option<()>;
}

/// A kind of detectors.
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// What it can be told beside `refractory` and `direction`.
    pub params: &'static [Param],
    make: fn(&[f64]) -> Box<dyn Algorithm>,
    /// What is wrong with parameters that are allowed one by one.
    check: fn(&[f64]) -> Option<&'static str>,
}

impl Kind {
    /// The kind of this name; `consensus` is none of them.
    pub fn find(name: &[u8]) -> Option<&'static Kind> {
        KINDS.iter().find(|kind| kind.name.as_bytes() == name)
    }

    /// All parameters, those that every detector has at the end.
    pub fn all_params(&self) -> impl Iterator<Item = &'static Param> + use<> {
        self.params.iter().chain(&COMMON)
    }

    fn number(&'static self) -> u8 {
        let place = KINDS.iter().position(|kind| std::ptr::eq(kind, self));
        place.expect("every kind is in the list") as u8
    }
}

const fn anything(_: &[f64]) -> Option<&'static str> {
    None
}

/// All kinds; their places are part of preserved states, so new ones come last.
pub static KINDS: [Kind; 8] = [
    Kind {
        name: "rate",
        params: rate::PARAMS,
        make: |p| Box::new(rate::Rate::new(p)),
        check: anything,
    },
    Kind {
        name: "mann_whitney",
        params: mann_whitney::PARAMS,
        make: |p| Box::new(mann_whitney::MannWhitney::new(p)),
        check: mann_whitney::check,
    },
    Kind {
        name: "shape",
        params: shape::PARAMS,
        make: |p| Box::new(shape::Shape::new(p)),
        check: shape::check,
    },
    Kind {
        name: "gap",
        params: gap::PARAMS,
        make: |p| Box::new(gap::Gap::new(p)),
        check: anything,
    },
    Kind {
        name: "robust",
        params: robust::PARAMS,
        make: |p| Box::new(robust::Robust::new(p)),
        check: anything,
    },
    Kind {
        name: "seasonal",
        params: seasonal::PARAMS,
        make: |p| Box::new(seasonal::Seasonal::new(p)),
        check: seasonal::check,
    },
    Kind {
        name: "cusum",
        params: cusum::PARAMS,
        make: |p| Box::new(cusum::Cusum::new(p)),
        check: anything,
    },
    Kind {
        name: "likelihood",
        params: likelihood::PARAMS,
        make: |p| Box::new(likelihood::Likelihood::new(p)),
        check: likelihood::check,
    },
];

/// What a detector says of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// How strange it is; 1 is the threshold.
    pub score: f64,
    /// Whether it is the begin of an alert.
    pub alert: bool,
}

/// One statistic with its parameters and its refractory period.
struct Single {
    kind: &'static Kind,
    params: Vec<f64>,
    algorithm: Box<dyn Algorithm>,
}

impl Single {
    fn new(kind: &'static Kind, params: Vec<f64>) -> Single {
        let algorithm = (kind.make)(&params);
        Single {
            kind,
            params,
            algorithm,
        }
    }

    fn common(&self, i: usize) -> f64 {
        self.params[self.kind.params.len() + i]
    }

    fn score(&mut self, ns: i64, value: f64) -> f64 {
        let score = self.algorithm.add(ns, value);
        let direction = self.common(1);
        match direction {
            0.0 => score.abs(),
            _ => (score * direction).max(0.0),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.kind.number());
        let mut writer = Writer(out);
        self.params.iter().for_each(|&param| writer.number(param));
        self.algorithm.write(&mut writer);
    }

    fn read(from: &mut Reader<'_>) -> Option<Single> {
        let kind = KINDS.get(usize::from(from.byte()?))?;
        let mut params = Vec::new();
        for param in kind.all_params() {
            let value = from.number()?;
            if !param.allows(value) {
                return None;
            }
            params.push(value);
        }
        if (kind.check)(&params).is_some() {
            return None;
        }
        let mut single = Single::new(kind, params);
        single.algorithm.read(from)?;
        Some(single)
    }
}

/// One member of a detector, and when it was last beyond its threshold.
struct Member {
    single: Single,
    /// `i64::MIN` for never.
    last_ns: i64,
}

/// A detector: one statistic, or several that have to agree.
///
/// A consensus gives the score that `need` of its members reached within the last `within` seconds.
pub struct Detector {
    members: Vec<Member>,
    need: usize,
    within_ns: i64,
    refractory_ns: i64,
    /// The newest scores of the members.
    scores: Vec<f64>,
    /// `i64::MIN` for never.
    last_alert_ns: i64,
}

/// Written in front of every state, so that what is something else is known.
const VERSION: u8 = 1;

impl std::fmt::Debug for Detector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.scores()).finish()
    }
}

impl Detector {
    /// A detector of one kind.
    ///
    /// # Errors
    /// What is wrong with the parameters, which must be as many as [`Kind::all_params`] gives.
    pub fn new(kind: &'static Kind, params: Vec<f64>) -> Result<Detector, String> {
        for (param, &value) in kind.all_params().zip(&params) {
            if !param.allows(value) {
                let whole = if param.whole { "a whole number" } else { "" };
                let Param { name, min, max, .. } = param;
                return Err(
                    format!("{name} must be {whole} from {min} to {max}").replace("  ", " ")
                );
            }
        }
        if let Some(text) = (kind.check)(&params) {
            return Err(text.to_owned());
        }
        let single = Single::new(kind, params);
        let refractory_ns = (single.common(0) * SECOND) as i64;
        Ok(Detector {
            members: vec![Member {
                single,
                last_ns: i64::MIN,
            }],
            need: 1,
            within_ns: 0,
            refractory_ns,
            scores: vec![0.0],
            last_alert_ns: i64::MIN,
        })
    }

    /// A consensus of detectors with one statistic each: an alert needs `need` of them within `within` seconds.
    ///
    /// # Errors
    /// What is wrong.
    pub fn consensus(
        detectors: Vec<Detector>,
        need: usize,
        within: f64,
        refractory: f64,
    ) -> Result<Detector, String> {
        if detectors.is_empty() || detectors.len() > MEMBERS_MAX {
            return Err(format!("1 to {MEMBERS_MAX} detectors expected"));
        }
        if !(1..=detectors.len()).contains(&need) {
            return Err("need must be from 1 to the number of detectors".to_owned());
        }
        if !(0.0..=1e9).contains(&within) || !(0.0..=1e9).contains(&refractory) {
            return Err("within and refractory must be from 0 to 1e9".to_owned());
        }
        let mut members = Vec::new();
        for detector in detectors {
            if detector.members.len() != 1 {
                return Err("a consensus cannot have another as its member".to_owned());
            }
            members.extend(detector.members);
        }
        Ok(Detector {
            scores: vec![0.0; members.len()],
            members,
            need,
            within_ns: (within * SECOND) as i64,
            refractory_ns: (refractory * SECOND) as i64,
            last_alert_ns: i64::MIN,
        })
    }

    /// Takes the value of a time in nanoseconds. Infinite values and NaN are passed over; what is beyond 1e100 counts as
    /// that.
    pub fn add(&mut self, ns: i64, value: f64) -> Verdict {
        if !value.is_finite() {
            return Verdict {
                score: 0.0,
                alert: false,
            };
        }
        let value = value.clamp(-VALUE_MAX, VALUE_MAX);
        let mut n_beyond = 0;
        let mut new = false;
        for (member, score) in self.members.iter_mut().zip(&mut self.scores) {
            *score = member.single.score(ns, value);
            if *score >= 1.0 {
                member.last_ns = ns;
                new = true;
            }
            let recent =
                member.last_ns != i64::MIN && ns.saturating_sub(member.last_ns) <= self.within_ns;
            n_beyond += usize::from(recent);
        }
        let mut sorted = self.scores.clone();
        sorted.sort_by(|a, b| b.total_cmp(a));
        let score = sorted[self.need - 1];
        let rested = self.last_alert_ns == i64::MIN
            || ns.saturating_sub(self.last_alert_ns) >= self.refractory_ns;
        let alert = new && n_beyond >= self.need && rested;
        if alert {
            self.last_alert_ns = ns;
        }
        Verdict { score, alert }
    }

    /// The names of the members and their scores of the newest value.
    pub fn scores(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let names = self.members.iter().map(|member| member.single.kind.name);
        names.zip(self.scores.iter().copied())
    }

    /// Between which values the newest one was normal, the least and the greatest, whatever direction counts; of a
    /// consensus, what its first member says that can. `None` while too little is known.
    pub fn bounds(&self) -> Option<[f64; 2]> {
        let members = self.members.iter();
        let mut known = members.filter_map(|member| member.single.algorithm.bounds());
        known.find(|bounds| bounds.iter().all(|bound| bound.is_finite()))
    }

    /// Forgets all values and the last alert.
    pub fn clear(&mut self) {
        self.last_alert_ns = i64::MIN;
        self.scores.fill(0.0);
        for member in &mut self.members {
            member.last_ns = i64::MIN;
            member.single.algorithm.clear();
        }
    }

    /// Bytes it holds.
    pub fn memory(&self) -> usize {
        let of = |member: &Member| {
            size_of::<Member>() + 8 * member.single.params.len() + member.single.algorithm.memory()
        };
        self.members.iter().map(of).sum()
    }

    /// Steps of work that one value may take.
    pub fn cost(&self) -> usize {
        let costs = self.members.iter().map(|m| m.single.algorithm.cost());
        costs.sum::<usize>() + 1
    }

    /// Appends all of it, parameters too.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[VERSION, self.members.len() as u8, self.need as u8]);
        let mut writer = Writer(out);
        for ns in [self.within_ns, self.refractory_ns, self.last_alert_ns] {
            writer.time(ns);
        }
        for (member, &score) in self.members.iter().zip(&self.scores) {
            let mut writer = Writer(out);
            writer.time(member.last_ns);
            writer.number(score);
            member.single.write(out);
        }
    }

    /// Reads what was written; `None` when it is something else.
    pub fn read(bytes: &[u8]) -> Option<Detector> {
        let mut from = Reader(bytes);
        let [version, n, need] = [from.byte()?, from.byte()?, from.byte()?];
        let (n, need) = (usize::from(n), usize::from(need));
        if version != VERSION || !(1..=MEMBERS_MAX).contains(&n) || !(1..=n).contains(&need) {
            return None;
        }
        let [within_ns, refractory_ns, last_alert_ns] = [from.time()?, from.time()?, from.time()?];
        let (mut members, mut scores) = (Vec::new(), Vec::new());
        for _ in 0..n {
            let last_ns = from.time()?;
            scores.push(from.number()?);
            let single = Single::read(&mut from)?;
            members.push(Member { single, last_ns });
        }
        let right = from.0.is_empty() && within_ns >= 0 && refractory_ns >= 0;
        right.then_some(Detector {
            members,
            need,
            within_ns,
            refractory_ns,
            scores,
            last_alert_ns,
        })
    }
}

/// Writes numbers exactly.
pub(crate) struct Writer<'a>(&'a mut Vec<u8>);

impl Writer<'_> {
    pub(crate) fn number(&mut self, number: f64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(crate) fn time(&mut self, ns: i64) {
        self.0.extend_from_slice(&ns.to_le_bytes());
    }

    /// How many there are, then they.
    pub(crate) fn numbers(&mut self, numbers: impl ExactSizeIterator<Item = f64>) {
        self.time(numbers.len() as i64);
        numbers.for_each(|number| self.number(number));
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

/// Reads what a [`Writer`] wrote; `None` at the end.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        take::<1>(&mut self.0).map(|[byte]| byte)
    }

    pub(crate) fn number(&mut self) -> Option<f64> {
        take(&mut self.0).map(f64::from_le_bytes)
    }

    pub(crate) fn time(&mut self) -> Option<i64> {
        take(&mut self.0).map(i64::from_le_bytes)
    }

    /// A finite number.
    pub(crate) fn finite(&mut self) -> Option<f64> {
        self.number().filter(|number| number.is_finite())
    }

    /// A whole number up to `max`.
    pub(crate) fn count(&mut self, max: usize) -> Option<usize> {
        let count = usize::try_from(self.time()?).ok()?;
        (count <= max).then_some(count)
    }

    /// At most `max` finite numbers.
    pub(crate) fn numbers(&mut self, max: usize) -> Option<Vec<f64>> {
        let n = self.count(max)?;
        (0..n).map(|_| self.finite()).collect()
    }

    pub(crate) fn bytes(&mut self, n: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(first)
    }
}

#[cfg(test)]
mod tests;

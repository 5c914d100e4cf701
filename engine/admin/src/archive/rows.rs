//! Rows of graphs on their way to the disk and back: complete ones, made longer where they are short, joined.

use std::collections::HashMap;

use crate::cbuf::{Annotation, CELLS_MAX, COLUMNS_MAX, Column, Graph};

use super::DAY_S;

/// Shorter rows are put together until they are so long, seconds.
pub const ROW_MIN_S: i64 = 60;

/// The length of the rows in which a graph is kept, seconds: that of its own, or the least multiple that is long enough.
pub fn kept_step(seconds_per_row: i64) -> i64 {
    match seconds_per_row {
        step if step >= ROW_MIN_S => step,
        step => step * ((ROW_MIN_S + step - 1) / step),
    }
}

/// The rows that are over, without the newest one, which still changes. A row made of several has the mean of their values,
/// so that it compares with them; of columns with the least and the greatest that one.
pub fn complete(graph: &Graph) -> Graph {
    let (step, width) = (graph.seconds_per_row, graph.columns.len());
    let long = kept_step(step);
    let size = (long / step) as usize;
    // Long rows begin at multiples of their length, whatever the buffer begins with.
    let skipped = match size {
        1 => 0,
        _ => (graph.time.rem_euclid(long) + step - 1) / step,
    };
    let skipped = (size - skipped as usize % size) % size;
    let over = graph.rows.saturating_sub(1);
    let cells = graph.cells.get(skipped * width..over * width);
    let groups = cells
        .unwrap_or_default()
        .chunks_exact((size * width).max(1));
    let rows = groups.len();
    let cells = groups.flat_map(|group| {
        let column = move |at: usize| group.iter().skip(at).step_by(width).copied();
        graph
            .columns
            .iter()
            .enumerate()
            .map(move |(at, one)| together(&one.aggregation, column(at)))
    });
    Graph {
        time: graph.time + skipped as i64 * step,
        seconds_per_row: long,
        rows,
        columns: graph.columns.clone(),
        cells: cells.collect(),
        annotations: graph.annotations.clone(),
    }
}

fn together(aggregation: &str, values: impl Iterator<Item = f64>) -> f64 {
    let known = values.filter(|value| !value.is_nan());
    match aggregation {
        "min" => known.fold(f64::NAN, f64::min),
        "max" => known.fold(f64::NAN, f64::max),
        _ => {
            let (sum, n) = known.fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
            sum / n
        }
    }
}

/// The rows of each day that has a number or a mark.
pub fn by_day(graph: &Graph) -> impl Iterator<Item = Graph> {
    let end = graph.time + graph.rows as i64 * graph.seconds_per_row;
    let days = graph.time.div_euclid(DAY_S)..=(end - 1).div_euclid(DAY_S);
    let parts = days.map(|day| between(graph, day * DAY_S, (day + 1) * DAY_S));
    parts.filter(|part| {
        part.rows > 0 && (!part.annotations.is_empty() || part.cells.iter().any(|c| !c.is_nan()))
    })
}

/// The rows that begin from `from` until before `until`, and the marks of that time.
pub fn between(graph: &Graph, from: i64, until: i64) -> Graph {
    let (step, width) = (graph.seconds_per_row.max(1), graph.columns.len());
    let row_at = |time: i64| {
        let before = time.saturating_sub(graph.time).max(0);
        usize::try_from((before + step - 1) / step).map_or(graph.rows, |row| row.min(graph.rows))
    };
    let (first, end) = (row_at(from), row_at(until).max(row_at(from)));
    let marks = graph.annotations.iter();
    let in_time = |mark: &&Annotation| (from..until).contains(&mark.x.div_euclid(1000));
    Graph {
        time: graph.time + first as i64 * step,
        seconds_per_row: graph.seconds_per_row,
        rows: end - first,
        columns: graph.columns.clone(),
        annotations: marks.filter(in_time).cloned().collect(),
        cells: graph.cells[first * width..end * width].to_vec(),
    }
}

/// `now` with what only `before` has: rows, columns (known by their names), marks, and numbers where `now` has none. As `now`
/// is when the rows do not fit together or would be too many.
pub fn merged(before: &Graph, now: Graph) -> Graph {
    let step = now.seconds_per_row;
    let begin = before.time.min(now.time);
    let end_of = |graph: &Graph| graph.time + graph.rows as i64 * step;
    let rows = (end_of(before).max(end_of(&now)) - begin) / step;
    let (columns, places) = columns(before, &now);
    let width = columns.len();
    let fits = before.seconds_per_row == step && (before.time - now.time) % step == 0;
    if !fits || rows.saturating_mul(width as i64) > CELLS_MAX as i64 {
        return now;
    }
    let mut all = Graph {
        time: begin,
        seconds_per_row: step,
        rows: rows as usize,
        cells: vec![f64::NAN; rows as usize * width],
        annotations: marks(before, &now, &places),
        columns,
    };
    let same: Vec<Option<usize>> = (0..now.columns.len()).map(Some).collect();
    put(&mut all, before, &places);
    put(&mut all, &now, &same);
    all
}

/// Puts the numbers of `part` into `all`, each column in its place.
fn put(all: &mut Graph, part: &Graph, places: &[Option<usize>]) {
    let first = ((part.time - all.time) / all.seconds_per_row) as usize;
    let width = all.columns.len();
    for (row, cells) in part.cells.chunks(part.columns.len().max(1)).enumerate() {
        let into = &mut all.cells[(first + row) * width..][..width];
        for (cell, place) in cells.iter().zip(places) {
            if let Some(place) = place
                && !cell.is_nan()
            {
                into[*place] = *cell;
            }
        }
    }
}

/// All columns, those of `now` first, and the place of each of `before` among them. Of those only `before` has the ones
/// without a number are left out: they had no name yet.
fn columns(before: &Graph, now: &Graph) -> (Vec<Column>, Vec<Option<usize>>) {
    let mut all = now.columns.clone();
    let mut places: HashMap<(&str, usize), usize> = HashMap::new();
    for (at, name) in numbered(&now.columns).enumerate() {
        places.insert(name, at);
    }
    let width = before.columns.len();
    let place = |(at, name): (usize, (&str, usize))| {
        if let Some(place) = places.get(&name) {
            return Some(*place);
        }
        let mut cells = before.cells.iter().skip(at).step_by(width.max(1));
        if all.len() >= COLUMNS_MAX || cells.all(|cell| cell.is_nan()) {
            return None;
        }
        all.push(before.columns[at].clone());
        Some(all.len() - 1)
    };
    let of_before = numbered(&before.columns).enumerate().map(place).collect();
    (all, of_before)
}

/// The names of columns; of equal ones each with its number.
fn numbered(columns: &[Column]) -> impl Iterator<Item = (&str, usize)> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    columns.iter().map(move |column| {
        let n = seen.entry(&column.name).or_default();
        *n += 1;
        (column.name.as_str(), *n)
    })
}

fn marks(before: &Graph, now: &Graph, places: &[Option<usize>]) -> Vec<Annotation> {
    let moved = before.annotations.iter().filter_map(|mark| {
        let place = places.get(mark.col - 1).copied().flatten()?;
        Some(Annotation {
            col: place + 1,
            ..mark.clone()
        })
    });
    let mut all: Vec<Annotation> = moved.chain(now.annotations.iter().cloned()).collect();
    all.sort_by(|a, b| (a.x, a.col, &a.text).cmp(&(b.x, b.col, &b.text)));
    all.dedup();
    let more = all.len().saturating_sub(crate::cbuf::ANNOTATIONS_MAX);
    all.split_off(more)
}

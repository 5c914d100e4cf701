//! Fuzzes the reading of a spool's journal.

use output::spool::journal_again;

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "spool",
    about: "the journal of a spool",
    run,
    seeds,
    words: &[
        b"foresight spool 1\n",
        b"input ",
        b"analysis ",
        b"stamp ",
        b"done ",
        b"open ",
        b"\t",
        b"\n",
        b"\r",
        b" ",
        b"0",
        b"-1",
        b"18446744073709551615",
        b"18446744073709551616",
    ],
    n_smoke: 20_000,
};

/// What was understood and written again is understood, and does not change any more.
fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let Some(again) = journal_again(text) else {
        return;
    };
    assert_eq!(
        journal_again(&again).as_deref(),
        Some(&*again),
        "a journal changes when it is written"
    );
    // Every cut of it behind the first line is a journal, too: only whole lines count.
    for (cut, _) in again.match_indices('\n').take(16) {
        assert!(journal_again(&again[..=cut]).is_some(), "cut at {cut}");
    }
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "foresight spool 1\ninput 3 18446744073709551615\nanalysis 0 0\nstamp 1700000000 5\ndone 9 a+b c\ta+b c+1.done\nopen 7 -1 a b\ta b\n",
        "foresight spool 1\nstamp 0 0\n",
        "foresight spool 1\nopen 1 2 a\n",
        "foresight spool 1\nopen 1 2 a\tb\nopen 3",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

//! SAX words against a direct computation, and the tables everybody uses.

use analysis::sax::{Window, Word};
use proptest::prelude::*;

fn text(word: &Word) -> String {
    let mut out = Vec::new();
    word.write(&mut out);
    String::from_utf8(out).expect("letters")
}

fn word(text: &str, cardinality: u8) -> Word {
    Word::of_text(text.as_bytes(), cardinality).expect("letters of the alphabet")
}

/// The bounds of some alphabets as they are printed everywhere.
const BOUNDS: &[(u8, &[f64])] = &[
    (2, &[0.0]),
    (3, &[-0.43, 0.43]),
    (4, &[-0.674, 0.0, 0.674]),
    (5, &[-0.841, -0.253, 0.253, 0.841]),
    (6, &[-0.967, -0.43, 0.0, 0.43, 0.967]),
    (
        10,
        &[
            -1.281, -0.841, -0.524, -0.253, 0.0, 0.253, 0.524, 0.841, 1.281,
        ],
    ),
];

/// The word of a series, computed from the definition.
fn direct(values: &[f64], n_letters: usize, bounds: &[f64]) -> String {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let deviation = (values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / n)
        .sqrt();
    let letter = |frame: &[f64]| {
        let frame_mean = frame.iter().sum::<f64>() / frame.len() as f64;
        let normal = if deviation < 1e-2 {
            0.0
        } else {
            (frame_mean - mean) / deviation
        };
        let above = bounds
            .iter()
            .filter(|&&bound| normal >= f64::from(bound as f32))
            .count();
        char::from(b'A' + above as u8)
    };
    values
        .chunks(values.len() / n_letters)
        .map(letter)
        .collect()
}

proptest! {
    #[test]
    fn words_are_those_of_the_definition(values in proptest::collection::vec(-100.0..100.0, 24)) {
        for &(cardinality, bounds) in BOUNDS {
            for n_letters in [2, 3, 8, 24] {
                let word = Word::of_series(values.iter(), n_letters, cardinality);
                prop_assert_eq!(text(&word), direct(&values, n_letters, bounds));
            }
        }
    }

    #[test]
    fn windows_have_the_words_of_their_values(values in proptest::collection::vec(any::<f64>(), 1..60), at_once in any::<bool>()) {
        let mut window = Window::new(vec![f64::NAN; 12], 4, 7);
        match at_once {
            true => window.add(&values),
            false => values.iter().for_each(|&value| window.add(&[value])),
        }
        let mut last = vec![f64::NAN; 12];
        last.extend(&values);
        let last = &last[last.len() - 12..];
        prop_assert_eq!(window.word(), &Word::of_series(last.iter(), 4, 7));
        let found: Vec<u64> = window.values().map(f64::to_bits).collect();
        prop_assert_eq!(found, last.iter().map(|value| value.to_bits()).collect::<Vec<u64>>());
    }

    #[test]
    fn distances_are_lower_bounds(a in proptest::collection::vec(-10.0..10.0, 12), b in proptest::collection::vec(-10.0..10.0, 12)) {
        let normal = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / 12.0;
            let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 12.0).sqrt();
            values.iter().map(|value| (value - mean) / deviation).collect::<Vec<f64>>()
        };
        let exact = normal(&a).iter().zip(normal(&b)).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        for cardinality in 2..=16 {
            let of = |values: &[f64]| Word::of_series(values.iter(), 4, cardinality);
            let (there, back) = (of(&a).distance(&of(&b)), of(&b).distance(&of(&a)));
            let (there, back) = (there.expect("alike"), back.expect("alike"));
            prop_assert!(there.total <= exact + 1e-2, "{} {}", there.total, exact);
            prop_assert_eq!(there.total, back.total);
            prop_assert_eq!((there.above, there.below), (back.below, back.above));
        }
    }

    #[test]
    fn any_text_is_a_word_or_refused(letters in proptest::collection::vec(any::<u8>(), 0..20), cardinality in any::<u8>()) {
        if let Some(word) = Word::of_text(&letters, cardinality) {
            prop_assert_eq!(text(&word).into_bytes(), letters);
            prop_assert_eq!(word.distance(&word).map(|distance| distance.total), Some(0.0));
        }
    }
}

#[test]
fn distances_of_letters_are_those_of_the_tables() {
    // One frame per letter, so a distance is that of the letters.
    for (cardinality, a, b, expected) in [
        (3, "AA", "CA", 0.861),
        (4, "AA", "DA", 1.349),
        (5, "AA", "CA", 0.588),
        (8, "AA", "HA", 2.301),
        (10, "BA", "JA", 2.123),
        (13, "AA", "JA", 1.928),
        (16, "AA", "PA", 3.068),
        (16, "DA", "NA", 1.562),
        (9, "AA", "BA", 0.0),
    ] {
        let distance = word(a, cardinality)
            .distance(&word(b, cardinality))
            .expect("alike");
        assert_eq!(
            distance.total,
            f64::from(expected as f32),
            "{a} {b} of {cardinality}"
        );
    }
}

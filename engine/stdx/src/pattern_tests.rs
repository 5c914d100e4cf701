//! Patterns against a table of Lua 5.1's answers, against a plain recursive matcher, and against bombs.

use super::*;
use proptest::prelude::*;

/// What `find_at` answers, as text: the whole match, then the captures, separated by `|`.
fn find(subject: &[u8], pattern: &[u8], init: usize) -> String {
    let mut budget = Steps(1_000_000);
    let found = find_at(subject, pattern, init, &mut budget);
    if let Some(prepared) = Prepared::new(pattern) {
        assert_same(&prepared, subject, pattern, init, &found);
    }
    match found {
        Ok(None) => "nil".to_owned(),
        Err(error) => error.to_string(),
        Ok(Some(found)) => {
            let mut parts = vec![format!("{},{}", found.start + 1, found.end)];
            parts.extend((0..found.len()).map(|i| match found.get(i) {
                Some(Capture::Span(from, to)) => {
                    String::from_utf8_lossy(&subject[from..to]).into_owned()
                }
                Some(Capture::Position(at)) => format!("@{}", at + 1),
                None => unreachable!("a capture below len"),
            }));
            assert_eq!(found.get(found.len()), None);
            assert_eq!(found.is_empty(), parts.len() == 1);
            parts.join("|")
        }
    }
}

/// A prepared pattern gives the same answer, unless one of the two has used up its budget.
fn assert_same(
    prepared: &Prepared,
    subject: &[u8],
    pattern: &[u8],
    init: usize,
    found: &Result<Option<Captures>, PatternError>,
) {
    let mut captures = Captures::default();
    let again = prepared.find(subject, init, &mut Steps(1_000_000), &mut captures);
    let (Ok(found), Ok(again)) = (found, again) else {
        return;
    };
    let all = |captures: &Captures| {
        let parts: Vec<_> = (0..captures.len()).map(|i| captures.get(i)).collect();
        (captures.start, captures.end, parts)
    };
    let again = again.then(|| all(&captures));
    let what = (subject.escape_ascii(), pattern.escape_ascii());
    assert_eq!(found.as_ref().map(all), again, "{} {}", what.0, what.1);
}

/// Subject, pattern, and what Lua's `string.find` answers, counted from 1.
const CASES: &[(&str, &str, &str)] = &[
    // Plain characters and anchors.
    ("hello world", "wor", "7,9"),
    ("hello world", "word", "nil"),
    ("hello", "", "1,0"),
    ("", "", "1,0"),
    ("", "a", "nil"),
    ("", ".", "nil"),
    ("", ".*", "1,0"),
    ("", "^$", "1,0"),
    ("hello", "^h", "1,1"),
    ("hello", "^e", "nil"),
    ("hello", "o$", "5,5"),
    ("hello", "l$", "nil"),
    ("hello", "$", "6,5"),
    ("a$b", "a$b", "1,3"),
    ("a^b", "a^b", "1,3"),
    ("a^b", "[^^]b", "nil"),
    ("a$", "%$$", "2,2"),
    ("^a", "^^a", "1,2"),
    // Classes.
    ("ab12", "%a+", "1,2"),
    ("ab12", "%d+", "3,4"),
    ("ab12", "%A", "3,3"),
    ("x\ty", "%c", "2,2"),
    ("x\ty", "%s", "2,2"),
    ("\u{b}", "%s", "1,1"),
    ("aB", "%u", "2,2"),
    ("Ab", "%l", "2,2"),
    ("AB", "%l", "nil"),
    ("a_b", "%p", "2,2"),
    ("a_b", "%W", "2,2"),
    ("ghf", "%x", "3,3"),
    ("a\0b", "%z", "2,2"),
    ("a\0b", "%Z+", "1,1"),
    ("a\0b", "[%z]b", "2,3"),
    ("abc", "%g", "nil"),
    ("fig", "%g", "3,3"),
    ("x.y", "%.", "2,2"),
    ("a%b", "%%", "2,2"),
    ("é", "%a", "nil"),
    ("é", "%A+", "1,2"),
    // Sets.
    ("abc", "[bc]+", "2,3"),
    ("abc", "[^ab]", "3,3"),
    ("a-c", "[a-]+", "1,2"),
    ("-", "[-a]", "1,1"),
    ("abcz", "[a-c]+", "1,3"),
    ("b", "[c-a]", "nil"),
    ("a]b", "[]]", "2,2"),
    ("a]b", "[^]]+", "1,1"),
    ("a]b", "[%]]", "2,2"),
    ("a^b", "[b^]", "2,2"),
    ("foo_bar9!", "[%w_]+", "1,8"),
    ("a-z", "[%a-z]+", "1,3"),
    ("x]", "[+-%%]", "2,2"),
    ("x.", "[.]", "2,2"),
    ("0x1F", "[%x]+", "1,1"),
    // Repetition.
    ("aaab", "a*", "1,3"),
    ("baaa", "a*", "1,0"),
    ("baaa", "a+", "2,4"),
    ("aaab", "a-b", "1,4"),
    ("aaa", "a-", "1,0"),
    ("aaa", "a-$", "1,3"),
    ("ab", "a?b", "1,2"),
    ("b", "a?b", "1,1"),
    ("aab", "a?b", "2,3"),
    ("color colour", "colou?r$", "7,12"),
    ("<a><b>", "<.*>", "1,6"),
    ("<a><b>", "<.->", "1,3"),
    ("a,b,,c", ",,", "4,5"),
    ("key=value", "=.*", "4,9"),
    ("aXbXc", "^(.*)X", "1,4|aXb"),
    ("aXbXc", "^(.-)X", "1,2|a"),
    ("abcabd", ".*abd", "1,6"),
    ("abcabd", ".-abd", "1,6"),
    ("aaa", "a?a?a?a?a", "1,3"),
    ("*a", "*a", "1,2"),
    ("a**", "a**", "1,2"),
    ("a+", "%a+%+", "1,2"),
    ("x--y", "%-+", "2,3"),
    // Captures.
    ("hello", "(l)(l)", "3,4|l|l"),
    ("hello", "()ll()", "3,4|@3|@5"),
    ("hello", "(h(e)l)", "1,3|hel|e"),
    ("hello", "h()", "1,1|@2"),
    ("2024-01-02", "(%d+)-(%d+)-(%d+)", "1,10|2024|01|02"),
    ("k = v", "^(%w+)%s*=%s*(%w+)$", "1,5|k|v"),
    ("  trim  ", "^%s*(.-)%s*$", "1,8|trim"),
    ("abc", "(a*(.)%w(%s*))", "1,3|abc|b|"),
    ("", "()", "1,0|@1"),
    ("ab", "(a?)(b?)(c?)", "1,2|a|b|"),
    ("xx=yy", "(x*)=(%1)", "3,3||"),
    ("xx=xx", "(x*)=(%1)", "1,5|xx|xx"),
    ("say \"hi\" 'x'", "([\"'])(.-)%1", "5,8|\"|hi"),
    ("abab", "(ab)%1", "1,4|ab"),
    ("aa", "()%1", "nil"),
    ("aba", "(.)(.)%1", "1,3|a|b"),
    ("(x)", "%((.)%)", "1,3|x"),
    // Balance and frontier.
    ("f(a(b)c)d", "%b()", "2,8"),
    ("f(a(b)c", "%b()", "4,6"),
    ("x))", "%b()", "nil"),
    ("axxb", "%bxx", "2,3"),
    ("if (x) then", "%b() then", "4,11"),
    ("THE (quick) fox", "%f[%a]%a+%f[%A]", "1,3"),
    ("THE (quick) fox", "%f[%l]%l+", "6,10"),
    ("fox", "%f[%z]", "4,3"),
    ("fox", "fox%f[%A]", "1,3"),
    ("foxy fox", "fox%f[%A]", "6,8"),
    ("", "%f[%z]", "nil"),
    ("aaa", "%f[a]a", "1,1"),
    // What a pattern ends with: a zero byte.
    ("ab", "a\0[", "1,1"),
    ("ab", "\0", "1,0"),
    // Malformed, and Lua's words for it.
    ("a", "%", "malformed pattern (ends with '%')"),
    ("a", "a%", "malformed pattern (ends with '%')"),
    ("a", "[a", "malformed pattern (missing ']')"),
    ("a", "[]", "malformed pattern (missing ']')"),
    ("a", "[^]", "malformed pattern (missing ']')"),
    ("a", "[a%]", "malformed pattern (missing ']')"),
    ("a", "[a%", "malformed pattern (missing ']')"),
    ("a", "[", "malformed pattern (missing ']')"),
    ("a", "[^", "malformed pattern (missing ']')"),
    ("a", "%f", "missing '[' after '%f' in pattern"),
    ("a", "%fa", "missing '[' after '%f' in pattern"),
    ("a", "%f[a", "malformed pattern (missing ']')"),
    ("a", "%b", "unbalanced pattern"),
    ("a", "%ba", "unbalanced pattern"),
    ("a", "(a", "unfinished capture"),
    ("a", "a)", "invalid pattern capture"),
    ("a", "()a)", "invalid pattern capture"),
    ("a", "%1", "invalid capture index"),
    ("a", "%0", "invalid capture index"),
    ("a", "(a)%2", "invalid capture index"),
    ("a", "(a%1)", "invalid capture index"),
    // Malformed behind a place that matching does not reach.
    ("a", "b[", "nil"),
    ("a", "b%", "nil"),
    ("a", "(b", "nil"),
];

#[test]
fn answers_as_lua_does() {
    for (subject, pattern, expected) in CASES {
        let found = find(subject.as_bytes(), pattern.as_bytes(), 0);
        assert_eq!(&found, expected, "find({subject:?}, {pattern:?})");
    }
}

#[test]
fn starts_at_init() {
    assert_eq!(find(b"aXbX", b"X", 2), "4,4");
    assert_eq!(find(b"aXbX", b"^X", 1), "2,2");
    assert_eq!(find(b"aXbX", b"^X", 2), "nil");
    assert_eq!(find(b"abc", b"", 3), "4,3");
    assert_eq!(find(b"abc", b"", 4), "nil");
    assert_eq!(find(b"foo bar", b"%f[%w]%w+", 1), "5,7");
}

#[test]
fn gmatch_and_gsub_see_a_caret_as_a_character() {
    let mut budget = Steps(1000);
    let found = scan(b"a^b", b"^b", 0, &mut budget)
        .expect("well formed")
        .expect("a match");
    assert_eq!((found.start, found.end), (1, 3));
    let here = match_here(b"a^b", b"^b", 0, &mut budget).expect("well formed");
    assert!(here.is_none());
    assert!(
        match_here(b"ab", b"b", 1, &mut budget)
            .expect("well formed")
            .is_some()
    );
    assert!(
        match_here(b"ab", b"b", 3, &mut budget)
            .expect("well formed")
            .is_none()
    );
}

#[test]
fn high_bytes_are_bytes() {
    assert_eq!(find(b"\x80\xff", b"[\x80-\xff]+", 0), "1,2");
    assert_eq!(find(b"\xe9a", b"%w", 0), "2,2");
    assert_eq!(find(b"a\xff", b"\xff", 0), "2,2");
}

#[test]
fn thirty_two_captures_and_no_more() {
    let subject = b"a".repeat(40);
    let found = find(&subject, "(a)".repeat(32).as_bytes(), 0);
    assert_eq!(found.matches('|').count(), MAX_CAPTURES);
    assert_eq!(
        find(&subject, "(a)".repeat(33).as_bytes(), 0),
        "too many captures"
    );
    assert_eq!(
        find(&subject, "()".repeat(33).as_bytes(), 0),
        "too many captures"
    );
}

#[test]
fn long_patterns_need_no_stack_of_ours() {
    let many = MAX_DEPTH;
    assert_eq!(find(b"b", "a?".repeat(many).as_bytes(), 0), "1,0");
    let deep = find(&b"a".repeat(many + 1), "a?".repeat(many + 1).as_bytes(), 0);
    assert_eq!(deep, "pattern too complex");
    // Plain characters push nothing, however many there are.
    let long = b"a".repeat(100_000);
    assert_eq!(find(&long, &long, 0), "1,100000");
    let set = [b"[".as_slice(), &long, b"]+"].concat();
    assert_eq!(find(b"aaa", &set, 0), "1,3");
}

#[test]
fn bombs_end_with_the_budget() {
    let letters = b"a".repeat(5_000);
    let optional = ["a?".repeat(100), "a".repeat(100)].concat();
    let bombs: &[(&[u8], &[u8])] = &[
        (&letters, b".-.-.-x"),
        (&letters, b"a*a*a*a*b"),
        (&letters, b"(.-)(.-)(.-)%1%2x"),
        (&letters, b"^(a-)(a-)(a-)(a+)b$"),
        (&letters, b"[a-z]*[a-z]*[a-z]*[0-9]"),
        (&letters, b"a-a-a-a-%f[b]"),
        (&letters[..100], optional.as_bytes()),
        (&b"(".repeat(100_000), b"%b()"),
    ];
    for (subject, pattern) in bombs {
        let mut budget = Steps(1_000_000);
        let outcome = find_at(subject, pattern, 0, &mut budget);
        let pattern = String::from_utf8_lossy(pattern);
        assert!(
            matches!(outcome, Err(PatternError::Exceeded)),
            "{pattern}: {outcome:?}"
        );
    }
}

#[test]
fn steps_are_charged_while_matching_and_at_the_end() {
    struct Calls(Vec<u32>);
    impl Budget for Calls {
        fn charge(&mut self, steps: u32) -> Result<(), Exceeded> {
            self.0.push(steps);
            Ok(())
        }
    }
    let mut calls = Calls(Vec::new());
    let subject = b"ab".repeat(1000);
    assert!(
        find_at(&subject, b"abb", 0, &mut calls)
            .expect("well formed")
            .is_none()
    );
    assert!(calls.0.len() > 2, "asked in between");
    assert!(
        calls.0[..calls.0.len() - 1]
            .iter()
            .all(|steps| *steps >= BATCH)
    );
    assert!(calls.0.iter().all(|steps| *steps < 2 * BATCH));
}

#[test]
fn a_budget_of_nothing_still_ends() {
    let outcome = find_at(&b"a".repeat(1000), b"b*c", 0, &mut Steps(0));
    assert_eq!(outcome.map(|_| ()), Err(PatternError::Exceeded));
    let mut empty = Steps(3);
    assert_eq!(empty.charge(4), Err(Exceeded));
    assert_eq!(empty, Steps(0));
}

#[test]
fn leading_dot_star_is_tried_once() {
    // Quadratic where it is tried from each place.
    let subject = b"a".repeat(200_000);
    let mut budget = Steps(100_000);
    assert!(
        find_at(&subject, b".*x", 0, &mut budget)
            .expect("within budget")
            .is_none()
    );
    assert!(
        find_at(&subject, b".-x", 0, &mut budget)
            .expect("within budget")
            .is_none()
    );
}

#[test]
fn plain_text_is_searched_in_linear_time() {
    let subject = b"a".repeat(1_000_000);
    let text = [&b"a".repeat(500_000)[..], b"b"].concat();
    let mut budget = Steps(100_000);
    assert_eq!(find_plain(&subject, &text, 0, &mut budget), Ok(None));
    assert_eq!(find_plain(b"a.b.c", b".", 2, &mut budget), Ok(Some(3)));
    assert_eq!(find_plain(b"abc", b"", 3, &mut budget), Ok(Some(3)));
    assert_eq!(find_plain(b"abc", b"", 4, &mut budget), Ok(None));
    assert_eq!(find_plain(b"a\0b", b"\0b", 0, &mut budget), Ok(Some(1)));
    let spent = find_plain(&subject, b"b", 0, &mut Steps(10));
    assert_eq!(spent, Err(PatternError::Exceeded));
}

#[test]
fn plain_patterns_are_known() {
    assert!(is_plain(b"hello world)]"));
    assert!(is_plain(b""));
    for special in SPECIALS {
        assert!(!is_plain(&[b'a', *special]), "{special}");
    }
    assert!(is_plain(b"a\0."), "nothing counts behind a zero byte");
}

fn matches(subject: &str, pattern: &str) -> bool {
    let compiled = Compiled::new(pattern.as_bytes());
    compiled
        .is_match(subject.as_bytes(), &mut Steps(1_000_000))
        .expect("within budget")
}

#[test]
fn compiled_patterns_take_parentheses_literally() {
    assert!(matches("a(b)c", "(b)."));
    assert!(!matches("abc", "(b)."));
    assert!(matches("f(x)", "%b()"));
    assert!(matches("f(x)", "^f(x)$"));
    assert!(matches("a)", "[a-z])"));
    assert!(matches("1", "^%1$"));
    assert!(!matches("11", "^(1)%1$"));
    assert!(matches("((((", "(+$"));
}

#[test]
fn compiled_patterns_know_text_anchors_and_nonsense() {
    assert!(matches!(Compiled::new(b"plain (text)").plan, Plan::Text(_)));
    assert!(matches("some plain (text) here", "plain (text)"));
    assert!(matches("", ""));
    assert!(matches("x", "^"));
    assert!(matches("TEST", "^T"));
    assert!(!matches("xTEST", "^T"));
    assert!(matches("xTEST", "ST$"));
    for malformed in ["[a", "a%", "x%b(", "%fa", "a?[", "%f[a"] {
        let compiled = Compiled::new(malformed.as_bytes());
        assert!(compiled.error().is_some(), "{malformed}");
        assert_eq!(
            compiled.is_match(b"a[a%x%b(%fa", &mut Steps(100)),
            Ok(false)
        );
    }
    assert_eq!(Compiled::new(b"%f[a]b+").error(), None);
    let deep = Compiled::new("a?".repeat(MAX_DEPTH + 1).as_bytes());
    assert_eq!(deep.error(), Some(PatternError::TooComplex));
}

#[test]
fn compiled_text_ignores_specials() {
    let text = Compiled::text(b"a.b");
    assert_eq!(text.is_match(b"xa.bx", &mut Steps(100)), Ok(true));
    assert_eq!(text.is_match(b"xaxbx", &mut Steps(100)), Ok(false));
    assert_eq!(
        text.is_match(&[b'x'; 10_000], &mut Steps(3)),
        Err(PatternError::Exceeded)
    );
}

/// The language once more, as short as it can be said, for small inputs: recursive and slow.
mod plain {
    pub struct Lua<'a> {
        pub s: &'a [u8],
        pub p: &'a [u8],
        /// Start, and end unless still open.
        pub open: Vec<(usize, Option<usize>)>,
    }

    fn class(letter: u8, c: u8) -> bool {
        let is = match letter.to_ascii_lowercase() {
            b'a' => c.is_ascii_alphabetic(),
            b'd' => c.is_ascii_digit(),
            b's' => c.is_ascii_whitespace() || c == 11,
            b'w' => c.is_ascii_alphanumeric(),
            _ => return letter == c,
        };
        is != letter.is_ascii_uppercase()
    }

    /// Length of the item, or nothing if it is malformed.
    fn item_len(p: &[u8]) -> Option<usize> {
        match p[0] {
            b'%' => (p.len() > 1).then_some(2),
            b'[' => {
                let first = if p.get(1) == Some(&b'^') { 2 } else { 1 };
                p.iter()
                    .skip(first + 1)
                    .position(|c| *c == b']')
                    .map(|at| first + 2 + at)
            }
            _ => Some(1),
        }
    }

    fn single(item: &[u8], c: u8) -> bool {
        match item {
            [b'.'] => true,
            [b'%', letter] => class(*letter, c),
            [b'[', b'^', inner @ .., b']'] => !inner.contains(&c),
            [b'[', inner @ .., b']'] => inner.contains(&c),
            _ => item[0] == c,
        }
    }

    impl Lua<'_> {
        pub fn run(&mut self, s: usize, p: usize) -> Option<usize> {
            match self.p[p..] {
                [] => Some(s),
                [b'(', ..] => {
                    self.open.push((s, None));
                    self.run(s, p + 1).or_else(|| {
                        self.open.pop();
                        None
                    })
                }
                [b')', ..] => {
                    let which = self.open.iter().rposition(|(_, end)| end.is_none())?;
                    self.open[which].1 = Some(s);
                    self.run(s, p + 1).or_else(|| {
                        self.open[which].1 = None;
                        None
                    })
                }
                [b'$'] => (s == self.s.len()).then_some(s),
                _ => self.item(s, p),
            }
        }

        fn item(&mut self, s: usize, p: usize) -> Option<usize> {
            let end = p + item_len(&self.p[p..])?;
            let item = self.p[p..end].to_vec();
            let run = self.s[s..]
                .iter()
                .take_while(|c| single(&item, **c))
                .count();
            let counts: Vec<usize> = match self.p.get(end) {
                Some(b'*') => (0..=run).rev().collect(),
                Some(b'+') => (1..=run).rev().collect(),
                Some(b'-') => (0..=run).collect(),
                Some(b'?') => (0..=run.min(1)).rev().collect(),
                _ => return if run > 0 { self.run(s + 1, end) } else { None },
            };
            counts
                .into_iter()
                .find_map(|count| self.run(s + count, end + 1))
        }
    }
}

/// Patterns without what is malformed only when reached, made of pieces that meet often.
fn patterns() -> impl Strategy<Value = Vec<u8>> {
    let item = prop::sample::select(vec![
        "a", "b", "c", ".", "%a", "%d", "%W", "[ab]", "[^a]", "[^ab]", "%.", "$",
    ]);
    let quantified = (item, prop::sample::select(vec!["", "", "*", "+", "-", "?"]));
    let piece = quantified.prop_map(|(item, quantifier)| format!("{item}{quantifier}"));
    let group = prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat());
    let part = (group, any::<bool>())
        .prop_map(|(group, capture)| if capture { format!("({group})") } else { group });
    prop::collection::vec(part, 1..4).prop_map(|parts| parts.concat().into_bytes())
}

proptest! {
    #[test]
    fn same_as_the_plain_matcher(pattern in patterns(), subject in "[abc1.]{0,9}") {
        let subject = subject.as_bytes();
        let mut expected = None;
        for start in 0..=subject.len() {
            let mut lua = plain::Lua { s: subject, p: &pattern, open: Vec::new() };
            if let Some(end) = lua.run(start, 0) {
                expected = Some((start, end, lua.open));
                break;
            }
        }
        let found = find_at(subject, &pattern, 0, &mut Steps(10_000_000));
        if let Some(prepared) = Prepared::new(&pattern) {
            assert_same(&prepared, subject, &pattern, 0, &found);
        }
        let found = found.expect("well formed");
        match (&found, &expected) {
            (None, None) => {}
            (Some(found), Some((start, end, open))) => {
                prop_assert_eq!((found.start, found.end, found.len()), (*start, *end, open.len()));
                for (i, (from, to)) in open.iter().enumerate() {
                    let span = Capture::Span(*from, to.expect("closed"));
                    prop_assert_eq!(found.get(i), Some(span));
                }
            }
            _ => prop_assert!(false, "{found:?} is not {expected:?}"),
        }
    }

    #[test]
    fn any_bytes_end_without_panic(
        pattern in prop::collection::vec(any::<u8>(), 0..20),
        specials in "[\\^$.%()\\[\\]*+?abf1-]{0,20}",
        subject in prop::collection::vec(any::<u8>(), 0..40),
        init in 0..50usize,
    ) {
        for pattern in [&pattern, specials.as_bytes()] {
            let found = find_at(&subject, pattern, init, &mut Steps(10_000));
            if let Some(prepared) = Prepared::new(pattern) {
                assert_same(&prepared, &subject, pattern, init, &found);
            }
            if let Ok(Some(found)) = found {
                prop_assert!(init <= found.start && found.start <= found.end);
                prop_assert!(found.end <= subject.len());
            }
            let compiled = Compiled::new(pattern);
            let _ = compiled.is_match(&subject, &mut Steps(10_000));
            if compiled.error().is_some() {
                prop_assert_eq!(compiled.is_match(&subject, &mut Steps(0)), Ok(false));
            }
        }
    }
}

#[test]
fn what_looks_back_or_around_is_not_prepared() {
    for pattern in ["%b()", "%f[%w]", "(a)%1", "(a", "a)", "[a", "%", "%f"] {
        assert!(Prepared::new(pattern.as_bytes()).is_none(), "{pattern}");
    }
    let captures = "(a)".repeat(MAX_CAPTURES + 1);
    for pattern in [captures, "a?".repeat(17), "a".repeat(257)] {
        assert!(Prepared::new(pattern.as_bytes()).is_none(), "{pattern}");
    }
}

#[test]
fn log_lines_are_taken_apart_as_before() {
    let line = br#"10.0.0.1 - - [22/Nov/2026:21:39:05 +0100] "GET /a/b?c=d HTTP/1.1" 200 512 "-" "curl/8.1""#;
    for pattern in [
        r#"^(%S+) %- (%S+) %[([^%]]+)%] "([^"]*)" (%d+) (%d+) "([^"]*)" "([^"]*)"$"#,
        r"(%d%d)/(%a%a%a)/(%d%d%d%d):(%d%d):(%d%d):(%d%d) ([+-])(%d%d)(%d%d)",
        r"(%u+) (%S+) (HTTP/%d%.%d)",
        r#""(.-)" (%d+)"#,
        r"(%w+)/?(%w*)/?",
        r"%s+()",
        r"(%d+)%.(%d+)",
        r".-(%d+) (.*)$",
        r"x-y?z*%d+",
    ] {
        let prepared = Prepared::new(pattern.as_bytes()).expect("it has nothing special");
        for init in 0..line.len() {
            let found = find_at(line, pattern.as_bytes(), init, &mut Steps(1_000_000));
            assert_same(&prepared, line, pattern.as_bytes(), init, &found);
        }
    }
}

#[test]
fn a_bomb_ends_when_it_is_prepared() {
    let subject = [b'a'; 3000];
    for pattern in [
        ".-.-.-.-x",
        "a*a*a*a*b",
        "(.-)(.-)(.-)(.-)$x",
        "a?a?a?a*a*a*b",
    ] {
        let prepared = Prepared::new(pattern.as_bytes()).expect("it has nothing special");
        let mut captures = Captures::default();
        let found = prepared.find(&subject, 0, &mut Steps(100_000), &mut captures);
        assert!(found != Ok(true), "{pattern}");
    }
}

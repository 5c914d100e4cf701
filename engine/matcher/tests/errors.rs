//! What is no expression, and how the error says so.

use matcher::{MAX_EXPRESSION, Matcher, ParseError};

fn error(expression: &str) -> ParseError {
    Matcher::parse(expression).expect_err(expression)
}

/// Expression, character (from 1), what is found, and a word of what is expected or hinted.
const MALFORMED: &[(&str, usize, &str, &str)] = &[
    ("", 1, "the end", "a test"),
    ("   ", 4, "the end", "a test"),
    ("bogus", 1, "`bogus`", "Fields[name]"),
    ("Invalid == 'x'", 1, "`Invalid`", "Type"),
    ("type == 'x'", 1, "`type`", "did you mean Type?"),
    ("Host == 'x'", 1, "`Host`", "did you mean Hostname?"),
    ("true", 1, "`true`", "did you mean TRUE?"),
    ("NIL", 1, "`NIL`", "behind == or !="),
    ("!TRUE", 1, "`!`", "no negation"),
    ("not TRUE", 1, "`not`", "no negation"),
    ("TRUEFALSE", 1, "`TRUEFALSE`", "a test"),
    ("TRUE FALSE", 6, "`FALSE`", "&&, || or the end"),
    ("TRUE & FALSE", 6, "`&`", "did you mean &&?"),
    ("TRUE | FALSE", 6, "`|`", "did you mean ||?"),
    ("TRUE and FALSE", 6, "`and`", "did you mean &&?"),
    ("TRUE or FALSE", 6, "`or`", "did you mean ||?"),
    ("TRUE &&", 8, "the end", "a test"),
    ("&& TRUE", 1, "`&&`", "a test"),
    ("TRUE && && TRUE", 9, "`&&`", "a test"),
    ("()", 2, "`)`", "a test"),
    (
        "(TRUE",
        6,
        "the end",
        "the parenthesis at character 1 is not closed",
    ),
    (
        "TRUE && (FALSE || (TRUE)",
        25,
        "the end",
        "the parenthesis at character 9 is not closed",
    ),
    ("TRUE)", 5, "`)`", "no parenthesis is open"),
    ("(TRUE))", 7, "`)`", "no parenthesis is open"),
    ("Type ~= 'x'", 6, "`~=`", "did you mean =~"),
    ("Type ~ 'x'", 6, "`~`", "did you mean =~?"),
    ("Type = 'x'", 6, "`=`", "did you mean ==?"),
    ("Type => 'x'", 6, "`=>`", "did you mean >=?"),
    ("Type ! 'x'", 6, "`!`", "did you mean != or !~?"),
    ("Type 'x'", 6, "`'x'`", "one of =="),
    ("Type", 5, "the end", "one of =="),
    ("Type == x", 9, "`x`", "text stands in quotes"),
    ("Type == 5", 9, "`5`", "put it in quotes"),
    ("Type == TRUE", 9, "`TRUE`", "only a field"),
    ("Type == nil", 9, "`nil`", "did you mean NIL?"),
    ("Type > NIL", 8, "`NIL`", "a quoted string"),
    ("Type =~ NIL", 9, "`NIL`", "a quoted pattern"),
    ("Type =~ 5", 9, "`5`", "a quoted pattern"),
    ("Type == ", 9, "the end", "a quoted string or NIL"),
    (
        "Type == 'x",
        11,
        "the end",
        "the string that begins at character 9 is not closed",
    ),
    ("Type == \"x'", 12, "the end", "a closing \""),
    (
        "Type == 'x\\'",
        13,
        "the end",
        "a backslash is written \\\\",
    ),
    ("Type == 'x\"", 12, "the end", "a closing '"),
    ("Type == 'x'%", 12, "`%`", "&&, || or the end"),
    (
        "Type =~ 'x' %",
        13,
        "`%`",
        "follow the quote of a pattern directly",
    ),
    ("Type =~ 'x'i", 12, "`i`", "&&, || or the end"),
    (
        "Type[0] == 'x'",
        5,
        "`[`",
        "only Fields[name] takes an index",
    ),
    ("Uuid == NIL", 9, "`NIL`", "every message has a Uuid"),
    ("Severity == NIL", 13, "`NIL`", "Severity 7"),
    ("Severity == '7'", 13, "`'7'`", "leave the quotes out"),
    ("Severity =~ '7'", 10, "`=~`", "only text"),
    ("Severity == warning", 13, "`warning`", "a number"),
    ("Pid =~ 6", 5, "`=~`", "one of == != >= > <= <"),
    ("Pid !~ '6'", 5, "`!~`", "only text"),
    ("Pid > NIL", 7, "`NIL`", "== and != only"),
    ("Pid == TRUE", 8, "`TRUE`", "only a field"),
    ("Pid == 05", 9, "`5`", "leading zeros"),
    ("Pid == .5", 8, "`.`", "a number"),
    ("Pid == 5.", 9, "`.`", "digits behind it"),
    ("Pid == 5.x", 9, "`.`", "digits behind it"),
    ("Pid == 5e", 9, "`e`", "an exponent needs digits"),
    ("Pid == 5e+", 9, "`e`", "an exponent needs digits"),
    ("Pid == 0x5", 9, "`x5`", "decimal"),
    ("Pid == -", 8, "`-`", "digits behind it"),
    ("Pid == --5", 8, "`-`", "digits behind it"),
    ("Pid == 5a", 9, "`a`", "&&, || or the end"),
    (
        "Timestamp == NIL",
        14,
        "`NIL`",
        "every message has a Timestamp",
    ),
    ("Timestamp =~ '2015'", 11, "`=~`", "only text"),
    ("Timestamp > TRUE", 13, "`TRUE`", "nanoseconds"),
    (
        "Timestamp == '20150411T173026'",
        19,
        "`0411T173026`",
        "2015-04-11T17:30:26.5+01:00",
    ),
    (
        "Timestamp == '2015-4-11T17:30:26Z'",
        20,
        "`4`",
        "a month from 01 to 12",
    ),
    ("Timestamp == '2015-04-11 17:30:26Z'", 25, "` `", "T"),
    (
        "Timestamp == '2015-04-11T17:30:26'",
        34,
        "`'`",
        "Z or an offset",
    ),
    ("Fields", 7, "the end", "["),
    ("Fields [x] == 1", 7, "` `", "without a space"),
    ("Fields.x == 1", 7, "`.`", "Fields[name]"),
    (
        "Fields[x",
        9,
        "the end",
        "the bracket at character 7 is not closed",
    ),
    ("Fields[]", 9, "the end", "[ or one of =="),
    ("Fields[x]", 10, "the end", "[ or one of =="),
    ("Fields[x][] == 1", 11, "`]`", "an index from 0 to 255"),
    ("Fields[x][a] == 1", 11, "`a`", "an index from 0 to 255"),
    ("Fields[x][256] == 1", 11, "`256`", "an index from 0 to 255"),
    (
        "Fields[x][0][256] == 1",
        14,
        "`256`",
        "an index from 0 to 255",
    ),
    (
        "Fields[x][99999999999999999999] == 1",
        11,
        "`99999999999999999999`",
        "an index from 0 to 255",
    ),
    ("Fields[x][00] == 1", 11, "`00`", "leading zeros"),
    ("Fields[x][-1] == 1", 11, "`-`", "an index from 0 to 255"),
    ("Fields[x][1 ] == 1", 12, "` `", "]"),
    ("Fields[x][1", 12, "the end", "]"),
    ("Fields[x] [1] == 1", 11, "`[`", "one of =="),
    ("Fields[x][0][0][0] == 1", 16, "`[`", "at most two"),
    (
        "Fields[x] == yes",
        14,
        "`yes`",
        "a quoted string, a number, TRUE, FALSE or NIL",
    ),
    (
        "Fields[x] > TRUE",
        13,
        "`TRUE`",
        "a quoted string or a number",
    ),
    ("Fields[x] > NIL", 13, "`NIL`", "== and != only"),
    ("Fields[x] =~ 5", 14, "`5`", "a pattern stands in quotes"),
    ("Fields[x] == True", 14, "`True`", "did you mean TRUE?"),
    ("Type == 'x' # comment", 13, "`#`", "&&, || or the end"),
    (
        "Type == 'x' && Type == 'y' Type",
        28,
        "`Type`",
        "need && or ||",
    ),
    (
        "Type == '\u{e9}' \u{e9}",
        13,
        "`\\xc3`",
        "&&, || or the end",
    ),
];

#[test]
fn errors_point_at_the_character_and_say_what_was_expected() {
    for (expression, character, found, word) in MALFORMED {
        let error = error(expression);
        let text = error.to_string();
        assert_eq!(error.character, *character, "{expression}: {text}");
        assert_eq!(error.found, *found, "{expression}: {text}");
        assert!(text.contains(word), "{expression}: {text}");
        assert!(!text.contains('\n'), "{expression}: {text}");
    }
}

#[test]
fn one_line_or_with_a_mark() {
    let error = error("Severity < 3 && Type ~= 'x'");
    assert_eq!(
        error.to_string(),
        "at character 22: found `~=`, expected one of == != >= > <= < =~ !~; \
         did you mean =~ (matches a pattern) or != (is not equal)?"
    );
    let marked = format!("{error:#}");
    let lines: Vec<&str> = marked.lines().collect();
    assert_eq!(lines[1], "  Severity < 3 && Type ~= 'x'");
    assert_eq!(lines[2].find('^'), lines[1].find("~="));
}

#[test]
fn long_expressions_are_shown_in_part() {
    let expression = format!("{} ~= 'x'", "Type == 'y' || ".repeat(100) + "Type");
    let marked = format!("{:#}", error(&expression));
    let lines: Vec<&str> = marked.lines().collect();
    assert!(lines[1].len() < 100);
    assert_eq!(lines[2].find('^'), lines[1].find("~="));
    let long_string = format!("Severity == '{}'", "z".repeat(200));
    assert!(error(&long_string).found.len() < 40);
}

#[test]
fn what_is_unprintable_is_made_visible() {
    let error = Matcher::parse(b"Type == 'a' \x07\x1b[31m").expect_err("no operator");
    assert_eq!(error.found, "`\\x07`");
    assert!(
        format!("{error:#}")
            .bytes()
            .all(|byte| byte == b'\n' || (32..127).contains(&byte))
    );
}

#[test]
fn too_much_is_refused() {
    let tests = vec!["TRUE"; matcher::MAX_TESTS + 1].join("||");
    assert!(
        error(&tests)
            .to_string()
            .contains("the end after 128 tests")
    );
    let string = format!("Type == '{}'", "x".repeat(matcher::MAX_STRING + 1));
    let error_of_string = error(&string);
    assert_eq!(
        (error_of_string.offset, error_of_string.found.as_str()),
        (8, "a string of 256 bytes")
    );
    let spaces = " ".repeat(MAX_EXPRESSION + 1);
    assert!(
        error(&spaces)
            .to_string()
            .contains("an expression of at most")
    );
    let zero = Matcher::parse(b"Type == 'a\0'").expect_err("a zero byte");
    assert_eq!((zero.offset, zero.found.as_str()), (10, "a zero byte"));
}

//! What the output of a terminal says about who is at its other end.

/// How dtach says goodbye when the program in it has ended.
const END: &[u8] = b"dtach terminating]";

const ESCAPE: u8 = 0x1b;

/// Whether the terminal's program has ended: dtach's last line is the last thing there is.
pub(super) fn has_ended(output: &[u8]) -> bool {
    without_trailing_escapes(output).trim_ascii_end().ends_with(END)
}

/// Whether a shell waits for a command: `root@web1:/# `, `$ `, `/ # ESC[6n`. The prompt for the rest of an unfinished
/// command, a lone `> `, does not count: what is typed there becomes part of somebody's command.
pub(super) fn ends_with_prompt(output: &[u8]) -> bool {
    let visible = without_trailing_escapes(output);
    let visible = visible.strip_suffix(b" ").unwrap_or(visible);
    visible.ends_with_any(b"#$%>") && last_line(output) != b">"
}

/// Whether somebody is asked for a name or a password.
pub(super) fn ends_with_login(output: &[u8]) -> bool {
    let visible = without_trailing_escapes(output);
    let visible = visible.strip_suffix(b" ").unwrap_or(visible);
    visible.ends_with(b"ogin:") || visible.ends_with(b"assword:")
}

/// What stands in the last line, without escape sequences and trailing blanks.
pub(super) fn last_line(output: &[u8]) -> Vec<u8> {
    let begin = output
        .iter()
        .rposition(|b| matches!(b, b'\n' | b'\r'))
        .map_or(0, |at| at + 1);
    let mut line = without_escapes(&output[begin..]);
    line.truncate(line.trim_ascii_end().len());
    line
}

/// The last words of a terminal for a person, in one line of at most some hundred characters.
pub(super) fn last_words(output: &[u8]) -> String {
    const ENOUGH: usize = 300;
    let text = String::from_utf8_lossy(&without_escapes(output)).into_owned();
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let text = words.join(" ");
    let text = text.trim_end_matches("[EOF - dtach terminating]").trim_end();
    match text.char_indices().rev().nth(ENOUGH) {
        Some((begin, _)) => format!("…{}", &text[begin..]),
        None if text.is_empty() => "nothing was shown".to_owned(),
        None => text.to_owned(),
    }
}

/// A line of ours in the output.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Marker<'a> {
    /// Where the line before it ends.
    pub(super) begin: usize,
    /// What follows the word that was looked for.
    pub(super) rest: &'a str,
    /// Where the next line begins.
    pub(super) end: usize,
}

/// Finds a whole line that begins with a word, from an offset on. Two terminals in a row end each line with `\r\r\n` or
/// more of them.
pub(super) fn marker<'a>(output: &'a [u8], from: usize, word: &str) -> Option<Marker<'a>> {
    let wanted = [b"\n", word.as_bytes()].concat();
    let mut from = from;
    loop {
        let newline = from + find(&output[from..], &wanted)?;
        let rest = &output[newline + wanted.len()..];
        let length = rest.iter().position(|b| *b == b'\n')?;
        let line = without_trailing(&rest[..length], b'\r');
        if let Ok(rest) = std::str::from_utf8(line)
            && rest
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        {
            return Some(Marker {
                begin: without_trailing(&output[..newline], b'\r').len(),
                rest,
                end: newline + wanted.len() + length + 1,
            });
        }
        from = newline + 1;
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn without_trailing(bytes: &[u8], unwanted: u8) -> &[u8] {
    let end = bytes.iter().rposition(|b| *b != unwanted).map_or(0, |at| at + 1);
    &bytes[..end]
}

fn without_trailing_escapes(mut output: &[u8]) -> &[u8] {
    while let Some(begin) = trailing_escape(output) {
        output = &output[..begin];
    }
    output
}

/// Where the control sequence at the very end begins: `ESC [`, digits and marks, a letter.
fn trailing_escape(output: &[u8]) -> Option<usize> {
    let (last, before) = output.split_last()?;
    let marks = before
        .iter()
        .rev()
        .take_while(|b| b.is_ascii_digit() || matches!(b, b';' | b'?'))
        .count();
    let begin = before[..before.len() - marks].strip_suffix(b"\x1b[")?.len();
    last.is_ascii_alphabetic().then_some(begin)
}

fn without_escapes(output: &[u8]) -> Vec<u8> {
    let mut visible = Vec::with_capacity(output.len());
    let mut rest = output;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != ESCAPE {
            visible.push(*first);
        } else if let Some(sequence) = after.strip_prefix(b"[") {
            let end = sequence.iter().position(u8::is_ascii_alphabetic);
            rest = end.map_or(&[], |end| &sequence[end + 1..]);
        }
    }
    visible
}

trait EndsWithAny {
    fn ends_with_any(&self, bytes: &[u8]) -> bool;
}

impl EndsWithAny for [u8] {
    fn ends_with_any(&self, bytes: &[u8]) -> bool {
        self.last().is_some_and(|last| bytes.contains(last))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prompts_of_the_usual_shells() {
        for output in [
            "\u{1b}[H\u{1b}[J\u{1b}[?2004hroot@web1:/# ",
            "# ",
            "/ # \u{1b}[6n",
            "[root@db ~]$ ",
            "web1%",
            "root@web1 ~> ",
        ] {
            assert!(ends_with_prompt(output.as_bytes()), "{output:?}");
        }
        for output in [
            "",
            "\u{1b}[H\u{1b}[J",
            "web1 login: ",
            "\r\n> ",
            "# x",
            "#  ",
            "50%\r\n",
        ] {
            assert!(!ends_with_prompt(output.as_bytes()), "{output:?}");
        }
    }

    #[test]
    fn questions_for_a_name_or_a_password() {
        for output in ["\r\r\ndb1 login: ", "Password: ", "Login:", "password: \u{1b}[0m"] {
            assert!(ends_with_login(output.as_bytes()), "{output:?}");
        }
        assert!(!ends_with_login(b"login: root"));
    }

    #[test]
    fn the_end_of_the_terminal() {
        assert!(has_ended(
            b"exit\r\r\n\x1b[999H\r\n[EOF - dtach terminating]\r\n\x1b[?25h"
        ));
        assert!(!has_ended(b"[EOF - dtach terminating]\r\n\x1b[?25hmore"));
    }

    #[test]
    fn last_words_are_one_short_line() {
        let ssh = b"\r\nssh: connect to host 10.98.77.3 port 22: No route to host\r\r\n";
        assert_eq!(
            last_words(ssh),
            "ssh: connect to host 10.98.77.3 port 22: No route to host"
        );
        assert_eq!(
            last_words(b"\x1b[H\x1b[J\r\n[EOF - dtach terminating]\r\n\x1b[?25h"),
            "nothing was shown"
        );
        assert!(last_words("é ".repeat(1000).as_bytes()).chars().count() < 310);
    }

    #[test]
    fn markers_are_whole_lines() {
        let output = b"one\r\r\n\r\r\nEab_1_0\r\r\nmore";
        assert_eq!(
            marker(output, 0, "Eab_1_"),
            Some(Marker {
                begin: 6,
                rest: "0",
                end: 19
            })
        );
        assert_eq!(marker(b"\nEab_1_0\r\r", 0, "Eab_1_"), None);
        assert_eq!(marker(b"echo Eab_1_0\r\n", 0, "Eab_1_"), None);
        assert_eq!(
            marker(b"\nEab_1_ $?\r\n\nEab_1_7\n", 0, "Eab_1_").map(|m| m.rest),
            Some("7")
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(output in any::<Vec<u8>>(), from in 0usize..20, word in "[a-z]{0,3}") {
            let _ = (has_ended(&output), ends_with_prompt(&output), ends_with_login(&output), last_words(&output));
            let _ = marker(&output, from.min(output.len()), &word);
        }
    }
}

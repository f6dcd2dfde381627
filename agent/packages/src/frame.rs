//! The wrapping of every script's answer, and the check that nothing of it is missing or damaged.
//!
//! ```text
//! %muster-begin 1 scan
//! %muster-section manager
//! |apt
//! %muster-end manager 0 5009a047a11fbd680bb40d2f23cd3fcd626ac2d672c38e16f53bd622c3961534
//! %muster-done scan 1
//! ```
//!
//! A section's closing line carries the command's exit code and the SHA-256 of the body. The last line counts the
//! sections. Whole lines from elsewhere (login banners, profile scripts, kernel messages on a console) are skipped; a line
//! damaged inside a section breaks the checksum. Line ends may be LF or CR LF.

use sha2::{Digest, Sha256};
use thiserror::Error;

/// The shell function that prints sections; [`script`] puts the rest around a script's own text.
const FUNCTIONS: &str = include_str!("frame.sh");

/// What one section of an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Name as the script gave it.
    pub name: String,
    /// Exit code of the section's command.
    pub exit: i32,
    /// What the command printed on both streams, without the last line end. Bytes that are not UTF-8 are replaced.
    pub body: String,
}

/// A whole, undamaged answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    sections: Vec<Section>,
}

/// Why an output is not an answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FrameError {
    /// The script never began, or another one did.
    #[error("the guest's shell did not run the script: its output has no beginning")]
    NoBeginning,
    /// The output stops before its end.
    #[error("the guest's answer is cut off after {} of output", after(.section))]
    CutOff {
        /// The last section that is whole.
        section: Option<String>,
    },
    /// A section's text is not what the guest sent.
    #[error("section '{section}' of the guest's answer is damaged")]
    Damaged {
        /// The section's name.
        section: String,
    },
    /// A section that the parser needs is not there.
    #[error("the guest's answer has no section '{section}'")]
    Missing {
        /// The section's name.
        section: &'static str,
    },
}

impl Frame {
    /// Reads a script's output. The last answer for `verb` in it counts, so that the rest of an earlier attempt on the same
    /// console does no harm.
    pub fn parse(verb: &str, output: &[u8]) -> Result<Self, FrameError> {
        let begin = format!("%muster-begin 1 {verb}");
        let lines: Vec<&[u8]> = whole_lines(output).collect();
        let start = lines
            .iter()
            .rposition(|line| *line == begin.as_bytes())
            .ok_or(FrameError::NoBeginning)?;
        Reader {
            verb,
            sections: Vec::new(),
            open: None,
        }
        .read(&lines[start + 1..])
    }

    /// The section of that name; [`FrameError::Missing`] when the script did not print it.
    pub fn section(&self, name: &'static str) -> Result<&Section, FrameError> {
        self.optional(name).ok_or(FrameError::Missing { section: name })
    }

    /// The section of that name, if the script printed it.
    pub fn optional(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }
}

/// Wraps a script's own text so that its answer is a frame for `verb`.
pub(crate) fn script(verb: &str, text: &str) -> String {
    format!(
        "{FUNCTIONS}\nprintf '%%muster-begin 1 %s\\n' '{verb}'\n{text}\nprintf '%%muster-done %s %s\\n' '{verb}' \"$sections\"\n"
    )
}

fn after(section: &Option<String>) -> String {
    match section {
        Some(name) => format!("section '{name}'"),
        None => "its first line".to_owned(),
    }
}

/// Lines that are ended by LF or CR LF; an unfinished last line is left out, because its rest may be missing.
fn whole_lines(output: &[u8]) -> impl Iterator<Item = &[u8]> {
    output.split_inclusive(|byte| *byte == b'\n').filter_map(|line| {
        let line = line.strip_suffix(b"\n")?;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
}

struct Reader<'a> {
    verb: &'a str,
    sections: Vec<Section>,
    open: Option<(String, Vec<u8>)>,
}

impl Reader<'_> {
    fn read(mut self, lines: &[&[u8]]) -> Result<Frame, FrameError> {
        for line in lines {
            if let Some(text) = line.strip_prefix(b"|") {
                self.text(text);
            } else if let Some(name) = mark(line, "%muster-section ") {
                self.open = Some((name.to_owned(), Vec::new()));
            } else if let Some(rest) = mark(line, "%muster-end ") {
                self.end(rest)?;
            } else if let Some(rest) = mark(line, "%muster-done ") {
                return self.done(rest);
            }
        }
        Err(self.cut_off())
    }

    fn text(&mut self, text: &[u8]) {
        if let Some((_, body)) = &mut self.open {
            body.extend_from_slice(text);
            body.push(b'\n');
        }
    }

    fn end(&mut self, rest: &str) -> Result<(), FrameError> {
        let Some((name, mut body)) = self.open.take() else {
            return Err(FrameError::Damaged {
                section: rest.split(' ').next().unwrap_or_default().to_owned(),
            });
        };
        body.pop();
        let words: Vec<&str> = rest.split_ascii_whitespace().collect();
        let damaged = || FrameError::Damaged { section: name.clone() };
        let [end_name, exit, sum] = words[..] else {
            return Err(damaged());
        };
        let intact = end_name == name && sum == checksum(&body);
        let exit = exit.parse().map_err(|_| damaged())?;
        if !intact {
            return Err(damaged());
        }
        self.sections.push(Section {
            name,
            exit,
            body: String::from_utf8_lossy(&body).into_owned(),
        });
        Ok(())
    }

    fn done(self, rest: &str) -> Result<Frame, FrameError> {
        if self.open.is_none() && rest == format!("{} {}", self.verb, self.sections.len()) {
            return Ok(Frame {
                sections: self.sections,
            });
        }
        Err(self.cut_off())
    }

    fn cut_off(&self) -> FrameError {
        FrameError::CutOff {
            section: self.sections.last().map(|section| section.name.clone()),
        }
    }
}

fn mark<'a>(line: &'a [u8], prefix: &str) -> Option<&'a str> {
    std::str::from_utf8(line).ok()?.strip_prefix(prefix)
}

fn checksum(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

/// What a script would print that runs these sections: name, exit code, body.
#[cfg(test)]
pub(crate) fn answer(verb: &str, sections: &[(&str, i32, &str)]) -> Vec<u8> {
    let mut answer = format!("%muster-begin 1 {verb}\n");
    for (name, exit, body) in sections {
        let lines: String = body.lines().map(|line| format!("|{line}\n")).collect();
        let sum = checksum(body.as_bytes());
        answer += &format!("%muster-section {name}\n{lines}%muster-end {name} {exit} {sum}\n");
    }
    answer += &format!("%muster-done {verb} {}\n", sections.len());
    answer.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The checksum is what `printf apt | sha256sum` prints.
    const ANSWER: &str = "%muster-begin 1 scan\n%muster-section manager\n|apt\n%muster-end manager 0 \
        5009a047a11fbd680bb40d2f23cd3fcd626ac2d672c38e16f53bd622c3961534\n%muster-done scan 1\n";

    #[test]
    fn noise_around_and_between_lines_is_skipped() {
        let noisy = format!(
            "Welcome!\r\n{}bye\n",
            ANSWER.replace("|apt\n", "Broadcast message\r\n|apt\r\n")
        );
        let frame = Frame::parse("scan", noisy.as_bytes()).expect("noise is not damage");
        assert_eq!(frame.section("manager").expect("there").body, "apt");
    }

    #[test]
    fn a_changed_byte_is_damage() {
        assert!(Frame::parse("scan", ANSWER.as_bytes()).is_ok());
        let damaged = ANSWER.replace("|apt", "|apk");
        assert_eq!(
            Frame::parse("scan", damaged.as_bytes()),
            Err(FrameError::Damaged {
                section: "manager".to_owned()
            })
        );
    }

    #[test]
    fn a_section_that_is_missing_altogether_is_noticed() {
        let whole = String::from_utf8(answer("scan", &[("manager", 0, "apt"), ("reboot", 0, "no")])).expect("text");
        let start = whole.find("%muster-section reboot").expect("there");
        let end = whole.find("%muster-done").expect("there");
        let without = format!("{}{}", &whole[..start], &whole[end..]);
        let cut = FrameError::CutOff {
            section: Some("manager".to_owned()),
        };
        assert_eq!(Frame::parse("scan", without.as_bytes()), Err(cut));
    }

    #[test]
    fn no_prefix_of_an_answer_is_an_answer() {
        for end in 0..ANSWER.len() {
            assert!(
                Frame::parse("scan", &ANSWER.as_bytes()[..end]).is_err(),
                "cut at byte {end}"
            );
        }
    }
}

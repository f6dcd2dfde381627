//! Splits a line into words as a shell does, without anything else that a shell does.

use anyhow::{Result, bail};

/// Words are separated by blanks; single or double quotes keep a word together.
pub(crate) fn split(line: &str) -> Result<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        bail!("a quote is not closed in: {line}");
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_words_together() {
        let words = split(r#"guest exec  --vmid 100 -- sh -c 'echo "a b"' """#).expect("quotes are closed");
        assert_eq!(
            words,
            ["guest", "exec", "--vmid", "100", "--", "sh", "-c", "echo \"a b\"", ""]
        );
        assert!(split("echo 'a").is_err());
    }
}

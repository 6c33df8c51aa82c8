//! Lines, continuations, comments and quoting of SecLang.

/// One directive: its first line and its words, unquoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// First line of the directive, from 1.
    pub number: u32,
    /// The directive's name and arguments.
    pub words: Vec<String>,
}

/// Splits a file into directives.
///
/// A backslash at a line's end continues it. A comment is one line whose first character after blanks is `#`; it is
/// dropped also between continued lines, as rule files comment out single actions that way.
///
/// # Errors
/// The line number and reason when a quote is not closed or the file ends in a continuation.
pub fn lines(text: &str) -> Result<Vec<Line>, (u32, String)> {
    let mut out = Vec::new();
    let mut logical = String::new();
    let mut start = 0;
    let mut open = false;
    let mut last = 0;
    for (index, raw) in text.lines().enumerate() {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        last = number;
        let trimmed = raw.trim_start();
        if trimmed.starts_with('#') {
            continue;
        }
        if !open {
            start = number;
            logical.clear();
        }
        let kept = raw.trim_end_matches('\r');
        if let Some(head) = kept.strip_suffix('\\') {
            logical.push_str(if open { head.trim_start() } else { head });
            open = true;
            continue;
        }
        logical.push_str(if open { kept.trim_start() } else { kept });
        open = false;
        let words = words(&logical).map_err(|reason| (start, reason))?;
        if !words.is_empty() {
            out.push(Line { number: start, words });
        }
    }
    if open {
        return Err((last, "the file ends inside a continued line".to_owned()));
    }
    Ok(out)
}

/// Splits one logical line into words; `"` and `'` quote, and a backslash before the quote keeps it.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut out = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '"' || first == '\'' {
            let mut word = String::new();
            let mut chars = rest[1..].char_indices();
            let mut end = None;
            while let Some((at, c)) = chars.next() {
                if c == '\\' {
                    match chars.next() {
                        Some((_, next)) if next == first => word.push(first),
                        Some((_, next)) => {
                            word.push('\\');
                            word.push(next);
                        }
                        None => word.push('\\'),
                    }
                } else if c == first {
                    end = Some(at + 2);
                    break;
                } else {
                    word.push(c);
                }
            }
            let Some(end) = end else { return Err(format!("a {first} is not closed")) };
            out.push(word);
            rest = &rest[end..];
            if !rest.is_empty() && !rest.starts_with([' ', '\t']) {
                return Err("a closing quote must be followed by a blank".to_owned());
            }
        } else {
            let end = rest.find([' ', '\t']).unwrap_or(rest.len());
            out.push(rest[..end].to_owned());
            rest = &rest[end..];
        }
        rest = rest.trim_start();
    }
    Ok(out)
}

//! Hiding secrets in what is written down about a match: passwords, tokens, card numbers.

use crate::{Match, Part};

/// Which parts of a message hold secrets. Names are compared in lower case.
#[derive(Clone, Debug)]
pub struct Secrets {
    words: Vec<String>,
}

/// What stands for a secret.
pub const MASK: &str = "***";

/// A match that can be stored and shown: printable, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Masked {
    /// The rule's id.
    pub rule: u32,
    /// `msg`, completed.
    pub message: String,
    /// `logdata`, completed.
    pub data: String,
    /// Names and values of the parts that matched.
    pub parts: Vec<(String, String)>,
}

impl Default for Secrets {
    /// Fields that commonly hold secrets, by a word in their name.
    fn default() -> Self {
        let words = [
            "pass",
            "pwd",
            "secret",
            "token",
            "auth",
            "session",
            "sess",
            "sid",
            "cookie",
            "csrf",
            "xsrf",
            "jwt",
            "bearer",
            "api_key",
            "apikey",
            "api-key",
            "x-api",
            "private",
            "credential",
            "otp",
            "pin",
            "cvv",
            "cvc",
            "card",
            "assertion",
            "saml",
            "signature",
            "code_verifier",
            "暗証",
            "パスワード",
        ];
        Self { words: words.map(str::to_owned).to_vec() }
    }
}

impl Secrets {
    /// The default, and fields with these words in their names.
    #[must_use]
    pub fn with(mut self, words: impl IntoIterator<Item = String>) -> Self {
        self.words.extend(words.into_iter().map(|w| w.to_lowercase()).filter(|w| !w.is_empty()));
        self
    }

    /// Whether a part of this name (`ARGS:password`) holds a secret as a whole.
    #[must_use]
    pub fn holds(&self, name: &[u8]) -> bool {
        let name = String::from_utf8_lossy(name).to_lowercase();
        let Some((collection, key)) = name.split_once(':') else { return name == "auth_type" };
        // Names of members are no secrets, their values are.
        !collection.ends_with("_names") && self.word(key)
    }

    fn word(&self, key: &str) -> bool {
        // Short words stand for themselves between marks: `pin` is not in `shipping`.
        self.words.iter().any(|w| {
            if w.len() > 4 || !w.is_ascii() {
                return key.contains(w.as_str());
            }
            key.split(|c: char| !c.is_ascii_alphanumeric())
                .any(|k| k == w || (w.len() == 4 && k.starts_with(w.as_str())))
        })
    }

    /// A value of a part, printable and without secrets.
    #[must_use]
    pub fn value(&self, name: &[u8], value: &[u8]) -> String {
        if self.holds(name) { MASK.to_owned() } else { self.text(value) }
    }

    /// Any text, printable; values that follow a secret's name (`password=…`, `"token": "…"`), bearer tokens and card numbers
    /// are hidden.
    #[must_use]
    pub fn text(&self, text: &[u8]) -> String {
        let mut out = String::new();
        let printable = printable(text);
        let mut rest = printable.as_str();
        while let Some((at, mark)) = rest.char_indices().find(|(_, c)| matches!(c, '=' | ':' | ' ')) {
            let key = rest[..at].trim_end_matches(['"', '\'', ' ']);
            let begin = key
                .rfind(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.'))
                .map_or(0, |n| n + key[n..].chars().next().map_or(1, char::len_utf8));
            let secret = if mark == ' ' {
                matches!(key[begin..].to_lowercase().as_str(), "bearer" | "basic")
            } else {
                self.word(&key[begin..].to_lowercase())
            };
            out.push_str(&rest[..=at]);
            rest = &rest[at + 1..];
            if secret {
                let lead = rest.len() - rest.trim_start_matches([' ', '"', '\'']).len();
                let quoted = rest[..lead].ends_with(['"', '\'']);
                // A blank ends only a token: passwords may hold blanks, and rather too much is hidden than too little.
                let stop = |c: char| match (quoted, mark) {
                    (true, _) => matches!(c, '"' | '\''),
                    (false, ' ') => c == ' ',
                    (false, _) => matches!(c, '&' | ';' | ',' | '}' | '"'),
                };
                let end = rest[lead..].find(stop).map_or(rest.len(), |n| lead + n);
                out.push_str(&rest[..lead]);
                out.push_str(if end > lead { MASK } else { "" });
                rest = &rest[end..];
            }
        }
        out.push_str(rest);
        cards(&out)
    }

    /// A match that can be stored and shown.
    #[must_use]
    pub fn masked(&self, found: &Match) -> Masked {
        let hidden = found.parts.iter().any(|p| self.holds(&p.name));
        let part = |p: &Part| (printable(&p.name), self.value(&p.name, &p.value));
        Masked {
            rule: found.rule,
            message: if hidden { self.without(&found.message, &found.parts) } else { self.text(&found.message) },
            // What the rule captured is a piece of the secret that cannot be told from the rest.
            data: if hidden { MASK.to_owned() } else { self.text(&found.data) },
            parts: found.parts.iter().map(part).collect(),
        }
    }

    /// A message that may quote a secret value: hidden if it does.
    fn without(&self, message: &[u8], parts: &[Part]) -> String {
        let quoted = |p: &&Part| !p.value.is_empty() && memchr::memmem::find(message, &p.value).is_some();
        if parts.iter().filter(|p| self.holds(&p.name)).any(|p| quoted(&p)) {
            MASK.to_owned()
        } else {
            self.text(message)
        }
    }
}

/// Text in which control characters and broken UTF-8 are written as `\xHH`.
#[must_use]
pub fn printable(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    let hex = |out: &mut String, byte: u8| out.push_str(&format!("\\x{byte:02x}"));
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                c if c.is_ascii_control() => hex(&mut out, c as u8),
                // Marks that turn the direction of text, and invisible ones, would let a value misreport itself.
                '\u{80}'..='\u{9f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{feff}' => {
                    out.push_str(&format!("\\u{{{:x}}}", c as u32));
                }
                c => out.push(c),
            }
        }
        chunk.invalid().iter().for_each(|b| hex(&mut out, *b));
    }
    out
}

/// Hides numbers of 13 to 19 digits, blanks and dashes between them allowed, that satisfy the check digit of ISO/IEC 7812-1.
fn cards(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at].is_ascii_digit() && (at == 0 || !bytes[at - 1].is_ascii_digit()) {
            let mut digits = Vec::new();
            let mut end = at;
            let mut next = at;
            while next < bytes.len() && digits.len() < 20 {
                match bytes[next] {
                    b if b.is_ascii_digit() => {
                        digits.push(b - b'0');
                        end = next + 1;
                    }
                    b' ' | b'-' if bytes.get(next + 1).is_some_and(u8::is_ascii_digit) => {}
                    _ => break,
                }
                next += 1;
            }
            if (13..=19).contains(&digits.len()) && luhn(&digits) {
                out.push_str(MASK);
                at = end;
                continue;
            }
        }
        let length = text[at..].chars().next().map_or(1, char::len_utf8);
        out.push_str(&text[at..at + length]);
        at += length;
    }
    out
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            let twice = u32::from(*digit) * if index % 2 == 1 { 2 } else { 1 };
            twice / 10 + twice % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

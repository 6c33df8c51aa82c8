//! SQL into tokens, as several databases would read it.

use std::sync::LazyLock;

/// Values of tokens are cut to this length.
const KEPT: usize = 31;

/// A token: its kind as libinjection letters it, and its text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Token {
    /// `k` keyword, `U` union, `B` group, `E` expression, `t` type, `f` function, `n` word, `1` number, `v` variable, `s` string,
    /// `o` operator, `&` logic, `c` comment, `A` collate, `T` Transact-SQL, `X` evil, `?` unknown; punctuation is its own kind.
    pub kind: u8,
    pub length: usize,
    pub text: [u8; KEPT + 1],
    /// The quote that opened a string, 0 if none did.
    pub open: u8,
    /// The quote that closed it, 0 if none did.
    pub close: u8,
}

impl Token {
    pub fn value(&self) -> &[u8] {
        &self.text[..self.length]
    }

    /// Whether the text is `word` (upper case), in any case.
    pub fn is(&self, word: &str) -> bool {
        self.value().eq_ignore_ascii_case(word.as_bytes())
    }

    fn set(&mut self, kind: u8, value: &[u8]) {
        self.kind = kind;
        self.length = value.len().min(KEPT);
        self.text[..self.length].copy_from_slice(&value[..self.length]);
        self.text[self.length] = 0;
    }
}

/// Words, longest 29 bytes, sorted, with their kinds.
static WORDS: LazyLock<Vec<(&'static [u8], u8)>> = LazyLock::new(|| {
    let lines = include_str!("keywords.txt").lines().filter(|l| !l.starts_with("# "));
    let mut words: Vec<_> = lines.filter_map(|l| Some((l.get(2..)?.as_bytes(), *l.as_bytes().first()?))).collect();
    words.sort_unstable();
    words
});

/// Slots of [`INDEX`]: eight for each word at least.
const SLOTS: usize = 1 << 14;

/// Words by hash, and for each first byte the lengths that its words have.
struct Index {
    slots: Vec<u16>,
    lengths: [u32; 256],
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index { slots: vec![u16::MAX; SLOTS], lengths: [0; 256] };
    for (number, (word, _)) in WORDS.iter().enumerate() {
        index.lengths[usize::from(word[0])] |= 1 << word.len();
        let mut slot = hash(word);
        while index.slots[slot] != u16::MAX {
            slot = (slot + 1) % SLOTS;
        }
        index.slots[slot] = number as u16;
    }
    index
});

/// FNV-1a, cut to the number of slots.
fn hash(word: &[u8]) -> usize {
    let full = word.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3));
    (full ^ full >> 32) as usize % SLOTS
}

/// The kind of a known word or phrase.
pub fn lookup(word: &[u8]) -> Option<u8> {
    let index = &*INDEX;
    let first = word.first()?.to_ascii_uppercase();
    if word.len() > KEPT || index.lengths[usize::from(first)] >> word.len() & 1 == 0 {
        return None;
    }
    let mut upper = [0; KEPT];
    upper[..word.len()].copy_from_slice(word);
    upper.make_ascii_uppercase();
    let upper = &upper[..word.len()];
    let mut slot = hash(upper);
    loop {
        let (known, kind) = *WORDS.get(usize::from(index.slots[slot]))?;
        if known == upper {
            return Some(kind);
        }
        slot = (slot + 1) % SLOTS;
    }
}

/// In which quotes the input is taken to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quote {
    None,
    Single,
    Double,
}

/// Cuts tokens off.
pub struct Lexer<'a> {
    pub text: &'a [u8],
    pub at: usize,
    pub quote: Quote,
    /// MySQL's comments rather than ANSI's.
    pub mysql: bool,
    /// Tokens so far.
    pub count: usize,
    /// Whether MySQL would have read a comment differently.
    pub differs: bool,
}

fn white(byte: u8) -> bool {
    matches!(byte, b' ' | 9..=13 | 0xa0 | 0)
}

/// The length of the run of bytes for which `member` holds. NUL counts as a member, as in the C library's search.
fn span(text: &[u8], member: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|b| *b != 0 && !member(*b)).unwrap_or(text.len())
}

fn word_ends(byte: u8) -> bool {
    b" []{}<>:\\?=@!#~+-*/&|^%(),';\t\n\x0b\x0c\r\"\xa0\0".contains(&byte)
}

fn variable_ends(byte: u8) -> bool {
    b" <>:\\?=@!#~+-*/&|^%(),';\t\n\x0b\x0c\r'`\"\0".contains(&byte)
}

fn find2(text: &[u8], a: u8, b: u8) -> Option<usize> {
    memchr::memmem::find(text, &[a, b])
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    /// The next token, if there is one.
    pub fn next(&mut self, out: &mut Token) -> bool {
        *out = Token::default();
        if self.text.is_empty() {
            return false;
        }
        if self.at == 0 && self.quote != Quote::None {
            let delimiter = if self.quote == Quote::Single { b'\'' } else { b'"' };
            self.string(out, delimiter, 0);
            self.count += 1;
            return true;
        }
        while let Some(&byte) = self.text.get(self.at) {
            self.one(byte, out);
            if out.kind != 0 {
                self.count += 1;
                return true;
            }
        }
        false
    }

    fn take(&mut self, out: &mut Token, kind: u8, length: usize) {
        out.set(kind, &self.text[self.at..self.at + length]);
        self.at += length;
    }

    fn one(&mut self, byte: u8, out: &mut Token) {
        match byte {
            0..=32 | 127 | 0xa0 => self.at += 1,
            b'!' | b'&' | b'*' | b':' | b'<' | b'=' | b'>' | b'|' => self.operator(out),
            b'"' | b'\'' => self.string(out, byte, 1),
            b'#' => self.hash(out),
            b'$' => self.money(out),
            b'%' | b'+' | b'^' | b'~' => self.take(out, b'o', 1),
            b'(' | b')' | b',' | b';' | b'{' | b'}' => self.take(out, byte, 1),
            b'-' => self.dash(out),
            b'.' | b'0'..=b'9' => self.number(out),
            b'/' => self.slash(out),
            b'?' | b']' => self.take(out, b'?', 1),
            b'@' => self.variable(out),
            b'[' => {
                let rest = self.text.len() - self.at;
                let end = memchr::memchr(b']', &self.text[self.at..]).map_or(rest, |n| n + 1);
                self.take(out, b'n', end);
            }
            b'\\' => {
                let null = self.peek(1) == Some(b'N');
                self.take(out, if null { b'1' } else { b'\\' }, if null { 2 } else { 1 });
            }
            b'`' => self.tick(out),
            b'b' | b'B' => self.digits(out, |b| matches!(b, b'0' | b'1')),
            b'x' | b'X' => self.digits(out, |b| b.is_ascii_hexdigit()),
            b'e' | b'E' => self.escaped(out),
            b'n' | b'N' if self.at + 2 < self.text.len() && self.peek(1) == Some(b'\'') => self.escaped(out),
            b'n' | b'N' => self.oracle(out, 1),
            b'q' | b'Q' => self.oracle(out, 0),
            b'u' | b'U' if self.peek(1) == Some(b'&') && self.peek(2) == Some(b'\'') => {
                self.at += 2;
                self.string(out, b'\'', 1);
                out.open = b'u';
                if out.close == b'\'' {
                    out.close = b'u';
                }
            }
            _ => self.word(out),
        }
    }

    fn operator(&mut self, out: &mut Token) {
        if self.text[self.at..].starts_with(b"<=>") {
            return self.take(out, b'o', 3);
        }
        if let Some(kind) = self.text.get(self.at..self.at + 2).and_then(lookup) {
            return self.take(out, kind, 2);
        }
        // A colon at the very end is an operator to the C library.
        let colon = self.text[self.at] == b':' && self.at + 1 < self.text.len();
        self.take(out, if colon { b':' } else { b'o' }, 1);
    }

    fn line_comment(&mut self, out: &mut Token) {
        let rest = &self.text[self.at..];
        match memchr::memchr(b'\n', rest) {
            Some(end) => {
                self.take(out, b'c', end);
                self.at += 1;
            }
            None => self.take(out, b'c', rest.len()),
        }
    }

    fn hash(&mut self, out: &mut Token) {
        self.differs = true;
        if self.mysql { self.line_comment(out) } else { self.take(out, b'o', 1) }
    }

    fn dash(&mut self, out: &mut Token) {
        if self.peek(1) != Some(b'-') {
            return self.take(out, b'o', 1);
        }
        match self.peek(2) {
            None => self.line_comment(out),
            Some(next) if white(next) => self.line_comment(out),
            Some(_) if !self.mysql => {
                self.differs = true;
                self.line_comment(out);
            }
            Some(_) => self.take(out, b'o', 1),
        }
    }

    fn slash(&mut self, out: &mut Token) {
        if self.peek(1) != Some(b'*') {
            return self.take(out, b'o', 1);
        }
        let rest = &self.text[self.at..];
        let end = find2(&rest[2..], b'*', b'/');
        // Nested comments and MySQL's conditional ones are read differently by each database.
        let nested = end.is_some_and(|end| find2(&rest[2..end + 3], b'/', b'*').is_some());
        let conditional = rest.get(2) == Some(&b'!');
        let length = end.map_or(rest.len(), |end| end + 4);
        self.take(out, if nested || conditional { b'X' } else { b'c' }, length);
    }

    /// A string whose text begins `skip` bytes further, up to `delimiter` that is neither escaped nor doubled.
    fn string(&mut self, out: &mut Token, delimiter: u8, skip: usize) {
        let start = self.at + skip;
        out.open = if skip > 0 { delimiter } else { 0 };
        let mut from = start;
        while let Some(found) = self.text.get(from..).and_then(|t| memchr::memchr(delimiter, t)) {
            let quote = from + found;
            let slashes = self.text[start..quote].iter().rev().take_while(|b| **b == b'\\').count();
            if slashes % 2 == 1 {
                from = quote + 1;
            } else if self.text.get(quote + 1) == Some(&delimiter) {
                from = quote + 2;
            } else {
                out.set(b's', &self.text[start..quote]);
                out.close = delimiter;
                self.at = quote + 1;
                return;
            }
        }
        out.set(b's', &self.text[start..]);
        out.close = 0;
        self.at = self.text.len();
    }

    fn escaped(&mut self, out: &mut Token) {
        if self.at + 2 >= self.text.len() || self.peek(1) != Some(b'\'') {
            return self.word(out);
        }
        self.string(out, b'\'', 2);
    }

    /// `b'…'` and `x'…'`.
    fn digits(&mut self, out: &mut Token, member: impl Fn(u8) -> bool) {
        if self.at + 2 >= self.text.len() || self.peek(1) != Some(b'\'') {
            return self.word(out);
        }
        let run = span(&self.text[self.at + 2..], member);
        if self.peek(2 + run) != Some(b'\'') {
            return self.word(out);
        }
        self.take(out, b'1', run + 3);
    }

    /// Oracle's `q'[…]'`, also after an `n`.
    fn oracle(&mut self, out: &mut Token, skip: usize) {
        let at = self.at + skip;
        let is_q = matches!(self.text.get(at), Some(b'q' | b'Q'));
        let (true, Some(b'\''), Some(&open)) = (is_q, self.text.get(at + 1), self.text.get(at + 2)) else {
            return self.word(out);
        };
        if !(33..128).contains(&open) {
            return self.word(out);
        }
        let close = match open {
            b'(' => b')',
            b'[' => b']',
            b'{' => b'}',
            b'<' => b'>',
            other => other,
        };
        let body = &self.text[at + 3..];
        out.open = b'q';
        match find2(body, close, b'\'') {
            Some(end) => {
                out.set(b's', &body[..end]);
                out.close = b'q';
                self.at = at + 3 + end + 2;
            }
            None => {
                out.set(b's', body);
                self.at = self.text.len();
            }
        }
    }

    fn word(&mut self, out: &mut Token) {
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|b| word_ends(*b)).unwrap_or(rest.len());
        out.set(b'n', &rest[..length]);
        for at in 0..out.length {
            if matches!(out.text[at], b'.' | b'`')
                && let Some(kind) = lookup(&out.text[..at])
                && kind != b'n'
            {
                // `SELECT.1`, `SELECT`column``.
                *out = Token::default();
                return self.take(out, kind, at);
            }
        }
        if length <= KEPT {
            out.kind = lookup(out.value()).unwrap_or(b'n');
        }
        self.at += length;
    }

    fn tick(&mut self, out: &mut Token) {
        self.string(out, b'`', 1);
        out.kind = if lookup(out.value()) == Some(b'f') { b'f' } else { b'n' };
    }

    fn variable(&mut self, out: &mut Token) {
        self.at += 1;
        if self.peek(0) == Some(b'@') {
            self.at += 1;
        }
        match self.peek(0) {
            Some(b'`') => self.tick(out),
            Some(quote @ (b'\'' | b'"')) => self.string(out, quote, 1),
            _ => {
                let rest = &self.text[self.at..];
                let length = rest.iter().position(|b| variable_ends(*b)).unwrap_or(rest.len());
                self.take(out, b'v', length);
            }
        }
        out.kind = b'v';
    }

    fn money(&mut self, out: &mut Token) {
        let rest = &self.text[self.at + 1..];
        if rest.is_empty() {
            return self.take(out, b'n', 1);
        }
        let run = span(rest, |b| b.is_ascii_digit() || matches!(b, b'.' | b','));
        if run == 1 && rest[0] == b'.' {
            return self.word(out);
        }
        if run > 0 {
            return self.take(out, b'1', run + 1);
        }
        let name = if rest[0] == b'$' { 0 } else { span(rest, |b| b.is_ascii_alphabetic()) };
        let named = rest[0] == b'$' || (name > 0 && rest.get(name) == Some(&b'$'));
        if !named {
            return self.take(out, b'n', 1);
        }
        // PostgreSQL's `$name$ … $name$`.
        let mark = &self.text[self.at..self.at + name + 2];
        let body = &self.text[self.at + name + 2..];
        out.open = b'$';
        match memchr::memmem::find(body, mark) {
            Some(end) => {
                out.set(b's', &body[..end]);
                out.close = b'$';
                self.at += mark.len() + end + mark.len();
            }
            None => {
                out.set(b's', body);
                self.at = self.text.len();
            }
        }
    }

    fn number(&mut self, out: &mut Token) {
        let rest = &self.text[self.at..];
        if rest[0] == b'0' && matches!(rest.get(1), Some(b'x' | b'X' | b'b' | b'B')) {
            let hex = matches!(rest[1], b'x' | b'X');
            let run = span(&rest[2..], |b| if hex { b.is_ascii_hexdigit() } else { matches!(b, b'0' | b'1') });
            return self.take(out, if run == 0 { b'n' } else { b'1' }, 2 + run);
        }
        let digits =
            |from: usize| rest.get(from..).unwrap_or_default().iter().take_while(|b| b.is_ascii_digit()).count();
        let mut at = digits(0);
        if rest.get(at) == Some(&b'.') {
            at += 1 + digits(at + 1);
            if at == 1 {
                return self.take(out, b'.', 1);
            }
        }
        let mut bare_exponent = false;
        if matches!(rest.get(at), Some(b'e' | b'E')) {
            at += 1 + usize::from(matches!(rest.get(at + 1), Some(b'+' | b'-')));
            let run = digits(at);
            bare_exponent = run == 0;
            at += run;
        }
        if matches!(rest.get(at), Some(b'd' | b'D' | b'f' | b'F'))
            && rest.get(at + 1).is_none_or(|next| white(*next) || matches!(next, b';' | b'u' | b'U'))
        {
            at += 1;
        }
        // `1234.e` is a word.
        self.take(out, if bare_exponent { b'n' } else { b'1' }, at);
    }
}

//! HTML 5 tokens as browsers, old ones too, see them (WHATWG HTML §13.2.5, with Internet Explorer's deviations).

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    TagOpen,
    TagEnd,
    AttributeName,
    AttributeValue,
    Comment,
    Doctype,
}

/// A token as a range of the input.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    pub kind: Kind,
    pub start: usize,
    pub length: usize,
}

/// Where the walk stands between tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Data,
    TagOpen,
    BeforeName,
    AfterName,
    BeforeValue,
    AfterQuoted,
    SelfClosing,
    TagClose,
    Quoted(u8),
    End,
}

/// Walks the tokens.
pub struct Walker<'a> {
    text: &'a [u8],
    at: usize,
    state: State,
    closing: bool,
}

fn blank(byte: u8) -> bool {
    // NUL counts, as it ends the C library's list of blanks.
    matches!(byte, b' ' | 9..=13 | 0)
}

impl<'a> Walker<'a> {
    pub fn new(text: &'a [u8], state: State) -> Self {
        Self { text, at: 0, state, closing: false }
    }

    fn find(&self, byte: u8, from: usize) -> Option<usize> {
        memchr::memchr(byte, self.text.get(from..)?).map(|n| from + n)
    }

    fn token(&mut self, kind: Kind, start: usize, end: usize, next: State, at: usize) -> Option<Token> {
        self.state = next;
        self.at = at;
        Some(Token { kind, start, length: end - start })
    }

    /// Skips blanks; the next byte. 0xff ends the input, as it equals the C library's end mark.
    fn skip(&mut self) -> Option<u8> {
        while let Some(&byte) = self.text.get(self.at) {
            if !blank(byte) {
                return (byte != 0xff).then_some(byte);
            }
            self.at += 1;
        }
        None
    }

    /// The next token.
    pub fn next(&mut self) -> Option<Token> {
        match self.state {
            State::Data => self.data(),
            State::TagOpen => self.tag_open(),
            State::BeforeName => self.before_name(),
            State::AfterName => match self.skip()? {
                b'/' => {
                    self.at += 1;
                    self.self_closing()
                }
                b'=' => {
                    self.at += 1;
                    self.before_value()
                }
                b'>' => self.tag_close(),
                _ => self.name(),
            },
            State::BeforeValue => self.before_value(),
            State::AfterQuoted => match *self.text.get(self.at)? {
                byte if blank(byte) => {
                    self.at += 1;
                    self.before_name()
                }
                b'/' => {
                    self.at += 1;
                    self.self_closing()
                }
                b'>' => self.token(Kind::TagEnd, self.at, self.at + 1, State::Data, self.at + 1),
                _ => self.before_name(),
            },
            State::SelfClosing => self.self_closing(),
            State::TagClose => self.tag_close(),
            State::Quoted(quote) => self.quoted(quote),
            State::End => None,
        }
    }

    fn data(&mut self) -> Option<Token> {
        let start = self.at;
        match self.find(b'<', start) {
            None if start == self.text.len() => None,
            None => self.token(Kind::Text, start, self.text.len(), State::End, self.text.len()),
            Some(open) if open == start => {
                self.at = open + 1;
                self.tag_open()
            }
            Some(open) => self.token(Kind::Text, start, open, State::TagOpen, open + 1),
        }
    }

    fn tag_open(&mut self) -> Option<Token> {
        match *self.text.get(self.at)? {
            b'!' => {
                self.at += 1;
                self.declaration()
            }
            b'/' => {
                self.at += 1;
                self.closing = true;
                match *self.text.get(self.at)? {
                    b'>' => self.data(),
                    byte if byte.is_ascii_alphabetic() => self.tag_name(),
                    _ => {
                        self.closing = false;
                        self.bogus()
                    }
                }
            }
            b'?' => {
                self.at += 1;
                self.bogus()
            }
            b'%' => {
                // Internet Explorer to version 9 reads `<% … %>` as a comment.
                self.at += 1;
                let start = self.at;
                match memchr::memmem::find(&self.text[start..], b"%>") {
                    Some(end) => self.token(Kind::Comment, start, start + end, State::Data, start + end + 2),
                    None => self.token(Kind::Comment, start, self.text.len(), State::End, self.text.len()),
                }
            }
            byte if byte.is_ascii_alphabetic() || byte == 0 => self.tag_name(),
            _ if self.at == 0 => self.data(),
            _ => self.token(Kind::Text, self.at - 1, self.at, State::Data, self.at),
        }
    }

    fn tag_name(&mut self) -> Option<Token> {
        let start = self.at;
        let stop = |b: &u8| *b != 0 && (blank(*b) || matches!(b, b'/' | b'>'));
        let Some(length) = self.text[start..].iter().position(stop) else {
            return self.token(Kind::TagOpen, start, self.text.len(), State::End, start);
        };
        let end = start + length;
        match self.text[end] {
            b'/' => self.token(Kind::TagOpen, start, end, State::SelfClosing, end + 1),
            b'>' if self.closing => {
                self.closing = false;
                self.token(Kind::TagEnd, start, end, State::Data, end + 1)
            }
            b'>' => self.token(Kind::TagOpen, start, end, State::TagClose, end),
            _ => self.token(Kind::TagOpen, start, end, State::BeforeName, end + 1),
        }
    }

    fn tag_close(&mut self) -> Option<Token> {
        self.closing = false;
        let next = if self.at + 1 < self.text.len() { State::Data } else { State::End };
        self.token(Kind::TagEnd, self.at, self.at + 1, next, self.at + 1)
    }

    fn before_name(&mut self) -> Option<Token> {
        loop {
            match self.skip()? {
                b'/' => {
                    self.at += 1;
                    if self.text.get(self.at).is_none_or(|b| *b == b'>') {
                        return self.self_closing();
                    }
                }
                b'>' => return self.token(Kind::TagEnd, self.at, self.at + 1, State::Data, self.at + 1),
                _ => return self.name(),
            }
        }
    }

    fn self_closing(&mut self) -> Option<Token> {
        if *self.text.get(self.at)? == b'>' {
            return self.token(Kind::TagEnd, self.at - 1, self.at + 1, State::Data, self.at + 1);
        }
        self.before_name()
    }

    fn name(&mut self) -> Option<Token> {
        let start = self.at;
        let stop = |b: &u8| blank(*b) || matches!(b, b'/' | b'=' | b'>');
        let Some(length) = self.text[start + 1..].iter().position(stop) else {
            return self.token(Kind::AttributeName, start, self.text.len(), State::End, self.text.len());
        };
        let end = start + 1 + length;
        let (next, at) = match self.text[end] {
            b'/' => (State::SelfClosing, end + 1),
            b'=' => (State::BeforeValue, end + 1),
            b'>' => (State::TagClose, end),
            _ => (State::AfterName, end + 1),
        };
        self.token(Kind::AttributeName, start, end, next, at)
    }

    fn before_value(&mut self) -> Option<Token> {
        match self.skip() {
            None => {
                self.state = State::End;
                None
            }
            Some(quote @ (b'"' | b'\'' | b'`')) => self.quoted(quote),
            Some(_) => {
                let start = self.at;
                match self.text[start..].iter().position(|b| blank(*b) || *b == b'>') {
                    None => self.token(Kind::AttributeValue, start, self.text.len(), State::End, self.at),
                    Some(n) if self.text[start + n] == b'>' => {
                        self.token(Kind::AttributeValue, start, start + n, State::TagClose, start + n)
                    }
                    Some(n) => self.token(Kind::AttributeValue, start, start + n, State::BeforeName, start + n + 1),
                }
            }
        }
    }

    fn quoted(&mut self, quote: u8) -> Option<Token> {
        // At the very beginning there is no quote to skip: the input stands within one.
        let start = self.at + usize::from(self.at > 0);
        match self.find(quote, start) {
            Some(end) => self.token(Kind::AttributeValue, start, end, State::AfterQuoted, end + 1),
            None => self.token(Kind::AttributeValue, start, self.text.len(), State::End, start),
        }
    }

    fn bogus(&mut self) -> Option<Token> {
        let start = self.at;
        match self.find(b'>', start) {
            Some(end) => self.token(Kind::Comment, start, end, State::Data, end + 1),
            None => self.token(Kind::Comment, start, self.text.len(), State::End, self.text.len()),
        }
    }

    fn declaration(&mut self) -> Option<Token> {
        let rest = &self.text[self.at..];
        if rest.len() >= 7 && rest[..7].eq_ignore_ascii_case(b"DOCTYPE") {
            let start = self.at;
            return match self.find(b'>', start) {
                Some(end) => self.token(Kind::Doctype, start, end, State::Data, end + 1),
                None => self.token(Kind::Doctype, start, self.text.len(), State::End, start),
            };
        }
        if rest.starts_with(b"[CDATA[") {
            let start = self.at + 7;
            return match memchr::memmem::find(&self.text[start..], b"]]>") {
                Some(end) => self.token(Kind::Text, start, start + end, State::Data, start + end + 3),
                None => self.token(Kind::Text, start, self.text.len(), State::End, start),
            };
        }
        if rest.starts_with(b"--") {
            self.at += 2;
            return self.comment();
        }
        self.bogus()
    }

    /// A comment ends in `-->` or `-!>`; NULs may stand after the first dash.
    fn comment(&mut self) -> Option<Token> {
        let start = self.at;
        let mut from = start;
        let whole = |w: &mut Self| w.token(Kind::Comment, start, w.text.len(), State::End, start);
        loop {
            let Some(dash) = self.find(b'-', from).filter(|d| d + 3 <= self.text.len()) else { return whole(self) };
            let Some(skip) = self.text[dash + 1..].iter().position(|b| *b != 0) else { return whole(self) };
            let mark = dash + 1 + skip;
            if matches!(self.text[mark], b'-' | b'!') {
                match self.text.get(mark + 1) {
                    None => return whole(self),
                    Some(b'>') => return self.token(Kind::Comment, start, dash, State::Data, mark + 2),
                    Some(_) => {}
                }
            }
            from = dash + 1;
        }
    }
}

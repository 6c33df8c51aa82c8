//! Runs of tokens folded, so that many spellings have one fingerprint.

use super::tokens::{Lexer, Token, lookup};

/// A fingerprint has at most this many tokens.
pub const MOST: usize = 5;

/// The folded tokens.
#[derive(Default)]
pub struct Folded {
    pub tokens: [Token; 8],
    pub count: usize,
}

fn arithmetic(token: &Token) -> bool {
    token.kind == b'o' && token.length == 1 && b"*/-+%".contains(&token.text[0])
}

fn unary(token: &Token) -> bool {
    token.kind == b'o'
        && match token.value() {
            [one] => b"+-!~".contains(one),
            [a, b] => [*a, *b] == *b"!!",
            [_, _, _] => token.is("NOT"),
            _ => false,
        }
}

/// Joins two words into a known phrase.
fn merge(a: &mut Token, b: &Token) -> bool {
    if !b"knoUfETt".contains(&a.kind) || !b"knoUfETt&".contains(&b.kind) {
        return false;
    }
    let length = a.length + b.length + 1;
    if length >= 32 {
        return false;
    }
    let mut text = [0; 32];
    text[..a.length].copy_from_slice(a.value());
    text[a.length] = b' ';
    text[a.length + 1..length].copy_from_slice(b.value());
    let Some(kind) = lookup(&text[..length]) else { return false };
    a.kind = kind;
    a.length = length;
    a.text = text;
    true
}

/// Names that are functions when a parenthesis follows.
const CALLED: &[&str] = &[
    "USER_ID",
    "USER_NAME",
    "DATABASE",
    "PASSWORD",
    "USER",
    "CURRENT_USER",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "LOCALTIME",
    "LOCALTIMESTAMP",
];

/// What a rule of two or three tokens decided.
enum Step {
    /// Look again from the tokens that remain.
    Again,
    /// No rule applies.
    Next,
    /// Cannot be read with certainty.
    Evil,
}

struct Folder {
    tokens: [Token; 8],
    /// Where the next token goes.
    end: usize,
    /// Tokens that are settled.
    left: usize,
}

/// Folds the tokens of `lexer`.
pub fn fold(lexer: &mut Lexer<'_>) -> Folded {
    let mut f = Folder { tokens: [Token::default(); 8], end: 0, left: 0 };
    let mut comment: Option<Token> = None;
    let mut more = true;
    while more {
        more = lexer.next(&mut f.tokens[0]);
        let first = &f.tokens[0];
        if !(matches!(first.kind, b'c' | b'(' | b't') || unary(first)) {
            break;
        }
    }
    if !more {
        return Folded::default();
    }
    f.end = 1;
    loop {
        if f.end >= MOST {
            f.five();
        }
        if !more || f.left >= MOST {
            f.left = f.end;
            break;
        }
        more = f.fill(lexer, 2, more, &mut comment);
        if f.end - f.left < 2 {
            f.left = f.end;
            continue;
        }
        match f.two() {
            Step::Again => continue,
            Step::Evil => return Folded { count: f.left + 2, tokens: f.tokens },
            Step::Next => {}
        }
        more = f.fill(lexer, 3, more, &mut comment);
        if f.end - f.left < 3 {
            f.left = f.end;
            continue;
        }
        if let Step::Again = f.three() {
            continue;
        }
        f.left += 1;
    }
    if let Some(comment) = comment.filter(|_| f.left < MOST) {
        f.tokens[f.left] = comment;
        f.left += 1;
    }
    Folded { count: f.left.min(MOST), tokens: f.tokens }
}

impl Folder {
    /// Reads until `wanted` tokens follow the settled ones; says whether there may be more.
    fn fill(&mut self, lexer: &mut Lexer<'_>, wanted: usize, mut more: bool, comment: &mut Option<Token>) -> bool {
        while more && self.end <= MOST && self.end - self.left < wanted {
            more = lexer.next(&mut self.tokens[self.end]);
            if more {
                if self.tokens[self.end].kind == b'c' {
                    *comment = Some(self.tokens[self.end]);
                } else {
                    *comment = None;
                    self.end += 1;
                }
            }
        }
        more
    }

    /// Lists and products in parentheses that fill the fingerprint are shortened.
    fn five(&mut self) {
        let kinds: [u8; MOST] = std::array::from_fn(|i| self.tokens[i].kind);
        let shorten = matches!(
            &kinds,
            [b'1', b'o' | b',', b'(', b'1', b')']
                | [b'n', b'o', b'(', b'n' | b'1', b')']
                | [b'1', b')', b',', b'(', b'1']
                | [b'n', b')', b'o', b'(', b'n']
        );
        if shorten {
            self.left = 0;
            if self.end > MOST {
                self.tokens[1] = self.tokens[MOST];
                self.end = 2;
            } else {
                self.end = 1;
            }
        }
    }

    /// Takes `count` tokens off the end and starts over.
    fn drop(&mut self, count: usize) -> Step {
        self.end -= count;
        self.left = 0;
        Step::Again
    }

    fn back(&mut self) -> Step {
        self.end -= 1;
        self.left = self.left.saturating_sub(1);
        Step::Again
    }

    fn two(&mut self) -> Step {
        let (head, tail) = self.tokens.split_at_mut(self.left + 1);
        let (a, b) = (&mut head[self.left], &mut tail[0]);
        match (a.kind, b.kind) {
            (b's', b's') | (b';', b';') => {
                self.end -= 1;
                Step::Again
            }
            (b'o' | b'&', _) if unary(b) || b.kind == b't' => self.drop(1),
            (b'(', _) if unary(b) => self.back(),
            _ if merge(a, b) => self.back(),
            (b';', b'f') if b.text[..2].eq_ignore_ascii_case(b"IF") => {
                b.kind = b'T';
                Step::Again
            }
            (b'n' | b'v', b'(') if CALLED.iter().any(|name| a.is(name)) => {
                a.kind = b'f';
                Step::Again
            }
            (b'k', next) if a.is("IN") || a.is("NOT IN") => {
                a.kind = if next == b'(' { b'o' } else { b'n' };
                Step::Again
            }
            (b'o', next) if a.is("LIKE") || a.is("NOT LIKE") => {
                if next == b'(' {
                    a.kind = b'f';
                }
                Step::Next
            }
            (b't', b'n' | b'1' | b't' | b'(' | b'f' | b'v' | b's') => {
                *a = *b;
                self.drop(1)
            }
            (b'A', b'n') => {
                // There are too many collations to list; they have an underscore.
                if b.value().split(|c| *c == 0).next().is_some_and(|v| v.contains(&b'_')) {
                    b.kind = b't';
                    self.left = 0;
                }
                Step::Next
            }
            (b'\\', _) if arithmetic(b) => {
                a.kind = b'1';
                self.left = 0;
                Step::Again
            }
            (b'\\', _) => {
                *a = *b;
                self.drop(1)
            }
            (b'(', b'(') | (b')', b')') => self.drop(1),
            (b'{', b'n') if b.length == 0 => {
                b.kind = b'X';
                Step::Evil
            }
            (b'{', b'n') => self.drop(2),
            (_, b'}') => self.drop(1),
            _ => Step::Next,
        }
    }

    fn three(&mut self) -> Step {
        let at = self.left;
        let (a, b, c) = (self.tokens[at], self.tokens[at + 1], self.tokens[at + 2]);
        let lift = |f: &mut Self| {
            f.tokens[at + 1] = f.tokens[at + 2];
        };
        match (a.kind, b.kind, c.kind) {
            (b'1', b'o', b'1') => self.drop(2),
            (b'o', middle, b'o') if middle != b'(' => self.drop(2),
            (b'&', _, b'&') => self.drop(2),
            (b'v', b'o', b'v' | b'1' | b'n') => self.drop(2),
            (b'n' | b'1', b'o', b'1' | b'n') => self.drop(2),
            (b'n' | b'1' | b'v' | b's', b'o', b't') if b.value() == b"::" => self.drop(2),
            (b'n' | b'1' | b's' | b'v', b',', b'1' | b'n' | b's' | b'v') => self.drop(2),
            (b'E' | b'B' | b',', _, b'(') if unary(&b) => {
                lift(self);
                self.drop(1)
            }
            (b'k' | b'E' | b'B', _, b'1' | b'n' | b'v' | b's' | b'f') if unary(&b) => {
                lift(self);
                self.drop(1)
            }
            (b',', _, b'1' | b'n' | b'v' | b's') if unary(&b) => {
                // `1,-1` becomes `1`: one token further back.
                lift(self);
                self.drop(3)
            }
            (b',', _, b'f') if unary(&b) => {
                lift(self);
                self.drop(1)
            }
            (b'n', b'.', b'n') => self.drop(2),
            (b'E', b'.', b'n') => {
                lift(self);
                self.drop(1)
            }
            (b'f', b'(', last) if last != b')' => {
                // `USER` takes no argument.
                if a.is("USER") {
                    self.tokens[at].kind = b'n';
                }
                Step::Next
            }
            _ => Step::Next,
        }
    }
}

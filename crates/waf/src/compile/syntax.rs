//! The syntax of PCRE over bytes, for patterns that are not regular.

use crate::transform::{ByteSet, presence};
use std::fmt::Write;

/// How a repetition prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Greedy,
    Lazy,
    Possessive,
}

/// A piece of a pattern.
#[derive(Clone, Debug)]
pub enum Node {
    /// One byte of a set.
    Class(ByteSet),
    /// `^`.
    Start,
    /// `$`.
    End,
    /// `\A`, or `\z` when set.
    Text(bool),
    /// `\b`, or `\B` when set.
    Boundary(bool),
    Group(Box<Node>, usize),
    /// `\1`, and whether in any case.
    Back(usize, bool),
    /// `(?=…)`, or `(?!…)` when set.
    Ahead(Box<Node>, bool),
    /// `(?<=…)`, or `(?<!…)` when set, and the lengths that it can have.
    Behind(Box<Node>, bool, usize, usize),
    /// `(?>…)`.
    Atomic(Box<Node>),
    Concat(Vec<Node>),
    Alternation(Vec<Node>),
    /// What, how often at least and at most, and in which preference.
    Repeat(Box<Node>, usize, usize, Kind),
}

/// Nesting of groups.
const NESTING: usize = 100;
/// What stands behind is no longer than this.
const BEHIND: usize = 256;

const FULL: ByteSet = [u64::MAX; 4];

impl Node {
    /// A regular pattern that matches whatever this one matches.
    pub fn skeleton(&self, out: &mut String) {
        match self {
            Self::Class(set) => {
                out.push('[');
                let has = |b: usize| set[b >> 6] >> (b & 63) & 1 == 1;
                let mut byte = 0;
                while byte < 256 {
                    let end = (byte..256).take_while(|b| has(*b)).last();
                    if let Some(end) = end {
                        let _ = write!(out, r"\x{byte:02x}-\x{end:02x}");
                        byte = end;
                    }
                    byte += 1;
                }
                // An empty set is written as the complement of all.
                if out.ends_with('[') {
                    out.push_str(r"^\x00-\xff");
                }
                out.push(']');
            }
            Self::Start => out.push('^'),
            Self::End => out.push('$'),
            Self::Text(end) => out.push_str(if *end { r"\z" } else { r"\A" }),
            Self::Boundary(inside) => out.push_str(if *inside { r"\B" } else { r"\b" }),
            Self::Group(inner, _) | Self::Atomic(inner) => {
                out.push_str("(?:");
                inner.skeleton(out);
                out.push(')');
            }
            Self::Back(..) => out.push_str(r"[\x00-\xff]*"),
            Self::Ahead(..) | Self::Behind(..) => out.push_str("(?:)"),
            Self::Concat(list) => list.iter().for_each(|n| n.skeleton(out)),
            Self::Alternation(list) => {
                out.push_str("(?:");
                for (index, node) in list.iter().enumerate() {
                    out.push_str(if index > 0 { "|" } else { "" });
                    node.skeleton(out);
                }
                out.push(')');
            }
            Self::Repeat(inner, least, most, _) => {
                out.push_str("(?:");
                inner.skeleton(out);
                let most = if *most == usize::MAX { String::new() } else { most.to_string() };
                let _ = write!(out, "){{{least},{most}}}");
            }
        }
    }

    /// The bytes with which a match can begin, and whether it can be empty.
    pub fn first(&self) -> (ByteSet, bool) {
        match self {
            Self::Class(set) => (*set, false),
            Self::Group(inner, _) | Self::Atomic(inner) => inner.first(),
            Self::Back(..) => (FULL, true),
            Self::Concat(list) => {
                let mut set = [0; 4];
                for node in list {
                    let (more, empty) = node.first();
                    set = both(&set, &more);
                    if !empty {
                        return (set, false);
                    }
                }
                (set, true)
            }
            Self::Alternation(list) => list.iter().fold(([0; 4], false), |(set, empty), node| {
                let (more, also) = node.first();
                (both(&set, &more), empty || also)
            }),
            Self::Repeat(inner, least, ..) => {
                let (set, empty) = inner.first();
                (set, empty || *least == 0)
            }
            _ => ([0; 4], true),
        }
    }

    /// The least and the greatest length of a match; none when it has no bound.
    fn lengths(&self) -> Option<(usize, usize)> {
        Some(match self {
            Self::Class(_) => (1, 1),
            Self::Group(inner, _) | Self::Atomic(inner) => inner.lengths()?,
            Self::Back(..) => return None,
            Self::Concat(list) => list.iter().try_fold((0_usize, 0_usize), |(a, b), n| {
                let (c, d) = n.lengths()?;
                Some((a.saturating_add(c), b.saturating_add(d)))
            })?,
            Self::Alternation(list) => list.iter().try_fold((usize::MAX, 0), |(a, b), n| {
                let (c, d) = n.lengths()?;
                Some((a.min(c), b.max(d)))
            })?,
            Self::Repeat(inner, least, most, _) if *most < usize::MAX => {
                let (a, b) = inner.lengths()?;
                (a.saturating_mul(*least), b.saturating_mul(*most))
            }
            Self::Repeat(..) => return None,
            _ => (0, 0),
        })
    }
}

fn both(a: &ByteSet, b: &ByteSet) -> ByteSet {
    [a[0] | b[0], a[1] | b[1], a[2] | b[2], a[3] | b[3]]
}

fn not(set: &ByteSet) -> ByteSet {
    set.map(|w| !w)
}

fn of(wanted: impl Fn(u8) -> bool) -> ByteSet {
    presence(&(0..=255).filter(|b| wanted(*b)).collect::<Vec<u8>>())
}

struct Parser<'p> {
    text: &'p [u8],
    at: usize,
    groups: usize,
    any_case: bool,
    depth: usize,
}

/// Reads a pattern: its tree, and how many groups it has.
///
/// # Errors
/// The reason, when the syntax is not known.
pub fn parse(pattern: &str) -> Result<(Node, usize), String> {
    let mut parser = Parser { text: pattern.as_bytes(), at: 0, groups: 0, any_case: false, depth: 0 };
    let node = parser.alternation().map_err(|reason| format!("pattern `{pattern}`: {reason}"))?;
    if parser.at < pattern.len() {
        return Err(format!("pattern `{pattern}`: a `)` without its `(`"));
    }
    Ok((node, parser.groups))
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.text[self.at..].starts_with(text.as_bytes());
        self.at += if found { text.len() } else { 0 };
        found
    }

    fn alternation(&mut self) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > NESTING {
            return Err("groups are nested too deep".to_owned());
        }
        let case = self.any_case;
        let mut list = vec![self.concat()?];
        while self.eat("|") {
            list.push(self.concat()?);
        }
        // Flags hold to the end of their group.
        self.any_case = case;
        self.depth -= 1;
        Ok(if list.len() == 1 { list.remove(0) } else { Node::Alternation(list) })
    }

    fn concat(&mut self) -> Result<Node, String> {
        let mut list = Vec::new();
        while let Some(byte) = self.peek() {
            if matches!(byte, b'|' | b')') {
                break;
            }
            if let Some(atom) = self.atom()? {
                list.push(self.quantified(atom)?);
            }
        }
        Ok(if list.len() == 1 { list.remove(0) } else { Node::Concat(list) })
    }

    fn quantified(&mut self, atom: Node) -> Result<Node, String> {
        let (least, most) = match self.peek() {
            Some(b'*') => (0, usize::MAX),
            Some(b'+') => (1, usize::MAX),
            Some(b'?') => (0, 1),
            Some(b'{') => match self.counts() {
                Some(counts) => counts,
                None => return Ok(atom),
            },
            _ => return Ok(atom),
        };
        self.at += 1;
        if least > most || (most < usize::MAX && most > 1000) || least > 1000 {
            return Err("a repetition's counts are out of range".to_owned());
        }
        let kind = match self.peek() {
            Some(b'?') => Kind::Lazy,
            Some(b'+') => Kind::Possessive,
            _ => Kind::Greedy,
        };
        self.at += usize::from(kind != Kind::Greedy);
        if matches!(self.peek(), Some(b'*' | b'+' | b'?')) {
            return Err("a quantifier follows a quantifier".to_owned());
        }
        Ok(match (&atom, kind) {
            (Node::Class(_), _) | (_, Kind::Greedy | Kind::Lazy) => Node::Repeat(Box::new(atom), least, most, kind),
            _ => Node::Atomic(Box::new(Node::Repeat(Box::new(atom), least, most, Kind::Greedy))),
        })
    }

    /// `{2}`, `{2,}`, `{2,5}`: the counts, with the place before the closing brace; none when the brace stands for itself.
    fn counts(&mut self) -> Option<(usize, usize)> {
        let end = self.text[self.at..].iter().position(|b| *b == b'}')? + self.at;
        let inside = std::str::from_utf8(&self.text[self.at + 1..end]).ok()?;
        let (least, most) = inside.split_once(',').unwrap_or((inside, inside));
        let number = |t: &str| t.bytes().all(|b| b.is_ascii_digit()).then(|| t.parse::<usize>().ok()).flatten();
        let counts = (number(least)?, if most.is_empty() { usize::MAX } else { number(most)? });
        self.at = end;
        Some(counts)
    }

    fn literal(&self, byte: u8) -> Node {
        Node::Class(self.fold(presence(&[byte])))
    }

    fn fold(&self, set: ByteSet) -> ByteSet {
        if !self.any_case {
            return set;
        }
        let has = |b: u8| set[usize::from(b >> 6)] >> (b & 63) & 1 == 1;
        of(|b| has(b) || has(b.to_ascii_lowercase()) || has(b.to_ascii_uppercase()))
    }

    /// One atom; none for flags.
    fn atom(&mut self) -> Result<Option<Node>, String> {
        let Some(byte) = self.peek() else { return Ok(None) };
        self.at += 1;
        Ok(Some(match byte {
            b'.' => Node::Class(FULL),
            b'^' => Node::Start,
            b'$' => Node::End,
            b'[' => Node::Class(self.class()?),
            b'(' => return self.group(),
            b'\\' => self.escape()?,
            b'*' | b'+' | b'?' => return Err("nothing to repeat".to_owned()),
            byte => self.literal(byte),
        }))
    }

    fn group(&mut self) -> Result<Option<Node>, String> {
        enum Is {
            Plain,
            Capture(usize),
            Ahead(bool),
            Behind(bool),
            Atomic,
        }
        let case = self.any_case;
        let is = if !self.eat("?") {
            self.groups += 1;
            Is::Capture(self.groups)
        } else if self.eat(":") {
            Is::Plain
        } else if self.eat("=") {
            Is::Ahead(false)
        } else if self.eat("!") {
            Is::Ahead(true)
        } else if self.eat("<=") {
            Is::Behind(false)
        } else if self.eat("<!") {
            Is::Behind(true)
        } else if self.eat(">") {
            Is::Atomic
        } else {
            let mut on = true;
            loop {
                let flag = self.peek();
                self.at += 1;
                match flag {
                    Some(b'i') => self.any_case = on,
                    Some(b'-') => on = false,
                    // `.` matches line breaks and `^`, `$` match at them whatever is said.
                    Some(b's' | b'm') if on => {}
                    Some(b')') => return Ok(None),
                    Some(b':') => break,
                    _ => return Err("a group of this kind is not supported".to_owned()),
                }
            }
            Is::Plain
        };
        let inner = Box::new(self.alternation()?);
        self.any_case = case;
        if !self.eat(")") {
            return Err("a group is not closed".to_owned());
        }
        Ok(Some(match is {
            Is::Plain => *inner,
            Is::Capture(index) => Node::Group(inner, index),
            Is::Ahead(negated) => Node::Ahead(inner, negated),
            Is::Behind(negated) => {
                let (least, most) =
                    inner.lengths().filter(|l| l.1 <= BEHIND).ok_or("what stands behind has no bound")?;
                Node::Behind(inner, negated, least, most)
            }
            Is::Atomic => Node::Atomic(inner),
        }))
    }

    fn escape(&mut self) -> Result<Node, String> {
        let Some(byte) = self.peek() else { return Err("ends in a backslash".to_owned()) };
        match byte {
            b'1'..=b'9' => {
                self.at += 1;
                let index = usize::from(byte - b'0');
                // The group may be open still, but must have begun.
                if index > self.groups || self.peek().is_some_and(|b| b.is_ascii_digit()) {
                    return Err(format!("\\{index} names no group before it"));
                }
                return Ok(Node::Back(index, self.any_case));
            }
            b'b' | b'B' => {
                self.at += 1;
                return Ok(Node::Boundary(byte == b'B'));
            }
            b'A' | b'z' => {
                self.at += 1;
                return Ok(Node::Text(byte == b'z'));
            }
            _ => {}
        }
        let set = self.escaped_set()?;
        Ok(Node::Class(self.fold(set)))
    }

    /// What an escape stands for, inside of a class or outside.
    fn escaped_set(&mut self) -> Result<ByteSet, String> {
        let Some(byte) = self.peek() else { return Err("ends in a backslash".to_owned()) };
        self.at += 1;
        let space = of(|b| matches!(b, b' ' | 9..=13));
        let vertical = of(|b| matches!(b, 10..=13 | 0x85));
        let across = of(|b| matches!(b, b' ' | b'\t' | 0xa0));
        let word = of(|b| b.is_ascii_alphanumeric() || b == b'_');
        let digit = of(|b| b.is_ascii_digit());
        Ok(match byte {
            b'd' => digit,
            b'D' => not(&digit),
            b's' => space,
            b'S' => not(&space),
            b'w' => word,
            b'W' => not(&word),
            b'v' => vertical,
            b'V' => not(&vertical),
            b'h' => across,
            b'H' => not(&across),
            b'n' => presence(b"\n"),
            b'r' => presence(b"\r"),
            b't' => presence(b"\t"),
            b'f' => presence(b"\x0c"),
            b'a' => presence(b"\x07"),
            b'e' => presence(b"\x1b"),
            b'0' => presence(b"\0"),
            b'x' => {
                let braces = self.eat("{");
                let digits = self.text[self.at..].iter().take(2).take_while(|b| b.is_ascii_hexdigit()).count();
                let text = std::str::from_utf8(&self.text[self.at..self.at + digits]).unwrap_or_default();
                let code = u8::from_str_radix(text, 16).map_err(|_| "\\x without digits".to_owned())?;
                self.at += digits;
                if braces && !self.eat("}") {
                    return Err("\\x{…} is not a byte".to_owned());
                }
                presence(&[code])
            }
            b if b.is_ascii_alphanumeric() => return Err(format!("\\{} is not supported", char::from(b))),
            b => presence(&[b]),
        })
    }

    fn class(&mut self) -> Result<ByteSet, String> {
        let negated = self.eat("^");
        let mut set = [0; 4];
        let mut first = true;
        loop {
            let Some(byte) = self.peek() else { return Err("a class is not closed".to_owned()) };
            if byte == b']' && !first {
                self.at += 1;
                break;
            }
            first = false;
            if self.text[self.at..].starts_with(b"[:")
                && let Some(end) = self.text[self.at..].windows(2).position(|w| w == b":]")
            {
                set = both(&set, &posix(&self.text[self.at + 2..self.at + end])?);
                self.at += end + 2;
                continue;
            }
            let (low, single) = self.member()?;
            let dash = self.peek() == Some(b'-') && self.text.get(self.at + 1).is_some_and(|b| *b != b']');
            match single.filter(|_| dash) {
                Some(from) => {
                    self.at += 1;
                    let (_, to) = self.member()?;
                    let to = to.filter(|to| *to >= from).ok_or("a range of a class is out of order")?;
                    set = both(&set, &of(|b| (from..=to).contains(&b)));
                }
                None => set = both(&set, &low),
            }
        }
        let set = self.fold(set);
        Ok(if negated { not(&set) } else { set })
    }

    /// A member of a class: its set, and the byte if it is one.
    fn member(&mut self) -> Result<(ByteSet, Option<u8>), String> {
        let Some(byte) = self.peek() else { return Err("a class is not closed".to_owned()) };
        self.at += 1;
        let set = match byte {
            b'\\' if self.eat("b") => presence(b"\x08"),
            b'\\' => self.escaped_set()?,
            byte => presence(&[byte]),
        };
        let mut bytes = (0..=255_u8).filter(|b| set[usize::from(b >> 6)] >> (b & 63) & 1 == 1);
        let single = bytes.next().filter(|_| bytes.next().is_none());
        Ok((set, single))
    }
}

fn posix(name: &[u8]) -> Result<ByteSet, String> {
    Ok(match name {
        b"alpha" => of(|b| b.is_ascii_alphabetic()),
        b"digit" => of(|b| b.is_ascii_digit()),
        b"alnum" => of(|b| b.is_ascii_alphanumeric()),
        b"upper" => of(|b| b.is_ascii_uppercase()),
        b"lower" => of(|b| b.is_ascii_lowercase()),
        b"space" => of(|b| matches!(b, b' ' | 9..=13)),
        b"punct" => of(|b| b.is_ascii_punctuation()),
        b"xdigit" => of(|b| b.is_ascii_hexdigit()),
        b"word" => of(|b| b.is_ascii_alphanumeric() || b == b'_'),
        b"cntrl" => of(|b| b.is_ascii_control()),
        b"print" => of(|b| matches!(b, 0x20..=0x7e)),
        b"graph" => of(|b| matches!(b, 0x21..=0x7e)),
        b"blank" => of(|b| matches!(b, b' ' | b'\t')),
        _ => return Err(format!("[:{}:] is not supported", String::from_utf8_lossy(name))),
    })
}

//! Inputs for the detectors of SQL injection and XSS: random phrases of words that matter to them, and mutations of given lines.

/// SplitMix64: inputs are the same on every run.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

const WORDS: &[&str] = &[
    "select",
    "union",
    "all",
    "from",
    "where",
    "and",
    "or",
    "not",
    "in",
    "like",
    "1",
    "0x1f",
    "1e5",
    "1.e",
    ".",
    "'",
    "\"",
    "`",
    "--",
    "-- ",
    "#",
    "/*",
    "*/",
    "/*!",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ",",
    ";",
    ":",
    "::",
    ":=",
    "@",
    "@@",
    "@`a`",
    "$",
    "$$",
    "$a$",
    "$1.2",
    "\\",
    "\\N",
    "||",
    "&&",
    "!!",
    "!",
    "<=>",
    "<>",
    "=",
    "+",
    "-",
    "~",
    "%",
    "^",
    "null",
    "if",
    "case",
    "user(",
    "user",
    "database()",
    "collate",
    "latin1_bin",
    "int",
    "date",
    "binary",
    "x'41'",
    "b'01'",
    "n'a'",
    "q'(a)'",
    "nq'[a]'",
    "u&'a'",
    "e'a'",
    "sp_password",
    "into outfile",
    "drop table",
    "exec",
    "waitfor delay",
    "foo",
    "bar",
    " ",
    "\n",
    "\t",
    "\u{0}",
    "\u{a0}",
    "é",
    "<",
    ">",
    "<script",
    "</",
    "<!--",
    "-->",
    "--!>",
    "<![CDATA[",
    "]]>",
    "<!doctype",
    "<?xml",
    "<%",
    "%>",
    "<svg",
    "<a href=",
    "onclick=",
    "style=",
    "src=",
    "xlink:href=",
    "javascript:",
    "&#106;",
    "&#x6a",
    "data:",
    "/",
    "/>",
    "<!ENTITY",
    "attributename=",
    "xmlns:",
    "1d",
    "1funion",
];

/// A phrase of up to thirteen words.
pub fn phrase(random: &mut Random) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..=random.below(12) {
        match random.below(12) {
            0 => out.push(random.next() as u8),
            1 => out.push(b' '),
            _ => out.extend_from_slice(WORDS[random.below(WORDS.len())].as_bytes()),
        }
    }
    out
}

/// A line with up to four changes.
pub fn mutate(random: &mut Random, line: &[u8]) -> Vec<u8> {
    let mut out = line.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(out.len() + 1);
        match random.below(6) {
            0 if at < out.len() => {
                out.remove(at);
            }
            1 => out.insert(at, random.next() as u8),
            2 => {
                let word = WORDS[random.below(WORDS.len())].as_bytes();
                out.splice(at..at, word.iter().copied());
            }
            3 if at < out.len() => out[at] ^= 0x20,
            4 => out.truncate(at),
            _ => {
                out.drain(..at);
            }
        }
    }
    out
}

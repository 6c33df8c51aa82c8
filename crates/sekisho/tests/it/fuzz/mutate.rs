//! Mutations of a corpus: bits, bytes, pieces cut out, doubled, swapped in from another input, and words that readers
//! look for.

use sekisho_kernel::{SystemRng, rng};

const WORDS: &[&[u8]] = &[
    b"\0",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\n\n",
    b"\xff\xff\xff\xff",
    b"\x80",
    b"\xe2\x80\x94 ",
    b"=",
    b"==",
    b"-1",
    b"0",
    b"18446744073709551615",
    b"9223372036854775808",
    b"%00",
    b"%2f",
    b"../",
    b"//",
    b"\\",
    b"@",
    b":",
    b"::1",
    b"[::]",
    b"[",
    b"]",
    b"\"",
    b"'",
    b"{",
    b"}",
    b"#",
    b"[listen]\n",
    b"extends = \"mist\"\n",
    b"GET ",
    b"POST ",
    b" HTTP/1.1\r\n",
    b" HTTP/1.0\r\n",
    b"Host: acme.app.localhost\r\n",
    b"Host: acme.console.localhost\r\n",
    b"Connection: close\r\n",
    b"Connection: upgrade\r\n",
    b"Upgrade: websocket\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 5\r\n",
    b"Cookie: __Host-sekisho=",
    b"Sekisho-Assertion: ",
    b"X-Forwarded-For: ",
    b"X-Forwarded-Host: ",
    b"0\r\n\r\n",
    b"<fuzz x=1>",
    b"\"><fuzz>",
    b"%3Cfuzz%3E",
    b"{token}",
    b"{other}",
    b"{site}",
    b"{user}",
    b"null",
    b"true",
    b"[]",
    b"\\u0000",
    b"\xf0\x9f\x98\x80",
    b"\xe3\x82\xab\xef\xbd\xb6",
    b"1e999",
    b"If-Match: \"1\"\r\n",
    b"Idempotency-Key: x\r\n",
];

/// A number nobody can foresee, to begin with.
pub fn chance() -> u64 {
    u64::from_be_bytes(rng::bytes(&SystemRng))
}

/// Makes inputs. The same beginning and corpus make the same inputs.
pub struct Mutator<'a> {
    state: u64,
    corpus: &'a [Vec<u8>],
}

impl<'a> Mutator<'a> {
    /// From a beginning and a corpus with something in it.
    pub fn new(seed: u64, corpus: &'a [Vec<u8>]) -> Self {
        Self { state: seed | 1, corpus }
    }

    fn below(&mut self, end: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        if end == 0 { 0 } else { (self.state >> 11) as usize % end }
    }

    fn piece(&mut self, of: &[u8]) -> Vec<u8> {
        let start = self.below(of.len());
        let length = self.below((of.len() - start).min(64) + 1);
        of[start..start + length].to_vec()
    }

    /// The next input, at most `longest` bytes.
    pub fn next(&mut self, longest: usize) -> Vec<u8> {
        let at = self.below(self.corpus.len());
        let mut input = self.corpus[at].clone();
        for _ in 0..=self.below(4) {
            self.change(&mut input);
        }
        input.truncate(longest);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let insert = match self.below(8) {
            0 if at < input.len() => {
                input[at] ^= 1 << self.below(8);
                return;
            }
            1 if at < input.len() => {
                input[at] = self.below(256) as u8;
                return;
            }
            2 => {
                let length = self.below((input.len() - at).min(64) + 1);
                input.drain(at..at + length);
                return;
            }
            3 => {
                input.truncate(at);
                return;
            }
            4 => self.piece(&input.clone()),
            5 => {
                let other = self.below(self.corpus.len());
                self.piece(&self.corpus[other])
            }
            6 => vec![self.below(256) as u8; 1 + self.below(300)],
            _ => WORDS[self.below(WORDS.len())].to_vec(),
        };
        input.splice(at..at, insert);
    }
}

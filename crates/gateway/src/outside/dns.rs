//! TXT records, asked of the resolver over TCP (RFC 1035, RFC 7766): nobody beside the path can slip an answer in.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const TXT: u16 = 16;
const CNAME: u16 = 5;
const INTERNET: u16 = 1;
/// Largest answer that is read.
const LARGEST: usize = 32 * 1024;
/// Most names that lead on to each other.
const MOST_ALIASES: usize = 8;

fn broken(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// The question as it goes over TCP, with its length before it.
pub fn question(id: u16, name: &str) -> io::Result<Vec<u8>> {
    let mut out = vec![0, 0];
    out.extend_from_slice(&id.to_be_bytes());
    // One question, recursion desired.
    out.extend_from_slice(&[0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        let length = u8::try_from(label.len()).ok().filter(|n| (1..=63).contains(n)).ok_or_else(|| broken("label"))?;
        out.push(length);
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
    out.extend_from_slice(&TXT.to_be_bytes());
    out.extend_from_slice(&INTERNET.to_be_bytes());
    let length = u16::try_from(out.len() - 2).map_err(|_| broken("name"))?;
    if length > 12 + 255 + 4 {
        return Err(broken("name"));
    }
    out[..2].copy_from_slice(&length.to_be_bytes());
    Ok(out)
}

/// Asks over a connected stream.
///
/// # Errors
/// What the stream says, or an answer that is none.
pub async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), id: u16, name: &str) -> io::Result<Vec<String>> {
    stream.write_all(&question(id, name)?).await?;
    stream.flush().await?;
    let length = usize::from(stream.read_u16().await?);
    if length > LARGEST {
        return Err(broken("too long"));
    }
    let mut message = vec![0; length];
    stream.read_exact(&mut message).await?;
    answer(&message, id, name)
}

/// Reads a message; each step checks that there is more of it.
struct Reader<'a> {
    all: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> io::Result<&'a [u8]> {
        let end = self.at.checked_add(n).filter(|end| *end <= self.all.len()).ok_or_else(|| broken("cut short"))?;
        let part = &self.all[self.at..end];
        self.at = end;
        Ok(part)
    }
    fn byte(&mut self) -> io::Result<u8> {
        Ok(self.take(1)?[0])
    }
    fn word(&mut self) -> io::Result<u16> {
        let part = self.take(2)?;
        Ok(u16::from_be_bytes([part[0], part[1]]))
    }
    /// A name (RFC 1035 §4.1.4). Pointers lead backwards only, so that it ends.
    fn name(&mut self) -> io::Result<String> {
        let (mut out, mut back) = (String::new(), None);
        let mut limit = self.at;
        loop {
            let length = self.byte()?;
            match length {
                0 => break,
                1..=63 => {
                    let label = self.take(usize::from(length))?;
                    if !out.is_empty() {
                        out.push('.');
                    }
                    out.extend(label.iter().map(|b| char::from(b.to_ascii_lowercase())));
                    if out.len() > 1_024 {
                        return Err(broken("name"));
                    }
                }
                192.. => {
                    let to = usize::from(u16::from_be_bytes([length & 0x3f, self.byte()?]));
                    if to >= limit {
                        return Err(broken("pointer"));
                    }
                    back.get_or_insert(self.at);
                    (self.at, limit) = (to, to);
                }
                _ => return Err(broken("label")),
            }
        }
        self.at = back.unwrap_or(self.at);
        Ok(out)
    }
}

/// The texts in an answer to our question; none when the name has no TXT record.
///
/// # Errors
/// When the message is no answer to it, or says that the server failed.
pub fn answer(message: &[u8], id: u16, name: &str) -> io::Result<Vec<String>> {
    let mut r = Reader { all: message, at: 0 };
    let (their_id, flags) = (r.word()?, r.word()?);
    let (questions, answers) = (r.word()?, r.word()?);
    r.take(4)?;
    let response = flags & 0x8000 != 0 && flags & 0x7800 == 0 && flags & 0x0200 == 0;
    if their_id != id || !response || questions != 1 {
        return Err(broken("no answer to the question"));
    }
    match flags & 0x000f {
        0 => {}
        3 => return Ok(Vec::new()),
        _ => return Err(broken("the resolver failed")),
    }
    let asked = r.name()?;
    if asked != name.to_ascii_lowercase() || r.word()? != TXT || r.word()? != INTERNET {
        return Err(broken("an answer to another question"));
    }
    let (mut texts, mut aliases) = (Vec::new(), vec![asked]);
    for _ in 0..answers {
        let owner = r.name()?;
        let (kind, class) = (r.word()?, r.word()?);
        r.take(4)?;
        let length = usize::from(r.word()?);
        let end = r.at.checked_add(length).filter(|end| *end <= message.len()).ok_or_else(|| broken("cut short"))?;
        if class == INTERNET && aliases.contains(&owner) {
            if kind == CNAME && aliases.len() < MOST_ALIASES {
                aliases.push(r.name()?);
            } else if kind == TXT {
                let mut text = Vec::new();
                while r.at < end {
                    let part = usize::from(r.byte()?);
                    text.extend_from_slice(r.take(part)?);
                }
                if r.at != end {
                    return Err(broken("text"));
                }
                texts.push(String::from_utf8_lossy(&text).into_owned());
            }
        }
        r.at = end;
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An answer as a resolver writes it: names after the first are pointers to it.
    fn message(id: u16, name: &str, code: u8, records: &[(u16, &[u8])]) -> Vec<u8> {
        let asked = question(id, name).unwrap();
        let mut out = asked[2..].to_vec();
        (out[2], out[3]) = (0x81, 0x80 | code);
        out[7] = u8::try_from(records.len()).unwrap();
        for (kind, data) in records {
            out.extend_from_slice(&[0xc0, 12]);
            out.extend_from_slice(&kind.to_be_bytes());
            out.extend_from_slice(&[0, 1, 0, 0, 0, 60]);
            out.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
            out.extend_from_slice(data);
        }
        out
    }

    #[test]
    fn texts_are_read_with_their_parts_joined() {
        let got = answer(
            &message(7, "a.example", 0, &[(TXT, b"\x03one\x03two"), (99, b"zzz"), (TXT, b"\x01x")]),
            7,
            "a.example",
        );
        assert_eq!(got.unwrap(), ["onetwo", "x"]);
        assert!(answer(&message(7, "a.example", 3, &[]), 7, "a.example").unwrap().is_empty());
    }

    #[test]
    fn an_alias_is_followed_and_a_stranger_is_not() {
        let mut m = message(7, "a.example", 0, &[(CNAME, b"\x01b\x07example\x00")]);
        m[7] = 3;
        for owner in [&b"\x01b\x07example\x00"[..], b"\x04evil\x07example\x00"] {
            m.extend_from_slice(owner);
            m.extend_from_slice(&[0, 16, 0, 1, 0, 0, 0, 60, 0, 3, 2, b'h', owner[1]]);
        }
        assert_eq!(answer(&m, 7, "a.example").unwrap(), ["hb"]);
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let good = message(7, "a.example", 0, &[(TXT, b"\x03one")]);
        assert!(answer(&good, 8, "a.example").is_err(), "another question's number");
        assert!(answer(&good, 7, "b.example").is_err(), "another name");
        assert!(answer(&message(7, "a.example", 2, &[]), 7, "a.example").is_err(), "a server that failed");
        for cut in 0..good.len() {
            assert!(answer(&good[..cut], 7, "a.example").is_err(), "cut at {cut}");
        }
        let mut looping = good.clone();
        (looping[12], looping[13]) = (0xc0, 12);
        assert!(answer(&looping, 7, "a.example").is_err());
        let mut overlong = good;
        let at = overlong.len() - 4;
        overlong[at] = 200;
        assert!(answer(&overlong, 7, "a.example").is_err());
        assert!(question(1, "a..b").is_err() && question(1, &"a".repeat(64)).is_err() && question(1, "").is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = answer(&bytes, 7, "a.example");
            let mut headed = message(7, "a.example", 0, &[]);
            headed[7] = 9;
            headed.extend_from_slice(&bytes);
            let _ = answer(&headed, 7, "a.example");
        }
    }
}

//! How the programs in `reference/` are spoken to.

use sekisho_waf::wire::Request;
use std::io::Read;

/// A request as `reference/modsecurity.c` reads it.
pub fn encode(request: &Request) -> Vec<u8> {
    fn put(bytes: &[u8], out: &mut Vec<u8>) {
        out.extend((bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(bytes);
    }
    let mut out = Vec::new();
    put(&request.method, &mut out);
    put(&request.target, &mut out);
    put(request.protocol.strip_prefix(b"HTTP/").unwrap_or(&request.protocol), &mut out);
    out.extend((request.headers.len() as u32).to_le_bytes());
    for (name, value) in &request.headers {
        put(name, &mut out);
        put(value, &mut out);
    }
    put(&request.body, &mut out);
    out
}

/// A number of an answer.
pub fn number(from: &mut (impl Read + ?Sized)) -> std::io::Result<usize> {
    let mut bytes = [0; 4];
    from.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes) as usize)
}

//! HTTP-Redirect and HTTP-POST (SAML bindings §3.4, §3.5): what a browser carries.

use base64::{Engine, engine::general_purpose::STANDARD};
use miniz_oxide::{
    deflate::compress_to_vec,
    inflate::{
        TINFLStatus,
        core::{DecompressorOxide, decompress, inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF},
    },
};
use sekisho_kernel::{Problem, percent};

use crate::{
    algorithms,
    keys::{Certificate, Credential},
    problems::{ENCODING, RELAY_STATE, SIGNATURE, TOO_LARGE, UNSIGNED, refuse},
    provider::Binding,
    xml::Bounds,
};

/// Longest RelayState in bytes (bindings §3.4.3).
pub const RELAY_STATE_BYTES: usize = 80;
/// The longest query that is read, in bytes.
const QUERY: usize = 32 * 1024;
/// The most that a query's message inflates to: logout messages are small.
const INFLATED: usize = 64 * 1024;

/// `SAMLRequest` or `SAMLResponse`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request.
    Request,
    /// A response.
    Response,
}

impl Kind {
    /// The parameter's name.
    pub const fn parameter(self) -> &'static str {
        match self {
            Self::Request => "SAMLRequest",
            Self::Response => "SAMLResponse",
        }
    }
}

/// A message ready for the browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// Redirect to this address.
    Redirect(String),
    /// Let the browser post this form.
    Post {
        /// Where to.
        action: String,
        /// Hidden fields, name and value; to be escaped for HTML.
        fields: Vec<(&'static str, String)>,
    },
}

/// Refuses a RelayState that is too long or holds control characters.
pub(crate) fn relay_state(value: Option<&str>) -> Result<(), Problem> {
    match value {
        Some(v) if v.len() > RELAY_STATE_BYTES || v.chars().any(char::is_control) => {
            Err(Problem::new(&RELAY_STATE).at("RelayState"))
        }
        _ => Ok(()),
    }
}

/// A document and where its signature goes if the binding wants one in it.
pub(crate) struct Draft {
    pub(crate) xml: String,
    pub(crate) place: usize,
    pub(crate) id: String,
}

/// Signs `draft` as `binding` asks and packs it for `location`.
pub(crate) fn send(
    draft: &Draft,
    kind: Kind,
    binding: Binding,
    location: &str,
    state: Option<&str>,
    by: &Credential,
) -> Result<Outgoing, Problem> {
    relay_state(state)?;
    match binding {
        Binding::Post => {
            let signed = crate::signature::sign(&draft.xml, draft.place, &draft.id, by)?;
            let mut fields = vec![(kind.parameter(), STANDARD.encode(signed))];
            fields.extend(state.map(|s| ("RelayState", s.to_owned())));
            Ok(Outgoing::Post { action: location.to_owned(), fields })
        }
        Binding::Redirect => {
            let message = STANDARD.encode(compress_to_vec(draft.xml.as_bytes(), 9));
            let mut query = format!("{}={}", kind.parameter(), percent::encode(&message));
            if let Some(state) = state {
                query.push_str(&format!("&RelayState={}", percent::encode(state)));
            }
            query.push_str(&format!("&SigAlg={}", percent::encode(by.signing().uri)));
            let value = STANDARD.encode(by.sign(query.as_bytes())?);
            let join = if location.contains('?') { '&' } else { '?' };
            Ok(Outgoing::Redirect(format!("{location}{join}{query}&Signature={}", percent::encode(&value))))
        }
    }
}

/// As forms are written, where a space is `+`.
fn unescape(text: &str) -> Option<String> {
    percent::decode(&text.replace('+', " "))
}

/// A query of the HTTP-Redirect binding, as it came.
pub(crate) struct Query<'a> {
    message: &'a str,
    state: Option<&'a str>,
    algorithm: Option<&'a str>,
    signature: Option<&'a str>,
    kind: Kind,
}

impl<'a> Query<'a> {
    /// Reads the raw query, without the question mark. Parameters twice, or of both kinds, are refused; strangers are left out.
    pub(crate) fn read(raw: &'a str, kind: Kind) -> Result<Self, Problem> {
        if raw.len() > QUERY {
            return Err(refuse(&TOO_LARGE, "クエリのバイト数が上限を超えています。", "The query has too many bytes."));
        }
        let find = |name: &'static str| {
            let mut found = raw.split('&').filter_map(|pair| pair.split_once('=')).filter(|(n, _)| *n == name);
            match (found.next(), found.next()) {
                (first, None) => Ok(first.map(|(_, value)| value)),
                _ => Err(bad("パラメーターが 2 回あります。", "A parameter is there twice.", name)),
            }
        };
        let other = if kind == Kind::Request { Kind::Response } else { Kind::Request };
        if find(other.parameter())?.is_some() {
            return Err(bad("要求と応答の取り違えです。", "Requests and responses are mixed up.", other.parameter()));
        }
        let message = find(kind.parameter())?
            .ok_or_else(|| bad("パラメーターがありません。", "The parameter is missing.", kind.parameter()))?;
        let query = Self {
            message,
            state: find("RelayState")?,
            algorithm: find("SigAlg")?,
            signature: find("Signature")?,
            kind,
        };
        if find("SAMLEncoding")?
            .and_then(unescape)
            .is_some_and(|e| e != "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE")
        {
            return Err(bad("DEFLATE 以外の符号化です。", "The encoding is not DEFLATE.", "SAMLEncoding"));
        }
        Ok(query)
    }

    /// The RelayState.
    pub(crate) fn state(&self) -> Result<Option<String>, Problem> {
        let state = self
            .state
            .map(|s| {
                unescape(s).ok_or_else(|| {
                    bad("パーセント符号化が正しくありません。", "The percent-encoding is wrong.", "RelayState")
                })
            })
            .transpose()?;
        relay_state(state.as_deref())?;
        Ok(state)
    }

    /// Verifies the detached signature over the octets exactly as they came, then inflates. Gives the message and the signer's
    /// fingerprint.
    pub(crate) fn verified(&self, keys: &[Certificate]) -> Result<(Vec<u8>, String), Problem> {
        let (Some(algorithm), Some(signature)) = (self.algorithm, self.signature) else {
            return Err(refuse(&UNSIGNED, "クエリに署名がありません。", "The query is not signed.").at("Signature"));
        };
        let uri = unescape(algorithm).unwrap_or_default();
        let by = algorithms::signing(&uri).map_err(|p| p.at("SigAlg"))?;
        let value = unescape(signature)
            .and_then(|s| STANDARD.decode(s).ok())
            .ok_or_else(|| bad("base64 を読み取れません。", "The base64 cannot be read.", "Signature"))?;
        let mut octets = format!("{}={}", self.kind.parameter(), self.message);
        if let Some(state) = self.state {
            octets.push_str(&format!("&RelayState={state}"));
        }
        octets.push_str(&format!("&SigAlg={algorithm}"));
        let Some(signer) = keys.iter().find(|k| k.verifies(by, octets.as_bytes(), &value)) else {
            return Err(refuse(
                &SIGNATURE,
                "登録された証明書のどの鍵でも検証できません。",
                "No key of the registered certificates verifies it.",
            )
            .at("Signature"));
        };
        Ok((self.inflated()?, signer.fingerprint()))
    }

    /// The message, verified or not.
    pub(crate) fn inflated(&self) -> Result<Vec<u8>, Problem> {
        let packed = unescape(self.message)
            .and_then(|m| STANDARD.decode(m).ok())
            .ok_or_else(|| bad("base64 を読み取れません。", "The base64 cannot be read.", self.kind.parameter()))?;
        inflate(&packed, self.kind.parameter())
    }
}

/// Raw DEFLATE (RFC 1951), whole, with nothing after it, into at most [`INFLATED`] bytes.
fn inflate(packed: &[u8], place: &'static str) -> Result<Vec<u8>, Problem> {
    let mut out = vec![0; INFLATED];
    let (status, read, written) =
        decompress(&mut DecompressorOxide::new(), packed, &mut out, 0, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF);
    match status {
        TINFLStatus::Done if read == packed.len() => {
            out.truncate(written);
            Ok(out)
        }
        TINFLStatus::HasMoreOutput => {
            Err(refuse(&TOO_LARGE, "展開後のバイト数が上限を超えています。", "It inflates to too many bytes.")
                .at(place))
        }
        _ => Err(bad("DEFLATE として読み取れません。", "It is not whole DEFLATE.", place)),
    }
}

/// The base64 of a form's field.
pub(crate) fn posted(field: &str, kind: Kind) -> Result<Vec<u8>, Problem> {
    if field.len() > Bounds::MESSAGE.bytes * 3 / 2 {
        return Err(refuse(&TOO_LARGE, "文書のバイト数が上限を超えています。", "The document has too many bytes.")
            .at(kind.parameter()));
    }
    let tight: String = field.chars().filter(|c| !matches!(c, ' ' | '\t' | '\r' | '\n')).collect();
    STANDARD
        .decode(tight)
        .map_err(|e| bad("base64 を読み取れません。", "The base64 cannot be read.", kind.parameter()).log(e))
}

fn bad(ja: &'static str, en: &'static str, place: &'static str) -> Problem {
    refuse(&ENCODING, ja, en).at(place)
}

//! XML Signature in the one shape that SAML allows (core §5.4), verified and made.
//!
//! A signature is looked for as a child of the element it signs and must name that element's id: no id is ever looked up, so moving
//! elements about cannot make "what was verified" and "what is used" differ. The verifier gives back a new document, parsed from
//! the very bytes that were digested; the document that arrived is of no further use.

use aws_lc_rs::{constant_time, digest};
use base64::{Engine, engine::general_purpose::STANDARD};
use sekisho_kernel::Problem;

use crate::{
    algorithms::{self, ENVELOPED, EXC_C14N},
    keys::{Certificate, Credential},
    problems::{DIGEST, SHAPE, SIGNATURE, SIGNATURE_SHAPE, refuse},
    xml::{self, Bounds, Document, Form, Node, c14n::canonical, ns},
};

/// Prefixes that one PrefixList may name.
const PREFIXES: usize = 16;

/// A document whose every byte a trusted key has signed. Only [`verify`] and a signed query make one.
pub(crate) struct Verified {
    document: Document,
    signer: String,
}

impl Verified {
    /// For bytes that a detached signature covers (HTTP-Redirect).
    pub(crate) fn detached(document: Document, signer: String) -> Self {
        Self { document, signer }
    }
    pub(crate) fn root(&self) -> Node<'_> {
        self.document.root()
    }
    /// Fingerprint of the certificate whose key verified it.
    pub(crate) fn signer(&self) -> &str {
        &self.signer
    }
}

/// An element that a verified signature covers: the only thing that claims are read from.
#[derive(Clone, Copy)]
pub(crate) struct Covered<'a>(Node<'a>);

impl<'a> Covered<'a> {
    /// The signed element itself.
    pub(crate) fn by(whole: &'a Verified) -> Self {
        Self(whole.root())
    }
    /// An element within the signed one. `whole` must be its document.
    pub(crate) fn within(whole: &'a Verified, node: Node<'a>) -> Self {
        assert!(
            std::ptr::eq(node.document(), &raw const whole.document),
            "the element is of the document that was verified"
        );
        Self(node)
    }
    /// What was encrypted within `_whole`, which signs the cipher text.
    pub(crate) fn opened(_whole: &'a Verified, document: &'a Document) -> Self {
        Self(document.root())
    }
    pub(crate) fn node(self) -> Node<'a> {
        self.0
    }
}

/// What stands in a `SignedInfo`, read from its canonical bytes.
struct SignedInfo {
    method: &'static algorithms::Signing,
    uri: String,
    prefixes: Vec<String>,
    digest: &'static digest::Algorithm,
    value: Vec<u8>,
}

/// The signature that is a child of `element`, if there is one.
pub(crate) fn of(element: Node<'_>) -> Result<Option<Node<'_>>, Problem> {
    let mut found = element.all_of(ns::DS, "Signature");
    let first = found.next();
    match found.next() {
        None => Ok(first),
        Some(second) => Err(bad("署名が 2 つ以上あります。", "There is more than one signature.", second)),
    }
}

/// Verifies the enveloped `signature` of its parent with one of `keys`. `KeyInfo` is not looked at.
pub(crate) fn verify(signature: Node<'_>, keys: &[Certificate], bounds: Bounds) -> Result<Verified, Problem> {
    let Some(element) = signature.parent() else {
        return Err(bad("署名が要素の中にありません。", "The signature stands in no element.", signature));
    };
    signature
        .only(&[(ns::DS, "SignedInfo"), (ns::DS, "SignatureValue"), (ns::DS, "KeyInfo")])
        .map_err(|p| renamed(p, &SIGNATURE_SHAPE))?;
    let info = signature.one(ns::DS, "SignedInfo").map_err(|p| renamed(p, &SIGNATURE_SHAPE))?;
    let value = signature.one(ns::DS, "SignatureValue").map_err(|p| renamed(p, &SIGNATURE_SHAPE))?;
    signature.optional(ns::DS, "KeyInfo").map_err(|p| renamed(p, &SIGNATURE_SHAPE))?;

    let prefixes = canonicalization(info)?;
    let signed = canonical(info, None, &prefixes);
    let parsed = xml::parse(signed.as_bytes(), Form::Canonical, bounds, Vec::new())?;
    let read = signed_info(parsed.root(), signature)?;
    let value = decode(&value.text()?, value)?;
    let Some(signer) = keys.iter().find(|k| k.verifies(read.method, signed.as_bytes(), &value)) else {
        let known = keys.iter().any(|k| k.kind() == read.method.kind);
        let (ja, en) = if known {
            ("登録された証明書のどの鍵でも検証できません。", "No key of the registered certificates verifies it.")
        } else {
            ("このアルゴリズムの鍵が登録されていません。", "No key for this algorithm is registered.")
        };
        return Err(refuse(&SIGNATURE, ja, en).at(signature.path()));
    };

    let id = element.required("ID").map_err(|p| renamed(p, &SIGNATURE_SHAPE))?;
    if read.uri.strip_prefix('#') != Some(id) {
        return Err(bad(
            "署名が、それを含む要素を参照していません。",
            "The signature does not refer to the element it stands in.",
            signature,
        ));
    }
    let content = canonical(element, Some(signature), &read.prefixes);
    let found = digest::digest(read.digest, content.as_bytes());
    if constant_time::verify_slices_are_equal(found.as_ref(), &read.value).is_err() {
        return Err(refuse(&DIGEST, "要約値が一致しません。", "The digest does not match.").at(element.path()));
    }
    let document = xml::parse(content.as_bytes(), Form::Canonical, bounds, Vec::new())?;
    Ok(Verified { document, signer: signer.fingerprint() })
}

fn signed_info(info: Node<'_>, signature: Node<'_>) -> Result<SignedInfo, Problem> {
    let shaped = |p| renamed(p, &SIGNATURE_SHAPE);
    info.only(&[(ns::DS, "CanonicalizationMethod"), (ns::DS, "SignatureMethod"), (ns::DS, "Reference")])
        .map_err(shaped)?;
    canonicalization(info)?;
    let method = info.one(ns::DS, "SignatureMethod").map_err(shaped)?;
    method.only(&[]).map_err(shaped)?;
    let method = algorithms::signing(method.required("Algorithm").map_err(shaped)?).map_err(|p| p.at(method.path()))?;
    let mut references = info.all_of(ns::DS, "Reference");
    let (Some(reference), None) = (references.next(), references.next()) else {
        return Err(bad("参照が 1 つではありません。", "There is not exactly one reference.", signature));
    };
    reference.only(&[(ns::DS, "Transforms"), (ns::DS, "DigestMethod"), (ns::DS, "DigestValue")]).map_err(shaped)?;
    let uri = reference
        .attribute("URI")
        .filter(|u| u.len() > 1)
        .ok_or_else(|| bad("参照が空です。", "The reference is empty.", signature))?;
    let prefixes = transforms(reference.one(ns::DS, "Transforms").map_err(shaped)?)?;
    let method_of_digest = reference.one(ns::DS, "DigestMethod").map_err(shaped)?;
    let digest = algorithms::digest(method_of_digest.required("Algorithm").map_err(shaped)?)
        .map_err(|p| p.at(method_of_digest.path()))?;
    let value = reference.one(ns::DS, "DigestValue").map_err(shaped)?;
    let value = decode(&value.text()?, value)?;
    Ok(SignedInfo { method, uri: uri.to_owned(), prefixes, digest, value })
}

/// Exactly enveloped-signature, then exclusive C14N.
fn transforms(node: Node<'_>) -> Result<Vec<String>, Problem> {
    node.only(&[(ns::DS, "Transform")]).map_err(|p| renamed(p, &SIGNATURE_SHAPE))?;
    let all: Vec<Node<'_>> = node.children().take(3).collect();
    let named: Vec<&str> = all.iter().map(|t| t.attribute("Algorithm").unwrap_or_default()).collect();
    if named != [ENVELOPED, EXC_C14N] || all[0].children().next().is_some() {
        return Err(bad(
            "変換は enveloped-signature、exclusive C14N の順の 2 つだけが許可されます。",
            "The transforms must be enveloped-signature, then exclusive C14N, and no other.",
            node,
        ));
    }
    prefixes(all[1])
}

fn canonicalization(info: Node<'_>) -> Result<Vec<String>, Problem> {
    let method = info.one(ns::DS, "CanonicalizationMethod").map_err(|p| renamed(p, &SIGNATURE_SHAPE))?;
    if method.attribute("Algorithm") != Some(EXC_C14N) {
        return Err(bad(
            "正規化は exclusive C14N だけが許可されます。",
            "Only exclusive C14N may canonicalise.",
            method,
        ));
    }
    prefixes(method)
}

/// The PrefixList of an `InclusiveNamespaces` child.
fn prefixes(node: Node<'_>) -> Result<Vec<String>, Problem> {
    node.only(&[(ns::EXC_C14N, "InclusiveNamespaces")]).map_err(|p| renamed(p, &SIGNATURE_SHAPE))?;
    let Some(list) = node.optional(ns::EXC_C14N, "InclusiveNamespaces").map_err(|p| renamed(p, &SIGNATURE_SHAPE))?
    else {
        return Ok(Vec::new());
    };
    let mut found: Vec<String> = list
        .attribute("PrefixList")
        .unwrap_or_default()
        .split_ascii_whitespace()
        .take(PREFIXES + 1)
        .map(str::to_owned)
        .collect();
    if found.len() > PREFIXES {
        return Err(bad("接頭辞が多すぎます。", "There are too many prefixes.", list));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Base64 of XML Schema: white space may stand anywhere.
pub(crate) fn decode(text: &str, node: Node<'_>) -> Result<Vec<u8>, Problem> {
    let tight: String = text.chars().filter(|c| !matches!(c, ' ' | '\t' | '\r' | '\n')).collect();
    STANDARD
        .decode(tight)
        .ok()
        .filter(|v| !v.is_empty())
        .ok_or_else(|| refuse(&SHAPE, "base64 を読み取れません。", "The base64 cannot be read.").at(node.path()))
}

fn bad(ja: &'static str, en: &'static str, node: Node<'_>) -> Problem {
    refuse(&SIGNATURE_SHAPE, ja, en).at(node.path())
}

/// The same cause and place under another kind.
fn renamed(mut problem: Problem, kind: &'static sekisho_kernel::ProblemKind) -> Problem {
    problem.kind = kind;
    problem
}

/// Signs `xml`, whose root has the id `id`; the signature goes in at the byte `place`. Canonical transforms as [`verify`] wants them.
pub(crate) fn sign(xml: &str, place: usize, id: &str, by: &Credential) -> Result<String, Problem> {
    let parsed = xml::parse(xml.as_bytes(), Form::Received, Bounds::METADATA, Vec::new())?;
    let content = canonical(parsed.root(), None, &[]);
    let value = STANDARD.encode(digest::digest(&digest::SHA256, content.as_bytes()));
    let info = format!(
        "<ds:SignedInfo xmlns:ds=\"{ds}\"><ds:CanonicalizationMethod Algorithm=\"{EXC_C14N}\"></ds:CanonicalizationMethod>\
         <ds:SignatureMethod Algorithm=\"{method}\"></ds:SignatureMethod><ds:Reference URI=\"#{id}\"><ds:Transforms>\
         <ds:Transform Algorithm=\"{ENVELOPED}\"></ds:Transform><ds:Transform Algorithm=\"{EXC_C14N}\"></ds:Transform></ds:Transforms>\
         <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"></ds:DigestMethod>\
         <ds:DigestValue>{value}</ds:DigestValue></ds:Reference></ds:SignedInfo>",
        ds = ns::DS,
        method = by.signing().uri,
        id = xml::value(id),
    );
    let value = STANDARD.encode(by.sign(info.as_bytes())?);
    let signature = format!(
        "<ds:Signature xmlns:ds=\"{ds}\">{info}<ds:SignatureValue>{value}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>\
         <ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></ds:Signature>",
        ds = ns::DS,
        certificate = by.certificate().to_base64(),
    );
    Ok(format!("{}{signature}{}", &xml[..place], &xml[place..]))
}

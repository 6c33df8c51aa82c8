//! Opening an encrypted assertion or name (XML Encryption 1.1): AES-GCM under a key that RSA-OAEP brings.

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce, UnboundKey};
use sekisho_kernel::Problem;

use crate::{
    algorithms,
    keys::Credential,
    problems::{DECRYPTION, SHAPE, refuse},
    signature::decode,
    xml::{self, Bounds, Document, Form, Node, ns},
};

/// Keys for other recipients that may stand beside ours.
const RECIPIENTS: usize = 4;
const IV: usize = 12;

/// Opens the one `EncryptedData` in `encrypted` with one of `keys`; prefixes that the content does not declare are those in scope
/// where it stood. The content is untrusted until a signature covers it.
pub(crate) fn open(encrypted: Node<'_>, keys: &[Credential], bounds: Bounds) -> Result<Document, Problem> {
    encrypted.only(&[(ns::ENC, "EncryptedData"), (ns::ENC, "EncryptedKey")])?;
    let data = encrypted.one(ns::ENC, "EncryptedData")?;
    data.only(&[(ns::ENC, "EncryptionMethod"), (ns::DS, "KeyInfo"), (ns::ENC, "CipherData")])?;
    if data.attribute("Type").is_some_and(|t| t != "http://www.w3.org/2001/04/xmlenc#Element") {
        return Err(refuse(&SHAPE, "要素の暗号化ではありません。", "It is not an encrypted element.").at(data.path()));
    }
    let method = data.one(ns::ENC, "EncryptionMethod")?;
    let content = algorithms::content(method.required("Algorithm")?).map_err(|p| p.at(method.path()))?;

    let mut wrapped: Vec<Node<'_>> = encrypted.all_of(ns::ENC, "EncryptedKey").collect();
    if let Some(info) = data.optional(ns::DS, "KeyInfo")? {
        wrapped.extend(info.all_of(ns::ENC, "EncryptedKey"));
    }
    if wrapped.is_empty() || wrapped.len() > RECIPIENTS {
        return Err(refuse(
            &SHAPE,
            "EncryptedKey の数が正しくありません。",
            "The number of EncryptedKey elements is wrong.",
        )
        .at(data.path()));
    }
    let sealed = cipher(data)?;
    if sealed.len() < IV + content.tag_len() {
        return Err(closed(encrypted));
    }
    for node in wrapped {
        let by = transport(node)?;
        let bytes = cipher(node)?;
        for credential in keys {
            let Some(key) = credential.unwrap(by, &bytes).filter(|k| k.len() == content.key_len()) else { continue };
            let opened = UnboundKey::new(content, &key).ok().and_then(|key| {
                let mut body = sealed[IV..].to_vec();
                let nonce = Nonce::try_assume_unique_for_key(&sealed[..IV]).ok()?;
                let n = LessSafeKey::new(key).open_in_place(nonce, Aad::empty(), &mut body).ok()?.len();
                body.truncate(n);
                Some(body)
            });
            if let Some(plain) = opened {
                return xml::parse(&plain, Form::Received, bounds, encrypted.scope());
            }
        }
    }
    Err(closed(encrypted))
}

/// One answer to every cause, so that nobody can ask the key questions.
fn closed(at: Node<'_>) -> Problem {
    refuse(&DECRYPTION, "こちらのどの鍵でも開けません。", "None of our keys opens it.").at(at.path())
}

fn transport(key: Node<'_>) -> Result<&'static aws_lc_rs::rsa::OaepAlgorithm, Problem> {
    let method = key.one(ns::ENC, "EncryptionMethod")?;
    method.only(&[(ns::DS, "DigestMethod"), (ns::ENC11, "MGF")])?;
    let digest = method.optional(ns::DS, "DigestMethod")?.map(|d| d.required("Algorithm")).transpose()?;
    let mask = method.optional(ns::ENC11, "MGF")?.map(|d| d.required("Algorithm")).transpose()?;
    algorithms::transport(method.required("Algorithm")?, digest, mask).map_err(|p| p.at(method.path()))
}

fn cipher(node: Node<'_>) -> Result<Vec<u8>, Problem> {
    let data = node.one(ns::ENC, "CipherData")?;
    data.only(&[(ns::ENC, "CipherValue")])?;
    let value = data.one(ns::ENC, "CipherValue")?;
    decode(&value.text()?, value)
}

//! The one XML reader of this crate, its tree, its canonical form, and the few escapes of what is written.
//!
//! It reads a strict part of XML 1.0 with namespaces: UTF-8, no document type, no processing instruction, no entity but the five
//! of XML itself, ASCII names. Comments vanish and the text around them is one text; CDATA is text. Everything is bounded.

pub(crate) mod c14n;
mod parse;
mod tree;

pub(crate) use parse::{Bounds, Form, parse};
pub(crate) use tree::{Attribute, Child, Document, Element, Node};

/// Namespace names (SAML 2.0 core §1.1, XML Signature §1.3, XML Encryption §1.3).
pub(crate) mod ns {
    pub(crate) const XML: &str = "http://www.w3.org/XML/1998/namespace";
    pub(crate) const XMLNS: &str = "http://www.w3.org/2000/xmlns/";
    pub(crate) const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
    pub(crate) const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
    pub(crate) const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
    pub(crate) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
    pub(crate) const ENC: &str = "http://www.w3.org/2001/04/xmlenc#";
    pub(crate) const ENC11: &str = "http://www.w3.org/2009/xmlenc11#";
    pub(crate) const EXC_C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
}

/// `text` between tags.
pub(crate) fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    c14n::push_text(&mut out, text);
    out
}

/// `value` within double quotes.
pub(crate) fn value(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    c14n::push_value(&mut out, value);
    out
}

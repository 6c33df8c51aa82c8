//! From bytes to a tree, or a refusal with its place.

use std::sync::Arc;

use sekisho_kernel::Problem;

use super::{Attribute, Child, Document, Element, ns};
use crate::problems::{DOCTYPE, TOO_LARGE, UNREADABLE, refuse};

/// Prefixes and the names they stand for.
pub(crate) type Scope = Vec<(Arc<str>, Arc<str>)>;

/// The most that a document may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Bytes of UTF-8.
    pub(crate) bytes: usize,
    /// Elements within elements.
    pub(crate) depth: usize,
    /// Elements in all.
    pub(crate) elements: usize,
    /// Attributes and declarations of one element.
    pub(crate) attributes: usize,
}

impl Bounds {
    /// For protocol messages: several times what a provider with a thousand groups sends.
    pub(crate) const MESSAGE: Self = Self { bytes: 512 * 1024, depth: 24, elements: 8_000, attributes: 32 };
    /// For one provider's metadata.
    pub(crate) const METADATA: Self = Self { bytes: 1024 * 1024, depth: 24, elements: 8_000, attributes: 32 };
}

/// Declarations in scope at once.
const SCOPE: usize = 64;

/// What the bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As somebody sent them.
    Received,
    /// Our own canonical output: comments, CDATA, declarations and carriage returns cannot be in it.
    Canonical,
}

/// Parses a document, or a fragment that stood where `outer` was in scope.
pub(crate) fn parse(bytes: &[u8], form: Form, bounds: Bounds, outer: Scope) -> Result<Document, Problem> {
    if bytes.len() > bounds.bytes {
        return Err(refuse(&TOO_LARGE, "文書のバイト数が上限を超えています。", "The document has too many bytes."));
    }
    let text = std::str::from_utf8(bytes).map_err(|e| {
        refuse(&UNREADABLE, "UTF-8 ではありません。", "It is not UTF-8.").at(format!("byte {}", e.valid_up_to()))
    })?;
    let text = if form == Form::Received { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text };
    if let Some((at, _)) = text.char_indices().find(|(_, c)| !allowed(*c)) {
        return Err(refuse(
            &UNREADABLE,
            "XML で使えない文字があります。",
            "It holds a character that XML does not allow.",
        )
        .at(format!("byte {at}")));
    }
    let mut parser = Parser {
        text,
        at: 0,
        form,
        bounds,
        empty: Arc::from(""),
        scope: outer.clone(),
        open: Vec::new(),
        document: Document { elements: Vec::new(), outer },
    };
    parser.run()?;
    Ok(parser.document)
}

/// XML 1.0 §2.2.
fn allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\r' | b'\n')
}

/// An open element: its index, its name as written, and how many bindings were in scope before it.
struct Open<'a> {
    index: u32,
    name: &'a str,
    scope: usize,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    form: Form,
    bounds: Bounds,
    empty: Arc<str>,
    scope: Scope,
    open: Vec<Open<'a>>,
    document: Document,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn bad(&self, ja: &'static str, en: &'static str) -> Problem {
        refuse(&UNREADABLE, ja, en).at(format!("byte {}", self.at))
    }

    fn run(&mut self) -> Result<(), Problem> {
        self.declaration()?;
        loop {
            let rest = self.rest();
            if rest.is_empty() {
                break;
            }
            if rest.starts_with("<!--") {
                self.comment()?;
            } else if rest.starts_with("<![CDATA[") {
                self.cdata()?;
            } else if rest.starts_with("<!") {
                return Err(refuse(&DOCTYPE, "文書型宣言があります。", "It has a document type declaration.")
                    .at(format!("byte {}", self.at)));
            } else if rest.starts_with("<?") {
                return Err(refuse(&DOCTYPE, "処理命令があります。", "It has a processing instruction.")
                    .at(format!("byte {}", self.at)));
            } else if rest.starts_with("</") {
                self.close()?;
            } else if rest.starts_with('<') {
                self.element()?;
            } else {
                self.text()?;
            }
        }
        if !self.open.is_empty() || self.document.elements.is_empty() {
            return Err(self.bad("文書が途中で終わっています。", "The document ends too early."));
        }
        Ok(())
    }

    /// The XML declaration, version 1.0 and UTF-8 only.
    fn declaration(&mut self) -> Result<(), Problem> {
        let after = self.rest().strip_prefix("<?xml");
        if self.form == Form::Canonical || !after.is_some_and(|a| a.bytes().next().is_some_and(is_space)) {
            return Ok(());
        }
        let whole = self.rest().split_once("?>").map(|(d, _)| d).filter(|d| d.len() <= 128);
        let Some(whole) = whole else {
            return Err(self.bad("XML 宣言を読み取れません。", "The XML declaration cannot be read."));
        };
        let plain = whole["<?xml".len()..].replace('\'', "\"");
        let mut words = plain.split_ascii_whitespace();
        let good = words.next() == Some("version=\"1.0\"")
            && words.all(|w| {
                w.eq_ignore_ascii_case("encoding=\"utf-8\"") || w == "standalone=\"yes\"" || w == "standalone=\"no\""
            });
        if !good {
            return Err(self.bad("XML 1.0、UTF-8 の文書だけを読み取ります。", "Only XML 1.0 in UTF-8 is read."));
        }
        self.at += whole.len() + 2;
        Ok(())
    }

    fn comment(&mut self) -> Result<(), Problem> {
        let end = self.rest()[4..].find("--");
        let good = self.form == Form::Received && end.is_some_and(|e| self.rest()[4 + e..].starts_with("-->"));
        let (true, Some(end)) = (good, end) else {
            return Err(self.bad("コメントが正しくありません。", "A comment is not well formed."));
        };
        self.at += 4 + end + 3;
        Ok(())
    }

    fn cdata(&mut self) -> Result<(), Problem> {
        let start = "<![CDATA[".len();
        let end = self.rest()[start..].find("]]>");
        let (Some(end), Form::Received, false) = (end, self.form, self.open.is_empty()) else {
            return Err(self.bad("CDATA が正しくありません。", "A CDATA section is not well formed."));
        };
        let text = lines(&self.rest()[start..start + end]);
        self.push(&text);
        self.at += start + end + 3;
        Ok(())
    }

    fn text(&mut self) -> Result<(), Problem> {
        let raw = self.rest().split('<').next().unwrap_or_default();
        if self.open.is_empty() {
            if !raw.bytes().all(is_space) || self.form == Form::Canonical {
                return Err(self.bad("ルート要素の外に文字列があります。", "There is text outside the root element."));
            }
        } else if raw.contains("]]>") || (self.form == Form::Canonical && raw.contains('\r')) {
            return Err(self.bad("文字列が正しくありません。", "The text is not well formed."));
        } else {
            let text = self.expand(&lines(raw))?;
            self.push(&text);
        }
        self.at += raw.len();
        Ok(())
    }

    /// Adds text to the open element; one text grows over comments and CDATA alike.
    fn push(&mut self, text: &str) {
        let Some(open) = self.open.last() else { return };
        let children = &mut self.document.elements[open.index as usize].children;
        match children.last_mut() {
            Some(Child::Text(before)) => before.push_str(text),
            _ if text.is_empty() => {}
            _ => children.push(Child::Text(text.to_owned())),
        }
    }

    fn expand(&self, raw: &str) -> Result<String, Problem> {
        let mut out = String::with_capacity(raw.len());
        let mut rest = raw;
        while let Some((before, after)) = rest.split_once('&') {
            out.push_str(before);
            let Some((name, after)) = after.split_once(';') else {
                return Err(self.bad("& が単独で使われています。", "An ampersand stands alone."));
            };
            rest = after;
            out.push(match name {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                _ => match name.strip_prefix('#') {
                    Some(number) => reference(number).ok_or_else(|| {
                        self.bad("文字参照が正しくありません。", "A character reference is not well formed.")
                    })?,
                    None => {
                        return Err(refuse(
                            &DOCTYPE,
                            "XML 自体の 5 つ以外の実体参照があります。",
                            "It uses an entity other than the five of XML.",
                        )
                        .at(format!("byte {}", self.at)));
                    }
                },
            });
        }
        out.push_str(rest);
        Ok(out)
    }

    /// A name without colon, of ASCII letters, digits, `_`, `-` and `.`.
    fn name(&mut self) -> Result<&'a str, Problem> {
        let rest = self.rest();
        let end = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')).count();
        let name = &rest[..end];
        if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') || end > 256 {
            return Err(self.bad("名前が正しくありません。", "A name is not well formed."));
        }
        self.at += end;
        Ok(name)
    }

    fn qualified(&mut self) -> Result<(&'a str, &'a str), Problem> {
        let first = self.name()?;
        if !self.rest().starts_with(':') {
            return Ok(("", first));
        }
        self.at += 1;
        Ok((first, self.name()?))
    }

    fn spaces(&mut self) -> bool {
        let n = self.rest().bytes().take_while(|b| is_space(*b)).count();
        self.at += n;
        n > 0
    }

    fn close(&mut self) -> Result<(), Problem> {
        self.at += 2;
        let start = self.at;
        self.qualified()?;
        let name = &self.text[start..self.at];
        self.spaces();
        let matches = self.rest().starts_with('>') && self.open.last().is_some_and(|o| o.name == name);
        let (true, Some(open)) = (matches, self.open.pop()) else {
            return Err(self.bad("閉じタグが合いません。", "A closing tag does not match."));
        };
        self.scope.truncate(open.scope);
        self.at += 1;
        Ok(())
    }

    fn element(&mut self) -> Result<(), Problem> {
        if self.open.is_empty() && !self.document.elements.is_empty() {
            return Err(self.bad("ルート要素が 2 つ以上あります。", "There is more than one root element."));
        }
        let index = u32::try_from(self.document.elements.len()).unwrap_or(u32::MAX);
        if index as usize >= self.bounds.elements || self.open.len() >= self.bounds.depth {
            return Err(refuse(
                &TOO_LARGE,
                "要素の数または深さが上限を超えています。",
                "There are too many elements, or too deep.",
            )
            .at(format!("byte {}", self.at)));
        }
        self.at += 1;
        let start = self.at;
        let (prefix, local) = self.qualified()?;
        let name = &self.text[start..self.at];
        let before = self.scope.len();
        let mut raw: Vec<(&str, &str, String)> = Vec::new();
        let mut declared: Scope = Vec::new();
        let empty = loop {
            let spaced = self.spaces();
            if self.rest().starts_with("/>") {
                self.at += 2;
                break true;
            }
            if self.rest().starts_with('>') {
                self.at += 1;
                break false;
            }
            if !spaced {
                return Err(self.bad("タグが正しくありません。", "A tag is not well formed."));
            }
            if raw.len() + declared.len() >= self.bounds.attributes {
                return Err(refuse(
                    &TOO_LARGE,
                    "属性の数が上限を超えています。",
                    "An element has too many attributes.",
                )
                .at(format!("byte {}", self.at)));
            }
            let (prefix, local) = self.qualified()?;
            let value = self.value()?;
            match (prefix, local) {
                ("", "xmlns") => self.declare("", value, &mut declared)?,
                ("xmlns", local) => self.declare(local, value, &mut declared)?,
                _ => raw.push((prefix, local, value)),
            }
        };
        self.scope.extend(declared.iter().cloned());
        if self.scope.len() > SCOPE {
            return Err(refuse(
                &TOO_LARGE,
                "名前空間の宣言の数が上限を超えています。",
                "There are too many namespace declarations.",
            )
            .at(format!("byte {}", self.at)));
        }
        if prefix == "xml" {
            return Err(self.bad("xml 接頭辞の要素は使えません。", "An element may not have the prefix xml."));
        }
        let namespace = self.resolve(prefix)?;
        let mut attributes: Vec<Attribute> = Vec::with_capacity(raw.len());
        for (prefix, local, value) in raw {
            let namespace = if prefix.is_empty() { self.empty.clone() } else { self.resolve(prefix)? };
            if attributes.iter().any(|a| a.namespace == namespace && &*a.local == local) {
                return Err(self.bad("同じ属性が 2 回あります。", "An attribute is there twice."));
            }
            attributes.push(Attribute { prefix: prefix.into(), local: local.into(), namespace, value: value.into() });
        }
        let parent = self.open.last().map(|o| o.index);
        self.document.elements.push(Element {
            parent,
            prefix: prefix.into(),
            local: local.into(),
            namespace,
            attributes,
            declared,
            children: Vec::new(),
        });
        if let Some(parent) = parent {
            self.document.elements[parent as usize].children.push(Child::Element(index));
        }
        if empty {
            self.scope.truncate(before);
        } else {
            self.open.push(Open { index, name, scope: before });
        }
        Ok(())
    }

    /// `="…"`, normalised as XML 1.0 §3.3.3 says for CDATA attributes.
    fn value(&mut self) -> Result<String, Problem> {
        self.spaces();
        let broken = || ("属性の値が正しくありません。", "An attribute's value is not well formed.");
        if !self.rest().starts_with('=') {
            return Err(self.bad(broken().0, broken().1));
        }
        self.at += 1;
        self.spaces();
        let quote = self.rest().chars().next().filter(|c| matches!(c, '"' | '\''));
        let raw =
            quote.and_then(|q| self.rest()[1..].split_once(q)).map(|(raw, _)| raw).filter(|raw| !raw.contains('<'));
        let Some(raw) = raw else {
            return Err(self.bad(broken().0, broken().1));
        };
        if self.form == Form::Canonical && raw.contains(['\r', '\n', '\t']) {
            return Err(self.bad(broken().0, broken().1));
        }
        let value = self.expand(&lines(raw).replace(['\n', '\t'], " "))?;
        self.at += raw.len() + 2;
        Ok(value)
    }

    /// Namespaces in XML 1.0 §3.
    fn declare(&self, prefix: &str, uri: String, declared: &mut Scope) -> Result<(), Problem> {
        let reserved = matches!(prefix, "xml" | "xmlns") || uri == ns::XML || uri == ns::XMLNS;
        let twice = declared.iter().any(|(p, _)| &**p == prefix);
        if reserved || twice || (uri.is_empty() && !prefix.is_empty()) {
            return Err(self.bad("名前空間の宣言が正しくありません。", "A namespace declaration is not well formed."));
        }
        declared.push((prefix.into(), uri.into()));
        Ok(())
    }

    fn resolve(&self, prefix: &str) -> Result<Arc<str>, Problem> {
        if prefix == "xml" {
            return Ok(ns::XML.into());
        }
        match self.scope.iter().rev().find(|(p, _)| &**p == prefix) {
            Some((_, uri)) => Ok(uri.clone()),
            None if prefix.is_empty() => Ok(self.empty.clone()),
            None => Err(self.bad("宣言されていない名前空間接頭辞があります。", "A namespace prefix is not declared.")),
        }
    }
}

/// Line ends as XML 1.0 §2.11 reads them.
fn lines(raw: &str) -> String {
    raw.replace("\r\n", "\n").replace('\r', "\n")
}

fn reference(number: &str) -> Option<char> {
    let digits = |s: &str, radix| {
        let good = !s.is_empty() && s.len() <= 8 && s.chars().all(|c: char| c.is_digit(radix));
        good.then(|| u32::from_str_radix(s, radix).ok()).flatten()
    };
    let code = match number.strip_prefix('x') {
        Some(hex) => digits(hex, 16),
        None => digits(number, 10),
    };
    code.and_then(char::from_u32).filter(|c| allowed(*c))
}

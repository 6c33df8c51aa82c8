//! Exclusive XML Canonicalization 1.0 without comments (W3C xml-exc-c14n §3, with InclusiveNamespaces PrefixList).
//!
//! What is claimed is read from this output and from nothing else, so a fault here cannot show one text to the digest and another
//! to the reader: the two would still be one text, and a wrong one fails the digest.

use std::collections::BTreeMap;

use super::{Attribute, Child, Node};

/// The canonical form of `apex`, leaving out the element `without` (the enveloped signature), with `inclusive` prefixes treated as
/// inclusive canonicalisation does; `#default` names the default namespace.
pub(crate) fn canonical(apex: Node<'_>, without: Option<Node<'_>>, inclusive: &[String]) -> String {
    let inclusive: Vec<(&str, Option<&str>)> = inclusive
        .iter()
        .map(|p| if p == "#default" { "" } else { p.as_str() })
        .filter(|p| *p != "xml")
        .map(|p| (p, apex.parent().map_or_else(|| apex.document.outer(p), |parent| parent.binding(p))))
        .collect();
    let mut out = String::with_capacity(4096);
    write(apex, without, &inclusive, &BTreeMap::new(), &mut out);
    out
}

/// `inclusive` carries what each such prefix means above `node`; `rendered` is what the output's ancestors have declared. The depth
/// is bounded by the parser.
fn write<'a>(
    node: Node<'a>,
    without: Option<Node<'_>>,
    inclusive: &[(&'a str, Option<&'a str>)],
    rendered: &BTreeMap<&'a str, &'a str>,
    out: &mut String,
) {
    let element = node.element();
    let mut inclusive = inclusive.to_vec();
    for (prefix, uri) in &mut inclusive {
        if let Some((_, declared)) = element.declared.iter().find(|(p, _)| **p == **prefix) {
            *uri = Some(declared);
        }
    }
    let mut used: Vec<(&str, &str)> = vec![(&element.prefix, &element.namespace)];
    used.extend(
        element
            .attributes
            .iter()
            .filter(|a| !a.prefix.is_empty() && &*a.prefix != "xml")
            .map(|a| (&*a.prefix, &*a.namespace)),
    );
    used.extend(inclusive.iter().filter_map(|(prefix, uri)| uri.map(|uri| (*prefix, uri))));
    used.sort_unstable();
    used.dedup();
    let fresh: Vec<(&str, &str)> =
        used.into_iter().filter(|(prefix, uri)| rendered.get(prefix).copied().unwrap_or("") != *uri).collect();
    let inner;
    let rendered = if fresh.is_empty() {
        rendered
    } else {
        let mut more = rendered.clone();
        more.extend(fresh.iter().copied());
        inner = more;
        &inner
    };

    out.push('<');
    push_name(out, &element.prefix, &element.local);
    for (prefix, uri) in fresh {
        out.push_str(" xmlns");
        if !prefix.is_empty() {
            out.push(':');
            out.push_str(prefix);
        }
        out.push_str("=\"");
        push_value(out, uri);
        out.push('"');
    }
    let mut attributes: Vec<&Attribute> = element.attributes.iter().collect();
    attributes.sort_unstable_by(|a, b| (&a.namespace, &a.local).cmp(&(&b.namespace, &b.local)));
    for a in attributes {
        out.push(' ');
        push_name(out, &a.prefix, &a.local);
        out.push_str("=\"");
        push_value(out, &a.value);
        out.push('"');
    }
    out.push('>');
    for child in &element.children {
        match child {
            Child::Text(text) => push_text(out, text),
            Child::Element(index) => {
                let child = Node { document: node.document, index: *index };
                if !without.is_some_and(|w| w.same(child)) {
                    write(child, without, &inclusive, rendered, out);
                }
            }
        }
    }
    out.push_str("</");
    push_name(out, &element.prefix, &element.local);
    out.push('>');
}

fn push_name(out: &mut String, prefix: &str, local: &str) {
    if !prefix.is_empty() {
        out.push_str(prefix);
        out.push(':');
    }
    out.push_str(local);
}

pub(super) fn push_text(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xD;"),
            c => out.push(c),
        }
    }
}

pub(super) fn push_value(out: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#x9;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Bounds, Form, parse},
        canonical,
    };

    /// Vectors that xmlsec1 has digested (tests/fixtures/make.py).
    #[test]
    fn the_same_bytes_as_libxml2() {
        let mut n = 0;
        for line in include_str!("../../tests/fixtures/c14n.jsonl").lines() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            let document = parse(text("document").as_bytes(), Form::Received, Bounds::MESSAGE, Vec::new()).unwrap();
            let apex = document.all().find(|node| node.local() == "apex").unwrap();
            let prefixes: Vec<String> = text("prefixes").split_whitespace().map(str::to_owned).collect();
            let out = canonical(apex, None, &prefixes);
            assert_eq!(out, text("canonical"), "{line}");
            let again = parse(out.as_bytes(), Form::Canonical, Bounds::MESSAGE, Vec::new()).unwrap();
            assert_eq!(canonical(again.root(), None, &prefixes), out, "what was canonical stays so");
            n += 1;
        }
        assert_eq!(n, 19);
    }
}

//! Elements in document order, and questions to them that refuse instead of guessing.

use std::{collections::HashSet, sync::Arc};

use sekisho_kernel::Problem;

use super::parse::Scope;
use crate::problems::{DUPLICATE_ID, SHAPE, refuse};

/// A parsed document. Immutable.
#[derive(Debug)]
pub(crate) struct Document {
    pub(super) elements: Vec<Element>,
    /// Bindings that were in scope where a fragment stood.
    pub(super) outer: Scope,
}

#[derive(Debug)]
pub(crate) struct Element {
    pub(super) parent: Option<u32>,
    pub(super) prefix: Arc<str>,
    pub(super) local: Box<str>,
    pub(super) namespace: Arc<str>,
    pub(super) attributes: Vec<Attribute>,
    /// Declarations on this element, prefix to name; the empty prefix is the default namespace.
    pub(super) declared: Scope,
    pub(super) children: Vec<Child>,
}

#[derive(Debug)]
pub(crate) struct Attribute {
    pub(super) prefix: Arc<str>,
    pub(super) local: Box<str>,
    pub(super) namespace: Arc<str>,
    pub(super) value: Box<str>,
}

#[derive(Debug)]
pub(crate) enum Child {
    Element(u32),
    Text(String),
}

/// An element of a document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a> {
    pub(super) document: &'a Document,
    pub(super) index: u32,
}

impl Document {
    pub(crate) fn root(&self) -> Node<'_> {
        Node { document: self, index: 0 }
    }

    /// What `prefix` meant where a fragment stood.
    pub(super) fn outer(&self, prefix: &str) -> Option<&str> {
        self.outer.iter().find(|(p, _)| &**p == prefix).map(|(_, uri)| &**uri)
    }

    /// Every element, in document order.
    pub(crate) fn all(&self) -> impl Iterator<Item = Node<'_>> {
        (0..u32::try_from(self.elements.len()).unwrap_or(u32::MAX)).map(|index| Node { document: self, index })
    }

    /// Refuses a document in which two attributes that anybody might take for an id have one value.
    pub(crate) fn unique_ids(&self) -> Result<(), Problem> {
        let mut seen = HashSet::new();
        for node in self.all() {
            for a in &node.element().attributes {
                let id =
                    ["id", "assertionid", "requestid", "responseid"].iter().any(|n| a.local.eq_ignore_ascii_case(n));
                if id && !seen.insert(&*a.value) {
                    return Err(refuse(
                        &DUPLICATE_ID,
                        "同じ ID の要素が 2 つ以上あります。",
                        "Two elements carry the same id.",
                    )
                    .at(format!("{}/@{}", node.path(), a.local)));
                }
            }
        }
        Ok(())
    }
}

impl<'a> Node<'a> {
    pub(crate) fn element(self) -> &'a Element {
        &self.document.elements[self.index as usize]
    }

    pub(crate) fn document(self) -> &'a Document {
        self.document
    }

    pub(crate) fn is(self, namespace: &str, local: &str) -> bool {
        let e = self.element();
        &*e.namespace == namespace && &*e.local == local
    }

    pub(crate) fn local(self) -> &'a str {
        &self.element().local
    }

    pub(crate) fn parent(self) -> Option<Self> {
        self.element().parent.map(|index| Self { index, ..self })
    }

    pub(crate) fn same(self, other: Self) -> bool {
        std::ptr::eq(self.document, other.document) && self.index == other.index
    }

    /// Child elements; text between them is left out.
    pub(crate) fn children(self) -> impl Iterator<Item = Self> {
        self.element().children.iter().filter_map(move |c| match c {
            Child::Element(index) => Some(Self { document: self.document, index: *index }),
            Child::Text(_) => None,
        })
    }

    /// Child elements of one name.
    pub(crate) fn all_of(self, namespace: &'a str, local: &'a str) -> impl Iterator<Item = Self> {
        self.children().filter(move |c| c.is(namespace, local))
    }

    /// The child element of that name, if there is one; two are refused.
    pub(crate) fn optional(self, namespace: &'a str, local: &'a str) -> Result<Option<Self>, Problem> {
        let mut found = self.all_of(namespace, local);
        let first = found.next();
        if let Some(second) = found.next() {
            return Err(
                refuse(&SHAPE, "要素が 2 つ以上あります。", "The element is there more than once.").at(second.path())
            );
        }
        Ok(first)
    }

    /// The one child element of that name.
    pub(crate) fn one(self, namespace: &'a str, local: &'a str) -> Result<Self, Problem> {
        self.optional(namespace, local)?.ok_or_else(|| {
            refuse(&SHAPE, "必要な要素がありません。", "A required element is missing.")
                .at(format!("{}/{local}", self.path()))
        })
    }

    /// The value of an attribute without a namespace.
    pub(crate) fn attribute(self, local: &str) -> Option<&'a str> {
        self.element().attributes.iter().find(|a| a.namespace.is_empty() && &*a.local == local).map(|a| &*a.value)
    }

    /// The value of an attribute that must be there and not be empty.
    pub(crate) fn required(self, local: &str) -> Result<&'a str, Problem> {
        self.attribute(local).filter(|v| !v.is_empty()).ok_or_else(|| {
            refuse(&SHAPE, "必要な属性がありません。", "A required attribute is missing.")
                .at(format!("{}/@{local}", self.path()))
        })
    }

    /// The whole text of an element without child elements.
    pub(crate) fn text(self) -> Result<String, Problem> {
        let mut out = String::new();
        for child in &self.element().children {
            match child {
                Child::Text(text) => out.push_str(text),
                Child::Element(_) => {
                    return Err(refuse(
                        &SHAPE,
                        "文字列だけの要素の中に別の要素があります。",
                        "An element of text holds another element.",
                    )
                    .at(self.path()));
                }
            }
        }
        Ok(out)
    }

    /// Whether text other than white space stands between the child elements.
    pub(crate) fn has_loose_text(self) -> bool {
        self.element()
            .children
            .iter()
            .any(|c| matches!(c, Child::Text(t) if !t.bytes().all(|b| b.is_ascii_whitespace())))
    }

    /// Refuses child elements that `known` does not name, and text between them.
    pub(crate) fn only(self, known: &[(&str, &str)]) -> Result<(), Problem> {
        if self.has_loose_text() {
            return Err(
                refuse(&SHAPE, "要素の間に文字列があります。", "There is text between the elements.").at(self.path())
            );
        }
        match self.children().find(|c| !known.iter().any(|(namespace, local)| c.is(namespace, local))) {
            None => Ok(()),
            Some(stranger) => {
                Err(refuse(&SHAPE, "この場所に置けない要素があります。", "An element stands where it may not.")
                    .at(stranger.path()))
            }
        }
    }

    /// `Response/Assertion/Subject`: local names from the root.
    pub(crate) fn path(self) -> String {
        let mut names = vec![self.local()];
        let mut here = self;
        while let Some(parent) = here.parent() {
            names.push(parent.local());
            here = parent;
        }
        names.reverse();
        names.join("/")
    }

    /// What `prefix` means here; the empty prefix is the default namespace.
    pub(crate) fn binding(self, prefix: &str) -> Option<&'a str> {
        let mut here = Some(self);
        while let Some(node) = here {
            if let Some((_, uri)) = node.element().declared.iter().find(|(p, _)| &**p == prefix) {
                return Some(uri);
            }
            here = node.parent();
        }
        self.document.outer(prefix)
    }

    /// Every binding in scope here, the nearest declaration of each prefix.
    pub(crate) fn scope(self) -> Scope {
        let mut out = Scope::new();
        let mut here = Some(self);
        while let Some(node) = here {
            for (prefix, uri) in &node.element().declared {
                if !out.iter().any(|(p, _)| p == prefix) {
                    out.push((prefix.clone(), uri.clone()));
                }
            }
            here = node.parent();
        }
        for (prefix, uri) in &self.document.outer {
            if !out.iter().any(|(p, _)| p == prefix) {
                out.push((prefix.clone(), uri.clone()));
            }
        }
        out
    }
}

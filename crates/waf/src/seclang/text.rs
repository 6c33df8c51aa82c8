//! Text with `%{…}` expansions.

use super::target::Variable;

/// A piece of a [`Template`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Bytes as they stand.
    Literal(Vec<u8>),
    /// The first value of a variable, or of the named member.
    Value(Variable, Option<String>),
    /// A property of the rule itself: `id`, `msg`, `severity`, `rev`, `ver`, `logdata`.
    Rule(String),
}

/// Text that is completed when the rule runs.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Template(pub Vec<Piece>);

impl Template {
    /// Reads `a%{TX.b}c`. A `%{` that is not closed stands for itself, as it may in a pattern.
    ///
    /// # Errors
    /// The reason, when the variable named is not known.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("%{") {
            let Some(end) = rest[at..].find('}') else { break };
            literal.push_str(&rest[..at]);
            let inner = &rest[at + 2..at + end];
            rest = &rest[at + end + 1..];
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal).into_bytes()));
            }
            let (name, key) = match inner.find(['.', ':']) {
                Some(at) => (&inner[..at], Some(inner[at + 1..].to_owned())),
                None => (inner, None),
            };
            if name.eq_ignore_ascii_case("rule") {
                let key = key.unwrap_or_default().to_ascii_lowercase();
                if !["id", "msg", "severity", "rev", "ver", "logdata"].contains(&key.as_str()) {
                    return Err(format!("`%{{{inner}}}`: a rule has no such property"));
                }
                pieces.push(Piece::Rule(key));
            } else {
                let variable = Variable::parse(name).ok_or_else(|| format!("`%{{{inner}}}`: no such variable"))?;
                if variable.is_collection() && key.is_none() {
                    return Err(format!("`%{{{inner}}}`: which member?"));
                }
                pieces.push(Piece::Value(variable, key));
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal.into_bytes()));
        }
        Ok(Self(pieces))
    }

    /// The text, when nothing in it is expanded.
    #[must_use]
    pub fn constant(&self) -> Option<&[u8]> {
        match self.0.as_slice() {
            [] => Some(b""),
            [Piece::Literal(bytes)] => Some(bytes),
            _ => None,
        }
    }
}

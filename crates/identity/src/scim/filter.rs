//! Filters and paths (RFC 7644 §3.4.2.2, §3.5.2): a hand-written parser that reads what a provisioning client sends.
//! Length, depth and the number of comparisons are bounded; names are resolved against the schema while it reads.

use sekisho_kernel::{Problem, ProblemKind, Text, Time};
use serde_json::Value;

use super::{
    Resource,
    schema::{Attribute, Kind, ResourceType, Schema},
};
use crate::{
    Answer,
    problems::{SCIM_FILTER, SCIM_PATH},
};

/// Longest filter or path, in bytes.
const LONGEST: usize = 4_096;
/// Deepest nesting of parentheses, brackets and `not`.
const DEEPEST: usize = 10;
/// Most comparisons.
const MOST: usize = 100;

/// An operator of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Contains.
    Co,
    /// Begins with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
}

/// What a comparison compares with.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// Text.
    Text(String),
    /// Truth.
    Bool(bool),
}

/// Where a value stands.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The extension, if it is not the core schema's.
    pub extension: Option<&'static Schema>,
    /// The attribute; the whole extension without.
    pub attribute: Option<&'static Attribute>,
    /// The sub-attribute.
    pub part: Option<&'static Attribute>,
}

/// A filter.
#[derive(Clone, Debug)]
pub enum Filter {
    /// A comparison.
    Compare(Place, Operator, Literal),
    /// There is a value.
    Present(Place),
    /// Both.
    And(Box<Filter>, Box<Filter>),
    /// Either.
    Or(Box<Filter>, Box<Filter>),
    /// Not.
    Not(Box<Filter>),
    /// One of several values is as this says.
    Within(Place, Box<Filter>),
}

/// A path of PATCH.
#[derive(Clone, Debug)]
pub struct Path {
    /// Where.
    pub place: Place,
    /// Which of several values.
    pub within: Option<Filter>,
}

/// Reads a filter.
///
/// # Errors
/// `SK-4091`, with the place in the text.
pub fn filter(of: &'static ResourceType, text: &str) -> Answer<Filter> {
    let mut reader = Reader::new(Names::Resource(of), text, &SCIM_FILTER)?;
    let filter = reader.either(0)?;
    reader.end()?;
    Ok(filter)
}

/// Reads a path.
///
/// # Errors
/// `SK-4092`, or `SK-4091` for the filter in it.
pub fn path(of: &'static ResourceType, text: &str) -> Answer<Path> {
    let mut reader = Reader::new(Names::Resource(of), text, &SCIM_PATH)?;
    let word = reader.word();
    let mut place = reader.place(word, true)?;
    let mut within = None;
    if let (true, Some(attribute)) = (reader.take('['), place.attribute) {
        within = Some(reader.bracket(attribute, 0)?);
        if reader.take('.') {
            let name = reader.word();
            place.part = Some(attribute.part(name).ok_or_else(|| reader.unknown(name))?);
        }
    }
    reader.end()?;
    Ok(Path { place, within })
}

#[derive(Clone, Copy)]
enum Names {
    Resource(&'static ResourceType),
    Parts(&'static Attribute),
}

struct Reader<'t> {
    names: Names,
    text: &'t str,
    at: usize,
    comparisons: usize,
    kind: &'static ProblemKind,
}

impl<'t> Reader<'t> {
    fn new(names: Names, text: &'t str, kind: &'static ProblemKind) -> Answer<Self> {
        let reader = Self { names, text, at: 0, comparisons: 0, kind };
        if text.len() > LONGEST {
            return Err(reader.wrong("4,096 バイト以下にしてください。", "It may have 4,096 bytes at most."));
        }
        Ok(reader)
    }

    fn wrong(&self, ja: &str, en: &str) -> Problem {
        let n = self.text[..self.at].chars().count() + 1;
        Problem::new(self.kind).detail(Text::owned(format!("{n} 文字目: {ja}"), format!("At character {n}: {en}")))
    }

    fn unknown(&self, name: &str) -> Problem {
        let shown: String = name.chars().take(64).collect();
        self.wrong(&format!("「{shown}」という属性はありません。"), &format!("there is no attribute \"{shown}\"."))
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches(' ').len();
    }

    /// Takes a character that comes next.
    fn take(&mut self, wanted: char) -> bool {
        let there = self.rest().starts_with(wanted);
        self.at += if there { wanted.len_utf8() } else { 0 };
        there
    }

    /// The characters of names, URIs and operators that come next.
    fn word(&mut self) -> &'t str {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '$' | '_' | '-' | ':' | '.');
        let rest = self.rest();
        let end = rest.find(|c| !plain(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// The word that comes next, left where it is.
    fn ahead(&mut self) -> &'t str {
        let at = self.at;
        let word = self.word();
        self.at = at;
        word
    }

    fn end(&mut self) -> Answer<()> {
        self.spaces();
        if self.rest().is_empty() {
            Ok(())
        } else {
            Err(self.wrong("余分な文字があります。", "there is more than one expression."))
        }
    }

    fn deeper(&self, depth: usize) -> Answer<usize> {
        if depth >= DEEPEST {
            return Err(self.wrong("入れ子が深すぎます。", "it is nested too deeply."));
        }
        Ok(depth + 1)
    }

    /// Filters with `or` between them.
    fn either(&mut self, depth: usize) -> Answer<Filter> {
        let mut left = self.both(depth)?;
        while self.joined("or") {
            left = Filter::Or(Box::new(left), Box::new(self.both(depth)?));
        }
        Ok(left)
    }

    /// Filters with `and` between them, which binds closer.
    fn both(&mut self, depth: usize) -> Answer<Filter> {
        let mut left = self.one(depth)?;
        while self.joined("and") {
            left = Filter::And(Box::new(left), Box::new(self.one(depth)?));
        }
        Ok(left)
    }

    fn joined(&mut self, by: &str) -> bool {
        let at = self.at;
        self.spaces();
        if self.word().eq_ignore_ascii_case(by) {
            return true;
        }
        self.at = at;
        false
    }

    fn one(&mut self, depth: usize) -> Answer<Filter> {
        self.spaces();
        if self.take('(') {
            let inner = self.either(self.deeper(depth)?)?;
            return self.close(')').map(|()| inner);
        }
        let word = self.word();
        if word.eq_ignore_ascii_case("not") {
            self.spaces();
            if !self.take('(') {
                return Err(self.wrong("not の後には ( が必要です。", "\"(\" must follow \"not\"."));
            }
            let inner = self.either(self.deeper(depth)?)?;
            return self.close(')').map(|()| Filter::Not(Box::new(inner)));
        }
        let place = self.place(word, false)?;
        if let (true, Some(attribute)) = (self.take('['), place.attribute) {
            return Ok(Filter::Within(place, Box::new(self.bracket(attribute, depth)?)));
        }
        self.comparison(place)
    }

    fn close(&mut self, with: char) -> Answer<()> {
        self.spaces();
        if self.take(with) {
            return Ok(());
        }
        Err(self.wrong(&format!("{with} が必要です。"), &format!("\"{with}\" is missing.")))
    }

    /// A filter on the values of an attribute, up to the bracket's end.
    fn bracket(&mut self, attribute: &'static Attribute, depth: usize) -> Answer<Filter> {
        let (names, kind) = (self.names, self.kind);
        if attribute.parts().is_empty() {
            return Err(self.wrong("下位の属性がありません。", "the attribute has no sub-attributes."));
        }
        (self.names, self.kind) = (Names::Parts(attribute), &SCIM_FILTER);
        let inner = self.either(self.deeper(depth)?)?;
        self.close(']')?;
        (self.names, self.kind) = (names, kind);
        Ok(inner)
    }

    /// What a name stands for. Only a path may name a whole extension.
    fn place(&self, word: &str, whole: bool) -> Answer<Place> {
        let unknown = || self.unknown(word);
        let of = match self.names {
            Names::Parts(attribute) => {
                let part = attribute.part(word).ok_or_else(unknown)?;
                return Ok(Place { extension: None, attribute: Some(part), part: None });
            }
            Names::Resource(of) => of,
        };
        let (extension, name) = match self.of_schema(of, word) {
            Some((extension, "")) if whole && extension.is_some() => {
                return Ok(Place { extension, attribute: None, part: None });
            }
            Some(found) => found,
            None => (None, word),
        };
        let (name, part) = name.split_once('.').map_or((name, None), |(name, part)| (name, Some(part)));
        let attribute = match extension {
            Some(extension) => extension.attribute(name),
            None => of.attribute(name),
        };
        let attribute = attribute.ok_or_else(unknown)?;
        let part = part.map(|p| attribute.part(p).ok_or_else(unknown)).transpose()?;
        Ok(Place { extension, attribute: Some(attribute), part })
    }

    /// The schema whose URI a word begins with, and the rest.
    fn of_schema<'w>(&self, of: &'static ResourceType, word: &'w str) -> Option<(Option<&'static Schema>, &'w str)> {
        let after = |uri: &str| {
            let head = word.get(..uri.len()).filter(|h| h.eq_ignore_ascii_case(uri))?;
            let rest = &word[head.len()..];
            if rest.is_empty() { Some("") } else { rest.strip_prefix(':') }
        };
        let extension = of.extensions.iter().find_map(|s| Some((Some(*s), after(s.id)?)));
        extension.or_else(|| Some((None, after(of.core.id)?)))
    }

    fn comparison(&mut self, place: Place) -> Answer<Filter> {
        self.comparisons += 1;
        if self.comparisons > MOST {
            return Err(self.wrong("比較は 100 個までです。", "it may have 100 comparisons at most."));
        }
        self.spaces();
        let at = self.at;
        let word = self.word().to_ascii_lowercase();
        use Operator as O;
        let operator = match word.as_str() {
            "pr" => return Ok(Filter::Present(place)),
            "eq" => O::Eq,
            "ne" => O::Ne,
            "co" => O::Co,
            "sw" => O::Sw,
            "ew" => O::Ew,
            "gt" => O::Gt,
            "ge" => O::Ge,
            "lt" => O::Lt,
            "le" => O::Le,
            _ => {
                self.at = at;
                return Err(self.wrong("比較演算子が必要です。", "an operator is missing."));
            }
        };
        self.spaces();
        let Some(literal) = self.literal()? else {
            // Against null only presence can be told.
            return match operator {
                O::Eq => Ok(Filter::Not(Box::new(Filter::Present(place)))),
                O::Ne => Ok(Filter::Present(place)),
                _ => Err(self.wrong("null とは eq か ne で比べてください。", "null is compared by eq or ne alone.")),
            };
        };
        self.fits(place, operator, literal)
    }

    fn literal(&mut self) -> Answer<Option<Literal>> {
        if self.rest().starts_with('"') {
            let mut escaped = false;
            let end = self.rest().char_indices().skip(1).find_map(|(i, c)| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends.then_some(i + 1)
            });
            let quoted = end.map(|end| &self.rest()[..end]);
            let text = quoted.and_then(|q| serde_json::from_str(q).ok());
            let text = text.ok_or_else(|| self.wrong("文字列が閉じていません。", "the text is not a JSON string."))?;
            self.at += end.unwrap_or(0);
            return Ok(Some(Literal::Text(text)));
        }
        match self.ahead().to_ascii_lowercase().as_str() {
            "true" => self.at += 4,
            "false" => {
                self.at += 5;
                return Ok(Some(Literal::Bool(false)));
            }
            "null" => {
                self.at += 4;
                return Ok(None);
            }
            _ => {
                return Err(self.wrong(
                    "値は \" で囲んだ文字列、true、false、null のいずれかです。",
                    "a value is a text in quotes, true, false or null.",
                ));
            }
        }
        Ok(Some(Literal::Bool(true)))
    }

    /// Whether the value can be compared so.
    fn fits(&self, place: Place, operator: Operator, literal: Literal) -> Answer<Filter> {
        let kind = place.leaf().map(|a| &a.kind);
        let literal = match (kind, literal) {
            (Some(Kind::Bool), Literal::Text(t)) if t.eq_ignore_ascii_case("true") => Literal::Bool(true),
            (Some(Kind::Bool), Literal::Text(t)) if t.eq_ignore_ascii_case("false") => Literal::Bool(false),
            (_, literal) => literal,
        };
        let fits = match (kind, &literal) {
            (Some(Kind::Bool), Literal::Bool(_)) => matches!(operator, Operator::Eq | Operator::Ne),
            (Some(Kind::Time), Literal::Text(t)) => {
                matches!(operator, Operator::Co | Operator::Sw | Operator::Ew) || Time::parse_rfc3339(t).is_some()
            }
            (Some(Kind::Text | Kind::Exact | Kind::Reference(_)), Literal::Text(_)) => true,
            _ => false,
        };
        if fits {
            return Ok(Filter::Compare(place, operator, literal));
        }
        Err(self.wrong("この属性はこのようには比べられません。", "this attribute cannot be compared so."))
    }
}

impl Place {
    /// What is compared: the sub-attribute, the attribute, or a complex one's `value`.
    pub fn leaf(&self) -> Option<&'static Attribute> {
        let named = self.part.or(self.attribute)?;
        if named.parts().is_empty() { Some(named) } else { named.part("value") }
    }

    /// Whether it is this attribute of the core schema, or a complex one's `value`.
    pub fn is(&self, name: &str) -> bool {
        let value = self.part.is_none_or(|p| p.name == "value");
        self.extension.is_none() && value && self.attribute.is_some_and(|a| a.name == name)
    }

    /// The values that stand there.
    fn values<'r>(&self, resource: &'r Resource) -> Vec<&'r Value> {
        let Some(attribute) = self.attribute else { return Vec::new() };
        let base = match self.extension {
            Some(extension) => resource.get(extension.id).and_then(Value::as_object),
            None => Some(resource),
        };
        let Some(value) = base.and_then(|b| b.get(attribute.name)) else { return Vec::new() };
        let all = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        let part = self.part.map(|p| p.name).or_else(|| (!attribute.parts().is_empty()).then_some("value"));
        match part {
            Some(part) => all.iter().filter_map(|v| v.get(part)).collect(),
            None => all.iter().collect(),
        }
    }

    /// Whether anything stands there.
    fn present(&self, resource: &Resource) -> bool {
        let whole = Self { part: None, ..*self };
        let parts = self.part.is_none() && self.attribute.is_some_and(|a| !a.parts().is_empty());
        if !parts {
            return self.values(resource).iter().any(|v| !super::value::unassigned(v));
        }
        let base = whole.extension.map_or(Some(resource), |e| resource.get(e.id).and_then(Value::as_object));
        let value = base.zip(whole.attribute).and_then(|(b, a)| b.get(a.name));
        value.is_some_and(|v| !super::value::unassigned(v))
    }

    /// The text by which resources are sorted.
    pub fn sorted_by(&self, resource: &Resource) -> Option<String> {
        let exact = self.leaf().is_some_and(Attribute::exact);
        let first = self.values(resource).first().map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned));
        first.map(|t| if exact { t } else { t.to_lowercase() })
    }
}

/// A place to sort by.
///
/// # Errors
/// `SK-4092`.
pub fn place(of: &'static ResourceType, text: &str) -> Answer<Place> {
    let path = path(of, text)?;
    match path.within {
        None if path.place.leaf().is_some() => Ok(path.place),
        _ => Err(Problem::new(&SCIM_PATH)),
    }
}

impl Filter {
    /// Whether a resource is as the filter says.
    pub fn matches(&self, resource: &Resource) -> bool {
        match self {
            Self::Present(place) => place.present(resource),
            Self::And(a, b) => a.matches(resource) && b.matches(resource),
            Self::Or(a, b) => a.matches(resource) || b.matches(resource),
            Self::Not(inner) => !inner.matches(resource),
            Self::Within(place, inner) => each(place, resource).any(|v| inner.matches(v)),
            Self::Compare(place, Operator::Ne, literal) => {
                !place.values(resource).iter().any(|v| compares(place, v, Operator::Eq, literal))
            }
            Self::Compare(place, operator, literal) => {
                place.values(resource).iter().any(|v| compares(place, v, *operator, literal))
            }
        }
    }

    /// Whether it looks at an attribute.
    pub fn names(&self, attribute: &str) -> bool {
        match self {
            Self::Present(place) | Self::Compare(place, ..) => place.attribute.is_some_and(|a| a.name == attribute),
            Self::Within(place, _) => place.attribute.is_some_and(|a| a.name == attribute),
            Self::And(a, b) | Self::Or(a, b) => a.names(attribute) || b.names(attribute),
            Self::Not(inner) => inner.names(attribute),
        }
    }

    /// The equalities of which every matching resource has one, where the filter is such that there are any: what an index
    /// can answer.
    pub fn equalities(&self) -> Option<Vec<(Place, &str)>> {
        match self {
            Self::Compare(place, Operator::Eq, Literal::Text(text)) => Some(vec![(*place, text)]),
            Self::Within(place, inner) => {
                let inner = inner.equalities()?;
                let of = |part: Place| Place { part: part.attribute, ..*place };
                Some(inner.into_iter().map(|(part, text)| (of(part), text)).collect())
            }
            Self::And(a, b) => a.equalities().or_else(|| b.equalities()),
            Self::Or(a, b) => {
                let mut all = a.equalities()?;
                all.extend(b.equalities()?);
                Some(all)
            }
            _ => None,
        }
    }

    /// The sub-attributes that a value must have to match, where the filter says nothing but that.
    pub fn seeds(&self) -> Option<Vec<(&'static str, Value)>> {
        match self {
            Self::Compare(place, Operator::Eq, literal) => {
                let value = match literal {
                    Literal::Text(t) => Value::String(t.clone()),
                    Literal::Bool(b) => Value::Bool(*b),
                };
                Some(vec![(place.attribute?.name, value)])
            }
            Self::And(a, b) => {
                let mut all = a.seeds()?;
                all.extend(b.seeds()?);
                Some(all)
            }
            _ => None,
        }
    }
}

/// The values of a complex attribute.
fn each<'r>(place: &Place, resource: &'r Resource) -> impl Iterator<Item = &'r Resource> {
    let base = place.extension.map_or(Some(resource), |e| resource.get(e.id).and_then(Value::as_object));
    let value = base.zip(place.attribute).and_then(|(b, a)| b.get(a.name));
    let all = value.map_or(&[][..], |v| v.as_array().map_or(std::slice::from_ref(v), Vec::as_slice));
    all.iter().filter_map(Value::as_object)
}

fn compares(place: &Place, value: &Value, operator: Operator, literal: &Literal) -> bool {
    let text = match literal {
        Literal::Bool(wanted) => return value.as_bool() == Some(*wanted),
        Literal::Text(text) => text,
    };
    let Some(value) = value.as_str() else { return false };
    let leaf = place.leaf();
    let order = match leaf.map(|a| &a.kind) {
        Some(Kind::Time) => Time::parse_rfc3339(value).zip(Time::parse_rfc3339(text)).map(|(a, b)| a.cmp(&b)),
        _ => None,
    };
    let (value, text) = if leaf.is_some_and(Attribute::exact) {
        (value.to_owned(), text.to_owned())
    } else {
        (value.to_lowercase(), text.to_lowercase())
    };
    let order = order.unwrap_or_else(|| value.cmp(&text));
    match operator {
        Operator::Eq => order.is_eq(),
        Operator::Ne => order.is_ne(),
        Operator::Co => value.contains(&text),
        Operator::Sw => value.starts_with(&text),
        Operator::Ew => value.ends_with(&text),
        Operator::Gt => order.is_gt(),
        Operator::Ge => order.is_ge(),
        Operator::Lt => order.is_lt(),
        Operator::Le => order.is_le(),
    }
}

#[cfg(test)]
mod tests;

//! Moments as SAML writes them: xs:dateTime in UTC with a Z (core §1.3.3).

use std::time::Duration;

use sekisho_kernel::{Problem, ProblemKind, Text, Time};

use crate::{
    problems::{EXPIRED, NOT_YET, SHAPE, refuse},
    xml::Node,
};

/// Whole seconds, as every implementation reads them.
pub(crate) fn text(at: Time) -> String {
    let whole = Time::from_secs(at.secs()).rfc3339();
    whole.split_once('.').map_or(whole.clone(), |(seconds, _)| format!("{seconds}Z"))
}

/// Reads the value of the attribute `name` of `node`.
pub(crate) fn parse(text: &str, node: Node<'_>, name: &str) -> Result<Time, Problem> {
    let shaped = text.len() <= 40 && text.as_bytes().get(10) == Some(&b'T') && text.ends_with('Z');
    shaped.then(|| Time::parse_rfc3339(text)).flatten().ok_or_else(|| {
        refuse(&SHAPE, "UTC の日時として読み取れません。", "It is not a moment in UTC.")
            .at(format!("{}/@{name}", node.path()))
    })
}

/// The attribute `name` of `node`, if it is there.
pub(crate) fn optional(node: Node<'_>, name: &str) -> Result<Option<Time>, Problem> {
    node.attribute(name).map(|text| parse(text, node, name)).transpose()
}

/// The attribute `name` of `node`, which must be there.
pub(crate) fn required(node: Node<'_>, name: &str) -> Result<Time, Problem> {
    parse(node.required(name)?, node, name)
}

/// Refuses a moment that has not come.
pub(crate) fn reached(node: Node<'_>, name: &str, at: Time, now: Time, skew: Duration) -> Result<(), Problem> {
    if at > now.plus(skew) { Err(off(&NOT_YET, node, name, at, now)) } else { Ok(()) }
}

/// Refuses a moment that has passed ("on or after").
pub(crate) fn before(node: Node<'_>, name: &str, at: Time, now: Time, skew: Duration) -> Result<(), Problem> {
    if now.minus(skew) >= at { Err(off(&EXPIRED, node, name, at, now)) } else { Ok(()) }
}

fn off(kind: &'static ProblemKind, node: Node<'_>, name: &str, at: Time, now: Time) -> Problem {
    let (at, now) = (text(at), text(now));
    Problem::new(kind)
        .detail(Text::owned(
            format!("値は {at}、こちらの時刻は {now} です。"),
            format!("It says {at}; our clock says {now}."),
        ))
        .at(format!("{}/@{name}", node.path()))
}

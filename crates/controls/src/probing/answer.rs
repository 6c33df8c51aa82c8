//! Saying what came back, and whether two answers look the same from outside.

use sekisho_kernel::world::Answer;
use serde_json::Value;

/// Header fields that differ between any two answers.
const OF_EACH_ANSWER: [&str; 4] = ["date", "x-trace", "traceparent", "set-cookie"];

/// `401 sign-in-failed`: the status and, for a problem (RFC 9457), its name.
pub fn told(answer: &Answer) -> String {
    let problem = answer.json();
    match problem.get("type").and_then(Value::as_str).and_then(|t| t.strip_prefix("urn:sekisho:problem:")) {
        Some(name) => format!("{} {name}", answer.status),
        None => match answer.header("location") {
            Some(to) => format!("{} to {}", answer.status, to.split('?').next().unwrap_or(to)),
            None => answer.status.to_string(),
        },
    }
}

/// Each different answer with how often it came: `401 sign-in-failed (12 times)`.
pub fn tally<'a>(answers: impl IntoIterator<Item = &'a Answer>) -> String {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for answer in answers {
        let words = told(answer);
        match counts.iter_mut().find(|(w, _)| *w == words) {
            Some((_, n)) => *n += 1,
            None => counts.push((words, 1)),
        }
    }
    if counts.is_empty() {
        return "nothing".into();
    }
    let said: Vec<String> =
        counts.iter().map(|(w, n)| if *n == 1 { w.clone() } else { format!("{w} ({n} times)") }).collect();
    said.join(", ")
}

/// Whether the status is 2xx.
pub const fn good(answer: &Answer) -> bool {
    answer.status >= 200 && answer.status < 300
}

/// The trace id of an answer's header or problem.
pub fn trace(answer: &Answer) -> Option<String> {
    let parent = answer.header("traceparent").and_then(|t| t.split('-').nth(1)).map(str::to_owned);
    let header = || answer.header("x-trace").map(str::to_owned);
    let body = || answer.json().get("trace").and_then(Value::as_str).map(str::to_owned);
    parent.or_else(header).or_else(body)
}

/// What of an answer must be equal: status, header fields, body, without date and trace, with each of `names` (ids that
/// the request named itself) replaced.
fn face(answer: &Answer, names: &[&str]) -> (u16, Vec<(String, String)>, String) {
    let hide = |text: &str| {
        let hidden = names.iter().filter(|n| !n.is_empty()).fold(text.to_owned(), |t, n| t.replace(n, "NAMED"));
        match trace(answer) {
            Some(id) => hidden.replace(&id, "TRACE"),
            None => hidden,
        }
    };
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(n, _)| !OF_EACH_ANSWER.contains(&n.as_str()))
        .map(|(n, v)| (n.clone(), hide(v)))
        .filter(|(n, _)| n != "content-length")
        .collect();
    headers.sort();
    (answer.status, headers, hide(&answer.text()))
}

/// Whether two answers look the same to whoever asked, once what each request named itself is put aside. The error says
/// what differs.
///
/// # Errors
/// The first difference.
pub fn same_face(a: &Answer, a_names: &[&str], b: &Answer, b_names: &[&str]) -> Result<(), String> {
    let (one, two) = (face(a, a_names), face(b, b_names));
    if one.0 != two.0 {
        return Err(format!("status {} against {}", one.0, two.0));
    }
    if let Some((x, y)) = one.1.iter().zip(&two.1).find(|(x, y)| x != y) {
        return Err(format!("header field {}: {} against {}: {}", x.0, x.1, y.0, y.1));
    }
    if one.1.len() != two.1.len() {
        return Err(format!("{} header fields against {}", one.1.len(), two.1.len()));
    }
    if one.2 != two.2 {
        return Err(format!("bodies: {} against {}", shorten(&one.2), shorten(&two.2)));
    }
    Ok(())
}

/// At most 160 characters of a text.
pub fn shorten(text: &str) -> String {
    let short: String = text.chars().take(160).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, trace: &str, body: &str) -> Answer {
        let body = body.replace("TRACE", trace).into_bytes();
        let headers = vec![("date".into(), trace.into()), ("content-type".into(), "application/problem+json".into())];
        Answer { status, headers, body }
    }

    #[test]
    fn only_what_the_request_named_may_differ() {
        let body = |id: &str| format!(r#"{{"trace":"TRACE","place":"/users/{id}"}}"#);
        let (a, b) = (answer(404, "1111", &body("usr_1")), answer(404, "2222", &body("usr_2")));
        assert_eq!(same_face(&a, &["usr_1"], &b, &["usr_2"]), Ok(()));
        assert!(same_face(&a, &[], &b, &[]).is_err());
        let c = answer(403, "3333", &body("usr_1"));
        assert_eq!(same_face(&a, &["usr_1"], &c, &["usr_1"]), Err("status 404 against 403".into()));
    }

    #[test]
    fn tallies_count() {
        let problem = answer(401, "9", r#"{"type":"urn:sekisho:problem:sign-in-failed"}"#);
        assert_eq!(tally([&problem, &problem, &answer(204, "9", "")]), "401 sign-in-failed (2 times), 204");
        assert_eq!(tally([]), "nothing");
    }
}

//! The first page: what is promised and kept, this session, the rules that concern everybody.

use std::{sync::Arc, time::Duration};

use askama::Template;
use axum::{http::StatusCode, response::Response};
use sekisho_identity::types::SessionState;
use sekisho_kernel::{Lang, Right, Text, event};
use sekisho_vault::{Act, Need};

use super::{Shell, claims::Tally, render, shell};
use crate::{api::claims::join, call::Call, messages as m, problem::Fault};

/// The overview.
#[derive(Template)]
#[template(path = "overview.html")]
pub struct OverviewPage {
    /// Shell.
    pub p: Shell,
    /// Whose overview it is.
    pub greeting: String,
    /// The claims of the policy's own paper, or of all, for who may read them.
    pub claims: Option<Tally>,
    /// This session.
    pub session: SessionState,
    /// Rules in force.
    pub rules: Vec<Rule>,
}

/// A rule in force.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What it is about.
    pub name: &'static Text,
    /// Its value, for people.
    pub value: String,
}

/// A span for people: the largest unit that divides it.
pub fn span(span: Duration, lang: Lang) -> String {
    let s = span.as_secs();
    let units = [(86_400, "日間", "days", "day"), (3_600, "時間", "hours", "hour"), (60, "分", "minutes", "minute")];
    for (size, ja, many, one) in units {
        if s > 0 && s.is_multiple_of(size) {
            let n = s / size;
            return match lang {
                Lang::Ja => format!("{n} {ja}"),
                Lang::En => format!("{n} {}", if n == 1 { one } else { many }),
            };
        }
    }
    match lang {
        Lang::Ja => format!("{s} 秒"),
        Lang::En => format!("{s} {}", if s == 1 { "second" } else { "seconds" }),
    }
}

/// The rules of the policy snapshot that everybody meets.
pub fn rules(call: &Call) -> Vec<Rule> {
    let (gates, policy, lang) = (&call.parts.gates, &call.arrival.policy, call.lang);
    let mut out = Vec::new();
    let lockout = gates.lockout(policy);
    if let Some(tries) = lockout.tries {
        let value = match lang {
            Lang::Ja => format!("{tries} 回の失敗で {} ロック", span(lockout.period, lang)),
            Lang::En => format!("after {tries} failures, for {}", span(lockout.period, lang)),
        };
        out.push(Rule { name: m::RULE_LOCKOUT, value });
    }
    let session = gates.session(policy);
    if let Some(idle) = session.idle {
        out.push(Rule { name: m::RULE_IDLE, value: span(idle, lang) });
    }
    out.push(Rule { name: m::RULE_ABSOLUTE, value: span(session.absolute, lang) });
    let password = gates.password(policy);
    out.push(Rule { name: m::PASSWORD, value: super::sign_in::rule_text(&password).get(lang).to_owned() });
    let factor = gates.factor(policy);
    let word = if factor.required { m::REQUIRED } else { m::VOLUNTARY };
    out.push(Rule { name: m::SECOND_FACTOR, value: word.get(lang).to_owned() });
    let audit = gates.audit(policy);
    if let Some(keep) = audit.retention {
        out.push(Rule { name: m::RULE_RETENTION, value: span(keep, lang) });
    }
    out
}

/// GET /
pub async fn show(call: Arc<Call>) -> Result<Response, Fault> {
    let cx = call.cx()?;
    let p = shell(&call, m::OVERVIEW).await?;
    let session = call.parts.identity.session_state(cx).await?;
    let claims = if call.may(Right::CLAIMS_READ) {
        let act = Act {
            event: &event::CLAIMS_READ,
            need: Need::Right(Right::CLAIMS_READ),
            target: sekisho_kernel::Target::tenant(cx.tenant),
            object: "claims".into(),
        };
        let proofs = call.parts.evidence.all().await;
        let standings = join(call.parts.vault.look(cx, act, move |_| proofs).await?);
        let own = call.arrival.policy.platform.name();
        let of_own = standings.iter().any(|s| s.claim.file.slug() == own);
        Some(Tally::of(standings.iter().filter(|s| !of_own || s.claim.file.slug() == own), call.lang))
    } else {
        None
    };
    let greeting = p.who.as_ref().map(|w| w.name.clone()).unwrap_or_default();
    render(StatusCode::OK, &OverviewPage { p, greeting, claims, session, rules: rules(&call) })
}

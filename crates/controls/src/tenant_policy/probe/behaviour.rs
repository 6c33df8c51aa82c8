//! For each setting that a tenant may move: a strict value for one, the platform's own for the other, and what each does.

mod oauth;
mod passkeys;

use std::{net::IpAddr, time::Duration};

use sekisho_kernel::{
    Setting,
    claim::{Finding, Trouble},
    policy::Value,
    world::{Ask, World},
};
use serde_json::json;

use super::{Side, set, written};
use crate::{
    adaptive, addresses, audit, federation, lockout, passkeys as rules, passwords,
    probing::{
        Person, Session,
        answer::good,
        browser::Browser,
        history, in_force,
        passkey::Shows,
        person::{fresh_password, text},
        provider::{Provider, session},
        raw, rehearsed, rights, scim,
        signature::Client,
        told,
    },
    provisioning, second_factor, sessions, tenant_keys, tokens, unique_id, waf,
};

/// What is set, and how its effect is seen.
pub struct Case {
    strict: Value,
    loose: Value,
    seen: Seen,
}

/// How a value shows itself.
#[derive(Clone, Copy)]
enum Seen {
    Tries,
    Period,
    Idle,
    Absolute,
    Mode,
    NewPassword,
    History,
    MaxAge,
    Reads,
    Rotation,
    Addresses,
    /// A signature of so many seconds ago.
    Signature(i64),
    /// What an identity provider says, so many seconds after it ran out.
    Provider(i64),
    /// Whether a person's own token is issued, for so many days.
    Token(u32),
    /// A sign-in of somebody who is known, without a browser that is, from home or from elsewhere.
    Risk(IpAddr),
    /// Whether a token is still good after two days without use.
    Unused,
    /// Whether a passkey is registered that shows so much of its make.
    Passkey(Shows),
    /// Whether a recovery code stands in for one.
    LostPasskey,
    /// Whether an application may ask without having pushed its request.
    Pushed,
    /// Whether an application may have a token that is bound to no key.
    Bound,
    /// Whether an identity provider's call is answered.
    Scim,
    /// Whether a right password yields a session.
    ByPassword,
    /// Whether a person finds another to whom there is no relation.
    Unrelated,
    /// Words that the firewall takes for an attack at its higher levels only.
    Firewall,
}

/// A minute.
const MINUTE: Duration = Duration::from_secs(60);
/// Where people have signed in before, and where not.
const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7));
/// A model of authenticator that is not the probe's.
const MODEL: &str = "f8a011f3-8c0a-4d15-8006-17111f9edc7d";
/// A day.
const DAY: Duration = Duration::from_secs(86_400);

/// The strict and the loose value for a setting, or `None` for one that is not known here.
pub fn case(setting: &'static Setting, platform: &Value) -> Option<Case> {
    let is = |other: &'static Setting| setting.key == other.key;
    let of = |strict, seen| Some(Case { strict, loose: platform.clone(), seen });
    match platform {
        Value::Int(_) if is(&lockout::TRIES) => of(Value::Int(1), Seen::Tries),
        Value::Span(d) if is(&lockout::PERIOD) => of(Value::Span(*d * 2), Seen::Period),
        Value::Span(_) if is(&sessions::IDLE) => of(Value::Span(2 * MINUTE), Seen::Idle),
        Value::Span(_) if is(&sessions::ABSOLUTE) => of(Value::Span(6 * MINUTE), Seen::Absolute),
        Value::Str(_) if is(&second_factor::MODE) => of(Value::Str("required".into()), Seen::Mode),
        Value::Int(n) if is(&passwords::MIN_LENGTH) => of(Value::Int(n + 12), Seen::NewPassword),
        Value::Int(_) if is(&passwords::CLASSES) => of(Value::Int(4), Seen::NewPassword),
        Value::Int(n) if is(&passwords::HISTORY) => of(Value::Int(n + 1), Seen::History),
        Value::Str(_) if is(&passwords::SIGN_IN) => of(Value::Str("off".into()), Seen::ByPassword),
        Value::Span(_) if is(&passwords::MAX_AGE) => of(Value::Span(DAY), Seen::MaxAge),
        Value::Str(_) if is(&audit::READS) => of(Value::Str("each".into()), Seen::Reads),
        Value::Span(_) if is(&tenant_keys::ROTATION) => of(Value::Span(DAY), Seen::Rotation),
        Value::Str(_) if is(&tokens::PERSONAL) => of(Value::Str("off".into()), Seen::Token(1)),
        Value::Span(_) if is(&tokens::LONGEST) => of(Value::Span(DAY), Seen::Token(2)),
        Value::Span(_) if is(&tokens::UNUSED) => of(Value::Span(DAY), Seen::Unused),
        Value::Str(_) if is(&unique_id::MODE) => of(Value::Str("off".into()), Seen::Signature(0)),
        Value::Span(_) if is(&unique_id::SKEW) => of(Value::Span(Duration::from_secs(10)), Seen::Signature(20)),
        Value::Str(_) if is(&rules::MODE) => of(Value::Str("off".into()), Seen::Passkey(Shows::Own)),
        Value::Str(platform) if is(&rules::ATTESTATION) => match platform.as_str() {
            "none" => of(Value::Str("statement".into()), Seen::Passkey(Shows::Nothing)),
            _ => of(Value::Str("trusted".into()), Seen::Passkey(Shows::Own)),
        },
        Value::List(_) if is(&rules::AUTHENTICATORS) => of(Value::List(vec![MODEL.into()]), Seen::Passkey(Shows::Own)),
        Value::Str(_) if is(&rules::RECOVERY) => of(Value::Str("administrator".into()), Seen::LostPasskey),
        Value::Bool(_) if is(&crate::oauth::PUSHED) => of(Value::Bool(true), Seen::Pushed),
        Value::Bool(_) if is(&crate::oauth::BOUND) => of(Value::Bool(true), Seen::Bound),
        Value::Str(_) if is(&provisioning::SCIM) => of(Value::Str("off".into()), Seen::Scim),
        Value::Str(_) if is(&crate::relations::MODE) => of(Value::Str("related".into()), Seen::Unrelated),
        Value::Int(_) if is(&waf::PARANOIA) => of(Value::Int(4), Seen::Firewall),
        Value::Str(_) if is(&adaptive::LOW) => of(Value::Str("step_up".into()), Seen::Risk(HOME)),
        Value::Int(_) if is(&adaptive::MEDIUM_AT) => of(Value::Int(10), Seen::Risk(HOME)),
        Value::Str(_) if is(&adaptive::MEDIUM) => of(Value::Str("block".into()), Seen::Risk(ELSEWHERE)),
        Value::Int(_) if is(&adaptive::HIGH_AT) => of(Value::Int(30), Seen::Risk(ELSEWHERE)),
        Value::Str(_) if is(&federation::MODE) => of(Value::Str("off".into()), Seen::Provider(-60)),
        Value::Span(_) if is(&federation::SKEW) => of(Value::Span(Duration::from_secs(10)), Seen::Provider(20)),
        Value::Networks(_) if is(&addresses::ALLOW) => Some(Case {
            strict: networks(&["127.0.0.0/8"]),
            loose: networks(&["127.0.0.0/8", "198.51.100.0/24"]),
            seen: Seen::Addresses,
        }),
        _ => None,
    }
}

fn networks(list: &[&str]) -> Value {
    Value::Networks(list.iter().filter_map(|n| n.parse().ok()).collect())
}

/// Sets both, looks at both, clears both.
///
/// # Errors
/// When the world does not answer.
pub async fn run(
    world: &dyn World,
    finding: &mut Finding,
    setting: &'static Setting,
    case: &Case,
    strict: &mut Side,
    loose: &mut Side,
) -> Result<(), Trouble> {
    // Whatever came before may have ended a session or moved the clock.
    refresh(world, strict).await?;
    refresh(world, loose).await?;
    let prepared = prepare(world, case, strict, loose).await?;
    let one = set(world, &strict.desk, setting, &case.strict).await?;
    let two = set(world, &loose.desk, setting, &case.loose).await?;
    let what = format!("{}: {} against {}", setting.key, written(&case.strict), written(&case.loose));
    finding.positive(
        "opposite-values-set",
        format!("two administrators set {what}"),
        "both accepted",
        format!("{} and {}", told(&one), told(&two)),
        good(&one) && good(&two),
    );
    let effect = look(world, case, &prepared, strict, loose).await?;
    finding.forbidden(
        effect.clause,
        format!("{what}; at both nodes at once {}", effect.tried),
        "each organisation's own value decides, at either node",
        format!("strict: {}; loose: {}", effect.strict.join(", "), effect.loose.join(", ")),
        effect.strict_held,
    );
    finding.positive(
        "own-value-in-force",
        format!("{what}; what the loose value allows"),
        "allowed",
        effect.loose.join(", "),
        effect.loose_held,
    );
    refresh(world, strict).await?;
    refresh(world, loose).await?;
    for side in [&*strict, &*loose] {
        side.desk.delete(world, &format!("/policy/{}", setting.key)).await?;
    }
    Ok(())
}

async fn refresh(world: &dyn World, side: &mut Side) -> Result<(), Trouble> {
    if !good(&side.desk.get(world, "/session").await?) {
        side.admin.again(world).await?;
        side.desk = side.admin.sign_in(world).await?;
    }
    Ok(())
}

/// People made before the values were set.
struct Prepared {
    strict: [Person; 2],
    loose: [Person; 2],
    keys: [usize; 2],
    /// Recovery codes of the one and the other side.
    codes: [Vec<String>; 2],
}

async fn prepare(world: &dyn World, case: &Case, strict_side: &Side, loose_side: &Side) -> Result<Prepared, Trouble> {
    let (strict, loose) = (strict_side, loose_side);
    let pair = async |side: &Side| -> Result<[Person; 2], Trouble> {
        let null = serde_json::Value::Null;
        let (a, b) = match case.seen {
            Seen::Rotation | Seen::Addresses | Seen::Reads | Seen::Firewall => (side.admin.clone(), side.admin.clone()),
            _ => (
                side.desk.hire(world, &side.admin, "user", &null).await?,
                side.desk.hire(world, &side.admin, "user", &null).await?,
            ),
        };
        Ok([a, b])
    };
    let keys = [key_versions(world, &strict.desk).await?, key_versions(world, &loose.desk).await?];
    let (strict, loose) = (pair(strict).await?, pair(loose).await?);
    let codes = match case.seen {
        Seen::ByPassword => {
            // An organisation gives passwords up only while an administrator can come in without one.
            passkeys::administrator(world, strict_side).await?;
            Default::default()
        }
        Seen::LostPasskey => [passkeys::codes(world, &strict).await?, passkeys::codes(world, &loose).await?],
        _ => Default::default(),
    };
    Ok(Prepared { strict, loose, keys, codes })
}

/// What was seen.
struct Effect {
    clause: &'static str,
    tried: &'static str,
    strict: Vec<String>,
    loose: Vec<String>,
    strict_held: bool,
    loose_held: bool,
}

impl Effect {
    fn of(tried: &'static str, strict: Vec<(String, bool)>, loose: Vec<(String, bool)>) -> Self {
        let held = |all: &[(String, bool)]| !all.is_empty() && all.iter().all(|(_, ok)| *ok);
        Self {
            clause: "every-node-at-once",
            tried,
            strict_held: held(&strict),
            loose_held: held(&loose),
            strict: strict.into_iter().map(|(w, _)| w).collect(),
            loose: loose.into_iter().map(|(w, _)| w).collect(),
        }
    }
}

async fn look(
    world: &dyn World,
    case: &Case,
    prepared: &Prepared,
    strict: &Side,
    loose: &Side,
) -> Result<Effect, Trouble> {
    let pairs = (&prepared.strict, &prepared.loose);
    match case.seen {
        Seen::Tries => {
            let try_one = async |people: &[Person; 2], admitted: bool| -> Result<Vec<(String, bool)>, Trouble> {
                let mut out = Vec::new();
                for (node, person) in people.iter().enumerate() {
                    world.send(person.knock("wrong").node(node)).await?;
                    let got = person.first_step(world, 1 - node).await?;
                    out.push((told(&got), good(&got) == admitted));
                }
                Ok(out)
            };
            Ok(Effect::of(
                "one wrong password, then the right one at the other node",
                try_one(pairs.0, false).await?,
                try_one(pairs.1, true).await?,
            ))
        }
        Seen::Period => period(world, pairs).await,
        Seen::Idle => ends(world, pairs, 3 * MINUTE, false).await,
        Seen::Absolute => ends(world, pairs, 7 * MINUTE, true).await,
        Seen::Mode => {
            let asked = async |people: &[Person; 2], wanted: &[&str]| -> Result<Vec<(String, bool)>, Trouble> {
                let mut out = Vec::new();
                for (node, person) in people.iter().enumerate() {
                    let state = text(&person.first_step(world, node).await?.json(), "state");
                    out.push((state.clone(), wanted.contains(&state.as_str())));
                }
                Ok(out)
            };
            let strict = asked(pairs.0, &["enrol-factor", "second-factor"]).await?;
            let loose = asked(pairs.1, &["signed-in", "password-change"]).await?;
            Ok(Effect::of("a sign-in by an account without a second factor", strict, loose))
        }
        Seen::ByPassword => {
            let asked = async |people: &[Person; 2], admitted: bool| -> Result<Vec<(String, bool)>, Trouble> {
                let mut out = Vec::new();
                for (node, person) in people.iter().enumerate() {
                    let got = person.first_step(world, node).await?;
                    out.push((told(&got), good(&got) == admitted));
                }
                Ok(out)
            };
            Ok(Effect::of("a person signs in by password", asked(pairs.0, false).await?, asked(pairs.1, true).await?))
        }
        Seen::NewPassword => new_password(world, strict, loose).await,
        Seen::History => old_password(world, pairs).await,
        Seen::MaxAge => {
            rehearsed(world)?.advance(DAY + MINUTE).await?;
            let asked = async |people: &[Person; 2], wanted: &str| -> Result<Vec<(String, bool)>, Trouble> {
                let mut out = Vec::new();
                for (node, person) in people.iter().enumerate() {
                    let state = text(&person.first_step(world, node).await?.json(), "state");
                    out.push((state.clone(), (state == "password-change") == (wanted == "password-change")));
                }
                Ok(out)
            };
            let (strict, loose) = (asked(pairs.0, "password-change").await?, asked(pairs.1, "signed-in").await?);
            Ok(Effect::of("a sign-in a day and a minute after the password was set", strict, loose))
        }
        Seen::Reads => reads(world, strict, loose).await,
        Seen::Token(days) => {
            let (strict, loose) =
                (token_issued(world, pairs.0, days, false).await?, token_issued(world, pairs.1, days, true).await?);
            Ok(Effect::of("a person asks for an API token", strict, loose))
        }
        Seen::Unused => unused(world, strict, loose).await,
        Seen::Passkey(shows) => {
            let strict = passkeys::registered(world, pairs.0, shows, false).await?;
            let loose = passkeys::registered(world, pairs.1, shows, true).await?;
            Ok(Effect::of("a person registers a passkey of no known maker", strict, loose))
        }
        Seen::LostPasskey => passkeys::recovered(world, pairs, [&prepared.codes[0], &prepared.codes[1]]).await,
        Seen::Pushed => Ok(Effect::of(
            "an application sends a person without having pushed its request",
            oauth::unpushed(world, strict, false).await?,
            oauth::unpushed(world, loose, true).await?,
        )),
        Seen::Bound => Ok(Effect::of(
            "an application asks for a token without a key",
            oauth::unbound(world, strict, false).await?,
            oauth::unbound(world, loose, true).await?,
        )),
        Seen::Scim => {
            let ask = async |side: &Side, admitted: bool| -> Result<Vec<(String, bool)>, Trouble> {
                let provider = scim::Provider::connect(world, &side.desk).await?;
                let mut out = Vec::new();
                for node in [0, 1] {
                    let got =
                        world.send(scim::Provider { node, ..provider.clone() }.ask("GET", "/Users?count=1")).await?;
                    out.push((told(&got), good(&got) == admitted));
                }
                Ok(out)
            };
            Ok(Effect::of("an identity provider asks for users", ask(strict, false).await?, ask(loose, true).await?))
        }
        Seen::Unrelated => {
            let ask = async |people: &[Person; 2], found: bool| -> Result<Vec<(String, bool)>, Trouble> {
                let [one, other] = people;
                let mut out = Vec::new();
                let session = one.clone().sign_in(world).await?;
                for node in [0, 1] {
                    let got = session.at(node).get(world, &format!("/people/{}", other.id)).await?;
                    out.push((told(&got), good(&got) == found));
                }
                Ok(out)
            };
            Ok(Effect::of("a person looks for another", ask(pairs.0, false).await?, ask(pairs.1, true).await?))
        }
        Seen::Firewall => {
            let ask = async |side: &Side, admitted: bool| -> Result<Vec<(String, bool)>, Trouble> {
                let mut out = Vec::new();
                for node in [0, 1] {
                    let words = Ask::new("GET", &side.admin.console, "/sign-in?to=select%20a%20colour").node(node);
                    let got = world.send(words).await?;
                    out.push((told(&got), good(&got) == admitted));
                }
                Ok(out)
            };
            Ok(Effect::of(
                "a request with words that a query has too",
                ask(strict, false).await?,
                ask(loose, true).await?,
            ))
        }
        Seen::Signature(age) => {
            let (strict, loose) =
                (signed(world, strict, pairs.0, age, false).await?, signed(world, loose, pairs.1, age, true).await?);
            Ok(Effect::of("an application signs a person in", strict, loose))
        }
        Seen::Risk(from) => {
            let (strict, loose) = (risk(world, pairs.0, from).await?, risk(world, pairs.1, from).await?);
            // What the loose one is asked for is not what is looked at: the strict one must be asked for more.
            let rank = |seen: &str| ["signed-in", "password-again", "second-factor"].iter().position(|s| *s == seen);
            let milder = |n: usize| rank(&loose[n]).unwrap_or(3) < rank(&strict[n]).unwrap_or(3).min(3);
            Ok(Effect::of(
                "somebody who has signed in before does so with a browser that has not",
                strict.iter().enumerate().map(|(n, s)| (s.clone(), milder(n))).collect(),
                loose.iter().map(|s| (s.clone(), rank(s).is_some())).collect(),
            ))
        }
        Seen::Provider(late) => {
            let (strict, loose) =
                (vouched(world, strict, late, false).await?, vouched(world, loose, late, true).await?);
            Ok(Effect::of("an identity provider signs a person in", strict, loose))
        }
        Seen::Rotation => {
            rehearsed(world)?.advance(2 * DAY).await?;
            let (now, then) =
                ([key_versions(world, &strict.desk).await?, key_versions(world, &loose.desk).await?], prepared.keys);
            let words = |i: usize| format!("{} key versions before, {} after", then[i], now[i]);
            Ok(Effect::of(
                "two days pass, then the versions of each organisation's key are counted in raw storage",
                vec![(words(0), now[0] > then[0])],
                vec![(words(1), now[1] == then[1])],
            ))
        }
        Seen::Addresses => {
            let from = IpAddr::from([198, 51, 100, 7]);
            let ask = async |side: &Side, admitted: bool| -> Result<Vec<(String, bool)>, Trouble> {
                let mut out = Vec::new();
                for node in [0, 1] {
                    let got = world.send(side.desk.at(node).ask("GET", "/me").peer(from)).await?;
                    out.push((told(&got), good(&got) == admitted));
                }
                Ok(out)
            };
            Ok(Effect::of("a request from 198.51.100.7", ask(strict, false).await?, ask(loose, true).await?))
        }
    }
}

/// How many versions of its key a tenant has had, from raw storage.
async fn key_versions(world: &dyn World, desk: &crate::probing::Session) -> Result<usize, Trouble> {
    let canary = world.canaries().iter().find(|c| c.console == desk.host);
    let tenant = canary.ok_or_else(|| Trouble("an administrator of no known tenant".into()))?.tenant.bytes();
    let table = raw::table(rehearsed(world)?, "tenant_key").await?;
    Ok(table.rows.iter().filter(|r| table.blob(r, "tenant") == Some(&tenant)).count())
}

/// What a sign-in from an address comes to, for people who were there before from home.
async fn risk(world: &dyn World, people: &[Person; 2], from: IpAddr) -> Result<Vec<String>, Trouble> {
    let mut out = Vec::new();
    for (node, person) in people.iter().enumerate() {
        let mut person = person.clone();
        person.sign_in(world).await?;
        let got = person.from(from).first_step(world, node).await?;
        out.push(if good(&got) { text(&got.json(), "state") } else { told(&got) });
    }
    Ok(out)
}

async fn period(world: &dyn World, pairs: (&[Person; 2], &[Person; 2])) -> Result<Effect, Trouble> {
    let policy = in_force(world);
    let (tries, period) = (policy.int(&lockout::TRIES), policy.span(&lockout::PERIOD));
    for person in pairs.0.iter().chain(pairs.1) {
        for n in 0..tries {
            world.send(person.knock(&format!("wrong {n}"))).await?;
        }
    }
    rehearsed(world)?.advance(period + MINUTE).await?;
    let then = async |people: &[Person; 2], admitted: bool| -> Result<Vec<(String, bool)>, Trouble> {
        let mut out = Vec::new();
        for (node, person) in people.iter().enumerate() {
            let got = person.first_step(world, node).await?;
            out.push((told(&got), good(&got) == admitted));
        }
        Ok(out)
    };
    let (strict, loose) = (then(pairs.0, false).await?, then(pairs.1, true).await?);
    Ok(Effect::of(
        "accounts are locked, and a minute after the platform's time the right password is tried",
        strict,
        loose,
    ))
}

/// Sessions made now, looked at after `span`; with `busy` they are used every minute on the way.
async fn ends(
    world: &dyn World,
    pairs: (&[Person; 2], &[Person; 2]),
    span: Duration,
    busy: bool,
) -> Result<Effect, Trouble> {
    let mut sessions = Vec::new();
    for (node, person) in pairs.0.iter().enumerate().chain(pairs.1.iter().enumerate()) {
        sessions.push(person.clone().sign_in(world).await?.at(node));
    }
    let minutes = u32::try_from(span.as_secs() / 60).unwrap_or(1);
    for _ in 0..minutes {
        rehearsed(world)?.advance(MINUTE).await?;
        if busy {
            for session in &sessions {
                session.get(world, "/me").await?;
            }
        }
    }
    let mut seen = Vec::new();
    for (n, session) in sessions.iter().enumerate() {
        let got = session.get(world, "/session").await?;
        seen.push((told(&got), good(&got) == (n >= 2)));
    }
    let loose = seen.split_off(2);
    let tried = if busy {
        "sessions in use every minute, a minute past the strict end"
    } else {
        "sessions left alone, a minute past the strict end"
    };
    Ok(Effect::of(tried, seen, loose))
}

/// A password that satisfies the platform's rule exactly and no stricter one.
fn bare_password(world: &dyn World) -> String {
    let policy = in_force(world);
    let least = usize::try_from(policy.int(&passwords::MIN_LENGTH)).unwrap_or(8);
    let classes = policy.int(&passwords::CLASSES);
    let lower: String = world
        .marker("b")
        .chars()
        .filter(char::is_ascii_hexdigit)
        .map(|c| char::from(b'a' + (c.to_digit(16).unwrap_or(0) as u8)))
        .collect();
    let mut out: String = lower.chars().cycle().take(least).collect();
    for (n, extra) in ["Q", "7", "!"].iter().enumerate() {
        if i64::try_from(n).is_ok_and(|n| n + 1 < classes) {
            out.replace_range(n..=n, extra);
        }
    }
    out
}

async fn new_password(world: &dyn World, strict: &Side, loose: &Side) -> Result<Effect, Trouble> {
    let make = async |side: &Side, admitted: bool| -> Result<Vec<(String, bool)>, Trouble> {
        let mut out = Vec::new();
        for node in [0, 1] {
            let body = json!({"name": world.marker("short"), "type": "user", "password": bare_password(world)});
            let got = side.desk.at(node).post(world, "/users", &body).await?;
            out.push((told(&got), good(&got) == admitted));
        }
        Ok(out)
    };
    let (strict, loose) = (make(strict, false).await?, make(loose, true).await?);
    Ok(Effect::of("an account is made with a password that just satisfies the platform's rule", strict, loose))
}

/// The oldest password that the platform's rule has already forgotten, and a stricter one has not.
async fn old_password(world: &dyn World, pairs: (&[Person; 2], &[Person; 2])) -> Result<Effect, Trouble> {
    let remembered = in_force(world).int(&passwords::HISTORY);
    // One person of each side: every change costs as many hashes as passwords are remembered.
    let change = async |person: &Person, admitted: bool| -> Result<Vec<(String, bool)>, Trouble> {
        let mut person = person.clone();
        let session = person.sign_in(world).await?;
        let first = person.password.clone();
        let mut current = first.clone();
        // The present password and that many earlier ones are remembered: after one change more the first is forgotten.
        for _ in 0..=remembered {
            let next = fresh_password(world);
            let got = session.put(world, "/me/password", &json!({"current": current, "new": next})).await?;
            if !good(&got) {
                return Err(Trouble(format!("changing the password was answered {}", told(&got))));
            }
            current = next;
        }
        let mut out = Vec::new();
        // Once it is accepted it is the present one: then one node is enough.
        for node in if admitted { &[1][..] } else { &[0, 1] } {
            let body = json!({"current": current, "new": first});
            let got = session.at(*node).put(world, "/me/password", &body).await?;
            out.push((told(&got), good(&got) == admitted));
        }
        Ok(out)
    };
    let (strict, loose) = (change(&pairs.0[0], false).await?, change(&pairs.1[0], true).await?);
    Ok(Effect::of("a password comes back that is one older than the platform remembers", strict, loose))
}

async fn token_issued(
    world: &dyn World,
    people: &[Person; 2],
    days: u32,
    admitted: bool,
) -> Result<Vec<(String, bool)>, Trouble> {
    let mut out = Vec::new();
    for (node, person) in people.iter().enumerate() {
        let session = person.clone().sign_in(world).await?.at(node);
        let body = json!({"name": world.marker("token"), "days": days, "password": person.password});
        let got = session.post(world, "/me/tokens", &body).await?;
        out.push((told(&got), good(&got) == admitted));
    }
    Ok(out)
}

async fn unused(world: &dyn World, strict: &Side, loose: &Side) -> Result<Effect, Trouble> {
    let mut tokens = Vec::new();
    for side in [strict, loose] {
        let account = rights::service_account(world, &side.desk).await?;
        let new = json!({"user": account, "name": world.marker("token"), "rights": ["users.read"], "days": 30});
        let made = side.desk.make(world, "/tokens", &new).await?;
        tokens.push(Session { token: text(&made, "token"), ..side.desk.clone() });
    }
    rehearsed(world)?.advance(2 * DAY).await?;
    let mut seen = Vec::new();
    for (token, admitted) in tokens.iter().zip([false, true]) {
        let mut side = Vec::new();
        for node in [0, 1] {
            let got = token.at(node).get(world, "/me").await?;
            side.push((told(&got), good(&got) == admitted));
        }
        seen.push(side);
    }
    let (loose, strict) = (seen.pop().unwrap_or_default(), seen.pop().unwrap_or_default());
    Ok(Effect::of("an API token left unused for two days is used", strict, loose))
}

/// A client is registered, and signs for a person at each node, `age` seconds ago.
async fn signed(
    world: &dyn World,
    side: &Side,
    people: &[Person; 2],
    age: i64,
    admitted: bool,
) -> Result<Vec<(String, bool)>, Trouble> {
    let client = Client::register(world, &side.desk, &[&people[0], &people[1]]).await?;
    let mut out = Vec::new();
    for (node, person) in people.iter().enumerate() {
        let at = rehearsed(world)?.now().secs() - age;
        let signed = client.sign(&person.console, &person.name, at, &world.marker("nonce"));
        let got = world.send(signed.ask(&person.console).node(node)).await?;
        out.push((told(&got), good(&got) == admitted));
    }
    Ok(out)
}

async fn vouched(world: &dyn World, side: &Side, late: i64, admitted: bool) -> Result<Vec<(String, bool)>, Trouble> {
    let provider = Provider::register(world, &side.desk).await?;
    let mut out = Vec::new();
    for node in [0, 1] {
        let mut browser = Browser::default();
        browser.node = node;
        let leave = match provider.leave(world, &mut browser).await {
            Ok(leave) => leave,
            // Where the way is closed, the sign-in page leads nowhere.
            Err(closed) => {
                out.push((closed.0, !admitted));
                continue;
            }
        };
        let mut claims = provider.claims(world, &leave, &world.marker("subject"))?;
        claims["exp"] = json!(rehearsed(world)?.now().secs() - late);
        let got = provider.come_back(world, &mut browser, &leave, &provider.token(&claims)).await?;
        out.push((told(&got), session(&got).is_some() == admitted));
    }
    Ok(out)
}

async fn reads(world: &dyn World, strict: &Side, loose: &Side) -> Result<Effect, Trouble> {
    const READS: usize = 3;
    let count = async |side: &Side, wanted: usize, at_least: bool| -> Result<Vec<(String, bool)>, Trouble> {
        let mut out = Vec::new();
        for node in [0, 1] {
            let path = format!("/orders/{}", world.marker("read"));
            let mut browser = Browser::default();
            browser.node = node;
            browser.keep(&side.admin.console, "__Host-sekisho", &side.desk.token);
            browser.open(world, &side.admin.application, "/").await?;
            for _ in 0..READS {
                browser.open(world, &side.admin.application, &path).await?;
            }
            let entries = history::entries(world, &side.desk, "action=door.pass").await?;
            let ours = entries.iter().filter(|e| e.target().contains(&path)).count();
            let ok = if at_least { ours >= wanted } else { ours <= wanted };
            out.push((format!("{ours} entries"), ok));
        }
        Ok(out)
    };
    let (strict, loose) = (count(strict, READS, true).await?, count(loose, 1, false).await?);
    Ok(Effect::of(
        "a page of the application is read three times within a minute, and its entries counted",
        strict,
        loose,
    ))
}

//! Rule sets put in the feed: a signed, newer one that passes its tests is in force by itself; every other is refused (DX-14).

use std::time::Duration;

use async_trait::async_trait;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Answer, Ask, FeedSet, FeedSigner, Raw, Rehearsed, World},
};
use serde_json::Value;

use super::blocked;
use crate::{
    probing::{Person, Session, answer::good, browser::Browser, in_force, rehearsed, told},
    waf::{DX_14, FEED_EVERY, MAX_AGE},
};

pub struct Feed;

/// Ordinary requests under way while a set is swapped.
const STEADY: usize = 200;

/// A rule that stops a word, and the test that it does.
fn set(rehearsed: &dyn Rehearsed, version: u64, word: &str, signer: FeedSigner) -> FeedSet {
    let id = 9_200_000 + version;
    FeedSet {
        version,
        rules: format!(
            "SecRule ARGS \"@contains {word}\" \"id:{id},phase:2,deny,status:403,t:none,t:lowercase,msg:'{word}'\"\n"
        ),
        tests: format!(
            "---\nrule_id: {id}\ntests:\n  - test_id: 1\n    stages:\n      - input: {{ method: GET, port: 80, headers: {{ Host: a.example, User-Agent: t, Accept: \"*/*\" }}, uri: \"/?q={word}\", version: HTTP/1.1 }}\n        output: {{ log: {{ expect_ids: [{id}] }} }}\n"
        ),
        signer,
        made: rehearsed.now(),
    }
}

struct Seen<'a> {
    world: &'a dyn World,
    rehearsed: &'a dyn Rehearsed,
    person: Person,
    desk: Session,
    cookie: String,
    every: Duration,
}

impl<'a> Seen<'a> {
    async fn of(world: &'a dyn World) -> Result<Self, Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("a tenant is needed".into())) };
        let mut person = Person::admin(canary);
        let desk = person.sign_in(world).await?;
        let every = in_force(world).span(&FEED_EVERY);
        let mut out = Self { world, rehearsed: rehearsed(world)?, person, desk, cookie: String::new(), every };
        out.renew().await?;
        Ok(out)
    }

    /// Signs in again: sessions end while the clock goes on.
    async fn renew(&mut self) -> Result<(), Trouble> {
        self.desk = self.person.sign_in(self.world).await?;
        let mut browser = Browser::default();
        browser.sign_in(self.world, &mut self.person).await?;
        browser.open(self.world, &self.person.application, "/").await?;
        self.cookie = browser.cookies(&self.person.application);
        Ok(())
    }

    fn ask(&self, word: &str) -> Ask {
        Ask::new("GET", &self.person.application, &format!("/search?q={word}"))
            .header("cookie", self.cookie.clone())
            .header("accept", "application/json")
    }

    async fn attack(&self, word: &str) -> Result<Answer, Trouble> {
        self.world.send(self.ask(word)).await
    }

    /// The rule set in force, as the administrator is shown it.
    async fn shown(&self) -> Result<Value, Trouble> {
        let got = self.desk.need(self.world, self.desk.ask("GET", "/firewall")).await?;
        Ok(got["rule_set"].clone())
    }

    async fn version(&self) -> Result<u64, Trouble> {
        Ok(self.shown().await?["version"].as_u64().unwrap_or(0))
    }

    /// Lets the next visit to the feed come.
    async fn wait(&self) -> Result<(), Trouble> {
        self.rehearsed.advance(self.every + Duration::from_secs(120)).await
    }
}

#[async_trait]
impl Probe for Feed {
    fn spec(&self) -> &'static ClaimSpec {
        &DX_14
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let mut seen = Seen::of(world).await?;
        newer(&mut seen, finding).await?;
        for (step, refused) in refused_sets(&seen).into_iter().enumerate() {
            refusal(&seen, finding, refused, step).await?;
        }
        seen.rehearsed.advance(in_force(world).span(&MAX_AGE) + Duration::from_secs(86_400)).await?;
        seen.renew().await?;
        aged(&seen, finding).await
    }
}

async fn newer(seen: &mut Seen<'_>, finding: &mut Finding) -> Result<(), Trouble> {
    let word = "unheardofattack";
    let before = seen.attack(word).await?;
    finding.positive(
        "new-set-loads-by-itself",
        "an attack that no rule knows yet",
        "it passes",
        told(&before),
        good(&before),
    );
    seen.rehearsed.put_in_feed(set(seen.rehearsed, 10, word, FeedSigner::Own)).await?;
    let page = |_| Ask::new("GET", &seen.person.console, "/sign-in");
    let (answers, waited) = both(seen.world.send_all((0..STEADY).map(page).collect()), seen.wait()).await;
    waited?;
    seen.renew().await?;
    let lost = answers.iter().filter(|a| !a.as_ref().is_ok_and(good)).count();
    finding.forbidden(
        "no-request-dropped",
        format!("{STEADY} requests for a page while the set was fetched, tested and put in force"),
        "each is answered",
        format!("{} answered, {lost} not", answers.len() - lost),
        lost == 0,
    );
    let version = seen.version().await?;
    finding.positive(
        "new-set-loads-by-itself",
        "a signed rule set, number 10, put in the feed; nothing else was done",
        "number 10 is in force",
        format!("number {version}"),
        version == 10,
    );
    let after = seen.attack(word).await?;
    finding.forbidden("blocks-what-passed-before", "the same attack again", "blocked", told(&after), blocked(&after));
    let ordinary = seen.attack("optical+router").await?;
    finding.positive("blocks-what-passed-before", "an ordinary request", "passes", told(&ordinary), good(&ordinary));
    Ok(())
}

/// A set that must not be put in force, and the word that it would stop.
struct Refused {
    clause: &'static str,
    what: &'static str,
    word: &'static str,
    set: FeedSet,
}

fn refused_sets(seen: &Seen<'_>) -> Vec<Refused> {
    let of = |version, word, signer| set(seen.rehearsed, version, word, signer);
    let failing = |version, word: &str, rules: Option<&str>| {
        let mut failing = set(seen.rehearsed, version, word, FeedSigner::Own);
        match rules {
            Some(rules) => failing.rules.push_str(rules),
            None => failing.tests = failing.tests.replace("expect_ids", "no_expect_ids"),
        }
        failing
    };
    vec![
        Refused {
            clause: "older-refused",
            what: "number 9, older, signed",
            word: "wordofanolderset",
            set: of(9, "wordofanolderset", FeedSigner::Own),
        },
        Refused {
            clause: "failing-refused",
            what: "number 11, signed, one of its own tests fails",
            word: "wordofafailingset",
            set: failing(11, "wordofafailingset", None),
        },
        Refused {
            clause: "failing-refused",
            what: "number 12, signed, with a rule that cannot be read",
            word: "wordofabrokenset",
            set: failing(12, "wordofabrokenset", Some("SecRule ARGS \"@rx (\" \"id:1\"\n")),
        },
        Refused {
            clause: "failing-refused",
            what: "number 13, signed, blocking every request",
            word: "wordofawildset",
            set: failing(13, "wordofawildset", Some("SecAction \"id:9299999,phase:1,deny,status:403\"\n")),
        },
        Refused {
            clause: "unsigned-refused",
            what: "number 14, signed with another key",
            word: "wordofastranger",
            set: of(14, "wordofastranger", FeedSigner::Stranger),
        },
        Refused {
            clause: "unsigned-refused",
            what: "number 15, unsigned",
            word: "wordofnobody",
            set: of(15, "wordofnobody", FeedSigner::Nobody),
        },
    ]
}

async fn refusal(seen: &Seen<'_>, finding: &mut Finding, refused: Refused, step: usize) -> Result<(), Trouble> {
    let before = count(seen, "firewall.reject").await?;
    seen.rehearsed.put_in_feed(refused.set).await?;
    // The visit is asked for on the host: an idle session would end in the time until the next one.
    let told_so = seen.rehearsed.command(&["waf", "feed", "fetch"]).await?;
    let (version, answer) = (seen.version().await?, seen.attack(refused.word).await?);
    let entered = count(seen, "firewall.reject").await? > before;
    finding.forbidden(
        refused.clause,
        format!("{} (step {})", refused.what, step + 1),
        "refused and entered; number 10 stays in force",
        format!(
            "number {version} in force, its word answered {}, {}; the command said {:?}",
            told(&answer),
            if entered { "entered" } else { "not entered" },
            told_so.stdout.lines().next().unwrap_or_default()
        ),
        version == 10 && !blocked(&answer) && entered,
    );
    Ok(())
}

async fn aged(seen: &Seen<'_>, finding: &mut Finding) -> Result<(), Trouble> {
    let shown = seen.shown().await?;
    let age = shown["age_seconds"].as_u64().unwrap_or(0);
    finding.positive(
        "age-shown-and-alerts",
        "the rule set is read as an administrator, longer after its making than the policy allows",
        "its age, and that it is out of date",
        format!("{age} s, out of date: {}", shown["out_of_date"]),
        age > 86_400 && shown["out_of_date"] == Value::Bool(true),
    );
    let alerts = count(seen, "firewall.stale").await?;
    finding.forbidden(
        "age-shown-and-alerts",
        "nobody renews it",
        "an alert is entered",
        format!("{alerts} entered"),
        alerts > 0,
    );
    Ok(())
}

/// Entries of an event, over all logs.
async fn count(seen: &Seen<'_>, event: &str) -> Result<i64, Trouble> {
    let rows = seen.rehearsed.raw_rows(&format!("SELECT COUNT(*) FROM ledger_entry WHERE event = '{event}'")).await?;
    match rows.first().and_then(|r| r.first()) {
        Some(Raw::Int(n)) => Ok(*n),
        other => Err(Trouble(format!("the entries could not be counted: {other:?}"))),
    }
}

/// Two futures at the same time.
async fn both<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    let (mut a, mut b) = (std::pin::pin!(a), std::pin::pin!(b));
    let (mut first, mut second) = (None, None);
    std::future::poll_fn(|cx| {
        if first.is_none()
            && let std::task::Poll::Ready(value) = a.as_mut().poll(cx)
        {
            first = Some(value);
        }
        if second.is_none()
            && let std::task::Poll::Ready(value) = b.as_mut().poll(cx)
        {
            second = Some(value);
        }
        match (first.take(), second.take()) {
            (Some(x), Some(y)) => std::task::Poll::Ready((x, y)),
            (x, y) => {
                (first, second) = (x, y);
                std::task::Poll::Pending
            }
        }
    })
    .await
}

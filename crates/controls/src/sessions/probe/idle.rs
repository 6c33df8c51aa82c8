//! NM-02: a browser left untouched with its polling and WebSocket running.

use std::time::Duration;

use async_trait::async_trait;
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    policy::show_span,
    world::{Ask, RealBrowser, Socket, World},
};
use serde_json::json;

use crate::{
    probing::{
        Person,
        answer::good,
        browser::{Browser, socket_answers, socket_stays},
        in_force,
        oauth::{App, Tokens},
        person::{API, text},
        raw, rehearsed, told,
    },
    sessions::{IDLE, NM_02},
};

pub struct LeftUntouched;

/// How many looks fall into one idle time.
const LOOKS: u32 = 30;
/// Seconds that a WebSocket may outlive its session.
const GRACE: u32 = 3;

#[async_trait]
impl Probe for LeftUntouched {
    fn spec(&self) -> &'static ClaimSpec {
        &NM_02
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let idle = in_force(world).span(&IDLE);
        let minute = idle / LOOKS;
        let shown = show_span(idle);
        let instance = rehearsed(world)?;
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;
        let marker = world.marker("shown");
        desk.make(world, "/users", &json!({"name": marker, "display_name": marker, "type": "user"})).await?;

        let mut browser = Browser::default();
        browser.sign_in(world, &mut admin).await?;
        let mut tab = Tab {
            console: canary.console.clone(),
            application: canary.application.clone(),
            marker,
            browser,
            real: None,
        };
        let page = tab.page(world).await?;
        let application = tab.application(world).await?;
        finding.positive(
            "shows-no-data",
            "a page of the console and the application, signed in",
            "both show their data",
            format!("{}; {}", page.words, application.words),
            page.data && application.data,
        );
        let app = App::register(world, &desk, &["users.read"], true).await?;
        let held = app.tokens(world, &mut tab.browser).await?;
        tab.real = Real::open(world, finding, &tab).await?;
        let session = text(&tab.poll(world, 0).await?.json(), "session");
        let id = raw::id_bytes(&session)?;
        let stored = raw::holding(&raw::tables(instance).await?, &id);
        finding.positive(
            "record-gone-on-every-node",
            "raw storage is searched for the session's id while it lives",
            "its record is there",
            format!("found in {}", listed(&stored)),
            !stored.is_empty(),
        );

        // A click one thirtieth before the end, then nearly another idle time: without the click it would be over.
        tab.wait(world, minute, LOOKS - 1).await?;
        tab.page(world).await?;
        let mut socket = tab.socket(world).await?;
        let early = tab.wait_with(world, minute, LOOKS - 2, &mut *socket).await?;
        finding.positive(
            "click-prolongs",
            format!(
                "a page opened {} after sign-in, then {} without a click",
                show_span(minute * (LOOKS - 1)),
                show_span(minute * (LOOKS - 2))
            ),
            "still signed in",
            early.words(),
            early.polled && early.socket,
        );
        let held = world.send(app.refresh(&held.refresh)).await?;
        let held = Tokens::of(&held).ok_or_else(|| Trouble(format!("refreshing was answered {}", told(&held))))?;
        let mut late = tab.wait_with(world, minute, 2, &mut *socket).await?;
        for _ in 0..GRACE {
            if late.socket {
                instance.advance(Duration::from_secs(1)).await?;
                late.socket = socket_stays(&mut *socket, "still there after the end").await?;
            }
        }

        finding.forbidden(
            "polling-does-not-prolong",
            format!(
                "the session asked after every {} throughout, and the application by a script, then once more {shown} after the last click",
                show_span(minute)
            ),
            "refused",
            late.polled_words.clone(),
            !late.polled,
        );
        finding.forbidden(
            "websocket-does-not-prolong",
            format!(
                "messages over the open WebSocket every {} throughout, then one more {shown} after the last click",
                show_span(minute)
            ),
            "the WebSocket is closed",
            if late.socket { "it still answers" } else { "closed" },
            !late.socket,
        );
        if let Some(real) = &mut tab.real {
            real.judge(finding, &canary.console, &tab.marker, &shown).await?;
        }
        let page = tab.page(world).await?;
        let application = tab.application(world).await?;
        finding.forbidden(
            "signed-out-at-limit",
            format!("the same browser opens console and application {shown} after the last click"),
            "both ask for a sign-in",
            format!("{}; {}", page.words, application.words),
            !page.inside && !application.inside,
        );
        finding.forbidden(
            "shows-no-data",
            format!("what came back {shown} after the last click is searched for the data"),
            "none of it",
            format!(
                "console: {}; application: {}",
                if page.data { "data shown" } else { "no data" },
                if application.data { "data shown" } else { "no data" }
            ),
            !page.data && !application.data,
        );
        refresh(world, finding, &app, &held, &mut tab).await?;
        for node in [0, 1] {
            let got = tab.poll(world, node).await?;
            finding.forbidden(
                "record-gone-on-every-node",
                format!("the ended session at node {node}"),
                "refused",
                told(&got),
                !good(&got),
            );
        }
        instance.advance(Duration::from_secs(3_600)).await?;
        let stored = raw::holding(&raw::tables(instance).await?, &id);
        finding.forbidden(
            "record-gone-on-every-node",
            "raw storage, which all nodes share, is searched for the session's id an hour later",
            "no record any more",
            if stored.is_empty() { "nothing found".into() } else { format!("found in {}", listed(&stored)) },
            stored.is_empty(),
        );
        Ok(())
    }
}

fn listed(stored: &[(String, usize)]) -> String {
    stored.iter().map(|(t, n)| format!("{t} ({n} rows)")).collect::<Vec<_>>().join(", ")
}

/// The application that refreshes its token while the browser is left alone.
async fn refresh(
    world: &dyn World,
    finding: &mut Finding,
    app: &App,
    held: &Tokens,
    tab: &mut Tab,
) -> Result<(), Trouble> {
    let got = world.send(app.refresh(&held.refresh)).await?;
    let polled = tab.poll(world, 0).await?;
    finding.positive(
        "refresh-token-does-not-prolong",
        "an application that the person consented to refreshes its token again",
        "done: it has a life of its own",
        told(&got),
        good(&got),
    );
    finding.forbidden(
        "refresh-token-does-not-prolong",
        "the session, its application having refreshed a token within the limit and after it",
        "refused",
        told(&polled),
        !good(&polled),
    );
    Ok(())
}

/// A browser with the console, the application and its WebSocket open.
struct Tab {
    console: String,
    application: String,
    marker: String,
    browser: Browser,
    real: Option<Real>,
}

/// What one look at a host gave.
struct Look {
    inside: bool,
    data: bool,
    words: String,
}

/// What went on in the background.
struct Background {
    polled: bool,
    polled_words: String,
    socket: bool,
}

impl Background {
    fn words(&self) -> String {
        format!("the session: {}; the WebSocket: {}", self.polled_words, if self.socket { "open" } else { "closed" })
    }
}

impl Tab {
    /// A person opens a page of the console.
    async fn page(&mut self, world: &dyn World) -> Result<Look, Trouble> {
        let visit = self.browser.open(world, &self.console, "/users").await?;
        let inside = visit.path.starts_with("/users") && visit.answer.status == 200;
        Ok(Look { inside, data: visit.answer.contains(&self.marker), words: visit.told() })
    }

    /// A person opens the application; whether it came there is asked of the application itself.
    async fn application(&mut self, world: &dyn World) -> Result<Look, Trouble> {
        let instance = rehearsed(world)?;
        instance.upstream_seen().await?;
        let path = format!("/orders/{}", self.marker);
        let visit = self.browser.open(world, &self.application, &path).await?;
        let arrived = instance.upstream_seen().await?.iter().any(|s| s.path.contains(&self.marker));
        let inside = visit.host == self.application && visit.answer.status == 200;
        let words =
            format!("{}, the application {}", visit.told(), if arrived { "was reached" } else { "was not reached" });
        Ok(Look { inside, data: arrived, words })
    }

    /// What pages do by themselves: a script of the application reads something, and the real browser's tabs do theirs.
    async fn by_itself(&mut self, world: &dyn World) -> Result<sekisho_kernel::world::Answer, Trouble> {
        if let Some(real) = &mut self.real {
            real.by_itself().await?;
        }
        let ask = Ask::new("GET", &self.application, "/orders/news");
        let ask = ask.header("sec-fetch-mode", "cors").header("sec-fetch-dest", "empty");
        self.browser.send(world, ask.header("sec-fetch-site", "same-origin")).await
    }

    /// The page's own polling.
    async fn poll(&mut self, world: &dyn World, node: usize) -> Result<sekisho_kernel::world::Answer, Trouble> {
        self.browser.node = node;
        let got = self.browser.send(world, Ask::new("GET", &self.console, &format!("{API}/session"))).await;
        self.browser.node = 0;
        got
    }

    async fn socket(&mut self, world: &dyn World) -> Result<Box<dyn Socket>, Trouble> {
        let opened = self.browser.socket(world, &self.application, "/socket").await?;
        opened.map_err(|refused| Trouble(format!("the WebSocket was answered {}", told(&refused))))
    }

    /// Time passes, `times` spans, the page polling after each.
    async fn wait(&mut self, world: &dyn World, span: Duration, times: u32) -> Result<(), Trouble> {
        for _ in 0..times {
            rehearsed(world)?.advance(span).await?;
            self.poll(world, 0).await?;
            self.by_itself(world).await?;
        }
        Ok(())
    }

    /// The same with messages over the WebSocket.
    async fn wait_with(
        &mut self,
        world: &dyn World,
        span: Duration,
        times: u32,
        socket: &mut dyn Socket,
    ) -> Result<Background, Trouble> {
        let mut out = Background { polled: false, polled_words: String::new(), socket: true };
        for n in 0..times {
            rehearsed(world)?.advance(span).await?;
            let got = self.poll(world, 0).await?;
            let read = self.by_itself(world).await?;
            out.polled = good(&got) || good(&read);
            out.polled_words = format!("{}; the application: {}", told(&got), told(&read));
            out.socket = socket_answers(socket, &format!("still there {n}")).await?;
        }
        Ok(out)
    }
}

/// The same person's real browser: a page of the console in one tab, the application with its WebSocket in another.
struct Real(Box<dyn RealBrowser>);

const CONSOLE: usize = 0;
const APPLICATION: usize = 1;

impl Real {
    async fn open(world: &dyn World, finding: &mut Finding, tab: &Tab) -> Result<Option<Self>, Trouble> {
        let Some(mut browser) = world.browser().await? else {
            finding.absent("real-browser", "a real browser: this host has no Chromium");
            return Ok(None);
        };
        for host in [&tab.console, &tab.application] {
            let cookies = tab.browser.cookies(host);
            for (name, value) in cookies.split("; ").filter_map(|c| c.split_once('=')) {
                browser.cookie(host, name, value).await?;
            }
        }
        browser.open(CONSOLE, &tab.console, "/users").await?;
        browser.open(APPLICATION, &tab.application, "/").await?;
        let socket = "new Promise(done => {
            window.heard = 0;
            window.line = new WebSocket(`wss://${location.host}/socket`);
            line.onmessage = () => { heard += 1; };
            line.onopen = () => done(true);
            line.onerror = () => done(false);
        })";
        let connected = browser.run(APPLICATION, socket).await?;
        let shown = browser.run(CONSOLE, "document.body.innerText").await?;
        let data = shown.as_str().is_some_and(|text| text.contains(&tab.marker));
        finding.positive(
            "real-browser",
            "Chromium opens a page of the console in one tab, and the application with a WebSocket in another",
            "the page shows its data, the WebSocket is open",
            format!(
                "{}; WebSocket {}",
                if data { "data shown" } else { "no data" },
                if connected == true { "open" } else { "refused" }
            ),
            data && connected == true,
        );
        Ok(Some(Self(browser)))
    }

    /// The console's page asks after its session; the application's page reads something and sends a message.
    async fn by_itself(&mut self) -> Result<(), Trouble> {
        self.0.run(CONSOLE, "document.dispatchEvent(new Event('visibilitychange'))").await?;
        let application =
            "fetch('/orders/news').then(answer => { window.read = answer.status; line.send('still there'); })";
        self.0.run(APPLICATION, application).await.map(drop)
    }

    /// Nothing but time has passed since the last click.
    async fn judge(&mut self, finding: &mut Finding, console: &str, marker: &str, shown: &str) -> Result<(), Trouble> {
        self.by_itself().await?;
        let left = "new Promise(done => {
            const tries = 50;
            const look = left => line.readyState === WebSocket.CLOSED || left === 0 ? done({
                heard, read, open: line.readyState !== WebSocket.CLOSED,
            }) : setTimeout(look, 100, left - 1);
            look(tries);
        })";
        let application = self.0.run(APPLICATION, left).await?;
        let gone = "new Promise(done => {
            const look = left => !document.body.innerText.includes(MARKER) || left === 0
                ? done(document.documentElement.outerHTML) : setTimeout(look, 100, left - 1);
            look(300);
        })";
        let marked = serde_json::Value::from(marker).to_string();
        let page = self.0.run(CONSOLE, &gone.replace("MARKER", &marked)).await?;
        let empties = page.as_str().is_some_and(|html| !html.contains(marker));
        self.0.open(CONSOLE, console, "/users").await?;
        let again = self.0.run(CONSOLE, "document.documentElement.outerHTML + location.pathname").await?;
        let out = again.as_str().is_some_and(|html| !html.contains(marker) && html.ends_with("/sign-in"));
        let (open, read) = (application["open"] == true, application["read"] == 200);
        finding.forbidden(
            "real-browser",
            format!(
                "both tabs left alone for {shown}, their polling and WebSocket running; then the console is opened anew"
            ),
            "the page empties itself, the application answers nothing, the WebSocket is closed, a sign-in is asked for",
            format!(
                "the page {}; the application answers {}; the WebSocket, {} messages later, is {}; {}",
                if empties { "shows no data" } else { "still shows data" },
                application["read"],
                application["heard"],
                if open { "open" } else { "closed" },
                if out { "a sign-in is asked for" } else { "no sign-in is asked for" },
            ),
            empties && out && !open && !read,
        );
        Ok(())
    }
}

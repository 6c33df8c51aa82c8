//! Hearing the other nodes: LISTEN on a connection of its own, and a heartbeat that proves that it still hears.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_postgres::{Client, Notification};

use super::{endpoint::Endpoint, link::runtime, types::error};
use crate::{
    error::StoreError,
    sql::{Notice, RESYNC},
    store::Lines,
};

/// The channel of all nodes of one database.
pub(crate) const CHANNEL: &str = "sekisho";

/// How often a node sends itself a heartbeat.
const BEAT: Duration = Duration::from_millis(200);
/// Age of the newest heartbeat that came back from which on nothing cached may be believed.
const SILENCE: Duration = Duration::from_millis(500);
/// How long a first connection may take.
const FIRST: Duration = Duration::from_secs(10);
/// Pause before connecting again.
const PAUSE: Duration = Duration::from_millis(200);

/// What the listener knows.
pub(crate) struct Contact {
    /// This node's name on the channel, given by the server.
    pub(crate) node: String,
    /// Milliseconds of `started` at which the newest heartbeat heard had been sent, plus 1; 0 for none.
    beat: AtomicU64,
    started: Instant,
    stopped: AtomicBool,
    stop: Notify,
}

impl Contact {
    /// See [`crate::Store::in_contact`].
    pub(crate) fn is_kept(&self) -> bool {
        match self.beat.load(Ordering::Acquire) {
            0 => false,
            sent => self.started.elapsed().saturating_sub(Duration::from_millis(sent - 1)) < SILENCE,
        }
    }

    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.stop.notify_one();
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX - 1)
    }
}

/// Connects and starts the listening thread.
pub(crate) fn start(endpoint: Endpoint, lines: Arc<Lines>) -> Result<(JoinHandle<()>, Arc<Contact>), StoreError> {
    let (ready, is_ready) = std::sync::mpsc::channel();
    let thread = std::thread::Builder::new().name("store-listen".into()).spawn(move || {
        let prepared = runtime().and_then(|runtime| {
            let first = runtime.block_on(async {
                let ear = timeout(FIRST, listen(&endpoint)).await.unwrap_or_else(|_| Err(late()))?;
                let node = node(&ear.client).await?;
                Ok::<_, StoreError>((ear, node))
            });
            first.map(|(ear, node)| (runtime, ear, node))
        });
        match prepared {
            Err(error) => drop(ready.send(Err(error))),
            Ok((runtime, ear, node)) => {
                let contact = Arc::new(Contact {
                    node,
                    beat: AtomicU64::new(0),
                    // A span between two readings of the machine's own clock; no time of day, no test moves it.
                    started: Instant::now(),
                    stopped: AtomicBool::new(false),
                    stop: Notify::new(),
                });
                runtime.block_on(run(&endpoint, &lines, &contact, ear, || drop(ready.send(Ok(contact.clone())))));
            }
        }
    });
    let thread = thread.map_err(|e| StoreError::Io(format!("thread: {e}")))?;
    let contact = is_ready.recv().unwrap_or_else(|_| Err(StoreError::Lost("the listener ended".into())))?;
    Ok((thread, contact))
}

struct Ear {
    client: Client,
    notices: mpsc::UnboundedReceiver<Notification>,
}

async fn listen(endpoint: &Endpoint) -> Result<Ear, StoreError> {
    let (sink, notices) = mpsc::unbounded_channel();
    let client = endpoint.connect(Some(sink)).await?;
    let sql = format!("LISTEN {CHANNEL}");
    client.batch_execute(&sql).await.map_err(|e| error(&e, &sql))?;
    Ok(Ear { client, notices })
}

async fn node(client: &Client) -> Result<String, StoreError> {
    let sql = "SELECT replace(gen_random_uuid()::text, '-', '')";
    let row = client.query_one(sql, &[]).await.map_err(|e| error(&e, sql))?;
    row.try_get(0).map_err(|e| error(&e, sql))
}

/// Listens, and connects again whenever the connection ends, until stopped. `heard` is called at the first heartbeat.
async fn run(endpoint: &Endpoint, lines: &Lines, contact: &Contact, first: Ear, heard: impl Fn()) {
    let mut next = Some(first);
    let mut heard = Some(heard);
    loop {
        let ear = match next.take() {
            Some(ear) => Ok(ear),
            None => timeout(FIRST, listen(endpoint)).await.unwrap_or_else(|_| Err(late())),
        };
        match ear {
            Ok(mut ear) => {
                if heard.is_none() {
                    // Whatever was told while nobody listened is lost: forget first, then believe again.
                    let payload = Arc::from("");
                    lines.hub.publish(&Notice { topic: RESYNC.into(), payload, own: false });
                }
                let ended = hear(lines, contact, &mut ear, &mut heard).await;
                contact.beat.store(0, Ordering::Release);
                if let Err(error) = ended {
                    tracing::warn!(%error, "notices of other nodes do not reach this one");
                }
            }
            Err(error) => tracing::warn!(%error, "the listening connection cannot be made"),
        }
        if contact.stopped.load(Ordering::Acquire) {
            return;
        }
        if timeout(PAUSE, contact.stop.notified()).await.is_ok() {
            return;
        }
    }
}

/// One connection's time. `Ok` when stopped.
async fn hear(
    lines: &Lines,
    contact: &Contact,
    ear: &mut Ear,
    heard: &mut Option<impl Fn()>,
) -> Result<(), StoreError> {
    let own = format!("{CHANNEL}_{}", contact.node);
    let listen = format!("LISTEN {own}");
    ear.client.batch_execute(&listen).await.map_err(|e| error(&e, &listen))?;
    let mut beats = interval(BEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = contact.stop.notified() => return Ok(()),
            _ = beats.tick() => {
                let beat = format!("NOTIFY {own}, '{}'", contact.millis());
                let sent = timeout(SILENCE, ear.client.batch_execute(&beat)).await.map_err(|_| late())?;
                sent.map_err(|e| error(&e, "heartbeat"))?;
            }
            notice = ear.notices.recv() => {
                let Some(notice) = notice else { return Err(StoreError::Lost("the connection ended".into())) };
                if notice.channel() == own {
                    if let Ok(sent) = notice.payload().parse::<u64>() {
                        contact.beat.store(sent + 1, Ordering::Release);
                        if let Some(heard) = heard.take() {
                            heard();
                        }
                    }
                } else {
                    deliver(lines, contact, notice.payload());
                }
            }
        }
    }
}

/// Publishes what another node told; one's own was published by the thread that committed it.
fn deliver(lines: &Lines, contact: &Contact, text: &str) {
    let mut parts = text.splitn(3, '\n');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(node), Some(topic), Some(payload)) => {
            if node != contact.node {
                let topic = topic.to_owned().into();
                lines.hub.publish(&Notice { topic, payload: Arc::from(payload), own: false });
            }
        }
        _ => tracing::warn!("a notice of unknown form on the channel"),
    }
}

fn late() -> StoreError {
    StoreError::Lost("no answer in time".into())
}

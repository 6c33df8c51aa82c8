//! What browsers keep of an application: sealed under a key of the session, and gone with it (MOX-27, MOX-30).

mod paper;
mod probe;

use sekisho_kernel::{
    Effective, Setting, TakenOut, Text,
    claim::ClaimSpec,
    gate::DeviceRule,
    policy::{Default, Kind, Movement},
};

use crate::control::{Declared, WEEK};

/// Whether browsers' caches keep answers.
pub static HTTP_CACHE: Setting = Setting {
    key: "device.http_cache",
    kind: Kind::Choice(&["application", "no_store"]),
    default: Default::Str("application"),
    tenant: Movement::Max,
    doc: Text::new(
        "サインイン中の利用者に返すアプリケーションの応答を、ブラウザーのキャッシュに残すかどうか。no_store は残しません（端末に平文が残りません）。application はアプリケーションの指定に従います。",
        "Whether browsers' caches keep what the application answers to people who are signed in. no_store keeps none, so that nothing lies on the device in the clear. application does as the application says.",
    ),
};
/// What may be kept all the same.
pub static CACHEABLE: Setting = Setting {
    key: "device.cacheable",
    kind: Kind::List,
    default: Default::List(&[]),
    tenant: Movement::Inner,
    doc: Text::new(
        "no_store の場合も、キャッシュに残してよい経路の先頭部分です（例: /assets/）。利用者のデータを含まない応答に限って指定してください。",
        "Path prefixes that caches may keep under no_store all the same (such as /assets/). Only for answers that hold nobody's data.",
    ),
};

/// Data that clients keep on a device is encrypted.
pub static MOX_27: ClaimSpec = ClaimSpec {
    id: "MOX-27",
    clauses: &["nowhere-in-raw-bytes", "not-kept-by-the-cache", "copied-profile-opens-nothing"],
    fresh_secs: WEEK,
    negative: TakenOut::DeviceCache,
    negative_clause: "not-kept-by-the-cache",
    live: false,
};

/// Signing out wipes the user's data from the device.
pub static MOX_30: ClaimSpec = ClaimSpec {
    id: "MOX-30",
    clauses: &["data-gone", "key-gone", "offline-device", "later-bytes-do-not-open"],
    fresh_secs: WEEK,
    negative: TakenOut::DeviceWipe,
    negative_clause: "data-gone",
    live: false,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "device",
    text: Text::new(
        "端末に残るデータを、セッションが持つ鍵で暗号化し、サインアウトとともに消去します。",
        "Keeps what lies on a device under a key of the session, and wipes it when the session ends.",
    ),
    settings: &[&HTTP_CACHE, &CACHEABLE],
    claims: &[&MOX_27, &MOX_30],
    probes: probe::probes,
    paper: &paper::PAPER,
};

/// The rule in force.
pub(crate) fn rule(policy: &Effective, out: Option<TakenOut>) -> DeviceRule {
    DeviceRule {
        cache: policy.str(&HTTP_CACHE) == "application" || out == Some(TakenOut::DeviceCache),
        cacheable: policy.list(&CACHEABLE).into_iter().filter(|p| p.starts_with('/')).collect(),
        wipe: out != Some(TakenOut::DeviceWipe),
    }
}

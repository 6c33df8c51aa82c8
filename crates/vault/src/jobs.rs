//! The permission matrix of the system's own jobs: which events each may commit.

use std::fmt::Write as _;

use sekisho_kernel::{Event, Job, event as e};

/// What each job may do. A job does nothing that is not in its row.
pub static MATRIX: &[(Job, &[&Event])] = &[
    (
        Job::SignIn,
        &[
            &e::SESSION_SIGN_IN,
            &e::SESSION_CHALLENGE,
            &e::SESSION_ENTER,
            &e::SESSION_SIGN_OUT,
            &e::SESSION_END,
            &e::SESSION_EXPIRE,
            &e::ACCOUNT_LOCK,
            &e::PASSWORD_SET,
            &e::PASSWORD_CHANGE,
            &e::FACTOR_CREATE,
            &e::FACTOR_CONFIRM,
            &e::PASSKEY_CREATE,
            &e::PASSKEY_SUSPECT,
            &e::RECOVERY_CREATE,
            &e::LINK_USE,
            &e::OAUTH_TOKEN,
            &e::OAUTH_REFRESH,
            &e::OAUTH_REVOKE,
            &e::OAUTH_KEY_CREATE,
            &e::OAUTH_PUSH,
            &e::OAUTH_DEVICE,
            &e::USER_CREATE,
            &e::IDENTITY_CREATE,
            &e::IDENTITY_SYNC,
            &e::PROVIDER_SIGN_OUT,
            &e::PROVIDER_SIGNED_OUT,
        ],
    ),
    (
        Job::Sweeper,
        &[
            &e::SESSION_EXPIRE,
            &e::TOKEN_EXPIRE,
            &e::OAUTH_KEY_CREATE,
            &e::OAUTH_KEY_RETIRE,
            &e::SIGNAL_DROP,
            &e::OAUTH_LOGOUT_DROP,
            &e::LEDGER_PURGE,
            &e::LEDGER_COUNT,
        ],
    ),
    (Job::Sequencer, &[&e::LEDGER_EPOCH]),
    (Job::Rewrap, &[&e::KEY_CREATE, &e::KEY_ROTATE]),
    (Job::Migration, &[]),
    (
        Job::FirstStart,
        &[
            &e::TENANT_CREATE,
            &e::KEY_CREATE,
            &e::HOST_CREATE,
            &e::USER_CREATE,
            &e::LINK_CREATE,
            &e::PASSWORD_SET,
            &e::ACCOUNT_UNLOCK,
            &e::INSTANCE_START,
            &e::INSTANCE_STOP,
        ],
    ),
    (
        Job::Command,
        &[
            &e::COMMAND_RUN,
            &e::TENANT_CREATE,
            &e::TENANT_DELETE,
            &e::KEY_CREATE,
            &e::KEY_ROTATE,
            &e::KEY_SHRED,
            &e::HOST_CREATE,
            &e::USER_CREATE,
            &e::LINK_CREATE,
            &e::ACCOUNT_UNLOCK,
            &e::POLICY_RELOAD,
            &e::MAIL_DOMAIN_VERIFY,
            &e::OAUTH_KEY_TURN,
            &e::RELATION_CREATE,
            &e::RELATION_END,
            &e::RELATION_LIST,
            &e::RELATION_EXPLAIN,
        ],
    ),
    (
        Job::Door,
        &[
            &e::DOOR_PASS,
            &e::DOOR_REFUSE,
            &e::DOOR_FAIL,
            &e::ADDRESS_REFUSE,
            &e::ROUTE_REFUSE,
            &e::FIREWALL_BLOCK,
            &e::FIREWALL_DETECT,
        ],
    ),
    (Job::Prover, &[&e::CLAIM_PROVE]),
    (Job::Firewall, &[&e::FIREWALL_LOAD, &e::FIREWALL_REJECT, &e::FIREWALL_ROLL_BACK, &e::FIREWALL_STALE]),
    (Job::Signals, &[&e::SIGNAL_SEND, &e::OAUTH_LOGOUT_SEND, &e::OAUTH_LOGOUT_DROP]),
    (Job::Federation, &[&e::SAML_KEY_CREATE, &e::PROVIDER_REFRESH]),
];

/// Whether `job` may commit `event`.
pub(crate) fn may(job: Job, event: &'static Event) -> bool {
    MATRIX.iter().any(|(j, events)| *j == job && events.iter().any(|known| known.name == event.name))
}

/// The matrix as a text, a job a line, for the golden file.
pub fn matrix() -> String {
    let mut out = String::new();
    for (job, events) in MATRIX {
        let _ = write!(out, "system:{}:", job.name());
        for event in *events {
            let _ = write!(out, " {}", event.name);
        }
        out.push('\n');
    }
    out
}

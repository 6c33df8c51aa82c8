//! The SQL of this crate: its tables, and the bookkeeping statements that need no entry. Everything else is written
//! by `vault` from the record types' declarations.

use sekisho_kernel::Id;
use sekisho_vault::{Bookkeeping, ClearValue};

/// The ids in the first column of what a statement has found.
pub(crate) fn ids<K>(rows: &[Vec<ClearValue>]) -> Vec<Id<K>> {
    rows.iter().filter_map(|row| Id::from_slice(row.first()?.opaque()?)).collect()
}

/// The tables: number, name, text.
pub const MIGRATIONS: &[(u32, &str, &str)] = &[
    (10, "identity", TABLES),
    (11, "signing clients", SIGNING_CLIENTS),
    (12, "api tokens", API_TOKENS),
    (13, "oauth", OAUTH),
    (14, "federation", FEDERATION),
    (15, "passkeys", PASSKEYS),
    (16, "scim", SCIM),
    (17, "risk", RISK),
    (18, "signals", SIGNALS),
    (22, "openid", OPENID),
    (23, "dpop", DPOP),
    (24, "devices", DEVICES),
    (25, "saml", SAML),
    (26, "saml roll-over", SAML_ROLL_OVER),
    (27, "logout", LOGOUT),
    (28, "relations", RELATIONS),
    (29, "saml parting", SAML_PARTING),
];

const SAML_PARTING: &str = "
CREATE TABLE saml_parting (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, expires BIGINT, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id));
CREATE INDEX saml_parting_expires ON saml_parting (tenant, expires);
";

const RELATIONS: &str = "
CREATE TABLE relation (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, one_id BLOB, other_id BLOB, starts BIGINT, ends BIGINT, sealed BLOB NOT NULL,
  PRIMARY KEY (tenant, id));
CREATE INDEX relation_one ON relation (tenant, one_id);
CREATE INDEX relation_other ON relation (tenant, other_id);
CREATE INDEX relation_ends ON relation (tenant, ends);
";

const SIGNALS: &str = "
CREATE TABLE signal_receiver (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, x_name BLOB, enabled BIGINT, sent BIGINT, last_sent BIGINT, failing BIGINT, dropped BIGINT,
  overflow BIGINT, trouble TEXT, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id), UNIQUE (tenant, x_name));
CREATE TABLE signal_event (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, receiver_id BLOB, due BIGINT, expires BIGINT, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id));
CREATE INDEX signal_event_receiver ON signal_event (tenant, receiver_id, due);
CREATE INDEX signal_event_expires ON signal_event (tenant, expires);
CREATE TABLE signal_key (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id));
";

const LOGOUT: &str = "
ALTER TABLE oauth_application ADD COLUMN sent BIGINT;
ALTER TABLE oauth_application ADD COLUMN last_sent BIGINT;
ALTER TABLE oauth_application ADD COLUMN failing BIGINT;
ALTER TABLE oauth_application ADD COLUMN dropped BIGINT;
ALTER TABLE oauth_application ADD COLUMN overflow BIGINT;
ALTER TABLE oauth_application ADD COLUMN trouble TEXT;
";

const FEDERATION: &str = "
CREATE TABLE identity_provider (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, x_name BLOB, enabled BIGINT, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id), UNIQUE (tenant, x_name));
CREATE TABLE outside_identity (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, x_link BLOB, provider_id BLOB, user_id BLOB, sealed BLOB NOT NULL,
  PRIMARY KEY (tenant, id), UNIQUE (tenant, x_link));
CREATE INDEX outside_identity_provider ON outside_identity (tenant, provider_id);
CREATE INDEX outside_identity_user ON outside_identity (tenant, user_id);
CREATE TABLE mail_domain (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, x_domain BLOB, provider_id BLOB, verified BIGINT, sealed BLOB NOT NULL,
  PRIMARY KEY (tenant, id), UNIQUE (tenant, x_domain));
CREATE INDEX mail_domain_provider ON mail_domain (tenant, provider_id);
";

const SAML: &str = "
CREATE TABLE saml_key (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id));
";

const SAML_ROLL_OVER: &str = "
ALTER TABLE saml_key ADD COLUMN x_turn BLOB;
CREATE UNIQUE INDEX saml_key_turn ON saml_key (tenant, x_turn);
ALTER TABLE user_session ADD COLUMN ends BIGINT;
CREATE INDEX user_session_ends ON user_session (tenant, ends);
";

const SCIM: &str = "
CREATE TABLE scim_profile (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, x_external BLOB, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id));
CREATE INDEX scim_profile_external ON scim_profile (tenant, x_external);
CREATE TABLE scim_group (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, x_name BLOB, x_external BLOB, role_id BLOB, site_id BLOB, sealed BLOB NOT NULL,
  PRIMARY KEY (tenant, id), UNIQUE (tenant, x_name));
CREATE INDEX scim_group_external ON scim_group (tenant, x_external);
CREATE INDEX scim_group_role ON scim_group (tenant, role_id);
CREATE INDEX scim_group_site ON scim_group (tenant, site_id);
CREATE TABLE scim_member (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, group_id BLOB, user_id BLOB, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id),
  UNIQUE (tenant, group_id, user_id));
CREATE INDEX scim_member_user ON scim_member (tenant, user_id);
";

const RISK: &str = "
CREATE TABLE risk_profile (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id));
CREATE TABLE risk_state (tenant BLOB NOT NULL, id BLOB NOT NULL, level BIGINT NOT NULL, expires BIGINT NOT NULL,
  PRIMARY KEY (tenant, id));
CREATE INDEX risk_state_expires ON risk_state (tenant, expires);
CREATE TABLE risk_mark (tenant BLOB NOT NULL, id BLOB NOT NULL, address BLOB NOT NULL, name BLOB NOT NULL,
  tries BIGINT NOT NULL, expires BIGINT NOT NULL, PRIMARY KEY (tenant, id));
CREATE INDEX risk_mark_address ON risk_mark (tenant, address);
CREATE INDEX risk_mark_name ON risk_mark (tenant, name);
CREATE INDEX risk_mark_expires ON risk_mark (tenant, expires);
";

const PASSKEYS: &str = "
CREATE TABLE passkey (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, x_credential BLOB, user_id BLOB, sign_count BIGINT, backed_up BIGINT, last_used BIGINT,
  sealed BLOB NOT NULL, PRIMARY KEY (tenant, id), UNIQUE (tenant, x_credential));
CREATE INDEX passkey_user ON passkey (tenant, user_id);
CREATE TABLE passkey_ceremony (tenant BLOB NOT NULL, id BLOB NOT NULL, expires BIGINT NOT NULL, PRIMARY KEY (tenant, id));
CREATE INDEX passkey_ceremony_expires ON passkey_ceremony (tenant, expires);
";

const OAUTH: &str = "
CREATE TABLE oauth_application (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, x_name BLOB, state TEXT, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id), UNIQUE (tenant, x_name));
CREATE TABLE oauth_consent (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, application_id BLOB, user_id BLOB, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id),
  UNIQUE (tenant, user_id, application_id));
CREATE INDEX oauth_consent_application ON oauth_consent (tenant, application_id);
CREATE TABLE oauth_grant (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, application_id BLOB, user_id BLOB, expires BIGINT, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id));
CREATE INDEX oauth_grant_application ON oauth_grant (tenant, application_id);
CREATE INDEX oauth_grant_user ON oauth_grant (tenant, user_id);
CREATE INDEX oauth_grant_expires ON oauth_grant (tenant, expires);
";

const OPENID: &str = "
CREATE TABLE oauth_key (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, x_turn BLOB, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id), UNIQUE (tenant, x_turn));
CREATE TABLE oauth_push (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, expires BIGINT, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id));
CREATE INDEX oauth_push_expires ON oauth_push (tenant, expires);
";

const DEVICES: &str = "
CREATE TABLE oauth_device (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, x_code BLOB, expires BIGINT, polled BIGINT, wait BIGINT, fast BIGINT, sealed BLOB NOT NULL,
  PRIMARY KEY (tenant, id), UNIQUE (tenant, x_code));
CREATE INDEX oauth_device_expires ON oauth_device (tenant, expires);
";

const DPOP: &str = "
CREATE TABLE oauth_proof (tenant BLOB NOT NULL, id BLOB NOT NULL, expires BIGINT NOT NULL, PRIMARY KEY (tenant, id));
CREATE INDEX oauth_proof_expires ON oauth_proof (tenant, expires);
";

const API_TOKENS: &str = "
CREATE TABLE api_token (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, user_id BLOB, expires BIGINT, last_used BIGINT, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id));
CREATE INDEX api_token_user ON api_token (tenant, user_id);
CREATE INDEX api_token_expires ON api_token (tenant, expires);
";

const SIGNING_CLIENTS: &str = "
CREATE TABLE signing_client (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, x_name BLOB, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id), UNIQUE (tenant, x_name));
CREATE TABLE unique_id (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, x_link BLOB, client_id BLOB, user_id BLOB, sealed BLOB NOT NULL,
  PRIMARY KEY (tenant, id), UNIQUE (tenant, x_link));
CREATE INDEX unique_id_client ON unique_id (tenant, client_id);
CREATE INDEX unique_id_user ON unique_id (tenant, user_id);
";

const TABLES: &str = "
CREATE TABLE tenant_setting (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, rights_version BIGINT, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id));
CREATE TABLE tenant_host (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id));
CREATE TABLE user_account (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, x_name BLOB, x_mail BLOB, user_type TEXT, state TEXT, site_id BLOB, rights_version BIGINT,
  sealed BLOB NOT NULL, PRIMARY KEY (tenant, id), UNIQUE (tenant, x_name), UNIQUE (tenant, x_mail));
CREATE INDEX user_account_site ON user_account (tenant, site_id, id);
CREATE INDEX user_account_type ON user_account (tenant, user_type, state);
CREATE TABLE credential (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id));
CREATE TABLE factor (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, user_id BLOB, confirmed BIGINT, step BIGINT, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id));
CREATE INDEX factor_user ON factor (tenant, user_id);
CREATE TABLE recovery_codes (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id));
CREATE TABLE custom_role (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, x_name BLOB, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id), UNIQUE (tenant, x_name));
CREATE TABLE role_grant (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, user_id BLOB, role_id BLOB, site_id BLOB, sealed BLOB NOT NULL,
  PRIMARY KEY (tenant, id), UNIQUE (tenant, user_id, role_id, site_id));
CREATE INDEX role_grant_role ON role_grant (tenant, role_id);
CREATE INDEX role_grant_site ON role_grant (tenant, site_id);
CREATE TABLE site (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, x_name BLOB, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id), UNIQUE (tenant, x_name));
CREATE TABLE address_rule (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id));
CREATE TABLE user_session (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, user_id BLOB, signed_in BIGINT, last_used BIGINT, sealed BLOB NOT NULL,
  PRIMARY KEY (tenant, id));
CREATE INDEX user_session_user ON user_session (tenant, user_id);
CREATE INDEX user_session_used ON user_session (tenant, last_used);
CREATE TABLE one_time_link (tenant BLOB NOT NULL, id BLOB NOT NULL, version BIGINT NOT NULL, created BIGINT NOT NULL,
  updated BIGINT NOT NULL, user_id BLOB, expires BIGINT, sealed BLOB NOT NULL, PRIMARY KEY (tenant, id));
CREATE INDEX one_time_link_user ON one_time_link (tenant, user_id);
CREATE TABLE try_counter (tenant BLOB NOT NULL, id BLOB NOT NULL, places BIGINT NOT NULL, failed BIGINT NOT NULL,
  locked BIGINT NOT NULL, expires BIGINT NOT NULL, PRIMARY KEY (tenant, id));
CREATE INDEX try_counter_expires ON try_counter (tenant, expires);
CREATE TABLE sign_in_place (tenant BLOB NOT NULL, id BLOB NOT NULL, expires BIGINT NOT NULL, PRIMARY KEY (tenant, id));
CREATE INDEX sign_in_place_expires ON sign_in_place (tenant, expires);
";

macro_rules! bookkeeping {
    ($($(#[$doc:meta])* $c:ident $name:literal $sql:literal;)*) => {
        $($(#[$doc])* pub static $c: Bookkeeping = Bookkeeping { name: $name, sql: $sql };)*
        /// Every bookkeeping statement of this crate.
        pub static BOOKKEEPING: &[&Bookkeeping] = &[$(&$c),*];
    };
}

bookkeeping! {
    /// A try takes its place before any hash is computed. `$2` counter, `$3` tries, `$4` now, `$5` when it is forgotten.
    /// Returns `places, expires`: the try has a place if `places <= $3`; one more stands for "full", and never grows.
    TRY_TAKE "try.take"
        "INSERT INTO try_counter (tenant, id, places, failed, locked, expires) VALUES ($1, $2, 1, 0, 0, $5)
         ON CONFLICT (tenant, id) DO UPDATE SET
           places = CASE WHEN try_counter.expires <= $4 THEN 1 WHEN try_counter.places < $3 THEN try_counter.places + 1
                         ELSE $3 + 1 END,
           failed = CASE WHEN try_counter.expires <= $4 THEN 0 ELSE try_counter.failed END,
           locked = CASE WHEN try_counter.expires <= $4 THEN 0 ELSE try_counter.locked END,
           expires = CASE WHEN try_counter.expires <= $4 OR try_counter.places < $3 THEN excluded.expires
                          ELSE try_counter.expires END
         RETURNING places, expires";
    /// A right password waits for its second factor: until that comes, the try counts as failed. `$2` counter.
    TRY_PEND "try.pend" "UPDATE try_counter SET failed = failed + 1 WHERE tenant = $1 AND id = $2";
    /// A try has failed. `$2` counter, `$3` tries, `$4` 1 if it had a place that no step before counted as failed.
    /// Returns `locked`: 1 for the one try by which the account became locked.
    TRY_FAIL "try.fail"
        "UPDATE try_counter SET failed = failed + $4, locked = CASE WHEN places >= $3 THEN locked + 1 ELSE locked END
         WHERE tenant = $1 AND id = $2 RETURNING locked";
    /// All factors were right: the try's place (`$4`: 1, or 0 where it counted as failed while it waited) and all failures
    /// before it are given back; places of tries whose hash is still being computed stay taken. `$2` counter, `$3` tries.
    TRY_GIVE_BACK "try.give_back"
        "UPDATE try_counter SET
           places = CASE WHEN (CASE WHEN places > $3 THEN $3 ELSE places END) - failed - $4 > 0
                         THEN (CASE WHEN places > $3 THEN $3 ELSE places END) - failed - $4 ELSE 0 END,
           failed = 0, locked = 0
         WHERE tenant = $1 AND id = $2";
    /// An administrator or the host unlocks. `$2` counter.
    TRY_CLEAR "try.clear" "DELETE FROM try_counter WHERE tenant = $1 AND id = $2";
    /// Which counters are full. `$2` tries, `$3` now.
    TRY_LOCKED "try.locked"
        "SELECT id, expires FROM try_counter WHERE tenant = $1 AND places >= $2 AND expires > $3 ORDER BY id LIMIT 10000";
    /// Forgets counters that have run out. `$2` now.
    TRY_SWEEP "try.sweep" "DELETE FROM try_counter WHERE tenant = $1 AND expires <= $2";

    /// A sign-in waits for its second factor. `$2` id, `$3` when it runs out.
    PLACE_KEEP "place.keep" "INSERT INTO sign_in_place (tenant, id, expires) VALUES ($1, $2, $3)";
    /// The first code of that sign-in goes on in the same place; once. `$2` id.
    PLACE_TAKE "place.take" "DELETE FROM sign_in_place WHERE tenant = $1 AND id = $2";
    /// Forgets those that nobody went on with. `$2` now.
    PLACE_SWEEP "place.sweep" "DELETE FROM sign_in_place WHERE tenant = $1 AND expires <= $2";

    /// A sign-in with the right password was risky: its level is remembered. `$2` user, `$3` level, `$4` until when.
    /// Level 0 changes nothing, and is written all the same, so that a wrong password costs what a right one does.
    RISK_HOLD "risk.hold"
        "INSERT INTO risk_state (tenant, id, level, expires) VALUES ($1, $2, $3, $4)
         ON CONFLICT (tenant, id) DO UPDATE SET
           level = CASE WHEN excluded.level > 0 THEN excluded.level ELSE risk_state.level END,
           expires = CASE WHEN excluded.level > 0 THEN excluded.expires ELSE risk_state.expires END";
    /// The level remembered of a person. `$2` user.
    RISK_HELD "risk.held" "SELECT level, expires FROM risk_state WHERE tenant = $1 AND id = $2";
    /// The person has come in: nothing is remembered. `$2` user.
    RISK_CLEAR "risk.clear" "DELETE FROM risk_state WHERE tenant = $1 AND id = $2";
    /// Forgets levels that have run out. `$2` now.
    RISK_STATE_SWEEP "risk.state_sweep" "DELETE FROM risk_state WHERE tenant = $1 AND expires <= $2";
    /// A failed try of a name from an address. `$2` mark, `$3` address, `$4` name, `$5` until when, `$6` now.
    RISK_MARK "risk.mark"
        "INSERT INTO risk_mark (tenant, id, address, name, tries, expires) VALUES ($1, $2, $3, $4, 1, $5)
         ON CONFLICT (tenant, id) DO UPDATE SET
           tries = CASE WHEN risk_mark.expires <= $6 THEN 1 ELSE risk_mark.tries + 1 END, expires = excluded.expires";
    /// What is counted of an address and of a name. `$2` address, `$3` name, `$4` now, `$5` the name that stands for an
    /// address that has sprayed. Returns names tried from the address beside this one, tries from it, tries of the name
    /// from wherever, tries of the name from the address, and whether it has sprayed.
    RISK_COUNTS "risk.counts"
        "SELECT CAST(COALESCE(SUM(CASE WHEN address = $2 AND name <> $3 AND name <> $5 THEN 1 ELSE 0 END), 0) AS BIGINT),
                CAST(COALESCE(SUM(CASE WHEN address = $2 AND name <> $5 THEN tries ELSE 0 END), 0) AS BIGINT),
                CAST(COALESCE(SUM(CASE WHEN name = $3 THEN tries ELSE 0 END), 0) AS BIGINT),
                CAST(COALESCE(SUM(CASE WHEN address = $2 AND name = $3 THEN tries ELSE 0 END), 0) AS BIGINT),
                CAST(COALESCE(SUM(CASE WHEN address = $2 AND name = $5 THEN 1 ELSE 0 END), 0) AS BIGINT)
         FROM risk_mark WHERE tenant = $1 AND (address = $2 OR name = $3) AND expires > $4";
    /// The name's failures from this address were slips: its person has come in from there. `$2` mark.
    RISK_FORGIVE "risk.forgive" "DELETE FROM risk_mark WHERE tenant = $1 AND id = $2";
    /// Forgets marks that have run out. `$2` now.
    RISK_SWEEP "risk.sweep" "DELETE FROM risk_mark WHERE tenant = $1 AND expires <= $2";
    /// Holds marks to a number: those that run out first go. `$2` how many stay.
    RISK_TRIM "risk.trim"
        "DELETE FROM risk_mark WHERE tenant = $1 AND expires <=
           COALESCE((SELECT expires FROM risk_mark WHERE tenant = $1 ORDER BY expires DESC LIMIT 1 OFFSET $2), -1)";
    /// How many signals wait for a place, and when the last of them is due. `$2` receiver.
    SIGNAL_WAITING "signal.waiting"
        "SELECT CAST(COUNT(*) AS BIGINT), COALESCE(MAX(due), 0) FROM signal_event WHERE tenant = $1 AND receiver_id = $2";
    /// A signal takes its place. `$2` signal, `$3` receiver, `$4` when it is due, `$5` until when it is tried.
    SIGNAL_QUEUE "signal.queue"
        "UPDATE signal_event SET receiver_id = $3, due = $4, expires = $5 WHERE tenant = $1 AND id = $2";
    /// A receiver is switched on or off. `$2` receiver, `$3` 1 or 0.
    SIGNAL_SWITCH "signal.switch" "UPDATE signal_receiver SET enabled = $3 WHERE tenant = $1 AND id = $2";
    /// Nothing waits for a receiver any more. `$2` receiver.
    SIGNAL_EMPTY "signal.empty" "DELETE FROM signal_event WHERE tenant = $1 AND receiver_id = $2";
    /// No more can wait for a receiver: one is given up. `$2` receiver.
    SIGNAL_OVERFLOW "signal.overflow"
        "UPDATE signal_receiver SET overflow = COALESCE(overflow, 0) + 1 WHERE tenant = $1 AND id = $2";
    /// Signals were given up, `$3` of them after a day in vain, and those that could not wait. `$2` receiver.
    SIGNAL_DROPPED "signal.dropped"
        "UPDATE signal_receiver SET dropped = COALESCE(dropped, 0) + COALESCE(overflow, 0) + $3, overflow = 0
         WHERE tenant = $1 AND id = $2";
    /// A receiver was changed: its failures are forgotten. `$2` receiver.
    SIGNAL_MENDED "signal.mended" "UPDATE signal_receiver SET failing = 0 WHERE tenant = $1 AND id = $2";
    /// Whatever waits for a receiver is due at one moment. `$2` receiver, `$3` when.
    SIGNAL_LATER "signal.later" "UPDATE signal_event SET due = $3 WHERE tenant = $1 AND receiver_id = $2";
    /// For which places signals wait, and when the first is due.
    SIGNAL_NEXT "signal.next" "SELECT receiver_id, MIN(due) FROM signal_event WHERE tenant = $1 GROUP BY receiver_id";
    /// What is due for a receiver, oldest first. `$2` receiver, `$3` now, `$4` how many.
    SIGNAL_DUE "signal.due"
        "SELECT id FROM signal_event WHERE tenant = $1 AND receiver_id = $2 AND due <= $3 ORDER BY id LIMIT $4";
    /// A signal was delivered. `$2` signal.
    SIGNAL_DONE "signal.done" "DELETE FROM signal_event WHERE tenant = $1 AND id = $2";
    /// So its receiver takes them. `$2` receiver, `$3` now.
    SIGNAL_SENT "signal.sent"
        "UPDATE signal_receiver SET sent = COALESCE(sent, 0) + 1, last_sent = $3, failing = 0, trouble = NULL
         WHERE tenant = $1 AND id = $2";
    /// A receiver did not take one. `$2` receiver, `$3` why, a word.
    SIGNAL_FAILED "signal.failed"
        "UPDATE signal_receiver SET failing = COALESCE(failing, 0) + 1, trouble = $3 WHERE tenant = $1 AND id = $2";
    /// An application has taken a logout token. `$2` application, `$3` now.
    LOGOUT_SENT "logout.sent"
        "UPDATE oauth_application SET sent = COALESCE(sent, 0) + 1, last_sent = $3, failing = 0, trouble = NULL
         WHERE tenant = $1 AND id = $2";
    /// An application did not take one. `$2` application, `$3` why, a word.
    LOGOUT_FAILED "logout.failed"
        "UPDATE oauth_application SET failing = COALESCE(failing, 0) + 1, trouble = $3 WHERE tenant = $1 AND id = $2";
    /// No more can wait for an application: one is given up. `$2` application.
    LOGOUT_OVERFLOW "logout.overflow"
        "UPDATE oauth_application SET overflow = COALESCE(overflow, 0) + 1 WHERE tenant = $1 AND id = $2";
    /// Logout tokens were given up, `$3` of them after a day or a refusal, and those that could not wait. `$2` application.
    LOGOUT_DROPPED "logout.dropped"
        "UPDATE oauth_application SET dropped = COALESCE(dropped, 0) + COALESCE(overflow, 0) + $3, overflow = 0
         WHERE tenant = $1 AND id = $2";
    /// Places for which something is given up: what was tried for long enough, or could not wait. `$2` now.
    SIGNAL_OVER "signal.over"
        "SELECT receiver_id FROM signal_event WHERE tenant = $1 AND expires <= $2
         UNION SELECT id FROM signal_receiver WHERE tenant = $1 AND overflow > 0
         UNION SELECT id FROM oauth_application WHERE tenant = $1 AND overflow > 0";
    /// What a receiver was not told in time is given up. `$2` receiver, `$3` now.
    SIGNAL_SWEEP "signal.sweep" "DELETE FROM signal_event WHERE tenant = $1 AND receiver_id = $2 AND expires <= $3";
    /// Lets sign-ins of one person wait for each other, so that each takes in what is known after the one before. `$2` user.
    USER_HOLD "user.hold"
        "UPDATE user_account SET rights_version = rights_version WHERE tenant = $1 AND id = $2";

    /// A code is taken by moving the step on: of two who bring the same one, one changes a row. `$2` factor, `$3` step.
    FACTOR_STEP "factor.step"
        "UPDATE factor SET step = $3 WHERE tenant = $1 AND id = $2 AND COALESCE(step, -1) < $3";

    /// A passkey has signed: its count must have grown, unless it counts nothing (WebAuthn §7.2 step 22). Of two who bring the
    /// same count, one changes a row. `$2` passkey, `$3` count, `$4` 1 if it is backed up, `$5` the moment, or nothing.
    PASSKEY_USED "passkey.used"
        "UPDATE passkey SET sign_count = $3, backed_up = $4, last_used = COALESCE($5, last_used)
         WHERE tenant = $1 AND id = $2
           AND (COALESCE(sign_count, 0) < $3 OR (COALESCE(sign_count, 0) = 0 AND $3 = 0))";
    /// A passkey's challenge is answered, rightly or not: it is used up. `$2` its id, `$3` when it runs out.
    CEREMONY_TAKE "ceremony.take"
        "INSERT INTO passkey_ceremony (tenant, id, expires) VALUES ($1, $2, $3) ON CONFLICT (tenant, id) DO NOTHING";
    /// Forgets challenges that have run out. `$2` now.
    CEREMONY_SWEEP "ceremony.sweep" "DELETE FROM passkey_ceremony WHERE tenant = $1 AND expires <= $2";

    /// Activity of a person. `$2` session, `$3` the moment.
    SESSION_TOUCH "session.touch"
        "UPDATE user_session SET last_used = $3 WHERE tenant = $1 AND id = $2 AND COALESCE(last_used, 0) < $3";
    /// Use of an API token. `$2` token, `$3` the moment.
    TOKEN_TOUCH "token.touch"
        "UPDATE api_token SET last_used = $3 WHERE tenant = $1 AND id = $2 AND COALESCE(last_used, 0) < $3";
    /// API tokens past an end. `$2` expired at or before, `$3` last used, or made, at or before.
    TOKEN_OVER "token.over"
        "SELECT id FROM api_token WHERE tenant = $1 AND (expires <= $2 OR COALESCE(last_used, created) <= $3) ORDER BY id LIMIT 1000";
    /// Forgets families of tokens that have run out. `$2` now.
    OAUTH_SWEEP "oauth.sweep" "DELETE FROM oauth_grant WHERE tenant = $1 AND expires <= $2";
    /// Forgets pushed requests that nobody came for. `$2` now.
    OAUTH_PUSH_SWEEP "oauth.push_sweep" "DELETE FROM oauth_push WHERE tenant = $1 AND expires <= $2";
    /// Forgets sign-outs that no provider has answered. `$2` now.
    SAML_PARTING_SWEEP "saml.parting_sweep" "DELETE FROM saml_parting WHERE tenant = $1 AND expires <= $2";
    /// A proof of possession is used up. `$2` its id, `$3` when it runs out.
    PROOF_TAKE "proof.take"
        "INSERT INTO oauth_proof (tenant, id, expires) VALUES ($1, $2, $3) ON CONFLICT (tenant, id) DO NOTHING";
    /// Forgets proofs that have run out. `$2` now.
    PROOF_SWEEP "proof.sweep" "DELETE FROM oauth_proof WHERE tenant = $1 AND expires <= $2";
    /// A device asks for its tokens: too soon makes it wait five seconds longer each time (RFC 8628 §3.5). `$2` device, `$3`
    /// now. Returns `fast`: 1 for too soon.
    DEVICE_POLL "device.poll"
        "UPDATE oauth_device SET
           fast = CASE WHEN COALESCE(polled, 0) + COALESCE(wait, 5) * 1000000 > $3 THEN 1 ELSE 0 END,
           wait = CASE WHEN COALESCE(polled, 0) + COALESCE(wait, 5) * 1000000 > $3 THEN COALESCE(wait, 5) + 5
                       ELSE COALESCE(wait, 5) END,
           polled = $3
         WHERE tenant = $1 AND id = $2 RETURNING fast";
    /// Forgets devices that have run out. `$2` now.
    DEVICE_SWEEP "device.sweep" "DELETE FROM oauth_device WHERE tenant = $1 AND expires <= $2";
    /// Sessions past an end. `$2` last used at or before, `$3` signed in at or before, `$4` now.
    SESSION_OVER "session.over"
        "SELECT id FROM user_session WHERE tenant = $1 AND (last_used <= $2 OR signed_in <= $3 OR ends <= $4) ORDER BY id LIMIT 1000";

    /// The account of a person, service accounts passed over, by its place in the list. `$2` how many come before it.
    PEOPLE_AT "people.at"
        "SELECT id FROM user_account WHERE tenant = $1 AND COALESCE(user_type, '') <> 'service' ORDER BY id LIMIT 1 OFFSET $2";

    /// The people among two who can be reached at all: active, and no service account. `$2` and `$3` people.
    PEOPLE_TWO "people.two"
        "SELECT id FROM user_account WHERE tenant = $1 AND id IN ($2, $3) AND state = 'active'
           AND COALESCE(user_type, '') <> 'service'";
    /// Everybody who can be reached, oldest first. `$2` who asks, `$3` after whom, `$4` how many.
    PEOPLE_EVERYONE "people.everyone"
        "SELECT id FROM user_account WHERE tenant = $1 AND id <> $2 AND id > $3 AND state = 'active'
           AND COALESCE(user_type, '') <> 'service' ORDER BY id LIMIT $4";
    /// Everybody who can be reached along a relation in force, oldest first. `$2` who asks, `$3` after whom, `$4` how many,
    /// `$5` now.
    PEOPLE_RELATED "people.related"
        "WITH mine AS (
           SELECT id FROM user_account WHERE tenant = $1 AND id = $2
           UNION SELECT site_id FROM user_account WHERE tenant = $1 AND id = $2 AND site_id IS NOT NULL
           UNION SELECT role_id FROM role_grant WHERE tenant = $1 AND user_id = $2),
         theirs AS (
           SELECT other_id AS id FROM relation WHERE tenant = $1 AND starts <= $5 AND ends > $5 AND one_id IN (SELECT id FROM mine)
           UNION SELECT one_id FROM relation WHERE tenant = $1 AND starts <= $5 AND ends > $5 AND other_id IN (SELECT id FROM mine)),
         people AS (
           SELECT id FROM user_account WHERE tenant = $1 AND id IN (SELECT id FROM theirs)
           UNION SELECT id FROM user_account WHERE tenant = $1 AND site_id IN (SELECT id FROM theirs)
           UNION SELECT user_id FROM role_grant WHERE tenant = $1 AND role_id IN (SELECT id FROM theirs))
         SELECT u.id FROM user_account u JOIN people ON people.id = u.id WHERE u.tenant = $1 AND u.id <> $2 AND u.id > $3
           AND u.state = 'active' AND COALESCE(u.user_type, '') <> 'service' ORDER BY u.id LIMIT $4";
    /// Relations in force by which two people may reach each other; none unless both are active and no service accounts.
    /// `$2` and `$3` people, `$4` now.
    RELATION_BETWEEN "relation.between"
        "WITH mine AS (
           SELECT id FROM user_account WHERE tenant = $1 AND id = $2
           UNION SELECT site_id FROM user_account WHERE tenant = $1 AND id = $2 AND site_id IS NOT NULL
           UNION SELECT role_id FROM role_grant WHERE tenant = $1 AND user_id = $2),
         theirs AS (
           SELECT id FROM user_account WHERE tenant = $1 AND id = $3
           UNION SELECT site_id FROM user_account WHERE tenant = $1 AND id = $3 AND site_id IS NOT NULL
           UNION SELECT role_id FROM role_grant WHERE tenant = $1 AND user_id = $3),
         found AS (
           SELECT id FROM relation WHERE tenant = $1 AND starts <= $4 AND ends > $4
             AND one_id IN (SELECT id FROM mine) AND other_id IN (SELECT id FROM theirs)
           UNION SELECT id FROM relation WHERE tenant = $1 AND starts <= $4 AND ends > $4
             AND one_id IN (SELECT id FROM theirs) AND other_id IN (SELECT id FROM mine))
         SELECT id FROM found WHERE 2 = (SELECT COUNT(*) FROM user_account WHERE tenant = $1 AND id IN ($2, $3)
           AND state = 'active' AND COALESCE(user_type, '') <> 'service') ORDER BY id LIMIT 20";
    /// Relations that name a person, role or site, oldest first. `$2` its id, `$3` after which, `$4` how many.
    RELATION_OF "relation.of"
        "SELECT id FROM relation WHERE tenant = $1 AND id IN (
           SELECT id FROM relation WHERE tenant = $1 AND one_id = $2
           UNION SELECT id FROM relation WHERE tenant = $1 AND other_id = $2) AND id > $3 ORDER BY id LIMIT $4";
    /// Relations of two sides that have not ended. `$2` and `$3` sides, `$4` now.
    RELATION_THERE "relation.there"
        "SELECT id FROM relation WHERE tenant = $1 AND ends > $4
           AND ((one_id = $2 AND other_id = $3) OR (one_id = $3 AND other_id = $2)) LIMIT 1000";
    /// Forgets relations that ended long ago; the log goes on telling of them. `$2` ended at or before.
    RELATION_SWEEP "relation.sweep" "DELETE FROM relation WHERE tenant = $1 AND ends <= $2";
    /// A person, role or site is gone: so are its relations. `$2` its id.
    RELATION_DROP "relation.drop" "DELETE FROM relation WHERE tenant = $1 AND (one_id = $2 OR other_id = $2)";

    /// Forgets links that have run out. `$2` now.
    LINK_SWEEP "link.sweep" "DELETE FROM one_time_link WHERE tenant = $1 AND expires <= $2";

    /// One person's rights have moved. `$2` user.
    RIGHTS_BUMP "rights.bump"
        "UPDATE user_account SET rights_version = COALESCE(rights_version, 0) + 1 WHERE tenant = $1 AND id = $2";
    /// A role's rights have moved: so have those of everybody who has it. `$2` role.
    RIGHTS_BUMP_HOLDERS "rights.bump_holders"
        "UPDATE user_account SET rights_version = COALESCE(rights_version, 0) + 1 WHERE tenant = $1 AND id IN
           (SELECT user_id FROM role_grant WHERE tenant = $1 AND role_id = $2)";
    /// Everybody's rights have moved, by a switch of the whole tenant.
    RIGHTS_BUMP_TENANT "rights.bump_tenant"
        "UPDATE tenant_setting SET rights_version = COALESCE(rights_version, 0) + 1 WHERE tenant = $1";
    /// Makes acts that count administrators wait for each other.
    TENANT_HOLD "tenant.hold" "UPDATE tenant_setting SET rights_version = rights_version WHERE tenant = $1";
    /// The version that a permit is held against at commit. `$2` user.
    RIGHTS_VERSION "rights.version"
        "SELECT COALESCE(u.rights_version, 0) + COALESCE(t.rights_version, 0) FROM user_account u
         LEFT JOIN tenant_setting t ON t.tenant = u.tenant WHERE u.tenant = $1 AND u.id = $2";
}

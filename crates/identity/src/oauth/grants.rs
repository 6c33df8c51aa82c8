//! What an application holds: an access token, known by its hash, and a refresh token that is good once. A refresh
//! token that comes a second time ends everything of its family (OAuth 2.1 §4.3.1).

use std::{
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sekisho_kernel::{
    Problem, Secret, TakenOut, Time,
    actor::Via,
    hook::{HostKind, Knock, Passage},
    id::{ApplicationId, OauthGrantId, SessionId, SessionKind, TenantId, UserId},
    problem::UNAUTHENTICATED,
};
use sekisho_vault::{ClearValue, Page, Stored, Tx};

use crate::{
    Answer, Identity,
    cache::{Slot, TokenEnds},
    people,
    records::{Application, ApplicationState, OauthGrant},
    rights, session, token, tokens,
    types::UserState,
};

/// What an access token begins with.
pub const ACCESS: &str = "sat_";
/// What a refresh token begins with.
pub const REFRESH: &str = "srt_";
/// The longest life of a family, however often it is refreshed.
pub const LONGEST: Duration = Duration::from_secs(90 * 86_400);

const fn as_session(id: OauthGrantId) -> SessionId {
    id.cast::<SessionKind>()
}

/// The refresh token of a family at a turn: `srt_`, the family's id, the turn, and a MAC that only the family's seed makes.
/// An old one is told apart from an invented one, so that a stranger's guess ends nothing.
pub fn refresh_text(id: OauthGrantId, grant: &OauthGrant) -> Secret<String> {
    let head = format!("{REFRESH}{}{:08x}", hex::encode(id.bytes()), grant.turn);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, grant.seed.as_bytes()), head.as_bytes());
    Secret::new(format!("{head}{}", URL_SAFE_NO_PAD.encode(tag)))
}

/// The family and the turn that a text claims.
pub fn refresh_claim(text: &str) -> Option<(OauthGrantId, u32)> {
    let rest = text.strip_prefix(REFRESH).filter(|r| r.len() == 83 && r.is_ascii())?;
    let mut id = [0; 16];
    hex::decode_to_slice(&rest[..32], &mut id).ok()?;
    Some((OauthGrantId::from_bytes(id), u32::from_str_radix(&rest[32..40], 16).ok()?))
}

/// Whether the family's own seed made this text.
pub fn refresh_sound(text: &str, grant: &OauthGrant) -> bool {
    let (head, tag) = text.split_at(text.len().saturating_sub(43));
    let Ok(tag) = URL_SAFE_NO_PAD.decode(tag) else { return false };
    hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, grant.seed.as_bytes()), head.as_bytes(), &tag).is_ok()
}

/// A new access token: its text and its hash.
pub fn access(rng: &dyn sekisho_kernel::Rng) -> (Secret<String>, [u8; 32]) {
    let made = token::new(rng);
    (Secret::new(format!("{ACCESS}{}", made.text.reveal())), made.hash)
}

/// The hash of an access token's text.
pub fn access_key(text: &str) -> Option<[u8; 32]> {
    token::hash(text.strip_prefix(ACCESS)?)
}

/// Takes a family away, on every node at once.
pub fn end(tx: &mut Tx<'_>, tenant: TenantId, grant: &Stored<OauthGrant>) -> Answer<()> {
    tx.unpoint("access", &hex::decode(&grant.body.access).unwrap_or_default())?;
    tx.delete::<OauthGrant>(grant.id)?;
    tx.notify("session", &format!("{tenant}:{}", as_session(grant.id())))
}

/// Ends every family with this value in a clear column; how many.
pub fn end_all(tx: &mut Tx<'_>, tenant: TenantId, eq: (&'static str, ClearValue)) -> Answer<u32> {
    let mut ended = 0;
    loop {
        let rows = tx.list::<OauthGrant>(&Page { limit: 1_000, eq: std::slice::from_ref(&eq), ..Page::default() })?;
        if rows.is_empty() {
            return Ok(ended);
        }
        for grant in rows {
            end(tx, tenant, &grant)?;
            ended += 1;
        }
    }
}

/// Ends what one application holds for one person; how many.
pub fn end_of(tx: &mut Tx<'_>, tenant: TenantId, user: UserId, application: ApplicationId) -> Answer<u32> {
    let mut ended = 0;
    for grant in people::of_user::<OauthGrant>(&mut tx.view(), user)? {
        if grant.body.application == application {
            end(tx, tenant, &grant)?;
            ended += 1;
        }
    }
    Ok(ended)
}

impl Identity {
    /// The person for whom an application acts. Only the API of the console's host takes an access token.
    pub(crate) async fn resolve_access(&self, knock: &Knock, text: &str) -> Answer<Arc<Passage>> {
        let nobody = || Problem::new(&UNAUTHENTICATED);
        let key = access_key(text).ok_or_else(nobody)?;
        if !matches!(knock.via, Via::Api | Via::Scim) || knock.host.kind != HostKind::Console {
            return Err(nobody());
        }
        let now = self.now();
        // A token that is bound to a key is nothing without it, and a proof makes nothing of one that is not (RFC 9449 §7).
        let good = |slot: &Slot| slot.ends.as_ref().is_some_and(|e| e.expires > now && e.key == knock.holds);
        let cached = self.0.cache.slot(&key).filter(|s| s.host == knock.host.host);
        if let Some(slot) = cached.filter(|s| s.fresh() && self.vault().in_contact() && good(s)) {
            return Ok(session::passage(&slot, knock, self.gates()));
        }
        let moment = self.0.cache.moment();
        let found = self.vault().resolve_pointer("access", &key).await?;
        let Some((scope, record)) = found.filter(|(scope, _)| scope.tenant() == knock.host.tenant) else {
            self.0.cache.forget_slot(&key);
            return Err(nobody());
        };
        let tenant = scope.tenant();
        let found = self
            .vault()
            .peek(&scope, move |view| {
                let Some(grant) = view.get::<OauthGrant>(record)? else { return Ok(None) };
                let approved = view
                    .get::<Application>(grant.body.application)?
                    .is_some_and(|a| a.body.state == ApplicationState::Approved);
                let person = rights::person(view, tenant, grant.body.user)?;
                Ok(person.filter(|p| approved && p.account.body.state == UserState::Active).map(|p| (grant, p)))
            })
            .await?;
        let own = hex::encode(key);
        let Some((grant, person)) = found.filter(|(g, _)| g.body.access == own) else { return Err(nobody()) };
        let (id, user) = (as_session(grant.id()), grant.body.user);
        let slot = Arc::new(Slot {
            tenant,
            session: id,
            user,
            host: knock.host.host.clone(),
            created: grant.created,
            until: None,
            used: AtomicI64::new(now.micros()),
            stored: AtomicI64::new(now.micros()),
            rights: match self.0.taken {
                Some(TakenOut::OauthScope) => person.view.clone(),
                _ => Arc::new(tokens::narrowed(&person.view, rights::known(&grant.body.rights))),
            },
            roles: person.roles.clone(),
            sites: person.sites.clone(),
            terms: person.terms(),
            flags: self.0.cache.flags(id, user, tenant),
            ends: Some(TokenEnds {
                expires: grant.body.access_expires,
                networks: Vec::new(),
                key: grant.body.key.as_deref().and_then(token::bytes),
            }),
        });
        if !good(&slot) {
            return Err(nobody());
        }
        if self.vault().in_contact() {
            self.0.cache.put_slot(key, &slot, moment);
        }
        Ok(session::passage(&slot, knock, self.gates()))
    }
}

/// When a family ends that is refreshed now.
pub fn ends(created: Time, now: Time, idle: Duration) -> Time {
    now.plus(idle).min(created.plus(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_is_of_its_family_and_turn() {
        let grant = OauthGrant {
            application: ApplicationId::from_bytes([1; 16]),
            user: UserId::from_bytes([2; 16]),
            rights: vec![],
            person: vec![],
            signed_in: None,
            key: None,
            access: String::new(),
            access_expires: Time::ZERO,
            seed: "seed".into(),
            turn: 7,
            refreshable: true,
            expires: Time::ZERO,
        };
        let id = OauthGrantId::from_bytes([3; 16]);
        let text = refresh_text(id, &grant);
        assert_eq!(refresh_claim(text.reveal()), Some((id, 7)));
        assert!(refresh_sound(text.reveal(), &grant));
        let other = text.reveal().replace("00000007", "00000006");
        assert_eq!(refresh_claim(&other), Some((id, 6)));
        assert!(!refresh_sound(&other, &grant), "nobody but the seed makes an older one");
        for bad in ["", "srt_", "srt_é", &text.reveal()[..86], &format!("{}A", text.reveal())] {
            assert_eq!(refresh_claim(bad), None, "{bad}");
        }
    }
}

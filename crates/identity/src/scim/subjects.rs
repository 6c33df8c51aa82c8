//! A person whom a believed client makes has a way in from the start: its `externalId` is their subject at the provider that an
//! administrator has named.
//!
//! It is said once, when the person is made. What the client calls them later leads nobody to the account: whoever could move a
//! subject could come in as anybody whom the client keeps.

use sekisho_kernel::{
    Problem,
    id::{IdentityId, IdentityKind, ProviderId, UserId},
    problem::CONFLICT,
};
use sekisho_vault::Tx;

use super::value;
use crate::{
    Answer,
    federation::LONGEST_SUBJECT,
    problems::SUBJECT_TAKEN,
    records::{IdentityProvider, OutsideIdentity, Protocol, ScimProfile, UserAccount},
};

/// The subject that the new person is, in the word of the client that makes them; `None` where it is not believed, or says none.
pub fn believed(
    tx: &mut Tx<'_>,
    client: Option<UserId>,
    profile: &ScimProfile,
) -> Answer<Option<(ProviderId, String)>> {
    let Some(client) = client else { return Ok(None) };
    let client = tx.get::<UserAccount>(client)?.filter(|c| c.body.provisioner);
    let (Some(provider), Some(subject)) = (client.and_then(|c| c.body.subject_provider), &profile.external_id) else {
        return Ok(None);
    };
    // A provider that has been taken away vouches for nobody.
    if !is_openid(tx, provider)? {
        return Ok(None);
    }
    if subject.is_empty() || subject.len() > LONGEST_SUBJECT || subject.chars().any(char::is_control) {
        return Err(value::wrong(
            "externalId",
            "externalId は ID プロバイダーの利用者の識別子（255 バイト以下、制御文字なし）でなければなりません。",
            "externalId must be the person's subject at the provider: at most 255 bytes, no control characters.",
        ));
    }
    Ok(Some((provider, subject.clone())))
}

/// Links the new person to it. A subject that is somebody's stays theirs.
pub fn link(
    tx: &mut Tx<'_>,
    user: UserId,
    (provider, subject): (ProviderId, String),
    called: &str,
) -> Answer<IdentityId> {
    let id: IdentityId = tx.fresh::<IdentityKind>();
    let link = OutsideIdentity { provider, user, subject, name: called.to_owned(), made: false };
    let taken = |p: Problem| if p.is(&CONFLICT) { Problem::new(&SUBJECT_TAKEN).at("externalId") } else { p };
    tx.insert(id, &link).map_err(taken)?;
    Ok(id)
}

/// Whether it is a provider of OpenID Connect of this tenant.
pub fn is_openid(tx: &mut Tx<'_>, provider: ProviderId) -> Answer<bool> {
    Ok(tx.get::<IdentityProvider>(provider)?.is_some_and(|p| matches!(p.body.protocol, Protocol::Oidc(_))))
}

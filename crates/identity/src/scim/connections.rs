//! Connections of identity providers: a service account that may provision and nothing else, with its tokens.

use std::time::Duration;

use sekisho_kernel::{
    Cx, Problem, Target,
    access::{Right, UserType},
    event,
    id::UserId,
    problem::NOT_FOUND,
};
use sekisho_vault::{Entry, Page};

use crate::{
    Answer, Identity, boxed, people,
    records::{ApiToken, SERVICE, UserAccount},
    tokens,
    types::{ConnectionView, NewConnection, NewToken, TokenIssued, UserState},
    under,
    values::{self, taken},
};

/// Most connections that are shown.
const SHOWN: u32 = 1_000;

impl Identity {
    /// Makes a connection and its first token, which may provision and nothing else. Shown once.
    ///
    /// # Errors
    /// `INVALID`, `SK-4013` (without the right oneself), `NOT_FOUND` for a provider that is none of OpenID Connect.
    #[boxed]
    pub async fn create_connection(&self, cx: &Cx, new: NewConnection) -> Answer<TokenIssued> {
        let (tenant, reach, id): (_, _, UserId) = (cx.tenant, self.reach(cx), self.id());
        let act = under(Right::TOKENS_WRITE, &event::PROVISIONING_CREATE, Target::tenant(tenant), id);
        let rights = vec![Right::USERS_PROVISION.name().to_owned()];
        let token = NewToken { name: new.name.clone(), rights, networks: new.networks, days: new.days };
        let checked = values::label("name", &new.name).and_then(|name| Ok((name, self.wanted(cx, id, &token)?)));
        let (name, wanted) = self.sound(cx, &act, checked).await?;
        let subjects = new.subject_provider;
        let word = hex::encode(sekisho_kernel::rng::bytes::<4>(self.rng()));
        let token_id = self.id();
        self.vault()
            .act(cx, act, move |tx, permit| {
                let mut needed = vec![Right::USERS_PROVISION];
                if let Some(provider) = subjects {
                    // It will say who may come in as whom: that is a provider's administrator's to give.
                    needed.push(Right::FEDERATION_WRITE);
                    if !super::subjects::is_openid(tx, provider)? {
                        return Err(Problem::new(&NOT_FOUND).at("subject_provider"));
                    }
                }
                reach.gives(needed.into_iter().collect(), None)?;
                let account = UserAccount {
                    name: format!("scim-{word}"),
                    display_name: name,
                    mail: None,
                    kind: UserType::User,
                    state: UserState::Active,
                    site: None,
                    functions_off: Vec::new(),
                    service: true,
                    terms: Vec::new(),
                    provisioner: true,
                    subject_provider: subjects,
                    renew_factor: false,
                };
                tx.insert(id, &account).map_err(taken)?;
                let issued = tokens::put(tx, token_id, &wanted)?;
                let mut entry =
                    Entry::of(id).with("token", token_id).with("expires", issued.token.expires_at.rfc3339());
                if let Some(provider) = subjects {
                    entry = entry.with("subject_provider", provider);
                }
                tx.commit(permit, entry, issued)
            })
            .await
    }

    /// The connections, oldest first.
    ///
    /// # Errors
    /// The access check's and the store's.
    #[boxed]
    pub async fn connections(&self, cx: &Cx) -> Answer<Vec<ConnectionView>> {
        let act = under(Right::CLIENTS_READ, &event::PROVISIONING_READ, Target::tenant(cx.tenant), "provisioning");
        let unused: Duration = self.gates().tokens(&cx.policy).unused;
        self.vault()
            .look(cx, act, move |view| {
                let eq = [("user_type", SERVICE.into())];
                let accounts = view.list::<UserAccount>(&Page { limit: SHOWN, eq: &eq, ..Page::default() })?;
                let mut out = Vec::new();
                for account in accounts.into_iter().filter(|a| a.body.provisioner) {
                    let user: UserId = account.id();
                    let tokens = people::of_user::<ApiToken>(view, user)?;
                    out.push(ConnectionView {
                        user,
                        created: account.created,
                        name: account.body.display_name,
                        active: account.body.state == UserState::Active,
                        subject_provider: account.body.subject_provider,
                        tokens: tokens.into_iter().map(|t| tokens::shown(t, unused)).collect::<Answer<_>>()?,
                    });
                }
                Ok(out)
            })
            .await
    }
}

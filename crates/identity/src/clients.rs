//! Signing clients: applications that sign their users in by unique ID and signature. An administrator issues the key
//! and says which unique ID is which person.

use sekisho_kernel::{
    Cx, Problem, Secret, Target, Text,
    access::Right,
    event,
    id::{SigningClientId, SigningClientKind, UniqueIdId, UserId},
    problem::{CONFLICT, NOT_FOUND},
};
use sekisho_vault::{Entry, Page, Scope, Stored, Tx};

use crate::{
    Answer, Identity, boxed,
    guard::{self, Reach},
    page_size, people,
    problems::{SERVICE_ACCOUNT, TOO_MANY_RECORDS},
    records::{SigningClient, UniqueId, UserAccount},
    rights, token,
    types::{
        After, ClientIssued, ClientPatch, ClientView, Listed, NewClient, NewUniqueId, UniqueIdQuery, UniqueIdView,
        UserState,
    },
    under,
    values::{self, taken},
};

/// Most unique IDs of one client that a new key is checked against.
const MOST_LINKS: u32 = 10_000;

/// What finds the link of a unique ID: the same text under another client is another one, to the letter.
pub fn link_key(client: SigningClientId, unique_id: &str) -> String {
    hex::encode(token::sha256(&[&client.bytes(), unique_id.as_bytes()]))
}

impl Identity {
    /// Makes a client; its key is shown once.
    ///
    /// # Errors
    /// `INVALID`, `SK-4019` (name taken).
    #[boxed]
    pub async fn create_client(&self, cx: &Cx, new: NewClient) -> Answer<ClientIssued> {
        let id: SigningClientId = self.id();
        let secret = token::new(self.rng()).text;
        let act = under(Right::CLIENTS_WRITE, &event::CLIENT_CREATE, Target::tenant(cx.tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let client = SigningClient {
                    name: values::label("name", &new.name)?,
                    note: values::note(&new.note)?,
                    secret: secret.reveal().clone(),
                    disabled: false,
                };
                tx.insert(id, &client).map_err(taken)?;
                let client = shown(tx, id)?;
                tx.commit(permit, Entry::of(id), ClientIssued { client, secret })
            })
            .await
    }

    /// One client.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    #[boxed]
    pub async fn client(&self, cx: &Cx, id: SigningClientId) -> Answer<ClientView> {
        let act = under(Right::CLIENTS_READ, &event::CLIENT_READ, Target::tenant(cx.tenant), id);
        self.vault().look(cx, act, move |view| view.get(id)?.map(client_view).ok_or_else(missing)).await
    }

    /// A page of clients.
    ///
    /// # Errors
    /// The access check's and the store's.
    #[boxed]
    pub async fn clients(
        &self,
        cx: &Cx,
        page: After<SigningClientKind>,
    ) -> Answer<Listed<ClientView, SigningClientId>> {
        let act = under(Right::CLIENTS_READ, &event::CLIENT_LIST, Target::tenant(cx.tenant), "signing-clients");
        self.vault()
            .look(cx, act, move |view| {
                let page = Page {
                    after: page.after.map(SigningClientId::cast),
                    limit: page_size(page.limit),
                    ..Page::default()
                };
                let (rows, next) = guard::page(view, &page, |_| true)?;
                Ok(Listed { items: rows.into_iter().map(client_view).collect(), next: next.map(|n| n.cast()) })
            })
            .await
    }

    /// Changes a client as it was at `version`. A disabled one signs nobody in.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CONFLICT`, `INVALID`, `SK-4019`; `SK-4014` when it is enabled by somebody with fewer rights than
    /// the people it signs in.
    #[boxed]
    pub async fn update_client(
        &self,
        cx: &Cx,
        id: SigningClientId,
        version: i64,
        patch: ClientPatch,
    ) -> Answer<ClientView> {
        let reach = self.reach(cx);
        let tenant = cx.tenant;
        let act = under(Right::CLIENTS_WRITE, &event::CLIENT_UPDATE, Target::tenant(tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let mut client = tx.get::<SigningClient>(id)?.ok_or_else(missing)?.body;
                if let Some(name) = &patch.name {
                    client.name = values::label("name", name)?;
                }
                if let Some(note) = &patch.note {
                    client.note = values::note(note)?;
                }
                if let Some(disabled) = patch.disabled {
                    if client.disabled && !disabled {
                        above_all(tx, &reach, id)?;
                    }
                    client.disabled = disabled;
                }
                tx.update(id, version, &client).map_err(taken)?;
                let state = if client.disabled { "disabled" } else { "active" };
                let now = shown(tx, id)?;
                tx.commit(permit, Entry::of(id).with("state", state), now)
            })
            .await
    }

    /// A new key in place of the old one, which ends at once; shown once. Whoever holds it is every person of the
    /// client, so it is issued only by somebody who has their rights.
    ///
    /// # Errors
    /// `NOT_FOUND`, `SK-4014`.
    #[boxed]
    pub async fn renew_client(&self, cx: &Cx, id: SigningClientId) -> Answer<ClientIssued> {
        let (tenant, reach) = (cx.tenant, self.reach(cx));
        let secret = token::new(self.rng()).text;
        let act = under(Right::CLIENTS_WRITE, &event::CLIENT_RENEW, Target::tenant(tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let old = tx.get::<SigningClient>(id)?.ok_or_else(missing)?;
                above_all(tx, &reach, id)?;
                tx.update(id, old.version, &SigningClient { secret: secret.reveal().clone(), ..old.body })?;
                let client = shown(tx, id)?;
                tx.commit(permit, Entry::of(id), ClientIssued { client, secret })
            })
            .await
    }

    /// Deletes a client with its unique IDs.
    ///
    /// # Errors
    /// `NOT_FOUND`, `CONFLICT`.
    #[boxed]
    pub async fn delete_client(&self, cx: &Cx, id: SigningClientId, version: Option<i64>) -> Answer<()> {
        let act = under(Right::CLIENTS_WRITE, &event::CLIENT_DELETE, Target::tenant(cx.tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let client = tx.get::<SigningClient>(id)?.ok_or_else(missing)?;
                if version.is_some_and(|v| v != client.version) {
                    return Err(Problem::new(&CONFLICT));
                }
                for link in links(tx, id)? {
                    tx.delete::<UniqueId>(link.id)?;
                }
                tx.delete::<SigningClient>(id)?;
                tx.commit(permit, Entry::of(id), ())
            })
            .await
    }

    /// Says which person a client's unique ID is. An invited account becomes active by it: it has a way to sign in.
    ///
    /// # Errors
    /// `NOT_FOUND` (client, user), `INVALID`, `CONFLICT` (the unique ID is somebody's already), `SK-4014`.
    #[boxed]
    pub async fn create_unique_id(&self, cx: &Cx, new: NewUniqueId) -> Answer<UniqueIdView> {
        let id: UniqueIdId = self.id();
        let (tenant, reach) = (cx.tenant, self.reach(cx));
        let act = under(Right::CLIENTS_WRITE, &event::UNIQUE_ID_CREATE, Target::tenant(tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                values::unique_id(&new.unique_id)?;
                tx.get::<SigningClient>(new.client)?.ok_or_else(|| missing().at("client"))?;
                let person = rights::person(&mut tx.view(), tenant, new.user)?;
                let person = person.ok_or_else(|| missing().at("user"))?;
                if person.account.body.service {
                    return Err(Problem::new(&SERVICE_ACCOUNT).at("user"));
                }
                reach.above(&person)?;
                if links(tx, new.client)?.len() >= MOST_LINKS as usize {
                    return Err(Problem::new(&TOO_MANY_RECORDS));
                }
                let link = UniqueId { client: new.client, user: new.user, unique_id: new.unique_id };
                tx.insert(id, &link).map_err(|p| if p.is(&CONFLICT) { already() } else { p })?;
                let account = person.account;
                if account.body.state == UserState::Invited {
                    let active = UserAccount { state: UserState::Active, ..account.body };
                    people::moved(tx, new.user)?;
                    tx.update(new.user, account.version, &active)?;
                    tx.notify("rights", &format!("{tenant}:{}", new.user))?;
                }
                let made = tx.get::<UniqueId>(id)?.map(link_view).ok_or_else(missing)?;
                tx.commit(permit, Entry::of(id).with("client", made.client).with("user", made.user), made)
            })
            .await
    }

    /// A page of unique IDs.
    ///
    /// # Errors
    /// The access check's and the store's.
    #[boxed]
    pub async fn unique_ids(&self, cx: &Cx, query: UniqueIdQuery) -> Answer<Listed<UniqueIdView, UniqueIdId>> {
        let act = under(Right::CLIENTS_READ, &event::UNIQUE_ID_LIST, Target::tenant(cx.tenant), "unique-ids");
        self.vault()
            .look(cx, act, move |view| {
                let (after, limit) = (query.after.map(UniqueIdId::cast), page_size(query.limit));
                let mut eq = Vec::new();
                eq.extend(query.client.map(|c| ("client_id", c.into())));
                eq.extend(query.user.map(|u| ("user_id", u.into())));
                let (rows, next) = guard::page(view, &Page { after, limit, eq: &eq, ..Page::default() }, |_| true)?;
                Ok(Listed { items: rows.into_iter().map(link_view).collect(), next: next.map(|n| n.cast()) })
            })
            .await
    }

    /// Takes a unique ID away; sessions that it began go on.
    ///
    /// # Errors
    /// `NOT_FOUND`.
    #[boxed]
    pub async fn delete_unique_id(&self, cx: &Cx, id: UniqueIdId) -> Answer<()> {
        let act = under(Right::CLIENTS_WRITE, &event::UNIQUE_ID_DELETE, Target::tenant(cx.tenant), id);
        self.vault()
            .act(cx, act, move |tx, permit| {
                let link = tx.get::<UniqueId>(id)?.ok_or_else(missing)?;
                tx.delete::<UniqueId>(id)?;
                let entry = Entry::of(id).with("client", link.body.client).with("user", link.body.user);
                tx.commit(permit, entry, ())
            })
            .await
    }

    /// The person with exactly this sign-in name, for a form that names people so; no entry, the act that follows
    /// makes one.
    ///
    /// # Errors
    /// The store's.
    #[boxed]
    pub async fn user_named(&self, cx: &Cx, name: &str) -> Answer<Option<UserId>> {
        let name = name.to_owned();
        let found = self.vault().peek(&Scope::of(cx), move |view| view.find::<UserAccount>("name", &name)).await?;
        Ok(found.first().map(|a| a.id()))
    }
}

fn missing() -> Problem {
    Problem::new(&NOT_FOUND)
}

fn already() -> Problem {
    Problem::new(&CONFLICT)
        .at("unique_id")
        .detail(Text::new("この一意の ID はすでに登録されています。", "This unique ID is somebody's already."))
}

/// Everything that a client may sign in.
fn links(tx: &mut Tx<'_>, client: SigningClientId) -> Answer<Vec<Stored<UniqueId>>> {
    tx.list::<UniqueId>(&Page { limit: MOST_LINKS, eq: &[("client_id", client.into())], ..Page::default() })
}

/// Refuses where anybody whom the client signs in has more rights than the actor.
fn above_all(tx: &mut Tx<'_>, reach: &Reach, client: SigningClientId) -> Answer<()> {
    let tenant = tx.scope().tenant();
    for link in links(tx, client)? {
        if let Some(person) = rights::person(&mut tx.view(), tenant, link.body.user)? {
            reach.above(&person)?;
        }
    }
    Ok(())
}

/// Takes away every unique ID of a person.
pub fn drop_unique_ids(tx: &mut Tx<'_>, user: UserId) -> Answer<()> {
    for link in people::of_user::<UniqueId>(&mut tx.view(), user)? {
        tx.delete::<UniqueId>(link.id)?;
    }
    Ok(())
}

fn shown(tx: &mut Tx<'_>, id: SigningClientId) -> Answer<ClientView> {
    tx.get::<SigningClient>(id)?.map(client_view).ok_or_else(missing)
}

fn client_view(client: Stored<SigningClient>) -> ClientView {
    ClientView {
        id: client.id(),
        version: client.version,
        created: client.created,
        updated: client.updated,
        name: client.body.name,
        note: client.body.note,
        disabled: client.body.disabled,
    }
}

fn link_view(link: Stored<UniqueId>) -> UniqueIdView {
    UniqueIdView {
        id: link.id(),
        version: link.version,
        created: link.created,
        updated: link.updated,
        client: link.body.client,
        user: link.body.user,
        unique_id: link.body.unique_id,
    }
}

/// The key of a client that is no client: its check costs the same.
pub fn no_key() -> Secret<String> {
    Secret::new("A".repeat(token::TEXT_LEN))
}

//! MIST-22: a role granted for one site, and the same role granted for the organisation.

use async_trait::async_trait;
use sekisho_kernel::{
    Right,
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{Answer, World},
};
use serde_json::{Value, json};

use crate::{
    access::MIST_22,
    probing::{
        Person, Session,
        answer::{good, tally},
        person::text,
        rights::invited,
    },
};

pub struct SiteBySite;

/// A site with a person in it.
struct Site {
    id: String,
    member: String,
}

#[async_trait]
impl Probe for SiteBySite {
    fn spec(&self) -> &'static ClaimSpec {
        &MIST_22
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [ours, theirs, ..] = world.canaries() else { return Err(Trouble("two tenants are needed".into())) };
        let (mut admin, mut other) = (Person::admin(ours), Person::admin(theirs));
        let (desk, their_desk) = (admin.sign_in(world).await?, other.sign_in(world).await?);
        let here = site(world, &desk).await?;
        let next = site(world, &desk).await?;
        let abroad = site(world, &their_desk).await?;

        let rights: Vec<&str> =
            [Right::USERS_READ, Right::USERS_WRITE, Right::SITES_READ, Right::SITES_WRITE, Right::GRANTS_WRITE]
                .iter()
                .map(|r| r.name())
                .collect();
        let role = desk.make(world, "/roles", &json!({"name": world.marker("site-role"), "rights": rights})).await?;
        let role = text(&role, "id");

        let local = holder(world, &desk, &admin, json!({"role": role, "site": here.id})).await?;
        let whole = holder(world, &desk, &admin, json!({"role": role})).await?;

        let got = reach(world, &desk, &local, &here, &role).await?;
        finding.positive(
            "site-role-own-site",
            "the holder of a role for one site reads and changes that site, reads, changes and grants to its people",
            "done, each of them",
            tally(&got),
            got.iter().all(good),
        );
        let got = reach(world, &desk, &local, &next, &role).await?;
        finding.forbidden(
            "site-role-next-site-refused",
            "the same person tries the same on the next site of the same organisation",
            "refused, each of them",
            tally(&got),
            got.iter().all(|a| matches!(a.status, 403 | 404)),
        );
        let listed = local.get(world, "/users?limit=200").await?;
        finding.forbidden(
            "site-role-next-site-refused",
            "the same person lists the organisation's people",
            "nobody of the next site comes back",
            format!(
                "{}, {}",
                listed.status,
                if listed.contains(&next.member) {
                    "with the next site's people"
                } else {
                    "without the next site's people"
                }
            ),
            !listed.contains(&next.member),
        );
        let mut got = reach(world, &desk, &whole, &here, &role).await?;
        got.extend(reach(world, &desk, &whole, &next, &role).await?);
        finding.positive(
            "organisation-role-every-site",
            "the holder of the role for the whole organisation does the same on both sites",
            "done, each of them",
            tally(&got),
            got.iter().all(good),
        );
        let got = reach(world, &their_desk, &whole, &abroad, &role).await?;
        finding.forbidden(
            "organisation-role-other-organisation-refused",
            "the same person tries the same on a site of another organisation",
            "answered as if there were no such thing, each of them",
            tally(&got),
            got.iter().all(|a| !good(a)),
        );
        Ok(())
    }
}

async fn site(world: &dyn World, desk: &Session) -> Result<Site, Trouble> {
    let id = text(&desk.make(world, "/sites", &json!({"name": world.marker("site")})).await?, "id");
    let body = json!({"name": world.marker("member"), "type": "user", "site": id});
    let made = desk.make(world, "/users", &body).await?;
    let member = text(made.get("user").filter(|u| u.is_object()).unwrap_or(&made), "id");
    Ok(Site { id, member })
}

async fn holder(world: &dyn World, desk: &Session, like: &Person, mut grant: Value) -> Result<Session, Trouble> {
    let mut person = desk.hire(world, like, "user", &Value::Null).await?;
    if let Some(grant) = grant.as_object_mut() {
        grant.insert("user".into(), person.id.clone().into());
    }
    desk.make(world, "/grants", &grant).await?;
    person.sign_in(world).await
}

/// Reads and changes a site, reads and changes a person of it, grants a role for it to another one.
async fn reach(
    world: &dyn World,
    owner: &Session,
    who: &Session,
    site: &Site,
    role: &str,
) -> Result<Vec<Answer>, Trouble> {
    let (site_path, member_path) = (format!("/sites/{}", site.id), format!("/users/{}", site.member));
    let version = |got: &Answer| got.json().get("version").and_then(Value::as_i64).unwrap_or(1);
    let site_version = version(&owner.get(world, &site_path).await?);
    let member_version = version(&owner.get(world, &member_path).await?);
    let mut out = vec![who.get(world, &site_path).await?];
    out.push(who.patch(world, &site_path, site_version, &json!({"note": world.marker("note")})).await?);
    out.push(who.get(world, &member_path).await?);
    out.push(who.patch(world, &member_path, member_version, &json!({"display_name": world.marker("called")})).await?);
    let newcomer = newcomer(world, owner, &site.id).await?;
    out.push(who.post(world, "/grants", &json!({"user": newcomer, "role": role, "site": site.id})).await?);
    Ok(out)
}

/// One more person of the site, so that the grant is always a new one.
async fn newcomer(world: &dyn World, owner: &Session, site: &str) -> Result<String, Trouble> {
    let id = invited(world, owner).await?;
    let version = owner.need(world, owner.ask("GET", &format!("/users/{id}"))).await?;
    let version = version.get("version").and_then(Value::as_i64).unwrap_or(1);
    owner.patch(world, &format!("/users/{id}"), version, &json!({"site": site})).await?;
    Ok(id)
}

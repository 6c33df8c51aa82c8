//! NM-28, and with the wire MOX-23.

use std::collections::BTreeSet;

use argon2::{Algorithm, Argon2, Params, Version};
use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use sekisho_kernel::{
    claim::{ClaimSpec, Finding, Probe, Trouble},
    world::{RawFile, World},
};
use serde_json::json;

use super::plain;
use crate::{
    passwords::{MOX_23, NM_28, OWASP_MEMORY_KIB, OWASP_PASSES},
    probing::{
        Person,
        answer::good,
        person::{fresh_password, knock},
        planted, rehearsed,
        sealed::Store,
        search::{Hit, Search, name_of},
        told,
    },
};

/// Passwords on disk; with `over_the_wire` also over an open channel.
pub struct OnlyHashed {
    pub over_the_wire: bool,
}

#[async_trait]
impl Probe for OnlyHashed {
    fn spec(&self) -> &'static ClaimSpec {
        if self.over_the_wire { &MOX_23 } else { &NM_28 }
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [canary, ..] = world.canaries() else { return Err(Trouble("there is no tenant to try".into())) };
        let instance = rehearsed(world)?;
        let mut admin = Person::admin(canary);
        let desk = admin.sign_in(world).await?;
        // Two accounts with one password: what is stored must differ all the same.
        let shared = fresh_password(world);
        let mut people = Vec::new();
        for _ in 0..2 {
            let mut person = desk.hire(world, &admin, "user", &json!({"password": shared})).await?;
            person.sign_in(world).await?;
            people.push(person);
        }
        let [first, second] = &people[..] else { return Err(Trouble("two accounts are needed".into())) };
        let wrong = format!("{shared}-mistyped");
        world.send(knock(&first.console, &first.name, &wrong, None)).await?;
        let changed = fresh_password(world);
        let mut person = first.clone();
        person.again(world).await?;
        let session = person.sign_in(world).await?;
        let body = json!({"current": person.password, "new": changed});
        let got = session.put(world, "/me/password", &body).await?;
        if !good(&got) {
            return Err(Trouble(format!("changing the password was answered {}", told(&got))));
        }
        person.password = changed.clone();
        person.again(world).await?;
        let back = person.sign_in(world).await;
        finding.positive(
            "stored-salted",
            "an account is given a password, signs in with it, changes it and signs in with the new one",
            "signed in each time",
            back.as_ref().map_or_else(ToString::to_string, |_| "signed in".into()),
            back.is_ok(),
        );
        planted::settle(world).await?;

        let secrets = [shared, second.password.clone(), wrong, changed.clone()];
        nowhere(finding, &instance.raw_files().await?, &secrets);
        finding.forbidden(
            "not-in-core",
            "whether the process that holds passwords in memory may leave a core dump is asked of the operating system",
            "it may not",
            if instance.process().can_dump_core { "it may" } else { "it may not" },
            !instance.process().can_dump_core,
        );
        finding.absent("not-in-backup", "backups");
        stored_form(world, finding, canary.tenant.bytes(), &[&changed, &second.password]).await?;
        if self.over_the_wire { plain::refused_before_body(world, finding, second).await } else { Ok(()) }
    }
}

fn nowhere(finding: &mut Finding, files: &[RawFile], secrets: &[String]) {
    let wanted: Vec<&[u8]> = secrets.iter().map(String::as_bytes).collect();
    let search = Search::of_bytes(&wanted);
    let is_log = |f: &RawFile| {
        let name = name_of(f).to_lowercase();
        name.contains("log") || name.contains("output") || name.contains("stderr")
    };
    for (clause, what, logs) in [
        ("not-in-database", "databases, write-ahead logs, key and other files", false),
        ("not-in-logs", "log output", true),
    ] {
        let these: Vec<RawFile> = files.iter().filter(|f| is_log(f) == logs).cloned().collect();
        let hits = search.files(&these);
        let names: Vec<String> = these.iter().map(name_of).collect();
        finding.forbidden(
            clause,
            format!("{} marker passwords, given, changed and mistyped, as plain text, UTF-16, base64, hex and compressed in all {what}: {}", secrets.len(), names.join(", ")),
            "not one of them",
            hits.first().map_or_else(|| "nothing found".into(), Hit::told),
            hits.is_empty() && !these.is_empty(),
        );
    }
}

/// A stored hash in its PHC form (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stored {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Stored {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
        let (costs, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        let cost = |name: &str| costs.split(',').find_map(|c| c.strip_prefix(name)?.parse().ok());
        let end = hash.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '/')).unwrap_or(hash.len());
        Some(Self {
            memory_kib: cost("m=")?,
            passes: cost("t=")?,
            lanes: cost("p=")?,
            salt: STANDARD_NO_PAD.decode(salt).ok()?,
            hash: STANDARD_NO_PAD.decode(&hash[..end]).ok()?,
        })
    }
    /// Whether the password hashes to this, computed here once more.
    fn is_of(&self, password: &str) -> bool {
        let mut out = vec![0; self.hash.len()];
        Params::new(self.memory_kib, self.passes, self.lanes, Some(out.len()))
            .map(|params| Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
            .and_then(|argon| argon.hash_password_into(password.as_bytes(), &self.salt, &mut out))
            .is_ok_and(|()| out == self.hash)
    }
}

/// Every stored hash in a record's plain bytes.
fn hashes(plain: &[u8]) -> Vec<Stored> {
    let text = String::from_utf8_lossy(plain);
    text.match_indices("$argon2id$").filter_map(|(at, _)| Stored::parse(&text[at..])).collect()
}

async fn stored_form(
    world: &dyn World,
    finding: &mut Finding,
    tenant: [u8; 16],
    passwords: &[&String],
) -> Result<(), Trouble> {
    let store = Store::read(rehearsed(world)?).await?;
    let plains: Vec<Vec<u8>> = store.of(tenant).filter_map(|v| store.ring.open(&v.place, &v.bytes)).collect();
    let all: Vec<Stored> = plains.iter().flat_map(|p| hashes(p)).collect();
    let of_password = |password: &&&String| all.iter().any(|s| s.is_of(password));
    let matched = passwords.iter().filter(of_password).count();
    let in_clear = passwords
        .iter()
        .filter(|p| plains.iter().any(|plain| plain.windows(p.len()).any(|w| w == p.as_bytes())))
        .count();
    finding.forbidden(
        "stored-memory-hard",
        format!("all {} sealed records of the organisation are opened apart from the service and searched for the stored form of {} known passwords", plains.len(), passwords.len()),
        "each is there as an Argon2id hash that a second computation confirms, none as it came",
        format!("{} Argon2id hashes, {matched} confirmed, {in_clear} passwords as they came", all.len()),
        matched == passwords.len() && in_clear == 0,
    );
    let salts: BTreeSet<&Vec<u8>> = all.iter().map(|s| &s.salt).collect();
    let shortest = all.iter().map(|s| s.salt.len()).min().unwrap_or(0);
    finding.forbidden(
        "stored-salted",
        format!("the salts of {} stored hashes, two accounts having had the same password", all.len()),
        "each its own, 16 bytes or more",
        format!("{} different, the shortest of {shortest} bytes", salts.len()),
        salts.len() == all.len() && shortest >= 16,
    );
    let least = all.iter().map(|s| (s.memory_kib, s.passes)).min().unwrap_or((0, 0));
    finding.forbidden(
        "cost-at-or-above-recommended",
        "the cost that each stored hash names",
        format!("at least {OWASP_MEMORY_KIB} KiB and {OWASP_PASSES} passes (OWASP Password Storage Cheat Sheet)"),
        format!("the least: {} KiB, {} passes", least.0, least.1),
        all.iter().all(|s| i64::from(s.memory_kib) >= OWASP_MEMORY_KIB && i64::from(s.passes) >= OWASP_PASSES)
            && !all.is_empty(),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_hash_is_read_and_confirmed() {
        let mut hash = [0; 32];
        let params = Params::new(64, 1, 1, Some(32)).expect("params");
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(b"right", &[5; 16], &mut hash)
            .expect("hash");
        let text = format!(
            "{{\"hash\":\"$argon2id$v=19$m=64,t=1,p=1${}${}\",\"at\":1}}",
            STANDARD_NO_PAD.encode([5; 16]),
            STANDARD_NO_PAD.encode(hash)
        );
        let found = hashes(text.as_bytes());
        assert_eq!(found.len(), 1);
        assert!(found[0].is_of("right"));
        assert!(!found[0].is_of("wrong"));
        assert_eq!((found[0].memory_kib, found[0].passes, found[0].salt.len()), (64, 1, 16));
        assert!(hashes(b"$argon2id$v=19$m=1").is_empty());
    }
}

//! Two tenants set opposite values for everything they may set (MOX-50).

mod behaviour;

use async_trait::async_trait;
use sekisho_kernel::{
    Setting,
    claim::{ClaimSpec, Finding, Probe, Trouble},
    policy::{Kind, Movement, Value, loosens, show_span},
    world::World,
};
use serde_json::json;

use super::MOX_50;
use crate::probing::{Person, Session, answer::good, told};

/// One for each claim of [`super::CONTROL`].
pub fn probes() -> Vec<Box<dyn Probe>> {
    vec![Box::new(OwnPolicy)]
}

struct OwnPolicy;

/// A tenant, its administrator at work.
pub(crate) struct Side {
    pub admin: Person,
    pub desk: Session,
}

impl Side {
    async fn enter(world: &dyn World, mut admin: Person) -> Result<Self, Trouble> {
        admin.again(world).await?;
        let desk = admin.sign_in(world).await?;
        Ok(Self { admin, desk })
    }
}

/// Every setting that a tenant may move.
fn movable(world: &dyn World) -> Vec<&'static Setting> {
    world.policy().schema().iter().filter(|s| !matches!(s.tenant, Movement::Fixed | Movement::Inner)).collect()
}

/// Those of which a stricter value than the platform's exists. What an organisation puts beside the platform's is its control's
/// own matter.
fn with_room(world: &dyn World) -> Vec<&'static Setting> {
    let strictest = |s: &&'static Setting| match (s.kind, s.tenant, world.policy().value(s)) {
        (Kind::Choice(words), Movement::Max, Value::Str(now)) => words.last().is_some_and(|w| *w == now),
        (Kind::Choice(words), Movement::Min, Value::Str(now)) => words.first().is_some_and(|w| *w == now),
        _ => s.tenant == Movement::Beside,
    };
    movable(world).into_iter().filter(|s| !strictest(s)).collect()
}

/// A value as the API takes it.
pub(crate) fn written(value: &Value) -> serde_json::Value {
    match value {
        Value::Bool(b) => json!(b),
        Value::Int(n) => json!(n),
        Value::Span(d) => json!(show_span(*d)),
        Value::Str(s) => json!(s),
        Value::List(l) => json!(l),
        Value::Networks(l) => json!(l.iter().map(ToString::to_string).collect::<Vec<_>>()),
    }
}

/// A value looser than the platform's, if the kind has one: every one that is refused shows the floor.
fn looser(setting: &'static Setting, platform: &Value) -> Option<Value> {
    let candidates: Vec<Value> = match (setting.kind, platform) {
        (Kind::Int { min, max }, Value::Int(n)) => [n - 1, n + 1, min, max].map(Value::Int).into(),
        (Kind::Span { min, max }, Value::Span(d)) => {
            let secs = d.as_secs();
            let all = [secs.saturating_sub(secs / 2), secs.saturating_mul(2), min, max];
            all.map(|s| Value::Span(std::time::Duration::from_secs(s.clamp(min, max)))).into()
        }
        (Kind::Choice(words), _) => words.iter().map(|w| Value::Str((*w).to_owned())).collect(),
        (Kind::Bool, _) => [false, true].map(Value::Bool).into(),
        _ => Vec::new(),
    };
    let in_range = |v: &Value| match (setting.kind, v) {
        (Kind::Int { min, max }, Value::Int(n)) => (min..=max).contains(n),
        _ => true,
    };
    candidates.into_iter().find(|v| in_range(v) && v != platform && loosens(setting, platform, v))
}

#[async_trait]
impl Probe for OwnPolicy {
    fn spec(&self) -> &'static ClaimSpec {
        &MOX_50
    }

    async fn run(&self, world: &dyn World, finding: &mut Finding) -> Result<(), Trouble> {
        let [ours, theirs, ..] = world.canaries() else { return Err(Trouble("two tenants are needed".into())) };
        let mut strict = Side::enter(world, Person::admin(ours)).await?;
        let mut loose = Side::enter(world, Person::admin(theirs)).await?;
        floor(world, finding, &strict).await?;
        others_refused(world, finding, &strict).await?;
        let mut tried = Vec::new();
        for setting in with_room(world) {
            let platform = world.policy().value(setting);
            let Some(case) = behaviour::case(setting, &platform) else {
                finding.error(
                    "own-value-in-force",
                    format!("the setting {}", setting.key),
                    "the probe knows no way to see it work",
                );
                continue;
            };
            behaviour::run(world, finding, setting, &case, &mut strict, &mut loose).await?;
            tried.push(setting.key);
        }
        finding.positive(
            "opposite-values-set",
            "every setting that an organisation may move is listed from the policy's own schema",
            "each was tried",
            tried.join(", "),
            tried.len() == with_room(world).len(),
        );
        Ok(())
    }
}

/// Sets a tenant's own value.
pub(crate) async fn set(
    world: &dyn World,
    desk: &Session,
    setting: &'static Setting,
    value: &Value,
) -> Result<sekisho_kernel::world::Answer, Trouble> {
    desk.put(world, &format!("/policy/{}", setting.key), &json!({"value": written(value)})).await
}

async fn floor(world: &dyn World, finding: &mut Finding, side: &Side) -> Result<(), Trouble> {
    let (mut refused, mut accepted, mut names) = (0, Vec::new(), Vec::new());
    for setting in movable(world) {
        let platform = world.policy().value(setting);
        let Some(value) = looser(setting, &platform) else { continue };
        let got = set(world, &side.desk, setting, &value).await?;
        names.push(format!("{} = {}", setting.key, written(&value)));
        if good(&got) {
            accepted.push(format!("{} = {}", setting.key, written(&value)));
        } else if got.status == 400 || got.status == 403 || got.status == 422 {
            refused += 1;
        } else {
            return Err(Trouble(format!("setting {} was answered {}", setting.key, told(&got))));
        }
        side.desk.delete(world, &format!("/policy/{}", setting.key)).await?;
    }
    finding.forbidden(
        "never-below-floor",
        format!("an administrator sets looser values than the platform's: {}", names.join(", ")),
        "refused, each of them",
        if accepted.is_empty() { format!("{refused} refused") } else { format!("accepted: {}", accepted.join(", ")) },
        accepted.is_empty() && refused > 0,
    );
    Ok(())
}

async fn others_refused(world: &dyn World, finding: &mut Finding, side: &Side) -> Result<(), Trouble> {
    for kind in ["user", "approver"] {
        let mut person = side.desk.hire(world, &side.admin, kind, &serde_json::Value::Null).await?;
        let session = person.sign_in(world).await?;
        let mut refused = 0;
        let all = movable(world);
        for setting in &all {
            let got = set(world, &session, setting, &world.policy().value(setting)).await?;
            refused += usize::from(got.status == 403);
        }
        finding.forbidden(
            "non-administrator-refused",
            format!("a person of the type {kind} sets each of the {} settings", all.len()),
            "refused, each of them",
            format!("{refused} refused"),
            refused == all.len(),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{lockout, passwords, sessions};

    #[test]
    fn looser_values_are_looser() {
        let at = |s: &'static Setting| looser(s, &s.default_value());
        assert_eq!(at(&lockout::TRIES), Some(Value::Int(4)));
        assert_eq!(at(&passwords::MIN_LENGTH), Some(Value::Int(11)));
        assert_eq!(at(&sessions::IDLE), Some(Value::Span(std::time::Duration::from_secs(3_600))));
    }
}

//! `sekisho relation …`: run by the instance, in the organisation's own history.

use std::fmt::Write as _;

use sekisho_identity::{
    Identity,
    types::{Between, NewRelation, RelationQuery, RelationState, RelationView, SideView, WhyReach},
};
use sekisho_kernel::{
    Lang, Problem, Text, Time,
    id::{RelationId, TenantId},
    problem::INVALID,
    world::CommandOutcome,
};

use super::{FAILED, said};
use crate::cli::{Place, relation::RelationCommand};

/// The words by which an instance is told the command. What is left out is an empty word.
pub fn host_words(command: &RelationCommand) -> (Place, Vec<String>) {
    let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
    let (place, name, tenant, more) = match command {
        RelationCommand::List { place, tenant, of, after, limit } => {
            (place, "list", tenant, vec![or_empty(of), or_empty(after), limit.to_string()])
        }
        RelationCommand::Add { place, tenant, one, other, starts, ends, note } => {
            (place, "add", tenant, vec![one.clone(), other.clone(), or_empty(starts), or_empty(ends), note.clone()])
        }
        RelationCommand::End { place, tenant, relation } => (place, "end", tenant, vec![relation.clone()]),
        RelationCommand::Check { place, tenant, one, other } => {
            (place, "check", tenant, vec![one.clone(), other.clone()])
        }
    };
    let words = ["relation", name, tenant].map(str::to_owned);
    (place.clone(), words.into_iter().chain(more).collect())
}

/// Runs one, after `relation` and the organisation; `None` where there is no such command.
///
/// # Errors
/// The engine's, and `INVALID` for a moment or an id that is none.
pub async fn act(
    identity: &Identity,
    name: &str,
    tenant: TenantId,
    rest: &[&str],
    lang: Lang,
) -> Result<Option<CommandOutcome>, Problem> {
    Ok(Some(match (name, rest) {
        ("list", [of, after, limit]) => {
            let side = if of.is_empty() { None } else { Some(identity.side_of(tenant, of).await?) };
            let after = if after.is_empty() { None } else { Some(relation_id(after)?) };
            let query = RelationQuery { side, after, limit: limit.parse().unwrap_or(0) };
            let found = identity.relations_of(tenant, query).await?;
            said(listed(&found.items, found.next, lang))
        }
        ("add", [one, other, starts, ends, note]) => {
            let (one, other) = (identity.side_of(tenant, one).await?, identity.side_of(tenant, other).await?);
            let (starts, ends) = (moment("--starts", starts)?, moment("--ends", ends)?);
            let new = NewRelation { one, other, note: (*note).to_owned(), starts, ends };
            said(line(&identity.create_relation_of(tenant, new).await?, lang))
        }
        ("end", [id]) => said(line(&identity.end_relation_of(tenant, relation_id(id)?).await?, lang)),
        ("check", [one, other]) => {
            let (one, other) = (identity.side_of(tenant, one).await?, identity.side_of(tenant, other).await?);
            let found = identity.between_of(tenant, one, other).await?;
            let code = if found.may { 0 } else { i32::from(FAILED) };
            CommandOutcome { code, ..said(told(&found, lang)) }
        }
        _ => return Ok(None),
    }))
}

fn relation_id(text: &str) -> Result<RelationId, Problem> {
    let detail = Text::new(
        "関係の識別子は `rel_` に 32 桁の 16 進数が続きます。`sekisho relation list` で確かめられます。",
        "A relation's id is `rel_` and 32 hex digits; `sekisho relation list` shows them.",
    );
    text.parse().map_err(|_| Problem::new(&INVALID).at(text.to_owned()).detail(detail))
}

fn moment(place: &'static str, text: &str) -> Result<Option<Time>, Problem> {
    let detail = Text::new(
        "日時は `2027-04-01T00:00:00+09:00` のように RFC 3339 の形式で指定してください。",
        "Give the moment as RFC 3339 has it, such as `2027-04-01T00:00:00+09:00`.",
    );
    match text {
        "" => Ok(None),
        text => match Time::parse_rfc3339(text) {
            Some(moment) => Ok(Some(moment)),
            None => Err(Problem::new(&INVALID).at(place).detail(detail)),
        },
    }
}

/// One line of a terminal: what people have written steers none.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn side(side: &SideView) -> String {
    format!("{} ({})", side.id, plain(&side.name))
}

fn line(row: &RelationView, lang: Lang) -> String {
    let state = match row.state {
        RelationState::Current => Text::new("有効", "in force"),
        RelationState::Planned => Text::new("開始前", "not begun"),
        RelationState::Ended => Text::new("終了", "ended"),
    };
    let ends = row.ends.map_or_else(|| Text::new("終了日なし", "no end").get(lang).to_owned(), Time::rfc3339);
    let (id, starts, note) = (row.id, row.starts.rfc3339(), plain(&row.note));
    let text =
        format!("{id}  {}  {} – {}  {starts} – {ends}  {note}", state.get(lang), side(&row.one), side(&row.other));
    format!("{}\n", text.trim_end())
}

fn listed(rows: &[RelationView], next: Option<RelationId>, lang: Lang) -> String {
    let mut out: String = rows.iter().map(|row| line(row, lang)).collect();
    if rows.is_empty() {
        out.push_str(Text::new("関係は登録されていません。\n", "There is no relation.\n").get(lang));
    }
    if let Some(next) = next {
        let _ = match lang {
            Lang::Ja => writeln!(out, "続きがあります: --after {next}"),
            Lang::En => writeln!(out, "There are more: --after {next}"),
        };
    }
    out
}

fn told(found: &Between, lang: Lang) -> String {
    let why = match found.why {
        WhyReach::Everyone => Text::new(
            "ポリシーにより、組織の全員が互いに連絡できます。",
            "The policy lets everybody in the organisation reach everybody.",
        ),
        WhyReach::Related => Text::new("次の関係が有効です。", "These relations are in force."),
        WhyReach::NotRelated => {
            Text::new("2 人の間に有効な関係がありません。", "No relation between them is in force.")
        }
        WhyReach::NotActive => Text::new(
            "少なくとも一方が、無効なアカウント、招待中のアカウントまたはサービスアカウントです。",
            "At least one of them is disabled, invited only, or a service account.",
        ),
        WhyReach::OnePerson => Text::new("同じ人です。", "They are one person."),
    };
    let may = match found.may {
        true => Text::new("連絡できます", "they may reach each other"),
        false => Text::new("連絡できません", "they may not reach each other"),
    };
    let stop = Text::new("。", ". ");
    let (one, other) = (side(&found.one), side(&found.other));
    let mut out = format!("{one} – {other}: {}{}{}\n", may.get(lang), stop.get(lang), why.get(lang));
    out.extend(found.relations.iter().map(|row| line(row, lang)));
    out
}

//! Samples of people and of the relations between them.

use sekisho_console::{messages as m, page::*};
use sekisho_identity::types::*;
use sekisho_kernel::Lang;

use super::{at, id, j, shell};

fn side(lang: Lang, n: u8) -> SideView {
    let (id, ja, en) = match n {
        0 => (Side::Person(id(21)), "高橋 結衣", "Yui Takahashi"),
        1 => (Side::Person(id(22)), "田中 蓮", "Ren Tanaka"),
        2 => (Side::Role(id(23)), "相談窓口", "Help desk"),
        _ => (Side::Site(id(24)), "横浜支店", "Yokohama branch"),
    };
    SideView { id, name: j(lang, ja, en) }
}

fn relation(lang: Lang, n: u8) -> RelationView {
    let (one, other, state) = match n {
        0 => (side(lang, 0), side(lang, 1), RelationState::Current),
        1 => (side(lang, 2), side(lang, 3), RelationState::Planned),
        _ => (side(lang, 0), side(lang, 2), RelationState::Ended),
    };
    RelationView {
        id: id(40 + n),
        version: 1,
        created: at(90_000),
        updated: at(4_000),
        one,
        other,
        note: if n == 0 {
            j(lang, "担当の変更（申請 1204）", "Change of adviser, request 1204")
        } else {
            String::new()
        },
        starts: if n == 1 { at(-90_000) } else { at(90_000) },
        ends: (n == 2).then(|| at(4_000)),
        state,
    }
}

/// Puts each of them.
pub fn put_all(lang: Lang, put: &mut dyn FnMut(&'static str, &dyn askama::DynTemplate)) {
    let card = |n: u8, ja: &str, en: &str, site: bool| PersonCard {
        id: id(n),
        display_name: j(lang, ja, en),
        site: site.then(|| j(lang, "横浜支店", "Yokohama branch")),
    };
    let people = |rows, related, text: &str| people::PeoplePage {
        p: shell(lang, m::PEOPLE, "/people"),
        rows,
        text: text.into(),
        related,
        next: None,
        paged: false,
    };
    let rows = vec![card(22, "田中 蓮", "Ren Tanaka", true), card(25, "伊藤 芽依", "Mei Ito", false)];
    put("people", &people(rows, true, ""));
    put("people-none", &people(Vec::new(), false, "x"));
    let p = shell(lang, m::RELATIONS, "/relations");
    let roles = [(id::<sekisho_kernel::id::RoleKind>(23).to_string(), j(lang, "相談窓口", "Help desk"))];
    let sites = [(id::<sekisho_kernel::id::SiteKind>(24).to_string(), j(lang, "横浜支店", "Yokohama branch"))];
    let groups = relations::groups(&p, &roles, &sites);
    let page = |rows, everyone| relations::RelationsPage {
        p: p.clone(),
        rows,
        groups: groups.clone(),
        everyone,
        next: None,
        paged: false,
    };
    put("relations", &page((0..3).map(|n| relation(lang, n)).collect(), false));
    put("relations-none", &page(Vec::new(), true));
    let between = |found| relations::BetweenPage {
        p: shell(lang, m::RELATION_BETWEEN, "/relations/between"),
        one: "yui.takahashi".into(),
        other: "ren.tanaka".into(),
        found,
    };
    let found = |may, why, relations| Some(Between { one: side(lang, 0), other: side(lang, 1), may, why, relations });
    put("relation-between", &between(found(true, WhyReach::Related, vec![relation(lang, 0)])));
    put("relation-between-not", &between(found(false, WhyReach::NotRelated, Vec::new())));
    put("relation-between-empty", &between(None));
}

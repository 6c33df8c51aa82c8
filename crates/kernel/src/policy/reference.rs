//! What is derived from the schema: the commented reference, the JSON Schema, a policy written out, the check's report.

use serde_json::{Map, json};

use super::{
    Kind, Policy, Schema, Setting, Value,
    problem::PolicyProblem,
    read::Source,
    show,
    value::value_to_json,
    words::{allowed, columns, movement, quote},
};
use crate::text::{Lang, Text};

/// Columns at which comments of the reference are wrapped.
const WRAP: usize = 110;

/// The policy written out, every setting with its value. Reading it gives a policy of the same digest.
pub fn render(policy: &Policy) -> String {
    let mut out = format!("name = {}\n", quote(policy.name()));
    each(policy.schema(), |setting, section| {
        if let Some(section) = section {
            out.push_str(&format!("\n[{section}]\n"));
        }
        out.push_str(&line(setting, &policy.value(setting)));
    });
    out
}

/// The commented reference: every setting with its meaning, range, default and movement. It is itself a valid
/// policy file, that of the defaults.
pub fn explain(schema: &Schema, lang: Lang) -> String {
    let head = Text::new(
        "Sekisho のポリシーファイルのリファレンス。すべての設定項目を既定値で示します。このファイルは、そのままポリシーとして読み込めます。期間は 30s、30m、12h、365d のように書きます。",
        "Reference of Sekisho's policy file: every setting at its default. The file is itself a valid policy. Durations are written like 30s, 30m, 12h, 365d.",
    );
    let mut out = comment(head.get(lang));
    out.push_str("\nname = \"reference\"\n");
    let base = Text::new(
        "同梱のプロファイルを継承する場合は、extends = \"netmeister\" のように指定し、変更する項目だけを書きます。",
        "To start from a shipped profile, write extends = \"netmeister\" and only what differs.",
    );
    out.push_str(&comment(base.get(lang)));
    each(schema, |setting, section| {
        if let Some(section) = section {
            out.push_str(&format!("\n[{section}]\n"));
        }
        let default = show(&setting.default_value());
        let facts = match lang {
            Lang::Ja => format!("指定できる値: {}。既定値: {default}。{}", allowed(setting).ja, movement(setting).ja),
            Lang::En => format!("Allowed: {}. Default: {default}. {}", allowed(setting).en, movement(setting).en),
        };
        out.push_str(&comment(setting.doc.get(lang)));
        out.push_str(&comment(&facts));
        out.push_str(&line(setting, &setting.default_value()));
    });
    out
}

/// Every setting in key order; the section's name comes with its first.
fn each(schema: &Schema, mut show: impl FnMut(&'static Setting, Option<&'static str>)) {
    let mut last = "";
    for setting in schema.iter() {
        let section = setting.key.split_once('.').map_or("", |(section, _)| section);
        show(setting, (section != last).then_some(section));
        last = section;
    }
}

fn line(setting: &'static Setting, value: &Value) -> String {
    let key = setting.key.split_once('.').map_or(setting.key, |(_, key)| key);
    format!("{key} = {}\n", show(value))
}

/// A paragraph as comment lines: broken at spaces, and between wide characters where there are none.
fn comment(text: &str) -> String {
    let mut lines = vec![String::new()];
    let mut width = 0;
    for word in words(text) {
        let size: usize = word.chars().map(columns).sum();
        if width > 0 && width + size > WRAP {
            lines.push(String::new());
            width = 0;
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(&word);
        }
        width += size;
    }
    lines.iter().map(|line| format!("# {}\n", line.trim_end())).collect()
}

/// Pieces between which a line may be broken; closing punctuation stays with what it closes.
fn words(text: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut open = false;
    for c in text.chars() {
        let wide = columns(c) == 2;
        let closes = matches!(c, '、' | '。' | '）' | '」' | 'ー');
        let opened = out.last().and_then(|w| w.chars().next_back()).is_some_and(|l| matches!(l, '（' | '「'));
        match out.last_mut() {
            Some(last) if open && !wide || closes || opened => last.push(c),
            _ => out.push(c.to_string()),
        }
        open = !wide && c != ' ';
    }
    out
}

/// The JSON Schema (draft 2020-12) of a policy file. Descriptions are in English, then Japanese.
pub fn json_schema(schema: &Schema) -> serde_json::Value {
    let mut sections: Map<String, serde_json::Value> = Map::new();
    sections.insert(
        "name".into(),
        json!({"type": "string", "minLength": 1, "maxLength": 64,
            "description": "The policy's name, as the paper shows it.\nホワイトペーパーに示すポリシーの名前。"}),
    );
    sections.insert(
        "extends".into(),
        json!({"type": "string",
            "description": "A shipped profile whose values hold where this file says nothing.\n継承する同梱のプロファイル。"}),
    );
    for setting in schema.iter() {
        let Some((section, key)) = setting.key.split_once('.') else { continue };
        let entry = sections
            .entry(section)
            .or_insert_with(|| json!({"type": "object", "additionalProperties": false, "properties": {}}));
        entry["properties"][key] = property(setting);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:sekisho:policy",
        "title": "Sekisho policy",
        "type": "object",
        "additionalProperties": false,
        "properties": sections,
    })
}

fn property(setting: &'static Setting) -> serde_json::Value {
    let mut out = match setting.kind {
        Kind::Bool => json!({"type": "boolean"}),
        Kind::Int { min, max } => json!({"type": "integer", "minimum": min, "maximum": max}),
        Kind::Span { .. } => json!({"type": "string", "pattern": "^(0|[1-9][0-9]*)[smhd]$"}),
        Kind::Choice(words) => json!({"enum": words}),
        Kind::Str { max } => json!({"type": "string", "maxLength": max}),
        Kind::Zone => json!({"type": "string", "pattern": "^(UTC|JST|[+-](0[0-9]|1[0-4]):[0-5][0-9])$"}),
        Kind::Socket | Kind::Origin | Kind::Path => json!({"type": "string"}),
        Kind::Networks | Kind::Sockets | Kind::List => json!({"type": "array", "items": {"type": "string"}}),
    };
    let default = setting.default_value();
    // In the file a span is written with its unit.
    out["default"] =
        if let Value::Span(span) = default { super::show_span(span).into() } else { value_to_json(&default) };
    let (ja, en) = (allowed(setting).ja, allowed(setting).en);
    out["description"] = format!(
        "{} Allowed: {en}. {}\n{}指定できる値: {ja}。{}",
        setting.doc.en,
        movement(setting).en,
        setting.doc.ja,
        movement(setting).ja
    )
    .into();
    out
}

/// What `sekisho policy check` prints: one line for a good policy, every problem otherwise.
pub fn check(source: &Source, result: &Result<Policy, Vec<PolicyProblem>>, lang: Lang) -> String {
    match result {
        Ok(policy) => {
            let (all, set) =
                (policy.schema().iter().count(), policy.schema().iter().filter(|s| policy.is_set(s)).count());
            let (file, name, digest) = (&source.name, policy.name(), policy.digest());
            match lang {
                Lang::Ja => format!(
                    "{file}: 問題はありません。ポリシー {name}、設定項目 {all} 件中 {set} 件を指定、ダイジェスト値 {digest}\n"
                ),
                Lang::En => {
                    format!("{file}: no problems. Policy {name}, {set} of {all} settings given, digest {digest}\n")
                }
            }
        }
        Err(problems) => {
            let mut out: String = problems.iter().map(|p| p.render(lang) + "\n").collect();
            let n = problems.len();
            out.push_str(&match lang {
                Lang::Ja => format!("{}: 問題が {n} 件あります。\n", source.name),
                Lang::En if n == 1 => format!("{}: 1 problem\n", source.name),
                Lang::En => format!("{}: {n} problems\n", source.name),
            });
            out
        }
    }
}

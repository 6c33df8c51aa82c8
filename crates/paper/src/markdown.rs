//! CommonMark with tables (the GitHub extension).

use crate::{
    document::{Block, Entry},
    standing::Printed,
};

/// The text.
pub fn render(blocks: &[Block]) -> String {
    let mut out = String::new();
    for block in blocks {
        out.push_str(&one(block));
        out.push_str("\n\n");
    }
    format!("{}\n", out.trim_end())
}

fn one(block: &Block) -> String {
    match block {
        Block::Title(text) => format!("# {}", escape(text)),
        Block::Heading { level, text, .. } => format!("{} {}", "#".repeat(usize::from(*level)), escape(text)),
        Block::Paragraph(text) => paragraph(text),
        Block::Contents(entries) => contents(entries),
        Block::Table { head, rows } => table(head, rows),
        Block::Fact { text, label, by } => {
            format!("{} ({}: {})", paragraph(text), escape(label), escape(&by.join(", ")))
        }
        Block::Claim { claim: shown, claimed, quotes } => claim(shown, claimed, *quotes),
        Block::Command(text) => format!("```sh\n{}\n```", text.replace(['`', '\n', '\r'], " ")),
    }
}

fn contents(entries: &[Entry]) -> String {
    let least = entries.iter().map(|e| e.level).min().unwrap_or(2);
    let lines: Vec<String> = entries
        .iter()
        .map(|e| format!("{}- {}", "  ".repeat(usize::from(e.level - least)), paragraph(&e.text)))
        .collect();
    lines.join("\n")
}

fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let width = rows.iter().map(Vec::len).chain([head.len()]).max().unwrap_or(0);
    let line = |cells: &[String]| {
        let mut shown: Vec<String> = cells.iter().map(|c| escape(c)).collect();
        shown.resize(width, String::new());
        format!("| {} |", shown.join(" | "))
    };
    let mut lines = vec![line(head), format!("|{}", " --- |".repeat(width))];
    lines.extend(rows.iter().map(|row| line(row)));
    lines.join("\n")
}

fn claim(claim: &Printed, claimed: &str, [open, close]: [&str; 2]) -> String {
    let says = if claim.is_fact() {
        escape(&claim.says)
    } else {
        format!("{}: {open}{}{close}", escape(claimed), escape(&claim.says))
    };
    let facts: Vec<String> =
        claim.facts.iter().map(|(label, text)| format!("{}: {}", escape(label), escape(text))).collect();
    format!("- **{}** **\\[{}\\]** {says}\n  ({})", escape(&claim.id), escape(&claim.mark), facts.join(" / "))
}

/// A paragraph; what would begin another kind of block at its start does not.
fn paragraph(text: &str) -> String {
    let text = escape(text);
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    match text[digits..].chars().next() {
        Some('-' | '+' | '=') if digits == 0 => format!("\\{text}"),
        Some('.' | ')') if digits > 0 => format!("{}\\{}", &text[..digits], &text[digits..]),
        _ => text,
    }
}

/// One line of text in which no character has a meaning of its own.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().map(crate::words::visible) {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '&' | '!' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
    out.trim().to_owned()
}

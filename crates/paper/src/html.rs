//! One self-contained HTML page: no script, no outside resource, its one style sheet named by hash.

use std::fmt::Write;

use sekisho_kernel::Lang;

use crate::{
    document::{Block, Entry},
    standing::Printed,
};

const STYLE: &str = include_str!("style.css");

/// The Content-Security-Policy (CSP Level 3) under which the page shows in full; the page also carries it itself.
/// The hash is that of its style sheet.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'sha256-B8QAIUJXCD2R+seXoVeMu8JtKRRHUIg4ckDskhvWtt0='; base-uri 'none'; form-action 'none'";

/// The page.
pub fn render(blocks: &[Block], lang: Lang) -> String {
    let title = blocks.iter().find_map(|b| if let Block::Title(text) = b { Some(escape(text)) } else { None });
    let title = title.unwrap_or_default();
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{CONTENT_SECURITY_POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n",
        lang.tag()
    );
    for block in blocks {
        out.push_str(&one(block));
        out.push('\n');
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn one(block: &Block) -> String {
    match block {
        Block::Title(text) => format!("<h1>{}</h1>", escape(text)),
        Block::Heading { level, id, text } => format!("<h{level} id=\"{}\">{}</h{level}>", escape(id), escape(text)),
        Block::Paragraph(text) => format!("<p>{}</p>", escape(text)),
        Block::Contents(entries) => contents(entries),
        Block::Table { head, rows } => table(head, rows),
        Block::Fact { text, label, by } => {
            let ids: Vec<String> = by.iter().map(|id| format!("<a href=\"#{0}\">{0}</a>", escape(id))).collect();
            format!(
                "<p class=\"fact\">{} <span class=\"by\">({}: {})</span></p>",
                escape(text),
                escape(label),
                ids.join(", ")
            )
        }
        Block::Claim { claim: shown, claimed, .. } => claim(shown, claimed),
        Block::Command(text) => format!("<pre><code>{}</code></pre>", escape(text)),
    }
}

fn contents(entries: &[Entry]) -> String {
    let items: String = entries
        .iter()
        .map(|e| format!("<li class=\"l{}\"><a href=\"#{}\">{}</a></li>\n", e.level, escape(&e.id), escape(&e.text)))
        .collect();
    format!("<nav aria-labelledby=\"contents\">\n<ol>\n{items}</ol>\n</nav>")
}

fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let mut out = String::from("<table>\n");
    if !head.is_empty() {
        let cells: String = head.iter().map(|c| format!("<th scope=\"col\">{}</th>", escape(c))).collect();
        let _ = writeln!(out, "<thead><tr>{cells}</tr></thead>");
    }
    out.push_str("<tbody>\n");
    for row in rows {
        let mut cells = row.iter();
        // A table without headings has them in its first column.
        let first = cells.next().map_or_else(String::new, |c| {
            if head.is_empty() {
                format!("<th scope=\"row\">{}</th>", escape(c))
            } else {
                format!("<td>{}</td>", escape(c))
            }
        });
        let rest: String = cells.map(|c| format!("<td>{}</td>", escape(c))).collect();
        let _ = writeln!(out, "<tr>{first}{rest}</tr>");
    }
    out.push_str("</tbody>\n</table>");
    out
}

fn claim(claim: &Printed, claimed: &str) -> String {
    let class = claim.verdict.name().replace(' ', "-");
    let says = if claim.is_fact() {
        format!("<p class=\"says\">{}</p>", escape(&claim.says))
    } else {
        format!(
            "<p class=\"says\"><span class=\"claimed\">{}:</span> <q>{}</q></p>",
            escape(claimed),
            escape(&claim.says)
        )
    };
    let facts: String = claim
        .facts
        .iter()
        .map(|(label, text)| format!("<div><dt>{}</dt><dd>{}</dd></div>", escape(label), escape(text)))
        .collect();
    format!(
        "<article class=\"claim {class}\" id=\"{}\">\n<p class=\"head\"><span class=\"id\">{}</span><span class=\"mark\">{}</span></p>\n{says}\n<dl>{facts}</dl>\n</article>",
        escape(&claim.id),
        escape(&claim.id),
        escape(&claim.mark),
    )
}

/// Text and attribute values; control characters and those that turn the reading direction become U+FFFD.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().map(crate::words::visible) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

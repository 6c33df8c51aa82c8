//! What is wrong with a policy, where, and what was probably meant, as a compiler would say it.

use super::words::columns;
use crate::{
    problem::{Category, Problem, ProblemKind},
    text::{Lang, Text},
};

macro_rules! kinds {
    ($($c:ident $code:literal $name:literal $ja:literal $en:literal $remedy_ja:literal $remedy_en:literal;)*) => {
        $(#[doc = $en] pub static $c: ProblemKind = ProblemKind {
            code: $code,
            name: $name,
            category: Category::Invalid,
            title: Text::new($ja, $en),
            remedy: Text::new($remedy_ja, $remedy_en),
        };)*
    };
}

kinds! {
    SYNTAX "SK-7001" "policy-syntax" "TOML の構文に誤りがあります。" "This is not valid TOML."
        "示された箇所を直してください。" "Correct the marked place.";
    UNKNOWN_SECTION "SK-7002" "policy-unknown-section" "このセクションはありません。" "There is no such section."
        "名前を確かめるか、削除してください。" "Check its name, or remove it.";
    UNKNOWN_KEY "SK-7003" "policy-unknown-key" "この設定項目はありません。" "There is no such setting."
        "名前を確かめるか、削除してください。" "Check its name, or remove it.";
    WRONG_TYPE "SK-7004" "policy-wrong-type" "値の型が違います。" "The value is of the wrong type."
        "示された型の値を指定してください。" "Give a value of the named type.";
    WRONG_UNIT "SK-7005" "policy-wrong-unit" "期間の書き方が違います。" "The duration is not written as one."
        "30s、30m、12h、365d のように指定してください。" "Write it like 30s, 30m, 12h or 365d.";
    OUT_OF_RANGE "SK-7006" "policy-out-of-range" "値が範囲外です。" "The value is out of range."
        "範囲内の値を指定してください。" "Give a value within the range.";
    NOT_ALLOWED "SK-7007" "policy-not-allowed" "この値は指定できません。" "The value is not allowed here."
        "指定できる値を選んでください。" "Choose an allowed value.";
    EXTENDS "SK-7008" "policy-extends" "継承元を読み込めません。" "What it extends cannot be used."
        "extends に指定できる名前を確かめてください。" "Check the name that extends gives.";
    TOO_LARGE "SK-7009" "policy-too-large" "ポリシーファイルが大きすぎます。" "The policy file is too large."
        "1 MiB 以下にしてください。" "Keep it within 1 MiB.";
    TOO_MANY "SK-7010" "policy-too-many-problems" "問題が多すぎるため、確認を打ち切りました。" "There are more problems than are shown."
        "示された問題を直してから、もう一度確認してください。" "Mend these, then check again.";
}

/// One problem of a policy file.
#[derive(Clone, Debug)]
pub struct PolicyProblem {
    /// Its kind, with code and title.
    pub kind: &'static ProblemKind,
    /// The source's name.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// How many characters are underlined, at least one.
    pub length: usize,
    /// The source line, control characters replaced.
    pub source: String,
    /// What is wrong at the marked place.
    pub what: Text,
    /// What is allowed, with an example, and what was probably meant.
    pub notes: Vec<Note>,
}

/// A line below the source.
#[derive(Clone, Debug)]
pub enum Note {
    /// The values that are allowed.
    Allowed(Text),
    /// What was probably meant, or what to do.
    Help(Text),
}

/// Most characters of a source line that are shown.
const SHOWN: usize = 120;

impl PolicyProblem {
    /// At a byte range of a source text.
    pub(super) fn new(
        kind: &'static ProblemKind,
        file: &str,
        text: &str,
        span: std::ops::Range<usize>,
        what: Text,
    ) -> Self {
        let floor = |mut at: usize| {
            at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let (start, end) = (floor(span.start), floor(span.end));
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let line = text[line_start..line_end].trim_end_matches('\r');
        let length = text[start..end.clamp(start, line_end.max(start))].trim_end().chars().count().max(1);
        Self {
            kind,
            file: file.to_owned(),
            line: text[..line_start].bytes().filter(|b| *b == b'\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            length,
            source: line
                .chars()
                .map(|c| {
                    if c == '\t' {
                        ' '
                    } else if c.is_control() {
                        '\u{fffd}'
                    } else {
                        c
                    }
                })
                .collect(),
            what,
            notes: Vec::new(),
        }
    }

    #[must_use]
    pub(super) fn note(mut self, note: Note) -> Self {
        self.notes.push(note);
        self
    }

    /// `file:line:column`.
    pub fn place(&self) -> String {
        format!("{}:{}:{}", self.file, self.line, self.column)
    }

    /// As a problem for logs and the API.
    pub fn problem(&self) -> Problem {
        Problem::new(self.kind).detail(self.what.clone()).at(self.place())
    }

    /// As a compiler would print it, several lines, with the source line and a caret below the place.
    pub fn render(&self, lang: Lang) -> String {
        let (error, allowed, help) = match lang {
            Lang::Ja => ("エラー", "指定できる値", "ヒント"),
            Lang::En => ("error", "allowed", "help"),
        };
        let (source, column, length) = self.window();
        let gutter = " ".repeat(self.line.to_string().len());
        let before: usize = source.chars().take(column).map(columns).sum();
        let under: usize = source.chars().skip(column).take(length).map(columns).sum::<usize>().max(1);
        let mut out = format!("{error}[{}]: {}\n", self.kind.code, self.kind.title.get(lang));
        out.push_str(&format!("{gutter}--> {}\n{gutter} |\n", self.place()));
        out.push_str(&format!("{} | {}\n", self.line, source.trim_end()));
        out.push_str(&format!("{gutter} | {}{} {}\n", " ".repeat(before), "^".repeat(under), self.what.get(lang)));
        for note in &self.notes {
            let (label, text) = match note {
                Note::Allowed(text) => (allowed, text),
                Note::Help(text) => (help, text),
            };
            out.push_str(&format!("{gutter} = {label}: {}\n", text.get(lang)));
        }
        out
    }

    /// The shown part of the line, with the place's column in it and the underlined length, in characters.
    fn window(&self) -> (String, usize, usize) {
        let column = self.column - 1;
        let from = column.saturating_sub(SHOWN / 2);
        let source: String = self.source.chars().skip(from).take(SHOWN).collect();
        let column = column - from;
        (source, column, self.length.min(SHOWN - column))
    }
}

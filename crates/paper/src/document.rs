//! The paper as blocks, the same for every format.

use std::collections::BTreeMap;

use sekisho_kernel::{
    DataClass, Lang, Policy, RecordDef, Setting, Text,
    catalogue::{Protection, Retention},
    claim::Verdict,
    policy::{Kind, Value, movement, show, spoken},
};

use crate::{
    Area, Claim, Input, Source,
    standing::{Printed, standing},
    words,
};

/// A piece of the paper.
#[derive(Debug)]
pub enum Block {
    /// The title.
    Title(String),
    /// A heading; level 2 is a chapter, or a part where there are several papers.
    Heading {
        /// 2 to 5.
        level: u8,
        /// Stable within the paper.
        id: String,
        /// Its text.
        text: String,
    },
    /// A plain paragraph.
    Paragraph(String),
    /// Where the list of chapters and areas stands.
    Contents(Vec<Entry>),
    /// A table with a heading row.
    Table {
        /// Column headings.
        head: Vec<String>,
        /// Rows of as many cells.
        rows: Vec<Vec<String>>,
    },
    /// A control's paragraph, all of whose claims hold.
    Fact {
        /// Its text, figures filled in.
        text: String,
        /// The label before the ids.
        label: &'static str,
        /// The claims that prove it.
        by: Vec<String>,
    },
    /// A claim.
    Claim {
        /// What is printed.
        claim: Printed,
        /// The word that makes a sentence a quotation.
        claimed: &'static str,
        /// The language's quotation marks.
        quotes: [&'static str; 2],
    },
    /// A command line.
    Command(String),
}

/// A line of the contents.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Level of the heading.
    pub level: u8,
    /// Its id.
    pub id: String,
    /// Its text.
    pub text: String,
}

/// The whole paper.
pub fn write(input: &Input<'_>, lang: Lang) -> Vec<Block> {
    let mut paper = Writer { input, lang, blocks: Vec::new() };
    paper.body();
    let body = std::mem::take(&mut paper.blocks);
    let contents = body
        .iter()
        .filter_map(|block| match block {
            Block::Heading { level: level @ (2 | 3), id, text } => {
                Some(Entry { level: *level, id: id.clone(), text: text.clone() })
            }
            _ => None,
        })
        .collect();
    paper.front(contents);
    paper.blocks.extend(body);
    paper.blocks
}

struct Writer<'a> {
    input: &'a Input<'a>,
    lang: Lang,
    blocks: Vec<Block>,
}

impl Writer<'_> {
    fn word(&self, word: &words::Word) -> String {
        word.in_lang(self.lang).to_owned()
    }
    fn heading(&mut self, level: u8, id: impl Into<String>, text: impl Into<String>) {
        self.blocks.push(Block::Heading { level, id: id.into(), text: text.into() });
    }
    fn paragraph(&mut self, word: &words::Word) {
        let text = self.word(word);
        self.blocks.push(Block::Paragraph(text));
    }
    fn table(&mut self, head: &[&words::Word], rows: Vec<Vec<String>>) {
        let head = head.iter().map(|w| self.word(w)).collect();
        self.blocks.push(Block::Table { head, rows });
    }

    /// The first page: title, facts, how to read, verdicts, contents.
    fn front(&mut self, contents: Vec<Entry>) {
        let input = self.input;
        self.blocks.push(Block::Title(format!("{} {}", input.service, self.word(&words::TITLE))));
        let policy = |f: &dyn Fn(&Policy) -> String| input.policy.map_or_else(|| self.word(&words::NO_POLICY), f);
        let sources: Vec<&str> = input.papers.iter().map(|p| p.title.get(self.lang)).collect();
        let rows = vec![
            vec![self.word(&words::POLICY), policy(&|p| p.name().to_owned())],
            vec![self.word(&words::DIGEST), policy(&Policy::digest)],
            vec![self.word(&words::BUILD), input.build.to_owned()],
            vec![self.word(&words::WRITTEN), input.at.in_zone(&input.zone)],
            vec![self.word(&words::SOURCES), sources.join(" / ")],
        ];
        self.blocks.push(Block::Table { head: Vec::new(), rows });
        self.heading(2, "reading", words::READING.in_lang(self.lang));
        self.paragraph(&words::READING_1);
        self.paragraph(&words::READING_2);
        self.paragraph(&words::READING_3);
        self.heading(3, "verdicts", words::VERDICTS.in_lang(self.lang));
        let verdicts: Vec<Verdict> =
            input.papers.iter().flat_map(|p| &p.claims).map(|c| standing(&c.proof, input.at)).collect();
        let mut rows: Vec<Vec<String>> = Verdict::ALL
            .into_iter()
            .map(|v| {
                let count = verdicts.iter().filter(|w| **w == v).count();
                vec![v.text().get(self.lang).to_owned(), self.word(&words::meaning(v)), count.to_string()]
            })
            .collect();
        rows.push(vec![self.word(&words::TOTAL), String::new(), verdicts.len().to_string()]);
        self.table(&[&words::VERDICT, &words::MEANING, &words::COUNT], rows);
        self.heading(2, "contents", words::CONTENTS.in_lang(self.lang));
        self.blocks.push(Block::Contents(contents));
    }

    fn body(&mut self) {
        let input = self.input;
        let mut number = 0;
        for (at, source) in input.papers.iter().enumerate() {
            let many = input.papers.len() > 1;
            if many {
                let part = words::PART.in_lang(self.lang).replace("{}", &(at + 1).to_string());
                self.heading(2, format!("part-{}", at + 1), format!("{part}: {}", source.title.get(self.lang)));
                let service = source.service.get(self.lang).to_owned();
                self.blocks.push(Block::Paragraph(service));
            }
            for chapter in &input.chapters {
                let areas: Vec<&Area> =
                    chapter.areas.iter().filter(|area| source.claims.iter().any(|c| c.area == area.id)).collect();
                if areas.is_empty() {
                    continue;
                }
                number += 1;
                let level = if many { 3 } else { 2 };
                let title = format!("{number}. {}", chapter.title.get(self.lang));
                self.heading(level, format!("chapter-{number}"), title);
                for (sub, area) in areas.into_iter().enumerate() {
                    let title = format!("{number}.{} {}", sub + 1, area.title.get(self.lang));
                    self.heading(level + 1, format!("area-{number}-{}", sub + 1), title);
                    self.blocks.push(Block::Paragraph(area.intro.get(self.lang).to_owned()));
                    let place = format!("{number}-{}", sub + 1);
                    if self.paragraphs(source, area, level + 2, &place) {
                        self.heading(level + 2, format!("claims-{place}"), words::CLAIMS.in_lang(self.lang));
                    }
                    self.claims(source, |claim| claim.area == area.id);
                }
            }
            // No claim may go missing because nobody gave its area.
            let known = |claim: &Claim| input.chapters.iter().flat_map(|c| &c.areas).any(|a| a.id == claim.area);
            if !source.claims.iter().all(known) {
                number += 1;
                let title = format!("{number}. {}", words::OTHER.in_lang(self.lang));
                self.heading(if many { 3 } else { 2 }, format!("chapter-{number}"), title);
                self.claims(source, |claim| !known(claim));
            }
        }
        for (id, word, write) in [
            ("settings", &words::SETTINGS, Self::settings as fn(&mut Self)),
            ("catalogue", &words::CATALOGUE, Self::catalogue),
            ("places", &words::PLACES, Self::places),
            ("verify", &words::VERIFY, Self::verify),
        ] {
            number += 1;
            self.heading(2, id, format!("{number}. {}", word.in_lang(self.lang)));
            write(self);
        }
    }

    fn claims(&mut self, source: &Source, wanted: impl Fn(&Claim) -> bool) {
        for claim in source.claims.iter().filter(|c| wanted(c)) {
            let claim = Printed::new(claim, self.input.at, &self.input.zone, self.lang);
            let claimed = words::CLAIMED.in_lang(self.lang);
            let quotes = [words::OPEN_QUOTE.in_lang(self.lang), words::CLOSE_QUOTE.in_lang(self.lang)];
            self.blocks.push(Block::Claim { claim, claimed, quotes });
        }
    }

    /// The controls' paragraphs of one area, those that are proven; whether there were any. A paragraph names the
    /// claims that prove it, equal ones of several papers together; of these the paper in hand has to hold every one,
    /// and have at least one.
    fn paragraphs(&mut self, source: &Source, area: &Area, level: u8, place: &str) -> bool {
        let claims: BTreeMap<&str, &Claim> = source.claims.iter().map(|c| (c.id.as_str(), c)).collect();
        let (mut any, mut withheld) = (false, false);
        for (at, control) in self.input.controls.iter().enumerate() {
            let mut headed = false;
            for (ids, text) in control.paragraphs {
                let own: Vec<&Claim> = ids.iter().filter_map(|id| claims.get(id).copied()).collect();
                if own.first().is_none_or(|first| first.area != area.id) {
                    continue;
                }
                let proven = own.iter().all(|c| standing(&c.proof, self.input.at) == Verdict::Holds);
                let Some(text) = self.filled(text).filter(|_| proven) else {
                    withheld = true;
                    continue;
                };
                if !headed {
                    self.heading(level, format!("control-{place}-{}", at + 1), control.heading.get(self.lang));
                    headed = true;
                }
                let by = own.iter().map(|c| c.id.clone()).collect();
                self.blocks.push(Block::Fact { text, label: words::PROVEN_BY.in_lang(self.lang), by });
                any = true;
            }
        }
        if withheld {
            self.paragraph(&words::WITHHELD);
        }
        any
    }

    /// A control's text with `{section.key}` replaced by the value in force; `None` when a figure is not known.
    fn filled(&self, text: &Text) -> Option<String> {
        let mut out = String::new();
        let mut rest = text.get(self.lang);
        while let Some((before, after)) = rest.split_once('{') {
            let (key, after) = after.split_once('}')?;
            let policy = self.input.policy?;
            let setting = policy.schema().get(key)?;
            out.push_str(before);
            out.push_str(&spoken(&policy.value(setting), self.lang));
            rest = after;
        }
        out.push_str(rest);
        Some(out)
    }

    fn settings(&mut self) {
        let Some(policy) = self.input.policy else { return self.paragraph(&words::NO_SETTINGS) };
        self.paragraph(&words::SETTINGS_INTRO);
        let rows = policy
            .schema()
            .iter()
            .map(|setting| {
                vec![
                    setting.key.to_owned(),
                    self.shown(setting, &policy.value(setting)),
                    movement(setting).get(self.lang).to_owned(),
                    setting.doc.get(self.lang).to_owned(),
                ]
            })
            .collect();
        self.table(&[&words::SETTING, &words::VALUE, &words::TENANT, &words::DOC], rows);
    }

    /// A setting's value for customers: where the service listens and what files it reads is not their business.
    fn shown(&self, setting: &'static Setting, value: &Value) -> String {
        match setting.kind {
            Kind::Socket | Kind::Sockets | Kind::Origin | Kind::Path => {
                let empty = match value {
                    Value::Str(s) => s.is_empty(),
                    Value::List(l) => l.is_empty(),
                    _ => false,
                };
                self.word(if empty { &words::NOT_SET } else { &words::SET })
            }
            Kind::Bool | Kind::Span { .. } | Kind::Networks => spoken(value, self.lang),
            _ => match value {
                Value::Str(s) if !s.is_empty() => s.clone(),
                other => show(other),
            },
        }
    }

    fn catalogue(&mut self) {
        let records = &self.input.catalogue;
        if records.is_empty() {
            return self.paragraph(&words::NO_RECORDS);
        }
        self.paragraph(&words::CATALOGUE_INTRO);
        let mut rows = Vec::new();
        for class in DataClass::ALL {
            let name = class.text().get(self.lang).to_owned();
            let own: Vec<&RecordDef> = records.iter().copied().filter(|r| r.class == class).collect();
            if own.is_empty() {
                rows.push(vec![name, self.word(&words::NO_RECORD_TYPE), String::new(), String::new()]);
                continue;
            }
            for record in own {
                let protection = match record.protection {
                    Protection::Sealed => &words::SEALED,
                    Protection::ClearByGoldenFile => &words::IN_CLEAR,
                };
                rows.push(vec![
                    name.clone(),
                    record.text.get(self.lang).to_owned(),
                    self.word(protection),
                    self.retention(record.retention),
                ]);
            }
        }
        self.table(&[&words::CLASS, &words::RECORDS, &words::PROTECTION, &words::RETENTION], rows);
    }

    fn retention(&self, retention: Retention) -> String {
        match retention {
            Retention::UntilDeleted => self.word(&words::UNTIL_DELETED),
            Retention::UntilExpiry => self.word(&words::UNTIL_EXPIRY),
            Retention::Setting(key) => {
                let value = self.input.policy.and_then(|p| p.schema().get(key).map(|s| spoken(&p.value(s), self.lang)));
                match value {
                    Some(value) => format!("{value} ({key})"),
                    None => format!("{} ({key})", self.word(&words::BY_SETTING)),
                }
            }
        }
    }

    fn places(&mut self) {
        if self.input.places.is_empty() {
            return self.paragraph(&words::NO_PLACES);
        }
        let text = |t: &Text| t.get(self.lang).to_owned();
        let rows = self.input.places.iter().map(|p| vec![text(&p.what), text(&p.location), text(&p.data)]).collect();
        self.table(&[&words::WHAT, &words::LOCATION, &words::DATA], rows);
    }

    fn verify(&mut self) {
        self.paragraph(&words::VERIFY_1);
        self.paragraph(&words::VERIFY_2);
        let file = words::DOWNLOADED.in_lang(self.lang);
        self.blocks.push(Block::Command(format!("sekisho ledger verify {file}")));
        self.paragraph(&words::VERIFY_3);
        self.blocks.push(Block::Command("sekisho prove --policy policy.toml".into()));
        self.blocks.push(Block::Command("sekisho prove --negative".into()));
        self.paragraph(&words::VERIFY_4);
        self.blocks.push(Block::Command("sekisho policy check policy.toml".into()));
    }
}

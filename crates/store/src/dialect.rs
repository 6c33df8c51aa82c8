//! One SQL text, two databases: the few words that differ are rewritten here and nowhere else.
//!
//! | written | SQLite | PostgreSQL |
//! | --- | --- | --- |
//! | `$1` | `?1` | as it is |
//! | `… FOR UPDATE` at the end of a SELECT | left out: there is one writer | as it is |
//! | `BLOB` in a migration | as it is | `BYTEA` |
//! | `TEXT` in a migration | as it is | `TEXT COLLATE "C"`, so that both sort by bytes |
//! | `/*sqlite: X */`, `/*postgres: X */` in a migration | `X` on that database | nothing on the other |

use crate::{Kind, error::StoreError, reach::GUARDED};

/// A piece of SQL text. Quoted texts and comments are never looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    /// `$7`
    Param(&'a str),
    /// `'…'`, `"…"`, `-- …`, or one other character.
    Other(&'a str),
    /// The inside of `/* … */`.
    Comment(&'a str),
}

fn tokens(sql: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = sql;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let run =
            |from: usize, keep: fn(char) -> bool| rest[from..].find(|c| !keep(c)).map_or(rest.len(), |n| from + n);
        let (token, len) = match first {
            'a'..='z' | 'A'..='Z' | '_' => {
                let n = run(1, |c| c.is_ascii_alphanumeric() || c == '_');
                (Token::Word(&rest[..n]), n)
            }
            '$' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                let n = run(1, |c| c.is_ascii_digit());
                (Token::Param(&rest[..n]), n)
            }
            // A doubled quote inside ends one quoted piece and starts the next: the same text in the end.
            '\'' | '"' => {
                let n = rest[1..].find(first).map_or(rest.len(), |n| n + 2);
                (Token::Other(&rest[..n]), n)
            }
            '-' if rest.starts_with("--") => {
                let n = run(2, |c| c != '\n');
                (Token::Other(&rest[..n]), n)
            }
            '/' if rest.starts_with("/*") => match rest[2..].find("*/") {
                Some(n) => (Token::Comment(&rest[2..n + 2]), n + 4),
                None => (Token::Comment(&rest[2..]), rest.len()),
            },
            c => (Token::Other(&rest[..c.len_utf8()]), c.len_utf8()),
        };
        rest = &rest[len..];
        Some(token)
    })
}

/// A statement as SQLite reads it.
pub(crate) fn sqlite_statement(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut lock_at = None;
    for token in tokens(sql) {
        match token {
            Token::Param(p) => {
                out.push('?');
                out.push_str(&p[1..]);
            }
            Token::Word(w) => {
                if w.eq_ignore_ascii_case("FOR") {
                    lock_at = Some(out.len());
                }
                out.push_str(w);
            }
            Token::Other(o) => out.push_str(o),
            Token::Comment(_) => out.push(' '),
        }
    }
    if let Some(at) = lock_at
        && out[at..].split_ascii_whitespace().nth(1).is_some_and(|w| w.eq_ignore_ascii_case("UPDATE"))
    {
        out.truncate(at);
    }
    out
}

/// A migration's portable text as the database of `kind` reads it.
pub(crate) fn migration(kind: Kind, sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 64);
    let mut previous = "";
    for token in tokens(sql) {
        match token {
            Token::Word(w) => {
                out.push_str(match (kind, w) {
                    (Kind::Postgres, "BLOB") => "BYTEA",
                    (Kind::Postgres, "TEXT") if !previous.eq_ignore_ascii_case("AS") => "TEXT COLLATE \"C\"",
                    _ => w,
                });
                previous = w;
            }
            Token::Param(o) | Token::Other(o) => out.push_str(o),
            Token::Comment(inside) => {
                let mine = match kind {
                    Kind::Sqlite => inside.strip_prefix("sqlite:"),
                    Kind::Postgres => inside.strip_prefix("postgres:"),
                };
                out.push_str(mine.unwrap_or(" "));
            }
        }
    }
    out
}

/// Refuses whatever could end a transaction or change the schema or settings, such as whose rows are reached, from
/// inside a closure.
pub(crate) fn check_statement(sql: &str) -> Result<(), StoreError> {
    let first = tokens(sql).find_map(|t| if let Token::Word(w) = t { Some(w) } else { None }).unwrap_or("");
    let allowed = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "VALUES"];
    if tokens(sql).any(|t| matches!(t, Token::Word(w) if w.eq_ignore_ascii_case(GUARDED))) {
        Err(StoreError::Bug(format!("a transaction may not run {GUARDED}")))
    } else if allowed.iter().any(|a| first.eq_ignore_ascii_case(a)) {
        Ok(())
    } else {
        Err(StoreError::Bug(format!("a transaction may not run {first:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_renumbered_outside_of_quotes_only() {
        assert_eq!(
            sqlite_statement("SELECT '$1', \"$2\" FROM t WHERE a = $2 AND b = $10 -- $3"),
            "SELECT '$1', \"$2\" FROM t WHERE a = ?2 AND b = ?10 -- $3"
        );
        assert_eq!(sqlite_statement("SELECT 'it''s $1', $1"), "SELECT 'it''s $1', ?1");
    }

    #[test]
    fn row_locks_are_left_out_on_sqlite_at_the_end_only() {
        assert_eq!(sqlite_statement("SELECT a FROM t WHERE b = $1 FOR UPDATE"), "SELECT a FROM t WHERE b = ?1 ");
        assert_eq!(sqlite_statement("SELECT a FROM t FOR UPDATE SKIP LOCKED"), "SELECT a FROM t ");
        assert_eq!(sqlite_statement("SELECT 'FOR UPDATE'"), "SELECT 'FOR UPDATE'");
    }

    #[test]
    fn migrations_differ_in_few_words() {
        let sql = "CREATE TABLE t (a BLOB, TEXTURE TEXT, b TEXT DEFAULT 'BLOB') /*sqlite: WITHOUT ROWID */;";
        assert_eq!(
            migration(Kind::Postgres, sql),
            "CREATE TABLE t (a BYTEA, TEXTURE TEXT COLLATE \"C\", b TEXT COLLATE \"C\" DEFAULT 'BLOB')  ;"
        );
        assert_eq!(
            migration(Kind::Sqlite, sql),
            "CREATE TABLE t (a BLOB, TEXTURE TEXT, b TEXT DEFAULT 'BLOB')  WITHOUT ROWID ;"
        );
        assert_eq!(migration(Kind::Postgres, "SELECT CAST(a AS TEXT)"), "SELECT CAST(a AS TEXT)");
    }

    #[test]
    fn only_statements_on_rows_are_let_through() {
        assert!(check_statement("/* c */ select 1").is_ok());
        for sql in [
            "COMMIT",
            "BEGIN",
            "PRAGMA foreign_keys = 0",
            "DROP TABLE t",
            "ATTACH 'x' AS y",
            "SELECT SET_CONFIG('a', 'b', true)",
            "",
        ] {
            assert!(check_statement(sql).is_err(), "{sql}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_lost_or_panicked_on(sql in "[a-zA-Z0-9$ '\"/*\\-;é]{0,60}") {
            let whole: String = tokens(&sql).map(|t| match t {
                Token::Word(s) | Token::Param(s) | Token::Other(s) => s.to_owned(),
                Token::Comment(s) => format!("/*{s}*/"),
            }).collect();
            // An open comment is closed by being read.
            proptest::prop_assert_eq!(whole.trim_end_matches("*/"), sql.trim_end_matches("*/"));
            sqlite_statement(&sql);
            migration(Kind::Postgres, &sql);
        }
    }
}

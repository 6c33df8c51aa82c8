//! What a password must satisfy. Every rule that is broken is named, in both languages.

use sekisho_kernel::{Problem, Secret, Text, gate::PasswordRule};

use crate::{breached::List, hasher::normal, problems::PASSWORD_REFUSED};

/// Longest password in characters: far above any rule, far below what costs anything to hash.
pub const LONGEST: usize = 512;

/// Whose password it is: it may not be made of these.
#[derive(Clone, Copy, Debug, Default)]
pub struct Whose<'a> {
    /// Sign-in name.
    pub name: &'a str,
    /// Mail address.
    pub mail: Option<&'a str>,
    /// What people call them.
    pub display_name: &'a str,
}

/// Checks everything but the history, which costs hashes.
///
/// # Errors
/// `SK-4005` with a sentence for each rule that is broken.
pub fn check(
    password: &Secret<String>,
    rule: &PasswordRule,
    whose: Whose<'_>,
    breached: Option<&List>,
) -> Result<(), Problem> {
    let broken = violations(password, rule, whose, breached);
    if broken.is_empty() { Ok(()) } else { Err(refused(&broken)) }
}

/// The refusal that names these rules.
pub fn refused(broken: &[Text]) -> Problem {
    let all = |pick: fn(&Text) -> &str, gap: &str| broken.iter().map(pick).collect::<Vec<_>>().join(gap);
    let detail = Text::owned(all(|t| &t.ja, ""), all(|t| &t.en, " "));
    Problem::new(&PASSWORD_REFUSED).at("password").detail(detail)
}

/// The password was used before.
pub fn used_before(rule: &PasswordRule) -> Text {
    Text::owned(
        format!("現在および過去 {} 個のパスワードは再利用できません。", rule.history),
        format!("The present password and the last {} may not be used again.", rule.history),
    )
}

fn violations(password: &Secret<String>, rule: &PasswordRule, whose: Whose<'_>, breached: Option<&List>) -> Vec<Text> {
    let password = normal(password);
    let text = password.reveal();
    let mut broken = Vec::new();
    let length = text.chars().count();
    if length > LONGEST {
        return vec![Text::owned(
            format!("{LONGEST} 文字以下にしてください。"),
            format!("It may have {LONGEST} characters at most."),
        )];
    }
    if length < usize::try_from(rule.min_length).unwrap_or(usize::MAX) {
        let n = rule.min_length;
        broken.push(Text::owned(
            format!("{n} 文字以上にしてください（現在 {length} 文字）。"),
            format!("It must have at least {n} characters (it has {length})."),
        ));
    }
    if classes(text) < rule.classes {
        let n = rule.classes;
        broken.push(Text::owned(
            format!("英小文字、英大文字、数字、その他のうち {n} 種類以上を含めてください。"),
            format!("It must have {n} or more of: lower case, upper case, digits, others."),
        ));
    }
    if text.chars().any(char::is_control) {
        broken.push(Text::new("制御文字は使えません。", "It may not have control characters."));
    }
    if resembles(text, whose) {
        broken.push(Text::new(
            "名前やメールアドレスと同じものは使えません。",
            "It may not be the same as the name or the mail address.",
        ));
    }
    if breached.is_some_and(|list| list.has(&password)) {
        broken.push(Text::new("漏えい済みパスワード一覧に載っています。", "It is on the list of breached passwords."));
    }
    broken
}

/// How many of the four classes appear. Letters without case (kana, kanji) count as others.
fn classes(text: &str) -> u32 {
    let has = |test: fn(char) -> bool| u32::from(text.chars().any(test));
    has(char::is_lowercase)
        + has(char::is_uppercase)
        + has(|c| c.is_ascii_digit())
        + has(|c| !c.is_lowercase() && !c.is_uppercase() && !c.is_ascii_digit())
}

/// The whole password is one of the names, forwards or backwards, whatever the case.
fn resembles(text: &str, whose: Whose<'_>) -> bool {
    let folded = text.to_lowercase();
    let backwards: String = folded.chars().rev().collect();
    let local = whose.mail.and_then(|m| m.split_once('@')).map(|(local, _)| local);
    [Some(whose.name), whose.mail, local, Some(whose.display_name)]
        .into_iter()
        .flatten()
        .map(|n| normal(&Secret::new(n.trim().to_owned())).reveal().to_lowercase())
        .any(|n| !n.is_empty() && (n == folded || n == backwards))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sekisho_kernel::Lang;

    use super::*;

    fn rule() -> PasswordRule {
        PasswordRule {
            min_length: 8,
            classes: 3,
            history: 3,
            max_age: Duration::ZERO,
            breached_list: None,
            memory_kib: 64,
            passes: 1,
        }
    }

    fn try_it(text: &str, whose: Whose<'_>) -> Result<(), Problem> {
        check(&Secret::new(text.to_owned()), &rule(), whose, None)
    }

    #[test]
    fn each_broken_rule_is_named_in_both_languages() {
        let p = try_it("abc", Whose { name: "ABC", ..Whose::default() }).unwrap_err();
        assert!(p.is(&PASSWORD_REFUSED));
        assert_eq!(
            p.message(Lang::En),
            "This password cannot be used. It must have at least 8 characters (it has 3). It must have 3 or more of: \
             lower case, upper case, digits, others. It may not be the same as the name or the mail address. (password) \
             Choose a password that meets every condition named."
        );
        assert!(p.message(Lang::Ja).contains("8 文字以上にしてください（現在 3 文字）。英小文字"));
    }

    #[test]
    fn classes_are_counted_beyond_ascii() {
        for (text, n) in [("abc", 1), ("abcD", 2), ("abcD1", 3), ("abcD1!", 4), ("パスワード", 1), ("éÉ", 2), ("", 0)]
        {
            assert_eq!(classes(text), n, "{text}");
        }
    }

    #[test]
    fn edges_of_the_length() {
        assert!(try_it("Abcdef1", Whose::default()).is_err());
        assert!(try_it("Abcdef12", Whose::default()).is_ok());
        assert!(try_it(&format!("A1{}", "b".repeat(LONGEST - 2)), Whose::default()).is_ok());
        assert!(try_it(&format!("A1{}", "b".repeat(LONGEST - 1)), Whose::default()).is_err());
        assert!(try_it("関所1Aを通る旅人", Whose::default()).is_ok(), "characters are counted, not bytes");
    }

    #[test]
    fn names_are_no_passwords() {
        let whose = Whose { name: "taro.Yamada1", mail: Some("Hanako.S2@example.jp"), display_name: "山田 太郎" };
        for bad in ["Taro.Yamada1", "1adamaY.orat", "HANAKO.s2@example.jp", "hanako.S2"] {
            assert!(try_it(bad, whose).unwrap_err().message(Lang::En).contains("mail address"), "{bad}");
        }
        assert!(try_it("Taro.Yamada1x", whose).is_ok());
    }
}

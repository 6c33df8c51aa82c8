use std::collections::HashSet;

use sekisho_kernel::{Lang, Problem};
use sekisho_store::{StoreError, problems::ALL};

#[test]
fn codes_and_names_are_used_once_and_both_languages_are_there() {
    let codes: HashSet<_> = ALL.iter().map(|k| k.code).collect();
    let names: HashSet<_> = ALL.iter().map(|k| k.name).collect();
    assert_eq!((codes.len(), names.len()), (ALL.len(), ALL.len()));
    for kind in ALL {
        assert!(kind.code.starts_with("SK-1"), "{}", kind.code);
        for lang in Lang::ALL {
            assert!(!kind.title.get(lang).is_empty() && !kind.remedy.get(lang).is_empty(), "{}", kind.code);
        }
    }
}

#[test]
fn each_error_has_its_problem_and_tells_nothing_internal() {
    let secret = || "relation tenant_record at 10.0.0.7".to_owned();
    let expected = [
        (StoreError::Full(secret()), "SK-1001"),
        (StoreError::Locked("/var/lib/sekisho".into()), "SK-1002"),
        (StoreError::Lost(secret()), "SK-1003"),
        (StoreError::Uncertain(secret()), "SK-1004"),
        (StoreError::Busy(secret()), "SK-1005"),
        (StoreError::Conflict(secret()), "SK-1006"),
        (StoreError::Unique { what: secret() }, "SK-1007"),
        (StoreError::Constraint(secret()), "SK-1008"),
        (StoreError::Refused(secret()), "SK-1009"),
        (StoreError::Corrupt(secret()), "SK-1010"),
        (StoreError::Io(secret()), "SK-1011"),
        (StoreError::Newer(7), "SK-1012"),
        (StoreError::Differs { number: 7, name: "seven".into() }, "SK-1013"),
        (StoreError::Config("the address names no role".into()), "SK-1014"),
        (StoreError::Closed, "SK-1015"),
        (StoreError::Bug(secret()), "SK-0001"),
    ];
    for (error, code) in expected {
        let log = error.to_string();
        let problem = Problem::from(error);
        assert_eq!(problem.kind.code, code);
        assert_eq!(problem.log_text(), Some(&*log));
        for lang in Lang::ALL {
            assert!(!problem.message(lang).contains("10.0.0.7"), "{code}");
        }
    }
}

#[test]
fn the_words_for_people() {
    let locked = Problem::from(StoreError::Locked("/var/lib/sekisho".into()));
    assert_eq!(
        locked.message(Lang::En),
        "Another process is using the data directory. (/var/lib/sekisho) \
         Stop the sekisho that is running there, or name another data directory."
    );
    let newer = Problem::from(StoreError::Newer(204));
    assert_eq!(
        newer.message(Lang::Ja),
        "データベースの構造が、このプログラムより新しい版です。 マイグレーション 204 を知りません。 新しい版の sekisho を使ってください。"
    );
}

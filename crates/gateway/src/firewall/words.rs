//! What the rules of the product say of a match, in Japanese. Rules from elsewhere speak for themselves.

use sekisho_kernel::Lang;

/// The messages of the product's own rules, sorted.
const JAPANESE: &[(&str, &str)] = &[
    ("Address inside the network", "内部ネットワークのアドレス"),
    ("Address of the server itself", "サーバー自身のアドレス"),
    ("Command of the operating system", "OS コマンド"),
    ("Cross-site scripting", "クロスサイトスクリプティング"),
    ("Cross-site scripting by pattern", "クロスサイトスクリプティング（パターン）"),
    ("Error of a database in the answer", "応答に含まれるデータベースのエラー"),
    ("File of the system asked for", "システムファイルの要求"),
    ("Header or request injected by a line break", "改行によるヘッダーまたは要求の挿入"),
    ("Inner matter of the server in the answer", "応答に含まれるサーバーの内部情報"),
    ("Java code or class", "Java のコードまたはクラス"),
    ("JavaScript of a server", "サーバー側の JavaScript"),
    ("LDAP injection", "LDAP インジェクション"),
    ("Lookup of a logging library", "ログライブラリーの参照式"),
    ("Mail header injected by a line break", "改行によるメールヘッダーの挿入"),
    ("Markup", "マークアップ"),
    ("Metadata service of a cloud", "クラウドのメタデータサービス"),
    ("NoSQL injection", "NoSQL インジェクション"),
    ("NoSQL operator injected", "NoSQL 演算子の挿入"),
    ("Null byte", "ヌルバイト"),
    ("PHP code", "PHP のコード"),
    ("Path traversal", "パストラバーサル"),
    ("Path traversal after decoding", "復号後のパストラバーサル"),
    ("Python or Ruby code", "Python または Ruby のコード"),
    ("Quotes with operators", "引用符と演算子"),
    ("Remote file to be included", "外部ファイルの読み込み"),
    ("SQL injection", "SQL インジェクション"),
    ("SQL injection by pattern", "SQL インジェクション（パターン）"),
    ("Security scanner in User-Agent", "User-Agent が示す脆弱性スキャナー"),
    ("Stream or scheme of a server", "サーバー側のストリームまたはスキーム"),
    ("Template expression", "テンプレート式"),
    ("Words of SQL", "SQL の語句"),
    ("XML entity or server-side include", "XML 実体またはサーバーサイドインクルード"),
    ("XPath injection", "XPath インジェクション"),
];

/// A rule's message in a person's language, as far as it is one of the product's own.
pub fn message(text: &str, lang: Lang) -> &str {
    match lang {
        Lang::En => text,
        Lang::Ja => JAPANESE.binary_search_by_key(&text, |(en, _)| en).map_or(text, |at| JAPANESE[at].1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_of_the_products_rules_is_there_in_both_languages() {
        let rules = include_str!("base/rules.conf");
        let mut count = 0;
        for said in rules.split("msg:'").skip(1) {
            let said = said.split('\'').next().unwrap();
            assert_ne!(message(said, Lang::Ja), said, "{said}");
            count += 1;
        }
        assert_eq!(count, JAPANESE.len());
        assert_eq!((message("Markup", Lang::En), message("a rule of ours", Lang::Ja)), ("Markup", "a rule of ours"));
    }
}

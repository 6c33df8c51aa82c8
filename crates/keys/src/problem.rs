//! The keys' problems, SK-2001 to SK-2008.

use sekisho_kernel::{Category, ProblemKind, Text};

/// Declares the problems and the list of all of them.
macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident $code:literal $urn:literal $category:ident
        $title_ja:literal $title_en:literal $remedy_ja:literal $remedy_en:literal;)*) => {
        $($(#[$doc])* pub static $name: ProblemKind = ProblemKind {
            code: $code,
            name: $urn,
            category: Category::$category,
            title: Text::new($title_ja, $title_en),
            remedy: Text::new($remedy_ja, $remedy_en),
        };)*
        /// Every problem declared here.
        pub static ALL: &[&ProblemKind] = &[$(&$name),*];
    };
}

problems! {
    /// The root key file cannot be read.
    ROOT_MISSING "SK-2001" "root-key-missing" Unavailable
        "ルート鍵のファイルを読み取れません。" "The root key's file cannot be read."
        "設定 keys.file の場所を確かめてください。失われた場合は、復旧シートから鍵を戻してください。"
        "Check the place that keys.file names. If the file is lost, bring the key back from the recovery sheet.";
    /// Others than the owner may read the root key file.
    ROOT_EXPOSED "SK-2002" "root-key-exposed" Invalid
        "ルート鍵のファイルを、所有者以外も読み取れます。" "Others than its owner may read the root key's file."
        "`chmod 600` で所有者だけが読めるようにしてください。すでに漏れた恐れがあるときは、鍵を更新してください。"
        "Close it with `chmod 600`. If somebody may have read it already, rotate the key.";
    /// The root key file is not of its form.
    ROOT_MALFORMED "SK-2003" "root-key-malformed" Invalid
        "ルート鍵のファイルの形式が正しくありません。" "The root key's file is not in its format."
        "復旧シートから鍵を戻してください。" "Bring the key back from the recovery sheet.";
    /// The root key or passphrase is another one than the data were sealed under.
    ROOT_WRONG "SK-2004" "root-key-wrong" Invalid
        "このルート鍵（またはパスフレーズ）は、このデータのものではありません。"
        "This root key (or passphrase) is not the one that these data were sealed under."
        "このデータを作ったときの鍵を指定してください。" "Give the key with which these data were made.";
    /// A file is already where a new root key should go.
    ROOT_EXISTS "SK-2005" "root-key-exists" Conflict
        "ルート鍵のファイルがすでにあります。" "There is a root key file already."
        "既存の鍵を上書きすることはありません。別の場所を指定するか、既存の鍵をそのまま使ってください。"
        "An existing key is never overwritten. Name another place, or use the key that is there.";
    /// A tenant has no key (any more).
    NO_KEY "SK-2006" "key-destroyed" NotFound
        "このデータの鍵はありません。破棄された組織のデータは、読み出せません。"
        "There is no key to these data. What belonged to a deleted organisation cannot be read."
        "元に戻す方法はありません。" "There is no way back.";
    /// A sealed value does not open: changed, moved, or sealed under another key.
    NOT_AUTHENTIC "SK-2007" "not-authentic" Internal
        "保存されたデータの検証に失敗しました。改ざんまたは破損の恐れがあります。"
        "Stored data failed authentication: they were changed, moved or damaged."
        "追跡番号を添えて運用者に連絡してください。運用者は `sekisho ledger verify` を実行してください。"
        "Give the trace id to the operator, who should run `sekisho ledger verify`.";
    /// Another root key provider than the one the data were made with.
    ROOT_KIND "SK-2008" "root-key-kind" Invalid
        "このデータは、別の種類のルート鍵で作られています。" "These data were made with another kind of root key."
        "設定 keys.provider を、データを作ったときの値に戻してください。"
        "Set keys.provider to what it was when the data were made.";
}

//! The vault's problems, SK-3001 to SK-3008.

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
    /// The database holds a table or column that no record type declares.
    UNDECLARED "SK-3001" "undeclared-data" Internal
        "データカタログにない表または列が、データベースにあります。"
        "The database holds a table or column that is not in the data catalogue."
        "分類と保存期間のないデータは扱いません。表や列を削除するか、それを宣言している版の sekisho を使ってください。"
        "Data without a class and a retention are not handled. Remove it, or use the sekisho that declares it.";
    /// The store was made by a rehearsal.
    REHEARSAL_STORE "SK-3002" "rehearsal-store" Invalid
        "このデータは予行（rehearsal）が作ったものです。" "These data were made by a rehearsal."
        "本番では使えません。別のデータディレクトリを指定してください。" "They cannot be served. Name another data directory.";
    /// A rehearsal was given a store that it did not make.
    NOT_REHEARSAL "SK-3003" "not-a-rehearsal-store" Invalid
        "予行は、自分が作ったデータしか開きません。" "A rehearsal opens only data that it has made itself."
        "予行用の新しいデータディレクトリを使ってください。" "Give it a fresh data directory.";
    /// An idempotency key was used for another request.
    KEY_REUSED "SK-3004" "idempotency-key-reused" Conflict
        "この Idempotency-Key は、別の内容の要求ですでに使われています。"
        "This Idempotency-Key was used for another request already."
        "新しい要求には新しいキーを使ってください。" "Use a new key for a new request.";
    /// The first request with this idempotency key is still under way.
    KEY_IN_USE "SK-3005" "idempotency-key-in-use" Conflict
        "同じ Idempotency-Key の要求を処理しています。" "A request with this Idempotency-Key is under way."
        "しばらくしてから、同じキーでもう一度送信してください。" "Send it again with the same key in a moment.";
    /// The person's rights have changed since they were looked at.
    RIGHTS_MOVED "SK-3006" "rights-moved" Forbidden
        "操作の途中で、あなたの権限が変更されました。" "Your rights were changed while this was being done."
        "何も変更されていません。画面を読み込み直して、もう一度試してください。"
        "Nothing was changed. Reload the page and try again.";
    /// A stored record is not what its type says.
    UNREADABLE "SK-3007" "record-unreadable" Internal
        "保存されたデータを読み取れません。" "A stored record cannot be read."
        "新しい版の sekisho が書いたデータかもしれません。追跡番号を添えて運用者に連絡してください。"
        "A newer sekisho may have written it. Give the trace id to the operator.";
    /// What was asked for under an idempotency key was done, and its answer was lost.
    KEY_DONE "SK-3008" "idempotency-key-done" Conflict
        "この Idempotency-Key の要求は実行済みですが、その応答は残っていません。"
        "The request with this Idempotency-Key was done, and its answer was lost."
        "操作履歴の記録から結果を確かめてください。もう一度行う場合は新しいキーを使ってください。"
        "Look at its entry in the operation history. To do it once more, use a new key.";
}

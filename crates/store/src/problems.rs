//! The store's problems, SK-1001 to SK-1015.

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
    /// No room left on the disk.
    FULL "SK-1001" "store-full" Unavailable
        "データの保存先に空きがありません。" "There is no room left where data is stored."
        "何も変更されていません。運用者が空き容量を増やすと、再起動なしで再開します。"
        "Nothing was changed. Once the operator frees space, work goes on without a restart.";
    /// Another process holds the data directory.
    LOCKED "SK-1002" "store-locked" Unavailable
        "データディレクトリは別のプロセスが使用中です。" "Another process is using the data directory."
        "動作中の sekisho を停止するか、別のデータディレクトリを指定してください。"
        "Stop the sekisho that is running there, or name another data directory.";
    /// The database does not answer.
    LOST "SK-1003" "store-lost" Unavailable
        "データベースに接続できません。" "The database does not answer."
        "何も変更されていません。接続は自動で回復します。しばらくしてからもう一度試してください。"
        "Nothing was changed. The connection comes back by itself; try again in a moment.";
    /// The connection was lost during a commit.
    UNCERTAIN "SK-1004" "store-uncertain" Unavailable
        "保存の確定中にデータベースとの接続が切れました。" "The database went away while the change was being made final."
        "変更は全部行われたか、全く行われていないかのどちらかです。やり直す前に、現在の状態を確かめてください。"
        "The change was made whole or not at all. Look at the present state before repeating it.";
    /// Too much is waiting.
    BUSY "SK-1005" "store-busy" Unavailable
        "データベースが混み合っています。" "The database is busy."
        "何も変更されていません。しばらくしてからもう一度試してください。"
        "Nothing was changed. Try again in a moment.";
    /// A concurrent transaction was in the way.
    CONFLICT "SK-1006" "store-conflict" Conflict
        "同時に行われた変更とぶつかりました。" "A change made at the same moment was in the way."
        "何も変更されていません。もう一度試してください。"
        "Nothing was changed. Try again.";
    /// A unique value is taken.
    UNIQUE "SK-1007" "already-taken" Conflict
        "同じ値がすでに使われています。" "The value is already taken."
        "別の値を指定してください。" "Choose another value.";
    /// A constraint of the schema does not hold.
    CONSTRAINT "SK-1008" "store-constraint" Invalid
        "データの決まりに合わない値です。" "The value breaks a rule of the data."
        "入力を確かめて、もう一度試してください。" "Check the input and try again.";
    /// The database forbids it.
    REFUSED "SK-1009" "store-refused" Forbidden
        "この変更はデータベースで禁止されています。" "The database forbids this change."
        "記録は追記しかできません。権限の設定は運用者に確かめてください。"
        "Records can only be added to. Ask the operator about the database's grants.";
    /// The database is damaged.
    CORRUPT "SK-1010" "store-corrupt" Unavailable
        "データベースが壊れています。" "The database is damaged."
        "書き込みをやめ、バックアップから復元してください。" "Stop writing and restore from a backup.";
    /// Reading or writing failed.
    IO "SK-1011" "store-io" Unavailable
        "データの読み書きに失敗しました。" "Reading or writing data failed."
        "何も変更されていません。ディスクを確かめてください。続けて利用できるときは自動で再開します。"
        "Nothing was changed. Check the disk; work goes on by itself once it answers.";
    /// The schema is newer than the binary.
    NEWER "SK-1012" "schema-newer" Unavailable
        "データベースの構造が、このプログラムより新しい版です。" "The database's schema is newer than this program."
        "新しい版の sekisho を使ってください。" "Use the newer version of sekisho.";
    /// A recorded migration differs.
    DIFFERS "SK-1013" "schema-differs" Unavailable
        "適用済みのマイグレーションの内容が、このプログラムのものと違います。" "An applied migration differs from this program's."
        "このデータベースを作った系列の sekisho を使ってください。" "Use a sekisho of the line that made this database.";
    /// The settings do not make sense.
    CONFIG "SK-1014" "store-config" Invalid
        "データベースの設定に誤りがあります。" "The store's settings are not right."
        "設定を直して、もう一度起動してください。" "Correct the settings and start again.";
    /// The store was closed.
    CLOSED "SK-1015" "store-closed" Unavailable
        "停止の途中のため、処理できません。" "The service is stopping."
        "しばらくしてからもう一度試してください。" "Try again in a moment.";
}

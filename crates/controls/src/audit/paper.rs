//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("操作履歴", "Operation history"),
    paragraphs: &[
        (
            &["NM-05", "IDO-41"],
            Text::new(
                "すべての操作とその結果（成功、拒否、失敗）を、操作者、操作、対象、時刻および接続元アドレスとともに記録します。記録できない操作は行われません。保存期間は {audit.retention}です。",
                "Every operation and its result (succeeded, refused or failed) is entered with actor, action, target, time and source address. What cannot be entered is not done. Entries are kept for {audit.retention}.",
            ),
        ),
        (
            &["NM-06"],
            Text::new(
                "操作履歴は、追記専用のマークルツリー（RFC 6962）で保護されます。記録の変更、削除、並べ替え、偽造および巻き戻しは、データベースの外に保管した署名付きチェックポイントとの照合により検知されます。",
                "The history is an append-only Merkle tree (RFC 6962). Changing, removing, reordering, forging or rolling back entries is detected against signed checkpoints kept outside the database.",
            ),
        ),
        (
            &["NM-07"],
            Text::new(
                "時刻は、閲覧者の環境にかかわらず {audit.zone} で表示します。",
                "Times are shown in {audit.zone} to every reader.",
            ),
        ),
        (
            &["MIST-09"],
            Text::new(
                "管理コンソール、API、コマンドラインおよびゲートウェイからの操作は、ひとつの監査ログに集約されます。",
                "Acts by console, API, command line and gateway are gathered in one audit log.",
            ),
        ),
        (
            &["IDO-07"],
            Text::new(
                "権限のない者によるお客様データの閲覧は拒否され、権限のある閲覧も記録されます。",
                "Reading customer data without the right is refused, and reading it with the right leaves an entry.",
            ),
        ),
        (
            &["IDO-41"],
            Text::new(
                "お客様は、自らの組織の記録を、欠落がないことの証明とともにいつでもダウンロードできます。",
                "Customers download their own log at any time, with a proof that nothing is missing.",
            ),
        ),
    ],
};

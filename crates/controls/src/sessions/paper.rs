//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("セッション管理", "Sessions"),
    paragraphs: &[
        (
            &["NM-02"],
            Text::new(
                "操作のない状態が {sessions.idle}続くと、セッションは終了します。画面の自動更新や WebSocket の通信は操作とみなしません。サーバー側の記録も、すべてのノードで削除されます。",
                "A session ends after {sessions.idle} without activity. Polling and WebSocket traffic are no activity. The record on the server is gone on every node.",
            ),
        ),
        (
            &["MOX-16"],
            Text::new(
                "セッショントークンは 256 ビットの乱数で、ハッシュだけを保存します。トークンは要求のたびに確認され、失効させると、同じ接続の次の要求から拒否されます。",
                "A session token is 256 random bits, of which only a hash is stored. It is checked at every request; once revoked, the next request of the same connection is refused.",
            ),
        ),
    ],
};

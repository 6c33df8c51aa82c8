//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("すべての端末からのサインアウト", "Signing out everywhere"),
    paragraphs: &[
        (
            &["MOX-28"],
            Text::new(
                "利用者は、サインイン中の端末の一覧（接続元アドレス、ブラウザー、日時）を見て、1 台ずつ、またはすべての端末から一度にサインアウトできます。",
                "People see where they are signed in (address, browser, time) and can sign out of one device or of all at once.",
            ),
        ),
        (
            &["MOX-29"],
            Text::new(
                "管理者がアカウントを無効化すると、そのアカウントのすべてのセッションは、開いている WebSocket も含め、すべてのノードで直ちに終了します。",
                "When an administrator deactivates an account, all its sessions end at once on every node, open WebSockets included.",
            ),
        ),
    ],
};

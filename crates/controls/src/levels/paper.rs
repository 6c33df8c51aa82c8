//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("4 段階のアクセス制御", "Four levels of access control"),
    paragraphs: &[(
        &["MOX-22"],
        Text::new(
            "要求は 4 つの段階で確認します。サインインのトークン、サインイン中の端末、管理者による機能の有効・無効、第三者のアプリケーションの承認です。どの段階も、ほかの 3 つが許す要求を単独で拒否します。",
            "A request passes four levels: the token of the sign-in, the device that is signed in, the functions that the administrator leaves on, and the approval of a third-party application. Each refuses by itself what the other three would let pass.",
        ),
    )],
};

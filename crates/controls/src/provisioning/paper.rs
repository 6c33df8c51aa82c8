//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("ユーザーの登録と連携（SCIM）", "Users and their provisioning (SCIM)"),
    paragraphs: &[(
        &["MOX-32"],
        Text::new(
            "管理者は、管理コンソール、API、SCIM 2.0 のいずれでもユーザーを登録、変更、無効化、削除できます。無効化と削除により、そのユーザーのセッションとトークンはすべて直ちに終了します。いずれの操作も操作履歴に記録します。",
            "Administrators add, edit, deactivate and delete users by console, API and SCIM 2.0. Deactivation and deletion end every session and token of the user at once. Each act is entered in the operation history.",
        ),
    )],
};

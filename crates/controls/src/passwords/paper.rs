//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("パスワードの保管", "Passwords"),
    paragraphs: &[
        (
            &["NM-28", "MOX-23"],
            Text::new(
                "パスワードは、ソルト付きのメモリハード関数（Argon2id、メモリ {passwords.memory_kib} KiB、反復 {passwords.passes} 回）による一方向ハッシュだけを保存します。データベース、ログおよびバックアップのいずれにも、平文のパスワードは残りません。",
                "Of a password only a salted, memory-hard one-way hash is stored (Argon2id, {passwords.memory_kib} KiB of memory, {passwords.passes} passes). No password lies in the clear in database, log or backup.",
            ),
        ),
        (
            &["MOX-23"],
            Text::new(
                "暗号化されていない HTTP によるサインインは、本文を読み取る前に拒否します。",
                "A sign-in over plain HTTP is refused before its body is read.",
            ),
        ),
    ],
};

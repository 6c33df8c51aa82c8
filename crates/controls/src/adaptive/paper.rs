//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("適応型認証", "Adaptive authentication"),
    paragraphs: &[
        (
            &["IDO-43"],
            Text::new(
                "パスワードによるサインインのリスクは、新しい端末とネットワーク、移動できない距離からの連続したサインイン、アカウントおよび接続元の失敗の多さ、多数のアカウントへの試行（スプレー）、登録済みの危険なアドレスから、そのつど判定されます。{adaptive.medium_at} 点以上と {adaptive.high_at} 点以上とで、追加認証または拒否の処置が自動的に行われます。",
                "The risk of each sign-in by password is judged at once: new device and network, impossible travel, many failures of account and address, many accounts tried (spraying), listed addresses. From {adaptive.medium_at} and from {adaptive.high_at} points a further step is asked for or the sign-in is refused, without anybody's doing.",
            ),
        ),
        (
            &["IDO-43"],
            Text::new(
                "拒否されたサインインへの応答は、誤ったパスワードへの応答と同じです。判定は理由とともに操作履歴に記録され、管理者は、過去のサインインで設定の変更を試してから適用できます。",
                "A sign-in that is refused gets the answer of a wrong password. Each judgement is in the operation history with its reasons, and administrators try other settings on past sign-ins before they apply them.",
            ),
        ),
    ],
};

//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("第 2 要素", "Second factor"),
    paragraphs: &[
        (
            &["NM-03"],
            Text::new(
                "パスワードに、時刻ベースのワンタイムパスワード（TOTP、RFC 6238）を加えられます。登録したアカウントは、パスワードだけではサインインできません。一度使ったコードは、再び使えません。",
                "A time-based one-time password (TOTP, RFC 6238) can be added to the password. An account that has one cannot be signed in to by the password alone. A code that was used does not work again.",
            ),
        ),
        (
            &["NM-03"],
            Text::new(
                "端末を失った場合に備え、{second_factor.recovery_codes} 個のリカバリーコードを発行します。それぞれ 1 回だけ使えます。",
                "For the loss of a device, {second_factor.recovery_codes} recovery codes are issued. Each works once.",
            ),
        ),
    ],
};

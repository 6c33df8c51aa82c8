//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("接続元アドレス制限", "Address rules"),
    paragraphs: &[(
        &["DX-04", "IDO-40"],
        Text::new(
            "サインインおよび利用を、許可したアドレス範囲（IPv4 と IPv6）に限定できます。判定には実際の接続元を用い、転送ヘッダーの偽装は影響しません。",
            "Sign-in and use can be limited to address ranges, IPv4 and IPv6. The connection's real peer decides; forged forwarding headers change nothing.",
        ),
    )],
};

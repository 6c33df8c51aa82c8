//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("アカウントロック", "Account lockout"),
    paragraphs: &[
        (
            &["NM-01"],
            Text::new(
                "サインインに {lockout.tries} 回失敗したアカウントは、{lockout.period}ロックされます。失敗は、パスワードだけでなく、認証アプリのコード、リカバリーコードおよび再認証を合わせて数えます。",
                "An account with {lockout.tries} failed sign-ins is locked for {lockout.period}. Wrong passwords, authenticator codes, recovery codes and re-authentications are counted together.",
            ),
        ),
        (
            &["NM-01"],
            Text::new(
                "試行は、ハッシュを計算する前に数えられます。そのため、多数の接続や複数のノードから同時に試しても、評価される試行の数は変わりません。存在しないアカウントへの応答も同じであり、ロックからアカウントの有無を知ることはできません。",
                "A try is counted before any hash is computed, so that tries made at once over many connections and several nodes are evaluated no more often. An account that does not exist gets the same answer: the lock tells nobody which accounts there are.",
            ),
        ),
    ],
};

//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("ウェブアプリケーションファイアウォール", "Web application firewall"),
    paragraphs: &[
        (
            &["DX-03"],
            Text::new(
                "アプリケーションとコンソールへのすべての要求をウェブアプリケーションファイアウォールが検査し、攻撃を遮断して記録します（段階 {waf.paranoia}、遮断スコア {waf.threshold}）。アプリケーション自身も、受け取る値を検査します。",
                "A web application firewall looks at every request to the application and the console, blocks attacks and enters them (paranoia level {waf.paranoia}, blocking score {waf.threshold}). The application itself checks what it takes, too.",
            ),
        ),
        (
            &["DX-14"],
            Text::new(
                "ファイアウォールの規則は、署名された新しいルールセットを {waf.feed_every} ごとに確認し、自らの試験に合格したものだけを、要求を中断せずに読み込みます。{waf.max_age} より古くなると警告します。",
                "The firewall's rules are kept up to date: a signed feed is asked every {waf.feed_every}; a newer rule set is loaded without dropping a request, once it has passed its own tests. A set older than {waf.max_age} raises a warning.",
            ),
        ),
    ],
};

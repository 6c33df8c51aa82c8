//! What the white paper says of this control.

use sekisho_kernel::{Text, claim::PaperText};

/// The control's part of the paper.
pub(super) static PAPER: PaperText = PaperText {
    heading: Text::new("関係のある相手とだけ連絡できること", "Reaching only people with a relation"),
    paragraphs: &[(
        &["MOX-34"],
        Text::new(
            "誰と誰が連絡を取り合えるかは、組織の管理者が登録する関係によって決まります。関係は、人、ロールおよび拠点の間に、期間を定めて登録できます。利用者が探せるのは関係のある相手だけで、関係のない相手は、存在しない相手と区別できません。アプリケーションは、メッセージの送信や共有の前に、2 人が連絡してよいかどうかを照会できます。関係の登録と終了、照会の拒否はすべて記録されます。",
            "Who may communicate with whom follows from relations that an organisation's administrators keep: between people, roles and sites, with a beginning and an end. People find only those to whom they have a relation; somebody without one cannot be told from somebody who does not exist. Before it passes a message or a share on, the application can ask whether two people may reach each other. Relations that are added or ended, and what is refused, are all on record.",
        ),
    )],
};

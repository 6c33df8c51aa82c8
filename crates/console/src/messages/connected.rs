//! Words of what acts beside people: the keys that sign, back-channel logout, believed SCIM clients.

use sekisho_kernel::Text;

messages! {
    APP_BACKCHANNEL "セッションの終了を通知するアドレス（バックチャネルログアウト）" "Address that is told when a session ends (back-channel logout)";
    APP_BACKCHANNEL_HINT "人がサインインするアプリケーションだけが持てます。https に限ります。" "Only for applications that people sign in to; https.";
    APP_BACKCHANNEL_FAILING "通知を再試行中" "Not reached";
    APP_BACKCHANNEL_SESSION "どのセッションかの通知が必要（sid）" "It needs to be told which session (sid)";
    KEYS "署名鍵" "Signing keys";
    KEYS_LEAD "ID トークン、ログアウトトークンおよびセキュリティシグナルに署名する鍵です。ポリシーの間隔で自動的に更新され、その前後も公開されます。" "They sign ID tokens, logout tokens and security signals. They turn by themselves at the policy's interval, and are published before and after.";
    KEY_NEXT "公開済み" "Published, not signing yet";
    KEY_PAST "検証のみ" "Verified only";
    KEY_SIGNING "署名中" "Signing";
    KEY_STARTS "署名の開始" "Signs from";
    KEY_ENDS "公開の終了" "Published until";
    KEY_TURN "今すぐ更新" "Turn now";
    KEY_TURN_HINT "これまでの鍵は、署名済みのトークンを検証できるよう、しばらく公開を続けます。" "The key before stays published for a while, so that what it has signed is still verified.";
    KEY_WITHDRAW "今すぐ更新し、以前の鍵を失効" "Turn now and withdraw the others";
    KEY_WITHDRAW_HINT "漏えいが疑われるとき。以前の鍵で署名したトークンは、鍵を読み直した相手から信用されなくなります。" "When one may have leaked. Tokens signed before are refused by everybody who reads the keys again.";
    KEY_NONE "まだありません。人がサインインするアプリケーションを承認するか、シグナルの受信側を登録すると作られます。" "There is none yet. One is made when an application that people sign in to is approved, or a receiver of signals registered.";
    CONFIRM_WITHDRAW_KEYS "以前の鍵で署名したトークンは直ちに信用されなくなります。よろしいですか。" "What the keys before have signed is refused from now on. Go on?";
    SCIM_SUBJECTS "externalId が利用者の識別子（sub）であるプロバイダー" "Provider whose subjects its externalIds are";
    SCIM_SUBJECTS_HINT "選ぶと、この連携が追加した利用者は、最初から選んだプロバイダーでサインインできます。後から externalId を変えても対応は変わりません。" "People whom this connection makes then come in by that provider at once. Changing an externalId later moves nobody.";
    SCIM_SUBJECTS_NONE "使わない" "None";
    SCIM_SUBJECTS_OF "externalId は次のプロバイダーの識別子:" "externalIds are subjects of";
    DONE_KEYS_TURNED "新しい鍵が署名を始めました。" "The new key signs from now on.";
}

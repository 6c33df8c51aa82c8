//! What the pages of passkeys say.

use sekisho_kernel::Text;

messages! {
    CONFIRMED "ID プロバイダーで確認しました。5 分以内に登録してください。" "Your identity provider has confirmed that it is you. Register the passkey within five minutes.";
    CONFIRM_AT "{name} で確認" "Confirm at {name}";
    CONFIRM_LEAD "パスキーを登録する前に、ID プロバイダーで改めてサインインし、本人であることを確認します。" "Before you register a passkey, sign in anew at your identity provider to confirm that it is you.";
    CONFIRM_PASSKEY_REMOVE "このパスキーを削除します。サインインには使えなくなります。" "This passkey is removed and no longer signs you in.";
    DONE_CONFIRMED "本人であることを確認しました。パスキーを登録できます。" "It is confirmed that it is you. You can register a passkey now.";
    DONE_PASSKEY_ADDED "パスキーを登録しました。" "The passkey is registered.";
    DONE_PASSKEY_REMOVED "パスキーを削除しました。" "The passkey is removed.";
    FACTOR_LEAD_PASSKEY "登録したパスキーで確認します。" "Confirm with a passkey that you have registered.";
    PASSKEYS "パスキー" "Passkeys";
    PASSKEYS_ALONE "端末の画面ロックやセキュリティキーでサインインします。名前とパスワードは要りません。" "Sign in with your device's screen lock or a security key, without name and password.";
    PASSKEYS_BESIDE "パスワードに続けて、端末の画面ロックやセキュリティキーで確認します。" "After the password, your device's screen lock or a security key confirms that it is you.";
    PASSKEY_ADD "パスキーを登録" "Register a passkey";
    PASSKEY_BACKED_UP "複数の端末で利用" "On several devices";
    PASSKEY_FAILED "パスキーを確認できませんでした。もう一度試すか、別の方法を使ってください。" "No passkey was confirmed. Try again, or use another way.";
    PASSKEY_INSTEAD "代わりにパスキーを登録" "Register a passkey instead";
    PASSKEY_LAST_USED "最終使用" "Last used";
    PASSKEY_MODEL "認証器の機種（AAGUID）" "Authenticator's model (AAGUID)";
    PASSKEY_NAME "パスキーの名前" "Name of the passkey";
    PASSKEY_NAME_HINT "例: 社用スマートフォン" "For example: work phone";
    PASSKEY_NEVER_USED "未使用" "Not used yet";
    PASSKEY_NO_SCRIPT "パスキーの登録と使用には、JavaScript とパスキーに対応したブラウザーが必要です。" "Passkeys need JavaScript and a browser that has them.";
    PASSKEY_REGISTERED "登録日時" "Registered";
    PASSKEY_REMOVE "パスキーを削除" "Remove the passkey";
    PASSKEY_RENAME "名前を変更" "Rename";
    PASSKEY_SIGN_IN "パスキーでサインイン" "Sign in with a passkey";
    PASSKEY_USE "パスキーで確認" "Confirm with a passkey";
}

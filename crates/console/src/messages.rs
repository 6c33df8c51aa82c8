//! Every message of the pages, in both languages: one without its Japanese or its English does not compile.
//! The words follow docs/glossary.md.

use sekisho_kernel::Text;

macro_rules! messages {
    ($($name:ident $ja:literal $en:literal;)*) => {
        $(#[doc = $en] pub const $name: &Text = &Text::new($ja, $en);)*
        /// Every message, by name.
        pub static EVERY: &[(&str, &Text)] = &[$((stringify!($name), $name)),*];
    };
}

messages! {
    ACCEPTED "受理済み" "Accepted";
    ACCOUNT "アカウント" "Account";
    ACCOUNT_DETAILS "アカウント情報" "Account details";
    ACTION "操作" "Action";
    ACTIONS "操作" "Actions";
    ACTOR "操作者" "Actor";
    ACTOR_AND_SOURCE "操作者・接続元" "Actor and source";
    ADD "追加" "Add";
    ADDRESSES "接続元アドレス制限" "Address rules";
    ADDRESSES_LEAD "許可したアドレス範囲からだけ接続できるようにします。" "Admit people only from the networks listed here.";
    ADD_ADDRESS "アドレス範囲を追加" "Add a network";
    ADD_AND_INVITE "追加して招待リンクを発行" "Add and issue an invitation link";
    ADD_ROLE "ロールを追加" "Add a role";
    ADD_SITE "拠点を追加" "Add a site";
    ADD_CLIENT "署名クライアントを追加" "Add a signing client";
    ADD_UNIQUE_ID "一意の ID を追加" "Add a unique ID";
    ADD_USER "ユーザーを追加" "Add a user";
    AGE "経過時間" "Age";
    ALL "すべて" "All";
    ALL_PAPERS "すべてのホワイトペーパー" "All papers";
    ANY_ADDRESS "制限なし" "Any address";
    APPLICATIONS "第三者のアプリケーション" "Third-party applications";
    APPLICATIONS_LEAD "利用者の同意を得て、その権限の一部で動くアプリケーション（OAuth）です。管理者が承認するまでは動きません。" "Applications that act for people with their consent (OAuth). None does before an administrator approves it.";
    APP_ADD "アプリケーションを登録" "Register an application";
    APP_APPROVE "承認" "Approve";
    APP_APPROVED "承認済み" "Approved";
    APP_CONFIDENTIAL "秘密を保管できる（サーバー側で動く）" "Keeps a secret (runs on a server)";
    APP_PENDING "承認待ち" "Waiting for approval";
    APP_REDIRECTS "戻り先アドレス" "Redirect addresses";
    APP_REDIRECTS_HINT "https、ポート 443 に限ります。複数ある場合は空白で区切ります。" "https on port 443 only; separate several with spaces.";
    APP_SECRET_ISSUED "アプリケーションの秘密を発行しました" "The application's secret has been issued";
    AGAIN_TITLE "パスワードの再入力" "Enter your password again";
    AGAIN_LEAD "いつもと異なるサインインのため、もう一度確認します。" "This sign-in is unlike your others, so we check once more.";
    AREA "分野" "Area";
    RISK "サインインのリスク" "Sign-in risk";
    RISK_LEAD "パスワードによるサインインを、そのつど判定した記録です。理由の詳細は各記録にあります。" "How each sign-in by password was judged. Every entry has the details.";
    RISK_SOURCES "判定に使うデータ" "Data that judgements use";
    RISK_PLACES "場所のデータベース" "Database of places";
    RISK_NETWORKS "ネットワークのデータベース" "Database of networks";
    RISK_LISTED "危険なアドレスのリスト" "List of bad addresses";
    RISK_SOURCE_NONE "指定なし" "None named";
    RISK_SOURCE_READ "読み取り済み" "Read";
    RISK_SOURCE_BROKEN "読み取れません" "Cannot be read";
    RISK_REPLAY "過去のサインインで試す" "Try on past sign-ins";
    RISK_REPLAY_LEAD "設定を変えた場合の結果を、適用する前に確かめられます。何も変更されません。" "See what other settings would have done before you apply them. Nothing is changed.";
    RISK_DAYS "日数" "Days";
    RISK_MEDIUM_AT "中とみなす点数" "Medium from";
    RISK_HIGH_AT "高とみなす点数" "High from";
    RISK_IF_LOW "低の処置" "If low";
    RISK_IF_MEDIUM "中の処置" "If medium";
    RISK_AS_NOW "現在のまま" "As it is";
    RISK_TRY "試す" "Try";
    RISK_OUTCOME "試した結果" "What it would do";
    RISK_INCOMPLETE "記録が多いため、期間のうち古いものは含まれていません。" "There are too many entries: the oldest of the time are left out.";
    RISK_WAS "実際" "As it was";
    RISK_WOULD "変更した場合" "As it would be";
    RISK_DECIDED "判定したサインイン" "Sign-ins judged";
    RISK_PEOPLE "新たに影響を受ける人" "People newly affected";
    RISK_CHANGES "結果が変わるサインイン" "Sign-ins with another end";
    RISK_PERSON "利用者" "Person";
    RISK_APPLY "この設定を組織に適用" "Apply to the organisation";
    RISK_DECISIONS "判定の記録" "Decisions";
    RISK_ALL "すべて表示" "Show all";
    RISK_ONLY "許可以外だけを表示" "Show only those not simply allowed";
    NO_DECISIONS "判定の記録はありません。" "No sign-in has been judged.";
    RISK_DONE "処置" "Done";
    RISK_LEVEL "リスク" "Risk";
    RISK_REASONS "理由" "Reasons";
    RISK_ALLOW "許可" "Allowed";
    RISK_STEP_UP "追加認証" "Stepped up";
    RISK_BLOCK "拒否" "Blocked";
    RISK_LOW "低" "Low";
    RISK_MEDIUM "中" "Medium";
    RISK_HIGH "高" "High";
    AUTHENTICATOR_APP "認証アプリ（TOTP）" "Authenticator app (TOTP)";
    BACK_TO_PLATFORM "プラットフォームの値に戻す" "Back to the platform's value";
    BLOCKED_NOW "現在の設定で遮断" "Blocked as set now";
    BLOCKED_REQUESTS "遮断した要求" "Requests blocked";
    BLOCKED_THEN "変更後に遮断" "Blocked with the change";
    BLOCKING_SCORE "遮断するスコア" "Blocking score";
    BREADCRUMBS "現在の位置" "You are here";
    BROWSER "端末・ブラウザー" "Browser";
    BUILD "ビルド" "Build";
    BUILT_IN "標準" "Built in";
    BY_ADDRESS "接続元別" "By address";
    BY_HOUR "時間ごとの遮断（24 時間）" "By hour, the last 24";
    BY_PATH "経路別" "By path";
    BY_RULE "規則別" "By rule";
    CANCEL "キャンセル" "Cancel";
    CHANGE "変更" "Change";
    CHANGED "最終更新" "Last changed";
    CHANGE_PASSWORD "パスワードの変更" "Change the password";
    CLAIM "表明事項" "Claim";
    CLAIMS "表明事項と証跡" "Claims and evidence";
    CLAIMS_EXPLAINED "表明事項は、禁止された操作を実際に試みる検証で確かめています。新しい証跡のあるものだけが「確認済み」になります。" "Each claim is proven by really trying what it forbids. Only one with fresh evidence is shown as holding.";
    CLAIMS_HELD "表明事項の状況" "How the claims stand";
    CLAIMS_LEAD "ホワイトペーパーの約束ごとに、判定・証跡・経過時間を示します。" "Every promise of the white papers with its verdict, its evidence and its age.";
    CLAUSE "条項" "Clause";
    CLEAR "条件を解除" "Clear";
    CLIENTS "署名クライアント" "Signing clients";
    CLIENTS_LEAD "一意の ID と署名で利用者をサインインさせるアプリケーションです。鍵は発行時に一度だけ表示されます。" "Applications that sign their users in by unique ID and signature. A key is shown once, when it is issued.";
    CLIENT_DELETE "署名クライアントの削除" "Delete this client";
    CLIENT_DELETE_EXPLAINED "一意の ID の登録もすべて削除されます。始まっているセッションは続きます。" "Its unique IDs go with it. Sessions that have begun go on.";
    CLIENT_DETAILS "署名クライアントの情報" "Client details";
    CLIENT_DISABLED "停止中" "Stopped";
    CLIENT_ID "クライアント ID" "Client id";
    CLIENT_ISSUED "鍵を発行しました" "The key has been issued";
    CLIENT_ISSUED_LEAD "この画面を閉じると二度と表示されません。アプリケーションの設定に保管してください。" "It is never shown again: keep it in the application's settings.";
    CLIENT_KEY "鍵" "Key";
    CLIENT_NAME "アプリケーション名" "Application";
    CLIENT_NEW_KEY "鍵を再発行" "Issue a new key";
    CLIENT_START "再開" "Resume";
    CLIENT_STOP "停止" "Stop";
    CONFIRM_CLIENT_KEY "現在の鍵は直ちに使えなくなります。よろしいですか。" "The present key ends at once. Go on?";
    CODE "認証アプリのコード" "Code from the authenticator app";
    CODES_KEPT "保管しました" "I have kept them";
    CODES_LEAD "認証アプリを使えないときに、1 つにつき 1 回だけ使えます。この画面を閉じると二度と表示されません。安全な場所に保管してください。" "Each one works once, for when the authenticator app is out of reach. They are never shown again: keep them in a safe place.";
    CODES_TITLE "リカバリーコード" "Recovery codes";
    CODE_HINT "6 桁の数字。30 秒ごとに変わります。" "Six digits; they change every 30 seconds.";
    COUNT "件数" "Count";
    CONFIRM "確認して登録" "Confirm";
    CONFIRM_DELETE "削除すると元に戻せません。削除しますか。" "This cannot be undone. Delete it?";
    CONFIRM_DISABLE "このアカウントを無効化し、すべてのセッションを終了します。よろしいですか。" "The account is disabled and all its sessions end. Go on?";
    CONFIRM_END "このセッションを終了しますか。" "End this session?";
    CONFIRM_END_EVERYWHERE "この端末を含むすべての端末からサインアウトします。よろしいですか。" "You are signed out everywhere, here too. Go on?";
    CONFIRM_END_ALL "対象のセッションをすべて終了します。よろしいですか。" "All of these sessions end. Go on?";
    CONFIRM_REMOVE_FACTOR "第 2 要素を解除すると、パスワードだけでサインインできるようになります。解除しますか。" "Without the second factor the password alone signs in. Remove it?";
    CONFIRM_REVOKE "このロールを剥奪しますか。直ちに反映されます。" "Take this role back? It takes effect at once.";
    COPIED "コピーしました" "Copied";
    COPY "コピー" "Copy";
    COPY_FAILED "選択しました。キーボードでコピーしてください" "Selected: copy with the keyboard";
    CREATED "作成日時" "Created";
    CURRENT_PASSWORD "現在のパスワード" "Current password";
    CUSTOM "カスタム" "Custom";
    DELETE "削除" "Delete";
    DELETE_ROLE "ロールを削除" "Delete this role";
    DELETE_ROLE_EXPLAINED "このロールを付与されたユーザーは、その権限を直ちに失います。" "Everybody who holds the role loses its rights at once.";
    DELETE_USER "ユーザーを削除" "Delete this user";
    DELETE_USER_EXPLAINED "アカウントを削除し、すべてのセッションを終了します。操作履歴の記録は残ります。" "The account is deleted and all its sessions end. Its entries in the history remain.";
    DETECTED_REQUESTS "検知して通した要求" "Detected and let pass";
    DIGEST "ポリシーのダイジェスト値" "Policy digest";
    DISABLE "無効化" "Disable";
    DISPLAY "表示" "Display";
    DISPLAY_NAME "表示名" "Display name";
    DONE "完了" "Done";
    DONE_CREATED "作成しました。" "Created.";
    DONE_DELETED "削除しました。" "Deleted.";
    DONE_DISABLED "無効化しました。セッションはすべて終了しました。" "Disabled. All sessions have ended.";
    DONE_ENABLED "再有効化しました。" "Enabled again.";
    DONE_FACTOR_REMOVED "認証アプリを解除しました。" "The authenticator app is removed.";
    DONE_GRANTED "ロールを付与しました。" "The role is granted.";
    DONE_PASSWORD_CHANGED "パスワードを変更しました。" "The password is changed.";
    DONE_PASSWORD_SET "パスワードを設定しました。サインインしてください。" "The password is set. Sign in with it.";
    DONE_REVOKED "ロールを剥奪しました。" "The role is taken back.";
    DONE_SAVED "保存しました。" "Saved.";
    DONE_SESSIONS_ENDED "対象のセッションを終了しました。" "The sessions have ended.";
    DONE_SESSION_ENDED "セッションを終了しました。" "The session has ended.";
    DONE_SIGNED_OUT "サインアウトしました。" "You have signed out.";
    DONE_SIGNED_OUT_EVERYWHERE "すべての端末からサインアウトしました。" "You have signed out everywhere.";
    DONE_UNLOCKED "ロックを解除しました。" "Unlocked.";
    DOWNLOAD "ダウンロード" "Download";
    DOWNLOAD_LEAD "CSV と JSON Lines は閲覧用です。検証可能なログは、サーバーに接続せずに「sekisho ledger verify」で改ざんの有無を確かめられます。" "CSV and JSON Lines are for reading. The verifiable log can be checked for tampering with “sekisho ledger verify”, with no server at all.";
    EFFECTIVE_VALUE "適用値" "In force";
    ENABLE "再有効化" "Enable again";
    ENDED_TEXT "無操作の時間が続いたか、セッションが終了したため、表示内容を消去しました。" "The session ended, or there was no activity for a while. What was on this page is gone.";
    ENDED_TITLE "サインアウトしました" "You are signed out";
    END_EVERYWHERE "すべての端末からサインアウト" "Sign out everywhere";
    END_ALL "すべてのセッションを終了" "End all sessions";
    END_OTHERS "ほかのすべての端末からサインアウト" "Sign out everywhere else";
    END_SESSION "終了" "End";
    ENROLLED "登録済み" "Enrolled";
    ENROL_DO "認証アプリを登録" "Set up an authenticator app";
    ENROL_LEAD "パスワードに加えて、認証アプリのコードでサインインを守ります。" "A code from an authenticator app protects sign-in beside the password.";
    ENROL_NOW "登録する" "Set it up";
    ENROL_STEP_1 "スマートフォンで認証アプリを開きます。" "Open the authenticator app on your phone.";
    ENROL_STEP_2 "QR コードを読み取ります。読み取れない場合は、下のキーを入力します。" "Scan the QR code, or type the key below.";
    ENROL_STEP_3 "アプリに表示されたコード" "Code shown by the app";
    ENROL_TITLE "認証アプリの登録" "Set up the authenticator app";
    ENTRY "記録の内容" "Entry";
    EVENT "イベント" "Event";
    EVIDENCE "証跡" "Evidence";
    EXCLUDE "除外する" "Exclude";
    EXCLUDE_DO "この除外を追加" "Add this exclusion";
    EXCLUDE_LEAD "誤って遮断された要求について、1 つの規則が 1 つの部分を見ないようにします。" "Let one rule look past one part of a request that it wrongly took for an attack.";
    EXCLUSION "除外" "Exclusion";
    EXCLUSIONS "除外" "Exclusions";
    EXPECTED "期待した結果" "Expected";
    FACTOR_EXPLAINED "認証アプリのコードを、パスワードに加えて求めます。" "A code from an authenticator app is asked for beside the password.";
    FACTOR_LEAD "認証アプリに表示されているコードを入力します。" "Enter the code that your authenticator app shows.";
    FACTOR_TITLE "第 2 要素の確認" "Second factor";
    FAILED "失敗" "Failed";
    FIND_USER "ユーザーの検索" "Find users";
    FIREWALL "ファイアウォール" "Firewall";
    FIREWALL_DETECTS "検知のみ" "Detects only";
    FIREWALL_LEAD "遮断した要求と、規則の状況を示します。" "What was blocked, and the rules it was blocked by.";
    FIREWALL_OFF "停止" "Off";
    FIREWALL_ON "遮断する" "Blocks";
    FIRST_PAGE "先頭に戻る" "Back to the first page";
    FIXED_BY_POLICY "（ポリシーで固定）" "(fixed by the policy)";
    FREE_TEXT "キーワード" "Any text";
    FRESH_UNTIL "有効期限" "Fresh until";
    FROM "開始日" "From";
    FUNCTIONS "機能の有効・無効" "Function switches";
    FUNCTIONS_LEAD "チェックを外した機能は、組織のすべてのユーザーが使えなくなります。直ちに反映されます。" "A function that is not ticked is off for everybody in the organisation, at once.";
    GOING_ON "アプリケーションへ移動します。" "Taking you to the application.";
    GO_ON "次へ" "Continue";
    GRANT "付与" "Grant";
    GRANT_SCOPE "範囲" "Where it holds";
    GRANT_SCOPE_HINT "拠点を選ぶと、その拠点に属するものだけに権限が及びます。" "With a site chosen, the rights reach only what belongs to it.";
    HAND_TO_OPERATOR "この組織では除外を追加できません。次の 1 行を運用者に渡し、ポリシーの waf.exclusions に加えてもらってください。" "Exclusions are the operator's here. Hand over this line for waf.exclusions of the policy.";
    HISTORY "操作履歴" "Operation history";
    HISTORY_LEAD "すべての操作の結果を、改ざんできない台帳に記録しています。" "The result of every operation, kept in a log that cannot be altered.";
    HOW_PROVEN "検証の方法" "How it is proven";
    IDENTIFIER "識別子" "Identifier";
    IDLE_ENDS "無操作の場合の終了" "Ends without activity";
    INCLUSION_PROOF "包含証明" "Inclusion proof";
    INTERFACE "経路" "Interface";
    INVITE_EXPLAINED "パスワードは本人が招待リンクから設定します。リンクは一度だけ表示され、1 時間有効です。" "The person sets the password with the invitation link. The link is shown once and lasts one hour.";
    IN_FORCE "適用中のポリシー" "Policy in force";
    KIND "種別" "Kind";
    LANGUAGE "言語" "Language";
    LAST_DAY "直近 24 時間" "The last 24 hours";
    LAST_DAY_OF "最終日" "Last day";
    LAST_USED "最終利用" "Last used";
    LEAF "台帳での位置" "Place in the log";
    LINES_HINT "1 行に 1 つ" "One a line";
    LINK_FOR "発行先:" "For";
    LINK_ISSUED "リンクの発行" "Link issued";
    LINK_ISSUED_LEAD "本人に安全な方法で渡してください。" "Hand it to the person by a safe way.";
    LINK_LEAD "このアカウントのパスワードを設定します。リンクは一度だけ使えます。" "Set the password of your account. The link works once.";
    LINK_ONCE "このリンクは二度と表示されません。有効期間は 1 時間です。" "This link is never shown again. It lasts one hour.";
    LINK_TITLE "パスワードの設定" "Set your password";
    LINK_TOKEN "リンクのコード" "The link's code";
    LINK_TOKEN_HINT "受け取ったリンクの「token=」より後の文字列です。" "What follows “token=” in the link you were given.";
    LOCKED_UNTIL "ロックの終了" "Locked until";
    MAIL "メールアドレス" "Mail address";
    MAIN_NAV "メニュー" "Main menu";
    MATCHED_PART "一致した部分" "Matched part";
    MEANS_ATTESTED "担当者または監査機関の記録が有効期限内です。" "People's or an auditor's record is within its review interval.";
    MEANS_BROKEN "禁止された操作ができてしまいました。対処が必要です。" "What the claim forbids was possible. It needs attention.";
    MEANS_HOLDS "すべての条項を検証し、期待どおりの結果を得ました。" "Every clause was tried and came out as promised.";
    MEANS_LAPSED "記録または検証の期限が切れています。" "The record or run is overdue.";
    MEANS_NOT_KEPT_YET "この表明事項を守る管理策は、まだありません。" "No control keeps this claim yet.";
    MEANS_NOT_PROVEN "管理策はありますが、このインスタンスではまだ検証していません。" "A control keeps it, but it was never proven on this instance.";
    MEANS_PARTLY "存在する範囲は確認済みですが、対象の一部がまだありません。" "What exists is kept; a subject of the claim does not exist yet.";
    MEANS_STALE "証跡が古いか、別のビルドまたはポリシーのものです。" "The evidence is too old, or of another build or policy.";
    MEANS_UNKNOWN "実行できない検証手順がありました。成立とも不成立とも判定できません。" "A step could not be run, so nothing can be said either way.";
    MOVES_BESIDE "組織は項目を加えられる" "May be added to";
    MOVES_DOWN "組織は小さくできる" "May be lowered";
    MOVES_INSIDE "組織は狭められる" "May be narrowed";
    MOVES_NOT "変更不可" "Fixed";
    MOVES_STRICTER "組織は厳しくできる" "May be made stricter";
    MOVES_UP "組織は大きくできる" "May be raised";
    NAME "名前" "Name";
    NAME_HINT "空白を含まない 128 文字以下" "At most 128 characters, no spaces";
    NARROW "絞り込み" "Filter";
    NARROW_DO "絞り込む" "Filter";
    NAV_ACCESS "アクセス制御" "Access";
    NAV_ASSURANCE "監査と証明" "Assurance";
    NETWORK "アドレス範囲" "Network";
    NETWORKS_HINT "1 行に 1 つのアドレス範囲（例: 203.0.113.0/24）" "One network a line, such as 203.0.113.0/24";
    NETWORK_HINT "IPv4 または IPv6（例: 203.0.113.0/24、2001:db8::/32）" "IPv4 or IPv6, such as 203.0.113.0/24 or 2001:db8::/32";
    NEWEST_BLOCKED "最近の遮断" "Newest";
    NEW_CODES "リカバリーコードの再発行" "New recovery codes";
    NEW_CODES_DO "再発行" "Issue new codes";
    NEW_CODES_HINT "以前のコードはすべて無効になります。" "All earlier codes end.";
    NEW_LINK "リンクを発行" "Issue a link";
    NEW_PASSWORD "新しいパスワード" "New password";
    NEW_PASSWORD_LEAD "パスワードの有効期間が過ぎました。新しいパスワードを設定してください。" "Your password has run out. Set a new one to go on.";
    NEW_PASSWORD_TITLE "新しいパスワード" "New password";
    NEXT_PAGE "次のページ" "Next page";
    NONE "なし" "None";
    NOTE "メモ" "Note";
    NOTHING_BLOCKED "遮断はありません。" "Nothing was blocked.";
    NOTHING_CHANGES "直近 24 時間に記録された要求については、結果は変わりません。" "For the requests of the last 24 hours nothing changes.";
    NOT_ENROLLED "未登録" "Not enrolled";
    NOT_THE_SAME "2 つのパスワードが一致していません。同じものを 2 回入力してください。" "The two passwords differ. Enter the same one twice.";
    NO_ADDRESSES "登録されたアドレス範囲はありません。" "There is no rule yet.";
    NO_CLAIMS "条件に合う表明事項はありません。" "No claim matches the filter.";
    NO_ENTRIES "条件に合う記録はありません。" "No entry matches the filter.";
    NO_GRANTS "付与されたロールはありません。" "No role is granted.";
    NO_PROOF_YET "この記録はまだ署名付きチェックポイントに含まれていません。通常は 10 秒以内に含まれます。" "No signed checkpoint covers this entry yet. It usually takes less than ten seconds.";
    NO_TOKENS "API トークンはありません。" "There is no API token.";
    PROVISIONING "ユーザー連携（SCIM）" "Provisioning (SCIM)";
    PROVISIONING_LEAD "ID プロバイダー（Entra ID、Okta など）が、ユーザーとグループを SCIM 2.0 で登録、変更、無効化、削除します。無効化すると、セッションとトークンはすべて直ちに終了します。" "An identity provider (Entra ID, Okta and the like) adds, edits, deactivates and deletes users and groups over SCIM 2.0. Deactivation ends every session and token at once.";
    SCIM_ADDRESS "接続先" "Where to connect";
    SCIM_ADDRESS_HINT "ID プロバイダーの設定画面にこのアドレスとトークンを入力します。認証方式は「ベアラートークン」です。接続元アドレス制限を使う場合は、ID プロバイダーの接続元も許可してください。" "Enter this address and the token in the identity provider's settings; it authenticates by bearer token. Where address rules are in use, admit the provider's addresses too.";
    SCIM_CALLS "最近の連携" "Latest calls";
    SCIM_CONNECT "ID プロバイダーを接続" "Connect an identity provider";
    SCIM_CONNECTIONS "接続中の ID プロバイダー" "Connected identity providers";
    SCIM_GIVES "付与するロール" "Role that it gives";
    SCIM_GROUP "グループ" "Group";
    SCIM_GROUPS "連携グループとロール" "Provisioned groups and roles";
    SCIM_GROUPS_LEAD "グループに選んだロールは、メンバーに直ちに付与され、メンバーでなくなると直ちに失われます。" "The role chosen for a group is its members' at once, and is taken back at once from who leaves it.";
    SCIM_IGNORED "保存されない属性:" "Attributes not kept:";
    SCIM_IS_OFF "ポリシーで SCIM が無効になっているため、連携の要求はすべて拒否されます（provisioning.scim）。" "The policy has SCIM switched off: every call is refused (provisioning.scim).";
    SCIM_MAKE_TOKEN "トークンを発行" "Make the token";
    SCIM_MEMBERS "メンバー" "Members";
    SCIM_PROVIDER "ID プロバイダー" "Identity provider";
    SCIM_PROVIDER_HINT "例: Entra ID" "Such as Entra ID";
    SCIM_TENANT_URL "SCIM のアドレス（テナントの URL）" "SCIM address (tenant URL)";
    SCIM_WHY "理由・備考" "Why";
    NO_CALLS "連携はまだありません。" "There has been no call yet.";
    NO_CONNECTIONS "接続中の ID プロバイダーはありません。" "No identity provider is connected.";
    NO_GROUPS "連携グループはありません。" "There is no provisioned group.";
    NO_ROLE "なし" "None";
    VIA_SCIM "SCIM" "SCIM";
    SERVICE_ACCOUNT "サービスアカウント（人ではなく、API トークンだけを使う）" "Service account: no person, API tokens alone";
    CONSENTS "連携中のアプリケーション" "Applications acting for you";
    CONSENTS_LEAD "同意を撤回すると、アプリケーションが持つトークンは直ちに使えなくなります。" "Withdraw a consent and the application's tokens end at once.";
    CONSENT_ALLOW "許可する" "Allow";
    CONSENT_ASKS "が次のことを求めています。" "asks to do this for you:";
    CONSENT_DENY "許可しない" "Do not allow";
    CONSENT_EXPLAINED "パスワードは渡されません。許可はアカウントの画面でいつでも撤回できます。" "Your password is not given away. You can withdraw this at any time on your account's page.";
    CONSENT_TITLE "アプリケーションの許可" "Let an application act for you";
    CONSENT_WITHDRAW "撤回" "Withdraw";
    CONFIRM_WITHDRAW "このアプリケーションは直ちに使えなくなります。よろしいですか。" "The application stops at once. Go on?";
    DONE_WITHDRAWN "同意を撤回しました。" "The consent has been withdrawn.";
    GOING_BACK "アプリケーションへ戻ります" "Back to the application";
    NO_APPLICATIONS "アプリケーションはありません。" "There is no application.";
    NO_CONSENTS "連携中のアプリケーションはありません。" "No application acts for you.";
    CONFIRM_TOKEN_END "このトークンは直ちに使えなくなります。よろしいですか。" "The token ends at once. Go on?";
    DONE_TOKEN_ENDED "トークンを終了しました。" "The token has ended.";
    NO_CLIENTS "署名クライアントはありません。" "There is no signing client.";
    NO_UNIQUE_IDS "一意の ID は登録されていません。" "There is no unique ID.";
    NOBODY_OF_THAT_NAME "このサインイン名のユーザーはいません。" "Nobody has this sign-in name.";
    NO_SESSIONS "サインイン中のセッションはありません。" "There is no session.";
    NO_SITE "なし（組織全体）" "None (whole organisation)";
    NO_SITES "登録された拠点はありません。" "There is no site yet.";
    NO_USERS "条件に合うユーザーはいません。" "No user matches.";
    NUMBER "番号" "Number";
    OFF "無効" "Off";
    ON "有効" "On";
    ON_THE_LAST_DAY "直近 24 時間の要求での試算" "Tried on the last 24 hours";
    OPTIONAL "任意" "optional";
    OUT_OF_DATE "更新が遅れています" "Out of date";
    OVERVIEW "ダッシュボード" "Dashboard";
    OWN_SESSIONS "サインイン中の端末" "Signed-in devices";
    OWN_SESSIONS_LEAD "心当たりのない端末があれば終了し、パスワードを変更してください。" "End what you do not know, and change your password.";
    OWN_TESTS "合格した試験" "Own tests passed";
    OWN_VALUE "組織の値" "Own value";
    PAGES "ページ" "Pages";
    PAPERS "ホワイトペーパー" "White papers";
    PARANOIA "厳しさの段階" "Paranoia level";
    PART_HINT "例: ARGS:comment" "Such as ARGS:comment";
    PASSWORD "パスワード" "Password";
    PATH "経路" "Path";
    PATH_HINT "この文字列で始まる経路に限ります。" "Paths that begin so.";
    PLATFORM_VALUE "プラットフォームの値" "Platform";
    POLICY "ポリシー" "Policy";
    POLICY_LEAD "プラットフォームの値と組織の値のうち、常に厳しいほうが適用されます。" "Of the platform's value and your own, the stricter one always holds.";
    POLICY_NAME "名称" "Name";
    PROBLEM_CODE "コード" "Code";
    PROOF_EXPLAINED "この記録が台帳に含まれることを、署名付きチェックポイントに対して誰でも検算できます。" "Anybody can check, against the signed checkpoint, that this entry is in the log.";
    PROOF_TEXT "証明（C2SP tlog-proof）" "Proof (C2SP tlog-proof)";
    PROTECTED "保護済み" "Protected";
    PROTECTION "保護" "Protection";
    PROVEN_AT "検証日時" "Proven at";
    QR_ALT "認証アプリで読み取る QR コード" "QR code for the authenticator app";
    REASON "理由" "Reason";
    RECORD "登録情報" "Record";
    RECOVERY_CODE "リカバリーコード" "Recovery code";
    RECOVERY_HINT "登録したときに控えたコードのうち、未使用のもの。" "One of the codes you kept when you set it up, not used before.";
    RECOVERY_LEFT "残りのリカバリーコード" "Recovery codes left";
    REFUSED "拒否" "Refused";
    REMOVE_FACTOR "認証アプリを解除" "Remove the authenticator app";
    REPEAT_PASSWORD "新しいパスワード（確認）" "New password again";
    REQUEST "要求" "Request";
    REQUIRED "必須" "Required";
    RESULT "結果" "Result";
    REVOKE "剥奪" "Take back";
    RIGHTS "権限" "Rights";
    RIGHTS_AT_ONCE "変更は、このロールを持つすべてのユーザーに直ちに反映されます。" "A change takes effect at once for everybody who holds the role.";
    ROLE "ロール" "Role";
    ROLES "ロール" "Roles";
    ROLES_GRANTED "付与されたロール" "Roles granted";
    ROLES_LEAD "権限をロールにまとめ、ユーザーに付与します。" "Gather rights into roles and grant them to users.";
    ROLE_NAME "ロール名" "Role name";
    RULE "規則" "Rule";
    RULES "規則" "Rules";
    RULES_IN_FORCE "適用中の主な設定" "Rules in force";
    RULE_ABSOLUTE "セッションの最長時間" "Longest session";
    RULE_IDLE "無操作サインアウト" "Idle sign-off";
    RULE_LOCKOUT "アカウントロック" "Account lockout";
    RULE_RETENTION "操作履歴の保存期間" "History is kept";
    RULE_SET "ルールセット" "Rule set";
    RUN_OUT "期限切れ" "Run out";
    SAVE "保存" "Save";
    SAVE_AND_GO_ON "保存して次へ" "Save and continue";
    SCORE "スコア" "Score";
    SEARCH "検索" "Search";
    SECOND_FACTOR "第 2 要素" "Second factor";
    SECRET_BY_HAND "手で入力するキー" "Key to type by hand";
    SEEN "実際の結果" "Seen";
    SEE_CLAIMS "一覧を見る" "See all";
    SEE_SESSIONS "一覧を見る" "See them";
    SEQUENCED "順序確定済み" "Sequenced";
    SESSIONS "セッション" "Sessions";
    SESSION_ENDS "セッションの終了" "Ends at the latest";
    SETTING_TO_TRY "試す設定" "The setting to try";
    SET_BASE "製品に含まれる規則" "comes with the product";
    SET_FEED "配布元から" "from the feed";
    SET_FOLDER "フォルダーから" "from a folder";
    SET_PASSWORD "パスワードを設定" "Set the password";
    SIGNED_IN "サインインしました" "Signed in";
    SIGNED_IN_AT "サインイン日時" "Signed in";
    SIGN_IN "サインイン" "Sign in";
    SIGN_IN_AGAIN "もう一度サインイン" "Sign in again";
    SIGN_IN_DO "サインイン" "Sign in";
    SIGN_IN_HELP "サインインできない場合は、組織の管理者にお問い合わせください。" "If you cannot sign in, ask your organisation's administrator.";
    SIGN_IN_NAME "サインイン名" "Sign-in name";
    SIGN_OUT "サインアウト" "Sign out";
    SITE "拠点" "Site";
    SITES "拠点" "Sites";
    SITES_LEAD "拠点ごとに権限の範囲を分けられます。" "Rights can be granted for single sites.";
    SITE_HINT "組織内で重複しない 128 文字以下の名称" "At most 128 characters, unique in the organisation";
    SITE_NAME "拠点名" "Site name";
    SKIP "本文へ移動" "Skip to the content";
    SOME_SITES "一部の拠点" "some sites";
    SOURCE_ADDRESS "接続元アドレス" "Source address";
    STAGE "検証場所" "Where";
    STAGE_LIVE "本番" "Live";
    STAGE_REHEARSAL "予行" "Rehearsal";
    START_OVER "最初からやり直す" "Start over";
    STATE "状態" "State";
    STATE_ACTIVE "有効" "Active";
    STATE_DISABLED "無効" "Disabled";
    STATE_INVITED "招待中" "Invited";
    STATE_LOCKED "ロック中" "Locked";
    STEPS "検証手順" "Steps";
    STEP_ABSENT "対象なし" "Absent";
    STEP_ERROR "実行できず" "Error";
    STEP_FAIL "不成立" "Fail";
    STEP_FORBIDDEN "禁止操作" "Forbidden";
    STEP_KIND "種別" "Kind";
    STEP_MISSING "対象が未実装" "Missing";
    STEP_NOTHING "対象なし" "Nothing to try";
    STEP_PASS "期待どおり" "Pass";
    STEP_POSITIVE "正常系" "Positive";
    SUCCEEDED "成功" "Succeeded";
    S_DOOR "ゲートウェイ" "Gateway";
    S_ENCRYPTION "暗号化" "Encryption";
    S_KEYS "ルート鍵" "Root key";
    S_STORE "データの保存先" "Store";
    S_TENANT_KEYS "組織鍵" "Tenant keys";
    TARGET "対象" "Target";
    THEME "配色" "Theme";
    THEME_AUTO "端末の設定に合わせる" "As the device";
    THEME_DARK "ダーク" "Dark";
    THEME_LIGHT "ライト" "Light";
    THIS_ONE "この端末" "This one";
    THIS_SESSION "このセッション" "This session";
    TIME "日時" "Time";
    TIMES_IN "表示時刻のタイムゾーン:" "Times are shown in";
    TO "終了日" "To";
    TO_OVERVIEW "ダッシュボードへ" "To the dashboard";
    TRACE "追跡番号" "Trace id";
    TREE_SIZE "チェックポイントの件数" "Tree size";
    TRIED "試みた操作" "Tried";
    TRIED_REQUESTS "試した要求" "Requests tried";
    TRY_DO "試す" "Try it";
    TRY_FIRST "設定を試す" "Try a setting";
    TRY_LEAD "適用する前に、直近 24 時間に規則が反応した要求で結果を確かめます。" "Before a setting is applied: what it would have done to the requests that rules matched in the last 24 hours.";
    UNCONFIRMED "未確認" "Not confirmed";
    UNLOCK "ロック解除" "Unlock";
    UNTIL_HINT "90 日以内" "Within 90 days";
    UP_TO_DATE "最新" "Up to date";
    USERS "ユーザー" "Users";
    USERS_LEAD "組織に属するユーザーのアカウントを管理します。" "The accounts of your organisation.";
    USER_FUNCTIONS "このユーザーが使える機能" "Functions for this user";
    USER_FUNCTIONS_LEAD "チェックを外した機能は、権限があっても使えません。" "A function that is not ticked stays closed to the user, whatever the rights.";
    TOKENS "API トークン" "API tokens";
    TOKENS_LEAD "トークンは、所有者の権限のうち、その範囲に含まれるものだけを使えます。使われないまま期間が過ぎると、自動的に終了します。" "A token does what its owner may, within its scope. One that goes unused ends by itself.";
    TOKEN_ACCOUNT "サービスアカウントのサインイン名" "Sign-in name of the service account";
    TOKEN_ACCOUNT_HINT "先にユーザーの画面で「サービスアカウント」として追加します。" "Add it first among the users, as a service account.";
    TOKEN_ADD "トークンを発行" "Issue a token";
    TOKEN_DAYS "有効日数" "Days until it runs out";
    TOKEN_END "終了" "End";
    TOKEN_ENDS "使わない場合の終了" "Ends if unused";
    TOKEN_EXPIRES "有効期限" "Runs out";
    TOKEN_ISSUED "トークンを発行しました" "The token has been issued";
    TOKEN_ISSUED_LEAD "この画面を閉じると二度と表示されません。安全な場所に保管してください。" "It is never shown again: keep it in a safe place.";
    TOKEN_NAME "用途" "What it is for";
    TOKEN_NETWORKS "使える接続元" "Addresses it may be used from";
    TOKEN_NETWORKS_HINT "アドレスまたは CIDR を空白で区切って入力します。空欄ならどこからでも使えます。" "Addresses or networks in CIDR form, separated by spaces. Left empty, it works from anywhere.";
    TOKEN_NEVER_USED "未使用" "Never used";
    TOKEN_OWNER "所有者" "Owner";
    TOKEN_SCOPE "範囲" "Scope";
    TOKEN_TEXT "トークン" "Token";
    UNIQUE_ID "一意の ID" "Unique ID";
    UNIQUE_IDS "一意の ID と利用者" "Unique IDs and people";
    UNIQUE_ID_HINT "アプリケーションが利用者を指す ID。大文字と小文字も区別します。" "The application's own ID for the person, to the letter.";
    USER_SESSIONS_LEAD "このユーザーがサインインしている端末です。" "Where this user is signed in.";
    USER_SITE_HINT "拠点管理者は、自分の拠点のユーザーだけを管理できます。" "Site administrators manage the users of their own site.";
    USER_TYPE "ユーザー種別" "User type";
    USE_RECOVERY "リカバリーコードを使う" "Use a recovery code";
    VALUE "値" "Value";
    VERDICT "判定" "Verdict";
    VERIFIABLE_LOG "検証可能なログ" "Verifiable log";
    VIA_API "公開 API" "API";
    VIA_COMMAND "コマンド" "Command";
    VIA_CONSOLE "管理コンソール" "Console";
    VIA_DOOR "ゲートウェイ" "Gateway";
    VIA_FORWARD_AUTH "Forward-auth" "Forward-auth";
    VIA_SYSTEM "システム" "System";
    VOLUNTARY "任意" "Voluntary";
    V_ATTESTED "記録により確認" "Attested";
    V_BROKEN "不成立" "Broken";
    V_HOLDS "確認済み" "Holds";
    V_LAPSED "期限切れ" "Lapsed";
    V_NOT_KEPT_YET "未対応" "Not kept yet";
    V_NOT_PROVEN "未検証" "Not proven";
    V_PARTLY "一部確認" "Partly";
    V_STALE "証跡が古い" "Stale";
    V_UNKNOWN "判定不能" "Unknown";
    WHAT_CHANGES "変わる点" "What changes";
    WHOLE_TENANT "組織全体" "Whole organisation";
    WOULD_BE_BLOCKED "遮断される" "Would be blocked";
    WOULD_PASS "通る" "Would pass";
    YOUR_PASSWORD "パスワード" "Your password";
    YOUR_RIGHTS "保有する権限" "Your rights";
}

/// What a page says after a form, by the code in its address. An unknown code says nothing.
pub fn done(code: &str) -> Option<&'static Text> {
    Some(match code {
        "created" => DONE_CREATED,
        "saved" => DONE_SAVED,
        "deleted" => DONE_DELETED,
        "disabled" => DONE_DISABLED,
        "enabled" => DONE_ENABLED,
        "unlocked" => DONE_UNLOCKED,
        "granted" => DONE_GRANTED,
        "revoked" => DONE_REVOKED,
        "password-changed" => DONE_PASSWORD_CHANGED,
        "password-set" => DONE_PASSWORD_SET,
        "factor-removed" => DONE_FACTOR_REMOVED,
        "session-ended" => DONE_SESSION_ENDED,
        "sessions-ended" => DONE_SESSIONS_ENDED,
        "token-ended" => DONE_TOKEN_ENDED,
        "consent-withdrawn" => DONE_WITHDRAWN,
        "signed-out" => DONE_SIGNED_OUT,
        "signed-out-everywhere" => DONE_SIGNED_OUT_EVERYWHERE,
        _ => return None,
    })
}

/// A policy section's heading; `None` for one that has none here, which is then shown by its name in the file.
pub fn section(name: &str) -> Option<&'static Text> {
    Some(match name {
        "passwords" => PASSWORD,
        "lockout" => RULE_LOCKOUT,
        "second_factor" => SECOND_FACTOR,
        "adaptive" => RISK,
        "sessions" => SESSIONS,
        "addresses" => ADDRESSES,
        "audit" => HISTORY,
        "encryption" => S_ENCRYPTION,
        "tenant_keys" => S_TENANT_KEYS,
        "switches" => FUNCTIONS,
        "unique_id" => CLIENTS,
        "tokens" => TOKENS,
        "oauth" => APPLICATIONS,
        "provisioning" => PROVISIONING,
        "door" => S_DOOR,
        "store" => S_STORE,
        "keys" => S_KEYS,
        "forward_auth" => VIA_FORWARD_AUTH,
        "tenant_policy" => POLICY,
        "waf" => FIREWALL,
        _ => return None,
    })
}

/// A field's name for people.
pub fn field(name: &str) -> Option<&'static Text> {
    Some(match name {
        "name" => NAME,
        "display_name" => DISPLAY_NAME,
        "mail" => MAIL,
        "type" => USER_TYPE,
        "site" => SITE,
        "password" => PASSWORD,
        "current" => CURRENT_PASSWORD,
        "new" | "new_password" => NEW_PASSWORD,
        "repeat" => REPEAT_PASSWORD,
        "code" => CODE,
        "recovery_code" => RECOVERY_CODE,
        "token" => LINK_TOKEN,
        "role" => ROLE,
        "rights" => RIGHTS,
        "network" => NETWORK,
        "note" => NOTE,
        "value" => VALUE,
        "off" => FUNCTIONS,
        "unique_id" => UNIQUE_ID,
        "days" => TOKEN_DAYS,
        "redirect_uris" => APP_REDIRECTS,
        "confidential" => APP_CONFIDENTIAL,
        "networks" => TOKEN_NETWORKS,
        "service" => SERVICE_ACCOUNT,
        "user" => SIGN_IN_NAME,
        "from" => FROM,
        "to" => TO,
        "actor" => ACTOR,
        "action" => ACTION,
        "result" => RESULT,
        "target" => TARGET,
        "text" => FREE_TEXT,
        "rule" => RULE,
        "part" => MATCHED_PART,
        "path" => PATH,
        "until" => LAST_DAY_OF,
        "reason" => REASON,
        "paranoia" => PARANOIA,
        "threshold" => BLOCKING_SCORE,
        "exclusion" => EXCLUSION,
        "medium_at" => RISK_MEDIUM_AT,
        "high_at" => RISK_HIGH_AT,
        "low" => RISK_IF_LOW,
        "medium" => RISK_IF_MEDIUM,
        _ => return None,
    })
}

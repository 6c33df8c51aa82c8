//! What can go wrong here, SK-4nnn. Each tells the cause and the remedy in both languages.

use sekisho_kernel::{Category, ProblemKind, Text};

macro_rules! problems {
    ($($(#[$doc:meta])* $c:ident $code:literal $name:literal $cat:ident $ja:literal $en:literal $rja:literal $ren:literal;)*) => {
        $($(#[$doc])* pub static $c: ProblemKind = ProblemKind {
            code: $code, name: $name, category: Category::$cat,
            title: Text::new($ja, $en), remedy: Text::new($rja, $ren),
        };)*
        /// Every problem of this crate.
        pub static ALL: &[&ProblemKind] = &[$(&$c),*];
    };
}

problems! {
    /// One and the same answer to every failed sign-in, whatever failed.
    SIGN_IN_FAILED "SK-4001" "sign-in-failed" Unauthenticated
        "サインインできませんでした。" "You could not be signed in."
        "名前、パスワード、コードを確かめてください。失敗が続くとアカウントはしばらくロックされます。"
        "Check name, password and code. Repeated failures lock the account for a while.";
    /// A challenge that has run out, is another host's, or has been overtaken.
    SIGN_IN_OVER "SK-4002" "sign-in-over" Unauthenticated
        "サインインの手続きの有効期限が切れました。" "This sign-in has run out."
        "サインインを最初からやり直してください。" "Start the sign-in again.";
    /// The queue for password hashes is full.
    BUSY "SK-4003" "sign-in-busy" TooMany
        "サインインの処理が混み合っています。" "Too many sign-ins are waiting."
        "しばらく待ってから、もう一度試してください。" "Wait a moment, then try again.";
    /// The password given to confirm an act was wrong, or the account is locked.
    WRONG_PASSWORD "SK-4004" "wrong-password" Forbidden
        "パスワードを確認できませんでした。" "The password could not be confirmed."
        "現在のパスワードを入力してください。失敗が続くとアカウントはしばらくロックされます。"
        "Enter your current password. Repeated failures lock the account for a while.";
    /// A new password breaks rules; the detail names each.
    PASSWORD_REFUSED "SK-4005" "password-refused" Invalid
        "このパスワードは使えません。" "This password cannot be used."
        "示された条件をすべて満たすパスワードを選んでください。" "Choose a password that meets every condition named.";
    /// The breached list cannot be read: no password is accepted unchecked.
    BREACHED_LIST "SK-4006" "breached-list-unreadable" Unavailable
        "漏えい済みパスワード一覧を読み込めないため、パスワードを設定できません。"
        "No password can be set, because the list of breached passwords cannot be read."
        "管理者へ連絡してください。管理者は passwords.breached_list のファイルを確かめてください。"
        "Tell your administrator, who should check the file at passwords.breached_list.";
    /// A one-time link that is unknown, used or run out.
    LINK_OVER "SK-4007" "link-over" Forbidden
        "このリンクは使えません。" "This link cannot be used."
        "リンクは 1 時間有効で、1 回だけ使えます。管理者に新しいリンクの発行を依頼してください。"
        "Links work once, within one hour. Ask your administrator for a new one.";
    /// The six digits did not confirm the new factor.
    CODE_WRONG "SK-4008" "code-wrong" Invalid
        "コードを確認できませんでした。" "The code could not be confirmed."
        "認証アプリに表示されている最新の 6 桁のコードを入力し、端末の時計が合っていることを確かめてください。"
        "Enter the newest six digits from your authenticator, and check that its clock is right.";
    /// Second factors are switched off by the policy.
    FACTORS_OFF "SK-4009" "factors-off" Forbidden
        "第 2 要素の登録は許可されていません。" "Second factors cannot be enrolled here."
        "必要な場合は、管理者にポリシーの変更を依頼してください。" "If you need one, ask your administrator to change the policy.";
    /// There is one already.
    FACTOR_EXISTS "SK-4010" "factor-exists" Conflict
        "第 2 要素はすでに登録されています。" "A second factor is enrolled already."
        "置き換える場合は、先に現在の第 2 要素を解除してください。" "To replace it, remove the present one first.";
    /// The last administrator.
    LAST_ADMINISTRATOR "SK-4012" "last-administrator" Conflict
        "最後の管理者を削除、停止、または変更することはできません。" "The last administrator cannot be removed, disabled or changed."
        "先に別の利用者を管理者にしてください。" "Make somebody else an administrator first.";
    /// Rights beyond one's own.
    BEYOND_OWN "SK-4013" "beyond-own-rights" Forbidden
        "自分が持たない権限を与えることはできません。" "You cannot give rights that you do not have yourself."
        "示された権限を持つ管理者に依頼してください。" "Ask an administrator who has the rights named.";
    /// The account has more rights than the person who would change it.
    ABOVE_OWN "SK-4014" "above-own-rights" Forbidden
        "自分より多くの権限を持つ利用者を変更することはできません。" "You cannot change somebody who has more rights than you."
        "より多くの権限を持つ管理者に依頼してください。" "Ask an administrator with more rights.";
    /// The role is granted to somebody.
    ROLE_IN_USE "SK-4015" "role-in-use" Conflict
        "このロールは付与されているため、削除できません。" "This role is granted to somebody and cannot be deleted."
        "先にすべての付与を剥奪してください。" "Take back every grant of it first.";
    /// The site has people or grants.
    SITE_IN_USE "SK-4016" "site-in-use" Conflict
        "この拠点には利用者または付与が残っているため、削除できません。" "People or grants still belong to this site, so it cannot be deleted."
        "先に利用者を別の拠点へ移し、拠点に限った付与を剥奪してください。" "Move its people to another site and take back its grants first.";
    /// The rule would lock out the person who sets it.
    LOCKS_YOU_OUT "SK-4017" "locks-you-out" Conflict
        "この設定では、現在の接続元自体が許可されなくなります。" "This would shut out the very address from which you are connected."
        "現在の接続元を含む範囲を先に追加してください。" "Add a range that contains your own address first.";
    /// Not a network.
    BAD_NETWORK "SK-4018" "bad-network" Invalid
        "アドレス範囲として読み取れません。" "This is not an address range."
        "192.0.2.0/24 や 2001:db8::/32 のように、ホスト部が 0 の CIDR 表記で入力してください。"
        "Write it in CIDR form with all host bits zero, such as 192.0.2.0/24 or 2001:db8::/32.";
    /// The name or mail is taken.
    NAME_TAKEN "SK-4019" "name-taken" Conflict
        "この名前またはメールアドレスはすでに使われています。" "This name or mail address is taken."
        "別の値を入力してください。" "Choose another.";
    /// A tenant has more people than a substring search may open.
    SEARCH_TOO_WIDE "SK-4020" "search-too-wide" Invalid
        "利用者が 10,000 人を超えるため、部分一致では検索できません。" "There are more than 10,000 people, too many for a search by part of a name."
        "サインイン名の完全一致で検索してください。" "Search by the exact sign-in name.";
    /// An unknown setting.
    UNKNOWN_SETTING "SK-4021" "unknown-setting" NotFound
        "そのような設定項目はありません。" "There is no such setting."
        "設定の一覧で項目名を確かめてください。" "Check the key in the list of settings.";
    /// A function or right that is not in the catalogue.
    UNKNOWN_NAME "SK-4024" "unknown-name" Invalid
        "カタログにない名前です。" "This name is not in the catalogue."
        "権限または機能の一覧にある名前を使ってください。" "Use a name from the list of rights or functions.";
    /// One's own account cannot be disabled or deleted.
    OWN_ACCOUNT "SK-4026" "own-account" Conflict
        "自分自身のアカウントには行えません。" "This cannot be done to your own account."
        "別の管理者に依頼してください。" "Ask another administrator.";
    /// Too many of a kind.
    TOO_MANY_RECORDS "SK-4027" "too-many-records" Conflict
        "登録できる件数の上限に達しています。" "The limit of records of this kind is reached."
        "使わなくなったものを削除してから、もう一度試してください。" "Delete what is no longer used, then try again.";
    /// The entry code is unknown, used, run out or another browser's.
    ENTRY_CODE_OVER "SK-4028" "entry-code-over" Unauthenticated
        "アプリケーションへの入場コードは使えません。" "This entry code cannot be used."
        "アプリケーションの画面を開き直してください。" "Open the application again.";
    /// One and the same answer to every signature that signs nobody in.
    SIGNATURE_REFUSED "SK-4030" "signature-refused" Unauthenticated
        "署名によるサインインはできませんでした。" "The signature signs nobody in."
        "クライアント ID、鍵、一意の ID、ホスト名、時刻を確かめ、新しいノンスで署名し直してください。詳しい理由は組織の操作履歴にあります。"
        "Check client id, key, unique ID, host name and clock, and sign anew with a fresh nonce. The organisation's history tells the reason.";
    /// People's own API tokens are switched off.
    TOKENS_OFF "SK-4031" "tokens-off" Forbidden
        "個人の API トークンは許可されていません。" "Personal API tokens are not allowed here."
        "必要な場合は、管理者にサービスアカウントのトークンを依頼してください。" "If you need one, ask an administrator for a service account's.";
    /// Only a service account has tokens that others issue.
    NO_SERVICE_ACCOUNT "SK-4032" "no-service-account" Invalid
        "サービスアカウントではありません。" "This is no service account."
        "サービスアカウントを作成して指定してください。個人のトークンは本人だけが発行できます。" "Make a service account and name it. A person's own tokens are issued by that person alone.";
    /// A service account does what only people do.
    SERVICE_ACCOUNT "SK-4033" "service-account" Invalid
        "サービスアカウントには行えません。" "This cannot be done to a service account."
        "サービスアカウントは一般ユーザーの種別で、API トークンだけを使います。権限はロールで付与してください。" "A service account is of the type user and has API tokens alone. Give it rights by roles.";
    /// A redirect address that is none of an application's, or cannot be one.
    BAD_REDIRECT "SK-4040" "bad-redirect" Invalid
        "この戻り先アドレスは使えません。" "This redirect address cannot be used."
        "https で始まり、ポート 443、ホスト名、フラグメントなしのアドレスを登録し、登録したとおりに指定してください。"
        "Register an address that is https on port 443, with a host name and no fragment, and send it exactly as registered.";
    /// An application that is unknown, not approved, or whose secret is wrong.
    OAUTH_CLIENT "SK-4041" "oauth-invalid-client" Unauthenticated
        "このアプリケーションは使えません。" "This application cannot be used."
        "クライアント ID と秘密を確かめてください。管理者が承認するまでは使えません。" "Check client id and secret. It works once an administrator has approved it.";
    /// A consent page that has run out.
    OAUTH_PAGE_OVER "SK-4042" "oauth-page-over" Conflict
        "この同意画面の有効期限が切れました。" "This consent page has run out."
        "アプリケーションから、もう一度始めてください。" "Start again from the application.";
    /// A code or refresh token that is unknown, used, run out or another client's.
    OAUTH_GRANT "SK-4043" "oauth-invalid-grant" Invalid
        "この認可コードまたはリフレッシュトークンは使えません。" "This code or refresh token cannot be used."
        "認可をはじめからやり直してください。" "Begin the authorisation again.";
    /// A scope beyond what was approved.
    OAUTH_SCOPE "SK-4044" "oauth-invalid-scope" Invalid
        "この範囲は許可されていません。" "This scope is not allowed."
        "承認された権限の名前を空白で区切って指定してください。" "Give names of approved rights, separated by spaces.";
    /// A grant type that this application may not use.
    OAUTH_NOT_ALLOWED "SK-4045" "oauth-unauthorized-client" Invalid
        "このアプリケーションには許可されていない方式です。" "This application may not use this grant."
        "client_credentials は、サービスアカウントで動くアプリケーションだけが使えます。" "client_credentials is for applications that act as a service account.";
    /// A request that the token endpoint cannot read.
    OAUTH_REQUEST "SK-4046" "oauth-invalid-request" Invalid
        "要求の項目が不足しているか、誤っています。" "A parameter is missing or wrong."
        "OAuth 2.1 の項目を確かめてください。" "Check the parameters against OAuth 2.1.";
    /// A grant type that there is not.
    OAUTH_KIND "SK-4047" "oauth-unsupported-grant-type" Invalid
        "この grant_type には対応していません。" "This grant_type is not supported."
        "authorization_code、refresh_token、client_credentials のいずれかを使ってください。" "Use authorization_code, refresh_token or client_credentials.";
    /// A pushed request that is unknown, used or run out.
    OAUTH_PUSH_OVER "SK-4140" "oauth-push-over" Invalid
        "この認可の要求は使えません。" "This request for authorisation cannot be used."
        "有効期限が切れたか、使用済みです。アプリケーションから、もう一度始めてください。" "It has run out or was used. Start again from the application.";
    /// More waits than a tenant may have waiting.
    OAUTH_MANY "SK-4141" "oauth-temporarily-unavailable" TooMany
        "処理待ちの要求が多すぎます。" "Too many requests are waiting."
        "しばらく待ってから、もう一度試してください。" "Wait a moment, then try again.";
    /// An access token that is none, or is no longer.
    OAUTH_TOKEN "SK-4142" "oauth-invalid-token" Unauthenticated
        "このアクセストークンは使えません。" "This access token cannot be used."
        "リフレッシュトークンで新しいトークンを取得してください。" "Get a new one with the refresh token.";
    /// An access token for which nobody has signed in.
    OAUTH_NARROW "SK-4143" "oauth-insufficient-scope" Forbidden
        "このアクセストークンでは利用者の情報を取得できません。" "This access token tells nothing of its person."
        "認可を求めるときに、scope へ openid を加えてください。" "Ask for the scope openid when you ask for authorisation.";
    /// A proof of possession that is not taken.
    DPOP_PROOF "SK-4144" "oauth-invalid-dpop-proof" Unauthenticated
        "鍵を持つことの証明（DPoP）が正しくありません。" "The proof of possession (DPoP) is missing or wrong."
        "要求ごとに新しい証明を作ってください。メソッド、アドレス、時刻、トークンのハッシュを確かめてください。" "Make a new one for each request, and check method, address, time and the token's hash.";
    /// A proof without a nonce of ours.
    DPOP_NONCE "SK-4145" "oauth-use-dpop-nonce" Unauthenticated
        "鍵を持つことの証明（DPoP）にサーバーのノンスが必要です。" "The proof of possession (DPoP) needs a nonce of this server's."
        "応答の DPoP-Nonce ヘッダーの値を nonce に入れて、もう一度送ってください。" "Put the value of the answer's DPoP-Nonce header into nonce, and send it again.";
    /// A device's code that nobody shows.
    DEVICE_CODE "SK-4146" "device-code" Invalid
        "このコードは使えません。" "This code cannot be used."
        "機器に表示されているコードを確かめてください。有効期限が切れている場合は、機器で最初からやり直してください。" "Check the code that the device shows. If it has run out, start again on the device.";
    /// Too many wrong codes.
    DEVICE_TRIES "SK-4147" "device-tries" TooMany
        "コードの誤りが続いたため、しばらく入力できません。" "Too many wrong codes: you have to wait for a while."
        "しばらく待ってから、機器で新しいコードを表示させてください。" "Wait a while, then have the device show a new code.";
    /// The person has not decided yet.
    DEVICE_PENDING "SK-4148" "oauth-authorization-pending" Invalid
        "利用者がまだ許可していません。" "The person has not decided yet."
        "interval の秒数を待って、もう一度問い合わせてください。" "Ask again after as many seconds as interval says.";
    /// A device that asks too often.
    DEVICE_SLOW "SK-4149" "oauth-slow-down" Invalid
        "問い合わせの間隔が短すぎます。" "The device asks too often."
        "間隔を 5 秒延ばしてください。" "Wait five seconds longer between two questions.";
    /// A device's code that has run out.
    DEVICE_EXPIRED "SK-4150" "oauth-expired-token" Invalid
        "機器のコードの有効期限が切れました。" "The device's code has run out."
        "最初からやり直してください。" "Start again.";
    /// The person has said no.
    DEVICE_DENIED "SK-4151" "oauth-access-denied" Invalid
        "利用者が許可しませんでした。" "The person has not allowed it."
        "必要であれば、利用者に確かめてから最初からやり直してください。" "Ask the person, and start again if need be.";
    /// One and the same answer to whatever a provider's answer was refused for.
    PROVIDER_REFUSED "SK-4050" "provider-refused" Unauthenticated
        "ID プロバイダーでのサインインを確認できませんでした。" "The sign-in at the identity provider could not be confirmed."
        "サインインを最初からやり直してください。続く場合は管理者へ連絡してください。詳しい理由は組織の操作履歴にあります。"
        "Start the sign-in again. If it goes on, tell your administrator: the organisation's history says why.";
    /// One and the same answer to whatever a provider's logout message was refused for.
    LOGOUT_REFUSED "SK-4160" "provider-logout-refused" Unauthenticated
        "ID プロバイダーからのサインアウトの通知を確認できませんでした。" "The identity provider's word on signing out could not be confirmed."
        "こちらで直接サインアウトしてください。続く場合は管理者へ連絡してください。詳しい理由は組織の操作履歴にあります。"
        "Sign out here. If it goes on, tell your administrator: the organisation's history says why.";
    /// The provider does not answer, or not as it should.
    PROVIDER_DOWN "SK-4051" "provider-unreachable" Unavailable
        "ID プロバイダーに接続できません。" "The identity provider cannot be reached."
        "しばらくしてから、もう一度試してください。続く場合は管理者へ連絡してください。管理者は ID プロバイダーの画面で接続を確認できます。"
        "Try again in a while. If it goes on, tell your administrator, who can test the connection on the provider's page.";
    /// Nobody here is that subject, and the provider makes no accounts.
    NO_ACCOUNT "SK-4053" "provider-no-account" Forbidden
        "この ID に対応するアカウントがありません。" "There is no account for this identity."
        "すでにアカウントがある場合は、そのアカウントでサインインし、アカウントの画面で ID プロバイダーと対応付けてください。ない場合は管理者へ連絡してください。"
        "If you have an account here, sign in to it and link the provider on your account's page. If not, ask your administrator.";
    /// The name is an account's already, which only its own sign-in can link.
    NAME_HAS_ACCOUNT "SK-4054" "provider-name-taken" Forbidden
        "同じ名前のアカウントがすでにあります。" "There is an account of this name already."
        "ご自身のアカウントであれば、そのアカウントでサインインし、アカウントの画面で ID プロバイダーと対応付けてください。"
        "If it is yours, sign in to it and link the provider on your account's page.";
    /// Nothing else would let the person in.
    LAST_WAY_IN "SK-4055" "last-way-in" Conflict
        "これを解除すると、サインインする方法がなくなります。" "Without it you could not sign in any more."
        "先に、パスキーを登録するか、管理者が発行するリンクからパスワードを設定してください。"
        "First register another passkey, or set a password by a link that an administrator issues.";
    /// Linking needs a sign-in that is fresh.
    SIGN_IN_AGAIN "SK-4056" "sign-in-again" Forbidden
        "この操作には、10 分以内のサインインが必要です。" "This needs a sign-in within the last ten minutes."
        "サインアウトしてもう一度サインインし、やり直してください。" "Sign out, sign in again, and repeat it.";
    /// The record that proves control of a domain is not there.
    DOMAIN_UNPROVEN "SK-4057" "mail-domain-unproven" Conflict
        "メールドメインの管理を確認できませんでした。" "Control of the mail domain could not be proven."
        "示された TXT レコードを DNS に登録し、反映されてからもう一度確認してください。" "Put the TXT record shown into DNS and try again once it can be seen.";
    /// The domain leads to another tenant.
    DOMAIN_ELSEWHERE "SK-4058" "mail-domain-taken" Conflict
        "このメールドメインは別の組織で使われています。" "This mail domain is another organisation's."
        "心当たりがない場合は、サービスの運営者へ連絡してください。" "If you do not know of one, tell the operator of the service.";
    /// The subject or the account is linked already.
    LINKED_ALREADY "SK-4059" "linked-already" Conflict
        "この ID またはアカウントは、すでに対応付けられています。" "This identity, or this account, is linked already."
        "アカウントの画面で現在の対応付けを確かめてください。" "See what is linked on your account's page.";
    /// The policy takes no passkeys.
    PASSKEYS_OFF "SK-4070" "passkeys-off" Forbidden
        "パスキーは、この使い方では許可されていません。" "Passkeys are not allowed for this."
        "パスワードでサインインするか、管理者に相談してください。" "Sign in with your password, or ask your administrator.";
    /// A registration that proves nothing.
    PASSKEY_REFUSED "SK-4071" "passkey-refused" Invalid
        "パスキーを登録できませんでした。" "The passkey could not be registered."
        "もう一度始めてください。続く場合は、別の認証器かブラウザーを試してください。" "Start again. If it goes on, try another authenticator or browser.";
    /// A registration by an authenticator that the organisation does not accept.
    PASSKEY_MODEL "SK-4072" "passkey-model" Invalid
        "この認証器は、組織のポリシーで認められていません。" "Your organisation does not accept this authenticator."
        "認められた機種を使うか、管理者に相談してください。" "Use one that is accepted, or ask your administrator.";
    /// The credential is registered already.
    PASSKEY_EXISTS "SK-4073" "passkey-exists" Conflict
        "このパスキーはすでに登録されています。" "This passkey is registered already."
        "別の認証器で登録してください。" "Register another authenticator.";
    /// The challenge is unknown, used, run out or another browser's.
    PASSKEY_OVER "SK-4074" "passkey-over" Conflict
        "パスキーの要求の有効期限が切れました。" "This passkey request has run out."
        "もう一度始めてください。" "Start again.";
    /// A passkey that does not prove who is there.
    PASSKEY_WRONG "SK-4076" "passkey-wrong" Forbidden
        "パスキーを確認できませんでした。" "The passkey could not be confirmed."
        "登録したパスキーで、もう一度試してください。失敗が続くとアカウントはしばらくロックされます。"
        "Try again with a passkey that you have registered. Repeated failures lock the account for a while.";
    /// A SCIM body that is no resource, or no request, of its kind.
    SCIM_SYNTAX "SK-4090" "scim-invalid-syntax" Invalid
        "SCIM の要求として読み取れません。" "This is not a SCIM request of this kind."
        "JSON の形と schemas を RFC 7643、RFC 7644 に照らして確かめてください。" "Check the JSON and its schemas against RFC 7643 and RFC 7644.";
    /// A filter that cannot be read, or compares what cannot be compared.
    SCIM_FILTER "SK-4091" "scim-invalid-filter" Invalid
        "このフィルターは使えません。" "This filter cannot be used."
        "userName eq \"taro\" のように、RFC 7644 の 3.4.2.2 節に従って指定してください。" "Write it as in RFC 7644 section 3.4.2.2, such as userName eq \"taro\".";
    /// A path that no schema has.
    SCIM_PATH "SK-4092" "scim-invalid-path" Invalid
        "この属性の指定は使えません。" "This attribute path cannot be used."
        "サービスの /Schemas にある属性を指定してください。" "Name an attribute of this service's /Schemas.";
    /// A PATCH operation that finds nothing to do something with.
    SCIM_NO_TARGET "SK-4093" "scim-no-target" Invalid
        "変更の対象がありません。" "There is nothing at that path to change."
        "path とそのフィルターを確かめてください。" "Check the path and its filter.";
    /// A value that does not fit its attribute.
    SCIM_VALUE "SK-4094" "scim-invalid-value" Invalid
        "この値は使えません。" "This value cannot be used."
        "示された属性の値を直してください。" "Correct the value of the attribute named.";
    /// An attribute that clients do not write, or that must stay.
    SCIM_MUTABILITY "SK-4095" "scim-mutability" Invalid
        "この属性は変更または削除できません。" "This attribute cannot be changed or removed."
        "読み取り専用または必須の属性です。要求から外してください。" "It is read-only or required. Leave it out of the request.";
    /// A search over more than may be opened.
    SCIM_TOO_MANY "SK-4096" "scim-too-many" Invalid
        "対象が多すぎるため、この条件では検索できません。" "There are too many resources to search in this way."
        "userName、externalId、id のいずれかの完全一致で検索してください。" "Search by userName, externalId or id with eq.";
    /// The version named is no longer the resource's.
    SCIM_VERSION "SK-4097" "scim-version" Conflict
        "読み取った後に変更されています。" "It has changed since it was read."
        "最新の内容を取得し、その ETag で試してください。" "Read it again and use the new ETag.";
    /// The policy has SCIM switched off.
    SCIM_OFF "SK-4098" "scim-off" Forbidden
        "SCIM による連携は許可されていません。" "Provisioning by SCIM is switched off."
        "必要な場合は、ポリシーの provisioning.scim を変更してください。" "If you need it, change provisioning.scim in the policy.";
    /// A subject that is somebody's already.
    SUBJECT_TAKEN "SK-4170" "subject-taken" Conflict
        "この利用者の識別子は、すでに別のアカウントに対応しています。" "This subject is another account's already."
        "externalId を確かめてください。対応を変えるには、管理者が古い対応を削除します。"
        "Check the externalId. To move it, an administrator first deletes the old link.";
    /// A grant that a provisioned group gives.
    GROUP_GRANT "SK-4099" "group-grant" Conflict
        "このロールは連携グループから付与されています。" "This role comes from a provisioned group."
        "グループから外すか、グループとロールの対応付けを変更してください。" "Take the person out of the group, or change what the group gives.";
    /// A relation of the same two sides is there and has not ended.
    RELATION_THERE "SK-4180" "relation-there" Conflict
        "この 2 者の関係はすでに登録されています。" "These two have a relation already."
        "期間を変えるには、今の関係を終了してから登録し直してください。" "To change its dates, end the one that is there and add it anew.";
    /// One person on both sides.
    RELATION_TO_ONESELF "SK-4181" "relation-to-oneself" Invalid
        "同じ人どうしの関係は登録できません。" "A person has no relation to themselves."
        "もう一方に、別の人、ロールまたは拠点を指定してください。" "Name another person, a role or a site on the other side.";
    /// It ends before it starts, or has ended.
    RELATION_DATES "SK-4182" "relation-dates" Invalid
        "関係の期間が正しくありません。" "The relation's dates do not fit."
        "終了は、開始よりも現在よりも後にしてください。" "It must end after it starts, and not before now.";
    /// It has ended.
    RELATION_OVER "SK-4183" "relation-over" Conflict
        "この関係はすでに終了しています。" "This relation has ended already."
        "再び連絡できるようにするには、新しく登録してください。" "Add a new one if they are to reach each other again.";
    /// The policy has sign-in by password switched off.
    PASSWORDS_OFF "SK-4184" "passwords-off" Forbidden
        "パスワードによるサインインは無効になっています。" "Sign-in by password is switched off."
        "組織の ID プロバイダーまたはパスキーを使ってください。どちらも使えない場合は、組織の管理者に連絡してください。"
        "Use your organisation's identity provider or a passkey. If you have neither, ask your administrator.";
    /// Nobody could administer any more.
    NO_OTHER_WAY "SK-4185" "no-other-way-in" Conflict
        "パスワードのほかにサインインする方法を持つ管理者がいなくなります。" "No administrator would be left who can come in without a password."
        "先に、管理者の 1 人がパスキーを登録するか、有効な ID プロバイダーと対応付けてください。締め出された場合は、ホストで `sekisho admin recover` を実行します。"
        "First let an administrator register a passkey, or link an identity provider that is enabled. Should everybody be shut out, `sekisho admin recover` on the host lets one in.";
    /// There is something nearer to prove by who is there.
    CONFIRM_OTHERWISE "SK-4200" "confirm-otherwise" Conflict
        "ID プロバイダーでの確認は、パスワードもパスキーもないアカウントのためのものです。" "Confirming at a provider is for accounts that have neither a password nor a passkey."
        "パスワードまたは登録済みのパスキーで確認してください。" "Confirm with your password or a passkey that you have registered.";
    /// The provider has signed in somebody whom it is not linked to.
    CONFIRM_ANOTHER "SK-4201" "confirm-another" Forbidden
        "このアカウントに対応付けられた ID での確認ではありません。" "This is not the identity that is linked to this account."
        "対応付けられた ID プロバイダーで、いつも使う ID によりサインインし直してください。" "Sign in at the linked identity provider with the identity that you always use.";
    /// The provider has not asked the person to sign in anew, or does not say so.
    CONFIRM_STALE "SK-4202" "confirm-stale" Forbidden
        "ID プロバイダーで改めてサインインしたことを確認できませんでした。" "The identity provider does not say that you have signed in anew."
        "もう一度試してください。繰り返す場合は、ID プロバイダーが auth_time を返すように設定するよう、管理者に依頼してください。"
        "Try again. Should it happen again, ask your administrator to have the provider send auth_time.";
    /// Nothing was given that proves who is there.
    CONFIRM_FIRST "SK-4203" "confirm-first" Forbidden
        "先に本人確認が必要です。" "Confirm first that it is you."
        "パスワードを入力するか、ID プロバイダーで確認し、5 分以内にやり直してください。" "Give your password, or confirm at your identity provider, and repeat it within five minutes.";
    /// A host name is registered already or is none.
    BAD_HOST "SK-4029" "bad-host" Invalid
        "このホスト名は登録できません。" "This host name cannot be registered."
        "小文字の英数字、ハイフン、ピリオドからなる、未登録のホスト名を指定してください。"
        "Give a host name of lower-case letters, digits, hyphens and dots that is not registered yet.";
    /// A database of places or a list of addresses cannot be read.
    LOCATION_DATA "SK-4060" "location-data" Unavailable
        "位置データベースまたはアドレスのリストを読み取れません。" "A location database or a list of addresses cannot be read."
        "ポリシーの adaptive に指定したファイルを確かめてください。" "Check the files that the policy names under adaptive.";
    /// A replay was asked for with a setting that it cannot try.
    NO_REPLAY "SK-4061" "replay-setting" Invalid
        "この設定は過去のサインインで試せません。" "This setting cannot be tried on past sign-ins."
        "しきい値、点数、処置、ヒステリシスおよび速度を指定してください。" "Give thresholds, points, actions, hysteresis and speed.";
}

//! Adaptive sign-in: a sign-in is judged by what is known of person, address and moment (IDO-43).
//!
//! This folder holds the figures. The judging, and what it looks at, is the sign-in engine's.

mod paper;
mod probe;

use sekisho_kernel::{
    Effective, Setting, TakenOut, Text,
    claim::ClaimSpec,
    gate::{AdaptiveMode, AdaptiveRule, RiskAction, RiskPoints},
    policy::{Default, Kind, Movement},
};

use crate::control::{Declared, WEEK};

const ACTIONS: &[&str] = &["allow", "step_up", "block"];

macro_rules! settings {
    ($($c:ident $key:literal $kind:expr, $default:expr, $movement:ident, $ja:literal $en:literal;)*) => {
        $(#[doc = $en] pub static $c: Setting = Setting {
            key: concat!("adaptive.", $key), kind: $kind, default: $default, tenant: Movement::$movement,
            doc: Text::new($ja, $en),
        };)*
        static SETTINGS: &[&Setting] = &[$(&$c),*];
    };
}

const fn points() -> Kind {
    Kind::Int { min: 0, max: 100 }
}

settings! {
    MODE "mode" Kind::Choice(&["off", "watch", "on"]), Default::Str("on"), Fixed,
        "サインインのリスクを判定するかどうか。watch は判定して記録するだけで、処置をしません。"
        "Whether the risk of sign-ins is judged. `watch` judges and enters, and acts on nothing.";
    LOW "low" Kind::Choice(ACTIONS), Default::Str("allow"), Max,
        "リスクが低いサインインの処置。step_up は追加認証を求め、block は拒否します。"
        "What low risk leads to. `step_up` asks for more than the password, `block` refuses.";
    MEDIUM "medium" Kind::Choice(ACTIONS), Default::Str("step_up"), Max,
        "リスクが中程度のサインインの処置。" "What medium risk leads to.";
    HIGH "high" Kind::Choice(ACTIONS), Default::Str("block"), Fixed,
        "リスクが高いサインインの処置。" "What high risk leads to.";
    MEDIUM_AT "medium_at" Kind::Int { min: 1, max: 100 }, Default::Int(40), Min,
        "リスクを中程度とみなす点数。" "The score from which risk is medium.";
    HIGH_AT "high_at" Kind::Int { min: 1, max: 200 }, Default::Int(80), Min,
        "リスクを高いとみなす点数。" "The score from which risk is high.";
    HYSTERESIS "hysteresis" Kind::Int { min: 0, max: 100 }, Default::Int(20), Fixed,
        "一度達したリスクの程度は、点数がしきい値をこの値だけ下回るまで続きます。"
        "A level that was reached lasts until the score falls this far below its threshold.";
    CALM "calm" Kind::Span { min: 60, max: 7 * 86_400 }, Default::Secs(3_600), Fixed,
        "達したリスクの程度を覚えておく時間。サインインが完了すると忘れます。"
        "How long a level that was reached is remembered. A sign-in that is completed ends it.";
    NEW_DEVICE "new_device" points(), Default::Int(20), Fixed,
        "本人が使ったことのない端末（ブラウザー）の点数。" "Points of a browser that has not signed the person in before.";
    NEW_NETWORK "new_network" points(), Default::Int(20), Fixed,
        "本人が使ったことのないネットワーク（/24、/48 または自律システム）の点数。"
        "Points of a network (/24, /48, or autonomous system) from which the person has not signed in before.";
    TRAVEL "travel" points(), Default::Int(40), Fixed,
        "前回の場所から移動できない距離にある新しいネットワークの点数。"
        "Points of a new network that is farther from the last place than anybody travels in the time.";
    VELOCITY "velocity" points(), Default::Int(40), Fixed,
        "アカウントまたは接続元の失敗が多いときの点数。接続元による点数は、本人の端末では半分になります。"
        "Points of many failures of the account or the address. Those of the address count half from the person's own browser.";
    SPRAYING "spraying" points(), Default::Int(80), Fixed,
        "ひとつの接続元から多数のアカウントが試されているときの点数。本人の端末では半分になります。"
        "Points of an address that tries many accounts. They count half from the person's own browser.";
    LISTED_POINTS "listed_points" points(), Default::Int(80), Fixed,
        "登録済みのアドレスの点数。" "Points of a listed address.";
    TRAVEL_SPEED "travel_speed" Kind::Int { min: 100, max: 40_000 }, Default::Int(1_000), Fixed,
        "これを超える速さでは移動できないとみなす速度（km/h）。" "Kilometres an hour beyond which nobody travels.";
    WINDOW "window" Kind::Span { min: 60, max: 86_400 }, Default::Secs(3_600), Fixed,
        "失敗を数える時間。最後の失敗から、この時間が過ぎると忘れます。"
        "Over which time failures are counted: they are forgotten this long after the last one.";
    ACCOUNT_TRIES "account_tries" Kind::Int { min: 1, max: 1_000 }, Default::Int(10), Fixed,
        "アカウントの失敗が多いとみなす回数。" "Failures of one account that count as many.";
    ADDRESS_TRIES "address_tries" Kind::Int { min: 1, max: 10_000 }, Default::Int(60), Fixed,
        "接続元の失敗が多いとみなす回数。すべての組織を合わせて数えます。"
        "Failures from one address that count as many, over all organisations.";
    SPRAY_NAMES "spray_names" Kind::Int { min: 2, max: 200 }, Default::Int(10), Fixed,
        "ひとつの接続元からの試行を、スプレーとみなすアカウントの数。すべての組織を合わせて数えます。"
        "Accounts tried in vain from one address that count as spraying, over all organisations.";
    SPRAY_CLEAR "spray_clear" Kind::Int { min: 1, max: 200 }, Default::Int(5), Fixed,
        "スプレーとみなした接続元を、アカウントの数がこれを下回るまでスプレーとみなし続けます。"
        "An address that sprayed counts as spraying until it has fewer accounts than this.";
    LOCATION_DB "location_db" Kind::Path, Default::Str(""), Inner,
        "場所のデータベース（MaxMind DB 形式、City 系）のファイル。指定がなければ、移動は判定しません。"
        "The file of a database of places (MaxMind DB format, City family). Without one travel is not judged.";
    NETWORK_DB "network_db" Kind::Path, Default::Str(""), Inner,
        "自律システムのデータベース（MaxMind DB 形式、ASN 系）のファイル。"
        "The file of a database of autonomous systems (MaxMind DB format, ASN family).";
    LISTED_FILE "listed_file" Kind::Path, Default::Str(""), Inner,
        "危険なアドレスのリストのファイル。1 行にひとつのアドレスまたは範囲を書きます。"
        "A file of bad addresses: an address or a network on each line.";
    LISTED "listed" Kind::Networks, Default::List(&[]), Beside,
        "危険なアドレスの範囲。ファイルのリストに加わります。" "Networks of bad addresses, beside the file's.";
    WITHOUT_LOCATION "without_location" Kind::Choice(&["allow", "step_up"]), Default::Str("step_up"), Fixed,
        "指定したデータベースまたはリストを読み取れない間の、最低限の処置。"
        "The least that happens while a database or list that is named cannot be read.";
    WITHOUT_FACTOR "without_factor" Kind::Choice(&["password", "block"]), Default::Str("password"), Fixed,
        "第 2 要素のないアカウントの追加認証。password はパスワードの再入力を求め、block は拒否します。"
        "What a step-up is for an account without a second factor: the password once more, or a refusal.";
}

/// Adaptive authentication blocks suspicious sign-ins by itself.
pub static IDO_43: ClaimSpec = ClaimSpec {
    id: "IDO-43",
    clauses: &[
        "new-device-and-network",
        "impossible-travel",
        "spraying",
        "listed-address",
        "ordinary-week",
        "nothing-revealed",
        "decisions-entered",
    ],
    fresh_secs: WEEK,
    negative: TakenOut::AdaptiveSignIn,
    negative_clause: "new-device-and-network",
    live: false,
};

/// The control.
pub static CONTROL: Declared = Declared {
    section: "adaptive",
    text: Text::new(
        "サインインのリスクを、端末、ネットワーク、移動、試行の多さから判定し、追加認証を求めるか、拒否します。",
        "Judges each sign-in by device, network, travel and tries, and steps up or blocks what is suspicious.",
    ),
    settings: SETTINGS,
    claims: &[&IDO_43],
    probes: probe::probes,
    paper: &paper::PAPER,
};

fn action(policy: &Effective, setting: &'static Setting) -> RiskAction {
    match policy.str(setting).as_str() {
        "allow" => RiskAction::Allow,
        "step_up" | "password" => RiskAction::StepUp,
        _ => RiskAction::Block,
    }
}

/// The rule in force; taken out, nothing is judged.
pub(crate) fn rule(policy: &Effective, out: Option<TakenOut>) -> AdaptiveRule {
    if out == Some(TakenOut::AdaptiveSignIn) {
        return AdaptiveRule::OFF;
    }
    let number = |setting: &'static Setting| u32::try_from(policy.int(setting)).unwrap_or(0);
    AdaptiveRule {
        mode: match policy.str(&MODE).as_str() {
            "off" => AdaptiveMode::Off,
            "watch" => AdaptiveMode::Watch,
            _ => AdaptiveMode::On,
        },
        actions: [action(policy, &LOW), action(policy, &MEDIUM), action(policy, &HIGH)],
        medium_at: number(&MEDIUM_AT),
        high_at: number(&HIGH_AT),
        hysteresis: number(&HYSTERESIS),
        calm: policy.span(&CALM),
        points: RiskPoints {
            device: number(&NEW_DEVICE),
            network: number(&NEW_NETWORK),
            travel: number(&TRAVEL),
            velocity: number(&VELOCITY),
            spraying: number(&SPRAYING),
            listed: number(&LISTED_POINTS),
        },
        window: policy.span(&WINDOW),
        account_tries: number(&ACCOUNT_TRIES),
        address_tries: number(&ADDRESS_TRIES),
        spray_names: number(&SPRAY_NAMES),
        spray_clear: number(&SPRAY_CLEAR),
        travel_speed: number(&TRAVEL_SPEED),
        location_db: policy.path(&LOCATION_DB),
        network_db: policy.path(&NETWORK_DB),
        listed_file: policy.path(&LISTED_FILE),
        listed: policy.networks(&LISTED),
        without_location: action(policy, &WITHOUT_LOCATION),
        without_factor: action(policy, &WITHOUT_FACTOR),
    }
}

use std::time::Duration;

use sekisho_controls::{passwords, second_factor};
use sekisho_identity::{
    problems as p, totp,
    types::{FactorProof, SignInStep},
};
use sekisho_kernel::{Cx, Secret, TakenOut, access::UserType, policy::Value};

use crate::house::{House, PASSWORD, browser, code, done, each, each_under, new_user, secret, with};

/// Enrols an authenticator for a signed-in person; its secret and recovery codes.
pub async fn enrol(house: &House, cx: &Cx) -> (Secret<String>, Vec<Secret<String>>) {
    let enrolment = house.node.enrol_factor(cx).await.expect("enrolment");
    let code = totp::code(&enrolment.secret, house.now()).expect("a code");
    let codes = house.node.confirm_factor(cx, enrolment.id, secret(&code)).await.expect("confirmed");
    house.pass(Duration::from_secs(60));
    (enrolment.secret, codes)
}

pub fn challenge(step: Result<SignInStep, sekisho_kernel::Problem>) -> Secret<String> {
    match step.expect("a step") {
        SignInStep::SecondFactor(c)
        | SignInStep::PasswordAgain(c)
        | SignInStep::PasswordChange(c)
        | SignInStep::EnrolFactor(c) => c,
        SignInStep::SignedIn(_) => panic!("signed in without the further step"),
    }
}

#[tokio::test]
async fn the_right_password_signs_in_and_is_entered_once() {
    each(|house| async move {
        let before = house.history().await.len();
        let signed_in = house.signed_in("admin").await;
        assert_eq!(signed_in.user.id, house.admin);
        assert_eq!(signed_in.token.reveal().len(), 43);
        let rows = house.history().await;
        let new: Vec<_> =
            rows[before..].iter().map(|r| (r.event.as_str(), r.outcome.name(), r.object.as_str())).collect();
        assert_eq!(new, [("session.sign_in", "success", house.admin.to_string().as_str())]);
        let passage = house.passage(&signed_in.token).await.expect("a passage");
        assert_eq!((passage.user, passage.session), (house.admin, signed_in.session));
        assert_eq!(*passage.roles, ["administrator".to_owned()]);
    })
    .await;
}

#[tokio::test]
async fn the_name_is_compared_as_people_see_it() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        house.person(&cx, "Tarō.山田", UserType::User, None).await;
        for name in ["Tarō.山田", "TARŌ.山田", " ｔａｒō.山田 "] {
            assert!(matches!(house.sign_in_as(name, PASSWORD).await, Ok(SignInStep::SignedIn(_))), "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn every_failure_has_one_answer() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let off = house.person(&cx, "off", UserType::User, None).await;
        house.node.disable_user(&cx, off.id).await.expect("disabled");
        house.node.create_user(&cx, new_user("invited", UserType::User, None, None)).await.expect("invited");
        let mut answers = Vec::new();
        for (name, password) in [
            ("admin", "wrong"),
            ("nobody", PASSWORD),
            ("off", PASSWORD),
            ("invited", PASSWORD),
            ("", ""),
            ("admin", ""),
        ] {
            let problem = house.sign_in_as(name, password).await.expect_err("refused");
            answers.push(format!("{problem:?}"));
        }
        let long = "x".repeat(5_000);
        answers.push(format!("{:?}", house.sign_in_as(&long, "p").await.expect_err("refused")));
        answers.push(format!("{:?}", house.sign_in_as("admin", &long).await.expect_err("refused")));
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert!(answers[0].starts_with("SK-4001"));
    })
    .await;
}

#[tokio::test]
async fn with_a_second_factor_the_password_alone_yields_nothing() {
    each(|house| async move {
        let (shared, _) = enrol(&house, &house.admin_cx().await).await;
        let sessions = house.count("SELECT COUNT(*) FROM user_session").await;
        let c = challenge(house.sign_in_as("admin", PASSWORD).await);
        assert_eq!(house.count("SELECT COUNT(*) FROM user_session").await, sessions);
        assert_eq!(code(house.passage(&c).await), "SK-0007", "a challenge is no token");
        let digits = totp::code(&shared, house.now()).expect("a code");
        let (here, browser) = (house.here().await, browser());
        let proof = || FactorProof::Code(secret(&digits));
        let signed_in = done(house.node.sign_in_factor(&here, &browser, &c, proof()).await);
        assert!(signed_in.user.has_factor);
        // The same code again, on a sign-in of its own.
        let c = challenge(house.sign_in_as("admin", PASSWORD).await);
        house.tick();
        assert_eq!(code(house.node.sign_in_factor(&here, &browser, &c, proof()).await), "SK-4001");
        let rows = house.history().await;
        let last = rows.last().expect("an entry");
        assert_eq!((last.event.as_str(), last.outcome.name()), ("session.sign_in", "refused"));
    })
    .await;
}

#[tokio::test]
async fn a_code_works_once_even_at_the_same_time_on_two_nodes() {
    each(|house| async move {
        let (shared, _) = enrol(&house, &house.admin_cx().await).await;
        let other = house.second().await;
        let (one, two) = (
            challenge(house.sign_in_as("admin", PASSWORD).await),
            challenge(house.sign_in_as("admin", PASSWORD).await),
        );
        let digits = totp::code(&shared, house.now()).expect("a code");
        let (here, browser) = (house.here().await, browser());
        let proof = || FactorProof::Code(secret(&digits));
        let (a, b) = tokio::join!(
            house.node.sign_in_factor(&here, &browser, &one, proof()),
            other.sign_in_factor(&here, &browser, &two, proof())
        );
        assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1);
    })
    .await;
}

#[tokio::test]
async fn without_the_replay_check_a_code_works_twice_and_without_the_factor_nobody_is_asked() {
    each_under(crate::house::defaults(), Some(TakenOut::CodeReplay), |house| async move {
        let (shared, _) = enrol(&house, &house.admin_cx().await).await;
        let digits = totp::code(&shared, house.now()).expect("a code");
        for _ in 0..2 {
            let c = challenge(house.sign_in_as("admin", PASSWORD).await);
            let proof = FactorProof::Code(secret(&digits));
            done(house.node.sign_in_factor(&house.here().await, &browser(), &c, proof).await);
        }
    })
    .await;
    each_under(crate::house::defaults(), Some(TakenOut::SecondFactor), |house| async move {
        enrol(&house, &house.admin_cx().await).await;
        house.signed_in("admin").await;
    })
    .await;
}

#[tokio::test]
async fn a_recovery_code_works_once() {
    each(|house| async move {
        let (_, codes) = enrol(&house, &house.admin_cx().await).await;
        assert_eq!(codes.len(), 10);
        let try_code = async |text: &str| {
            let c = challenge(house.sign_in_as("admin", PASSWORD).await);
            let proof = FactorProof::Recovery(secret(text));
            house.node.sign_in_factor(&house.here().await, &browser(), &c, proof).await
        };
        done(try_code(codes[0].reveal()).await);
        assert_eq!(code(try_code(codes[0].reveal()).await), "SK-4001");
        done(try_code(&codes[1].reveal().to_lowercase().replace('-', " ")).await);
        let left = house.node.factors(&house_cx(&house, try_code(codes[2].reveal()).await).await).await;
        assert_eq!(left.expect("factors")[0].recovery_left, 7);
    })
    .await;
}

async fn house_cx(house: &House, step: Result<SignInStep, sekisho_kernel::Problem>) -> Cx {
    house.passage(&done(step).token).await.expect("a passage").cx.clone()
}

#[tokio::test]
async fn challenges_are_bound_to_host_time_stage_and_password() {
    each(|house| async move {
        let (shared, _) = enrol(&house, &house.admin_cx().await).await;
        house.tenant("other").await;
        let c = challenge(house.sign_in_as("admin", PASSWORD).await);
        let proof = || FactorProof::Code(secret(&totp::code(&shared, house.now()).expect("a code")));
        let here = house.here().await;
        let elsewhere = house.knock_at("other").await;
        let at = |knock| {
            let (node, c) = (house.node.clone(), c.clone());
            let proof = proof();
            async move { node.sign_in_factor(&knock, &browser(), &c, proof).await }
        };
        assert_eq!(code(at(elsewhere).await), p::SIGN_IN_OVER.code);
        assert_eq!(code(at(house.app_knock().await).await), p::SIGN_IN_OVER.code);
        let wrong_stage = house.node.sign_in_password(&here, &browser(), &c, secret("another password 1")).await;
        assert_eq!(code(wrong_stage), p::SIGN_IN_OVER.code);
        for text in ["", "nonsense", &"A".repeat(10_000)] {
            let bad = house.node.sign_in_factor(&here, &browser(), &secret(text), proof()).await;
            assert_eq!(code(bad), p::SIGN_IN_OVER.code);
        }
        house.pass(Duration::from_secs(601));
        assert_eq!(code(at(here).await), p::SIGN_IN_OVER.code);
    })
    .await;
}

#[tokio::test]
async fn a_challenge_is_overtaken_by_a_new_password() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        let (shared, _) = enrol(&house, &cx).await;
        let c = challenge(house.sign_in_as("admin", PASSWORD).await);
        house.node.change_password(&cx, secret(PASSWORD), secret("another long password")).await.expect("changed");
        let proof = FactorProof::Code(secret(&totp::code(&shared, house.now()).expect("a code")));
        assert_eq!(code(house.node.sign_in_factor(&house.here().await, &browser(), &c, proof).await), "SK-4001");
    })
    .await;
}

#[tokio::test]
async fn a_password_that_has_run_out_is_changed_before_anything_else() {
    let policy = with(&passwords::MAX_AGE, Value::Span(Duration::from_secs(90 * 86_400)));
    each_under(policy, None, |house| async move {
        house.pass(Duration::from_secs(90 * 86_400 - 1));
        house.signed_in("admin").await;
        house.pass(Duration::from_secs(1));
        let step = house.sign_in_as("admin", PASSWORD).await;
        assert!(matches!(step, Ok(SignInStep::PasswordChange(_))));
        let (c, here) = (challenge(step), house.here().await);
        let change = |new: &str| {
            let (node, c, here, new) = (house.node.clone(), c.clone(), here.clone(), secret(new));
            async move { node.sign_in_password(&here, &browser(), &c, new).await }
        };
        assert_eq!(code(change("short").await), "SK-4005");
        assert_eq!(code(change(PASSWORD).await), "SK-4005", "the present one does not come back");
        let signed_in = done(change("a wholly new password").await);
        assert!(house.passage(&signed_in.token).await.is_ok());
        assert_eq!(code(change("yet another password").await), p::SIGN_IN_OVER.code, "once");
        assert_eq!(code(house.sign_in_as("admin", PASSWORD).await), "SK-4001");
        done(house.sign_in_as("admin", "a wholly new password").await);
    })
    .await;
}

#[tokio::test]
async fn a_required_factor_is_enrolled_on_the_way_in() {
    each_under(with(&second_factor::MODE, Value::Str("required".into())), None, |house| async move {
        let step = house.sign_in_as("admin", PASSWORD).await;
        assert!(matches!(step, Ok(SignInStep::EnrolFactor(_))));
        let (c, here) = (challenge(step), house.here().await);
        let enrolment = house.node.sign_in_enrol(&here, &c).await.expect("enrolment");
        assert!(enrolment.uri.reveal().starts_with("otpauth://totp/Sekisho%20acme%20K.K.:admin?secret="));
        let confirm = |digits: String| {
            let (node, c, here) = (house.node.clone(), c.clone(), here.clone());
            async move { node.sign_in_enrol_confirm(&here, &browser(), &c, secret(&digits)).await }
        };
        assert_eq!(code(confirm("000000".into()).await), "SK-4008");
        let digits = totp::code(&enrolment.secret, house.now()).expect("a code");
        let signed_in = done(confirm(digits.clone()).await);
        assert_eq!(signed_in.recovery_codes.len(), 10);
        assert_eq!(code(confirm(digits).await), p::FACTOR_EXISTS.code);
        assert!(matches!(house.sign_in_as("admin", PASSWORD).await, Ok(SignInStep::SecondFactor(_))));
    })
    .await;
}

#[tokio::test]
async fn links_work_once_within_the_hour_at_their_own_tenant() {
    each(|house| async move {
        house.tenant("other").await;
        let cx = house.admin_cx().await;
        let made = house.node.create_user(&cx, new_user("hanako", UserType::User, None, None)).await.expect("made");
        let (link, here) = (made.link.expect("a link"), house.here().await);
        let elsewhere = house.knock_at("other").await;
        assert_eq!(code(house.node.use_link(&elsewhere, &link, secret(PASSWORD)).await), p::LINK_OVER.code);
        assert_eq!(code(house.node.use_link(&here, &secret("nonsense"), secret(PASSWORD)).await), p::LINK_OVER.code);
        assert_eq!(code(house.node.use_link(&here, &link, secret("short")).await), "SK-4005", "leaves it good");
        let used = house.node.use_link(&here, &link, secret(PASSWORD)).await.expect("used");
        assert_eq!(used.name, "hanako");
        assert_eq!(code(house.node.use_link(&here, &link, secret(PASSWORD)).await), p::LINK_OVER.code);
        house.signed_in("hanako").await;
        // A newer link ends the older one, and an hour ends the newer.
        let old = house.node.invite_user(&cx, made.user.id).await.expect("a link");
        let new = house.node.invite_user(&cx, made.user.id).await.expect("a link");
        assert_eq!(code(house.node.use_link(&here, &old, secret("something else 2")).await), p::LINK_OVER.code);
        house.pass(Duration::from_secs(3_600));
        assert_eq!(code(house.node.use_link(&here, &new, secret("something else 2")).await), p::LINK_OVER.code);
        house.signed_in("hanako").await;
    })
    .await;
}

#[tokio::test]
async fn the_recovery_link_lets_an_administrator_back_in() {
    each(|house| async move {
        let cx = house.admin_cx().await;
        enrol(&house, &cx).await;
        house.node.switch_functions(&cx, vec!["policy".into(), "claims".into()]).await.expect("switched");
        let cx = house_cx(&house, Ok(SignInStep::SignedIn(Box::new(recovered(&house).await)))).await;
        let off: Vec<_> =
            house.node.functions(&cx).await.expect("functions").into_iter().filter(|f| f.off).map(|f| f.name).collect();
        assert_eq!(off, ["claims"]);
    })
    .await;
}

async fn recovered(house: &House) -> sekisho_identity::types::SignedIn {
    let (admin, link) = house.node.recover_admin(house.tenant).await.expect("a link");
    assert_eq!(admin, house.admin);
    house.node.use_link(&house.here().await, &link, secret("back in again, at last")).await.expect("used");
    // The second factor that the link took away is set up anew.
    let c = challenge(house.sign_in_as("admin", "back in again, at last").await);
    let here = house.here().await;
    let enrolment = house.node.sign_in_enrol(&here, &c).await.expect("enrolment");
    let digits = totp::code(&enrolment.secret, house.now()).expect("a code");
    done(house.node.sign_in_enrol_confirm(&here, &browser(), &c, secret(&digits)).await)
}

#[tokio::test]
async fn the_password_is_stored_hashed_and_taken_out_it_is_not() {
    for (taken, hashed) in [(None, true), (Some(TakenOut::PasswordHash), false)] {
        each_under(crate::house::defaults(), taken, |house| async move {
            let admin = house.admin;
            let scope = sekisho_vault::Scope::of(&house.admin_cx().await);
            let stored = house
                .vault
                .peek(&scope, move |v| v.get::<sekisho_identity::records::Credential>(crate::house::record(admin)))
                .await
                .expect("read")
                .expect("there")
                .body
                .password;
            assert_eq!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), hashed);
            assert_eq!(stored == PASSWORD, !hashed);
        })
        .await;
    }
}

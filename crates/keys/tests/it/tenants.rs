use sekisho_kernel::{Problem, TakenOut, id::TenantId};
use sekisho_keys::{Keys, problem as p};
use sekisho_store::Reach;

use crate::{House, PLACE, each, files};

async fn write<T: Send + 'static>(
    house: &House,
    keys: &Keys,
    act: impl FnOnce(&Keys, &mut dyn sekisho_store::Sql) -> Result<T, Problem> + Send + 'static,
) -> T {
    let keys = keys.clone();
    house.store.within(Reach::Platform).write(move |db| act(&keys, db)).await.expect("written")
}

#[tokio::test]
async fn scheduled_rotation_keeps_everything_readable() {
    each(|house| async move {
        let keys = house.keys().await;
        let tenant = house.tenant(&keys).await;
        let before = keys.ready(tenant).await.expect("keys");
        let sealed = before.seal(PLACE, b"note").expect("sealed");
        assert_eq!(write(&house, &keys, move |k, db| k.rotate(db, tenant)).await, 2);
        assert!(keys.cached(tenant).is_none(), "rotation forgets what was in memory");
        for keys in [&keys, &house.keys().await] {
            let after = keys.ready(tenant).await.expect("keys");
            assert_eq!(after.open(PLACE, sealed.clone()).expect("opened"), b"note");
            assert_eq!(after.blind("t", "f", "v"), before.blind("t", "f", "v"));
        }
        let states = write(&house, &keys, move |k, db| k.states(db, tenant)).await;
        let states: Vec<_> = states.iter().map(|s| (s.version, s.state.as_str())).collect();
        assert_eq!(states, [(1, "destroyed"), (2, "active")]);
    })
    .await;
}

#[tokio::test]
async fn a_renewed_secret_seals_anew_and_the_old_one_can_be_dropped() {
    each(|house| async move {
        let keys = house.keys().await;
        let tenant = house.tenant(&keys).await;
        let old = keys.ready(tenant).await.expect("keys").seal(PLACE, b"old").expect("sealed");
        assert_eq!(write(&house, &keys, move |k, db| k.renew_secret(db, tenant)).await, 2);
        let now = keys.ready(tenant).await.expect("keys");
        let new = now.seal(PLACE, b"new").expect("sealed");
        assert_eq!(new[1..5], [0, 0, 0, 2]);
        assert_eq!(now.open(PLACE, old.clone()).expect("opened"), b"old");
        write(&house, &keys, move |k, db| k.drop_secret(db, tenant, 1)).await;
        let now = keys.ready(tenant).await.expect("keys");
        assert!(now.open(PLACE, old).expect_err("gone").is(&p::NO_KEY));
        assert_eq!(now.open(PLACE, new).expect("opened"), b"new");
    })
    .await;
}

#[tokio::test]
async fn a_shredded_tenant_is_unreadable_and_its_wrapped_key_leaves_the_disk() {
    each(|house| async move {
        let keys = house.keys().await;
        let (gone, stays) = (house.tenant(&keys).await, house.tenant(&keys).await);
        let sealed = keys.ready(stays).await.expect("keys").seal(PLACE, b"note").expect("sealed");
        keys.ready(gone).await.expect("keys");
        let sql =
            "SELECT wrapped FROM tenant_key WHERE tenant = $1 UNION ALL SELECT wrapped FROM data_key WHERE tenant = $1";
        let rows = house.store.within(Reach::Platform).read(move |db| db.query(sql, &[(&gone.bytes()).into()])).await;
        let wrapped: Vec<Vec<u8>> = rows.expect("rows").iter().map(|r| r.blob(0).expect("wrapped").to_vec()).collect();
        assert_eq!(wrapped.len(), 3);
        write(&house, &keys, move |k, db| k.shred(db, gone)).await;
        assert!(keys.ready(gone).await.expect_err("gone").is(&p::NO_KEY));
        assert_eq!(keys.ready(stays).await.expect("keys").open(PLACE, sealed).expect("opened"), b"note");
        house.store.checkpoint_wal().await.expect("checkpoint");
        // PostgreSQL's files are the server's own; there the rows are gone, and VACUUM is the operator's.
        let Some(dir) = house.test.dir() else { return };
        let bytes = files(dir);
        for key in wrapped {
            assert!(!bytes.windows(key.len()).any(|w| w == key), "a wrapped key is still on the disk");
        }
    })
    .await;
}

#[tokio::test]
async fn a_wrapped_key_put_into_another_tenants_row_does_not_unwrap() {
    each(|house| async move {
        let keys = house.keys().await;
        let (a, b) = (house.tenant(&keys).await, house.tenant(&keys).await);
        let swap =
            "UPDATE tenant_key SET wrapped = (SELECT wrapped FROM tenant_key WHERE tenant = $1) WHERE tenant = $2";
        let done = house
            .store
            .within(Reach::Platform)
            .write(move |db| db.exec(swap, &[(&a.bytes()).into(), (&b.bytes()).into()]))
            .await;
        assert_eq!(done.expect("swapped"), 1);
        assert!(keys.ready(b).await.expect_err("refused").is(&p::ROOT_WRONG));
    })
    .await;
}

#[tokio::test]
async fn only_so_many_tenants_are_kept_in_memory() {
    each(|house| async move {
        let keys = house.keys().await;
        let made = keys.clone();
        let tenants: Vec<TenantId> = (1..=300u128).map(|n| TenantId::from_bytes(n.to_be_bytes())).collect();
        let all = tenants.clone();
        let done: Result<(), Problem> = house
            .store
            .within(Reach::Platform)
            .write(move |db| all.iter().try_for_each(|t| made.create_tenant(db, *t).map(drop)))
            .await;
        done.expect("made");
        for tenant in &tenants {
            keys.ready(*tenant).await.expect("keys").seal(PLACE, b"note").expect("sealed");
        }
        assert_eq!(keys.in_memory(), 256);
        assert!(keys.cached(tenants[0]).is_none());
        assert!(keys.cached(tenants[299]).is_some());
    })
    .await;
}

#[tokio::test]
async fn with_tenant_keys_taken_out_all_share_the_platforms() {
    each(|house| async move {
        let keys = house.rehearse(TakenOut::TenantKeys).await;
        let (a, b) = (house.tenant(&keys).await, house.tenant(&keys).await);
        let sealed = keys.ready(a).await.expect("keys").seal(PLACE, b"note").expect("sealed");
        write(&house, &keys, move |k, db| k.shred(db, a)).await;
        assert_eq!(keys.ready(a).await.expect("keys").open(PLACE, sealed).expect("still opens"), b"note");
        assert_eq!(
            keys.ready(a).await.expect("keys").blind("t", "f", "v"),
            keys.ready(b).await.expect("keys").blind("t", "f", "v")
        );
    })
    .await;
}

#[tokio::test]
async fn keys_of_a_tenant_that_was_taken_back_are_not_remembered() {
    each(|house| async move {
        let keys = house.keys().await;
        let id = TenantId::from_bytes([7; 16]);
        let made = keys.clone();
        let undone: Result<(), Problem> = house
            .store
            .write(move |db| {
                made.create_tenant(db, id)?.seal(PLACE, b"note")?;
                Err(Problem::new(&p::NO_KEY))
            })
            .await;
        undone.expect_err("taken back");
        assert!(keys.cached(id).is_none());
        let sealed = write(&house, &keys, move |k, db| k.create_tenant(db, id)?.seal(PLACE, b"note")).await;
        assert_eq!(keys.ready(id).await.expect("keys").open(PLACE, sealed).expect("opened"), b"note");
    })
    .await;
}

//! A week as people have it: home, office, the train with a telephone, a trip, an application of a newer version.

use std::{net::IpAddr, time::Duration};

use sekisho_kernel::{
    claim::{Finding, Trouble},
    world::World,
};
use serde_json::Value;

use super::{came_to, osaka, tokyo};
use crate::probing::{Person, Session, rehearsed};

const HOUR: u64 = 3_600;

/// Where a telephone's provider lets it out: another network each time.
const fn carrier(n: u8) -> IpAddr {
    IpAddr::V4(std::net::Ipv4Addr::new(198, 18, 64 + n, 9))
}

/// Two people's week, after the day on which each set their devices up at the office.
pub(super) async fn ordinary(
    world: &dyn World,
    finding: &mut Finding,
    desk: &mut Session,
    admin: &mut Person,
) -> Result<(), Trouble> {
    let instance = rehearsed(world)?;
    instance.advance(Duration::from_secs(24 * HOUR)).await?;
    admin.again(world).await?;
    *desk = admin.sign_in(world).await?;
    let mut challenged = Vec::new();
    let mut count = 0;
    let people =
        [desk.hire(world, admin, "user", &Value::Null).await?, desk.hire(world, admin, "user", &Value::Null).await?];
    for (who, person) in (0_u8..).zip(people) {
        let mut laptop = person.with_browser().from(tokyo(100 + who));
        laptop.sign_in(world).await?;
        let mut phone = laptop.with_browser();
        let mut at = async |what: &str, device: &mut Person, from: IpAddr, hours: u64| -> Result<(), Trouble> {
            instance.advance(Duration::from_secs(hours * HOUR)).await?;
            device.peer = Some(from);
            device.again(world).await?;
            let got = device.first_step(world, usize::from(who)).await?;
            count += 1;
            if came_to(&got) != "allow" {
                challenged.push(format!("{what}: {}", came_to(&got)));
            }
            // The first step of an account without a second factor is the whole sign-in.
            if got.header("set-cookie").is_some() {
                device.keep(&got);
                return Ok(());
            }
            device.sign_in(world).await.map(drop)
        };
        at("the telephone in the office's network", &mut phone, tokyo(100 + who), 1).await?;
        for weekday in 0..5 {
            at("the telephone on the train home", &mut phone, carrier(weekday), 9).await?;
            at("the laptop at home", &mut laptop, IpAddr::from([198, 18, 30 + who, 4]), 2).await?;
            at("the laptop in the office", &mut laptop, tokyo(100 + who), 12).await?;
        }
        at("the laptop at a client's in Osaka", &mut laptop, osaka(7), 4).await?;
        at("the telephone in the hotel there", &mut phone, osaka(90), 6).await?;
        at("the laptop at home again", &mut laptop, IpAddr::from([198, 18, 30 + who, 4]), 20).await?;
        // Cookies cleared at home: a new browser in a known network.
        let mut cleared = laptop.with_browser();
        at("the laptop at home, its cookies cleared", &mut cleared, IpAddr::from([198, 18, 30 + who, 4]), 1).await?;
    }
    finding.forbidden(
        "ordinary-week",
        format!("{count} sign-ins of two people's week: office, train, home, a trip, cleared cookies"),
        "none is asked for more, none is refused",
        if challenged.is_empty() { "none".into() } else { challenged.join("; ") },
        challenged.is_empty() && count > 0,
    );
    Ok(())
}

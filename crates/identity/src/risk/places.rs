//! Where an address is: a database of places and networks that the operator brings, and lists of addresses. None ships.

use std::{
    collections::HashMap,
    net::IpAddr,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use maxminddb::Reader;
use sekisho_kernel::{Problem, Time, gate::AdaptiveRule};
use serde::{Deserialize, Serialize};

use crate::{boxed, problems::LOCATION_DATA};

/// A point on the earth, as exactly as a database of places is: hundredths of a degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spot {
    /// Latitude, hundredths of a degree.
    pub lat: i16,
    /// Longitude, hundredths of a degree.
    pub lon: i16,
    /// How far the place may be off, kilometres.
    pub radius: u16,
}

/// Kilometres between two points on a sphere of the earth's size.
const EARTH_KM: f64 = 6_371.0;

impl Spot {
    /// From degrees; `None` for what is no place.
    pub fn new(lat: f64, lon: f64, radius: u16) -> Option<Self> {
        let fits = lat.abs() <= 90.0 && lon.abs() <= 180.0;
        #[expect(clippy::cast_possible_truncation, reason = "at most 18,000")]
        fits.then(|| Self { lat: (lat * 100.0).round() as i16, lon: (lon * 100.0).round() as i16, radius })
    }

    /// Kilometres to another place, less what both may be off by (haversine).
    pub fn apart(self, other: Self) -> u32 {
        let radians = |hundredths: i16| (f64::from(hundredths) / 100.0).to_radians();
        let (a, b) = (radians(self.lat), radians(other.lat));
        let (dlat, dlon) = (b - a, radians(other.lon) - radians(self.lon));
        let h = (dlat / 2.0).sin().powi(2) + a.cos() * b.cos() * (dlon / 2.0).sin().powi(2);
        let km = 2.0 * EARTH_KM * h.sqrt().min(1.0).asin();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 20,016")]
        let km = km.round() as u32;
        km.saturating_sub(u32::from(self.radius) + u32::from(other.radius))
    }
}

/// What is known of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Where it is.
    pub spot: Option<Spot>,
    /// The number of its autonomous system.
    pub system: Option<u32>,
}

/// Knows where addresses are.
pub trait Locations: Send + Sync {
    /// What is known of the address; an address that it does not know is no error.
    ///
    /// # Errors
    /// `SK-4060` when the database cannot be read.
    fn place(&self, address: IpAddr) -> Result<Place, Problem>;
}

/// A database in MaxMind's file format, version 2: `location.latitude`, `.longitude`, `.accuracy_radius` of the City
/// family, `autonomous_system_number` of the ASN family. Other producers write the same fields.
pub struct Mmdb(Reader<Vec<u8>>);

/// Largest database: a City database has about 130 MB.
const MOST_BYTES: u64 = 1 << 30;

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    location: Option<Location>,
    #[serde(default)]
    autonomous_system_number: Option<u32>,
}

#[derive(Deserialize)]
struct Location {
    #[serde(default)]
    latitude: Option<f64>,
    #[serde(default)]
    longitude: Option<f64>,
    #[serde(default)]
    accuracy_radius: Option<u16>,
}

fn broken(path: &Path, why: impl std::fmt::Display) -> Problem {
    Problem::new(&LOCATION_DATA).log(format!("{}: {why}", path.display()))
}

fn bytes(path: &Path) -> Result<Vec<u8>, Problem> {
    let size = std::fs::metadata(path).map_err(|e| broken(path, e))?.len();
    if size > MOST_BYTES {
        return Err(broken(path, format!("{size} bytes are more than {MOST_BYTES}")));
    }
    std::fs::read(path).map_err(|e| broken(path, e))
}

impl Mmdb {
    /// Reads a file.
    ///
    /// # Errors
    /// `SK-4060` when it cannot be read or is no such database.
    pub fn load(path: &Path) -> Result<Self, Problem> {
        Self::read(bytes(path)?).map_err(|e| broken(path, e))
    }

    /// Of what a file holds.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(bytes: Vec<u8>) -> Result<Self, String> {
        Reader::from_source(bytes).map(Self).map_err(|e| e.to_string())
    }
}

impl Locations for Mmdb {
    fn place(&self, address: IpAddr) -> Result<Place, Problem> {
        let address = address.to_canonical();
        if address.is_ipv6() && self.0.metadata().ip_version == 4 {
            return Ok(Place::default());
        }
        let bad = |e: maxminddb::MaxMindDbError| Problem::new(&LOCATION_DATA).log(e);
        let found = self.0.lookup(address).map_err(bad)?;
        let Some(entry) = found.decode::<Entry>().map_err(bad)? else { return Ok(Place::default()) };
        let spot = entry.location.and_then(|l| Spot::new(l.latitude?, l.longitude?, l.accuracy_radius.unwrap_or(50)));
        Ok(Place { spot, system: entry.autonomous_system_number })
    }
}

/// Networks, looked up by one search for each length of prefix that occurs.
#[derive(Debug, Default)]
pub struct Networks {
    v4: Vec<(u8, Vec<u32>)>,
    v6: Vec<(u8, Vec<u128>)>,
}

/// Most networks of a list.
const MOST_NETWORKS: usize = 2_000_000;

impl Networks {
    /// Of these.
    pub fn of(all: impl IntoIterator<Item = IpNet>) -> Self {
        let (mut v4, mut v6): (HashMap<u8, Vec<u32>>, HashMap<u8, Vec<u128>>) = Default::default();
        for net in all {
            match net.trunc() {
                IpNet::V4(n) => v4.entry(n.prefix_len()).or_default().push(n.addr().into()),
                IpNet::V6(n) => v6.entry(n.prefix_len()).or_default().push(n.addr().into()),
            }
        }
        let mut out = Self { v4: v4.into_iter().collect(), v6: v6.into_iter().collect() };
        out.v4.iter_mut().for_each(|(_, list)| list.sort_unstable());
        out.v6.iter_mut().for_each(|(_, list)| list.sort_unstable());
        out
    }

    /// Reads a file: a network or an address on each line; `#` and `;` begin a comment.
    ///
    /// # Errors
    /// `SK-4060` when it cannot be read, or a line is neither: a list that is half understood protects nobody.
    pub fn load(path: &Path) -> Result<Self, Problem> {
        let text = String::from_utf8(bytes(path)?).map_err(|e| broken(path, e))?;
        let mut all = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.split(['#', ';']).next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let net = line.parse::<IpNet>().or_else(|_| line.parse::<IpAddr>().map(IpNet::from));
            all.push(net.map_err(|e| broken(path, format!("line {}: {e}", at + 1)))?);
            if all.len() > MOST_NETWORKS {
                return Err(broken(path, format!("more than {MOST_NETWORKS} networks")));
            }
        }
        Ok(Self::of(all))
    }

    /// Whether the address is in one of them.
    pub fn has(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(v4) => self.v4.iter().any(|(bits, list)| {
                let net = Ipv4Net::new(v4, *bits).map_or(v4, |n| n.network());
                list.binary_search(&net.into()).is_ok()
            }),
            IpAddr::V6(v6) => self.v6.iter().any(|(bits, list)| {
                let net = Ipv6Net::new(v6, *bits).map_or(v6, |n| n.network());
                list.binary_search(&net.into()).is_ok()
            }),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.v4.iter().map(|(_, l)| l.len()).sum::<usize>() + self.v6.iter().map(|(_, l)| l.len()).sum::<usize>()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How often a file is looked at again: whoever replaces it need tell nobody.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// What a file was when it was read.
type Stamp = Option<(u64, std::time::SystemTime)>;

fn stamp(path: &str) -> Stamp {
    let data = std::fs::metadata(path).ok()?;
    Some((data.len(), data.modified().ok()?))
}

struct Loaded<T> {
    looked: Time,
    stamp: Stamp,
    what: Result<Arc<T>, Problem>,
}

/// Files, each read once and again when it has changed. One that cannot be read is said aloud once.
struct Files<T>(Mutex<HashMap<String, Loaded<T>>>);

impl<T> Default for Files<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Send + Sync + 'static> Files<T> {
    async fn get(&self, path: &str, now: Time, load: fn(&Path) -> Result<T, Problem>) -> Result<Arc<T>, Problem> {
        let known = {
            let mut files = self.lock();
            match files.get_mut(path) {
                Some(file) if now < file.looked.plus(LOOK_AGAIN) => return file.what.clone(),
                Some(file) => {
                    file.looked = now;
                    Some(file.stamp)
                }
                None => None,
            }
        };
        let (at, before) = (path.to_owned(), known);
        let read = tokio::task::spawn_blocking(move || {
            let stamp = stamp(&at);
            if before.is_some_and(|b| b.is_some() && b == stamp) {
                return None;
            }
            Some((stamp, load(Path::new(&at)).map(Arc::new)))
        });
        let read = read.await.unwrap_or_else(|e| Some((None, Err(Problem::new(&LOCATION_DATA).log(e)))));
        let mut files = self.lock();
        match read {
            None => match files.get(path) {
                Some(file) => file.what.clone(),
                None => Err(Problem::new(&LOCATION_DATA).log(format!("{path}: forgotten meanwhile"))),
            },
            Some((stamp, what)) => {
                if let Err(problem) = &what {
                    tracing::warn!(
                        path,
                        ?problem,
                        "sign-ins are judged without this file, as adaptive.without_location says"
                    );
                }
                files.insert(path.to_owned(), Loaded { looked: now, stamp, what: what.clone() });
                what
            }
        }
    }

    fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Loaded<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The databases and lists in use.
#[derive(Default)]
pub struct Sources {
    databases: Files<Mmdb>,
    lists: Files<Networks>,
}

/// What the sources say of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// What is known of it.
    pub place: Place,
    /// Whether it is listed.
    pub listed: bool,
    /// Whether something that the rule names could not be read.
    pub blind: bool,
}

/// How a source of data stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// The policy names none.
    None,
    /// It is read.
    Read,
    /// It cannot be read.
    Unreadable,
}

impl Sources {
    /// What is known of an address under a rule.
    #[boxed]
    pub async fn ask(&self, rule: &AdaptiveRule, address: IpAddr, now: Time) -> Told {
        let mut told =
            Told { listed: rule.listed.iter().any(|n| n.contains(&address.to_canonical())), ..Told::default() };
        for path in [&rule.location_db, &rule.network_db] {
            if path.is_empty() {
                continue;
            }
            let found = self.databases.get(path, now, Mmdb::load).await;
            match found.and_then(|database| database.place(address)) {
                Ok(place) => {
                    told.place.spot = told.place.spot.or(place.spot);
                    told.place.system = told.place.system.or(place.system);
                }
                Err(_) => told.blind = true,
            }
        }
        if !rule.listed_file.is_empty() {
            match self.lists.get(&rule.listed_file, now, Networks::load).await {
                Ok(list) => told.listed |= list.has(address),
                Err(_) => told.blind = true,
            }
        }
        told
    }

    /// How the databases of places and of networks and the list stand.
    #[boxed]
    pub async fn conditions(&self, rule: &AdaptiveRule, now: Time) -> [Condition; 3] {
        let of = |path: &str, read: bool| match (path.is_empty(), read) {
            (true, _) => Condition::None,
            (false, true) => Condition::Read,
            (false, false) => Condition::Unreadable,
        };
        let places = self.databases.get(&rule.location_db, now, Mmdb::load);
        let places = !rule.location_db.is_empty() && places.await.is_ok();
        let systems = self.databases.get(&rule.network_db, now, Mmdb::load);
        let systems = !rule.network_db.is_empty() && systems.await.is_ok();
        let list = !rule.listed_file.is_empty() && self.lists.get(&rule.listed_file, now, Networks::load).await.is_ok();
        [of(&rule.location_db, places), of(&rule.network_db, systems), of(&rule.listed_file, list)]
    }

    /// Reads every file anew from now on.
    pub fn forget(&self) {
        self.databases.forget();
        self.lists.forget();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::risk::writer::{At, database};

    fn spot(lat: f64, lon: f64) -> Spot {
        Spot::new(lat, lon, 0).unwrap()
    }

    #[test]
    fn distances_are_those_of_an_atlas() {
        let (tokyo, new_york, sydney) = (spot(35.68, 139.69), spot(40.71, -74.01), spot(-33.87, 151.21));
        assert!((10_820..=10_880).contains(&tokyo.apart(new_york)), "{}", tokyo.apart(new_york));
        assert!((7_800..=7_850).contains(&tokyo.apart(sydney)), "{}", tokyo.apart(sydney));
        assert_eq!(tokyo.apart(tokyo), 0);
        // Across the date line it is near.
        assert!(spot(0.0, 179.9).apart(spot(0.0, -179.9)) < 30);
        let vague = Spot { radius: 6_000, ..tokyo };
        assert!(vague.apart(new_york) < 5_000);
        assert_eq!(vague.apart(Spot { radius: 6_000, ..new_york }), 0);
        assert_eq!(Spot::new(91.0, 0.0, 0), None);
        assert_eq!(Spot::new(f64::NAN, 0.0, 0), None);
    }

    #[test]
    fn a_database_tells_place_and_network() {
        let made = database(&[
            ("192.0.2.0/24", At { lat: 35.68, lon: 139.69, radius: 20, system: 64_500 }),
            ("198.51.100.128/25", At { lat: 40.71, lon: -74.01, radius: 5, system: 64_501 }),
            ("2001:db8:7::/48", At { lat: -33.87, lon: 151.21, radius: 1_000, system: 4_200_000_000 }),
        ]);
        let db = Mmdb::read(made).unwrap();
        let at = |a: &str| db.place(a.parse().unwrap()).unwrap();
        assert_eq!(at("192.0.2.77"), Place { spot: Spot::new(35.68, 139.69, 20), system: Some(64_500) });
        assert_eq!(at("::ffff:192.0.2.77"), at("192.0.2.1"));
        assert_eq!(at("198.51.100.200").system, Some(64_501));
        assert_eq!(at("198.51.100.100"), Place::default());
        assert_eq!(at("2001:db8:7:1::1").system, Some(4_200_000_000));
        assert_eq!(at("2001:db8:8::1"), Place::default());
    }

    #[test]
    fn a_file_that_is_no_database_is_refused_however_it_is_cut() {
        let made = database(&[("192.0.2.0/24", At { lat: 1.0, lon: 2.0, radius: 3, system: 4 })]);
        assert!(Mmdb::read(Vec::new()).is_err());
        for cut in 0..made.len() {
            // Whatever remains is refused, or answers without a crash.
            if let Ok(db) = Mmdb::read(made[..cut].to_vec()) {
                let _ = db.place("192.0.2.1".parse().unwrap());
            }
            let mut bent = made.clone();
            bent[cut] ^= 0xa5;
            if let Ok(db) = Mmdb::read(bent) {
                let _ = db.place("192.0.2.1".parse().unwrap());
            }
        }
    }

    #[test]
    fn lists_have_networks_addresses_and_comments() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "# bad\n192.0.2.0/24 ; a net\n\n198.51.100.7\n2001:db8::/32\n").unwrap();
        let list = Networks::load(file.path()).unwrap();
        assert_eq!(list.len(), 3);
        let has = |a: &str| list.has(a.parse().unwrap());
        for listed in ["192.0.2.255", "::ffff:192.0.2.1", "198.51.100.7", "2001:db8:ffff::1"] {
            assert!(has(listed), "{listed}");
        }
        for other in ["192.0.3.0", "198.51.100.8", "2001:db9::1"] {
            assert!(!has(other), "{other}");
        }
        std::fs::write(file.path(), "192.0.2.0/24\nexample.test\n").unwrap();
        let refused = Networks::load(file.path()).unwrap_err();
        assert!(refused.is(&LOCATION_DATA) && format!("{refused:?}").contains("line 2"));
    }

    #[tokio::test]
    async fn a_file_that_changes_is_read_again_and_one_that_goes_is_missed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list");
        std::fs::write(&path, "192.0.2.0/24\n").unwrap();
        let rule = AdaptiveRule { listed_file: path.display().to_string(), ..AdaptiveRule::OFF };
        let (sources, peer) = (Sources::default(), "198.51.100.1".parse().unwrap());
        let start = Time::from_secs(1_000_000);
        let ask = async |minutes: u64| sources.ask(&rule, peer, start.plus(Duration::from_secs(60 * minutes))).await;
        assert_eq!(ask(0).await, Told::default());
        std::fs::write(&path, "198.51.100.0/24 # longer than before\n").unwrap();
        assert!(!ask(0).await.listed);
        assert!(ask(1).await.listed);
        assert!(ask(2).await.listed);
        std::fs::remove_file(&path).unwrap();
        let gone = ask(3).await;
        assert!(gone.blind && !gone.listed);
        assert_eq!(sources.conditions(&rule, start.plus(Duration::from_secs(180))).await[2], Condition::Unreadable);
        std::fs::write(&path, "203.0.113.0/24\n").unwrap();
        assert!(!ask(4).await.blind);
    }
}

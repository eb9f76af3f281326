//! W4: log records of many types, and any number of rules over them.

use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::line::{self, Line};
use crate::signal::FIRST_MS;

/// A log record of ten fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Alert {
    /// Its number, from 0.
    pub id: u64,
    /// The event time in milliseconds since 1970.
    pub ms: i64,
    /// `t0` to `t49`.
    pub kind: u8,
    /// One of 10,000.
    pub user: u16,
    /// One of 500.
    pub host: u16,
    /// The last three bytes of an address in 10.0.0.0/8.
    pub source: u32,
    /// One of [`PORTS`].
    pub port: u16,
    /// Below 1,000.
    pub bytes: u16,
    /// Thousandths, below 1,000.
    pub score: u16,
    /// `ok`, or more rarely `denied` or `failed`.
    pub status: &'static str,
}

/// The ports that records name, each as often as the others.
pub const PORTS: [u16; 8] = [22, 25, 53, 80, 443, 3_306, 5_432, 8_080];

const TYPES: u8 = 50;
const USERS: u16 = 10_000;
const HOSTS: u16 = 500;

/// The events of W4, one each millisecond.
#[derive(Debug)]
pub struct Alerts {
    random: Pcg64Mcg,
    next: u64,
}

impl Alerts {
    /// The stream of a seed; it has no end.
    pub fn new(seed: u64) -> Self {
        Alerts { random: Pcg64Mcg::seed_from_u64(seed), next: 0 }
    }
}

impl Iterator for Alerts {
    type Item = Alert;

    fn next(&mut self) -> Option<Alert> {
        let id = self.next;
        self.next += 1;
        let random = &mut self.random;
        Some(Alert {
            id,
            ms: FIRST_MS + id as i64,
            kind: random.random_range(0..TYPES),
            user: random.random_range(0..USERS),
            host: random.random_range(0..HOSTS),
            source: random.next_u32() >> 8,
            port: PORTS[random.random_range(0..PORTS.len())],
            bytes: random.random_range(0..1_000),
            score: random.random_range(0..1_000),
            status: match random.random_range(0..20) {
                0..14 => "ok",
                14..17 => "denied",
                _ => "failed",
            },
        })
    }
}

impl Line for Alert {
    /// `{"id":..,"ts":..,"type":"t16","user":"u7","host":"h7","src_ip":"10.0.0.1","port":..,"bytes":..,"score":0.5,"status":".."}`
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"id\":");
        line::number(self.id, out);
        out.extend_from_slice(b",\"ts\":");
        line::number(self.ms, out);
        out.extend_from_slice(b",\"type\":\"t");
        line::number(self.kind, out);
        out.extend_from_slice(b"\",\"user\":\"u");
        line::number(self.user, out);
        out.extend_from_slice(b"\",\"host\":\"h");
        line::number(self.host, out);
        out.extend_from_slice(b"\",\"src_ip\":\"10");
        for byte in &self.source.to_be_bytes()[1..] {
            out.push(b'.');
            line::number(*byte, out);
        }
        out.extend_from_slice(b"\",\"port\":");
        line::number(self.port, out);
        out.extend_from_slice(b",\"bytes\":");
        line::number(self.bytes, out);
        out.extend_from_slice(b",\"score\":0.");
        out.extend([self.score / 100, self.score / 10 % 10, self.score % 10].map(|digit| b'0' + digit as u8));
        out.extend_from_slice(b",\"status\":\"");
        out.extend_from_slice(self.status.as_bytes());
        out.extend_from_slice(b"\"}\n");
    }
}

/// The text of so many rules: of each user, two or three stages within 60 seconds. An event fulfils about one stage's
/// condition of 300.
pub fn rules(seed: u64, count: usize) -> String {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    (0..count).map(|number| rule(number, &mut random)).collect()
}

fn rule(number: usize, random: &mut Pcg64Mcg) -> String {
    let stages: Vec<String> = ["first", "second", "third"]
        .into_iter()
        .take(random.random_range(2..=3))
        .map(|name| format!("{name} where {}", condition(random)))
        .collect();
    format!("pattern rule_{number:04}\nkey user\nbegin {}\nwithin 60s\n\n", stages.join("\nfollowedBy "))
}

fn condition(random: &mut Pcg64Mcg) -> String {
    let kind = random.random_range(0..TYPES);
    let measured = match random.random_range(0..4) {
        0 => format!("bytes >= {}", random.random_range(700..950)),
        1 => format!("score >= 0.{}", random.random_range(70..95)),
        2 => format!("port == {}", PORTS[random.random_range(0..PORTS.len())]),
        _ => format!("status == \"{}\"", ["denied", "failed"][random.random_range(0..2)]),
    };
    format!("type == \"t{kind}\" and {measured}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_records_and_rules() {
        let first: Vec<Alert> = Alerts::new(7).take(1_000).collect();
        assert_eq!(first, Alerts::new(7).take(1_000).collect::<Vec<_>>());
        assert_ne!(first, Alerts::new(8).take(1_000).collect::<Vec<_>>());
        assert_eq!(rules(7, 10), rules(7, 10));
        assert_ne!(rules(7, 10), rules(8, 10));
    }

    #[test]
    fn a_record_is_a_line_of_json() {
        let written = line::lines(Alerts::new(1).take(1));
        insta::assert_snapshot!(written);
    }

    #[test]
    fn types_are_equally_frequent() {
        let mut counts = [0_u32; TYPES as usize];
        Alerts::new(1).take(100_000).for_each(|event| counts[usize::from(event.kind)] += 1);
        assert!(counts.iter().all(|count| (1_800..2_200).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_rule_has_two_or_three_stages_for_each_user() {
        insta::assert_snapshot!(rules(1, 3));
    }

    #[test]
    fn fewer_rules_are_the_first_of_more() {
        assert!(rules(1, 100).starts_with(&rules(1, 10)));
    }
}

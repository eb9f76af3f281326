//! The input of a run: streams of orders, payments and shipments over a day and more, as the lines of files.

use ensue_model::{Span, Timestamp};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

/// How much later an event may come than one with a later time: the allowance of the job.
pub(crate) const OUT_OF_ORDER_MS: i64 = 10_000;

/// One line of so many is no event; one event of so many comes too late.
const BROKEN_IN: u32 = 150;
const LATE_IN: u32 = 100;

/// 2026-03-01 12:00, in milliseconds: two midnights and more are behind it.
const START_MS: i64 = 1_772_366_400_000;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;

/// A stream, as it is written to files.
pub(crate) struct Stream {
    pub(crate) name: &'static str,
    /// What its files are called.
    pub(crate) file: &'static str,
    /// What each of its files begins with.
    pub(crate) header: &'static str,
    /// How the job file says to read it.
    pub(crate) entry: &'static str,
    pub(crate) lines: Vec<String>,
}

/// An event, before it is a line.
struct Happening {
    arrives: i64,
    stream: usize,
    line: String,
}

const ORDERS: usize = 0;
const PAYMENTS: usize = 1;
const SHIPMENTS: usize = 2;

/// Two or three streams.
pub(crate) fn streams(random: &mut Pcg64Mcg) -> Vec<Stream> {
    let mut streams = vec![
        Stream {
            name: "orders",
            file: "orders.csv",
            header: "id,type,user,region,ts\n",
            entry: r#"format: Csv(header: true), time: (field: "ts", unit: Seconds)"#,
            lines: Vec::new(),
        },
        Stream {
            name: "payments",
            file: "payments.jsonl",
            header: "",
            entry: r#"format: JsonLines, time: (field: "ts", unit: Millis)"#,
            lines: Vec::new(),
        },
        Stream {
            name: "shipments",
            file: "shipments.csv",
            header: "",
            entry: r#"format: Csv(columns: ["id", "type", "carrier", "ts"], delimiter: ";")"#,
            lines: Vec::new(),
        },
    ];
    let mut happenings = Happenings { random, all: Vec::new() };
    happenings.draw();
    let Happenings { random, mut all } = happenings;
    all.sort_by_key(|happening| happening.arrives);
    for Happening { stream, line, .. } in all {
        let Stream { lines, .. } = &mut streams[stream];
        lines.push(line);
        if random.random_ratio(1, BROKEN_IN) {
            lines.push(broken(stream, random).to_owned());
        }
    }
    streams.truncate(if random.random_ratio(1, 3) { 2 } else { 3 });
    streams
}

/// A line that is no event, or an event without a key.
fn broken(stream: usize, random: &mut Pcg64Mcg) -> &'static str {
    let lines: &[&str] = match stream {
        ORDERS => {
            &["what,is", "1,create,1,north,yesterday", ",create,1,north,1772400000", "x,create,1,north,1772400000"]
        }
        PAYMENTS => &["{\"id\":3,\"type\":", "[1, 2]", "null", "{\"type\":\"pay\",\"ts\":1772400000000}"],
        _ => &["what;is", "7;ship;fast;yesterday", "7;ship;\"fast\"er;2026-03-02T00:00:00Z"],
    };
    lines[random.random_range(0..lines.len())]
}

struct Happenings<'r> {
    random: &'r mut Pcg64Mcg,
    all: Vec<Happening>,
}

impl Happenings<'_> {
    fn draw(&mut self) {
        let orders = self.random.random_range(200..1_200);
        let mut time = START_MS;
        for id in 0..orders {
            time += self.random.random_range(0..3 * MINUTE);
            self.order(id, time);
        }
    }

    fn order(&mut self, id: i64, created: i64) {
        let user = self.random.random_range(0..40);
        let region = ["north", "south", "west"][self.random.random_range(0..3)];
        self.put(ORDERS, created, |time| format!("{id},create,{user},{region},{}", time / SECOND));
        if self.random.random_ratio(1, 4) {
            let noted = created + self.random.random_range(0..60 * MINUTE);
            self.put(ORDERS, noted, |time| format!("{id},note,{user},{region},{}", time / SECOND));
        }
        if self.random.random_ratio(1, 4) {
            return;
        }
        let paid = created + self.random.random_range(0..25 * MINUTE);
        let amount = self.random.random_range(1..500);
        self.put(PAYMENTS, paid, |time| {
            format!(r#"{{"id":{id},"type":"pay","user":{user},"amount":{amount},"ts":{time}}}"#)
        });
        if self.random.random_ratio(4, 5) {
            let shipped = paid + self.random.random_range(0..180 * MINUTE);
            self.put(SHIPMENTS, shipped, |time| format!("{id};ship;fast;{}", Timestamp::from_millis(time)));
        }
    }

    /// An event, which comes a little later than it happened, or much later.
    fn put(&mut self, stream: usize, time: i64, line: impl FnOnce(i64) -> String) {
        let time = time - time % SECOND;
        let delay = match self.random.random_ratio(1, LATE_IN) {
            true => self.random.random_range(OUT_OF_ORDER_MS..20 * MINUTE),
            false => self.random.random_range(0..OUT_OF_ORDER_MS),
        };
        self.all.push(Happening { arrives: time + delay, stream, line: line(time) });
    }
}

/// The patterns of a run: three levels, over the first two streams or over all three.
pub(crate) fn patterns(streams: &[Stream]) -> String {
    let shipped = if streams.len() > SHIPMENTS { SHIPPED } else { "" };
    format!("{LEVELS}{shipped}")
}

const LEVELS: &str = r#"
stream orders { id: int @key type: string @type user: int region: string ts: timestamp @time }
stream payments { id: int @key type: string @type user: int amount: int ts: timestamp @time }

pattern order_unpaid from orders, payments
begin create: orders
notFollowedBy pay: payments
within 20m
emit unpaid { user: create.user, region: create.region, id: create.id }

pattern order_paid from orders, payments
begin create: orders
followedBy pay: payments
within 20m
emit paid { user: create.user, region: create.region, waited: time(pay) - time(create) }
timeout { id: create.id, missing: awaiting() }

pattern user_trouble from unpaid, paid key user
begin first: unpaid where true
notFollowedBy forgiven: paid where waited < 1m
followedBy second: unpaid where id != first.id
within 6h
skip past last
emit trouble { region: second.region, user: key() }

pattern region_trouble from trouble, orders key region
begin trouble: trouble where true
followedBy created: orders where type == "create"
within 5m
cooldown 10m
emit { user: trouble.user, id: created.id, gap: time(created) - time(trouble) }
timeout { user: trouble.user, until: deadline() }
"#;

const SHIPPED: &str = r#"
stream shipments { id: int @key type: string @type carrier: string ts: timestamp @time }

pattern order_shipped from orders, payments, shipments
begin create: orders
followedBy note: orders optional
followedBy pay: payments
followedBy ship: shipments
within 2h
"#;

/// The time that the allowance is in a job file.
pub(crate) fn out_of_order() -> String {
    Span::from_millis(OUT_OF_ORDER_MS).to_string()
}

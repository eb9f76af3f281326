//! W1 as a program that knows nothing else: one pattern, one format, one thread. It writes what the command writes, byte
//! for byte, and is the yardstick for it.
//!
//! `w1_fast INPUT MATCHES TIMEOUTS [SECONDS]`, where events come at most so many seconds out of order.
//!
//! What it takes for granted, and the engine does not: every field has one width, no order is created twice, a window is
//! the same for all, and nothing is wrong with the input.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};

use ensue_allocator::MiMalloc;
use hashbrown::HashMap;
use memchr::memchr_iter;
use xxhash_rust::xxh3::xxh3_128;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const BUFFER_BYTES: usize = 1 << 20;
const PATIENCE_SECONDS: u32 = 900;

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (input, matches, timeouts, lateness) = match &arguments[..] {
        [input, matches, timeouts] => (input, matches, timeouts, 0),
        [input, matches, timeouts, seconds] => (input, matches, timeouts, seconds.parse().map_err(io::Error::other)?),
        _ => return Err(io::Error::other("expected INPUT MATCHES TIMEOUTS [SECONDS]")),
    };
    let mut orders = Orders::new(Sink::create(matches)?, Sink::create(timeouts)?);
    let events = if lateness == 0 {
        read(File::open(input)?, |event| orders.take(event))?
    } else {
        let mut queue = Reorder::new(lateness);
        let events = read(File::open(input)?, |event| queue.push(event, &mut orders))?;
        queue.finish(&mut orders)?;
        events
    };
    orders.finish()?;
    println!("events {events}\nmatches {}\ntimeouts {}", orders.matches.lines, orders.timeouts.lines);
    Ok(())
}

/// An event of the input.
#[derive(Clone, Copy)]
struct Event {
    /// The order's number as its eight digits.
    order: [u8; 8],
    /// The payment's number as its eight digits; none where the order is created.
    payment: Option<[u8; 8]>,
    seconds: u32,
    position: u64,
}

/// Reads all events; gives their number.
fn read(mut file: File, mut take: impl FnMut(Event) -> io::Result<()>) -> io::Result<u64> {
    let mut buffer = vec![0; 2 * BUFFER_BYTES];
    let (mut filled, mut position) = (0, 0);
    loop {
        let count = file.read(&mut buffer[filled..filled + BUFFER_BYTES])?;
        if count == 0 {
            return Ok(position);
        }
        filled += count;
        let mut start = 0;
        for end in memchr_iter(b'\n', &buffer[..filled]) {
            let event = event(&buffer[start..end], position).ok_or_else(|| io::Error::other("a line is no event"))?;
            take(event)?;
            position += 1;
            start = end + 1;
        }
        buffer.copy_within(start..filled, 0);
        filled -= start;
    }
}

/// `12345678,create,,1611047605` or `12345678,pay,0123abcd,1611047605`
fn event(line: &[u8], position: u64) -> Option<Event> {
    let (order, rest) = line.split_first_chunk::<8>()?;
    let (payment, seconds) = match rest.strip_prefix(b",create,,") {
        Some(seconds) => (None, seconds),
        None => {
            let (payment, rest) = rest.strip_prefix(b",pay,")?.split_first_chunk::<8>()?;
            (Some(*payment), rest.strip_prefix(b",")?)
        }
    };
    let (billions, rest) = seconds.split_first_chunk::<2>()?;
    let billions = u32::from(billions[0] - b'0') * 10 + u32::from(billions[1] - b'0');
    let seconds = billions * 100_000_000 + eight_digits(*rest.first_chunk::<8>()?);
    Some(Event { order: *order, payment, seconds, position })
}

/// The number that eight digits write: pairs, then fours, then all eight in one multiplication each.
fn eight_digits(text: [u8; 8]) -> u32 {
    let digits = u64::from_le_bytes(text) & 0x0f0f_0f0f_0f0f_0f0f;
    let pairs = digits.wrapping_mul(2_561) >> 8 & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(6_553_601) >> 16 & 0x0000_ffff_0000_ffff;
    (fours.wrapping_mul(42_949_672_960_001) >> 32) as u32
}

/// Puts events into the order of their times, in a bucket for each second that can still come.
struct Reorder {
    lateness: u32,
    buckets: Vec<Vec<Event>>,
    /// Events up to this second have been handed on.
    through: u32,
}

impl Reorder {
    fn new(lateness: u32) -> Self {
        let buckets = (lateness as usize + 1).next_power_of_two();
        Reorder { lateness, buckets: vec![Vec::new(); buckets], through: 0 }
    }

    fn push(&mut self, event: Event, orders: &mut Orders) -> io::Result<()> {
        if self.through == 0 {
            self.through = event.seconds - self.lateness;
        }
        if event.seconds > self.through + self.lateness {
            self.advance(event.seconds - self.lateness, orders)?;
        }
        if event.seconds <= self.through {
            return orders.take(event);
        }
        self.bucket(event.seconds).push(event);
        Ok(())
    }

    fn advance(&mut self, through: u32, orders: &mut Orders) -> io::Result<()> {
        while self.through < through {
            self.through += 1;
            let through = self.through;
            let mut events = std::mem::take(self.bucket(through));
            events.drain(..).try_for_each(|event| orders.take(event))?;
            // The bucket keeps its room.
            *self.bucket(through) = events;
        }
        Ok(())
    }

    fn finish(&mut self, orders: &mut Orders) -> io::Result<()> {
        self.advance(self.through + self.lateness, orders)
    }

    fn bucket(&mut self, seconds: u32) -> &mut Vec<Event> {
        let mask = self.buckets.len() - 1;
        &mut self.buckets[seconds as usize & mask]
    }
}

/// The orders that are open, and where they go.
struct Orders {
    /// All that were created in the last 15 minutes, in the order of time.
    recent: VecDeque<Created>,
    /// How many were created before those.
    gone: u32,
    /// The open ones by their number: as how many-eth they were created.
    open: HashMap<u32, u32>,
    times: Times,
    matches: Sink,
    timeouts: Sink,
}

#[derive(Clone, Copy)]
struct Created {
    order: [u8; 8],
    position: u64,
    seconds: u32,
    is_open: bool,
}

impl Orders {
    fn new(matches: Sink, timeouts: Sink) -> Self {
        let recent = VecDeque::with_capacity(1 << 19);
        Orders { recent, gone: 0, open: HashMap::with_capacity(1 << 18), times: Times::new(), matches, timeouts }
    }

    fn take(&mut self, event: Event) -> io::Result<()> {
        self.expire(event.seconds)?;
        match event.payment {
            None => self.create(&event),
            Some(payment) => self.pay(&event, payment)?,
        }
        Ok(())
    }

    fn create(&mut self, event: &Event) {
        let Event { order, seconds, position, .. } = *event;
        self.open.insert(eight_digits(order), self.gone + self.recent.len() as u32);
        self.recent.push_back(Created { order, position, seconds, is_open: true });
    }

    fn pay(&mut self, event: &Event, payment: [u8; 8]) -> io::Result<()> {
        let number = eight_digits(event.order);
        let Some(nth) = self.open.remove(&number) else { return Ok(()) };
        let created = &mut self.recent[(nth - self.gone) as usize];
        created.is_open = false;
        let created = *created;
        write_match(&created, event, number, payment, &mut self.times, &mut self.matches.buffer);
        self.matches.written()
    }

    fn expire(&mut self, seconds: u32) -> io::Result<()> {
        while let Some(created) = self.recent.front().copied()
            && created.seconds + PATIENCE_SECONDS <= seconds
        {
            self.recent.pop_front();
            self.gone += 1;
            if created.is_open {
                let number = eight_digits(created.order);
                self.open.remove(&number);
                write_timeout(&created, number, &mut self.times, &mut self.timeouts.buffer);
                self.timeouts.written()?;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.expire(u32::MAX)?;
        self.matches.flush()?;
        self.timeouts.flush()
    }
}

/// A file of lines.
struct Sink {
    file: File,
    buffer: Vec<u8>,
    lines: u64,
}

impl Sink {
    fn create(path: &str) -> io::Result<Self> {
        Ok(Sink { file: File::create(path)?, buffer: Vec::with_capacity(BUFFER_BYTES + 4_096), lines: 0 })
    }

    /// A line was written into the buffer.
    fn written(&mut self) -> io::Result<()> {
        self.lines += 1;
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

/// A second as it is written.
#[derive(Clone, Copy)]
struct Time {
    seconds: u32,
    /// `1611047605`
    digits: [u8; 10],
    /// `2021-01-19T09:13:25Z`
    text: [u8; 20],
}

/// The seconds that were written last. Those between an order and its deadline have places of their own.
struct Times {
    recent: Box<[Time]>,
}

const TIMES: usize = 2_048;

impl Times {
    fn new() -> Self {
        Times { recent: vec![Time::new(0); TIMES].into() }
    }

    fn get(&mut self, seconds: u32) -> &Time {
        let time = &mut self.recent[seconds as usize % TIMES];
        if time.seconds != seconds {
            *time = Time::new(seconds);
        }
        time
    }
}

impl Time {
    fn new(seconds: u32) -> Self {
        let mut digits = *b"0000000000";
        decimal(seconds, &mut digits);
        let (year, month, day) = date(seconds / 86_400);
        let mut text = *b"0000-00-00T00:00:00Z";
        decimal(year, &mut text[..4]);
        decimal(month, &mut text[5..7]);
        decimal(day, &mut text[8..10]);
        decimal(seconds / 3_600 % 24, &mut text[11..13]);
        decimal(seconds / 60 % 60, &mut text[14..16]);
        decimal(seconds % 60, &mut text[17..19]);
        Time { seconds, digits, text }
    }
}

/// Writes the last digits of a number, as many as there is room for.
fn decimal(mut number: u32, out: &mut [u8]) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Year, month and day of a day since 1970, after Howard Hinnant's `civil_from_days`: years begin in March there.
fn date(day: u32) -> (u32, u32, u32) {
    let day = day + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (400 * era + year + u32::from(month <= 2), month, day)
}

const MATCH: &[u8; 312] = br#"{"kind":"match","pattern":"order_payment","key":{"order_id":@@@@@@@@},"start":"<<<<<<<<<<<<<<<<<<<<","end":">>>>>>>>>>>>>>>>>>>>","id":"%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%","events":{"create":[{"order_id":@@@@@@@@,"type":"create","tx_id":null,"seconds":^^^^^^^^^^}],"pay":[{"order_id":@@@@@@@@,"type":"pay","tx_id":"#;
const MATCH_END: &[u8; 26] = br#","seconds":^^^^^^^^^^}]}}
"#;
const TIMEOUT: &[u8; 291] = br#"{"kind":"timeout","pattern":"order_payment","key":{"order_id":@@@@@@@@},"start":"<<<<<<<<<<<<<<<<<<<<","deadline":">>>>>>>>>>>>>>>>>>>>","awaiting":["pay"],"id":"%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%","events":{"create":[{"order_id":@@@@@@@@,"type":"create","tx_id":null,"seconds":^^^^^^^^^^}]}}
"#;

/// What the ids are hashes of: kind, pattern, key, then stage, position and microseconds of each event.
const MATCH_HASHED: &[u8; 79] =
    b"\x05\0\0\0\0\0\0\0match\x0d\0\0\0\0\0\0\0order_payment\x02........\0\0................\x01\0................";
const TIMEOUT_HASHED: &[u8; 63] =
    b"\x07\0\0\0\0\0\0\0timeout\x0d\0\0\0\0\0\0\0order_payment\x02........\0\0................";

/// Where in a text the run of this character stands that comes after so many others of it.
const fn find(text: &[u8], marker: u8, skipped: usize) -> usize {
    let (mut at, mut runs) = (0, 0);
    loop {
        if text[at] == marker && text[at - 1] != marker {
            if runs == skipped {
                return at;
            }
            runs += 1;
        }
        at += 1;
    }
}

fn write_match(created: &Created, paid: &Event, number: u32, payment: [u8; 8], times: &mut Times, out: &mut Vec<u8>) {
    let mut hashed = *MATCH_HASHED;
    const KEY: usize = find(MATCH_HASHED, b'.', 0);
    const CREATED: usize = find(MATCH_HASHED, b'.', 1);
    const PAID: usize = find(MATCH_HASHED, b'.', 2);
    put(&mut hashed, KEY, &i64::from(number).to_le_bytes());
    put_event(&mut hashed, CREATED, created.position, created.seconds);
    put_event(&mut hashed, PAID, paid.position, paid.seconds);

    let mut line = *MATCH;
    put(&mut line, const { find(MATCH, b'@', 0) }, &created.order);
    put(&mut line, const { find(MATCH, b'@', 1) }, &created.order);
    put(&mut line, const { find(MATCH, b'@', 2) }, &created.order);
    put(&mut line, const { find(MATCH, b'%', 0) }, &hexadecimal(xxh3_128(&hashed)));
    let time = times.get(created.seconds);
    put(&mut line, const { find(MATCH, b'<', 0) }, &time.text);
    put(&mut line, const { find(MATCH, b'^', 0) }, &time.digits);
    let time = times.get(paid.seconds);
    put(&mut line, const { find(MATCH, b'>', 0) }, &time.text);
    out.extend_from_slice(&line);

    let mut end = *MATCH_END;
    put(&mut end, const { find(MATCH_END, b'^', 0) }, &time.digits);
    write_payment(payment, out);
    out.extend_from_slice(&end);
}

fn write_timeout(created: &Created, number: u32, times: &mut Times, out: &mut Vec<u8>) {
    let mut hashed = *TIMEOUT_HASHED;
    const KEY: usize = find(TIMEOUT_HASHED, b'.', 0);
    const CREATED: usize = find(TIMEOUT_HASHED, b'.', 1);
    put(&mut hashed, KEY, &i64::from(number).to_le_bytes());
    put_event(&mut hashed, CREATED, created.position, created.seconds);

    let mut line = *TIMEOUT;
    put(&mut line, const { find(TIMEOUT, b'@', 0) }, &created.order);
    put(&mut line, const { find(TIMEOUT, b'@', 1) }, &created.order);
    put(&mut line, const { find(TIMEOUT, b'%', 0) }, &hexadecimal(xxh3_128(&hashed)));
    let time = times.get(created.seconds);
    put(&mut line, const { find(TIMEOUT, b'<', 0) }, &time.text);
    put(&mut line, const { find(TIMEOUT, b'^', 0) }, &time.digits);
    put(&mut line, const { find(TIMEOUT, b'>', 0) }, &times.get(created.seconds + PATIENCE_SECONDS).text);
    out.extend_from_slice(&line);
}

fn put<const N: usize>(line: &mut [u8], at: usize, text: &[u8; N]) {
    line[at..at + N].copy_from_slice(text);
}

fn put_event(hashed: &mut [u8], at: usize, position: u64, seconds: u32) {
    put(hashed, at, &position.to_le_bytes());
    put(hashed, at + 8, &(i64::from(seconds) * 1_000_000).to_le_bytes());
}

fn hexadecimal(id: u128) -> [u8; 32] {
    const DIGITS: [[u8; 2]; 256] = {
        let mut digits = [[0; 2]; 256];
        let mut byte = 0;
        while byte < 256 {
            digits[byte] = [b"0123456789abcdef"[byte >> 4], b"0123456789abcdef"[byte & 15]];
            byte += 1;
        }
        digits
    };
    let mut text = [0; 32];
    for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(id.to_be_bytes()) {
        *pair = DIGITS[usize::from(byte)];
    }
    text
}

/// A payment is written as a number where it looks like one.
fn write_payment(payment: [u8; 8], out: &mut Vec<u8>) {
    if is_number(&payment) {
        out.extend_from_slice(&payment);
    } else {
        let [a, b, c, d, e, f, g, h] = payment;
        out.extend_from_slice(&[b'"', a, b, c, d, e, f, g, h, b'"']);
    }
}

/// Whether hexadecimal digits are a number of JSON, such as `12345678` or `1234e007`, and a finite one.
fn is_number(text: &[u8; 8]) -> bool {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_integer = digits == 1 || digits > 1 && text[0] != b'0';
    match &text[digits..] {
        [] => is_integer,
        [b'e', exponent @ ..] if is_integer && !exponent.is_empty() && exponent.iter().all(u8::is_ascii_digit) => {
            str::from_utf8(text).ok().and_then(|text| text.parse().ok()).is_some_and(f64::is_finite)
        }
        _ => false,
    }
}

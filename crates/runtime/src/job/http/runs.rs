//! The page `/runs`: the open runs of one key of a pattern, each with what it has taken, what it awaits and when it ends.

use axum::http::StatusCode;
use ensue_engine::{Most, Open, OpenRuns};
use ensue_io::{Envelope, key};
use ensue_model::{Key, Value};
use percent_encoding::percent_decode_str;

use crate::event::Numbered;
use crate::job::meters::OfPattern;

/// What is shown at most: so many runs, and no more of them when those that are shown have so many events in all.
const MOST: Most = Most { runs: 100, events: 10_000 };

/// In so many ways the parts of a key may be read.
const READINGS_MAX: usize = 1_024;

/// Whose runs are asked for.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The name of the pattern.
    pub(crate) pattern: String,
    /// All keys that are written as the one that is asked for.
    pub(crate) keys: Vec<Key>,
    pub(crate) most: Most,
}

impl Asked {
    /// What `pattern=NAME&key=VALUE` asks for; `key` stands there once for each part of the key, in their order.
    ///
    /// # Errors
    /// What is wrong, in a sentence that says what to do.
    pub(super) fn read(query: &str, patterns: &[OfPattern]) -> Result<Self, (StatusCode, String)> {
        let (mut names, mut parts) = (Vec::new(), Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "pattern" => names.push(decoded(value)?),
                "key" => parts.push(decoded(value)?),
                other => return Err(wrong(format!("`{other}` is not known: {USAGE}"))),
            }
        }
        let [name] = &names[..] else { return Err(wrong(format!("which pattern is it? {USAGE}"))) };
        let pattern = patterns.iter().find(|pattern| pattern.name == *name);
        let pattern = pattern.ok_or_else(|| unknown(name, patterns))?;
        Ok(Asked { pattern: name.clone(), keys: keys(pattern, &parts)?, most: MOST })
    }
}

const USAGE: &str = "ask for /runs?pattern=NAME&key=VALUE";

/// All keys of a pattern that are written with these parts.
fn keys(OfPattern { name, key: names, .. }: &OfPattern, parts: &[String]) -> Result<Vec<Key>, (StatusCode, String)> {
    if parts.len() != names.len() {
        return Err(wrong(match &names[..] {
            [] => format!("`{name}` has no key, all its events are one sequence: leave `key` out"),
            names => {
                let keys = vec!["key=.."; names.len()].join("&");
                format!("the key of `{name}` is `{}`: say {keys}", names.join("`, `"))
            }
        }));
    }
    let readings: Vec<Vec<Value<'static>>> = parts.iter().map(|part| key::readings(part)).collect();
    let count = readings.iter().try_fold(1, |count: usize, of_part| count.checked_mul(of_part.len()));
    if count.is_none_or(|count| count > READINGS_MAX) {
        let message =
            format!("these parts can be read in more than {READINGS_MAX} ways: put those that are strings in \"\"");
        return Err(wrong(message));
    }
    let with_part = |keys: Vec<Vec<Value<'static>>>, of_part: &Vec<Value<'static>>| {
        let longer = |key: &Vec<Value<'static>>| {
            of_part.iter().map(|part| [&key[..], std::slice::from_ref(part)].concat()).collect::<Vec<_>>()
        };
        keys.iter().flat_map(longer).collect()
    };
    let keys = readings.iter().fold(vec![Vec::new()], with_part);
    Ok(keys.iter().map(|key| Key::of(key)).collect())
}

fn decoded(text: &str) -> Result<String, (StatusCode, String)> {
    let text = text.replace('+', " ");
    let decoded = percent_decode_str(&text).decode_utf8().map(|text| text.into_owned());
    decoded.map_err(|_| wrong(format!("`{text}` is not UTF-8")))
}

fn wrong(reason: String) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, reason)
}

fn unknown(name: &str, patterns: &[OfPattern]) -> (StatusCode, String) {
    let names: Vec<_> = patterns.iter().map(|pattern| format!("`{}`", pattern.name)).collect();
    (StatusCode::NOT_FOUND, format!("there is no pattern `{name}`: there are {}", names.join(", ")))
}

/// `{"pattern":..,"open_runs":..,"runs":[..]}`.
pub(super) fn page(pattern: &str, found: Vec<OpenRuns<Numbered>>, envelope: &Envelope) -> Vec<u8> {
    let count: u64 = found.iter().map(|found| found.count).sum();
    let mut page = format!("{{\"pattern\":\"{pattern}\",\"open_runs\":{count},\"runs\":[").into_bytes();
    for (at, Open { run, awaiting, end }) in found.into_iter().flat_map(|found| found.runs).take(MOST.runs).enumerate()
    {
        if at > 0 {
            page.push(b',');
        }
        envelope.write_open(&run, &awaiting, end, &mut page);
    }
    page.extend_from_slice(b"]}");
    page
}

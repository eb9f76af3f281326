//! The key that is traced, as somebody wrote it, and the keys that come near it.

use std::collections::BTreeMap;

use ensue_model::{Decimal, Value};

/// A key as somebody wrote it: the values of its parts. A text fits a value of any type that is written so; in quotes, only a
/// string.
///
/// ```
/// use ensue_model::Value;
/// use ensue_testkit::trace::Wanted;
///
/// let wanted = Wanted::read("shop=a, order=7").expect("two parts with their names");
/// assert_eq!(wanted.names(), Some(vec!["shop", "order"]));
/// assert!(wanted.fits(&["a".into(), Value::Int(7)]) && !wanted.fits(&["b".into(), Value::Int(7)]));
/// assert!(!Wanted::read("\"7\"").expect("a string").fits(&[Value::Int(7)]));
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Wanted {
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Part {
    name: Option<String>,
    text: String,
    is_quoted: bool,
}

impl Wanted {
    /// Reads `K`, `K,L`, `name=K,other=L`; a value with a comma or a `=` stands in double quotes.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Wanted, String> {
        let parts = split(text)?.into_iter().map(part).collect::<Result<Vec<_>, _>>()?;
        match parts.iter().filter(|part| part.name.is_some()).count() {
            named if named == 0 || named == parts.len() => Ok(Wanted { parts }),
            _ => Err("give all parts of the key their names, or none".to_owned()),
        }
    }

    /// The key of these values.
    pub fn of(key: &[Value<'_>]) -> Wanted {
        let part =
            |value: &Value<'_>| Part { name: None, text: plain(value), is_quoted: matches!(value, Value::String(_)) };
        Wanted { parts: key.iter().map(part).collect() }
    }

    /// The names of the parts, if they have some.
    pub fn names(&self) -> Option<Vec<&str>> {
        self.parts.iter().map(|part| part.name.as_deref()).collect()
    }

    /// The same key, with its parts in the order of these names.
    ///
    /// # Errors
    /// If it has other parts.
    pub fn in_order(mut self, names: &[String]) -> Result<Wanted, String> {
        let written = || format!("`{}`", names.join("`, `"));
        if self.parts.len() != names.len() {
            return Err(match names {
                [] => "the pattern has no key: all its events are one sequence, so leave --key out".to_owned(),
                [name] => format!("the key is {}: say --key {name}=VALUE", written()),
                names => format!("the key is {}: say --key {}", written(), names.join("=..,") + "=.."),
            });
        }
        let place = |part: &Part| part.name.as_ref().map(|name| names.iter().position(|other| other == name));
        if let Some(unknown) = self.parts.iter().find(|part| place(part) == Some(None)) {
            let name = unknown.name.as_deref().unwrap_or_default();
            return Err(format!("the pattern's key is {}, not `{name}`", written()));
        }
        self.parts.sort_by_key(|part| place(part).flatten());
        Ok(self)
    }

    /// Whether a key is the one that is wanted.
    pub fn fits(&self, key: &[Value<'_>]) -> bool {
        self.parts.len() == key.len() && self.parts.iter().zip(key).all(|(part, value)| part.fits(value))
    }

    /// Whether some text holds all its values: a line that is no event may have been meant for the key.
    pub fn stands_in(&self, text: &str) -> bool {
        let is_word = |char: char| char.is_alphanumeric() || char == '_';
        let stands_alone = |part: &Part| {
            text.match_indices(&part.text).any(|(at, found)| {
                let (before, behind) = (&text[..at], &text[at + found.len()..]);
                !before.ends_with(is_word) && !behind.starts_with(is_word)
            })
        };
        !self.parts.is_empty() && self.parts.iter().all(|part| !part.text.is_empty() && stands_alone(part))
    }

    /// How many letters one must change to come to a key.
    fn distance(&self, key: &[Value<'_>]) -> usize {
        let parts = self.parts.iter().zip(key);
        parts.map(|(part, value)| strsim::damerau_levenshtein(&part.text, &plain(value))).sum()
    }

    fn length(&self) -> usize {
        self.parts.iter().map(|part| part.text.chars().count()).sum()
    }
}

impl Part {
    fn fits(&self, value: &Value<'_>) -> bool {
        match value {
            Value::String(text) => text.as_str() == self.text,
            Value::Null => false,
            _ if self.is_quoted => false,
            Value::Decimal(value) => self.text.parse().is_ok_and(|wanted: Decimal| wanted == *value),
            other => other.to_string() == self.text,
        }
    }
}

/// A value without quotes around it.
pub fn plain(value: &Value<'_>) -> String {
    match value {
        Value::String(text) => text.as_str().to_owned(),
        other => other.to_string(),
    }
}

/// The parts between commas that stand in no quotes.
fn split(text: &str) -> Result<Vec<&str>, String> {
    let (mut parts, mut start, mut in_quotes, mut is_escaped) = (Vec::new(), 0, false, false);
    for (at, char) in text.char_indices() {
        match char {
            _ if is_escaped => is_escaped = false,
            '\\' if in_quotes => is_escaped = true,
            '"' => in_quotes = !in_quotes,
            ',' if !in_quotes => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    if in_quotes {
        return Err("a quote is open".to_owned());
    }
    parts.push(text[start..].trim());
    Ok(parts)
}

fn part(text: &str) -> Result<Part, String> {
    let is_name = |name: &str| !name.is_empty() && !name.contains('"');
    let (name, value) = match text.split_once('=') {
        Some((name, value)) if is_name(name.trim()) => (Some(name.trim().to_owned()), value.trim()),
        _ => (None, text),
    };
    match value {
        "" => Err("a part of the key is empty: an empty string is \"\"".to_owned()),
        quoted if quoted.starts_with('"') => {
            let text =
                serde_json::from_str(quoted).map_err(|_| format!("{quoted} is not a string in double quotes"))?;
            Ok(Part { name, text, is_quoted: true })
        }
        text => Ok(Part { name, text: text.to_owned(), is_quoted: false }),
    }
}

/// The keys that come nearest to the one that is wanted, of all that have come.
#[derive(Clone, Debug, Default)]
pub(super) struct Near {
    /// By their distance; of equal ones in the order in which they came.
    nearest: BTreeMap<(usize, usize), Vec<Value<'static>>>,
    seen: usize,
}

/// How many are kept.
const NEAR_MAX: usize = 3;

impl Near {
    pub(super) fn add(&mut self, key: &[Value<'_>], wanted: &Wanted) {
        self.seen += 1;
        let distance = wanted.distance(key);
        let last = self.nearest.last_key_value().map(|((distance, _), _)| *distance);
        let is_far = self.nearest.len() == NEAR_MAX && last.is_some_and(|last| distance >= last);
        if is_far || self.nearest.values().any(|known| known.as_slice() == key) {
            return;
        }
        let key = key.iter().map(|part| part.borrowed().into_owned()).collect();
        self.nearest.insert((distance, self.seen), key);
        if self.nearest.len() > NEAR_MAX {
            self.nearest.pop_last();
        }
    }

    /// The nearest ones, and whether they are so near that one of them may be meant: then those that are not so near are left out.
    pub(super) fn into_keys(self, wanted: &Wanted) -> (Vec<Vec<Value<'static>>>, bool) {
        let most = (wanted.length() / 3).max(1);
        let is_near = self.nearest.keys().any(|(distance, _)| *distance <= most);
        let keys = self.nearest.into_iter().filter(|((distance, _), _)| !is_near || *distance <= most);
        (keys.map(|(_, key)| key).collect(), is_near)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(text: &str) -> Wanted {
        Wanted::read(text).unwrap()
    }

    #[test]
    fn a_key_fits_values_of_every_type_that_are_written_so() {
        assert!(wanted("7").fits(&[Value::Int(7)]) && wanted("7").fits(&["7".into()]));
        assert!(wanted("1.5").fits(&[Value::Decimal(Decimal::new(150, 2))]));
        assert!(wanted("\"a,b\"").fits(&["a,b".into()]) && wanted("x=\"a=\\\"\"").fits(&["a=\"".into()]));
        assert!(!wanted("null").fits(&[Value::Null]) && !wanted("7").fits(&[]));
    }

    #[test]
    fn named_parts_come_in_the_order_of_the_key() {
        let names = ["shop".to_owned(), "order".to_owned()];
        let key: [Value<'_>; 2] = ["a".into(), Value::Int(7)];
        assert!(wanted("order=7,shop=a").in_order(&names).unwrap().fits(&key));
        assert!(wanted("a,7").in_order(&names).unwrap().fits(&key));
        for wrong in ["a", "a,7,8", "order=7,shp=a"] {
            assert!(wanted(wrong).in_order(&names).is_err(), "{wrong}");
        }
        for wrong in ["", "a,", "order=7,a", "\"a", "\"a\"b"] {
            assert!(Wanted::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_line_may_hold_a_key_as_a_word_of_its_own() {
        assert!(wanted("7").stands_in("7,create,soon") && wanted("7").stands_in("{\"id\": 7}"));
        assert!(!wanted("7").stands_in("17,create,71"));
    }

    #[test]
    fn near_keys_are_the_nearest_each_once() {
        let mut near = Near::default();
        for key in [900, 1235, 1234, 1235, 12, 1244] {
            near.add(&[Value::Int(key)], &wanted("1236"));
        }
        let (keys, is_near) = near.into_keys(&wanted("1236"));
        let keys: Vec<String> = keys.iter().map(|key| key[0].to_string()).collect();
        assert_eq!((keys.join(" "), is_near), ("1235 1234".to_owned(), true));
    }
}

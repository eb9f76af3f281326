//! Bytes as text.

/// The language's words and signs; also the fuzzer's dictionary.
const DICTIONARY: &str = include_str!("../../fuzz/words.dict");

/// Begins no text in UTF-8: the bytes after it are words by their number.
const WORDS: u8 = 0xff;

/// The bytes as a text, or as words of the language thrown together: so a byte that changes is a word that changes.
pub(super) fn text(data: &[u8]) -> String {
    match data {
        [WORDS, numbers @ ..] => together(numbers),
        data => String::from_utf8_lossy(data).into_owned(),
    }
}

fn together(numbers: &[u8]) -> String {
    let words: Vec<String> = DICTIONARY.lines().filter_map(word).collect();
    let chosen = numbers.iter().map(|number| words[usize::from(*number) % words.len()].as_str());
    chosen.collect::<Vec<_>>().join(" ")
}

/// A line of libFuzzer's format: the word in quotes. Other lines are comments.
fn word(line: &str) -> Option<String> {
    let quoted = line.strip_prefix('"')?.strip_suffix('"')?;
    Some(quoted.replace("\\x0a", "\n").replace("\\\"", "\"").replace("\\\\", "\\"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_words() {
        assert_eq!(text(b"begin a\xc0"), "begin a\u{fffd}");
        assert!(text(&[WORDS, 0, 1]).starts_with("begin next"));
    }

    #[test]
    fn every_word_of_the_dictionary_has_its_number() {
        let words: Vec<String> = DICTIONARY.lines().filter_map(word).collect();
        assert_eq!(words.len(), DICTIONARY.lines().filter(|line| line.starts_with('"')).count());
        assert!((100..=256).contains(&words.len()), "{} words", words.len());
        assert!(words.contains(&"\"".to_owned()) && words.contains(&"\n".to_owned()));
    }
}

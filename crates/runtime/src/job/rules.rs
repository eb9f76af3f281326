//! The patterns of a job while it runs: whether their files say something else by now.

use ensue_lang::Source;
use ensue_model::{Span, Timestamp};

use crate::job::Texts;

/// The time from one look to the next.
const EVERY: Span = Span::from_seconds(1);

/// What the files said at a look, or why they could not be read.
type Found = Result<Vec<Source>, String>;

/// Looks at the texts of patterns. What is found is given out once, when it was the same at two looks: a file that is being
/// written is not taken for a whole one.
#[derive(Debug)]
pub(crate) struct Rules {
    texts: Texts,
    /// What is known: what runs, or what was refused.
    known: Found,
    /// What else was there at the last look.
    seen: Option<Found>,
    looked: Timestamp,
}

impl Rules {
    /// Rules of which these run.
    pub(crate) fn new(texts: Texts, running: Vec<Source>) -> Self {
        Rules { texts, known: Ok(running), seen: None, looked: Timestamp::MIN }
    }

    /// What the files say, if it is something else than what was given out last, or than what ran first.
    pub(crate) fn look(&mut self, now: Timestamp) -> Option<Found> {
        if matches!(self.texts, Texts::Fixed(_)) || now - self.looked < EVERY {
            return None;
        }
        self.looked = now;
        let found = self.texts.read();
        if found == self.known {
            self.seen = None;
            return None;
        }
        if self.seen.as_ref() != Some(&found) {
            self.seen = Some(found);
            return None;
        }
        self.known = self.seen.take()?;
        Some(self.known.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_has_changed_is_found_once_when_it_has_come_to_rest() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.pattern");
        fs::write(&file, "one").unwrap();
        let texts = Texts::Files(vec![folder.path().to_owned()]);
        let mut rules = Rules::new(texts.clone(), texts.read().unwrap());
        let mut seconds = 0;
        let mut look = |rules: &mut Rules| {
            seconds += 1;
            let found = rules.look(Timestamp::from_seconds(seconds))?;
            Some(found.map(|sources| sources.into_iter().map(|source| source.text).collect::<Vec<_>>()))
        };
        assert_eq!(look(&mut rules), None);
        fs::write(&file, "tw").unwrap();
        assert_eq!(look(&mut rules), None, "it may be written still");
        fs::write(&file, "two").unwrap();
        assert_eq!(look(&mut rules), None);
        assert_eq!(look(&mut rules), Some(Ok(vec!["two".to_owned()])));
        assert_eq!(look(&mut rules), None);
        fs::write(folder.path().join("b.pattern"), "three").unwrap();
        assert_eq!((look(&mut rules), look(&mut rules)), (None, Some(Ok(vec!["two".to_owned(), "three".to_owned()]))));
        fs::remove_file(&file).unwrap();
        assert_eq!((look(&mut rules), look(&mut rules)), (None, Some(Ok(vec!["three".to_owned()]))));
    }

    #[test]
    fn files_are_not_looked_at_all_the_time() {
        let folder = tempfile::tempdir().unwrap();
        let texts = Texts::Files(vec![folder.path().to_owned()]);
        let mut rules = Rules::new(texts, Vec::new());
        let at = |micros| Timestamp::from_micros(micros);
        assert_eq!(rules.look(at(0)), None);
        assert_eq!(rules.look(at(999_999)), None);
        assert!(rules.look(at(1_000_000)).expect("twice the same").unwrap_err().contains("no file ends with .pattern"));
    }
}

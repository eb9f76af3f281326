//! Any bytes as a job file.

use std::path::Path;

use ensue_runtime::job::JobFile;

/// Reads a text as a job file: it is one, or the place is said where it is wrong. Of one that is, a job can be made, or there is a
/// sentence that says why not.
///
/// # Panics
/// If it does not hold.
pub fn job(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match JobFile::parse(&text) {
        Ok(mut file) => {
            file.until_end();
            if let Err(error) = file.job(Path::new("/no/such/folder")) {
                assert!(!error.to_string().is_empty());
            }
        }
        Err(error) => {
            // A text that ends with a line end may be wrong behind it.
            let lines = text.split('\n').count();
            assert!((1..=lines).contains(&error.line), "line {} of {lines}: {error}", error.line);
            let line = text.split('\n').nth(error.line - 1).unwrap_or_default();
            assert!(
                (1..=line.chars().count() + 1).contains(&error.column),
                "column {} of `{line}`: {error}",
                error.column
            );
            assert!(!error.to_string().is_empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    /// The job of the manual with a piece cut out, or one put in.
    #[test]
    fn whatever_is_changed_in_a_job_file_its_place_is_said() {
        let seed = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/seeds/job/all")).expect("it is there");
        let places: Vec<usize> = seed.char_indices().map(|(at, _)| at).collect();
        for at in places {
            super::job(&seed.as_bytes()[..at]);
            for piece in ["\"", ")", "(", "é", "\n", "Some(", "-1", "99999999999999999999"] {
                super::job(format!("{}{piece}{}", &seed[..at], &seed[at..]).as_bytes());
            }
        }
    }
}

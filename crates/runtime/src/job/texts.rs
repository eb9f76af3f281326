//! The pattern files of a job.

use std::fs;
use std::path::{Path, PathBuf};

use ensue_lang::Source;

/// Where the texts of a job's patterns are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Texts {
    /// Here, and they stay as they are.
    Fixed(Vec<Source>),
    /// In files and in folders: of a folder all files that end with `.pattern`, also in the folders inside it. They are looked at while
    /// the job runs.
    Files(Vec<PathBuf>),
}

impl Texts {
    /// The texts as they are now, in the order in which they are named; those of a folder by name.
    ///
    /// # Errors
    /// What cannot be read, in a sentence.
    pub(crate) fn read(&self) -> Result<Vec<Source>, String> {
        let paths = match self {
            Texts::Fixed(sources) => return Ok(sources.clone()),
            Texts::Files(paths) => paths,
        };
        let mut files = Vec::new();
        paths.iter().try_for_each(|path| find(path, &mut files))?;
        if files.is_empty() {
            let names: Vec<String> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
            return Err(format!("there are no patterns in {}: no file ends with .pattern", names.join(", ")));
        }
        files.iter().map(|path| read(path)).collect()
    }
}

/// A file that is named, or those below a folder.
fn find(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let failed = |error: std::io::Error| format!("cannot read the folder `{}`: {error}", path.display());
    let entries = fs::read_dir(path).map_err(failed)?;
    let mut inside = entries.map(|entry| Ok(entry.map_err(failed)?.path())).collect::<Result<Vec<_>, String>>()?;
    inside.retain(|path| path.is_dir() || path.extension().is_some_and(|ending| ending == "pattern"));
    inside.sort();
    inside.iter().try_for_each(|path| find(path, files))
}

fn read(path: &Path) -> Result<Source, String> {
    let name = path.display().to_string();
    match fs::read_to_string(path) {
        Ok(text) => Ok(Source { name, text }),
        Err(error) => Err(format!("cannot read pattern `{name}`: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(texts: &Texts, folder: &Path) -> Vec<String> {
        let sources = texts.read().unwrap().into_iter();
        let names = sources.map(|source| Path::new(&source.name).strip_prefix(folder).unwrap().display().to_string());
        names.collect()
    }

    #[test]
    fn a_folder_stands_for_the_patterns_in_it_as_they_are_now() {
        let folder = tempfile::tempdir().unwrap();
        let texts = Texts::Files(vec![folder.path().join("last.pattern"), folder.path().join("rules")]);
        fs::create_dir_all(folder.path().join("rules/fraud")).unwrap();
        for name in ["last.pattern", "rules/b.pattern", "rules/a.pattern", "rules/notes.md", "rules/fraud/c.pattern"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let expected = ["last.pattern", "rules/a.pattern", "rules/b.pattern", "rules/fraud/c.pattern"];
        assert_eq!(names(&texts, folder.path()), expected);
        fs::remove_file(folder.path().join("rules/a.pattern")).unwrap();
        assert_eq!(names(&texts, folder.path()).len(), 3);
    }

    #[test]
    fn what_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = Texts::Files(vec![folder.path().join("a.pattern")]).read().unwrap_err();
        assert!(error.contains("a.pattern`: No such file or directory"), "{error}");
        let error = Texts::Files(vec![folder.path().to_owned()]).read().unwrap_err();
        assert!(error.contains("no file ends with .pattern"), "{error}");
    }
}

//! `ensue new`: a folder to begin with, in which everything runs.

use std::fs;
use std::io;
use std::path::Path;

use crate::args::New;
use crate::failure::{Failure, write_line};

/// The files of a project, with what stands in them. `{{name}}` is the project's name.
const FILES: [(&str, &str); 6] = [
    ("README.md", include_str!("../templates/new/README.md")),
    ("patterns/orders.pattern", include_str!("../templates/new/patterns/orders.pattern")),
    ("patterns/orders.case", include_str!("../templates/new/patterns/orders.case")),
    ("events.csv", include_str!("../templates/new/events.csv")),
    // Under a name of its own there: Git and GitHub would read it as theirs.
    (".github/workflows/ensue.yml", include_str!("../templates/new/workflow.yml")),
    (".gitignore", include_str!("../templates/new/gitignore")),
];

/// What to type next.
const NEXT: [&str; 2] = ["ensue test", "ensue run -p patterns/orders.pattern -i events.csv"];

pub(crate) fn new(args: &New) -> Result<(), Failure> {
    let folder = &args.folder;
    let name = format!("`{}`", folder.display());
    let is_empty = fs::read_dir(folder).map(|mut entries| entries.next().is_none());
    match is_empty {
        Ok(false) => return Err(Failure::Call(format!("{name} is there and not empty: name a folder that is new"))),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return Err(Failure::Call(format!("a file is in the way of {name}: name a folder that is new")));
        }
        // What else is wrong is told when the first file is written.
        Ok(true) | Err(_) => {}
    }
    let title = title(folder);
    for (path, text) in FILES {
        write(&folder.join(path), &text.replace("{{name}}", &title))?;
    }
    write_line(&format!(
        "created {name}: a pattern, its cases, and events to run it on\n\nnext:\n  cd {}",
        quoted(folder)
    ))?;
    NEXT.iter().try_for_each(|line| write_line(&format!("  {line}")))
}

/// The folder's own name, also of `.`.
fn title(folder: &Path) -> String {
    let named = folder.file_name().map(|name| name.to_owned());
    let of_current = || fs::canonicalize(folder).ok()?.file_name().map(|name| name.to_owned());
    named.or_else(of_current).map_or_else(|| "patterns".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// As a shell takes it.
fn quoted(folder: &Path) -> String {
    let folder = folder.display().to_string();
    match folder.contains([' ', '\'', '"', '$', '&', ';', '(', ')', '\\']) {
        true => format!("'{}'", folder.replace('\'', "'\\''")),
        false => folder,
    }
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().expect("a file of a project is in its folder");
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(path, text));
    written.map_err(|error| Failure::write(&format!("`{}`", path.display()), &error))
}

//! Reports of cases in the format of JUnit, which CI systems read.

use std::fmt::Write as _;

use ensue_testkit::cases::{CaseReport, FileReport, Verdict};

use crate::xml::escaped;

/// The report of files of cases: a suite each. A file that cannot be read is a suite with one case, which is an error.
pub(crate) fn report(files: &[FileReport]) -> String {
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    files.iter().for_each(|file| write_suite(file, &mut xml));
    xml + "</testsuites>\n"
}

fn write_suite(file: &FileReport, xml: &mut String) {
    let name = escaped(&file.path.display().to_string());
    let errors = usize::from(file.unread.is_some()) + file.cases.iter().filter(|case| is_error(&case.verdict)).count();
    let wrong = file.cases.iter().filter(|case| case.verdict != Verdict::Passed && !is_error(&case.verdict)).count();
    let tests = file.cases.len() + usize::from(file.unread.is_some());
    let _ = writeln!(xml, "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{wrong}\" errors=\"{errors}\">");
    if let Some(why) = &file.unread {
        let why = escaped(why);
        let _ = writeln!(xml, "    <testcase name=\"(file)\" classname=\"{name}\"><error>{why}</error></testcase>");
    }
    file.cases.iter().for_each(|case| write_case(case, &name, xml));
    xml.push_str("  </testsuite>\n");
}

fn write_case(case: &CaseReport, file: &str, xml: &mut String) {
    let head = format!("    <testcase name=\"{}\" classname=\"{file}\" line=\"{}\"", escaped(&case.title), case.line);
    let _ = match &case.verdict {
        Verdict::Passed => writeln!(xml, "{head}/>"),
        Verdict::Refused(why) => writeln!(xml, "{head}><error>{}</error></testcase>", escaped(why)),
        Verdict::Differs(how) | Verdict::Unsaid(how) => {
            writeln!(xml, "{head}><failure>{}</failure></testcase>", escaped(how))
        }
    };
}

fn is_error(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Refused(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_written_so_that_xml_can_hold_it() {
        assert_eq!(escaped("a<b & \"c\">\u{1b}[0m\n"), "a&lt;b &amp; &quot;c&quot;&gt;\u{fffd}[0m\n");
    }
}

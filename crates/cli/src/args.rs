//! What the command understands.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use ensue_engine::Watermarks;
use ensue_io::{TimeFormat, time};
use ensue_model::Span;

/// Finds patterns in streams of events
#[derive(Parser, Debug)]
#[command(name = "ensue", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    Run(Run),
    Check(Check),
    Explain(Explain),
}

const RUN_HELP: &str = "\
Example, from the project's root:
  ensue run -p patterns/order_payment.pattern -i examples/order-payment/OrderLog.csv \\
      --columns order_id,type,tx_id,ts --key order_id --time ts --time-unit s

Outputs are lines of JSON, told apart by their \"kind\". Any of them may go to - too, or several to one file.
Exit status: 0 done, 1 a pattern is wrong, 2 the call is wrong, 3 input or output failed.";

/// Run patterns over the events of a file or of standard input
#[derive(Args, Debug)]
#[command(after_help = RUN_HELP)]
pub(crate) struct Run {
    /// Pattern file; may be given several times
    #[arg(short, long = "pattern", value_name = "FILE", required = true, help_heading = "Patterns")]
    pub(crate) patterns: Vec<PathBuf>,

    /// Events: a file, or - for standard input
    #[arg(short, long, value_name = "FILE", help_heading = "Events")]
    pub(crate) input: PathBuf,

    /// Format of the events [default: told from the file's name]
    #[arg(long, value_enum, help_heading = "Events")]
    pub(crate) format: Option<Format>,

    #[command(flatten)]
    pub(crate) events: Events,

    /// The first line of the CSV is a header; without --columns it always is
    #[arg(long, requires = "columns", help_heading = "Events")]
    pub(crate) header: bool,

    /// What stands between two fields of the CSV; `tab` for a tab
    #[arg(long, value_name = "CHAR", default_value = ",", value_parser = delimiter, help_heading = "Events")]
    pub(crate) delimiter: u8,

    /// Field of the event time; without it, the one that the stream marks with @time
    #[arg(long, value_name = "FIELD", help_heading = "Events")]
    pub(crate) time: Option<String>,

    /// How times are written: a number of `s`, `ms`, `us` or `ns` since 1970, or `rfc3339`
    #[arg(long, value_name = "UNIT", default_value = "rfc3339", help_heading = "Events")]
    pub(crate) time_unit: TimeFormat,

    /// Order of the events: `ascending`, or `out-of-order=10s` where some come up to so much later
    #[arg(long, value_name = "ORDER", default_value = "ascending", value_parser = watermarks, help_heading = "Events")]
    pub(crate) watermark: Watermarks,

    /// Threads that share the keys among them
    #[arg(long, value_name = "N", default_value = "1", value_parser = value_parser!(u16).range(1..=1024))]
    pub(crate) shards: u16,

    /// Where matches go [default: standard output]
    #[arg(long, value_name = "FILE", help_heading = "Outputs")]
    pub(crate) matches: Option<PathBuf>,

    /// Where timeouts go [default: standard output]
    #[arg(long, value_name = "FILE", help_heading = "Outputs")]
    pub(crate) timeouts: Option<PathBuf>,

    /// Where events go that come too late [default: only counted]
    #[arg(long, value_name = "FILE", help_heading = "Outputs")]
    pub(crate) late: Option<PathBuf>,

    /// Where lines go that are no event, or have no key or time [default: only counted]
    #[arg(long, value_name = "FILE", help_heading = "Outputs")]
    pub(crate) rejected: Option<PathBuf>,

    /// Stop at the first line that would be rejected
    #[arg(long, help_heading = "Outputs")]
    pub(crate) strict: bool,

    /// No summary and no progress bar
    #[arg(short, long, help_heading = "Outputs")]
    pub(crate) quiet: bool,
}

/// Check patterns and say what is wrong with them
#[derive(Args, Debug)]
#[command(after_help = "Exit status: 0 no errors, 1 a pattern is wrong, 2 the call is wrong, 3 a file cannot be read.")]
pub(crate) struct Check {
    /// Pattern files; each is checked by itself
    #[arg(value_name = "FILE", required = true)]
    pub(crate) patterns: Vec<PathBuf>,

    /// How to say it: for people, or one JSON object a line on standard output
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: ReportFormat,

    #[command(flatten)]
    pub(crate) events: Events,
}

const EXPLAIN_HELP: &str = "\
Example, from the project's root:
  ensue explain patterns/order_payment.pattern --key order_id

A run is a match that has begun. A group is runs that move as one: the fewer groups are open, the less an event costs.

In the listing of --program, a run waits in one of the numbered states, each with the name of its stage. \
An event opens the edges whose conditions it fulfils: by `take` the stage takes it, and the run waits in the state behind \
the arrow; by `ignore` the run passes it over, and waits there; by `proceed` the state there looks at it too.

Exit status: 0 no errors, 1 a pattern is wrong, 2 the call is wrong, 3 a file cannot be read.";

/// Say what patterns cost: what tells their runs apart, what they read, what bounds them
#[derive(Args, Debug)]
#[command(after_help = EXPLAIN_HELP)]
pub(crate) struct Explain {
    /// Pattern files; each is explained by itself
    #[arg(value_name = "FILE", required = true)]
    pub(crate) patterns: Vec<PathBuf>,

    /// List the automaton that each pattern is compiled to instead
    #[arg(long)]
    pub(crate) program: bool,

    #[command(flatten)]
    pub(crate) events: Events,
}

/// What patterns are compiled for.
#[derive(Args, Debug)]
pub(crate) struct Events {
    /// Columns of the CSV, which then has no header unless --header is given
    #[arg(long, value_name = "NAME,..", value_delimiter = ',', help_heading = "Events")]
    pub(crate) columns: Option<Vec<String>>,

    /// Key fields, where neither the pattern nor the stream says [default: all events have the same key]
    #[arg(long, value_name = "FIELD,..", value_delimiter = ',', help_heading = "Patterns")]
    pub(crate) key: Vec<String>,

    /// Field that a stage without `where` compares with its name [default: type, where there is one]
    #[arg(long, value_name = "FIELD", help_heading = "Patterns")]
    pub(crate) type_field: Option<String>,

    /// Value of a `param`; may be given several times
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter, help_heading = "Patterns")]
    pub(crate) parameters: Vec<(String, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum Format {
    Csv,
    Jsonl,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum ReportFormat {
    Text,
    Json,
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        b"\"" | b"\n" | b"\r" => Err("quotes and line ends have a meaning of their own in CSV".to_owned()),
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err("expected one ASCII character, or `tab`".to_owned()),
    }
}

fn watermarks(text: &str) -> Result<Watermarks, String> {
    match text.split_once('=') {
        None if text == "ascending" => Ok(Watermarks::Ascending),
        Some(("out-of-order", span)) => match time::span(span) {
            Some(span) if span >= Span::ZERO => Ok(Watermarks::OutOfOrder(span)),
            _ => Err(format!("`{span}` is not a duration such as 10s or 1m30s")),
        },
        _ => Err("expected `ascending`, or `out-of-order=` and a duration such as 10s".to_owned()),
    }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected a name and a value with `=` between them, such as patience=10m".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_delimiter_is_one_ascii_character() {
        assert_eq!(delimiter(";"), Ok(b';'));
        assert_eq!(delimiter("tab"), Ok(b'\t'));
        for wrong in ["", ";;", "é", "\"", "\n"] {
            assert!(delimiter(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_watermark_is_ascending_or_out_of_order_by_a_duration() {
        assert_eq!(watermarks("ascending"), Ok(Watermarks::Ascending));
        assert_eq!(watermarks("out-of-order=1m30s"), Ok(Watermarks::OutOfOrder(Span::from_seconds(90))));
        for wrong in
            ["", "ordered", "ascending=1s", "out-of-order", "out-of-order=", "out-of-order=10", "out-of-order=-1s"]
        {
            assert!(watermarks(wrong).is_err(), "{wrong}");
        }
    }
}

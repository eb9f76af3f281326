//! What the command understands.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint, value_parser};
use clap_complete::Shell;
use ensue_engine::Watermarks;
use ensue_io::records::RECORD_BYTES_MAX;
use ensue_io::{TimeFormat, size, time};
use ensue_model::Span;

const HELP: &str = "\
Example, of a project to begin with:
  ensue new shop

`ensue COMMAND --help` says more of a command, with an example.";

/// Finds patterns in streams of events
#[derive(Parser, Debug)]
#[command(name = "ensue", version, max_term_width = 100, after_help = HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Arguments {
    /// The arguments of this call. Where one is wrong or help is asked for, that is told and the program ends.
    pub(crate) fn of_call() -> Self {
        Arguments::from_arg_matches(&whole_command().get_matches()).unwrap_or_else(|error| error.exit())
    }
}

/// What the command understands. Of a trace the key is a value, and not a field.
pub(crate) fn whole_command() -> clap::Command {
    const KEY_HELP: &str =
        "Key whose runs are asked about: K, or FIELD=K,.. [default: the one key that all events have]";
    let traced = |command: clap::Command| {
        command.mut_arg("key", |key| key.value_name("KEY").help(KEY_HELP).value_delimiter(None))
    };
    Arguments::command().mut_subcommand("trace", traced).mut_subcommand("why", traced)
}

#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    Run(Box<Run>),
    Check(Check),
    Explain(Explain),
    Test(Test),
    Trace(Box<Trace>),
    Why(Box<Why>),
    State(State),
    Fmt(Fmt),
    New(New),
    Completions(Completions),
    Man(Man),
}

const RUN_HELP: &str = "\
Example, from the project's root:
  ensue run -p patterns/order_payment.pattern \\
      -i examples/order-payment/OrderLog.csv --columns order_id,type,tx_id,ts \\
      --key order_id --time ts --time-unit s

Patterns that read several streams need an input for each, named after the stream; the events of all inputs are taken in the \
order of their times:
  ensue run -p examples/payments-and-receipts/payments.pattern \\
      -i payments=examples/payments-and-receipts/payments.csv \\
      -i receipts=examples/payments-and-receipts/receipts.jsonl \\
      --time-unit receipts=ms \\
      --table customers=examples/payments-and-receipts/customers.csv

--format, --columns, --delimiter, --time and --time-unit are for all inputs, or for one with its stream and = before the \
value. A file that has a = in its name is written with its folder: ./a=b.csv.

A job runs for as long as it is left alone, and goes on where it was when it is started again:
  ensue run examples/order-monitor/job.ron

Outputs are lines of JSON, told apart by their \"kind\". Any of them may go to - too, or several to one file.

Exit status: 0 done, 1 a pattern is wrong, 2 the call is wrong, 3 input or output failed.";

/// Run patterns over the events of files or of standard input, or a job
#[derive(Args, Debug)]
#[command(
    after_help = RUN_HELP,
    override_usage = "ensue run [OPTIONS] --pattern <FILE> --input <FILE>\n       ensue run [OPTIONS] <JOB.ron>"
)]
pub(crate) struct Run {
    /// Job file, which says all that the options for patterns, events and outputs say, and more
    #[arg(
        value_name = "JOB.ron",
        conflicts_with_all = ["patterns", "inputs", "format", "columns", "header", "delimiter", "time", "time_unit", "event_limit", "tables",
            "key", "type_field", "parameters", "watermark", "shards", "matches", "timeouts", "late", "rejected", "strict"],
        value_hint = ValueHint::FilePath
    )]
    pub(crate) job: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) of_job: RunJob,

    /// Pattern file; may be given several times
    #[arg(
        short,
        long = "pattern",
        value_name = "FILE",
        required_unless_present = "job",
        value_hint = ValueHint::FilePath,
        help_heading = "Patterns"
    )]
    pub(crate) patterns: Vec<PathBuf>,

    /// Events: a file, or - for standard input; STREAM=FILE for each stream, where there are several
    #[arg(
        short,
        long = "input",
        value_name = "FILE",
        required_unless_present = "job",
        value_parser = of_stream(|text| Ok(PathBuf::from(text))),
        value_hint = ValueHint::FilePath,
        help_heading = "Events"
    )]
    pub(crate) inputs: Vec<OfStream<PathBuf>>,

    /// Format of the events: csv, jsonl or logfmt [default: told from the file's name]
    #[arg(long, value_name = "FORMAT", value_parser = of_stream(format), help_heading = "Events")]
    pub(crate) format: Vec<OfStream<Format>>,

    #[command(flatten)]
    pub(crate) reading: Reading,

    /// Threads that share the keys among them
    #[arg(long, value_name = "N", default_value = "1", value_parser = value_parser!(u16).range(1..=1024))]
    pub(crate) shards: u16,

    /// Where matches go [default: standard output]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Outputs")]
    pub(crate) matches: Option<PathBuf>,

    /// Where timeouts go [default: standard output]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Outputs")]
    pub(crate) timeouts: Option<PathBuf>,

    /// Where events go that come too late [default: only counted]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Outputs")]
    pub(crate) late: Option<PathBuf>,

    /// Where lines go that are no event, or have no key or time [default: only counted]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Outputs")]
    pub(crate) rejected: Option<PathBuf>,

    /// Stop at the first line that would be rejected
    #[arg(long, help_heading = "Outputs")]
    pub(crate) strict: bool,

    /// No summary and no progress bar
    #[arg(short, long, help_heading = "Outputs")]
    pub(crate) quiet: bool,
}

/// What is said of a job besides its file.
#[derive(Args, Debug)]
pub(crate) struct RunJob {
    /// Follow nothing: end where the inputs end now
    #[arg(long, requires = "job", help_heading = "Jobs")]
    pub(crate) until_end: bool,

    /// What becomes of open runs whose pattern has changed: `keep` those that have passed only what is unchanged, `drop` all of
    /// that pattern, or `stop` if any would be lost
    #[arg(long, value_name = "WHAT", value_enum, default_value = "stop", requires = "job", help_heading = "Jobs")]
    pub(crate) on_change: OnChange,

    /// How the log on standard error is written
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "text", requires = "job", help_heading = "Jobs")]
    pub(crate) log_format: LogFormat,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum OnChange {
    Keep,
    Drop,
    Stop,
}

impl From<OnChange> for ensue_runtime::job::OnChange {
    fn from(said: OnChange) -> Self {
        match said {
            OnChange::Keep => ensue_runtime::job::OnChange::Keep,
            OnChange::Drop => ensue_runtime::job::OnChange::Drop,
            OnChange::Stop => ensue_runtime::job::OnChange::Stop,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

const CHECK_HELP: &str = "\
Example, from the project's root:
  ensue check patterns

With events, misspelt columns and types are found too:
  ensue check patterns/order_payment_strict.pattern \\
      -i patterns/inputs/strict.jsonl

Exit status: 0 no errors, 1 a pattern is wrong, 2 the call is wrong, 3 a file cannot be read.";

/// Check patterns and say what is wrong with them
#[derive(Args, Debug)]
#[command(after_help = CHECK_HELP)]
pub(crate) struct Check {
    /// Pattern files, or folders that hold some, each of which is checked by itself; and job files, with all that they name
    #[arg(value_name = "DIR|FILE", default_value = ".", value_hint = ValueHint::AnyPath)]
    pub(crate) patterns: Vec<PathBuf>,

    /// The files belong together, as those of a run do: each knows the streams and records of the others
    #[arg(long)]
    pub(crate) together: bool,

    /// How to say it: for people, or one JSON object a line on standard output
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: ReportFormat,

    /// Events to check against, as for a run: a .csv or .jsonl; their fields, and the types that stages stand for, must be there
    #[arg(
        short,
        long = "input",
        value_name = "FILE",
        value_parser = of_stream(|text| Ok(PathBuf::from(text))),
        help_heading = "Events"
    )]
    pub(crate) inputs: Vec<OfStream<PathBuf>>,

    #[command(flatten)]
    pub(crate) events: Events,

    /// The first line of the CSV is a header; without --columns it always is
    #[arg(long, requires_all = ["columns", "inputs"], help_heading = "Events")]
    pub(crate) header: bool,

    /// What stands between two fields of the CSV; `tab` for a tab [default: ,]
    #[arg(long, value_name = "CHAR", requires = "inputs", value_parser = of_stream(delimiter), help_heading = "Events")]
    pub(crate) delimiter: Vec<OfStream<u8>>,

    /// Field of the event time; without it, the one that the stream marks with @time
    #[arg(
        long,
        value_name = "FIELD",
        requires = "inputs",
        value_parser = of_stream(|text| Ok(text.to_owned())),
        help_heading = "Events"
    )]
    pub(crate) time: Vec<OfStream<String>>,

    /// How times are written: a number of `s`, `ms`, `us` or `ns` since 1970, or `rfc3339` [default: rfc3339]
    #[arg(
        long,
        value_name = "UNIT",
        requires = "inputs",
        value_parser = of_stream(TimeFormat::from_str),
        help_heading = "Events"
    )]
    pub(crate) time_unit: Vec<OfStream<TimeFormat>>,
}

const EXPLAIN_HELP: &str = "\
Example, from the project's root:
  ensue explain patterns/order_payment.pattern --key order_id

The same as a picture, for a web page or a README:
  ensue explain patterns/order_payment.pattern --key order_id --svg=order_payment.svg

A run is a match that has begun: it takes one event after the other. A group is runs that move as one: the fewer groups are open, the less an event costs.

In the listing of --program, a run waits in one of the numbered states, each with the name of its stage. \
An event opens the edges whose conditions it fulfils: by `take` the stage takes it, and the run waits in the state behind \
the arrow; by `ignore` the run passes it over, and waits there; by `proceed` the state there looks at it too.

Exit status: 0 no errors, 1 a pattern is wrong, 2 the call is wrong, 3 a file cannot be read.";

/// Say what patterns mean, step by step, and what they cost: what tells their runs apart, what they read, what bounds them
#[derive(Args, Debug)]
#[command(after_help = EXPLAIN_HELP)]
pub(crate) struct Explain {
    /// Pattern files; each is explained by itself
    #[arg(value_name = "FILE", required = true)]
    pub(crate) patterns: Vec<PathBuf>,

    /// The files belong together, as those of a run do: each knows the streams and records of the others
    #[arg(long)]
    pub(crate) together: bool,

    /// Draw the patterns instead, to a file or to standard output
    #[arg(long, value_name = "OUT", num_args = 0..=1, require_equals = true, default_missing_value = "-", group = "what")]
    pub(crate) svg: Option<PathBuf>,

    /// The same for Graphviz
    #[arg(long, value_name = "OUT", num_args = 0..=1, require_equals = true, default_missing_value = "-", group = "what")]
    pub(crate) dot: Option<PathBuf>,

    /// The same for Mermaid
    #[arg(long, value_name = "OUT", num_args = 0..=1, require_equals = true, default_missing_value = "-", group = "what")]
    pub(crate) mermaid: Option<PathBuf>,

    /// List the automaton that each pattern is compiled to instead
    #[arg(long, group = "what")]
    pub(crate) program: bool,

    #[command(flatten)]
    pub(crate) events: Events,
}

const TEST_HELP: &str = "\
Example, from the project's root:
  ensue test patterns

A case file stands beside the patterns, orders.case beside orders.pattern, and holds cases: events, and what must come out.
  case an order is not paid in time
  events
    1  0m   create  order=7
    2  16m  pay     order=7
  outputs
    timeout  create 1, awaiting pay, at 15m
docs/cases.md says all that can stand there.

Exit status: 0 all cases pass, 1 a case fails, 2 the call is wrong, 3 a file cannot be read or written.";

/// Run the cases beside patterns, and say what they do not reach
#[derive(Args, Debug)]
#[command(after_help = TEST_HELP)]
pub(crate) struct Test {
    /// Files of cases, patterns with cases beside them, or folders that hold some
    #[arg(value_name = "DIR|FILE", default_value = ".", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,

    /// Write what comes out into the cases that expect something else, or do not say what; review it in the diff
    #[arg(long)]
    pub(crate) update: bool,

    /// Where a report goes that CI systems read, in JUnit's format
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) junit: Option<PathBuf>,
}

const FMT_HELP: &str = "\
Example, from the project's root:
  ensue fmt --check patterns

Each step comes on a line of its own, unless its author put all on one line and it fits; lines have at most 100 columns. \
Comments stay where they are, and no pattern changes what it means. A file that cannot be read as patterns is left as it is.

Exit status: 0 all is formatted, 1 a pattern is wrong or not formatted, 2 the call is wrong, 3 a file cannot be read or written.";

/// Format pattern files in the one style
#[derive(Args, Debug)]
#[command(after_help = FMT_HELP)]
pub(crate) struct Fmt {
    /// Pattern files, or folders that hold some; - for standard input, which is written to standard output
    #[arg(value_name = "DIR|FILE", default_value = ".", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,

    /// Write nothing: name the files that are not formatted, and show what would change
    #[arg(long)]
    pub(crate) check: bool,
}

const NEW_HELP: &str = "\
Example:
  ensue new shop

The folder has a pattern with comments that explain it, its cases, events to run it on, and a workflow that checks, formats and \
tests the patterns of each push.

Exit status: 0 done, 2 the folder is there and not empty, 3 a file cannot be written.";

/// Begin a project: a folder with a pattern, its cases and events
#[derive(Args, Debug)]
#[command(after_help = NEW_HELP)]
pub(crate) struct New {
    /// The folder, which must not be there yet, or be empty
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,
}

const STATE_HELP: &str = "\
Example, from the project's root:
  ensue run --quiet --until-end examples/order-monitor/job.ron
  ensue state examples/order-monitor/state

A job may be running there: nothing is changed.

Exit status: 0 done, 2 the call is wrong, 3 there is no checkpoint that is whole.";

/// Show what the checkpoints of a job hold
#[derive(Args, Debug)]
#[command(after_help = STATE_HELP)]
pub(crate) struct State {
    /// The folder of the checkpoints, which the job calls `checkpoint: (dir: ..)`
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) folder: PathBuf,

    /// How to show it: for people, or one JSON object for each checkpoint, the newest first
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: ReportFormat,
}

const COMPLETIONS_HELP: &str = "\
Example, for bash:
  source <(ensue completions bash)

That line in ~/.bashrc keeps it. In ~/.zshrc it is `source <(ensue completions zsh)`, behind compinit; for fish \
`ensue completions fish | source` in ~/.config/fish/config.fish.

Exit status: 0 done, 2 the call is wrong.";

/// Write a script that completes the command in a shell
#[derive(Args, Debug)]
#[command(after_help = COMPLETIONS_HELP)]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub(crate) shell: Shell,
}

const MAN_HELP: &str = "\
Example, where man looks for the pages of a user:
  ensue man ~/.local/share/man/man1

Then `man ensue` shows the first page, and `man ensue-run` that of a command.

Exit status: 0 done, 2 the call is wrong, 3 a file cannot be written.";

/// Write the manual pages, one for each command
#[derive(Args, Debug)]
#[command(after_help = MAN_HELP)]
pub(crate) struct Man {
    /// The folder where they go [default: the first page goes to standard output]
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) folder: Option<PathBuf>,
}

const TRACE_HELP: &str = "\
Example, from the project's root:
  ensue trace patterns/order_payment.pattern \\
      -i examples/order-payment/OrderLog.csv --columns order_id,type,tx_id,ts \\
      --key order_id=1234 --time ts --time-unit s

The key is a value, or several with commas between them; or with the name of its field, which stands for --key of `ensue run` \
where neither the pattern nor the stream has a key: order_id=1234. A text in double quotes is a string, and may hold commas.

Only the events of that key are followed, but all inputs are read. docs/trace.md says what the JSON holds.

Exit status: 0 done, 1 a pattern is wrong, 2 the call is wrong, 3 input or output failed, 4 the key does not occur, \
5 the engine gives something else than what is told, which is a defect of Ensue.";

/// Tell what happened to the runs of one key, event by event, and why
#[derive(Args, Debug)]
#[command(after_help = TRACE_HELP)]
pub(crate) struct Trace {
    #[command(flatten)]
    pub(crate) subject: Subject,

    /// How to tell it: text, or json, an object a line. How the events are written: csv or jsonl, as for `ensue run`
    #[arg(long, value_name = "FORMAT", value_parser = trace_format)]
    pub(crate) format: Vec<TraceFormat>,

    /// Write a page that shows the time line of the key and its runs, for a browser
    #[arg(long, value_name = "OUT", value_hint = ValueHint::FilePath)]
    pub(crate) html: Option<PathBuf>,
}

const WHY_HELP: &str = "\
Example, from the project's root:
  ensue why patterns/order_payment.pattern \\
      -i examples/order-payment/OrderLog.csv --columns order_id,type,tx_id,ts \\
      --key order_id=1235 --time ts --time-unit s

It says of the run that came furthest how far that was, what it waited for, and what ended it; of a key that matched, by which \
events; of one that does not occur, which keys are near. `ensue trace` tells the whole story.

Exit status: 0 done, 1 a pattern is wrong, 2 the call is wrong, 3 input or output failed, 4 the key does not occur, \
5 the engine gives something else than what is told, which is a defect of Ensue.";

/// Say in three lines why a key did not match, or how it did
#[derive(Args, Debug)]
#[command(after_help = WHY_HELP)]
pub(crate) struct Why {
    #[command(flatten)]
    pub(crate) subject: Subject,

    /// Format of the events: csv or jsonl [default: told from the file's name]
    #[arg(long, value_name = "FORMAT", value_parser = of_stream(format), help_heading = "Events")]
    pub(crate) format: Vec<OfStream<Format>>,
}

/// The key of a pattern that is asked about, and where its events are.
#[derive(Args, Debug)]
pub(crate) struct Subject {
    /// Pattern file; several, where they belong together
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub(crate) patterns: Vec<PathBuf>,

    /// The pattern, where there are several
    #[arg(long, value_name = "NAME")]
    pub(crate) pattern: Option<String>,

    /// Most steps that are told: how often a run looks at an event
    #[arg(long, value_name = "N", default_value = "200000", value_parser = value_parser!(u32).range(1..))]
    pub(crate) steps: u32,

    /// Events: a file, or - for standard input; STREAM=FILE for each stream, where there are several
    #[arg(
        short,
        long = "input",
        value_name = "FILE",
        required = true,
        value_hint = ValueHint::FilePath,
        value_parser = of_stream(|text| Ok(PathBuf::from(text))),
        help_heading = "Events"
    )]
    pub(crate) inputs: Vec<OfStream<PathBuf>>,

    #[command(flatten)]
    pub(crate) reading: Reading,
}

/// How a trace is told, or how the events are written that it is of: the words differ.
#[derive(Clone, Debug)]
pub(crate) enum TraceFormat {
    Report(ReportFormat),
    Events(OfStream<Format>),
}

/// How inputs are read, and what patterns are given besides.
#[derive(Args, Debug)]
pub(crate) struct Reading {
    #[command(flatten)]
    pub(crate) events: Events,

    /// The first line of the CSV is a header; without --columns it always is
    #[arg(long, requires = "columns", help_heading = "Events")]
    pub(crate) header: bool,

    /// What stands between two fields of the CSV; `tab` for a tab [default: ,]
    #[arg(long, value_name = "CHAR", value_parser = of_stream(delimiter), help_heading = "Events")]
    pub(crate) delimiter: Vec<OfStream<u8>>,

    /// Field of the event time; without it, the one that the stream marks with @time
    #[arg(
        long,
        value_name = "FIELD",
        value_parser = of_stream(|text| Ok(text.to_owned())),
        help_heading = "Events"
    )]
    pub(crate) time: Vec<OfStream<String>>,

    /// How times are written: a number of `s`, `ms`, `us` or `ns` since 1970, or `rfc3339` [default: rfc3339]
    #[arg(long, value_name = "UNIT", value_parser = of_stream(TimeFormat::from_str), help_heading = "Events")]
    pub(crate) time_unit: Vec<OfStream<TimeFormat>>,

    /// The longest event; longer ones are rejected
    #[arg(long, value_name = "SIZE", default_value = "16MiB", value_parser = size::bytes, help_heading = "Events")]
    pub(crate) event_limit: usize,

    /// Order of the events, of all inputs together: `ascending`, or `out-of-order=10s` where some come up to so much later
    #[arg(long, value_name = "ORDER", default_value = "ascending", value_parser = watermarks, help_heading = "Events")]
    pub(crate) watermark: Watermarks,

    /// Rows of a table that the patterns declare: a .csv with a header, or .jsonl; may be given several times
    #[arg(long = "table", value_name = "NAME=FILE", value_parser = table, help_heading = "Patterns")]
    pub(crate) tables: Vec<(String, PathBuf)>,
}

/// What patterns are compiled for.
#[derive(Args, Clone, Debug)]
pub(crate) struct Events {
    /// Key fields, where neither the pattern nor the stream says [default: all events have the same key]
    #[arg(long, value_name = "FIELD,..", value_delimiter = ',', help_heading = "Patterns")]
    pub(crate) key: Vec<String>,

    /// Field that a stage without `where` compares with its name [default: type, where there is one]
    #[arg(long, value_name = "FIELD", help_heading = "Patterns")]
    pub(crate) type_field: Option<String>,

    /// Value of a `param`; may be given several times
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter, help_heading = "Patterns")]
    pub(crate) parameters: Vec<(String, String)>,

    /// Columns of the CSV, which then has no header unless --header is given
    #[arg(long, value_name = "NAME,..", value_parser = of_stream(columns), help_heading = "Events")]
    pub(crate) columns: Vec<OfStream<Vec<String>>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    Csv,
    Jsonl,
    Logfmt,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum ReportFormat {
    Text,
    Json,
}

/// What is said of the input of a stream, or of all inputs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct OfStream<T> {
    pub(crate) stream: Option<String>,
    pub(crate) value: T,
}

/// What is said of the input of a stream, by its name rather than of all; of what is said twice, the last.
pub(crate) fn said<'s, T>(all: &'s [OfStream<T>], stream: Option<&str>) -> Option<&'s T> {
    let by_name = |name: Option<&str>| all.iter().rev().find(|said| said.stream.as_deref() == name);
    by_name(stream).or_else(|| by_name(None)).map(|said| &said.value)
}

impl Check {
    /// How its inputs are read: `--format` is that of the report, so their names tell theirs.
    pub(crate) fn reading(&self) -> Reading {
        let Check { events, header, delimiter, time, time_unit, .. } = self;
        Reading {
            events: events.clone(),
            header: *header,
            delimiter: delimiter.clone(),
            time: time.clone(),
            time_unit: time_unit.clone(),
            event_limit: RECORD_BYTES_MAX,
            watermark: Watermarks::Ascending,
            tables: Vec::new(),
        }
    }
}

impl Explain {
    /// Whether patterns are drawn.
    pub(crate) fn draws(&self) -> bool {
        self.svg.is_some() || self.dot.is_some() || self.mermaid.is_some()
    }
}

impl Reading {
    /// What is wrong with the inputs, as far as the call tells: what is said of the input of a stream needs one, and standard
    /// input can be read once.
    pub(crate) fn check_inputs(
        &self,
        inputs: &[OfStream<PathBuf>],
        formats: &[OfStream<Format>],
    ) -> Result<(), String> {
        if inputs.iter().filter(|input| input.value == Path::new("-")).count() > 1 {
            return Err("standard input can be only one of the inputs".to_owned());
        }
        let inputs = streams(inputs);
        let said = [
            ("--columns", streams(&self.events.columns)),
            ("--format", streams(formats)),
            ("--delimiter", streams(&self.delimiter)),
            ("--time", streams(&self.time)),
            ("--time-unit", streams(&self.time_unit)),
        ];
        for (option, streams) in &said {
            if let Some(stream) = streams.iter().find(|stream| !inputs.contains(stream)) {
                return Err(format!("{option} speaks of `{stream}`, and no input does: say -i {stream}=FILE"));
            }
        }
        Ok(())
    }
}

/// The streams of which something is said.
fn streams<T>(said: &[OfStream<T>]) -> Vec<&str> {
    said.iter().filter_map(|said| said.stream.as_deref()).collect()
}

/// Reads what may begin with a stream's name and `=`.
fn of_stream<T>(
    value: impl Fn(&str) -> Result<T, String> + Clone,
) -> impl Fn(&str) -> Result<OfStream<T>, String> + Clone {
    move |text| match text.split_once('=') {
        Some((name, rest)) if is_name(name) => Ok(OfStream { stream: Some(name.to_owned()), value: value(rest)? }),
        _ => Ok(OfStream { stream: None, value: value(text)? }),
    }
}

/// Whether a text is a name of the language. A path with a `.` or `/` before its first `=` is none.
fn is_name(text: &str) -> bool {
    let begins = text.starts_with(|first: char| first.is_alphabetic() || first == '_');
    begins && text.chars().all(|char| char.is_alphanumeric() || char == '_')
}

fn format(text: &str) -> Result<Format, String> {
    match text {
        "csv" => Ok(Format::Csv),
        "jsonl" => Ok(Format::Jsonl),
        "logfmt" => Ok(Format::Logfmt),
        _ => Err("expected `csv`, `jsonl` or `logfmt`".to_owned()),
    }
}

fn trace_format(text: &str) -> Result<TraceFormat, String> {
    match text {
        "text" => Ok(TraceFormat::Report(ReportFormat::Text)),
        "json" => Ok(TraceFormat::Report(ReportFormat::Json)),
        events => match of_stream(format)(events) {
            Ok(format) => Ok(TraceFormat::Events(format)),
            Err(_) => Err("expected `text` or `json` for the trace, `csv` or `jsonl` for the events".to_owned()),
        },
    }
}

fn columns(text: &str) -> Result<Vec<String>, String> {
    let columns: Vec<String> = text.split(',').map(str::to_owned).collect();
    match columns.iter().enumerate().find(|(at, column)| columns[..*at].contains(column)) {
        Some((_, twice)) => Err(format!("the column `{twice}` is named twice")),
        None => Ok(columns),
    }
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

fn table(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => Ok((name.to_owned(), PathBuf::from(file))),
        _ => Err("expected a table and a file with `=` between them, such as products=products.csv".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_fit_together() {
        whole_command().debug_assert();
    }

    #[test]
    fn what_is_said_of_a_stream_begins_with_its_name() {
        let read = |text| of_stream(|text| Ok(text.to_owned()))(text).map(|said| (said.stream, said.value));
        let of = |stream: &str, value: &str| Ok((Some(stream.to_owned()), value.to_owned()));
        let of_all = |value: &str| Ok((None, value.to_owned()));
        assert_eq!(read("orders=in.csv"), of("orders", "in.csv"));
        assert_eq!(read("größe_1=a=b"), of("größe_1", "a=b"));
        for text in ["in.csv", "./orders=in.csv", "1=2", "=", "a b=c", ""] {
            assert_eq!(read(text), of_all(text));
        }
    }

    #[test]
    fn what_is_said_by_name_counts_and_the_last_of_it() {
        let of = |stream: Option<&str>, value| OfStream { stream: stream.map(str::to_owned), value };
        let all = [of(Some("a"), 1), of(None, 2), of(Some("a"), 3), of(None, 4)];
        let found = [Some("a"), Some("b"), None].map(|stream| said(&all, stream));
        assert_eq!(found, [Some(&3), Some(&4), Some(&4)]);
        assert_eq!(said(&all[..1], None), None);
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
